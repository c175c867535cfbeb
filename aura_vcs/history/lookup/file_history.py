"""The versions on the way back from one, with what a file is called in each of them.

Where the index knows that a version left a file alone, nothing of the version is opened: what
looking back costs grows with the versions that changed the file.
"""

import heapq
from collections.abc import Iterator

from msgspec import Struct

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.lookup.renames import name_in_parent
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository

CONTENT_BYTES_LIMIT = 4 << 20
"""Bytes of the largest file whose lines and fields are followed."""


class FileVersion(Struct, frozen=True):
    """A file in one version, under the name it has there."""

    version: VersionRecord
    path: str


class FileStep(Struct, frozen=True):
    """A file in a version and in its parents; `is_changed` is False where it certainly is the same in all."""

    content: FileVersion
    parents: tuple[FileVersion, ...]
    is_changed: bool


class ContentWalk:
    """Goes back from a version; remembers what lies where, so ask one walk for everything."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._queries = repo.queries
        self._records = {record.id: record for record in self._queries.all_versions(VersionFilter(deleted=True))}
        self._entries: dict[tuple[VersionId, str], Entry | None] = {}
        self._touching: dict[str, dict[VersionId, bool]] = {}

    def steps(self, start: VersionId, path: str) -> Iterator[FileStep]:
        """Yield every version from `start` back, newest first, each once; renames are followed into all parents."""
        names = {start: path}
        first = self._record(start)
        waiting = [] if first is None else [(-first.number, first.id)]
        while waiting:
            record = self._record(heapq.heappop(waiting)[1])
            assert record is not None
            name = names[record.id]
            parents = self._older(record)
            is_changed = self._may_change(record, parents, name)
            for older in parents:
                if older.id not in names:
                    names[older.id] = name_in_parent(self._repo, record, older, name) if is_changed else name
                    heapq.heappush(waiting, (-older.number, older.id))
            yield FileStep(
                FileVersion(record, name), tuple(FileVersion(older, names[older.id]) for older in parents), is_changed
            )

    def entry(self, content: FileVersion) -> Entry | None:
        """Return the file, None where the version does not have it, or its content is not here."""
        key = (content.version.id, content.path)
        if key not in self._entries:
            try:
                found = self._repo.trees.entry(content.version.tree, content.path)
            except IntegrityError:
                found = None
            self._entries[key] = found
        return self._entries[key]

    def is_same(self, one: FileVersion, other: FileVersion) -> bool:
        """Tell whether two versions have the same file, or both have none."""
        first, second = self.entry(one), self.entry(other)
        return (first and first.id) == (second and second.id)

    def read(self, content: FileVersion, limit: int = CONTENT_BYTES_LIMIT) -> bytes:
        """Read the file's bytes; empty where it is not a file, larger than `limit`, or not here."""
        entry = self.entry(content)
        if entry is None or entry.kind is not EntryKind.FILE or entry.size > limit:
            return b""
        try:
            return self._repo.store.read(entry.id)
        except IntegrityError:
            return b""

    def _record(self, version: VersionId) -> VersionRecord | None:
        return self._records.get(version) or self._queries.version(version)

    def _may_change(self, record: VersionRecord, parents: list[VersionRecord], path: str) -> bool:
        """Tell whether the version may have changed the file; the index answers for versions with one parent."""
        if len(parents) != 1 or [parents[0].id] != list(record.parents):
            return True
        if path not in self._touching:
            self._touching[path] = self._queries.versions_touching(path)
        return record.id in self._touching[path]

    def _older(self, record: VersionRecord) -> list[VersionRecord]:
        """Return the parents; in place of one whose content was freed, those before it."""
        found: dict[VersionId, VersionRecord] = {}
        waiting = list(record.parents)
        while waiting:
            older = self._record(waiting.pop(0))
            if older is None or older.id in found:
                continue
            if older.is_live or self._repo.store.contains(older.tree):
                found[older.id] = older
            else:
                waiting.extend(older.parents)
        return list(found.values())
