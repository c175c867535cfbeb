"""Opening a file so that the kernel can be asked who may be writing to it (see storage.open_writers)."""

import errno
import os

# Without O_NONBLOCK, an open would wait for a lease that somebody else holds, and for the other end of a pipe.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_QUIET = getattr(os, "O_NOATIME", 0)
SWITCH = "/proc/sys/fs/leases-enable"


def open_quietly(name: str, folder: int) -> int:
    """Open a file for reading, without waiting for anybody, and without a trace in its dates where that can be.

    Raises:
        OSError: it cannot be read, is a link, or is on lease to somebody.
    """
    try:
        return os.open(name, _FLAGS | _QUIET, dir_fd=folder)
    except PermissionError as error:
        if error.errno != errno.EPERM:  # EPERM: only its owner may read without a trace
            raise
        return os.open(name, _FLAGS, dir_fd=folder)


def are_leases_on() -> bool:
    """Tell whether the system gives leases at all."""
    try:
        with open(SWITCH, "rb") as file:
            return file.read().strip() == b"1"
    except OSError:
        return False
