"""Rows of the index as plain data."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aura_vcs.codec import decode_record, encode_compact
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.index.rows import earliest_key, operation_id, segment_of_key, time_key, time_of_key
from aura_vcs.model import DOCUMENTS, Label, Version, VersionType


class VersionRecord(msgspec.Struct, frozen=True):
    """A version with its label: everything that a list of versions shows.

    `size_bytes` counts the content of all its files. `documents` has all five names.
    """

    id: VersionId
    number: int
    type: VersionType
    trigger: str | None
    name: str
    description: str
    author: str
    created_at: str
    parents: tuple[VersionId, ...]
    tree: ObjectId
    branch: str | None
    important: bool
    deleted_at: str | None
    deleted_by: str | None
    purged_at: str | None
    purged_by: str | None
    purge_reason: str | None
    size_bytes: int
    documents: dict[str, ObjectId | None]
    updated_at: str | None
    updated_by: str | None

    @property
    def is_live(self) -> bool:
        """Whether it is neither deleted nor purged."""
        return self.deleted_at is None and self.purged_at is None


class ActionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions are wanted: None is any; times in RFC 3339."""

    type: str | None = None
    user: str | None = None
    status: str | None = None
    correlation_id: str | None = None
    since: str | None = None
    until: str | None = None
    session: str | None = None

    def matches(self, action: Any, status: str) -> bool:
        """Tell whether an action of this status is wanted; it has a type, a user, a time and a correlation id."""
        same = (("type", self.type), ("user", self.user), ("correlation_id", self.correlation_id))
        return (
            all(value is None or getattr(action, name) == value for name, value in same)
            and self.status in (None, status)
            and (self.since is None or action.time >= self.since)
            and (self.until is None or action.time <= self.until)
            and (self.session is None or getattr(action, "session", None) == self.session)
        )


EVERY_ACTION = ActionFilter()


class ActionRecord(msgspec.Struct, frozen=True):
    """An operation as the list of actions shows it; `start`, `end` and `segment` locate its line."""

    id: str
    replica: str
    sequence: int
    start: int
    end: int
    type: str
    description: str
    user: str
    time: str
    status: str
    undoable: bool
    undone_at: str | None
    undone_by: str | None
    expires_at: str | None
    correlation_id: str | None
    segment: str | None
    session: str | None = None


class ObjectRecord(msgspec.Struct, frozen=True, gc=False):
    """An object as the index knows it; sizes in bytes."""

    id: ObjectId
    kind: str
    content_type: str | None
    size: int
    stored_size: int
    pack: str | None
    chunked: bool
    refcount: int
    created_at: str
    last_referenced_at: str


_ROWS_AT_ONCE = 180
"""With all their documents, not more values than every SQLite takes in one statement."""
_PARENTS = (
    "SELECT p.version, coalesce(v.id, a.id) FROM parents p LEFT JOIN versions v ON v.row = p.parent "
    "LEFT JOIN awaited a ON a.row = p.parent"
)
VERSION_COLUMNS = (
    'v.row, v.id, v.number, v.type, v."trigger", v.name, v.description, v.author, v.created_at, v.tree, v.branch, '
    "v.important, "
    "v.deleted_at, v.deleted_by, v.purged_at, v.purged_by, v.purge_reason, v.size, v.updated_at, v.updated_by, "
    + ", ".join(f"v.{name}" for name in DOCUMENTS)
)
ACTION_COLUMNS = (
    'a.id, a.replica, a.sequence, a."start", a."end", a.type, a.description, a.user, a.time, a.status, a.undoable, '
    "a.undone_at, a.undone_by, a.expires_at, a.correlation_id, a.segment, a.session"
)


def version_row(
    version_id: VersionId, version: Version, label: Label, *, counted: bool, paths_known: bool
) -> dict[str, Any]:
    """Return the columns of a version's row."""
    return {
        "id": bytes.fromhex(version_id),
        "number": version.number,
        "type": version.type,
        "trigger": version.trigger,
        "author": version.author,
        "created_at": time_key(version.created_at),
        "tree": bytes.fromhex(version.tree),
        "size": version.size,
        "branch": label.branch,
        "counted": counted,
        "paths_known": paths_known,
        **label_columns(label),
    }


def label_columns(label: Label) -> dict[str, Any]:
    """Return the columns that change with a label."""
    return {
        "name": label.name,
        "description": label.description,
        "important": label.important,
        "deleted_at": label.deleted_at,
        "deleted_by": label.deleted_by,
        "purged_at": label.purged_at,
        "purged_by": label.purged_by,
        "purge_reason": label.purge_reason,
        "stamps": encode_compact(label.stamps).decode(),
        "updated_at": time_key(label.updated_at) if label.updated_at is not None else None,
        "updated_by": label.updated_by,
    }


LABEL_COLUMNS = (
    "id, number, name, branch, description, important, deleted_at, deleted_by, purged_at, purged_by, purge_reason, "
    "stamps, updated_at, updated_by"
)


def stored_label(row: tuple[Any, ...]) -> Label:
    """Build the label that a row of LABEL_COLUMNS was made from."""
    (version, number, name, branch, description, important, *rest) = row
    (deleted_at, deleted_by, purged_at, purged_by, purge_reason, stamps, updated_at, updated_by) = rest
    stored_stamps: dict[str, tuple[int, ReplicaId]] = {}
    if stamps != "{}":
        stored_stamps = decode_record(stamps.encode(), dict[str, tuple[int, ReplicaId]], "stamps")
    return Label(
        version=VersionId(ObjectId(version.hex())), number=number, name=name, branch=branch, description=description,
        important=bool(important),
        deleted_at=deleted_at, deleted_by=deleted_by, purged_at=purged_at, purged_by=purged_by,
        purge_reason=purge_reason, stamps=stored_stamps,
        updated_at=None if updated_at is None else time_of_key(updated_at), updated_by=updated_by,
    )  # fmt: skip


def version_record(
    row: tuple[Any, ...], parents: tuple[VersionId, ...], documents: Mapping[int | None, ObjectId | None]
) -> VersionRecord:
    """Build a record from a row of VERSION_COLUMNS, given the blobs of documents by their numbers."""
    (number, type_, trigger, name, description, author, created_at, tree, branch, important) = row[2:12]
    (deleted_at, deleted_by, purged_at, purged_by, purge_reason, size, updated_at, updated_by, *held) = row[12:]
    return VersionRecord(
        id=VersionId(ObjectId(row[1].hex())), number=number, type=VersionType(type_), trigger=trigger, name=name,
        description=description, author=author, created_at=time_of_key(created_at), parents=parents,
        tree=ObjectId(tree.hex()), branch=branch, important=bool(important),
        deleted_at=deleted_at, deleted_by=deleted_by, purged_at=purged_at, purged_by=purged_by,
        purge_reason=purge_reason, size_bytes=size,
        documents=dict(zip(DOCUMENTS, map(documents.__getitem__, held), strict=True)),
        updated_at=None if updated_at is None else time_of_key(updated_at), updated_by=updated_by,
    )  # fmt: skip


def action_record(row: tuple[Any, ...]) -> ActionRecord:
    """Build a record from a row of ACTION_COLUMNS."""
    fields = list(row)
    fields[0] = operation_id(row[0])
    fields[8] = time_of_key(fields[8])
    fields[10] = bool(fields[10])
    fields[15] = segment_of_key(fields[1], fields[15])
    return ActionRecord(*fields)


def version_records(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> list[VersionRecord]:
    """Build records for rows of VERSION_COLUMNS, with parents and documents looked up together."""
    parents: dict[int, list[VersionId]] = {}
    documents: dict[int | None, ObjectId | None] = {None: None}
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        group = rows[start : start + _ROWS_AT_ONCE]
        marks = ",".join("?" * len(group))
        statement = f"{_PARENTS} WHERE p.version IN ({marks}) ORDER BY 1, position"
        for version, parent in connection.execute(statement, [row[0] for row in group]):
            parents.setdefault(version, []).append(VersionId(ObjectId(parent.hex())))
        if held := {one for row in group for one in row[-len(DOCUMENTS) :]} - documents.keys():
            marks = ",".join("?" * len(held))
            for number, digest in connection.execute(
                f"SELECT row, id FROM documents WHERE row IN ({marks})", list(held)
            ):
                documents[number] = ObjectId(digest.hex())
    return [version_record(row, tuple(parents.get(row[0], ())), documents) for row in rows]


def newest_first(actions: Iterable[ActionRecord]) -> list[ActionRecord]:
    """Sort the actions, done last first: a replica's by their numbers, those of several by the clock.

    What a clock that was ahead has dated stands before what the same replica did next.
    """
    by_replica: dict[str, dict[int, ActionRecord]] = {}
    for action in actions:
        by_replica.setdefault(action.replica, {})[action.sequence] = action
    placed: list[tuple[str, int, ActionRecord]] = []
    for numbered in by_replica.values():
        latest = ""
        for sequence in sorted(numbered, reverse=True):
            action = numbered[sequence]
            latest = min(latest, action.time) if latest else action.time
            placed.append((latest, sequence, action))
    placed.sort(key=lambda item: item[:2], reverse=True)
    return [action for *_, action in placed]


def actions_clause(wanted: ActionFilter, at: str | None) -> tuple[str, list[Any]]:
    """Build the WHERE and ORDER BY that answer `Queries.actions`, and their values."""
    parts, values = list[str](), list[Any]()
    status = wanted.status
    chosen = (
        ("a.type = ?", wanted.type), ("a.user = ?", wanted.user),
        ("a.status = ?", "Applied" if status == "Expired" else status),
        ("a.correlation_id = ?", wanted.correlation_id), ("a.session = ?", wanted.session),
        ("a.time >= ?", None if wanted.since is None else earliest_key(wanted.since)),
        ("a.time <= ?", None if wanted.until is None else earliest_key(wanted.until)),
        ("a.expires_at <= ?", at if status == "Expired" else None),
        ("(a.expires_at IS NULL OR a.expires_at > ?)", at if status == "Applied" else None),
    )  # fmt: skip
    for part, value in chosen:
        if value is not None:
            parts.append(part)
            values.append(value)
    where = f"WHERE {' AND '.join(parts)} " if parts else ""
    return f"{where}ORDER BY a.time DESC, a.sequence DESC", values


def expired_at(action: ActionRecord, at: str) -> ActionRecord:
    over = action.status == "Applied" and action.expires_at is not None and action.expires_at <= at
    return msgspec.structs.replace(action, status="Expired") if over else action
