"""The tables of the index as they are, for looking at them; nothing here is meant to be quick."""

import sqlite3
from typing import Any

from aura_vcs.index.index import Index


def table_sizes(index: Index) -> dict[str, int]:
    """Count the rows that each table has."""
    connection = index.database.connection
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words%' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY name"
    ).fetchall()
    return {name: _size(connection, name) for (name,) in names}


def _size(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def table_rows(index: Index, table: str, limit: int) -> list[dict[str, Any]]:
    """List the first rows of a table, by column; bytes in hexadecimal. `table` is one of `table_sizes`."""
    cursor = index.database.connection.execute(f'SELECT * FROM "{table}" LIMIT ?', [limit])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor]


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
