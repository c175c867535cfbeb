"""The index of one project: opened, kept up to date, built anew when it cannot be trusted."""

import os
from collections.abc import Callable, Iterable, Mapping

from aura_vcs import layout
from aura_vcs.codec import now
from aura_vcs.ids import ObjectId, ReplicaId
from aura_vcs.index.database import Database, IndexUnusable, remove_files
from aura_vcs.index.places import IndexPlaces
from aura_vcs.index.projector import Projector
from aura_vcs.index.rebuild import KnownPlaces, stored_objects
from aura_vcs.model import Operation
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import TreeReader
from aura_vcs.operations import OperationLogs
from aura_vcs.progress import Progress
from aura_vcs.refs import Refs
from aura_vcs.storage.local import LocalStorage

Recover = Callable[[Operation], None]
"""Brings refs and HEAD to where an own operation put them; harmless when they are there."""

_LABELS = "labels"


class Index:
    """The index and the store that reads through it; one connection, for one thread."""

    def __init__(self, path: str, storage: LocalStorage, refs: Refs, logs: OperationLogs, progress: Progress) -> None:
        self._path = path
        self._storage = storage
        self._refs = refs
        self._logs = logs
        self._progress = progress
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.database = self._opened()
        self.store = ObjectStore(storage, IndexPlaces(self.database))
        self.trees = TreeReader(self.store)

    def is_current(self) -> bool:
        """Whether every log and every label is in the index. Looks at sizes and dates, opens no file."""
        if self._is_new:
            return False
        return self._known_ends() == self._logs.sizes() and self._meta(_LABELS) == self._labels_date()

    def catch_up(self, recover: Recover) -> None:
        """Enter what the index has not seen; own operations among it go through `recover` first.

        The caller holds the refs lock, so nobody records an operation meanwhile.
        """
        if self._is_new or self._logs_shrank():
            self.rebuild(recover)
            return
        with self.database.transaction() as connection:
            self._enter_new(Projector(connection, self.store, self.trees, now()), recover)

    def rebuild(self, recover: Recover) -> None:
        """Build the index from the files: packs, loose objects, logs, labels.

        The caller holds the refs lock.
        """
        self._progress.note("Building the index from the files; nothing is lost")
        self._start_over()
        found = stored_objects(self.store, self._progress)
        self.store.places = KnownPlaces(found)
        try:
            with self.database.transaction() as connection:
                if not self.database.has_schema():
                    self.database.create_schema()
                self._enter_new(Projector(connection, self.store, self.trees, now(), found), recover)
        finally:
            self.store.places = IndexPlaces(self.database)
        self._is_new = False

    def record(
        self,
        operation: Operation,
        start: int,
        end: int,
        stored: Mapping[ObjectId, StoredObject],
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]],
    ) -> None:
        """Enter an operation that was just recorded; the caller made sure the index was current."""
        with self.database.transaction() as connection:
            projector = Projector(connection, self.store, self.trees, operation.time, stored, chunks)
            projector.operation(operation, start, end)
            projector.labels(operation)
            projector.write()
            for name in operation.refs:
                if name.startswith("versions/"):
                    self._enter_file(f"{layout.REFS}/{name}.json")
            self._set_meta(_LABELS, self._labels_date())

    def forget(self, object_ids: Iterable[ObjectId]) -> None:
        """Remove the rows of objects whose files are gone or going."""
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM objects WHERE id = ?", [(bytes.fromhex(i),) for i in object_ids])

    def forget_pack(self, name: str) -> None:
        """Remove the row of a pack that is going."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM packs WHERE name = ?", (name,))

    def move(self, pack: str, stored: Iterable[StoredObject]) -> None:
        """Note that objects lie in another pack now; sizes of content and counts stay."""
        with self.database.transaction() as connection:
            number = Projector(connection, self.store, self.trees, now()).pack(pack)
            connection.executemany(
                "UPDATE objects SET stored_size = ?, pack = ?, frame = ?, offset = ?, length = ?, chunked = ? "
                "WHERE id = ?",
                [
                    (
                        item.stored_size,
                        number,
                        item.place.frame,
                        item.place.offset,
                        item.place.length,
                        item.place.chunked,
                        bytes.fromhex(item.id),
                    )
                    for item in stored
                    if item.place is not None
                ],
            )

    def end_of_log(self, replica: ReplicaId) -> tuple[int, int]:
        """Where the replica's last whole line ends, and its sequence number; zeros before the first."""
        row = self.database.connection.execute(
            "SELECT end, sequence FROM logs WHERE replica = ?", (replica,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()
        self.database.close()

    def _opened(self) -> Database:
        try:
            database = Database(self._path)
            self._is_new = not database.has_schema()
        except IndexUnusable:
            remove_files(self._path)
            database = Database(self._path)
            self._is_new = True
        return database

    def _start_over(self) -> None:
        self.database.close()
        remove_files(self._path)
        self.database = Database(self._path)
        self._is_new = True

    def _enter_new(self, projector: Projector, recover: Recover) -> None:
        date = self._labels_date()
        known = self._known_ends()
        for replica in self._logs.sizes():
            self._enter_log(projector, replica, known.get(replica, 0), recover)
        complete = self._enter_labels(projector)
        projector.write()
        self._set_meta(_LABELS, self._labels_date() if date is None else date if complete else "")

    def _enter_log(self, projector: Projector, replica: ReplicaId, start: int, recover: Recover) -> None:
        for line in self._logs.read(replica, start=start):
            operation = line.operation
            if operation is None or operation.replica != replica:
                self._progress.note(f"A line of {layout.operations_log(replica)} is damaged; `aura fsck` says more")
                projector.skip_line(replica, line.end)
                continue
            if replica == self._logs.replica:
                recover(operation)
            projector.operation(operation, line.start, line.end)

    def _enter_labels(self, projector: Projector) -> bool:
        """Enter the labels whose files are new or have changed; False if one's version is not here yet."""
        rows = self.database.connection.execute("SELECT path, size, mtime_ns FROM ref_files")
        known = {row[0]: (row[1], row[2]) for row in rows}
        complete = True
        for file in self._refs.label_files():
            path = f"{layout.VERSIONS}/{file}"
            found = self._storage.stat(path)
            if found is None or known.get(path) == (found.size, found.mtime_ns):
                continue
            label = self._refs.merged_label_in(file)
            if label is None or not projector.label(label):
                complete = False
                continue
            self._enter_file(path)
        return complete

    def _enter_file(self, path: str) -> None:
        found = self._storage.stat(path)
        if found is not None:
            self.database.connection.execute(
                "INSERT OR REPLACE INTO ref_files VALUES (?, ?, ?)", (path, found.size, found.mtime_ns)
            )

    def _known_ends(self) -> dict[ReplicaId, int]:
        return dict(self.database.connection.execute("SELECT replica, end FROM logs").fetchall())

    def _logs_shrank(self) -> bool:
        sizes = self._logs.sizes()
        return any(sizes.get(replica, 0) < end for replica, end in self._known_ends().items())

    def _labels_date(self) -> str | None:
        found = self._storage.stat(layout.VERSIONS)
        return None if found is None else str(found.mtime_ns)

    def _meta(self, key: str) -> str | None:
        row = self.database.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def _set_meta(self, key: str, value: str | None) -> None:
        self.database.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
