"""The studio's SQLite database, opened to read: nothing is written to it, or beside it.

One transaction sees all tables as they are at one moment, also while the studio is open (WAL). Tables and columns
go by what they are called without case and underscores, which is how the old schema and the new one differ.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from aura_vcs.errors.interchange import NotADatabase
from aura_vcs.storage.plain_files import open_regular

VALUE_BYTES_LIMIT = 64 << 20
"""Bytes of the longest text that is read."""
HEADER = b"SQLite format 3\0"
_BLOCK = 1 << 20
_WAL = 2
"""The read version, at byte 19 of the header, of a database that is written through a log (WAL)."""

Row = Mapping[str, Any]


class DatabaseFile:
    """A database that is open until `close`. Rows are mappings by column, as `plain` writes its name."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._scratch: TemporaryDirectory[str] | None = None
        self._connection = self._open()
        try:
            self._tables = self._find_tables()
        except sqlite3.Error as error:
            self.close()
            raise self._refused(error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "DatabaseFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def has(self, table: str) -> bool:
        """Tell whether there is such a table."""
        return plain(table) in self._tables

    def tables(self) -> dict[str, str]:
        """Return the tables there are: names as they are written, by plain name."""
        return {key: names[0] for key, names in self._tables.items()}

    def count(self, table: str) -> int:
        """Count the rows of a table; 0 where there is none.

        Raises:
            NotADatabase: it is damaged.
        """
        found = 0
        for name in self._tables.get(plain(table), ()):
            found += next(self._rows(f"SELECT count(*) AS n FROM {_quoted(name)}", ()))["n"]
        return found

    def rows(self, table: str, **equal: str) -> Iterator[Row]:
        """Yield the rows of a table in the order in which they were written, or those whose column has a text.

        Raises:
            NotADatabase: it is damaged.
        """
        for name in self._tables.get(plain(table), ()):
            columns = self._columns(name)
            wanted = {columns.get(plain(column)): value for column, value in equal.items()}
            if None in wanted:
                continue
            where = " AND ".join(f"{_quoted(str(column))} = ? COLLATE NOCASE" for column in wanted)
            clause = f"WHERE {where}" if where else ""
            yield from self._rows(f"SELECT * FROM {_quoted(name)} {clause}", tuple(wanted.values()))

    def _rows(self, statement: str, values: tuple[str, ...]) -> Iterator[Row]:
        try:
            cursor = self._connection.execute(statement, values)
            names = [plain(column[0]) for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))
        except (sqlite3.Error, OverflowError) as error:
            raise self._refused(error) from error

    def _columns(self, table: str) -> dict[str, str]:
        try:
            found = self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,)).fetchall()
        except sqlite3.Error as error:
            raise self._refused(error) from error
        return {plain(name): name for (name,) in found}

    def _find_tables(self) -> dict[str, list[str]]:
        """Find the plain tables; a view or a virtual table would run what its writer says."""
        self._connection.execute("BEGIN")
        statement = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        found: dict[str, list[str]] = {}
        for name, sql in self._connection.execute(statement):
            if isinstance(name, str) and not " ".join(str(sql).upper().split()).startswith("CREATE VIRTUAL"):
                found.setdefault(plain(name), []).append(name)
        if "projectstates" not in found:
            raise NotADatabase(self.path, "it has no table ProjectStates")
        return found

    def _open(self) -> sqlite3.Connection:
        """Open the file so that nothing is written beside it, whoever has it open or left it unfinished."""
        try:
            with open(open_regular(self.path), "rb") as file:
                header = file.read(100)
        except OSError as error:
            raise NotADatabase(self.path, error.strerror or str(error)) from error
        if not header.startswith(HEADER) or len(header) < 100:
            raise NotADatabase(self.path, "it is not a SQLite database")
        path, options = self.path, "mode=ro"
        is_wal = header[19] == _WAL
        if _has_content(self.path + "-journal") or (
            is_wal and _has_content(self.path + "-wal") and not self._is_open()
        ):
            path = self._copy()  # what a program left unfinished is finished in the copy
        elif is_wal and not os.path.lexists(self.path + "-wal"):
            options = "mode=ro&immutable=1"  # else SQLite would make a log beside it
        try:
            connection = sqlite3.connect(f"file:{quote(path)}?{options}", uri=True, isolation_level=None)
        except sqlite3.Error as error:
            raise self._refused(error) from error
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        limit = getattr(connection, "setlimit", None)
        if limit is not None:
            limit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES_LIMIT)
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
            with suppress(sqlite3.Error):  # a damaged file says so where it is read
                connection.execute(f"PRAGMA {pragma}")
        return connection

    def _is_open(self) -> bool:
        """Tell whether a program has the database open, and so keeps the index of its log."""
        return os.path.lexists(self.path + "-shm")

    def _copy(self) -> str:
        self._scratch = TemporaryDirectory(prefix="aura-import-")
        target = os.path.join(self._scratch.name, "database")
        try:
            for suffix in ("", "-wal", "-journal"):
                if suffix == "" or _has_content(self.path + suffix):
                    _copy_file(self.path + suffix, target + suffix)
        except OSError as error:
            self._scratch.cleanup()
            raise NotADatabase(self.path, f"it cannot be copied: {error.strerror or error}") from error
        return target

    def _refused(self, error: Exception) -> NotADatabase:
        return NotADatabase(
            self.path, str(error) or type(error).__name__,
            hint='If it is damaged, `sqlite3 FILE ".recover" | sqlite3 NEW` may save what is left of it.',
        )  # fmt: skip


def plain(name: str) -> str:
    """Return a table's or column's name as both schemas have it: small letters, no underscores."""
    return name.replace("_", "").lower()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _copy_file(source: str, target: str) -> None:
    with open(open_regular(source), "rb") as file, open(target, "xb") as made:
        while block := file.read(_BLOCK):
            made.write(block)


def _has_content(path: str) -> bool:
    try:
        return os.stat(path).st_size > 0
    except OSError:
        return False
