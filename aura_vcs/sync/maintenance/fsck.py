"""Looking through a remote: all that versions need is there, and a share of the content is hashed.

The structure is always looked at as a whole: manifest, records, footers, versions and trees. Of the
content a share is fetched, chosen by chance: 5 % every night find damage that spreads, for 5 % of the
traffic. Nothing that is cached here is believed, and nothing is repaired.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.maintenance.findings import Finding
from aura_vcs.model import Kind, Label
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.graph import TreeVisit, UnreadableObject, Walk, ancestry
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.verify import check_chunk_list, check_entries
from aura_vcs.progress import SILENT, Progress
from aura_vcs.refs.annotations import RECIPE, freed_contents
from aura_vcs.sync.maintenance.label_names import label_names
from aura_vcs.sync.maintenance.scan_remote import has_pack_header
from aura_vcs.sync.state.manifest import PackInfo, pack_name, record_name
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.pieces import MISSING, REPAIR_HINT
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot, named_versions


class VerifyReport(msgspec.Struct, frozen=True):
    """What was found. `read_bytes` of `stored_bytes` of content were fetched and hashed."""

    problems: tuple[Finding, ...]
    versions: int
    objects: int
    read_bytes: int
    stored_bytes: int

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def fsck_remote(
    snapshot: RemoteSnapshot, *, sample: float = 1.0, chance: random.Random | None = None, progress: Progress = SILENT
) -> VerifyReport:
    """Check the remote of a snapshot that was made with nothing cached; hash `sample` (0 to 1) of its content.

    Where a piece of the list of packs is lost, all that is listed otherwise is checked.

    Raises:
        RemoteUnreachable: the connection went.
    """
    snapshot = snapshot.without_lost_pieces()
    checker = _Verifier(snapshot, progress)
    checker.files()
    checker.structure()
    checker.content(sample, chance or random.Random())  # noqa: S311 (a sample)
    if sample >= 1:
        checker.lists()
    return VerifyReport(
        tuple(checker.report()),
        checker.count,
        len(checker.table.all_ids()),
        checker.read_bytes,
        sum(pack.size for pack in snapshot.manifest.packs),
    )


def _affecting(detail: str, versions: Collection[str]) -> str:
    return f"{detail}; affects {', '.join(versions)}" if versions else detail


class _Verifier:
    def __init__(self, snapshot: RemoteSnapshot, progress: Progress) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self.table = PackTable()
        self._reader = RemoteReader(snapshot, self.table)
        self._problems: list[Finding] = []
        self._bad: dict[ObjectId, tuple[str, str]] = {}
        self._trees: dict[ObjectId, set[ObjectId]] = {}
        self._tops: dict[str, ObjectId] = {}
        self._freed: frozenset[ObjectId] = frozenset()
        self._names: dict[VersionId, str] = {}
        self.count = 0
        self.read_bytes = 0

    def report(self) -> Iterator[Finding]:
        """Yield every finding; damaged and missing objects with the versions they affect.

        With a piece of the list of packs, all that is in its packs is missing: that is one finding, and not thousands.
        """
        affected = self._affected()
        lost = self._snapshot.pieces.lost
        unlisted = {i: affected.get(i, ()) for i, (kind, _) in self._bad.items() if lost and kind == "missing_object"}
        for object_id, (kind, detail) in self._bad.items():
            if object_id not in unlisted:
                yield Finding(kind, object_id, _affecting(detail, affected.get(object_id, ())))
        versions = dict.fromkeys(name for names in unlisted.values() for name in names)
        for info, fault in lost.items():
            detail = (
                f"a piece of the list of packs: {fault}. {len(unlisted):,} objects that are needed are listed nowhere"
            )
            kind = "missing_piece" if fault == MISSING else "corrupt_piece"
            yield Finding(kind, record_name(info), f"{_affecting(detail, versions)}. {REPAIR_HINT}")
        yield from self._problems

    def files(self) -> None:
        """Check that everything that the manifest lists is there in its size, and that packs end with their footers."""
        manifest, remote = self._snapshot.manifest, self._snapshot.remote
        for info in self._snapshot.pieces.damaged:
            detail = f"a piece of the list of packs is not as its name says; it is remembered here. {REPAIR_HINT}"
            self._problems.append(Finding("corrupt_piece", record_name(info), detail))
        sizes = [(pack_name(p), p.size) for p in manifest.packs] + [(record_name(r), r.size) for r in manifest.records]
        self._progress.start("Looking for files", len(sizes), "files")
        for name, size in sizes:
            try:
                there = remote.size(name)
            except RemoteCorrupt as error:
                self._problems.append(Finding("corrupt_file", name, error.reason))
                continue
            finally:
                self._progress.advance(1)
            if there is None:
                self._problems.append(Finding("missing_file", name, "the manifest lists it, and it is not there"))
            elif there != size:
                self._problems.append(Finding("corrupt_file", name, f"it has {there} bytes, not {size}"))
        for pack in manifest.packs:
            try:
                self.table.add(pack, self._snapshot.footer(pack))
            except RemoteCorrupt as error:
                self._problems.append(Finding("corrupt_pack", pack.name, error.reason))
        self._progress.finish()

    def structure(self) -> None:
        """Check every version with its ancestry, and the trees, contents and chunks of the live ones."""
        labels: dict[VersionId, Label] = {}
        for info in self._snapshot.manifest.records:
            try:
                found = self._snapshot.record(info)
                labels |= {label.version: label for label in found.labels}
                self._freed |= freed_contents(found.annotations.get(RECIPE, ()))
            except RemoteCorrupt as error:
                self._problems.append(Finding("corrupt_record", info.name, error.reason))
        if not any(problem.kind == "corrupt_record" for problem in self._problems):
            labels = self._snapshot.labels()
        self._names = label_names(labels)
        tips = [*labels, *named_versions(self._snapshot.manifest)]
        walk = Walk(self._reader, on_fault=self._note)
        self._progress.start("Checking versions", len(tips), "versions")
        for _ in ancestry(tips, lambda version: self._version(version, labels.get(version), walk)):
            self.count += 1
            self._progress.advance(1)
        self._progress.finish()

    def _version(self, version: VersionId, label: Label | None, walk: Walk) -> Sequence[VersionId]:
        """Check a version and what it holds; returns its parents."""
        name = self._names.get(version, version[:12])
        self._tops[name] = version
        self._trees[version] = set()
        try:
            found = self._reader.version(version)
        except (RemoteCorrupt, IntegrityError) as error:
            self._note_error(version, error)
            return ()
        if label is None:
            self._problems.append(Finding("missing_label", version, "a branch, tag or version needs it"))
        elif label.is_live:
            self._trees[version] = {found.tree}
            for folder in walk.below(TreeVisit(found.tree)):
                self._trees[folder.id] = {entry.id for entry in folder.entries}
                for _, entry in folder.files():
                    if entry.id not in self._trees:
                        self._blob(entry.id, entry.name)
        return found.parents

    def _blob(self, blob: ObjectId, name: str) -> None:
        self._trees[blob] = set()
        found = self.table.find(blob)
        if found is None and blob in self._freed:
            return  # a recipe makes it
        if found is None:
            self._bad[blob] = "missing_object", f"the content of {name!r} is not there"
            return
        if not found.entry.chunked:
            return
        try:
            listed = list(decode_chunk_list(self._reader.raw(found), blob))
        except (RemoteCorrupt, IntegrityError) as error:
            self._note_error(blob, error)
            return
        self._trees[blob] = {chunk for chunk, _ in listed}
        for chunk, length in listed:
            part = self.table.find(chunk)
            if part is None:
                self._bad[chunk] = "missing_object", f"a part of {name!r} is not there"
            elif part.entry.length != length:
                self._bad[blob] = "corrupt_object", f"the list of the parts of {name!r} does not fit them"

    def _note_error(self, object_id: ObjectId, error: AuraError) -> None:
        fault = self._reader.fault(object_id, error)
        assert fault is not None
        self._note(fault)

    def _note(self, fault: UnreadableObject) -> None:
        kind = "missing_object" if self.table.find(fault.id) is None else "corrupt_object"
        self._bad[fault.id] = kind, fault.reason

    def content(self, sample: float, chance: random.Random) -> None:
        """Fetch and hash a share of the packs' frames; at least one, if there is any."""
        frames = [(pack, number) for pack, footer in self.table.footers.items() for number in range(len(footer.frames))]
        if sample < 1:
            frames = self._chosen(frames, sample, chance)
        sizes = {key: self.table.footers[key[0]].frames[key[1]].stored_length for key in frames}
        self._progress.start("Reading content", sum(sizes.values()), "bytes")
        for pack, keys in groupby(frames, key=lambda key: key[0]):
            entries = defaultdict[int, list[PackEntry]](list)  # of one pack at a time: there may be very many
            for entry in self.table.footers[pack].entries:
                entries[entry.frame].append(entry)
            for key in keys:
                self._frame(key, entries[key[1]])
                self.read_bytes += sizes[key]
                self._progress.advance(sizes[key])
        self._progress.finish()

    def _chosen(
        self, frames: list[tuple[PackInfo, int]], sample: float, chance: random.Random
    ) -> list[tuple[PackInfo, int]]:
        sizes = {key: self.table.footers[key[0]].frames[key[1]].stored_length for key in frames}
        wanted, chosen = sample * sum(sizes.values()), []
        for key in chance.sample(frames, len(frames)):
            if wanted <= 0:
                break
            chosen.append(key)
            wanted -= sizes[key]
        return sorted(chosen, key=lambda key: (key[0].name, key[1]))

    def _frame(self, key: tuple[PackInfo, int], entries: list[PackEntry]) -> None:
        pack, number = key
        if number == 0 and not has_pack_header(self._snapshot, pack):
            self._problems.append(Finding("corrupt_pack", pack.name, "it does not begin as a pack does"))
        try:
            data = self._reader.frame(pack, number)
        except RemoteCorrupt as error:
            for entry in entries:
                self._bad.setdefault(entry.id, ("corrupt_object", error.reason))
            return
        for entry in entries:
            try:
                check_entries(data, [entry], pack.name)
            except IntegrityError as error:
                self._bad.setdefault(entry.id, ("corrupt_object", error.message))

    def lists(self) -> None:
        """Check every content in chunks by hashing it over its chunks."""
        for object_id in self.table.all_ids():
            found = self.table.find(object_id)
            if found is None or not found.entry.chunked or object_id in self._bad:
                continue
            if self._trees.get(object_id, set()) & self._bad.keys():
                continue  # told already: a part of it is damaged
            try:
                check_chunk_list(object_id, self._reader.raw(found), lambda chunk: self._reader.read(chunk, Kind.CHUNK))
            except IntegrityError as error:
                self._bad[object_id] = "corrupt_object", error.message
            except RemoteCorrupt as error:
                self._bad[object_id] = "corrupt_object", error.reason

    def _affected(self) -> dict[ObjectId, list[str]]:
        """Map every bad object to the versions that hold it, by name."""
        found: defaultdict[ObjectId, list[str]] = defaultdict(list)
        if not self._bad:
            return found
        known: dict[ObjectId, frozenset[ObjectId]] = {}
        for name, version in self._tops.items():
            for object_id in self._bad_below(version, known):
                found[object_id].append(name)
        return found

    def _bad_below(self, object_id: ObjectId, known: dict[ObjectId, frozenset[ObjectId]]) -> frozenset[ObjectId]:
        if object_id not in known:
            own = frozenset({object_id} & self._bad.keys())
            known[object_id] = own  # no object holds itself: ids are hashes
            below = [self._bad_below(child, known) for child in self._trees.get(object_id, ())]
            known[object_id] = own.union(*below)
        return known[object_id]
