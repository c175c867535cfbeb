"""Numbers that stand for versions and documents in rows, where their ids would be sixteen times as long."""

import sqlite3

from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.schema import HAS_ID

ROW = f"(SELECT row FROM versions WHERE {HAS_ID} UNION ALL SELECT row FROM awaited WHERE id = ?1)"
"""The row of the version whose id is the statement's first value, or the one that is kept for it."""
_NEXT = "SELECT max(coalesce((SELECT max(row) FROM versions), 0), coalesce((SELECT max(row) FROM awaited), 0)) + 1"


def row_of(connection: sqlite3.Connection, version: VersionId) -> int:
    """Return the row of a version, or the one that is kept for it from now on, where it has not come."""
    digest = bytes.fromhex(version)
    row = connection.execute(ROW[1:-1], (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    number = int(connection.execute(_NEXT).fetchone()[0])
    connection.execute("INSERT INTO awaited VALUES (?, ?)", (number, digest))
    return number


def new_row(connection: sqlite3.Connection, version: VersionId) -> int:
    """Return the row for a version that has none: the one that is kept for it, or the next."""
    digest = bytes.fromhex(version)
    row = connection.execute("SELECT row FROM awaited WHERE id = ?", (digest,)).fetchone()
    if row is None:
        return int(connection.execute(_NEXT).fetchone()[0])
    connection.execute("DELETE FROM awaited WHERE row = ?", row)
    return int(row[0])


def document_row(connection: sqlite3.Connection, blob: ObjectId) -> int:
    """Return the number of a document's content, which it gets here if it has none."""
    digest = bytes.fromhex(blob)
    row = connection.execute(f"SELECT row FROM documents WHERE {HAS_ID}", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    return int(connection.execute("INSERT INTO documents (id) VALUES (?)", (digest,)).lastrowid or 0)
