"""Linux's inotify, as far as the watcher needs it; events are queued inside the call that causes them."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterator

MODIFY, ATTRIB, OPEN = 0x2, 0x4, 0x20
MOVED_FROM, MOVED_TO, CREATE, DELETE = 0x40, 0x80, 0x100, 0x200
DELETE_SELF, MOVE_SELF, UNMOUNT, OVERFLOW, IGNORED = 0x400, 0x800, 0x2000, 0x4000, 0x8000
ONLY_FOLDER, DONT_FOLLOW, IS_FOLDER = 0x01000000, 0x02000000, 0x40000000
OF_FILES = MODIFY | ATTRIB | OPEN | DELETE_SELF | MOVE_SELF
"""What is asked of a file: whoever changes its content opens or truncates it first, by whatever name."""
OF_FOLDERS = ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | ONLY_FOLDER
_HEAD = struct.Struct("iIII")
_BUFFER = 1 << 18
LIMIT = "/proc/sys/fs/inotify/max_user_watches"


class StartOver(Exception):
    """Events were lost: nothing is known any more."""


class Inotify:
    """One queue of events. A watch is of a file or folder itself, not of a name that it has."""

    def __init__(self) -> None:
        """Begin with no watch.

        Raises:
            OSError: the user has as many queues as the system allows.
        """
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise _error()

    def add(self, fd: int, events: int) -> int:
        """Watch what is open as `fd`, and return the watch's number; the same where it is watched already.

        Raises:
            OSError: ENOSPC where the user has as many watches as the system allows.
        """
        number: int = self._libc.inotify_add_watch(self.fd, b"/proc/self/fd/%d" % fd, events)
        if number < 0:
            raise _error()
        return number

    def add_link(self, folder: int, name: str) -> int:
        """Watch a symbolic link itself, and return the watch's number; what has the name meanwhile, if it is another.

        Raises:
            OSError: ENOSPC where the user has as many watches as the system allows.
        """
        path = b"/proc/self/fd/%d/%s" % (folder, os.fsencode(name))
        number: int = self._libc.inotify_add_watch(self.fd, path, OF_FILES | DONT_FOLLOW)
        if number < 0:
            raise _error()
        return number

    def remove(self, number: int) -> None:
        """Watch it no more; an IGNORED follows. One that has ended is no error."""
        self._libc.inotify_rm_watch(self.fd, number)

    def read(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield watch, kind and name of what has happened, until nothing is left."""
        while True:
            try:
                data = os.read(self.fd, _BUFFER)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, kind, _, length = _HEAD.unpack_from(data, at)
                start = at + _HEAD.size
                at = start + length
                yield number, kind, data[start:at].rstrip(b"\0") if length else b""

    def close(self) -> None:
        """End all watches at once."""
        os.close(self.fd)


def watch_limit() -> int:
    """Return how many watches all programs of a user may have together; 0 where the system does not say."""
    try:
        with open(LIMIT, "rb") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def is_full(error: OSError) -> bool:
    """Tell whether a watch was refused because there are too many."""
    return error.errno in {errno.ENOSPC, errno.ENOMEM}


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
