"""A file in the making: complete, with mode and date, before it has a name in the project folder; who can read it."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId
from aura_vcs.layout import OBJECTS, PACKS, pack_path
from aura_vcs.objects.availability import find_in_packs
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.store import ObjectStore
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import readers_of
from aura_vcs.storage.scratch import BackgroundSync, Scratch
from aura_vcs.storage.system_calls import write_all
from aura_vcs.worktree.scan.cache import FileState, file_state

_OWNER_ALONE = 0o600


class StoredReaders:
    """Modes to make files with. Looks at every pack once: it is made anew for every checkout."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._packs: dict[str, int] = {}

    def making_mode(self, blob: ObjectId, place: PackLocation | None, replaced: FileState | None) -> int:
        """Return the mode to make a file with; while it is made, its owner may write to it.

        Where it replaces a file, it is that one's. Else nobody can read it who cannot read the stored blob, which
        lies at `place`, if that is known.
        """
        if replaced is not None and stat.S_ISREG(replaced.mode):
            return replaced.mode & 0o666 | 0o600
        try:
            return self._of_blob(blob, place)
        except (AuraError, OSError):  # it is told when the blob is read, which may also lie elsewhere
            return _OWNER_ALONE

    def of_stored(self, blob: ObjectId) -> int:
        """Return who can read a stored blob, as bits of a mode."""
        return self.making_mode(blob, None, None)

    def _of_blob(self, blob: ObjectId, place: PackLocation | None) -> int:
        """Return who can read a blob; of one in chunks, who can read the list and every chunk.

        What is not here comes from a remote, and follows the umask.
        """
        if place is None or place.chunked:
            loose = self._store.loose.find(blob)
            if loose is not None:
                return self._store.storage.readers(loose[0])
        if place is None:
            place = self._store.location(blob)
        if place is None:
            return 0o666
        mode = self._of_pack(place.pack)
        if place.chunked and mode != _OWNER_ALONE:
            for chunk in find_in_packs(self._store, set(self._store.chunk_ids(blob))).values():
                mode &= self._of_pack(chunk.pack)
        return mode

    def _of_pack(self, name: str) -> int:
        """Return who can read a pack; its owner alone, if it is not where the index says."""
        mode = self._packs.get(name)
        if mode is None:
            found = self._store.storage.look(pack_path(name))
            mode = self._packs[name] = _OWNER_ALONE if found is None else readers_of(found.st_mode)
        return mode


def stored_readers(storage: LocalStorage) -> int:
    """Return who can read everything in the store, as the mode for a file with all of it in."""
    folders = [PACKS, *(f"{OBJECTS}/{name}" for name in storage.list(OBJECTS) if len(name) == 2)]
    mode = 0o666
    for folder in folders:
        for name in storage.list(folder):
            mode &= storage.readers(f"{folder}/{name}")
    return mode


AGE_NS = 3_000_000_000
"""How far in the past written files are dated: any later write gives them another date, so that
their content is known without hashing them again (see `cache`)."""
HOLE_BYTES = 32 << 10
"""So many zeros are not written: they take no room on the disk, as in the file that was stored, or less."""


class NewFile:
    """Content on its way to a name in the project folder. Use it in a `with`."""

    def __init__(self, temporary: Scratch, mode: int = 0o666) -> None:
        self._calls = temporary.calls
        self._temporary = temporary
        self._name: str | None = os.urandom(12).hex()
        self._early: BackgroundSync | None = None
        self._end = 0
        """Where the file ends, if it ends with a hole that is not made yet."""
        self.fd = temporary.create(self._name, mode)
        self.state = file_state(os.fstat(self.fd))
        """As it was when it was finished."""

    def __enter__(self) -> "NewFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        if self._name is None:
            return
        with suppress(OSError):  # swept with other temporary files
            if self._temporary.has(self._name):
                self._temporary.unlink(self._name)

    def write(self, data: bytes) -> None:
        """Add bytes at the end; of many the disk gets the first ones at once, and of many zeros none."""
        if len(data) >= HOLE_BYTES and not data[0] and not data[-1] and data == bytes(len(data)):
            self._end = os.lseek(self.fd, len(data), os.SEEK_CUR)
            return
        self._end = 0
        write_all(self._calls, self.fd, data)
        if self._early is None:
            self._early = BackgroundSync(self._calls, self.fd)
        self._early.wrote(len(data))

    def take_from(self, source_fd: int, size: int) -> bool:
        """Become a copy of an open file: sharing its blocks where the disk can, else copied by the system.

        False where neither works; nothing was written then.
        """
        if self._calls.clone(source_fd, self.fd):
            return True
        copied = 0
        while copied < size and (count := self._calls.copy_range(source_fd, self.fd, size - copied)):
            copied += count
        if 0 < copied < size:
            raise OSError(errno.EIO, "the system copied only part of a file")
        return copied == size

    def pieces(self) -> Iterator[bytes]:
        """Yield what the file holds now, from its beginning."""
        os.lseek(self.fd, 0, os.SEEK_SET)
        while data := os.read(self.fd, 1 << 20):
            yield data

    def finish(self, *, executable: bool, sync: bool, now_ns: int) -> None:
        """Set mode and date; with `sync`, make the bytes durable."""
        if self._early is not None:
            self._early.wait_current()
        if self._end:
            self._calls.truncate(self.fd, self._end)
        if executable:
            self._calls.chmod(self.fd, with_executable(os.fstat(self.fd).st_mode, executable))
        assert self._name is not None
        self._calls.set_times(self.fd, self._temporary.path_of(self._name), now_ns - AGE_NS)
        self.state = file_state(os.fstat(self.fd))
        if sync:
            self._calls.fsync(self.fd)
        self._close()

    def sync(self) -> None:
        """Make the bytes of the finished file durable."""
        assert self._name is not None
        fd = self._temporary.open(self._name)
        try:
            self._calls.fsync(fd)
        finally:
            os.close(fd)

    def move_to(self, name: str, to_fd: int | None) -> None:
        """Give the file another name on the same disk, that nothing has, in an open folder."""
        assert self._name is not None
        with self._temporary.at(self._name) as (last, dir_fd):
            self._calls.rename_new(last, name, dir_fd=dir_fd, to_fd=to_fd)
        self._name = None

    def _close(self) -> None:
        if self.fd >= 0:
            if self._early is not None:
                self._early.wait()
            os.close(self.fd)
            self.fd = -1


def with_executable(mode: int, executable: bool) -> int:
    """Return permission bits with the executable ones set where reading is allowed, or cleared."""
    bits = stat.S_IMODE(mode)
    return bits | ((bits & 0o444) >> 2) if executable else bits & ~0o111
