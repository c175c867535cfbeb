"""File calls that count, fail, fall short or stop: what a bad disk or a power switch does.

They wrap the real calls, so that everything before the fault truly happened on disk. Tests run a
command with a fault at its first call, at its second, and so on, and look at what is left.
"""

import errno
import os
from collections.abc import Sequence
from enum import StrEnum

from aura_vcs.ids import Bytes
from aura_vcs.storage.system_calls import MANY_PIECES, REAL_CALLS, FileCalls


class Stopped(BaseException):
    """The process was stopped here; no later call of its reaches the disk."""


class Fault(StrEnum):
    """What happens at the chosen call."""

    FULL = "full"
    """ENOSPC from now on for all that needs room; half of the first write is on disk."""
    BROKEN = "broken"
    """EIO, once; the call did nothing."""
    SHORT = "short"
    """A write takes half of what it is given and says so: no error at all."""
    UNSYNCED = "unsynced"
    """EIO from an fsync, once; counts only calls that sync."""
    STOP = "stop"
    """The process ends: this call and all later ones raise Stopped. A write is torn in half."""


_SYNCS = frozenset({"fsync", "fsync_folder", "sync_disk"})
_NEEDS_ROOM = frozenset({"create", "write", "copy_range", "mkdir", "symlink", "link"})


class CountingCalls(FileCalls):
    """Real calls, counted. `names` lists what was called."""

    def __init__(self, inner: FileCalls = REAL_CALLS) -> None:
        self.inner = inner
        self.names: list[str] = []

    def before(self, name: str) -> None:
        """Note a call ahead of it; may raise instead of the call."""
        self.names.append(name)

    def create(self, path: str, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        self.before("create")
        return self.inner.create(path, mode, dir_fd=dir_fd)

    def open_append(self, path: str, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        self.before("open_append")
        return self.inner.open_append(path, dir_fd=dir_fd)

    def reopen(self, path: str, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        self.before("reopen")
        return self.inner.reopen(path, dir_fd=dir_fd)

    def write(self, fd: int, data: Bytes) -> int:
        """See FileCalls."""
        self.before("write")
        return self.inner.write(fd, data)

    def truncate(self, fd: int, size: int) -> None:
        """See FileCalls."""
        self.before("truncate")
        self.inner.truncate(fd, size)

    def fsync(self, fd: int) -> None:
        """See FileCalls."""
        self.before("fsync")
        self.inner.fsync(fd)

    def fsync_folder(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("fsync_folder")
        self.inner.fsync_folder(path, dir_fd=dir_fd)

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("replace")
        self.inner.replace(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def exchange(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> bool:
        """See FileCalls."""
        self.before("exchange")
        return self.inner.exchange(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def rename_new(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("rename_new")
        self.inner.rename_new(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def unlink(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("unlink")
        self.inner.unlink(path, dir_fd=dir_fd)

    def mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("mkdir")
        self.inner.mkdir(path, mode, dir_fd=dir_fd)

    def rmdir(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("rmdir")
        self.inner.rmdir(path, dir_fd=dir_fd)

    def symlink(self, target: str, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("symlink")
        self.inner.symlink(target, path, dir_fd=dir_fd)

    def link(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("link")
        self.inner.link(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def chmod(self, fd: int, mode: int) -> None:
        """See FileCalls."""
        self.before("chmod")
        self.inner.chmod(fd, mode)

    def chown(self, fd: int, uid: int, gid: int) -> None:
        """See FileCalls."""
        self.before("chown")
        self.inner.chown(fd, uid, gid)

    def set_attribute(self, fd: int, name: str, value: bytes) -> None:
        """See FileCalls."""
        self.before("set_attribute")
        self.inner.set_attribute(fd, name, value)

    def set_times(self, fd: int, path: str, stamp_ns: int) -> None:
        """See FileCalls."""
        self.before("set_times")
        self.inner.set_times(fd, path, stamp_ns)

    def write_many(self, fd: int, pieces: Sequence[Bytes]) -> int:
        """See FileCalls. One write, as far as faults go."""
        return self.write(fd, b"".join(pieces[:MANY_PIECES]))

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """See FileCalls."""
        self.before("copy_range")
        return self.inner.copy_range(source_fd, target_fd, count)

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """See FileCalls."""
        self.before("clone")
        return self.inner.clone(source_fd, target_fd)

    def sync_disk(self, path: str) -> bool:
        """See FileCalls."""
        self.before("sync_disk")
        return self.inner.sync_disk(path)

    def touch(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.before("touch")
        self.inner.touch(path, dir_fd=dir_fd)


class FaultyCalls(CountingCalls):
    """Real calls until the `at`-th (counted from 1) of those the fault can strike; then the fault.

    `struck` tells whether it came to that.
    """

    def __init__(self, fault: Fault, at: int, inner: FileCalls = REAL_CALLS) -> None:
        super().__init__(inner)
        self.fault = fault
        self.struck = False
        self.struck_call = ""
        """The name of the call that was the chosen one."""
        self._left = at

    def arm(self, at: int) -> None:
        """Begin to count anew."""
        self.struck, self.struck_call, self._left = False, "", at

    def before(self, name: str) -> None:
        """See CountingCalls."""
        super().before(name)
        if self.struck and self.fault is Fault.STOP:
            raise Stopped
        if self.struck and self.fault is Fault.FULL and name in _NEEDS_ROOM:
            self._strike()
        if name != "write" and self._is_due(name):
            self._strike()

    def write(self, fd: int, data: Bytes) -> int:
        """See FileCalls."""
        self.before("write")
        if not self._is_due("write"):
            return self.inner.write(fd, data)
        view = memoryview(data).cast("B")
        half = len(view) // 2 if self.fault is not Fault.BROKEN else 0
        written = self.inner.write(fd, view[:half]) if half else 0
        if self.fault is Fault.SHORT and written:
            return written
        if self.fault is Fault.SHORT:
            return self.inner.write(fd, data)
        self._strike()
        return written

    def _is_due(self, name: str) -> bool:
        if self.struck or not self._can_strike(name):
            return False
        self._left -= 1
        self.struck = self._left == 0
        self.struck_call = name if self.struck else ""
        return self.struck

    def _can_strike(self, name: str) -> bool:
        if self.fault is Fault.UNSYNCED:
            return name in _SYNCS
        if self.fault is Fault.FULL:
            return name in _NEEDS_ROOM
        return name == "write" if self.fault is Fault.SHORT else True

    def _strike(self) -> None:
        if self.fault is Fault.STOP:
            raise Stopped
        code = errno.ENOSPC if self.fault is Fault.FULL else errno.EIO
        raise OSError(code, os.strerror(code))
