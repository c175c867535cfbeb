"""The SQLite file: opening it, and noticing when it cannot be trusted.

WAL with `synchronous=NORMAL`: after a power failure the index may be a few operations behind,
which opening repairs from the logs; it is never half-written. Where WAL does not work (network
file systems) the caller hands in a path on a local disk.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aura_vcs.errors.input import LockBusy
from aura_vcs.errors.integrity import StorageDenied, StorageError, StorageFull
from aura_vcs.index.schema import PAGE_BYTES, SCHEMA_VERSION, statements
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.mounts import can_grow

BUSY_SECONDS = 60
CACHE_KIB = 16 << 10
SMALL_BYTES = 8 << 20
"""A file that is written anew in a few hundredths of a second."""


class IndexUnusable(Exception):
    """The file is no index of this version; it is to be rebuilt."""


class Database:
    """One connection to the index. Not to be shared between threads."""

    def __init__(self, place: LocalStorage | None, name: str) -> None:
        self.path = ":memory:" if place is None else place.path(name)
        self.connection = _in_memory() if place is None else _connect(place, name)

    def has_schema(self) -> bool:
        """Tell whether the tables are there, of this version.

        Raises:
            IndexUnusable: the file is damaged or of another version.
        """
        try:
            found = self.connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise IndexUnusable(str(error)) from error
        if found not in {0, SCHEMA_VERSION}:
            raise IndexUnusable(f"schema {found}")
        return bool(found)

    def create_schema(self) -> None:
        """Make the tables, inside the caller's transaction."""
        for statement in statements():
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a write transaction; rolled back when the block raises.

        Raises:
            StorageFull, StorageError: the disk refused.
            IndexUnusable: the file is damaged.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise
        except sqlite3.DatabaseError as error:
            raise translate(error, self.path) from error

    def meta(self, key: str) -> str | None:
        """Return what was noted under the key."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def noted(self) -> dict[str, str | None]:
        """Return all that was noted."""
        return dict(self.connection.execute("SELECT key, value FROM meta").fetchall())

    def set_meta(self, key: str, value: str | None) -> None:
        """Note something, inside the caller's transaction."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def compact(self) -> None:
        """Write the file anew if it is small, or an eighth of it empty; another process that reads it is let be.

        Rows that were entered one by one leave a fifth of their pages empty; written anew, these are full.
        """
        pages, free = (
            self.connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count")
        )
        if pages * PAGE_BYTES > SMALL_BYTES and free * 8 < pages:
            return
        with suppress(sqlite3.OperationalError):
            self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def empty_log(self) -> bool:
        """Write what is in SQLite's log into the file; False where that cannot be, or others are at work in it."""
        try:
            return bool(self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0))
        except sqlite3.OperationalError:
            return False

    def go_on_in_memory(self) -> None:
        """Use a copy in memory from now on, for a disk that refuses what is written; see `_copied`."""
        copy = _in_memory()
        self.connection.backup(copy)
        self.connection.close()
        self.connection = copy

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def _in_memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def _connect(place: LocalStorage, name: str) -> sqlite3.Connection:
    try:
        return _open(place, name)
    except StorageError:
        copy = _copied(place, name)
        if copy is None:
            raise
        return copy


def _copied(place: LocalStorage, name: str) -> sqlite3.Connection | None:
    """Copy the index into memory, so that a project on a full or read-only disk can be looked at.

    What is entered into the copy is lost when it is closed, and entered again from the logs. None if
    there is no whole index to copy.
    """
    if not databases.is_there(place, name):
        return None
    from urllib.parse import quote

    connection = _in_memory()
    try:
        path = os.fsencode(os.path.abspath(place.path(name)))
        source = sqlite3.connect(f"file:{quote(path)}?immutable=1", uri=True)
        try:
            source.backup(connection)
        finally:
            source.close()
    except sqlite3.DatabaseError:
        connection.close()
        return None
    return connection


def _open(place: LocalStorage, name: str) -> sqlite3.Connection:
    connection = None
    try:
        connection = databases.connect(place, name, timeout=BUSY_SECONDS, page_bytes=PAGE_BYTES)
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    except databases.ManyNames as error:
        raise IndexUnusable(str(error)) from error
    except sqlite3.DatabaseError as error:
        if connection is not None:
            connection.close()
        path = place.path(name)
        if isinstance(error, sqlite3.OperationalError) and not _is_in_the_way(path):
            raise translate(error, path) from error
        raise IndexUnusable(str(error)) from error
    return connection


def _is_in_the_way(path: str) -> bool:
    """Tell whether somebody else's file, which only they may write, is where everybody may make one."""
    return os.path.exists(path) and not os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK)


def translate(error: sqlite3.DatabaseError, path: str) -> Exception:
    """Translate a SQLite error into what it means to the caller."""
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or type(error) is sqlite3.DatabaseError:
        return IndexUnusable(str(error))
    if name.startswith("SQLITE_FULL"):
        return StorageFull("write", path, str(error))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LockBusy("index", BUSY_SECONDS)
    folder = os.path.dirname(path)
    if name.startswith("SQLITE_IOERR") and _is_full(folder):
        return StorageFull("write", path, "no space left on the disk")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) and not os.access(folder, os.W_OK):
        return StorageDenied("write", path, "it is read-only")
    return StorageError("use", path, str(error))


def is_damage(error: BaseException) -> bool:
    """Tell whether an error says that the file cannot be trusted."""
    if isinstance(error, sqlite3.DatabaseError):
        return isinstance(translate(error, ""), IndexUnusable)
    return isinstance(error, IndexUnusable)


def _is_full(folder: str) -> bool:
    """Tell whether the disk is full: SQLite reports only a disk without room, not a quota that is used up."""
    try:
        if hasattr(os, "statvfs") and os.statvfs(folder).f_bavail == 0:
            return True
    except OSError:
        return False
    return not can_grow(folder)
