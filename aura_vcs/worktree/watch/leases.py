"""Whether anybody could change a file without opening it: asked of the kernel by a lease that is given back at once.

Linux refuses a lease for reading while a file is open for writing anywhere, by whatever name: it counts open
descriptors, those on their way between processes, and mappings that can be written to. Where it grants one, the
next change begins with an open, of which a watch tells.
"""

import errno
import fcntl
import os

_SET = getattr(fcntl, "F_SETLEASE", 1024)
_READING, _NONE = getattr(fcntl, "F_RDLCK", 0), getattr(fcntl, "F_UNLCK", 2)
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


def is_written_by_nobody(fd: int) -> bool:
    """Tell whether the file has no writer; False also where the system does not say.

    For the microsecond between the two calls, who opens the file for writing waits.
    """
    try:
        fcntl.fcntl(fd, _SET, _READING)
    except OSError:
        return False
    fcntl.fcntl(fd, _SET, _NONE)
    return True


def are_leases_on() -> bool:
    """Tell whether the system gives leases at all."""
    try:
        with open(SWITCH, "rb") as file:
            return file.read().strip() == b"1"
    except OSError:
        return False
