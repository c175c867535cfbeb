"""File calls that remember what was done, so that a power failure can be played.

A trace lists every change of the disk in order, with real paths and the bytes written. What of it
would have survived is for the reader of the trace to decide: only what was synced must.
"""

import os
from collections.abc import Sequence

import msgspec

from aura_vcs.ids import Bytes
from aura_vcs.storage.system_calls import MANY_PIECES, REAL_CALLS, FileCalls


class RecordedCall(msgspec.Struct, frozen=True):
    """One change: what was called, on which real path, and what else it took.

    `file` numbers the files that were opened for writing, so that a file is known after it was
    renamed; `offset` is where `data` went, or the size after a truncation.
    """

    call: str
    path: str = ""
    target: str = ""
    file: int = 0
    offset: int = 0
    data: bytes = b""


class RecordingCalls(FileCalls):
    """Real calls, remembered in `events`. Needs `/proc`, so Linux."""

    def __init__(self, inner: FileCalls = REAL_CALLS) -> None:
        self.inner = inner
        self.events: list[RecordedCall] = []
        self._files: dict[int, int] = {}
        self._opened = 0

    def create(self, path: str, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        real_path = _real(path, dir_fd)
        fd = self.inner.create(path, mode, dir_fd=dir_fd)
        self._remember("create", fd, real_path)
        return fd

    def open_append(self, path: str, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        real_path = _real(path, dir_fd)
        fresh = not os.path.lexists(real_path)
        fd = self.inner.open_append(path, dir_fd=dir_fd)
        self._remember("create" if fresh else "open", fd, real_path)
        return fd

    def reopen(self, path: str, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        fd = self.inner.reopen(path, dir_fd=dir_fd)
        self._remember("open", fd, _real(path, dir_fd))
        return fd

    def _remember(self, call: str, fd: int, path: str) -> None:
        self._opened += 1
        self._files[fd] = self._opened
        self.events.append(RecordedCall(call, path, file=self._opened))

    def write(self, fd: int, data: Bytes) -> int:
        """See FileCalls."""
        offset = os.lseek(fd, 0, os.SEEK_CUR)
        written = self.inner.write(fd, data)
        taken = bytes(memoryview(data).cast("B")[:written])
        self.events.append(RecordedCall("write", file=self._files[fd], offset=offset, data=taken))
        return written

    def write_many(self, fd: int, pieces: Sequence[Bytes]) -> int:
        """See FileCalls."""
        return self.write(fd, b"".join(pieces[:MANY_PIECES]))

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """See FileCalls."""
        offset = os.lseek(target_fd, 0, os.SEEK_CUR)
        copied = self.inner.copy_range(source_fd, target_fd, count)
        self._copied(target_fd, offset, copied)
        return copied

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """See FileCalls."""
        done = self.inner.clone(source_fd, target_fd)
        if done:
            self._copied(target_fd, 0, os.fstat(target_fd).st_size)
        return done

    def _copied(self, fd: int, offset: int, count: int) -> None:
        data = os.pread(fd, count, offset)
        self.events.append(RecordedCall("write", file=self._files[fd], offset=offset, data=data))

    def truncate(self, fd: int, size: int) -> None:
        """See FileCalls."""
        self.inner.truncate(fd, size)
        self.events.append(RecordedCall("truncate", file=self._files[fd], offset=size))

    def fsync(self, fd: int) -> None:
        """See FileCalls."""
        self.inner.fsync(fd)
        self.events.append(RecordedCall("fsync", _real(f"/proc/self/fd/{fd}", None), file=self._files.get(fd, 0)))

    def fsync_folder(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.inner.fsync_folder(path, dir_fd=dir_fd)
        self.events.append(RecordedCall("fsync_folder", _real(path, dir_fd)))

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        event = RecordedCall("replace", _real(source, dir_fd), _real(target, to_fd))
        self.inner.replace(source, target, dir_fd=dir_fd, to_fd=to_fd)
        self.events.append(event)

    def exchange(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> bool:
        """See FileCalls."""
        event = RecordedCall("exchange", _real(source, dir_fd), _real(target, to_fd))
        done = self.inner.exchange(source, target, dir_fd=dir_fd, to_fd=to_fd)
        if done:
            self.events.append(event)
        return done

    def rename_new(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        event = RecordedCall("replace", _real(source, dir_fd), _real(target, to_fd))
        self.inner.rename_new(source, target, dir_fd=dir_fd, to_fd=to_fd)
        self.events.append(event)

    def unlink(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        event = RecordedCall("unlink", _real(path, dir_fd))
        self.inner.unlink(path, dir_fd=dir_fd)
        self.events.append(event)

    def mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.inner.mkdir(path, mode, dir_fd=dir_fd)
        self.events.append(RecordedCall("mkdir", _real(path, dir_fd)))

    def rmdir(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        event = RecordedCall("rmdir", _real(path, dir_fd))
        self.inner.rmdir(path, dir_fd=dir_fd)
        self.events.append(event)

    def symlink(self, target: str, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.inner.symlink(target, path, dir_fd=dir_fd)
        self.events.append(RecordedCall("symlink", _real(path, dir_fd), target))

    def link(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        self.inner.link(source, target, dir_fd=dir_fd, to_fd=to_fd)
        self.events.append(RecordedCall("link", _real(source, dir_fd), _real(target, to_fd)))

    def chmod(self, fd: int, mode: int) -> None:
        """See FileCalls."""
        self.inner.chmod(fd, mode)

    def set_times(self, fd: int, path: str, stamp_ns: int) -> None:
        """See FileCalls."""
        self.inner.set_times(fd, path, stamp_ns)

    def sync_disk(self, path: str) -> bool:
        """See FileCalls."""
        done = self.inner.sync_disk(path)
        if done:
            self.events.append(RecordedCall("sync_disk"))
        return done

    def touch(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.inner.touch(path, dir_fd=dir_fd)


def _real(path: str, dir_fd: int | None) -> str:
    """Return the path from the root, whatever folder it was given in; links in its folder are followed."""
    if dir_fd is not None:
        return os.path.normpath(os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path))
    folder, name = os.path.split(os.path.abspath(path))
    if folder == "/proc/self/fd":
        return os.readlink(path)
    return os.path.join(os.path.realpath(folder), name)
