"""A file of the store that is being read: one that cannot be read is named, and waits for nobody.

What the disk refuses is tried a second time: a network disk that was away for a moment, or a handle
that went stale, is not damage. What is refused twice is RecordUnreadable. Callers take that for damage
of this one file, but neither delete nor overwrite it: it may be readable again a moment later.
"""

import errno
import os
from collections.abc import Callable
from io import FileIO
from typing import TypeVar

from aura_vcs.errors.integrity import RecordUnreadable
from aura_vcs.storage.system_calls import EXHAUSTED, storage_error

T = TypeVar("T")
PIECE_BYTES = 1 << 20


class RetryingFile(FileIO):
    """An open file whose reads raise RecordUnreadable where the disk refuses twice."""

    def __init__(self, path: str, descriptor: Callable[[], int]) -> None:
        super().__init__(path, "rb", opener=lambda *_: descriptor())
        self._path = path

    def read(self, size: int | None = -1) -> bytes:
        """Read as FileIO does, for ever until there is data or the end."""
        found = _twice("read", self._path, lambda: super(RetryingFile, self).read(size))
        return b"" if found is None else found

    def readall(self) -> bytes:
        """Read all, as FileIO does."""
        return self.read()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer, as FileIO does."""
        return _twice("read", self._path, lambda: super(RetryingFile, self).readinto(buffer)) or 0


def open_stored(path: str, descriptor: Callable[[], int]) -> RetryingFile:
    """Open the file for reading; `descriptor` opens it, `path` is what messages call it.

    Raises:
        FileNotFoundError: nothing is there.
        RecordUnreadable: the disk refuses, or it is not a regular file.
        StorageError: this process may open no more files.
    """
    try:
        return _twice("read", path, lambda: RetryingFile(path, descriptor))
    except NotADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error


def read_stored(path: str, descriptor: Callable[[], int]) -> bytes:
    """Read all bytes of the file.

    Raises:
        FileNotFoundError, RecordUnreadable, StorageError: as `open_stored`.
    """
    try:
        return _read_all(descriptor())
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
    except OSError:
        pass  # tried again with a new handle: one that was open may have gone stale
    with open_stored(path, descriptor) as file:
        return file.read()


def _read_all(fd: int) -> bytes:
    """Read all bytes of an open file and close it, with no more calls than it takes."""
    try:
        size = os.fstat(fd).st_size
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data
        pieces = [data]
        while data := os.read(fd, PIECE_BYTES):
            pieces.append(data)
        return b"".join(pieces)
    finally:
        os.close(fd)


def unreadable(action: str, path: str, error: OSError) -> Exception:
    """Build the error for a file or folder of the store that cannot be looked at."""
    if error.errno in EXHAUSTED:
        return storage_error(action, path, error)
    return RecordUnreadable(action, path, error.strerror or str(error), denied=isinstance(error, PermissionError))


def _twice(action: str, path: str, call: Callable[[], T]) -> T:
    for attempt in range(2):
        try:
            return call()
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            if attempt:
                raise unreadable(action, path, error) from error
    raise AssertionError
