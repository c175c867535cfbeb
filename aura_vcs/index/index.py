"""The index of one project: opened, kept up to date, built anew when it cannot be trusted."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aura_vcs import layout
from aura_vcs.errors.integrity import ObjectCorrupt, RecordCorrupt, StorageError
from aura_vcs.ids import ObjectId, ReplicaId
from aura_vcs.index.database import Database
from aura_vcs.index.index_file import Files, IndexFile, Place
from aura_vcs.index.log_ingest import LogIngest, Recover
from aura_vcs.index.object_locations import IndexLocations, ListedLocations
from aura_vcs.index.rows import Rows
from aura_vcs.index.schema import HAS_ID, OFFLOADED, filled_at_once
from aura_vcs.model import Operation
from aura_vcs.objects.base import StoredObject
from aura_vcs.plain_text import now
from aura_vcs.progress import Progress

if TYPE_CHECKING:
    from aura_vcs.index.projector import Projector

_INCOMPLETE = "incomplete"
_SYNCED_IN = "arrived"
UNREAD = "unread"
"""What is noted of objects that could not be read."""
LOG_BYTES = 64 << 10
"""A log is left whole until it is larger."""


class Index(Rows):
    """The index of a project's files; one connection, for one thread. It tells the store where objects lie."""

    def __init__(self, file: IndexFile, files: Files, progress: Progress) -> None:
        self._file = file
        self._files = files
        self._progress = progress
        database, self._is_new = file.open()
        self._use(database)

    @property
    def texts_place(self) -> Place:
        """See IndexFile.texts_place."""
        return self._file.texts_place

    def forget_texts(self) -> None:
        """See IndexFile.forget_texts."""
        self._file.forget_texts()

    def is_current(self) -> bool:
        """Tell whether every log and every label is in the index. Looks at sizes and dates, opens no file."""
        if self._is_new:
            return False
        noted = self.database.noted()
        return noted.get(_INCOMPLETE) is None and self._entered.is_current(noted)

    def catch_up(self, recover: Recover) -> None:
        """Enter what the index has not seen; own operations among it go through `recover` first.

        The caller holds the refs lock, so nobody records an operation meanwhile.
        """
        if self._is_new or self._entered.logs_shrank():
            self.rebuild(recover)
            return
        self._enter_unlisted()
        if self.database.meta(_INCOMPLETE) == _SYNCED_IN or self.can_read_again():
            self.rebuild(recover)  # what could not be counted has come or can be read, or some of it
            return
        self._ingest(recover)

    def can_read_again(self) -> bool:
        """Tell whether something that could not be read, and so was not counted, can be read now; see `unread`."""
        noted = self.database.meta(UNREAD)
        if noted is None:
            return False
        from aura_vcs.index.unread_objects import is_readable

        return is_readable(self.database.connection, self._files.store, self._files.trees, noted)

    def is_unread(self) -> bool:
        """Tell whether something that is held could not be read, so that counts below it are too low."""
        return self.database.meta(UNREAD) is not None

    def _note_unread(self, projector: "Projector") -> None:
        """Remember what was not counted, inside the caller's transaction."""
        if projector.unread:
            from aura_vcs.index.unread_objects import noted_with

            self.database.set_meta(UNREAD, noted_with(self.database.meta(UNREAD), projector.unread))

    def adopt_unrecorded_objects(self, recover: Recover) -> None:
        """Enter objects that lie on disk and in no row: an interrupted command left them there.

        Nothing holds them, so the next collections free them. The caller holds the refs lock.
        """
        self._enter_unlisted()
        if not self.is_current():
            self.catch_up(recover)

    def refresh_locations(self) -> None:
        """Note where objects lie now whose packs somebody else wrote anew. The caller holds the refs lock."""
        connection = self.database.connection
        here = set(self._files.store.packs.names())
        gone = [name for (name,) in connection.execute("SELECT name FROM packs") if name.hex() not in here]
        moved: set[ObjectId] = set()
        for name in gone:
            rows = connection.execute(
                "SELECT id FROM objects WHERE pack = (SELECT number FROM packs WHERE name = ?)", (name,)
            )
            moved.update(ObjectId(row[0].hex()) for row in rows)
        for name in sorted(here) if moved else ():
            try:
                stored = [item for item in self._files.store.pack_objects(name) if item.id in moved]
            except (RecordCorrupt, FileNotFoundError):
                continue  # damaged, or not whole yet
            if stored:
                self.move(name, stored)

    def _enter_unlisted(self) -> None:
        """Enter objects on disk that have no row, counted by nobody yet.

        An interrupted command left them, or a sync tool brought them. Costs a look at the folders'
        names, and at the footers of new packs, one after the other.
        """
        packs, loose = self._unlisted()
        if not packs and not loose:
            return
        with self.database.transaction() as connection:
            if self._adopt_objects(connection, packs, loose, now()) and self.database.meta(_INCOMPLETE) is not None:
                self.database.set_meta(_INCOMPLETE, _SYNCED_IN)

    def has_unlisted(self) -> bool:
        """Tell whether objects lie on disk and in no row; see learn_objects. Writes nothing."""
        return any(self._unlisted())

    def _unlisted(self) -> tuple[list[str], dict[ObjectId, int]]:
        """Find the packs that have no row, and the loose objects with their sizes."""
        known = {row[0].hex() for row in self.database.connection.execute("SELECT name FROM packs")}
        packs = [name for name in self._files.store.packs.names() if name not in known]
        sizes = dict(self._files.store.loose.all())
        return packs, {object_id: sizes[object_id] for object_id in self.unlocated(sizes)}

    def _adopt_objects(
        self, connection: sqlite3.Connection, packs: list[str], loose: Mapping[ObjectId, int], at: str
    ) -> int:
        from aura_vcs.index.rebuild import loose_objects, packed_objects
        from aura_vcs.index.reference_counts import insert_objects

        count = insert_objects(connection, loose_objects(self._files.store, loose), None, at)
        projector = self._projector(connection, at)
        turned: set[ObjectId] = set()
        for items in packed_objects(self._files.store, packs, self._progress):
            turned |= self._rechunked(connection, items)
            number = projector.pack(items[0].location.pack) if items and items[0].location is not None else None
            count += insert_objects(connection, items, number, at)
        for chunk in (chunk for blob in turned for chunk in set(self._files.store.chunk_ids(blob))):
            projector.counts.raise_object(chunk)
        projector.counts.write({})
        self._note_lost(projector)
        return count

    def _rechunked(self, connection: sqlite3.Connection, items: Iterable[StoredObject]) -> set[ObjectId]:
        """Find offloaded blobs in use that were whole, and come back in chunks: they hold those from now on."""
        if not self._files.store.offloaded.all():
            return set()
        lists = [bytes.fromhex(item.id) for item in items if item.location is not None and item.location.chunked]
        found = set()
        for digest in lists:
            statement = f"SELECT 1 FROM objects WHERE {HAS_ID} AND refcount > 0 AND {OFFLOADED}"
            if connection.execute(statement, (digest,)).fetchone() is not None:
                found.add(ObjectId(digest.hex()))
        return found

    def rebuild(self, recover: Recover) -> None:
        """Build the index from the files: packs, loose objects, logs, labels.

        The caller holds the refs lock.
        """
        from aura_vcs.index.rebuild import offloaded_objects
        from aura_vcs.index.reference_counts import insert_objects

        if self._files.logs.sizes():  # a new project has nothing to tell
            self._progress.note("Building the index from the files; nothing is lost")
        self._start_over()
        with self.database.transaction() as connection:
            self.database.create_schema()
            with filled_at_once(connection):
                at, store = now(), self._files.store  # one moment: what is counted then has not moved since
                self._adopt_objects(connection, store.packs.names(), dict(store.loose.all()), at)
                insert_objects(connection, offloaded_objects(store), None, at)
                self._ingest_new(connection, recover, at)
        self._is_new = False

    def _ingest(self, recover: Recover) -> None:
        """Enter what logs and labels have that is new."""
        with self.database.transaction() as connection:
            self._ingest_new(connection, recover, now())

    def record(
        self,
        operation: Operation,
        start: int,
        end: int,
        stored: Mapping[ObjectId, StoredObject],
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]],
    ) -> None:
        """Enter an operation that was just recorded; the caller made sure the index was current.

        Raises:
            ObjectCorrupt: what was just written cannot be read now; nothing was entered.
        """
        with self.with_locations(stored), self.database.transaction() as connection:
            may_defer = self.database.meta(_INCOMPLETE) is None  # else what is shared may not be counted either
            projector = self._projector(connection, operation.time, stored, chunks, may_defer=may_defer)
            projector.operation(operation, start, end)
            projector.labels(operation)
            projector.annotations(operation)
            projector.counts.apply_some_deferred()
            if unread := projector.unread & stored.keys():  # just written: the disk hiccuped
                raise ObjectCorrupt(min(unread), "it cannot be read")
            self._write(projector)
            for name in operation.refs:
                if name.startswith("versions/"):
                    self._entered.ingest_label_file(f"{layout.REFS}/{name}.json")
            self._entered.note_labels_ingested()
            self._entered.note_annotations_ingested(operation.refs)

    def move_to_memory(self) -> None:
        """Go on in memory and give the disk back what the file takes; whoever comes next builds it anew."""
        if self._file.is_on_disk:
            self.database.go_on_in_memory()
            self._file.give_up()

    def apply_deferred(self) -> None:
        """Count what commits left for later, before a count is asked for.

        Where the disk is too full for that, it is done in memory: asking must work there.
        """
        if self.database.connection.execute("SELECT 1 FROM owed LIMIT 1").fetchone() is None:
            return
        try:
            self._apply_deferred()
        except StorageError:
            self.database.go_on_in_memory()
            self._apply_deferred()

    def _apply_deferred(self) -> None:
        with self.database.transaction() as connection:
            projector = self._projector(connection, now())
            projector.counts.apply_deferred()
            self._write(projector)

    @contextmanager
    def with_locations(self, found: Mapping[ObjectId, StoredObject]) -> Iterator[None]:
        """Read objects that have no row yet from where they lie, not by looking in every pack."""
        places = self._files.store.places
        self._files.store.places = ListedLocations(found, places)
        try:
            yield
        finally:
            self._files.store.places = places

    def mark_offloaded(self, object_ids: Iterable[ObjectId]) -> None:
        """Note that objects are offloaded: their bytes are or will be gone, their sizes and counts stay."""
        self.apply_deferred()  # which asks for their chunks
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE objects SET stored_size = 0, pack = NULL, frame = NULL, offset = NULL, length = NULL, "
                f"chunked = 0 WHERE {HAS_ID}",
                [(bytes.fromhex(object_id),) for object_id in object_ids],
            )

    def update_locations(
        self, found: Mapping[ObjectId, StoredObject], turned: Mapping[ObjectId, tuple[ObjectId, ...]]
    ) -> None:
        """Note where objects are that have no row, or are offloaded, or were whole and are in chunks now.

        `turned` are the blobs in use that were whole: each holds its chunks from now on.
        """
        with self.with_locations(found), self.database.transaction() as connection:
            projector = self._projector(connection, now(), found, turned)
            for chunks in turned.values():
                for chunk in set(chunks):
                    projector.counts.raise_object(chunk)
            self._write(projector)

    def move(self, pack: str, stored: Iterable[StoredObject]) -> None:
        """Note that objects lie in another pack now; sizes of content and counts stay."""
        with self.database.transaction() as connection:
            number = self._projector(connection, now()).pack(pack)
            connection.executemany(
                "UPDATE objects SET stored_size = ?2, pack = ?3, frame = ?4, offset = ?5, length = ?6, chunked = ?7 "
                f"WHERE {HAS_ID}",
                [
                    (
                        bytes.fromhex(item.id),
                        item.stored_size,
                        number,
                        item.location.frame,
                        item.location.offset,
                        item.location.length,
                        item.location.chunked,
                    )
                    for item in stored
                    if item.location is not None
                ],
            )

    def tidy_records(self, *, keep_lines: int, keep_labels: int) -> None:
        """Close the older part of the own log and pack labels, where there is much of either.

        The caller holds the refs lock. Interrupted, the index is built anew by whoever comes next.
        """
        size = self._files.logs.sizes().get(self._files.logs.replica, 0)
        if size > LOG_BYTES and self._files.logs.close_segment(keep=keep_lines):
            with self.database.transaction() as connection:
                projector = self._projector(connection, now())
                self._entered.reingest_own_log(projector)
                self._write(projector)
        if self._files.refs.pack_labels(keep_labels):
            with self.database.transaction():
                self._entered.reingest_labels()
        if self._entered.has_annotations and self._files.refs.annotations.pack(keep_labels):
            with self.database.transaction():
                self._entered.remember_annotation_files()

    def compact(self) -> None:
        """Give the disk back what the index no longer needs, where that is most of it."""
        self.database.compact()

    def has_all_of(self, replica: ReplicaId) -> bool:
        """Tell whether a replica's log was entered to its last byte."""
        return not self._is_new and self.end_of_log(replica)[0] == self._files.logs.sizes().get(replica, 0)

    def is_waiting(self) -> bool:
        """Tell whether something is known by name and has not come: a sync tool is still at work."""
        return self.database.meta(_INCOMPLETE) is not None or self._entered.is_waiting()

    @property
    def path(self) -> str:
        """Where the index lies."""
        return self.database.path

    def remove(self) -> None:
        """Delete the index; whoever comes next builds it anew."""
        self._file.remove()

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def _projector(
        self,
        connection: sqlite3.Connection,
        at: str,
        stored: Mapping[ObjectId, StoredObject] | None = None,
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]] | None = None,
        *,
        may_defer: bool = False,
    ) -> "Projector":
        from aura_vcs.index.projector import Projector  # reading needs none of it

        return Projector(connection, self._files.store, self._files.trees, at, stored, chunks, may_defer=may_defer)

    def _start_over(self) -> None:
        """Begin with an empty index; in memory where the disk does not let go of the old one."""
        self.database.close()
        self._use(self._file.start_over())
        self._is_new = True

    def _use(self, database: Database) -> None:
        """Continue with a database; the store gets its objects' locations from that one."""
        files = self._files
        self.database = database
        self._entered = LogIngest(database, files.storage, files.refs, files.logs, self._progress)
        files.set_locations(IndexLocations(database))

    def _ingest_new(self, connection: sqlite3.Connection, recover: Recover, at: str) -> None:
        projector = self._projector(connection, at)
        if not self._entered.ingest_new(projector, recover):
            self.database.set_meta(_INCOMPLETE, "1")
        self._note_lost(projector)

    def _write(self, projector: "Projector") -> None:
        projector.write()
        self._note_lost(projector)

    def _note_lost(self, projector: "Projector") -> None:
        """Note that a count could not be written: a tool brought the object, and no row names it yet.

        Whatever writes counts asks this afterwards: between any two looks at the disk something may come.
        """
        if projector.counts.has_lost and self.database.meta(_INCOMPLETE) is None:
            self.database.set_meta(_INCOMPLETE, "1")
        self._note_unread(projector)
