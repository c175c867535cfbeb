"""Calls of macOS that Python has under no name of its own.

Each takes the system's library, so that tests hand in one of their own: what is passed and what is made
of the answers is tried everywhere, the calls themselves only where there is a Mac (docs/platforms.md).
"""

import ctypes
import errno
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

F_GETPATH = 50
F_FULLFSYNC = 51
"""From sys/fcntl.h."""
MNT_LOCAL = 0x1000
"""From sys/mount.h."""
CLONE_NOOWNERCOPY = 2
"""From sys/clonefile.h."""
_AT_FDCWD = -2
_PATH_BYTES = 1024
_NO_FULL_SYNC = {errno.ENOTSUP, errno.EINVAL, errno.ENOTTY, errno.EOPNOTSUPP}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EIO}

Control = Callable[[int, int, Any], Any]
"""fcntl.fcntl."""


class _StatFs(ctypes.Structure):
    """`struct statfs` with 64-bit inodes, from sys/mount.h."""

    _fields_ = (
        ("bsize", ctypes.c_uint32),
        ("iosize", ctypes.c_int32),
        ("counts", ctypes.c_uint64 * 5),
        ("fsid", ctypes.c_int32 * 2),
        ("owner", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("subtype", ctypes.c_uint32),
        ("typename", ctypes.c_char * 16),
        ("mounted_on", ctypes.c_char * _PATH_BYTES),
        ("mounted_from", ctypes.c_char * _PATH_BYTES),
        ("more", ctypes.c_uint32 * 8),
    )


@cache
def system_library() -> Any:
    """Return the system's library, with the error number of each call."""
    return ctypes.CDLL(None, use_errno=True)


def full_sync(fd: int, control: Control, plain_sync: Callable[[int], None] = os.fsync) -> None:
    """Write the file's bytes through the drive's own cache, which fsync(2) does not do on macOS.

    Where the file system has no such call (network disks), fsync has to do.
    """
    try:
        control(fd, F_FULLFSYNC, 0)
    except OSError as error:
        if error.errno not in _NO_FULL_SYNC:
            raise
        plain_sync(fd)


def clone_into(source_fd: int, target_fd: int, library: Any, control: Control) -> bool:
    """Let the empty file behind `target_fd` be a clone of the source (APFS); False where the disk cannot.

    macOS clones into a new name only: the clone is made beside the target, takes its name, and
    `target_fd` leads to it afterwards. Permission bits are those that the target had. An interruption
    leaves at most the clone beside it, which is swept as a temporary file.

    Raises:
        OSError: the disk is full or fails.
    """
    try:
        target = bytes(control(target_fd, F_GETPATH, bytes(_PATH_BYTES))).split(b"\0", 1)[0]
    except OSError:
        return False
    beside = target + b"-" + os.urandom(4).hex().encode()
    if library.fclonefileat(source_fd, _AT_FDCWD, beside, CLONE_NOOWNERCOPY):
        code = ctypes.get_errno()
        if code in _NO_ROOM:
            raise OSError(code, os.strerror(code))
        return False
    clone_fd = -1
    try:
        clone_fd = _opened_for_writing(beside, os.fstat(target_fd).st_mode & 0o777)
        os.replace(beside, target)
    except OSError:
        with suppress(OSError):
            os.unlink(beside)
        if clone_fd >= 0:
            os.close(clone_fd)
        return False
    try:
        os.dup2(clone_fd, target_fd, inheritable=False)
    finally:
        os.close(clone_fd)
    return True


def _opened_for_writing(path: bytes, mode: int) -> int:
    """Open a clone with these permission bits; those it was made with are the source's, and may forbid it."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, os.O_RDONLY | flags)
    try:
        os.fchmod(fd, mode)
    finally:
        os.close(fd)
    return os.open(path, os.O_RDWR | flags)


def kind_and_place(folder: str, library: Any) -> tuple[str, bool]:
    """Return the kind of the file system with the folder ("apfs", "smbfs"), and whether it is on this machine.

    Where the system does not tell, the kind is "" and the place is here.
    """
    found = _StatFs()
    # On Intel's processors the call with 64-bit inodes has a name of its own.
    call = getattr(library, "statfs$INODE64", None) or library.statfs
    if call(os.fsencode(folder), ctypes.byref(found)):
        return "", True
    return found.typename.decode("ascii", "replace"), bool(found.flags & MNT_LOCAL)
