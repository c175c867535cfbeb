"""The full-text table: names and descriptions of versions, the folder's scripts, and those of old versions.

Rows of `words` with odd numbers are what versions are called: twice the number of the version's row, and one. Every
other has one of `word_rows`, whose `source` says what it is about: "project", "scene/<file>", "note/<id>", or
"blob/<half of its id>" for a document of an old version, which was first found at `path` in `version`. The rows of
a blob are kept as long as the blob is.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.database import Database
from aura_vcs.index.object_locations import groups
from aura_vcs.index.schema import HAS_ID
from aura_vcs.plain_text import as_text

NOTE_DIGITS = 8
TEXT_LIMIT = 20_000
"""Characters of a name, description or script that are entered: rows stay small."""


class SearchHit(msgspec.Struct, frozen=True):
    """Where words were found; `excerpt` marks them with [ ].

    `path` is the document's, `version` the version's that is meant or that first had the document. The name of a note
    is its id; `path` and `version` are what it is about.
    """

    kind: Literal["project", "scene", "version", "script", "note"]
    path: str | None
    version: VersionId | None
    name: str
    excerpt: str
    blob: ObjectId | None = None


class Script(msgspec.Struct, frozen=True):
    """The words of one document of a version."""

    blob: ObjectId
    path: str
    version: VersionId
    name: str
    description: str
    script: str


SEARCH = (
    "SELECT coalesce(r.source, 'version/' || lower(hex(v.id))), words.name, "
    "snippet(words, -1, '[', ']', ' … ', 16), NULL, NULL FROM words LEFT JOIN word_rows r ON r.id = words.rowid "
    "LEFT JOIN versions v ON words.rowid % 2 = 1 AND v.row = words.rowid / 2 "
    "WHERE words MATCH ? AND r.blob IS NULL AND (v.id IS NULL OR v.deleted_at IS NULL) "
    "ORDER BY words.rank LIMIT ?"
)
SEARCH_WITH_NOTES = SEARCH.replace("NULL, NULL", "a.path, a.version").replace(
    "WHERE", "LEFT JOIN annotations a ON a.room = 'notes' AND a.id = substr(r.source, 6) WHERE", 1
)
"""The same where there is a table of annotations: with what notes are about."""
SEARCH_OLD = (
    "SELECT r.blob, r.path, r.version, words.name, snippet(words, -1, '[', ']', ' … ', 16) FROM words "
    "JOIN word_rows r ON r.rowid = words.rowid JOIN objects o ON substr(o.id, 1, 6) = substr(r.blob, 1, 6) "
    "AND o.id = r.blob "
    "WHERE words MATCH ? AND o.refcount > 0 AND NOT EXISTS (SELECT 1 FROM word_rows f JOIN words w ON w.rowid = f.id "
    "WHERE f.source = CASE r.path WHEN 'project.json' THEN 'project' ELSE 'scene/' || r.path END "
    "AND w.name = words.name AND w.description = words.description AND w.script = words.script) "
    "ORDER BY words.rank LIMIT ?"
)
"""Documents of versions that some version still has, but for those that the folder has just so."""


class WordTable:
    """The full-text table of one index."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sqlite3.Connection = database.connection

    def search(self, text: str, limit: int = 50) -> list[SearchHit]:
        """Find where all the words occur (each as a prefix too) in the folder and in what versions are called.

        Best first; nothing for no words.
        """
        statement = "SELECT 1 FROM sqlite_schema WHERE name = 'annotations'"
        has_notes = self._connection.execute(statement).fetchone() is not None
        search = SEARCH_WITH_NOTES if has_notes else SEARCH
        return [_found(*row) for row in self._rows(search, text, limit)]

    def search_old(self, text: str, limit: int = 50) -> list[SearchHit]:
        """Search as `search` does in documents of versions that are not as the folder has them."""
        return [
            SearchHit("script", path, VersionId(ObjectId(version.hex())), name, excerpt, ObjectId(blob.hex()))
            for blob, path, version, name, excerpt in self._rows(SEARCH_OLD, text, limit)
        ]

    def unread(self) -> list[tuple[VersionId, ObjectId]]:
        """List ids and trees of live versions whose documents have not been entered, oldest first."""
        rows = self._connection.execute(
            "SELECT id, tree FROM versions WHERE NOT words_known AND deleted_at IS NULL AND purged_at IS NULL "
            "ORDER BY number"
        )
        return [(VersionId(ObjectId(version.hex())), ObjectId(tree.hex())) for version, tree in rows]

    def indexed(self, blobs: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of the blobs that are entered."""
        found: set[ObjectId] = set()
        for group in groups(blobs):
            marks = ", ".join("?" * len(group))
            sources = list(map(source_of_blob, group))
            rows = self._connection.execute(f"SELECT blob FROM word_rows WHERE source IN ({marks})", sources)
            found.update(ObjectId(row[0].hex()) for row in rows)
        return found

    def add(self, scripts: Iterable[Script], versions: Iterable[VersionId]) -> None:
        """Enter documents, and note that those of `versions` are entered."""
        with self._database.transaction() as connection:
            for item in scripts:
                source = source_of_blob(item.blob)
                number = put_words(connection, source, item.name, item.description, item.script)
                connection.execute(
                    "UPDATE word_rows SET blob = ?, path = ?, version = ? WHERE id = ?",
                    (bytes.fromhex(item.blob), item.path, bytes.fromhex(item.version), number),
                )
            statement = f"UPDATE versions SET words_known = 1 WHERE {HAS_ID}"
            connection.executemany(statement, [(bytes.fromhex(version),) for version in versions])

    def _rows(self, statement: str, text: str, limit: int) -> Iterable[tuple[Any, ...]]:
        match = match_of(text)
        return self._connection.execute(statement, (match, limit)) if match else []


def match_of(text: str) -> str:
    """Return the words of a search as SQLite's full-text index takes them: each may go on; "" for no words."""
    words = [word.replace('"', "") for word in as_text(text).split()]
    return " ".join(f'"{word}"*' for word in words if any(c.isalnum() for c in word))


def put_words(connection: sqlite3.Connection, source: str, name: str, description: str, script: str) -> int:
    """Enter the words of a source in place of those it had; returns the row's number."""
    forget_words(connection, source)
    statement = "INSERT INTO word_rows (id, source) VALUES ((SELECT coalesce(max(id), 0) + 2 FROM word_rows), ?)"
    number = connection.execute(statement, (source,)).lastrowid
    assert number is not None
    statement = "INSERT INTO words (rowid, name, description, script) VALUES (?, ?, ?, ?)"
    texts = (text[:TEXT_LIMIT] for text in (name, description, script))
    connection.execute(statement, (number, *texts))
    return number


def forget_words(connection: sqlite3.Connection, source: str) -> None:
    """Remove the words of a source."""
    row = connection.execute("SELECT id FROM word_rows WHERE source = ?", (source,)).fetchone()
    if row is not None:
        connection.execute("DELETE FROM words WHERE rowid = ?", row)
        connection.execute("DELETE FROM word_rows WHERE id = ?", row)


def forget_blobs(connection: sqlite3.Connection, blobs: Iterable[ObjectId]) -> None:
    """Remove the words of documents that are gone."""
    if connection.execute("SELECT 1 FROM word_rows WHERE source >= 'blob/' AND source < 'blob0' LIMIT 1").fetchone():
        for blob in blobs:
            forget_words(connection, source_of_blob(blob))


def source_of_blob(blob: ObjectId) -> str:
    """Return the source of a document's words; 128 bits of its id distinguish it from others."""
    return f"blob/{blob[:32]}"


def _found(source: str, name: str, excerpt: str, path: str | None, version: str | None) -> SearchHit:
    kind, _, rest = source.partition("/")
    if kind == "note":
        about = None if version is None else VersionId(ObjectId(version))
        return SearchHit("note", path, about, rest[:NOTE_DIGITS], excerpt)
    if kind == "version":
        return SearchHit("version", None, VersionId(ObjectId(rest)), name, excerpt)
    if kind == "scene":
        return SearchHit("scene", rest, None, name, excerpt)
    return SearchHit("project", "project.json", None, name, excerpt)
