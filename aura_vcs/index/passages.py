"""The texts of every version, in a database of their own beside the index: made when somebody searches.

A passage that stays as it is through many versions is one row. The file is bounded, can be deleted at any time, and
is made again by the next search. Nothing in it is needed to read the project.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec
from blake3 import blake3

from aura_vcs.errors.integrity import StorageError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.full_text import match_of
from aura_vcs.plain_text import path_of_text, path_text
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage

SCHEMA = 2
TEXT_BYTES_LIMIT = 64 << 20
"""So much text is kept in all, that of the newest versions; with what finds it, the file is about twice as large."""
PAGE_BYTES = 4096
_TABLES = """
CREATE TABLE paths (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
CREATE TABLE known (version TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, path INTEGER NOT NULL, hash BLOB NOT NULL, kind TEXT NOT NULL, place TEXT NOT NULL,
  first INTEGER NOT NULL, first_blob TEXT NOT NULL, last INTEGER NOT NULL, last_blob TEXT NOT NULL);
CREATE UNIQUE INDEX passages_by_hash ON passages (path, hash);
CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (text, columnsize = 0, tokenize = 'unicode61 remove_diacritics 2');
"""
_FIND = (
    "SELECT p.id, n.path, p.kind, p.place, p.first, p.first_blob, p.last, p.last_blob, p.hash, "
    "snippet(texts, 0, '[', ']', ' … ', 16) FROM texts JOIN passages p ON p.id = texts.rowid "
    "JOIN paths n ON n.id = p.path WHERE texts MATCH ? ORDER BY texts.rank LIMIT ?"
)
_ENTER = (
    "INSERT INTO passages (path, hash, kind, place, first, first_blob, last, last_blob) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (path, hash) DO UPDATE SET "
    "first_blob = CASE WHEN excluded.first < first THEN excluded.first_blob ELSE first_blob END, "
    "first = min(first, excluded.first), "
    "place = CASE WHEN excluded.last > last THEN excluded.place ELSE place END, "
    "last_blob = CASE WHEN excluded.last > last THEN excluded.last_blob ELSE last_blob END, "
    "last = max(last, excluded.last)"
)


class FoundPassage(msgspec.Struct, frozen=True):
    """A passage in which all the words occur; `excerpt` marks them with [ ].

    `first` and `last` are the numbers of the lowest and highest version that were seen to bring it, with the blobs
    that had it then.
    """

    row: int
    path: str
    kind: str
    place: str
    first: int
    first_blob: ObjectId
    last: int
    last_blob: ObjectId
    hash: bytes
    excerpt: str


class IndexedPassage(msgspec.Struct, frozen=True):
    """A passage to be entered: of which file, from which version and blob."""

    path: str
    kind: str
    place: str
    text: str
    number: int
    blob: ObjectId


class PassageIndex:
    """The database of texts; in memory where there is no place to write."""

    def __init__(self, place: LocalStorage | None, name: str) -> None:
        self._place, self._name = place, name
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        if self._place is not None:
            try:
                return self._opened(self._place)
            except (StorageError, databases.ManyNames, sqlite3.DatabaseError):
                pass
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        _create(connection)
        return connection

    def _opened(self, place: LocalStorage) -> sqlite3.Connection:
        """Open the file; make it anew where it is of another version or damaged."""
        for again in (False, True):
            connection = databases.connect(place, self._name, timeout=10, page_bytes=PAGE_BYTES)
            try:
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    _create(connection)
                elif version != SCHEMA:
                    raise sqlite3.DatabaseError(f"schema {version}")
                connection.execute("SELECT count(*) FROM known").fetchone()
                return connection
            except sqlite3.DatabaseError:
                connection.close()
                if again:
                    raise
                databases.remove(place, self._name)
        raise AssertionError

    def known(self) -> set[VersionId]:
        """Return the versions that were read."""
        return {row[0] for row in self._connection.execute("SELECT version FROM known")}

    def is_full(self) -> bool:
        """Tell whether there is as much text as may be."""
        return self._bytes() >= TEXT_BYTES_LIMIT

    def _bytes(self) -> int:
        row = self._connection.execute("SELECT value FROM totals WHERE name = 'bytes'").fetchone()
        return int(row[0]) if row else 0

    def enter(self, passages: Iterable[IndexedPassage], versions: Sequence[VersionId]) -> None:
        """Enter what versions say, and note that they were read; all of it or nothing."""
        connection = self._connection
        together = _together(passages)
        connection.execute("BEGIN IMMEDIATE")
        try:
            added = sum(self._enter(*one) for one in together)
            connection.execute("INSERT OR REPLACE INTO totals VALUES ('bytes', ?)", (self._bytes() + added,))
            connection.executemany("INSERT OR IGNORE INTO known VALUES (?)", [(version,) for version in versions])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _enter(self, key: bytes, first: IndexedPassage, last: IndexedPassage) -> int:
        """Enter one, as the lowest and the highest version have it; returns the bytes of text that came with it."""
        connection, name = self._connection, path_text(first.path)
        connection.execute("INSERT OR IGNORE INTO paths (path) VALUES (?)", (name,))
        path = connection.execute("SELECT id FROM paths WHERE path = ?", (name,)).fetchone()[0]
        known = connection.execute("SELECT 1 FROM passages WHERE path = ? AND hash = ?", (path, key)).fetchone()
        values = (path, key, last.kind, last.place, first.number, first.blob, last.number, last.blob)
        row = connection.execute(_ENTER, values).lastrowid
        if known is not None:
            return 0
        connection.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (row, last.text))
        return len(last.text.encode())

    def find(self, text: str, limit: int) -> list[FoundPassage]:
        """Find the passages in which all the words occur (each as a prefix too), best first."""
        match = match_of(text)
        if not match:
            return []
        rows = self._connection.execute(_FIND, (match, limit))
        return [FoundPassage(row, path_of_text(path), *rest) for row, path, *rest in rows]

    def counts(self) -> tuple[int, int, int]:
        """Count the files, passages and versions that are entered."""
        tables = ("paths", "passages", "known")
        found = [self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
        return found[0], found[1], found[2]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _together(passages: Iterable[IndexedPassage]) -> list[tuple[bytes, IndexedPassage, IndexedPassage]]:
    """Bring together what is the same in several versions: its hash, and how the lowest and the highest have it."""
    found: dict[tuple[str, bytes], tuple[IndexedPassage, IndexedPassage]] = {}
    for passage in passages:
        key = passage.path, hash_of(passage.text, passage.kind)
        first, last = found.get(key, (passage, passage))
        first = passage if passage.number < first.number else first
        found[key] = first, passage if passage.number > last.number else last
    return [(digest, first, last) for (_, digest), (first, last) in found.items()]


def hash_of(text: str, kind: str) -> bytes:
    """Hash what distinguishes passages of one file."""
    return blake3(f"{kind}\0{text}".encode("utf-8", "surrogatepass")).digest(length=12)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    statement = ""
    for line in _TABLES.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute(f"PRAGMA user_version={SCHEMA}")
    connection.execute("COMMIT")
