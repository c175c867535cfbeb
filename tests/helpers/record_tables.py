"""The tables of checkpoints and exports, which the index makes with the first of them."""

import sqlite3

from aura_vcs.index.schema import RECORD_TABLES, statements


def make_record_tables(connection: sqlite3.Connection) -> None:
    """Make them, empty, where nothing was entered yet."""
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'checkpoints'").fetchone() is None:
        for statement in statements(RECORD_TABLES):
            connection.execute(statement)
