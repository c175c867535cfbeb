"""Which content is *offloaded*: freed here on purpose, because a remote provably holds it; or *evicted*: freed because
it can be made again.

`offloaded/<replica>.json` has one entry per blob; every copy of the project writes its own file and
reads all of them, so that the record travels with a folder that a sync tool merges. Of several
entries for a blob the one with the highest stamp counts; one without remotes that is not evicted either says
that the content was brought back. The record decides nothing where content is here: what is here is here.
"""

from collections.abc import Iterable, Mapping

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId, ReplicaId, is_object_id
from aura_vcs.layout import OFFLOADED, offloaded_record
from aura_vcs.storage.base import Writable

ALL_READERS = 0o666
"""Whoever the umask lets."""


class OffloadedContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the content of a blob went: `remotes` are names with their addresses, none if it is back.

    `size` counts bytes of content. `path` is one that it has had. `readers` says who could read it here, as bits of
    a file's mode; so it is again when it is back. What is `evicted` needs no remote: a recipe says how it is made.
    """

    size: int
    path: str
    remotes: dict[str, str]
    at: str
    stamp: tuple[int, ReplicaId]
    readers: int = ALL_READERS
    evicted: bool = False


class OffloadedRecord(msgspec.Struct, frozen=True):
    """`offloaded/<replica>.json`."""

    content: dict[ObjectId, OffloadedContent] = {}


class OffloadedRecords:
    """The records of all copies of a project, read when they are asked for and kept until they change."""

    def __init__(self, storage: Writable) -> None:
        self._storage = storage
        self._seen: tuple[object, ...] | None = None
        self._files: dict[str, OffloadedRecord] = {}
        self._merged: dict[ObjectId, OffloadedContent] = {}

    def all(self) -> Mapping[ObjectId, OffloadedContent]:
        """Return what is offloaded, by blob."""
        self._refresh()
        return self._merged

    def evicted(self) -> Mapping[ObjectId, OffloadedContent]:
        """Return what is evicted, by blob."""
        return {blob: entry for blob, entry in self.all().items() if entry.evicted}

    def note(
        self,
        replica: ReplicaId,
        content: Mapping[ObjectId, tuple[int, str, Mapping[str, str], int]],
        at: str,
        *,
        evicted: bool = False,
    ) -> None:
        """Record where content goes, durably: size, path, remotes and readers of each blob.

        The caller makes sure that no other process of this copy writes the record meanwhile.
        """
        if not content:
            return
        self._refresh()
        own = self._own(replica)
        for blob, (size, path, remotes, readers) in content.items():
            stamp = (self._next(blob), replica)
            own[blob] = OffloadedContent(size, path, dict(remotes), at, stamp, readers, evicted)
        self._write(replica, own)

    def forget(self, replica: ReplicaId, blobs: Iterable[ObjectId], at: str) -> None:
        """Record that content is here again, or that nothing needs it any more; as for `note`."""
        self._refresh()
        own = self._own(replica)
        gone = [blob for blob in blobs if blob in self._merged]
        if not gone:
            return
        name = offloaded_record(replica)
        others = {blob for file, record in self._files.items() if file != name for blob in record.content}
        for blob in gone:
            if blob in others:  # their file is theirs: ours says it later
                before = self._merged[blob]
                own[blob] = OffloadedContent(before.size, before.path, {}, at, (self._next(blob), replica))
            else:
                own.pop(blob, None)
        self._write(replica, own)

    def discard(self, replica: ReplicaId, blobs: Iterable[ObjectId]) -> None:
        """Drop this copy's own entries of what nothing needs any more, if they can be read; as for `note`."""
        try:
            own = self._own(replica) if self.all() else {}
        except RecordCorrupt:
            return
        gone = own.keys() & set(blobs)
        if gone:
            self._write(replica, {blob: entry for blob, entry in own.items() if blob not in gone})

    def _own(self, replica: ReplicaId) -> dict[ObjectId, OffloadedContent]:
        """Read this copy's entries.

        Raises:
            RecordCorrupt: they cannot be read; writing over them could lose where content is.
        """
        name = offloaded_record(replica)
        if self._storage.stat(name) is None:
            return {}
        return dict(decode_record(self._storage.read(name), OffloadedRecord, name).content)

    def damaged(self) -> list[str]:
        """List the records that cannot be read."""
        self._refresh()
        return [name for name in self._names() if name not in self._files]

    def _next(self, blob: ObjectId) -> int:
        stamps = [record.content[blob].stamp[0] for record in self._files.values() if blob in record.content]
        return max(stamps, default=0) + 1

    def _write(self, replica: ReplicaId, own: dict[ObjectId, OffloadedContent]) -> None:
        self._storage.put(offloaded_record(replica), encode_record(OffloadedRecord(dict(sorted(own.items())))))
        self._seen = None

    def _refresh(self) -> None:
        names = self._names()
        seen = tuple((name, self._storage.stat(name)) for name in names)
        if seen == self._seen:
            return
        self._files = {name: record for name in names if (record := self._read(name)) is not None}
        newest: dict[ObjectId, OffloadedContent] = {}
        for record in self._files.values():
            for blob, entry in record.content.items():
                if blob not in newest or entry.stamp > newest[blob].stamp:
                    newest[blob] = entry
        self._merged = {blob: entry for blob, entry in newest.items() if entry.remotes or entry.evicted}
        self._seen = seen

    def _names(self) -> list[str]:
        return [f"{OFFLOADED}/{name}" for name in self._storage.list(OFFLOADED) if ".json" in name]

    def _read(self, name: str) -> OffloadedRecord | None:
        """Read a record; None where it cannot be read: any remote may be asked anyway."""
        try:
            record = decode_record(self._storage.read(name), OffloadedRecord, name)
        except (FileNotFoundError, RecordCorrupt):
            return None
        return record if all(map(is_object_id, record.content)) else None
