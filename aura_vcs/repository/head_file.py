"""The file that says where the worktree is, and the way back to it when it is gone or damaged."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_record, with_checksum
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, VersionId, is_object_id
from aura_vcs.index.index_file import Files
from aura_vcs.model import DEFAULT_BRANCH, Head
from aura_vcs.progress import Progress
from aura_vcs.refs.merge import heads


class StoredHead(msgspec.Struct, frozen=True):
    """`local/HEAD.json`: HEAD, the replica and sequence number of the operation that put it there, a checksum.

    In a copy of the project the file is the original's: its sequence says nothing about our log.
    """

    branch: str | None
    version: VersionId | None
    sequence: int
    replica: ReplicaId = ReplicaId("")
    check: str = ""

    def checked(self) -> "StoredHead":
        """Return the same, with its checksum."""
        return with_checksum(self)


class HeadFile:
    """`local/HEAD.json` of one replica."""

    def __init__(self, files: Files, replica: ReplicaId, progress: Progress) -> None:
        self._files = files
        self._replica = replica
        self._progress = progress
        self._told = False
        self._is_held = False
        self._known: StoredHead | None = None
        self._decoded: tuple[bytes, StoredHead] | None = None
        """The file's bytes as they were read last, and what they say."""

    def set_replica(self, replica: ReplicaId) -> None:
        """Write HEAD for another replica id from now on."""
        self._replica = replica

    @contextmanager
    def held(self) -> Iterator[None]:
        """Read the file once for as long as the refs are locked: nobody else writes it then."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held, self._known = False, None

    def put(self, head: Head, sequence: int) -> None:
        """Write it, durably; `sequence` is the number of the operation that put HEAD there."""
        self._known = None
        stored = StoredHead(head.branch, head.version, sequence, self._replica)
        self._files.storage.put(layout.HEAD, encode_record(stored.checked()))

    def damage(self) -> str | None:
        """Say what is wrong with the file, if it is there."""
        try:
            self._read()
        except RecordCorrupt as error:
            return error.detail
        except FileNotFoundError:
            return None
        return None

    def _read(self) -> StoredHead:
        data = self._files.storage.read(layout.HEAD)
        if self._decoded is not None and self._decoded[0] == data:
            return self._decoded[1]
        stored = decode_record(data, StoredHead, layout.HEAD)
        is_whole = stored.version is None or is_object_id(stored.version)
        if not is_whole or (stored.check and stored != stored.checked()):
            raise RecordCorrupt(layout.HEAD, "its checksum does not fit")
        self._decoded = data, stored
        return stored

    def stored(self) -> StoredHead:
        """Return what it says; where it is gone or damaged, what the operation log says."""
        if self._known is not None:
            return self._known
        found = self._stored()
        if self._is_held:
            self._known = found
        return found

    def _stored(self) -> StoredHead:
        try:
            stored = self._read()
        except FileNotFoundError:
            return self.recovered()
        except RecordCorrupt:
            if not self._told:
                self._progress.note("HEAD could not be read; it was found again in the operation log")
            self._told = True
            return self.recovered()
        return stored if stored.replica == self._replica else msgspec.structs.replace(stored, sequence=0)

    def written(self) -> StoredHead | None:
        """Return what the file says, if it can be read and this replica wrote it."""
        try:
            stored = self._read()
        except (FileNotFoundError, RecordCorrupt):
            return None
        return stored if stored.replica == self._replica else None

    def recovered(self) -> StoredHead:
        """Return HEAD as the last operation of this replica left it.

        A copy of the folder that came without `local/`, and where nothing has been done yet, stands
        where the branch is that moved last: whatever brought the refs brought the files too.
        """
        found = self._arrived_at()
        for line in self._files.logs.read_all():
            if line.operation is None or line.operation.replica != self._replica:
                continue
            if line.operation.head is not None and line.operation.sequence > found.sequence:
                after = line.operation.head.after
                found = StoredHead(after.branch, after.version, line.operation.sequence)
        return found

    def _arrived_at(self) -> StoredHead:
        tips = [
            (tip, name) for name in self._files.refs.branches() for tip in heads(self._files.refs.branch_entries(name))
        ]
        here = [
            (tip, name) for tip, name in tips if tip.version is not None and self._files.store.contains(tip.version)
        ]
        if not here:
            return StoredHead(DEFAULT_BRANCH, None, 0)
        tip, name = max(here, key=lambda found: (found[0].updated_at, found[0].replica))
        return StoredHead(name, tip.version, 0)
