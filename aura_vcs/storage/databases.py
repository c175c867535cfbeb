"""SQLite files of our own. SQLite opens files by their paths, and follows links.

So it is made sure, before and after it opened them, that none of its files is a link, or has a second
name under which it may be a database of somebody else's. The file is made here, with the mode that its
folder asks for: SQLite gives its other files the same, and would make it 0644 whatever the folder is.

A file of a database that is open in this process is opened by SQLite alone: POSIX gives up all of a process's
locks on a file with the first descriptor of it that is closed, and the next process to close the database
would delete the log under the connection that is left (sqlite.org/howtocorrupt.html, 2.2).
"""

import os
import sqlite3
import stat
import time
from collections import Counter
from contextlib import suppress

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.own_folders import OpenFolder, is_link
from aura_vcs.storage.plain_files import is_shared, open_held
from aura_vcs.storage.system_calls import REAL_CALLS, storage_error, translated

SUFFIXES = ("", "-wal", "-shm", "-journal")
ATTEMPTS = 20
"""So often a database is opened that is replaced meanwhile."""
PAUSE_SECONDS = 0.01
_COPIED_BYTES = 4 << 20
_DATE_NS = 50_000_000
"""Two writes within that may leave the same date: a file as young as that has none of its own."""
_LOG_HEAD_BYTES = 32
"""SQLite's write-ahead log begins with as many, others after each start of it anew."""
_open_here: Counter[tuple[int, int]] = Counter()
"""How many connections of this process there are to a file, by device and inode."""


class ManyNames(Exception):
    """A database's file is known by other names, too, or is not a file: what SQLite writes would go elsewhere."""


class Connection(sqlite3.Connection):
    """A connection that is counted until it is closed."""

    file: tuple[int, int] | None = None

    def close(self) -> None:
        """Let go of the file."""
        self._forget()
        super().close()

    def __del__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        if self.file is not None:
            _open_here[self.file] -= 1
            self.file = None


def connect(place: LocalStorage, name: str, *, timeout: float, page_bytes: int | None = None) -> sqlite3.Connection:
    """Open the database `name`, made if it is not there, in WAL mode.

    Raises:
        StorageError: it cannot be made, or is not a file. LinkedPath: one of its files is a link.
        ManyNames: one of its files has a second name, or is none.
        sqlite3.DatabaseError: it is damaged, or cannot be used.
    """
    for _ in range(ATTEMPTS):
        connection = _connected(place, name, timeout, page_bytes)
        if connection is not None:
            return connection
        time.sleep(PAUSE_SECONDS)
    raise LinkedPath(place.path(name), "not what it was a moment ago, again and again")


def _connected(place: LocalStorage, name: str, timeout: float, page_bytes: int | None) -> sqlite3.Connection | None:
    """Open the database; None if meanwhile another file came in its place, as when a process makes it anew."""
    path = place.path(name)
    try:
        _make(place, name, path)
        before = _looked_at(place, name, path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error("use", path, error) from error
    path = place.path(name)  # a preview has another, once there is a copy
    connection = sqlite3.connect(
        path, timeout=timeout, isolation_level=None, check_same_thread=False, factory=Connection
    )
    connection.file = before
    _open_here[before] += 1
    try:
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size={page_bytes}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        with translated("use", path):
            if _looked_at(place, name, path) == before:
                return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def copy(place: LocalStorage, name: str, target: str) -> None:
    """Copy a database, of which others may be writing, into a new file and what belongs beside it.

    Changes nothing. What is copied is as it was at one moment: the main file first, then the log, where that was not
    begun anew meanwhile; it has all that was put into the main file since it was begun.

    Raises:
        StorageError: it cannot be read, or `target` not written.
    """
    for _ in range(ATTEMPTS):
        with translated("read", place.path(name)):
            found = place.look(name)
            if found is None:
                return
            if _open_here[found.st_dev, found.st_ino] > 0:
                break
            head = _log_head(place, name)
            before = place.look(name)
            is_dated = before is not None and abs(time.time_ns() - before.st_mtime_ns) > _DATE_NS
            for suffix in ("", "-wal"):
                _copy_file(place, name + suffix, target + suffix)
            if _log_head(place, name) == head and (head or (is_dated and _is_same(place.look(name), before))):
                return
        _forget_copy(target)
        time.sleep(PAUSE_SECONDS)
    _forget_copy(target)
    from urllib.parse import quote  # only a preview copies databases

    source = sqlite3.connect(f"file:{quote(place.path(name))}?mode=ro", uri=True, isolation_level=None)
    copied = sqlite3.connect(target, isolation_level=None)
    try:
        source.backup(copied)
    finally:
        copied.close()
        source.close()


def _log_head(place: LocalStorage, name: str) -> bytes:
    """Return how the log begins; nothing where there is none, or an empty one."""
    with suppress(FileNotFoundError), place.open(f"{name}-wal") as log:
        return log.read(_LOG_HEAD_BYTES)
    return b""


def _copy_file(place: LocalStorage, name: str, target: str) -> None:
    with suppress(FileNotFoundError), place.open(name) as source, open(target, "wb") as copied:
        while data := source.read(_COPIED_BYTES):
            copied.write(data)


def _is_same(now: os.stat_result | None, before: os.stat_result | None) -> bool:
    """Tell whether the main file was not written meanwhile: of one with a date of its own when that began."""
    if now is None or before is None:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def _forget_copy(target: str) -> None:
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            os.unlink(target + suffix)


def remove(place: LocalStorage, name: str) -> None:
    """Delete a database and what SQLite keeps beside it; links go, and what they lead to stays, as folders do."""
    for suffix in SUFFIXES:
        found = place.look_around(name + suffix)
        if found is not None and stat.S_ISDIR(found.st_mode):
            place.set_aside(name + suffix)
        else:
            place.forget(name + suffix)


def is_there(place: LocalStorage, name: str) -> bool:
    """Tell whether there is a database of which everything is in its main file."""
    found, log = place.look(name), place.look(f"{name}-wal")
    return found is not None and (log is None or log.st_size == 0)


def _make(place: LocalStorage, name: str, path: str) -> None:
    """Make the file if it is not there, and have it written by whoever is to write in its folder."""
    try:
        last, folder = place.folder_of(name)
        if not _is_made(last, folder):
            os.close(open_held(REAL_CALLS, last, path, folder))
    except FileNotFoundError:
        place.make_folder(name.rpartition("/")[0])
        last, folder = place.folder_of(name)
        os.close(open_held(REAL_CALLS, last, path, folder))


def _is_made(last: str, folder: OpenFolder) -> bool:
    """Tell whether the file is there, and has the mode that it should."""
    try:
        mode = os.stat(last, dir_fd=folder.fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    if not is_shared(folder.mode, in_place=True):
        return True
    return mode & 0o060 == 0o060 or not os.access(last, os.W_OK, dir_fd=folder.fd)


def _looked_at(place: LocalStorage, name: str, path: str) -> tuple[int, int]:
    """Return device and inode of the main file, once all files were seen to be ours."""
    identity = 0, 0
    last, folder = place.folder_of(name)
    for suffix in SUFFIXES:
        try:
            found = os.stat(last + suffix, dir_fd=folder.fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode):
            if is_link(found):
                raise LinkedPath(path + suffix)
            raise ManyNames(f"{path + suffix} is not a regular file")
        if found.st_nlink > 1:
            raise ManyNames(path + suffix)
        identity = identity if suffix else (found.st_dev, found.st_ino)
    return identity
