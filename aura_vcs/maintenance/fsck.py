"""Verifying a project: every byte, every reference, every count. Repairs nothing."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError, RecordUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.layout import WATCHER_SOCKET
from aura_vcs.maintenance.confirm_damage import confirm_damage
from aura_vcs.maintenance.findings import UNREADABLE, Finding
from aura_vcs.maintenance.reachability import affected_versions, all_labels
from aura_vcs.maintenance.record_checks import file_problems, log_problems, ref_problems
from aura_vcs.maintenance.recount import count_problems
from aura_vcs.model import Kind, Label
from aura_vcs.objects.availability import missing_parts, offloaded_among
from aura_vcs.objects.base import EMPTY_TREE_ID, IDENTIFY
from aura_vcs.objects.graph import State, TreeVisit, UnreadableObject, Walk, fault_of
from aura_vcs.objects.packs.format import CODEC_RAW, PackEntry
from aura_vcs.repository.repository import Repository


class FsckReport(msgspec.Struct, frozen=True):
    """What was found; `objects` and `bytes` count what was looked at (stored bytes).

    `offloaded` files, of `offloaded_bytes`, are not here on purpose: remotes hold them. That is not a problem; nor are
    `evicted` ones, which can be made again.
    """

    problems: tuple[Finding, ...]
    objects: int
    bytes: int
    offloaded: int = 0
    offloaded_bytes: int = 0
    evicted: int = 0
    evicted_bytes: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def fsck(repo: Repository, *, quick: bool = False) -> FsckReport:
    """Check the project. With `quick`, content is not read: only that it is there.

    Checks packs, loose objects, that everything a version needs is there, refs, operation logs,
    and that every reference count is what counting again gives.
    """
    checker = _Checker(repo, quick=quick)
    with repo.locks.shared("objects"):
        repo.refresh()
        checker.objects()
        checker.records()
        confirm_damage(repo, checker.versions, lambda sound: sound)
        checker.counts()
    _verify_watcher(repo)
    freed = repo.store.offloaded.evicted()
    evicted = [size for blob, size in checker.offloaded.items() if blob in freed]
    away = [size for blob, size in checker.offloaded.items() if blob not in freed]
    return FsckReport(
        problems=tuple(checker.report()),
        objects=checker.object_count,
        bytes=checker.stored_bytes,
        offloaded=len(away),
        offloaded_bytes=sum(away),
        evicted=len(evicted),
        evicted_bytes=sum(evicted),
    )


def _verify_watcher(repo: Repository) -> None:
    """Hold what a watcher says against a look at every file; what it did not tell is said and recorded."""
    if repo.storage.look(WATCHER_SOCKET) is None:
        return
    with suppress(AuraError):  # a damaged version, or files that cannot be looked at: that is said above
        head = repo.head().version
        repo.worktree.verify_watcher(repo.trees.version(head).tree if head is not None else EMPTY_TREE_ID)


class _Checker:
    def __init__(self, repo: Repository, *, quick: bool) -> None:
        self._repo = repo
        self._quick = quick
        self._problems: list[Finding] = []
        self._damaged: dict[ObjectId, str] = {}
        self._unread: dict[ObjectId, str] = {}
        self._missing: dict[ObjectId, str] = {}
        self._packs: dict[str, int] = {}
        self._chunked: set[ObjectId] = set()
        self._recorded_away = repo.store.offloaded.all()
        self._gone: dict[ObjectId, tuple[str, int]] = {}
        """Blobs that seem not to be here and are not recorded: a name, the size."""
        self.offloaded: dict[ObjectId, int] = {}
        """Sizes of the blobs that are at remotes, or evicted."""
        self.object_count = 0
        self.stored_bytes = 0

    def report(self) -> Iterator[Finding]:
        """Yield every finding; damaged objects with the versions they affect."""
        affected = affected_versions(self._repo, {*self._damaged, *self._missing})
        for kind, found in (("corrupt_object", self._damaged), ("missing_object", self._missing)):
            for object_id, detail in found.items():
                where = ", ".join(affected.get(object_id, []))
                yield Finding(
                    kind, object_id, f"{detail}; affects {where}" if where else f"{detail}; no version needs it"
                )
        yield from self._problems

    def objects(self) -> None:
        """Check packs and loose objects."""
        store = self._repo.store
        self._packs = {name: store.packs.stored_size(name) for name in store.packs.names()}
        self._repo.progress.start("Checking packs", sum(self._packs.values()), "bytes")
        for name, size in self._packs.items():
            self.stored_bytes += size
            try:
                self._pack(name)
            except FileNotFoundError as error:
                if store.packs.stored_size(name):  # else another machine's deletion has come meanwhile
                    self._problems.append(Finding("corrupt_pack", name, str(error)))
            except AuraError as error:
                self._problems.append(Finding("corrupt_pack", name, str(error)))
            self._repo.progress.advance(size)
        self._repo.progress.finish()
        self._loose()
        self._unread = dict(self._damaged)

    def _pack(self, name: str) -> None:
        packs = self._repo.store.packs
        footer = packs.footer(name)
        self.object_count += len(footer.entries)
        packs.check_size(name)
        if self._quick:
            return
        by_frame: dict[int, list[PackEntry]] = {}
        for entry in footer.entries:
            by_frame.setdefault(entry.frame, []).append(entry)
        for frame, entries in sorted(by_frame.items()):
            try:
                data = memoryview(packs.read_frame(name, frame))
            except IntegrityError as error:
                self._damaged.update((entry.id, error.message) for entry in entries)
                continue
            for entry in entries:
                content = data[entry.offset : entry.offset + entry.length]
                if not entry.chunked and IDENTIFY[entry.kind](content) != entry.id:
                    where = "raw" if footer.frames[frame].codec == CODEC_RAW else "compressed"
                    self._damaged[entry.id] = f"its bytes in pack {name[:12]} ({where}) do not hash to its name"

    def _loose(self) -> None:
        store = self._repo.store
        found = list(store.loose.all())
        self._repo.progress.start("Checking loose objects", sum(size for _, size in found), "bytes")
        for object_id, size in found:
            self.object_count += 1
            self.stored_bytes += size
            if not self._quick:
                self._loose_object(object_id)
            self._repo.progress.advance(size)
        self._repo.progress.finish()

    def _loose_object(self, object_id: ObjectId) -> None:
        record = self._repo.queries.object(object_id)
        kinds = [Kind(record.kind)] if record is not None else [Kind.BLOB, Kind.TREE, Kind.VERSION]
        for kind in kinds:
            try:
                self._repo.store.verify(object_id, kind)
            except IntegrityError as error:
                detail = error.message
            else:
                return
        self._damaged[object_id] = detail

    def records(self) -> None:
        """Check refs, logs and the other small files."""
        found = [finding for look in (ref_problems, log_problems, file_problems) for finding in self._certain(look)]
        named = {finding.what for finding in found if finding.kind != UNREADABLE}
        self._problems += dict.fromkeys(f for f in found if f.kind != UNREADABLE or f.what not in named)

    def counts(self) -> None:
        """Check that every reference count is what counting again gives."""
        if self._damaged or self._missing:
            return  # what cannot be read cannot be counted
        self._problems += self._certain(count_problems)

    def _certain(self, look: Callable[[Repository], Iterator[Finding]]) -> list[Finding]:
        return confirm_damage(self._repo, lambda: self._collect_readable(look), lambda found: not found)

    def _collect_readable(self, look: Callable[[Repository], Iterator[Finding]]) -> list[Finding]:
        """Collect findings; what keeps a check from going on is one too, and keeps no other check from its work."""
        found: list[Finding] = []
        try:
            for finding in look(self._repo):
                found.append(finding)
        except RecordUnreadable as error:
            found.append(Finding(UNREADABLE, os.path.relpath(error.path, self._repo.storage.root), error.reason))
        return found

    def versions(self) -> bool:
        """Check that everything that a live version holds is there; return whether it is so."""
        self._damaged, self._missing = dict(self._unread), {}
        self._gone, self.offloaded = {}, {}
        labels, seen = all_labels(self._repo), set[ObjectId]()
        walk = Walk(self._repo.graph, on_fault=self._note)
        self._chunked = self._repo.queries.chunked()
        self._repo.progress.start("Checking versions", len(labels), "versions")
        for label in labels.values():
            self._version(label, walk, seen)
            self._repo.progress.advance(1)
        self._repo.progress.finish()
        self._report_missing()
        return not (self._damaged or self._missing)

    def _version(self, label: Label, walk: Walk, seen: set[ObjectId]) -> None:
        try:
            tree = self._repo.graph.version(label.version).tree
            if not label.is_live:
                return
            for folder in walk.below(TreeVisit(tree)):
                files = {entry.id: (entry.name, entry.size) for _, entry in folder.files() if entry.id not in seen}
                seen |= files.keys()
                self._contents(files)
        except IntegrityError as error:
            self._note(fault_of(label.version, error))

    def _contents(self, files: dict[ObjectId, tuple[str, int]]) -> None:
        """Check that files that a tree holds are there, with all their chunks."""
        absent = self._find_missing(files)
        for blob in absent:
            self._not_present(blob, *files[blob])
        for blob in files.keys() & self._chunked - absent:
            self._chunked.remove(blob)
            try:
                chunks = set(self._repo.store.chunk_ids(blob))
                absent_chunks = self._find_missing(chunks)
            except (IntegrityError, FileNotFoundError) as error:
                self._damaged[blob] = str(error)
                continue
            if absent_chunks and self._repo.store.loose.find(blob) is None:
                self._not_present(blob, *files[blob])
            elif not self._quick and not absent_chunks and not chunks & self._damaged.keys():
                self._check_chunk_lists(blob)

    def _check_chunk_lists(self, blob: ObjectId) -> None:
        """Check lists of chunks over the whole content, which alone tells: a list has no hash of its own."""
        try:
            self._repo.store.verify(blob, Kind.BLOB)
        except IntegrityError as error:
            self._damaged[blob] = error.message

    def _find_missing(self, object_ids: Iterable[ObjectId]) -> set[ObjectId]:
        """Find objects that are nowhere: most are found by one look at the index and one at the packs' names."""
        wanted = set(object_ids)
        placed = self._repo.store.places.find_many(wanted)
        rest = {i for i in wanted if i not in placed or placed[i].pack not in self._packs}
        away = {i for i in rest if self._is_offloaded(i)} if rest and self._recorded_away else set()
        return away | {object_id for object_id in rest - away if not self._repo.store.contains(object_id)}

    def _is_offloaded(self, object_id: ObjectId) -> bool:
        """Tell whether the index has the object as offloaded: it is not looked for in every pack."""
        record = self._repo.queries.object(object_id)
        away = record is not None and record.pack is None and record.stored_size == 0 and record.size > 0
        return away and self._repo.store.loose.find(object_id) is None

    def _not_present(self, blob: ObjectId, name: str, size: int) -> None:
        if blob in self._recorded_away:
            self.offloaded[blob] = size
        else:
            self._gone[blob] = name, size

    def _report_missing(self) -> None:
        """Report what is not here as missing, unless it is made of what was offloaded."""
        absent = missing_parts(self._repo.store, self._gone)  # a sync tool may have brought it, unknown to the index
        away = offloaded_among(self._repo.store, absent)
        for blob, parts in absent.items():
            name, size = self._gone[blob]
            if blob in away:
                self.offloaded[blob] = size
            elif parts == (blob,):
                self._missing[blob] = f"the content of {name!r} is not here"
            else:
                self._missing[blob] = f"a part of {name!r} (chunk {parts[0][:12]}) is not here"

    def _note(self, fault: UnreadableObject) -> None:
        (self._missing if fault.state is State.MISSING else self._damaged)[fault.id] = fault.reason
