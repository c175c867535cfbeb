"""Locks between processes and threads on one machine.

They are locks of the operating system on files in `local/locks/`: a process that dies lets go
by dying, whatever it left behind, and nobody ever deletes a lock file by hand. Who holds one
is written into the file for messages only; it decides nothing.

    objects   shared by those who store, exclusive for gc's deletions
    refs      exclusive, for the moment in which an operation is recorded and refs move
    worktree  exclusive, for commands that replace the person's files
"""

import os
import time
from _thread import get_ident

import msgspec

from aura_vcs.errors.input import LockBusy
from aura_vcs.errors.integrity import StorageDenied
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import try_lock

WAIT_SECONDS = 60.0
_POLL_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


class ProcessLocks:
    """The locks of one project, in the folder `folder` of its storage."""

    def __init__(self, storage: LocalStorage, folder: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._storage = storage
        self._folder = folder
        self._wait_seconds = wait_seconds
        self.alone: dict[str, int] = {}
        """The threads that hold locks alone."""

    def shared(self, name: str) -> "HeldLock":
        """Hold the lock, in a `with`, together with others. A thread that holds it alone goes on doing so.

        Raises (on entering):
            LockBusy: somebody held it exclusively for longer than `wait_seconds`.
        """
        return HeldLock(self, name, True, self._wait_seconds)

    def exclusive(self, name: str, *, wait_seconds: float | None = None) -> "HeldLock":
        """Hold the lock, in a `with`, alone. A thread that does so already goes on doing so.

        Raises (on entering):
            LockBusy: others held it for longer than `wait_seconds`.
        """
        return HeldLock(self, name, False, self._wait_seconds if wait_seconds is None else wait_seconds)

    def open(self, name: str) -> int | None:
        """Open the file of a lock; return None in a project that can only be read, where nobody made it.

        Raises:
            StorageError: it cannot be opened, and yet others could write.
        """
        path = f"{self._folder}/{name}.lock"
        try:
            return self._storage.open_lock(path)
        except StorageDenied:
            if self._storage.look(path) is not None:
                return self._storage.open_lock(path, to_read=True)
            if self._storage.is_writable():
                raise
            return None


class HeldLock(msgspec.Struct):
    """A lock for as long as a block lasts; see ProcessLocks."""

    locks: ProcessLocks
    name: str
    is_shared: bool
    wait_seconds: float
    fd: int | None = None
    is_first: bool = False
    """Whether the thread holds it alone because of this."""

    def __enter__(self) -> None:
        if self.locks.alone.get(self.name) == get_ident():
            return
        self.fd = fd = self.locks.open(self.name)
        try:
            if fd is not None and not try_lock(fd, shared=self.is_shared):
                self._wait(fd)
            if not self.is_shared:
                if fd is not None:
                    _write_holder(fd)
                self.locks.alone[self.name] = get_ident()
                self.is_first = True
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self.is_first:
            self.is_first = False
            del self.locks.alone[self.name]
        if self.fd is not None:
            os.close(self.fd)  # closing lets go
            self.fd = None

    def _wait(self, fd: int) -> None:
        start = time.monotonic()
        attempt = 0
        while not try_lock(fd, shared=self.is_shared):
            waited = time.monotonic() - start
            if waited >= self.wait_seconds:
                raise LockBusy(self.name, waited, _read_holder(fd))
            time.sleep(_POLL_SECONDS[min(attempt, len(_POLL_SECONDS) - 1)])
            attempt += 1


def _write_holder(fd: int) -> None:
    try:
        if os.fstat(fd).st_nlink > 1:
            return  # it has another name, where it may be a file of somebody's
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"process {os.getpid()}\n".encode(), 0) if hasattr(os, "pwrite") else None
    except OSError:
        return  # only a courtesy


def _read_holder(fd: int) -> str:
    try:
        return os.pread(fd, 200, 0).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
    except OSError:
        return ""
