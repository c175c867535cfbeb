"""The system calls that change a disk, in one place.

Everything that writes goes through a `FileCalls`: a test hands in one that fails or stops at
the n-th call, or that records what would survive a power failure. Calls that only look are
made directly.
"""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aura_vcs.errors.integrity import StorageDenied, StorageError, StorageFull
from aura_vcs.ids import Bytes
from aura_vcs.storage.mounts import FULL

FICLONE = 0x40049409
"""From linux/fs.h."""
MANY_PIECES = 512
"""Pieces in one call; every system allows at least 1,024."""

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_AGAIN = os.O_RDWR
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):
    _AGAIN |= getattr(os, _name, 0)
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""The process or the system has too much open: nothing is wrong with the disk."""
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


class FileCalls:
    """The calls as the operating system has them. Paths may be relative to `dir_fd`."""

    def create(self, path: str, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """Create a new file for reading and writing, that did not exist and is not a link."""
        if os.name == "nt":
            return _open_on_windows(path, "new")
        return os.open(path, _NEW, mode, dir_fd=dir_fd)

    def open_append(self, path: str, *, dir_fd: int | None = None) -> int:
        """Open a file for reading and writing, made if it is not there; no link is followed."""
        if os.name == "nt":
            return _open_on_windows(path, "always")
        return os.open(path, _AGAIN | os.O_CREAT, 0o666, dir_fd=dir_fd)

    def reopen(self, path: str, *, dir_fd: int | None = None) -> int:
        """Open a file that is there and is not a link, for reading and writing; waits for nobody."""
        if os.name == "nt":
            return _open_on_windows(path, "existing")
        return os.open(path, _AGAIN, dir_fd=dir_fd)

    def write(self, fd: int, data: Bytes) -> int:
        """Write at the file's position; may write less than asked for."""
        return os.write(fd, data)

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file off, or let it end with a hole."""
        os.ftruncate(fd, size)

    def fsync(self, fd: int) -> None:
        """Make the file's bytes durable, also through the cache of the drive."""
        if sys.platform == "darwin":
            sync_file(fd)
        else:
            os.fsync(fd)

    def fsync_folder(self, path: str, *, dir_fd: int | None = None) -> None:
        """Make names in the folder durable. Windows does that by itself."""
        if os.name == "nt":
            return
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY, dir_fd=dir_fd)
        try:
            if sys.platform == "darwin":
                sync_file(fd)
            else:
                os.fsync(fd)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some network file systems cannot
                raise
        finally:
            os.close(fd)

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Rename over what is there, as one step."""
        os.replace(source, target, src_dir_fd=dir_fd, dst_dir_fd=to_fd)

    def exchange(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> bool:
        """Let two names change places as one step; False, and nothing done, where that cannot be."""
        from aura_vcs.storage.rename import exchange  # for what replaces files of the person's

        return exchange(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def rename_new(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Rename to a name that nothing has; FileExistsError, and nothing done, if something has it."""
        from aura_vcs.storage.rename import rename_new

        rename_new(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def unlink(self, path: str, *, dir_fd: int | None = None) -> None:
        """Remove a file or link."""
        os.unlink(path, dir_fd=dir_fd)

    def mkdir(self, path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        """Make one folder."""
        os.mkdir(path, mode, dir_fd=dir_fd)

    def rmdir(self, path: str, *, dir_fd: int | None = None) -> None:
        """Remove an empty folder."""
        os.rmdir(path, dir_fd=dir_fd)

    def symlink(self, target: str, path: str, *, dir_fd: int | None = None) -> None:
        """Make a symbolic link."""
        os.symlink(target, path, dir_fd=dir_fd)

    def link(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Give a file a second name; a link gets one of its own, what it leads to does not."""
        follow = os.link not in os.supports_follow_symlinks
        os.link(source, target, src_dir_fd=dir_fd, dst_dir_fd=to_fd, follow_symlinks=follow)

    def chmod(self, fd: int, mode: int) -> None:
        """Set a file's permission bits, where the system has them."""
        if hasattr(os, "fchmod"):
            os.fchmod(fd, mode)

    def chown(self, fd: int, uid: int, gid: int) -> None:
        """Give a file to a user and a group, where the system has them; -1 leaves one as it is."""
        if hasattr(os, "fchown"):
            os.fchown(fd, uid, gid)

    def set_attribute(self, fd: int, name: str, value: bytes) -> None:
        """Set an extended attribute of a file, where the system has them."""
        if hasattr(os, "setxattr"):
            os.setxattr(fd, name, value)

    def write_many(self, fd: int, pieces: Sequence[Bytes]) -> int:
        """Write pieces one behind the other at the file's position; may write less than asked for."""
        if hasattr(os, "writev"):
            return os.writev(fd, pieces[:MANY_PIECES])
        return self.write(fd, pieces[0])

    def clone(self, source_fd: int, target_fd: int) -> bool:
        """Let the empty target share the source's blocks; False where the disk cannot."""
        return clone_file(source_fd, target_fd)

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """Copy bytes inside the system, without reading them here; 0 where it cannot or at the end."""
        if not hasattr(os, "copy_file_range"):
            return 0
        try:
            return os.copy_file_range(source_fd, target_fd, count)
        except OSError as error:
            if error.errno in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM}:
                return 0
            raise

    def set_times(self, fd: int, path: str, stamp_ns: int) -> None:
        """Set a file's access and modification time, in nanoseconds since 1970."""
        os.utime(fd if os.utime in os.supports_fd else path, ns=(stamp_ns, stamp_ns))

    def sync_disk(self, path: str) -> bool:
        """Make everything on the disk with `path` durable in one go; False if the system cannot."""
        return sync_file_system(path)

    def touch(self, path: str, *, dir_fd: int | None = None) -> None:
        """Set the modification time to now; of a link, not of what it leads to."""
        os.utime(path, dir_fd=dir_fd, follow_symlinks=os.utime not in os.supports_follow_symlinks)


REAL_CALLS = FileCalls()


def _open_on_windows(path: str, how: str) -> int:
    """Open a file so that it can be renamed while it is open and locked, as it can be elsewhere."""
    from aura_vcs.storage import windows_calls

    return windows_calls.open_renamable(path, how, windows_calls.kernel())


def sync_file(fd: int) -> None:
    """Call fsync(2); on macOS F_FULLFSYNC, without which the drive may hold the bytes in its cache."""
    system: str = sys.platform
    if system != "darwin":
        os.fsync(fd)
        return
    import fcntl

    from aura_vcs.storage.macos_calls import full_sync

    full_sync(fd, fcntl.fcntl)


def clone_file(source_fd: int, target_fd: int) -> bool:
    """Clone a file by Linux's FICLONE, or on APFS; False where the system or the disk has nothing like it.

    The clone is taken at one moment: it is a consistent copy even while the source is written to.
    """
    try:
        import fcntl

        system: str = sys.platform
        if system == "darwin":
            from aura_vcs.storage.macos_calls import clone_into, system_library

            return clone_into(source_fd, target_fd, system_library(), fcntl.fcntl)
        fcntl.ioctl(target_fd, FICLONE, source_fd)
    except ImportError:
        return False
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            raise
        return False
    return True


def sync_file_system(path: str) -> bool:
    """Call Linux's syncfs(2) on the disk with `path`; False where there is no such call or it fails."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return False
    fd = os.open(path, os.O_RDONLY)
    try:
        return bool(call(fd) == 0)
    finally:
        os.close(fd)


def write_all(calls: FileCalls, fd: int, data: Bytes) -> None:
    """Write all of `data`, however many calls that takes."""
    view = memoryview(data).cast("B")
    while view:
        written = calls.write(fd, view)
        if written <= 0:
            raise OSError(errno.EIO, "the system wrote nothing")
        view = view[written:]


def write_pieces(calls: FileCalls, fd: int, pieces: Sequence[Bytes]) -> None:
    """Write all of the pieces, however many calls that takes."""
    views = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
    start = 0
    while start < len(views):
        written = calls.write_many(fd, views[start : start + MANY_PIECES])
        if written <= 0:
            raise OSError(errno.EIO, "the system wrote nothing")
        while start < len(views) and written >= len(views[start]):
            written -= len(views[start])
            start += 1
        if written:
            views[start] = views[start][written:]


@contextmanager
def translated(action: str, path: str) -> Iterator[None]:
    """Turn an OSError into a StorageError that names `path`; FileNotFoundError passes."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error(action, path, error) from error


def storage_error(action: str, path: str, error: OSError) -> StorageError:
    """Build the StorageError for an OSError."""
    kind = StorageFull if error.errno in FULL else StorageDenied if error.errno in _DENIED else StorageError
    return kind(action, path, error.strerror or str(error))
