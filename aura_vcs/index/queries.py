"""What the index is asked. Every statement is served by an index; a test asks the query planner."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from aura_vcs.codec import NUMBER_LIMIT
from aura_vcs.ids import ObjectId, OperationId, ReplicaId, VersionId
from aura_vcs.index.object_locations import begin_as, prefixes
from aura_vcs.index.object_queries import ObjectQueries
from aura_vcs.index.records import (
    ACTION_COLUMNS,
    EVERY_ACTION,
    LABEL_COLUMNS,
    VERSION_COLUMNS,
    ActionFilter,
    ActionRecord,
    VersionRecord,
    action_record,
    actions_clause,
    expired_at,
    newest_first,
    stored_label,
    version_records,
)
from aura_vcs.index.rows import bounds_of, digest_of, earliest_key, operation_key, time_of_key
from aura_vcs.index.schema import CHANGE_CODES, HAS_ID, PREFIX, PREFIX_BYTES, ROW
from aura_vcs.model import Label, VersionType
from aura_vcs.plain_text import clean_text, name_bytes

_ANCESTRY = (
    f"WITH RECURSIVE h (row, number) AS (SELECT row, number FROM versions WHERE {HAS_ID} UNION "
    "SELECT p.parent, v.number FROM h JOIN parents p ON p.version = h.row JOIN versions v ON v.row = p.parent "
    "ORDER BY 2 DESC) "
)
_CHANGES = {code: name for name, code in CHANGE_CODES.items()}
_ID_BYTES = 32
_OPERATION_BYTES = 16
JUMPED = 50
"""So many actions that a clock dated too late are looked past when the newest are wanted."""


PREFIX_LENGTH = 4
"""So many digits of an id name a version, where no other begins with them."""


class VersionFilter(msgspec.Struct, frozen=True):
    """Which versions are wanted; times in RFC 3339, `grep` and `author` parts of text, any case."""

    types: Sequence[VersionType] = ()
    since: str | None = None
    until: str | None = None
    author: str | None = None
    grep: str | None = None
    important: bool | None = None
    deleted: bool = False
    limit: int | None = None


class RecordedChange(msgspec.Struct, frozen=True):
    """What a version did to a path ("added", "modified", "deleted" …), who made it, and when."""

    change: str
    author: str
    at: str


class Queries(ObjectQueries):
    """Questions about versions, actions and objects."""

    # Versions

    def version(self, version: VersionId) -> VersionRecord | None:
        """Return a version by its id."""
        found = self._versions(f"WHERE {HAS_ID}", [digest_of(version)])
        return found[0] if found else None

    def versions_numbered(self, number: int) -> list[VersionRecord]:
        """List the versions with a number: several where machines gave it out offline."""
        return self._versions("WHERE v.number = ? ORDER BY v.id", [number])

    def is_shared(self, number: int) -> bool:
        """Tell whether machines gave a number out twice."""
        statement = "SELECT count(*) FROM versions WHERE number = ?"
        return int(self._index.database.connection.execute(statement, [number]).fetchone()[0]) > 1

    def versions_named(self, name: str) -> list[VersionRecord]:
        """List the versions with a name, newest first, deleted ones left out."""
        return self._versions("WHERE v.name = ? AND v.deleted_at IS NULL ORDER BY v.number DESC", [name])

    def versions_with_prefix(self, prefix: str) -> list[VersionRecord]:
        """List the versions whose id begins so."""
        bounds = bounds_of(prefix, _ID_BYTES)
        if bounds is None:
            return []
        begins = f"{PREFIX} >= substr(?1, 1, {PREFIX_BYTES}) AND {PREFIX} <= substr(?2, 1, {PREFIX_BYTES})"
        return self._versions(f"WHERE {begins} AND v.id >= ?1 AND v.id <= ?2 ORDER BY v.id", bounds)

    def origins(self, prefix: str) -> dict[str, VersionId]:
        """Return the versions whose origin begins with `prefix`, by origin; where several have one, a live one."""
        rows = self._index.database.connection.execute(
            "SELECT o.origin, v.id FROM origins o JOIN versions v ON v.row = o.version WHERE o.origin >= ? AND "
            "o.origin < ? ORDER BY v.deleted_at IS NULL AND v.purged_at IS NULL, v.id DESC",
            (prefix, prefix + "\U0010ffff"),
        )
        return {origin: _version_id(digest) for origin, digest in rows}

    def next_number(self) -> int:
        """Return the number of the next version: one more than any, also of versions that are damaged now."""
        found = self._index.database.connection.execute("SELECT max(number) FROM versions").fetchone()[0]
        lost = self._index.database.connection.execute("SELECT value FROM meta WHERE key = 'highest'").fetchone()
        return max(int(found or 0), int(lost[0]) if lost else 0) + 1

    def history(self, head: VersionId, wanted: VersionFilter) -> list[VersionRecord]:
        """List the ancestry of a version, itself included, newest first."""
        where, values = _conditions(wanted)
        return self._versions(
            f"JOIN h ON h.row = v.row {where} ORDER BY h.number DESC", [digest_of(head), *values], wanted, _ANCESTRY
        )

    def all_versions(self, wanted: VersionFilter) -> list[VersionRecord]:
        """List every version, newest first, autosaves, restore points and other branches included."""
        where, values = _conditions(wanted)
        chosen = wanted.types or wanted.since or wanted.until or wanted.important
        order = "+v.number DESC, v.id" if chosen else "v.number DESC, v.id"  # + : by the index of what is chosen
        return self._versions(f"{where} ORDER BY {order}", values, wanted)

    def labels(self) -> dict[VersionId, Label]:
        """Map every version to its label, all copies merged."""
        rows = self._index.database.connection.execute(f"SELECT {LABEL_COLUMNS} FROM versions").fetchall()
        return {label.version: label for label in map(stored_label, rows)}

    def ancestors(self, version: VersionId) -> set[VersionId]:
        """Return the ids of a version's ancestry, itself included."""
        statement = f"{_ANCESTRY} SELECT v.id FROM h JOIN versions v ON v.row = h.row"
        return {_version_id(row[0]) for row in self._index.database.connection.execute(statement, [digest_of(version)])}

    def children(self, version: VersionId) -> list[VersionId]:
        """List the versions that were made on this one."""
        statement = f"SELECT v.id FROM parents p JOIN versions v ON v.row = p.version WHERE p.parent = {ROW}"
        rows = self._index.database.connection.execute(statement, (digest_of(version),))
        return [_version_id(row[0]) for row in rows]

    def count_hanging(self, versions: Sequence[VersionId]) -> dict[VersionId, int]:
        """Count the live autosaves and restore points made on each version; versions without any are left out."""
        rows = self._index.database.connection.execute(
            f"WITH h AS (SELECT row, id FROM versions WHERE {begin_as(versions)}) "
            "SELECT h.id, count(*) FROM h JOIN parents p ON p.parent = h.row JOIN versions v ON v.row = p.version "
            "WHERE v.type <> 'manual' AND v.deleted_at IS NULL GROUP BY h.row",
            prefixes(versions),
        )
        return {found: count for digest, count in rows if (found := _version_id(digest)) in versions}

    def is_ancestor(self, older: VersionId, newer: VersionId) -> bool:
        """Tell whether `older` is `newer` or in its ancestry. Looks no further back than `older`'s number."""
        if older == newer:
            return True
        row = self._index.database.connection.execute(
            f"{_ANCESTRY} SELECT 1 FROM h WHERE h.row = {ROW.replace('?1', '?2')} LIMIT 1",
            [digest_of(newer), digest_of(older)],
        ).fetchone()
        return row is not None

    def live_versions(self) -> list[tuple[VersionId, ObjectId]]:
        """List ids and trees of the versions that hold their content."""
        rows = self._index.database.connection.execute(
            "SELECT id, tree FROM versions WHERE deleted_at IS NULL AND purged_at IS NULL ORDER BY number"
        )
        return [(_version_id(row[0]), ObjectId(row[1].hex())) for row in rows]

    def live_trees(self) -> list[tuple[str, ObjectId]]:
        """List when each version that holds its content was made, and its tree."""
        rows = self._index.database.connection.execute(
            "SELECT created_at, tree FROM versions WHERE deleted_at IS NULL AND purged_at IS NULL ORDER BY number"
        )
        return [(time_of_key(row[0]), ObjectId(row[1].hex())) for row in rows]

    def purged_holding(self, trees: set[ObjectId]) -> list[VersionRecord]:
        """List purged versions whose tree is one of `trees`."""
        found = self._versions("WHERE v.purged_at IS NOT NULL ORDER BY v.number", [])
        return [record for record in found if record.tree in trees]

    def deleted_holding(self, trees: set[ObjectId]) -> list[VersionRecord]:
        """List deleted versions, not purged yet, whose tree is one of `trees`."""
        found = self._versions("WHERE v.deleted_at IS NOT NULL AND v.purged_at IS NULL ORDER BY v.number", [])
        return [record for record in found if record.tree in trees]

    def versions_touching(self, path: str) -> dict[VersionId, bool]:
        """Map versions that changed the path, or something below it, to True; False for those that must be compared
        by their trees (the first, and those with very many changes)."""
        low = name_bytes(path)
        rows = self._index.database.connection.execute(
            "SELECT v.id FROM changed_paths c JOIN versions v ON v.row = c.version WHERE c.path = ? UNION "
            "SELECT v.id FROM changed_paths c JOIN versions v ON v.row = c.version WHERE c.path >= ? AND c.path < ?",
            (low, low + b"/", low + b"0"),
        )
        found = {_version_id(row[0]): True for row in rows}
        for (version,) in self._index.database.connection.execute("SELECT id FROM versions WHERE NOT paths_known"):
            found[_version_id(version)] = False
        return found

    def touching(self, path: str) -> list[tuple[int, VersionId, bool]]:
        """List number and id of the versions that changed the path, or something below it, newest first.

        False stands with those that must be compared by their trees: the first, those with very many changes, merges.
        """
        low, found = name_bytes(path), dict[VersionId, tuple[int, bool]]()
        merged = "EXISTS (SELECT 1 FROM parents p WHERE p.version = v.row AND p.position = 1)"
        connection = self._index.database.connection
        for clause, values in (("c.path = ?", [low]), ("c.path >= ? AND c.path < ?", [low + b"/", low + b"0"])):
            rows = connection.execute(
                f"SELECT v.id, v.number, {merged} FROM changed_paths c JOIN versions v ON v.row = c.version "
                f"WHERE {clause}",
                values,
            )
            found |= {_version_id(version): (number, not is_merge) for version, number, is_merge in rows}
        for version, number in connection.execute("SELECT id, number FROM versions WHERE NOT paths_known"):
            found[_version_id(version)] = number, False
        return sorted(((n, i, is_sure) for i, (n, is_sure) in found.items()), key=lambda item: (-item[0], item[1]))

    def path_changes(self, path: str) -> list[RecordedChange]:
        """List what live versions did to a path, oldest first; the first version is not among them."""
        rows = self._index.database.connection.execute(
            "SELECT c.change, v.author, v.created_at FROM changed_paths c JOIN versions v ON v.row = c.version "
            "WHERE c.path = ? AND v.deleted_at IS NULL ORDER BY v.number, v.created_at",
            (name_bytes(path),),
        )
        return [RecordedChange(_CHANGES[change], author, time_of_key(at)) for change, author, at in rows]

    def first_version(self) -> RecordedChange:
        """Return who made the oldest version that is known, and when."""
        row = self._index.database.connection.execute(
            "SELECT author, created_at FROM versions ORDER BY number, created_at LIMIT 1"
        ).fetchone()
        return RecordedChange("added", row[0], time_of_key(row[1]))

    def names(self) -> list[str]:
        """List what versions are called, for suggestions: the newest thousand."""
        rows = self._index.database.connection.execute(
            "SELECT name, number, id FROM versions WHERE deleted_at IS NULL ORDER BY number DESC LIMIT 1000"
        ).fetchall()
        given = Counter(row[1] for row in rows)
        called = [f"v{n}" if given[n] == 1 else f"v{n}.{version.hex()[:PREFIX_LENGTH]}" for _, n, version in rows]
        return called + [row[0] for row in rows]

    def _versions(
        self, clause: str, values: Sequence[Any], wanted: VersionFilter | None = None, prefix: str = ""
    ) -> list[VersionRecord]:
        limit = f" LIMIT {int(wanted.limit)}" if wanted is not None and wanted.limit is not None else ""
        connection = self._index.database.connection
        asked = [clean_text(value) if isinstance(value, str) else value for value in values]  # what SQLite takes
        rows = connection.execute(f"{prefix}SELECT {VERSION_COLUMNS} FROM versions v {clause}{limit}", asked)
        return version_records(connection, rows.fetchall())

    # Actions

    def action(self, prefix: str) -> list[ActionRecord]:
        """List the actions whose id begins so; none for what cannot begin one."""
        bounds = bounds_of(prefix, _OPERATION_BYTES)
        if bounds is None:
            return []
        return self._actions("WHERE a.id BETWEEN ? AND ? ORDER BY a.id", bounds)

    def actions(
        self, wanted: ActionFilter = EVERY_ACTION, *, at: str | None = None, limit: int = 50, offset: int = 0
    ) -> list[ActionRecord]:
        """List actions, done last first, whatever the clock said; those whose time is over at `at` are Expired."""
        statement, values = actions_clause(wanted, at)
        found = self._actions(f"{statement} LIMIT ?", [*values, limit + offset + JUMPED])
        if wanted == EVERY_ACTION:
            for replica in self._replicas_of_actions():
                newest = "WHERE a.replica = ? AND a.undoable = ? ORDER BY a.sequence DESC LIMIT ?"
                for undoable in (True, False):
                    found += self._actions(newest, [replica, undoable, limit + offset])
        found = newest_first(found)[offset : offset + limit]
        return [expired_at(action, at) for action in found] if at is not None else found

    def _replicas_of_actions(self) -> list[ReplicaId]:
        """List each replica that did something, by one step of the index for each."""
        found: list[ReplicaId] = []
        statement = "SELECT min(replica) FROM actions WHERE replica > ?"
        while (
            row := self._index.database.connection.execute(statement, [found[-1] if found else ""]).fetchone()
        ) and row[0]:
            found.append(ReplicaId(row[0]))
        return found

    def newest_session(self, replica: ReplicaId) -> str | None:
        """Return the session of a program in which this replica did something last that still stands."""
        row = self._index.database.connection.execute(
            "SELECT session FROM actions WHERE session IS NOT NULL AND replica = ? AND undoable = 1 "
            "AND status = 'Applied' ORDER BY sequence DESC LIMIT 1",
            (replica,),
        ).fetchone()
        return None if row is None else str(row[0])

    def session_actions(self, replica: ReplicaId, session: str) -> list[ActionRecord]:
        """List what this replica did in a session that begins so, and that stands and can be undone, newest first."""
        return self._actions(
            "WHERE a.session >= ? AND a.session < ? AND a.replica = ? AND a.undoable = 1 AND a.status = 'Applied' "
            "ORDER BY a.sequence DESC",
            [session, session + "g", replica],
        )

    def next_undo(self, replica: ReplicaId, at: str, *, before: int | None = None) -> ActionRecord | None:
        """Return the newest action of this replica that is applied, can be taken back and has not expired at `at`.

        With `before`, the newest of those with a lower sequence number.
        """
        found = self._actions(
            "WHERE a.replica = ? AND a.undoable = 1 AND a.status = 'Applied' AND a.sequence < ? "
            "AND (a.expires_at IS NULL OR a.expires_at > ?) ORDER BY a.sequence DESC LIMIT 1",
            [replica, NUMBER_LIMIT if before is None else before, at],
        )
        return found[0] if found else None

    def expired_since(self, replica: ReplicaId, at: str, sequence: int = 0, *, limit: int) -> list[ActionRecord]:
        """Find this replica's applied actions after `sequence` whose time is over at `at`, newest first."""
        return self._actions(
            "WHERE a.replica = ? AND a.undoable = 1 AND a.status = 'Applied' AND a.sequence > ? AND a.expires_at <= ? "
            "ORDER BY a.sequence DESC LIMIT ?",
            [replica, sequence, at, limit],
        )

    def next_redo(self, replica: ReplicaId, at: str) -> ActionRecord | None:
        """Return the action that was taken back last and after which nothing new was done."""
        found = self._actions(
            "INDEXED BY actions_redoable WHERE a.replica = ? AND a.undoable = 1 AND a.redoable = 1 "
            "AND (a.expires_at IS NULL OR a.expires_at > ?) ORDER BY a.sequence LIMIT 1",
            [replica, at],
        )
        return found[0] if found else None

    def applied_since(self, replica: ReplicaId, sequence: int) -> list[ActionRecord]:
        """List this replica's applied actions after `sequence` that could be taken back, oldest first."""
        return self._actions(
            "WHERE a.replica = ? AND a.undoable = 1 AND a.sequence > ? AND a.status = 'Applied' ORDER BY a.sequence",
            [replica, sequence],
        )

    def action_by_id(self, operation: OperationId) -> ActionRecord | None:
        """Return an action by its id."""
        found = self._actions("WHERE a.id = ?", [operation_key(operation)])
        return found[0] if found else None

    def _actions(self, clause: str, values: Sequence[Any]) -> list[ActionRecord]:
        rows = self._index.database.connection.execute(f"SELECT {ACTION_COLUMNS} FROM actions a {clause}", values)
        return [action_record(row) for row in rows]


def _version_id(digest: bytes) -> VersionId:
    return VersionId(ObjectId(digest.hex()))


def _conditions(wanted: VersionFilter) -> tuple[str, list[Any]]:
    """Build the WHERE clause of a filter, and its values."""
    parts: list[str] = [] if wanted.deleted else ["v.deleted_at IS NULL"]
    values: list[Any] = []
    if wanted.types:
        parts.append(f"v.type IN ({','.join('?' * len(wanted.types))})")
        values += [str(kind) for kind in wanted.types]
    for column, sign, value in (("created_at", ">=", wanted.since), ("created_at", "<=", wanted.until)):
        if value is not None:
            parts.append(f"v.{column} {sign} ?")
            values.append(earliest_key(value))
    if wanted.author is not None:
        parts.append("instr(lower(v.author), lower(?))")
        values.append(wanted.author)
    if wanted.grep is not None:
        parts.append("(instr(lower(v.name), lower(?)) OR instr(lower(v.description), lower(?)))")
        values += [wanted.grep, wanted.grep]
    if wanted.important is not None:
        parts.append("v.important" if wanted.important else "NOT v.important")  # as the partial index says it
    return ("WHERE " + " AND ".join(parts) if parts else ""), values


def distinct_id(version: VersionId, among: Sequence[VersionRecord]) -> str:
    """Return the beginning of a version's id that no other of these has."""
    length = PREFIX_LENGTH
    while sum(record.id.startswith(version[:length]) for record in among) > 1:
        length += 1
    return version[:length]


def describe(queries: Queries, version: VersionId) -> str:
    """Name the version for a person: `v12`, or `v12.a1b2` where machines gave out the number twice."""
    record = queries.version(version)
    if record is None:
        return version[:12]
    if not queries.is_shared(record.number):
        return f"v{record.number}"
    return f"v{record.number}.{distinct_id(version, queries.versions_numbered(record.number))}"


def describe_numbered(queries: Queries, version: VersionId, number: int) -> str:
    """Name a version that may not be here, of which only the number is known, as `describe` does."""
    others = [record for record in queries.versions_numbered(number) if record.id != version]
    return f"v{number}.{distinct_id(version, others)}" if others else f"v{number}"
