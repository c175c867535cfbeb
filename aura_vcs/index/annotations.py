"""Rows for notes, provenance and recipes, and what is asked of them.

A row holds the whole annotation; beside it stand what lists ask for: what it is about, and whether a note is open.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aura_vcs.codec import decode_record, encode_compact
from aura_vcs.index.costs import put_costs
from aura_vcs.index.database import Database
from aura_vcs.index.full_text import forget_words, put_words
from aura_vcs.index.schema import ANNOTATION_TABLE, statements
from aura_vcs.model import Annotation
from aura_vcs.refs.annotations import NOTE, PROVENANCE, is_deleted, merge_annotations, value_of

OPEN, RESOLVED, GONE, PRESENT = "open", "resolved", "deleted", "present"
"""The states of rows: the first two are of notes."""
WORDING, REPLY = "wording/", "reply/"
"""What the keys of a note's texts begin with."""


def has_table(connection: sqlite3.Connection) -> bool:
    """Tell whether anything was ever entered here."""
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'annotations'").fetchone() is not None


def put_annotations(connection: sqlite3.Connection, room: str, found: Iterable[Annotation]) -> None:
    """Enter annotations of a kind, inside the caller's transaction; see `put_annotation`."""
    for item in found:
        put_annotation(connection, room, item)


def put_annotation(connection: sqlite3.Connection, room: str, item: Annotation) -> None:
    """Enter an annotation, merged with what its row has: copies come one by one, in any order."""
    if not has_table(connection):
        for statement in statements(ANNOTATION_TABLE):
            connection.execute(statement)
    row = connection.execute(
        "SELECT rowid, record FROM annotations WHERE room = ? AND id = ?", (room, item.id)
    ).fetchone()
    if row is not None:
        item = merge_annotations(decode_record(row[1], Annotation, item.id), item)
    target = value_of(item, "target")
    target = target if isinstance(target, dict) else {}
    times = [field.updated_at for field in item.fields.values()]
    created = value_of(item, "created_at")
    state = state_of(room, item)
    columns = (
        state,
        created if isinstance(created, str) else min(times, default=""),
        max(times, default=""),
        *(value if isinstance(value := target.get(key), str) else None for key in ("path", "version", "content")),
        encode_compact(item),
    )
    if row is not None:
        connection.execute(
            "UPDATE annotations SET state = ?, created_at = ?, updated_at = ?, path = ?, version = ?, content = ?, "
            "record = ? WHERE rowid = ?",
            (*columns, row[0]),
        )
    else:
        connection.execute("INSERT INTO annotations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (room, item.id, *columns))
    if room == NOTE:
        _put_words(connection, item, state)
    elif room == PROVENANCE:
        put_costs(connection, item)


def state_of(room: str, item: Annotation) -> str:
    """Tell what state an annotation is in."""
    if is_deleted(item):
        return GONE
    if room != NOTE:
        return PRESENT
    return RESOLVED if value_of(item, "resolved") else OPEN


def texts(item: Annotation, start: str) -> list[tuple[str, str]]:
    """List the texts of a note whose keys begin so, oldest first: key and text."""
    found = []
    for key, field in item.fields.items():
        text = field.value.get("text") if isinstance(field.value, dict) else None
        if key.startswith(start) and isinstance(text, str):
            found.append((field.stamp, key, text))
    return [(key, text) for _, key, text in sorted(found)]


def _put_words(connection: sqlite3.Connection, item: Annotation, state: str) -> None:
    source = f"note/{item.id}"
    if state == GONE:
        forget_words(connection, source)
        return
    wordings = texts(item, WORDING)
    replies = "\n".join(text for _, text in texts(item, REPLY))
    put_words(connection, source, wordings[-1][1] if wordings else "", replies, "")


class AnnotationTable:
    """The annotations of one index."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connection

    def get(self, room: str, annotation_id: str) -> Annotation | None:
        """Return an annotation, deleted or not; None if there is none."""
        found = self._found("WHERE room = ? AND id = ?", [room, annotation_id])
        return found[0] if found else None

    def with_prefix(self, room: str, prefix: str, limit: int = 10) -> list[Annotation]:
        """List the annotations whose id begins so."""
        return self._found(
            "WHERE room = ? AND id >= ? AND id < ? ORDER BY id LIMIT ?", [room, prefix, prefix + "g", limit]
        )

    def select(
        self, room: str, *, state: str | None = None, since: str | None = None, paths: Sequence[str] | None = None,
        versions: Sequence[str] | None = None, limit: int = -1,
    ) -> list[Annotation]:  # fmt: skip
        """Select annotations, newest first; see `walk`."""
        found = self.walk(room, state=state, since=since, paths=paths, versions=versions, limit=limit)
        return list(found)

    def walk(
        self, room: str, *, state: str | None = None, since: str | None = None, paths: Sequence[str] | None = None,
        versions: Sequence[str] | None = None, limit: int = -1,
    ) -> Iterator[Annotation]:  # fmt: skip
        """Yield annotations, newest first, one by one as they are read; without a state, those that are not deleted.

        `paths` are names that a file has had, `versions` ids; a note on one of either is meant.
        """
        parts, values = ["room = ?"], list[Any]([room])
        parts.append("state = ?" if state is not None else "state != ?")
        values.append(state if state is not None else GONE)
        if since is not None:
            parts.append("created_at >= ?")
            values.append(since)
        for column, given in (("path", paths), ("version", versions)):
            if given is not None:
                parts.append(f"{column} IN ({', '.join('?' * len(given))})")
                values += given
        return self._each(f"WHERE {' AND '.join(parts)} ORDER BY created_at DESC, id DESC LIMIT ?", [*values, limit])

    def count(self, room: str, state: str) -> int:
        """Count the annotations of a kind in a state."""
        if not has_table(self._connection):
            return 0
        statement = "SELECT count(*) FROM annotations WHERE room = ? AND state = ?"
        return int(self._connection.execute(statement, (room, state)).fetchone()[0])

    def present(self, room: str, ids: Iterable[str]) -> dict[str, Annotation]:
        """Return those of the annotations that there are and that are not deleted, by id."""
        found: dict[str, Annotation] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), 500):
            group = wanted[start : start + 500]
            marks = ", ".join("?" * len(group))
            for item in self._found(f"WHERE room = ? AND id IN ({marks}) AND state != ?", [room, *group, GONE]):
                found[item.id] = item
        return found

    def _found(self, clause: str, values: Sequence[Any]) -> list[Annotation]:
        return list(self._each(clause, values))

    def _each(self, clause: str, values: Sequence[Any]) -> Iterator[Annotation]:
        if has_table(self._connection):
            for item_id, record in self._connection.execute(f"SELECT id, record FROM annotations {clause}", values):
                yield decode_record(record, Annotation, item_id)
