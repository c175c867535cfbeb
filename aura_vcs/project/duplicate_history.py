"""The history of one project made anew in another: the same files, words, people and dates under new ids.

A version's id says which project it belongs to, so each is made again; files and folders are stored as they were.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, cast

import msgspec

from aura_vcs.errors.integrity import ObjectMissing
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.names.branches import BranchMove, branch_update, branches
from aura_vcs.history.recording.past_versions import PastVersion, record_past_versions
from aura_vcs.ids import Bytes, ObjectId, VersionId, new_operation_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.interchange.export_version import PieceReader
from aura_vcs.model import DEFAULT_BRANCH, Entry, EntryKind, Head, HeadChange, Kind, RefChange
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import WORLD_READABLE, Batch
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.operation_log import tag_change
from aura_vcs.refs.merge import next_stamp
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.worktree.checkout.new_file import StoredReaders

GROUP_VERSIONS = 500
GROUP_BYTES = 1 << 30
"""Bytes of content after which what was copied so far is recorded."""


class HistoryDuplicated(msgspec.Struct, frozen=True):
    """What came along: `versions` of them, branches and tags by name."""

    versions: int
    branches: tuple[str, ...]
    tags: tuple[str, ...]


def duplicate_history(
    source: Repository, made: Repository, version: VersionRecord, *, alone: bool
) -> HistoryDuplicated:
    """Bring every version that a branch or tag leads to, and those, into a new project, whose HEAD goes to `version`.

    With `alone`, only what leads to `version`, on one branch. Numbers, names, dates, authors, parents and who may read
    content are those of the original. Of versions whose content was freed, what is known of them comes. Where a branch
    has several heads, each comes as a branch.

    Raises:
        ObjectMissing, ObjectCorrupt, ObjectOffloaded: of the original. StorageError.
    """
    heads = dict(_heads(source))
    on = source.head().branch
    name = on if on is not None and heads.get(on) == version.id else version.branch or DEFAULT_BRANCH
    if alone:
        heads = {name: version.id}
    tags = {} if alone else {tag: found for tag, found in source.refs.tags().items() if found.version is not None}
    if version.id not in heads.values():
        name = _free(name, heads)
        heads[name] = version.id
    elif heads.get(name) != version.id:
        name = next(one for one, head in heads.items() if head == version.id)
    tips = [*heads.values(), *(cast("VersionId", tag.version) for tag in tags.values())]
    ids = _Copy(source, made).run(_ordered(source, tips))
    with made.transaction() as transaction:
        refs: dict[str, RefChange] = {}
        for one, tip in heads.items():
            refs |= branch_update(made, transaction, one, BranchMove(ids[tip], over_all=True))
        for tag_name, tag in tags.items():
            assert tag.version is not None
            stamp, seen = next_stamp(None, transaction.replica)
            again = msgspec.structs.replace(tag, version=ids[tag.version], stamp=stamp, seen=seen)
            ref, change = tag_change(tag_name, None, again)
            refs[ref] = change
        head = HeadChange(made.head(), Head(name, ids[version.id]))
        transaction.record(Draft("import", "Brought the branches and tags of the original", refs, head))
    return HistoryDuplicated(len(ids), tuple(sorted(heads)), tuple(sorted(tags)))


def _heads(repo: Repository) -> Iterator[tuple[str, VersionId]]:
    names = {found.name for found in branches(repo)}
    for found in branches(repo):
        yield found.name, found.version
        for other in found.diverged:
            if other != found.version:
                name = _free(f"{found.name}-2", names)
                names.add(name)
                yield name, other


def _free(name: str, taken: Mapping[str, object] | set[str]) -> str:
    stem, number = name, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


def _ordered(repo: Repository, tips: Sequence[VersionId]) -> list[VersionRecord]:
    """Return the versions that lead to the tips, parents first, in the order of their numbers where that is one."""
    ordered: dict[VersionId, VersionRecord] = {}
    waiting = sorted(set(tips), key=lambda tip: (_known(repo, tip).number, tip), reverse=True)
    while waiting:
        record = _known(repo, waiting[-1])
        missing = [parent for parent in record.parents if parent not in ordered]
        if missing and record.id not in ordered:
            waiting += reversed(missing)
            continue
        ordered.setdefault(waiting.pop(), record)
    return list(ordered.values())


def _known(repo: Repository, version: VersionId) -> VersionRecord:
    record = repo.queries.version(version)
    if record is None:
        raise ObjectMissing(version, "the history")
    return record


class _Copy:
    def __init__(self, source: Repository, made: Repository) -> None:
        self._source, self._made = source, made
        self._readers = StoredReaders(source.store)
        self._seen: set[ObjectId] = {EMPTY_TREE_ID}
        self._bytes = 0
        self._batch: Batch

    def run(self, records: Sequence[VersionRecord]) -> dict[VersionId, VersionId]:
        """Copy the versions with their content; returns their new ids."""
        made, ids, correlation = self._made, dict[VersionId, VersionId](), new_operation_id()
        self._source.progress.start("Copying versions", len(records), "versions")
        at = 0
        with made.locks.shared("objects"), self._source.locks.shared("objects"):
            while at < len(records):
                group: list[PastVersion] = []
                places: dict[VersionId, int] = {}
                begun, start = at, self._bytes
                with made.store.batch() as batch:
                    self._batch = batch
                    while at < len(records) and len(group) < GROUP_VERSIONS and self._bytes - start < GROUP_BYTES:
                        group.append(self._past(records[at], places, ids))
                        places[records[at].id] = at - begun
                        at += 1
                        self._source.progress.advance(1)
                    stored = batch.finish()
                new = record_past_versions(
                    made, group, stored, batch.chunks, description=f"Brought {len(group)} versions of the original",
                    correlation_id=correlation,
                )  # fmt: skip
                ids |= zip([record.id for record in records[begun:at]], new, strict=True)
        self._source.progress.finish()
        return ids

    def _past(
        self, record: VersionRecord, places: Mapping[VersionId, int], ids: Mapping[VersionId, VersionId]
    ) -> PastVersion:
        """Return a version as it is to be recorded; of one whose content was freed, with none."""
        is_here = record.is_live or self._source.store.contains(record.tree)
        if is_here:
            self._tree(record.tree, "")
        return PastVersion(
            tree=record.tree if is_here else EMPTY_TREE_ID,
            size=record.size_bytes if is_here else 0,
            documents=record.documents if is_here else {},
            parents=tuple(places.get(parent, ids.get(parent, parent)) for parent in record.parents),
            name=record.name,
            description=record.description,
            author=record.author,
            created_at=record.created_at,
            branch=record.branch,
            number=record.number,
            type=record.type,
            trigger=record.trigger,
            important=record.important,
            deleted_at=record.deleted_at or record.purged_at,
            deleted_by=record.deleted_by or record.purged_by,
            extra=self._source.trees.version(record.id).extra,
        )

    def _tree(self, tree_id: ObjectId, prefix: str) -> None:
        if tree_id in self._seen:
            return
        self._seen.add(tree_id)
        entries = self._source.trees.tree(tree_id).entries
        files = {
            entry.id: (f"{prefix}{entry.name}", entry)
            for entry in entries
            if entry.kind is not EntryKind.DIR and entry.id not in self._seen
        }
        self._source.store.require({blob: path for blob, (path, _) in files.items()})
        modes = {blob: self._readers.of_stored(blob) for blob in files}
        for blob in sorted(files, key=lambda blob: modes[blob]):
            self._batch.read_by(modes[blob])
            self._blob(*files[blob])
        for entry in entries:
            if entry.kind is EntryKind.DIR:
                self._tree(entry.id, f"{prefix}{entry.name}/")
        self._batch.read_by(WORLD_READABLE)
        self._batch.add(Kind.TREE, self._source.store.read(tree_id, Kind.TREE), prefix)

    def _blob(self, path: str, entry: Entry) -> None:
        self._seen.add(entry.id)
        self._bytes += entry.size
        if entry.size < LARGE_BYTES:
            self._batch.add(Kind.BLOB, self._source.store.read(entry.id), path)
            return
        for _ in self._batch.add_sources([_StoredFile(self._source, path, entry)]):
            pass  # what cannot be read was raised, and what was read has its id


class _StoredFile:
    """A large file of the original; see objects.base.FileToStore."""

    is_unstable = False

    def __init__(self, repo: Repository, path: str, entry: Entry) -> None:
        self.path, self.size = path, entry.size
        self.fault: FileUnreadable | None = None
        self._repo, self._entry = repo, entry

    def read(self) -> tuple[Bytes, ObjectId] | None:
        """See FileToStore."""
        return self._repo.store.read(self._entry.id), self._entry.id

    def open(self) -> BinaryIO:
        """See FileToStore."""
        return io.BufferedReader(PieceReader(self._repo.store.stream(self._entry.id)), LARGE_BYTES)

    def is_unchanged(self, file: BinaryIO) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        return True

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:  # noqa: ARG002 (protocol)
        """See FileToStore."""
        return read_bytes == self.size
