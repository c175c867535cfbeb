"""SQLite files of our own. SQLite opens files by their paths, and follows links.

So it is made sure, before and after it opened them, that none of its files is a link, or has a second
name under which it may be a database of somebody else's. The file is made here, with the mode that its
folder asks for: SQLite gives its other files the same, and would make it 0644 whatever the folder is.
"""

import os
import sqlite3
import stat
import time

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.own_folders import is_link
from aura_vcs.storage.plain_files import is_shared, open_held
from aura_vcs.storage.system_calls import REAL_CALLS, translated

SUFFIXES = ("", "-wal", "-shm", "-journal")
ATTEMPTS = 20
"""So often a database is opened that is replaced meanwhile."""
PAUSE_SECONDS = 0.01


class ManyNames(Exception):
    """A database's file is known by other names, too, or is not a file: what SQLite writes would go elsewhere."""


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
    _make(place, name)
    before = _looked_at(place, name)
    connection = sqlite3.connect(place.path(name), timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size={page_bytes}")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        if _looked_at(place, name) == before:
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


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


def _make(place: LocalStorage, name: str) -> None:
    """Make the file if it is not there, and have it written by whoever is to write in its folder."""
    path = place.path(name)
    with translated("use", path):
        try:
            with place.at(name) as (last, dir_fd):
                if _is_made(last, dir_fd):
                    return
                os.close(open_held(REAL_CALLS, last, path, dir_fd))
        except FileNotFoundError:
            place.make_folder(name.rpartition("/")[0])
            with place.at(name) as (last, dir_fd):
                os.close(open_held(REAL_CALLS, last, path, dir_fd))


def _is_made(last: str, dir_fd: int | None) -> bool:
    """Tell whether the file is there, and has the mode that it should."""
    try:
        mode = os.stat(last, dir_fd=dir_fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return False
    if dir_fd is None or not is_shared(os.fstat(dir_fd).st_mode, in_place=True):
        return True
    return mode & 0o060 == 0o060 or not os.access(last, os.W_OK, dir_fd=dir_fd)


def _looked_at(place: LocalStorage, name: str) -> tuple[int, int]:
    """Return device and inode of the main file, once all files were seen to be ours."""
    identity = 0, 0
    path = place.path(name)
    with translated("use", path), place.at(name) as (last, dir_fd):
        for suffix in SUFFIXES:
            try:
                found = os.stat(last + suffix, dir_fd=dir_fd, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if is_link(found):
                raise LinkedPath(path + suffix)
            if not stat.S_ISREG(found.st_mode):
                raise ManyNames(f"{path + suffix} is not a regular file")
            if found.st_nlink > 1:
                raise ManyNames(path + suffix)
            identity = identity if suffix else (found.st_dev, found.st_ino)
    return identity
