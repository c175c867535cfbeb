"""The studio's own SQLite index: a projection of its JSON files, to answer lists quickly.

It may be deleted or damaged at any time: the next question builds it anew. Whether a file or
folder has changed is told by its date; one that changed a moment ago is looked at again.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from aura_vcs.errors.input import LockBusy
from aura_vcs.errors.integrity import StorageError, StorageFull
from aura_vcs.storage import databases
from aura_vcs.storage.mounts import can_grow
from aura_vcs.studio.folder import INDEX, StudioFolder

SCHEMA_VERSION = 2
BUSY_SECONDS = 30
RACY_NS = 2_000_000_000
"""A date younger than this may be shared by two changes, on file systems that count in seconds."""

TABLES = """
CREATE TABLE stamps (name TEXT PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE projects (
  file TEXT PRIMARY KEY, project TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL, category TEXT,
  status TEXT NOT NULL, job_id TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, deleted_at TEXT,
  file_stamp TEXT NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX projects_by_status ON projects (status, updated_at DESC);
CREATE INDEX projects_by_updated ON projects (updated_at);
CREATE INDEX projects_by_created ON projects (created_at);
CREATE INDEX projects_by_title ON projects (title COLLATE NOCASE);
CREATE INDEX projects_by_category ON projects (category, updated_at);
CREATE INDEX projects_by_job ON projects (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX projects_by_project ON projects (project);
CREATE INDEX projects_by_path ON projects (path);

CREATE TABLE templates (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT, sub_category TEXT, is_system INTEGER NOT NULL,
  is_default INTEGER NOT NULL, usage_count INTEGER NOT NULL, rating REAL NOT NULL, deleted_at TEXT,
  record BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX templates_by_category ON templates (category, sub_category);
CREATE INDEX templates_system ON templates (name) WHERE is_system;
CREATE INDEX templates_by_name ON templates (name COLLATE NOCASE);

CREATE TABLE configurations (
  key TEXT PRIMARY KEY, category TEXT NOT NULL, active INTEGER NOT NULL, sensitive INTEGER NOT NULL,
  record BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX configurations_by_category ON configurations (category, active);
CREATE INDEX configurations_active ON configurations (active);
CREATE INDEX configurations_sensitive ON configurations (key) WHERE sensitive;
"""

Enter = Callable[[sqlite3.Connection], None]
"""Brings the rows of one source up to date."""


class StudioIndex:
    """One connection to the index of a studio; in memory as long as the studio has no folder."""

    def __init__(self, folder: StudioFolder) -> None:
        self._folder = folder
        self._path = folder.storage.path(INDEX) if os.path.isdir(folder.path) else ":memory:"
        self.connection = self._opened()

    def keep_current(self, name: str, enter: Enter, stamp: str | None = None) -> None:
        """Run `enter` if the file or folder `name` (or `stamp`, where that tells) is not as it was."""
        found = self._folder.stamp(name) if stamp is None else stamp
        row = self.connection.execute("SELECT stamp FROM stamps WHERE name = ?", (name,)).fetchone()
        if row is not None and row[0] == found:
            return
        kept = found if self._is_past_tick(found) else "young"
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                enter(self.connection)
                self.connection.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?)", (name, kept))
                self.connection.execute("COMMIT")
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise _translated(error, self._path) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that a SELECT finds."""
        try:
            return self.connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:
            raise _translated(error, self._path) from error

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _is_past_tick(self, stamp: str) -> bool:
        """Tell whether every file and folder that the stamp is of was left alone for a while."""
        dates = [date for date, point, _ in (part.partition(".") for part in stamp.split(" ")) if point]
        return all(time.time_ns() - int(date) > RACY_NS for date in dates)

    def _opened(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
            if connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                return connection
            connection.close()
        except sqlite3.OperationalError as error:
            raise _translated(error, self._path) from error
        except (sqlite3.DatabaseError, databases.ManyNames):
            self._folder.progress.note("The studio's index was damaged and is rebuilt")
        self._remove()
        connection = self._connect()
        connection.executescript(f"BEGIN;{TABLES}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            return databases.connect(self._folder.storage, INDEX, timeout=BUSY_SECONDS)
        return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)

    def _remove(self) -> None:
        if self._path != ":memory:":
            databases.remove(self._folder.storage, INDEX)


def _translated(error: sqlite3.OperationalError, path: str) -> Exception:
    if "locked" in str(error):
        return LockBusy("studio index", BUSY_SECONDS)
    if path != ":memory:" and not can_grow(os.path.dirname(path)):
        return StorageFull("use", path, str(error))
    return StorageError("use", path, str(error))
