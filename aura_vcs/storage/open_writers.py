"""Whether another program may be writing to a file just now, also through a memory map.

A write through a memory map changes a file's dates when it is the first one to its page since the
page went to the disk; every later one is unseen until the page is written out. Such a page can only
be where somebody has the file open for writing, or mapped: a read lease of Linux is refused then.
"""

import _signal as signal  # type: ignore[import-not-found]  # without the enums, which take long to make
import os
import sys
from functools import cache
from typing import Any

_WRITE_OUT = 1 | 2 | 4
"""Of `sync_file_range`: wait for what is under way, write all that is dirty, wait for that."""


def has_writer(fd: int) -> bool | None:
    """Tell whether somebody has the open file open for writing, or mapped; None where the system does not say."""
    if sys.platform != "linux":
        return None
    import fcntl

    try:
        # Who opens the file while the lease is held has it broken with a signal; this one is ignored by default.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (OSError, AttributeError) as error:
        return True if isinstance(error, BlockingIOError) else None
    return False


def write_out(fd: int) -> None:
    """Have the disk take the file's bytes, so that the next write through a memory map changes its dates."""
    call = _sync_file_range()
    if call is not None and call(fd, 0, 0, _WRITE_OUT) == 0:
        return
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    elif os.name != "nt":  # Windows wants a file that is open for writing
        os.fsync(fd)


@cache
def _sync_file_range() -> Any:
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).sync_file_range
    except (AttributeError, OSError):
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return call
