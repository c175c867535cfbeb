"""Renames that never destroy what has the other name: `renameat2` of Linux, `renameatx_np` of macOS.

Where the system or the file system has no such call, `rename_new` takes the next best thing: a hard
link, which fails where the name is taken too, and for what cannot be linked a look and a rename.
"""

import errno
import os
import sys
from collections.abc import Callable
from functools import cache

_LINUX = ("renameat2", 1, 2)
_MACOS = ("renameatx_np", 4, 2)
_AT_FDCWD = {"linux": -100, "darwin": -2}
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What a system or a file system says that has no such rename."""
_UNLINKABLE = {*_CANNOT, errno.EPERM, errno.EMLINK, errno.EISDIR}


def exchange(source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> bool:
    """Let two names change places as one step; False, and nothing done, where the system or the disk cannot.

    Raises:
        FileNotFoundError: one of them is not there. OSError: the system refused.
    """
    return _call(source, target, dir_fd, to_fd, swap=True)


def rename_new(source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
    """Rename to a name that nothing has.

    Raises:
        FileExistsError: something has it; nothing was done.
    """
    if _call(source, target, dir_fd, to_fd, swap=False):
        return
    if os.name == "nt":
        os.rename(source, target)  # which never replaces anything there
        return
    try:
        os.link(source, target, src_dir_fd=dir_fd, dst_dir_fd=to_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _UNLINKABLE:
            raise
    else:
        os.unlink(source, dir_fd=dir_fd)
        return
    try:
        os.stat(target, dir_fd=to_fd, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=dir_fd, dst_dir_fd=to_fd)
        return
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)


def _call(source: str, target: str, dir_fd: int | None, to_fd: int | None, *, swap: bool) -> bool:
    call = _renamer()
    if call is None:
        return False
    here = _AT_FDCWD[sys.platform]
    code = call(
        here if dir_fd is None else dir_fd,
        os.fsencode(source),
        here if to_fd is None else to_fd,
        os.fsencode(target),
        swap,
    )
    if code in _CANNOT:
        return False
    if code:
        raise OSError(code, os.strerror(code), source, None, target)
    return True


@cache
def _renamer() -> Callable[[int, bytes, int, bytes, bool], int] | None:
    """Find the system's call, which takes both names and whether they change places; it returns 0 or an errno."""
    system: str = sys.platform
    if system not in _AT_FDCWD:
        return None
    import ctypes

    name, new, both = _LINUX if system == "linux" else _MACOS
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    call.restype = ctypes.c_int

    def rename(dir_fd: int, source: bytes, to_fd: int, target: bytes, swap: bool) -> int:
        return 0 if call(dir_fd, source, to_fd, target, both if swap else new) == 0 else ctypes.get_errno()

    return rename
