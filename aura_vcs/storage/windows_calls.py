"""Calls of Windows that Python has under no name of its own: locks that may be shared, files that may be renamed.

Each takes kernel32, so that tests hand in one of their own: what is passed and what is made of the
answers is tried everywhere, the calls themselves only where there is a Windows (docs/platforms.md).
"""

import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache
from typing import Any

LOCKFILE_FAIL_IMMEDIATELY = 1
LOCKFILE_EXCLUSIVE_LOCK = 2
LOCK_AT = 1 << 62
"""Where the locked byte is: behind all content, since a locked byte can be read by nobody else."""
ERROR_LOCK_VIOLATION = 33
ERROR_IO_PENDING = 997
GENERIC_READ_WRITE = 0xC0000000
SHARE_ALL = 7
"""Others may read, write, and rename or delete it while it is open."""
HOW = {"new": 1, "existing": 3, "always": 4}
"""CREATE_NEW, OPEN_EXISTING, OPEN_ALWAYS."""
OPEN_REPARSE_POINT = 0x00200000
"""A link is opened itself, not followed."""
ATTRIBUTE_NORMAL = 0x80
ATTRIBUTE_REPARSE_POINT = 0x400
_INVALID = ctypes.c_void_p(-1).value
_INVALID_ATTRIBUTES = 0xFFFFFFFF
_ERRORS = {2: errno.ENOENT, 3: errno.ENOENT, 5: errno.EACCES, 32: errno.EACCES, 80: errno.EEXIST, 183: errno.EEXIST}
_ERRORS |= {112: errno.ENOSPC, 39: errno.ENOSPC}


class Overlapped(ctypes.Structure):
    """`OVERLAPPED` of minwinbase.h: here it says where the locked byte is."""

    _fields_ = (
        ("internal", ctypes.c_void_p),
        ("internal_high", ctypes.c_void_p),
        ("offset", ctypes.c_uint32),
        ("offset_high", ctypes.c_uint32),
        ("event", ctypes.c_void_p),
    )


@cache
def kernel() -> Any:
    """Return kernel32, with argument types that hold a handle on 64-bit systems."""
    library = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    handle, word = ctypes.c_void_p, ctypes.c_uint32
    library.LockFileEx.argtypes = [handle, word, word, word, word, ctypes.POINTER(Overlapped)]
    library.CreateFileW.argtypes = [ctypes.c_wchar_p, word, word, ctypes.c_void_p, word, word, handle]
    library.CreateFileW.restype = handle
    library.GetFileAttributesW.argtypes = [ctypes.c_wchar_p]
    library.GetFileAttributesW.restype = word
    return library


def handle_of(fd: int) -> int:
    """Return the system's handle of an open file."""
    import msvcrt

    return int(msvcrt.get_osfhandle(fd))  # type: ignore[attr-defined]


def descriptor_of(handle: int) -> int:
    """Return a descriptor that owns the handle."""
    import msvcrt

    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
    return int(msvcrt.open_osfhandle(handle, flags))  # type: ignore[attr-defined]


def last_error() -> int:
    """Return the number of what the last call failed with."""
    return int(ctypes.get_last_error())  # type: ignore[attr-defined]


def lock_file(handle: int, library: Any, *, shared: bool, error_number: Callable[[], int] = last_error) -> bool:
    """Take a lock on an open file if it is free: alone, or together with others that share it.

    Closing the file lets go, and so does the end of the process.

    Raises:
        OSError: the disk has no locks.
    """
    place = Overlapped(offset=LOCK_AT & 0xFFFFFFFF, offset_high=LOCK_AT >> 32)
    flags = LOCKFILE_FAIL_IMMEDIATELY | (0 if shared else LOCKFILE_EXCLUSIVE_LOCK)
    if library.LockFileEx(handle, flags, 0, 1, 0, ctypes.byref(place)):
        return True
    code = error_number()
    if code in {ERROR_LOCK_VIOLATION, ERROR_IO_PENDING}:
        return False
    raise OSError(errno.ENOLCK, f"the file cannot be locked (error {code})")


def open_renamable(
    path: str,
    how: str,
    library: Any,
    *,
    descriptor: Callable[[int], int] = descriptor_of,
    error_number: Callable[[], int] = last_error,
) -> int:
    """Open a file for reading and writing, so that it can be renamed and deleted while it is open.

    `how` is `new`, `existing` or `always`. A link is refused.

    Raises:
        FileNotFoundError, FileExistsError, PermissionError, OSError: as `os.open` would.
    """
    attributes = library.GetFileAttributesW(path)
    if attributes != _INVALID_ATTRIBUTES and attributes & ATTRIBUTE_REPARSE_POINT:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
    handle = library.CreateFileW(
        path, GENERIC_READ_WRITE, SHARE_ALL, None, HOW[how], ATTRIBUTE_NORMAL | OPEN_REPARSE_POINT, None
    )
    if handle is None or handle == _INVALID:
        code = error_number()
        known = _ERRORS.get(code, errno.EIO)
        raise OSError(known, os.strerror(known), path)
    return descriptor(handle)
