"""Operations and refs become rows.

Every function runs inside the caller's transaction and may be run again with the same input.
"""

import sqlite3
from collections.abc import Iterable, Mapping

from aura_vcs import layout
from aura_vcs.codec import NUMBER_LIMIT, from_plain
from aura_vcs.errors.integrity import IntegrityError, LimitExceeded, ObjectCorrupt, ObjectMissing
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.index.new_objects import new_children_in
from aura_vcs.index.records import LABEL_COLUMNS, label_columns, stored_label, version_row
from aura_vcs.index.reference_counts import NewChildren, ReferenceCounts, tree_children
from aura_vcs.index.rows import digest_of, operation_key, segment_key, time_key
from aura_vcs.index.schema import CHANGE_CODES, CONTENT_TYPES, HAS_ID, ROW
from aura_vcs.model import ORIGIN, SESSION, Annotation, EntryKind, Label, Operation, Version
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import TreeReader
from aura_vcs.operation_log import LogLine
from aura_vcs.plain_text import name_bytes
from aura_vcs.refs.merge import merge_labels

CHANGED_PATHS_LIMIT = 2000
"""A version that changed more paths has none in the index; history then compares trees."""

_WHOLE_BATCH = (
    "id = ? OR id = (SELECT batch FROM actions WHERE id = ?) OR batch = (SELECT batch FROM actions WHERE id = ?)"
)
"""An action and, if it ends a batch, the ones before it in the batch."""
_NEXT = "SELECT max(coalesce((SELECT max(row) FROM versions), 0), coalesce((SELECT max(row) FROM awaited), 0)) + 1"


class Projector:
    """Writes rows for one transaction; `stored` and `chunks` are what has just been put."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        store: ObjectStore,
        trees: TreeReader,
        at: str,
        stored: Mapping[ObjectId, StoredObject] | None = None,
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]] | None = None,
        *,
        may_defer: bool = False,
    ) -> None:
        self._connection = connection
        self._store = store
        self._trees = trees
        self._stored = stored or {}
        self._chunks = chunks or {}
        self._documents: list[tuple[str, ObjectId]] = []
        self.is_incomplete = False
        """Whether something that is held was not here to be counted: a sync tool is still at work."""
        self.unread: set[ObjectId] = set()
        """What is held and here, and could not be read: what it holds is not counted."""
        self._may_defer = may_defer
        self.counts = ReferenceCounts(connection, self._children, at, stored)

    def closed_operation(self, operation: Operation, line: LogLine) -> None:
        """Write rows for an operation in a closed part of a log."""
        self._action(operation, line.start, line.end, line.segment)

    def operation(self, operation: Operation, start: int, end: int) -> None:
        """Write rows for an operation of a log that lies from `start` to `end`."""
        self._connection.execute(
            "INSERT INTO logs VALUES (?, ?, ?, ?) ON CONFLICT (replica) DO UPDATE SET end = excluded.end, "
            "sequence = excluded.sequence, size = excluded.size",
            (operation.replica, end, operation.sequence, end),
        )
        self._action(operation, start, end, None)

    def log_size(self, replica: ReplicaId, size: int) -> None:
        """Record how large a log was when it was read: a torn last line makes it larger than its lines."""
        self._connection.execute(
            "INSERT INTO logs VALUES (?, 0, 0, ?) ON CONFLICT (replica) DO UPDATE SET size = excluded.size",
            (replica, size),
        )

    def skip_line(self, replica: ReplicaId, end: int) -> None:
        """Skip a damaged line of a log; its operation is lost, its refs are not."""
        self._connection.execute(
            "INSERT INTO logs VALUES (?, ?, 0, ?) ON CONFLICT (replica) DO UPDATE "
            "SET end = excluded.end, sequence = sequence + 1, size = excluded.size",
            (replica, end, end),
        )

    def labels(self, operation: Operation) -> None:
        """Write rows for the versions that an operation made or changed.

        Raises:
            IntegrityError: one of them cannot be read, though it is here: it has just been written.
        """
        for name, change in operation.refs.items():
            if name.startswith("versions/") and change.after is not None:
                label = from_plain(change.after, Label, name)
                if not self.label(label) and label.version in self.unread:
                    raise ObjectCorrupt(label.version, "it cannot be read")

    def label(self, label: Label) -> bool:
        """Write the row of a version; False if the version object is not here (yet).

        Merges with what the row has: copies of a label come one by one, in any order.
        """
        row = self._connection.execute(
            f"SELECT row, tree, counted, {LABEL_COLUMNS} FROM versions WHERE {HAS_ID}", (digest_of(label.version),)
        ).fetchone()
        if row is None:
            try:
                version = self._trees.version(label.version)
            except IntegrityError as error:
                if not isinstance(error, ObjectMissing):
                    self.unread.add(label.version)
                self._connection.execute(
                    "INSERT INTO meta VALUES ('highest', ?) ON CONFLICT (key) DO UPDATE "
                    "SET value = max(value, excluded.value)",
                    (min(label.number, NUMBER_LIMIT),),
                )
                return False
            number, tree, counted = self._insert(label.version, version, label), version.tree, False
        else:
            number, tree, counted = row[0], ObjectId(row[1].hex()), bool(row[2])
            label = merge_labels(stored_label(row[3:]), label)
            columns = label_columns(label)
            assignments = ", ".join(f"{name} = :{name}" for name in columns)
            self._connection.execute(
                f"UPDATE versions SET {assignments} WHERE row = :row",
                {"row": number, **columns},
            )
        if label.is_live != counted:
            self._count(number, tree, label.is_live)
        self._words(number, label)
        return True

    def annotations(self, operation: Operation) -> None:
        """Write rows for the notes, provenance and recipes that an operation changed."""
        for name, change in operation.refs.items():
            room = name.partition("/")[0]
            if room in layout.ANNOTATION_ROOMS and change.after is not None:
                from aura_vcs.index.annotations import put_annotation  # most operations change none

                put_annotation(self._connection, room, from_plain(change.after, Annotation, name))

    def write(self) -> None:
        """Write the counts and the rows of stored objects."""
        packs = {item.location.pack for item in self._stored.values() if item.location is not None}
        self.counts.write({name: self.pack(name) for name in packs})
        self._content_types()

    def pack(self, name: str) -> int:
        """Return the row number of a pack."""
        size = self._store.packs.stored_size(name)
        digest = bytes.fromhex(name)
        self._connection.execute("INSERT OR IGNORE INTO packs (name, stored_size) VALUES (?, ?)", (digest, size))
        row = self._connection.execute("SELECT number FROM packs WHERE name = ?", (digest,)).fetchone()
        return int(row[0])

    def _children(self, object_id: ObjectId, is_tree: bool) -> Iterable[tuple[ObjectId, bool]]:
        if is_tree:
            try:
                return tree_children(self._trees.tree(object_id))
            except ObjectMissing:
                self.is_incomplete = True
                return ()  # fsck says so, counting goes on
            except IntegrityError:
                self.unread.add(object_id)
                return ()
        chunks = self._chunks.get(object_id)
        if chunks is None:
            chunks = self._known_chunks(object_id) if self._is_chunked(object_id) else ()
        return {(chunk, False) for chunk in chunks}

    def _is_chunked(self, object_id: ObjectId) -> bool:
        """Tell without opening anything whether a blob is in chunks; one that was just put has no row yet."""
        item = self._stored.get(object_id)
        if item is not None:
            return item.location is not None and item.location.chunked
        row = self._connection.execute(
            f"SELECT chunked FROM objects WHERE {HAS_ID}", (bytes.fromhex(object_id),)
        ).fetchone()
        self.is_incomplete = self.is_incomplete or row is None
        return row is not None and bool(row[0])

    def _known_chunks(self, object_id: ObjectId) -> tuple[ObjectId, ...]:
        try:
            return self._store.chunk_ids(object_id)
        except (IntegrityError, FileNotFoundError):
            self.unread.add(object_id)
            return ()

    def _insert(self, version_id: VersionId, version: Version, label: Label) -> int:
        """Enter a version, and return the number of its row."""
        documents = [(name, blob) for name, blob in version.documents.items() if blob is not None]
        number = _new_row(self._connection, version_id)
        changes = self._changed_paths(version)
        columns = version_row(version_id, version, label, counted=False, paths_known=changes is not None)
        columns |= {"row": number, **{name: _document_row(self._connection, blob) for name, blob in documents}}
        names, values = '", "'.join(columns), ", :".join(columns)
        self._connection.execute(f'INSERT INTO versions ("{names}") VALUES (:{values})', columns)
        self._connection.executemany(
            "INSERT OR REPLACE INTO parents VALUES (?, ?, ?)",
            [(number, at, _row_of(self._connection, parent)) for at, parent in enumerate(version.parents)],
        )
        if (origin := version.extra.get(ORIGIN)) is not None:
            self._connection.execute("INSERT OR REPLACE INTO origins VALUES (?, ?)", (origin, number))
        self._connection.executemany(
            "INSERT OR REPLACE INTO changed_paths VALUES (?, ?, ?)",
            [(path, number, CHANGE_CODES[change]) for path, change in changes or ()],
        )
        self._documents += documents
        self.counts.raise_object(version_id)
        return number

    def _changed_paths(self, version: Version) -> list[tuple[bytes, str]] | None:
        """Return the paths that a version changed, and how; None where they are many, or it is a first one."""
        if not version.parents:
            return None
        rows = []
        try:
            row = self._connection.execute(
                f"SELECT tree FROM versions WHERE {HAS_ID}", (bytes.fromhex(version.parents[0]),)
            ).fetchone()
            before = ObjectId(row[0].hex()) if row is not None else self._trees.version(version.parents[0]).tree
            for difference in self._trees.differences(before, version.tree):
                entry = difference.new or difference.old
                if entry is None or entry.kind is EntryKind.DIR:
                    continue
                change = "added" if difference.old is None else "deleted" if difference.new is None else "modified"
                rows.append((name_bytes(difference.path), change))
                if len(rows) > CHANGED_PATHS_LIMIT:
                    return None
        except IntegrityError:
            return None
        return rows

    def _count(self, number: int, tree: ObjectId, live: bool) -> None:
        if live:
            self.counts.raise_tree(tree, self._new_children(number, tree) if self._may_defer else None)
        else:
            self.counts.lower_tree(tree)
        self._connection.execute("UPDATE versions SET counted = ? WHERE row = ?", (live, number))

    def _new_children(self, version: int, tree: ObjectId) -> Mapping[ObjectId, NewChildren]:
        """Find what is new in the version of a row since its parent, where that is counted."""
        row = self._connection.execute(
            "SELECT v.tree FROM parents p JOIN versions v ON v.row = p.parent "
            "WHERE p.version = ? AND p.position = 0 AND v.counted",
            (version,),
        ).fetchone()
        if row is None:
            return {}
        try:
            return new_children_in(self._trees, self._children, ObjectId(row[0].hex()), tree)
        except (IntegrityError, LimitExceeded):
            return {}

    def _words(self, number: int, label: Label) -> None:
        """Enter what a version is called; its words have the number of its row."""
        self._connection.execute(
            "INSERT OR REPLACE INTO words (rowid, name, description, script) VALUES (?, ?, ?, '')",
            (2 * number + 1, label.name, label.description),
        )

    def _content_types(self) -> None:
        """Record which blobs are documents; the others were entered as assets."""
        self._connection.executemany(
            f"UPDATE objects SET content_type = ?2 WHERE {HAS_ID} AND content_type IS NOT ?2",
            [(bytes.fromhex(blob), CONTENT_TYPES[name.capitalize()]) for name, blob in self._documents],
        )
        self._documents.clear()

    def _action(self, operation: Operation, start: int, end: int, segment: str | None) -> None:
        undoable = operation.inverse is not None and operation.undoes is None and operation.redoes is None
        self._connection.execute(
            "INSERT INTO actions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, ?, ?, ?, 0, ?) "
            "ON CONFLICT (id) DO "
            'UPDATE SET "start" = excluded."start", "end" = excluded."end", segment = excluded.segment',
            (
                operation_key(operation.id),
                operation.replica,
                operation.sequence,
                start,
                end,
                operation.type,
                operation.description,
                operation.user,
                time_key(operation.time),
                "Failed" if operation.error_message else "Applied",
                undoable,
                operation.expires_at,
                operation.correlation_id,
                segment_key(operation.replica, segment),
                operation_key(batch) if isinstance(batch := operation.payload.get("batch"), str) else None,
                session if isinstance(session := operation.payload.get(SESSION), str) else None,
            ),
        )
        self._mark_batch(operation)
        if undoable:  # what was undone before something new was done stays undone
            self._connection.execute(
                "UPDATE actions INDEXED BY actions_redoable SET redoable = 0 "  # else it looks at all before it
                "WHERE replica = ? AND sequence < ? AND redoable = 1",
                (operation.replica, operation.sequence),
            )
        if operation.undoes is not None:
            self._connection.execute(
                "UPDATE actions SET status = 'Undone', redoable = 1, undone_at = ?, undone_by = ? "
                f"WHERE {_WHOLE_BATCH}",
                (operation.time, operation.user, *[operation_key(operation.undoes)] * 3),
            )
        if operation.redoes is not None:
            self._connection.execute(
                "UPDATE actions SET status = 'Applied', redoable = 0, undone_at = NULL, undone_by = NULL "
                f"WHERE {_WHOLE_BATCH}",
                [operation_key(operation.redoes)] * 3,
            )

    def _mark_batch(self, operation: Operation) -> None:
        """Mark the operations that a later one took into its batch: they are undone with it, not on their own."""
        batch = operation.payload.get("batch")
        if isinstance(batch, str):
            first = operation_key(batch)
            self._connection.execute(
                "UPDATE actions SET undoable = 0 WHERE id IN (SELECT id FROM actions WHERE batch = ? "
                "UNION SELECT ?) AND id != ?",
                (first, first, operation_key(operation.id)),
            )


def _row_of(connection: sqlite3.Connection, version: VersionId) -> int:
    """Return the row of a version, or the one that is kept for it from now on, where it has not come."""
    digest = bytes.fromhex(version)
    row = connection.execute(ROW[1:-1], (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    number = int(connection.execute(_NEXT).fetchone()[0])
    connection.execute("INSERT INTO awaited VALUES (?, ?)", (number, digest))
    return number


def _new_row(connection: sqlite3.Connection, version: VersionId) -> int:
    """Return the row for a version that has none: the one that is kept for it, or the next."""
    digest = bytes.fromhex(version)
    row = connection.execute("SELECT row FROM awaited WHERE id = ?", (digest,)).fetchone()
    if row is None:
        return int(connection.execute(_NEXT).fetchone()[0])
    connection.execute("DELETE FROM awaited WHERE row = ?", row)
    return int(row[0])


def _document_row(connection: sqlite3.Connection, blob: ObjectId) -> int:
    """Return the number of a document's content, which it gets here if it has none."""
    digest = bytes.fromhex(blob)
    row = connection.execute(f"SELECT row FROM documents WHERE {HAS_ID}", (digest,)).fetchone()
    if row is not None:
        return int(row[0])
    return int(connection.execute("INSERT INTO documents (id) VALUES (?)", (digest,)).lastrowid or 0)
