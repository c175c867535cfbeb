"""What of the logs and labels the index has, and entering the rest."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from aura_vcs import layout
from aura_vcs.errors.integrity import RecordCorrupt, RecordUnreadable, StorageError
from aura_vcs.ids import ReplicaId
from aura_vcs.index.database import Database
from aura_vcs.index.rows import file_key
from aura_vcs.model import Operation
from aura_vcs.operation_log import OperationLogs
from aura_vcs.progress import Progress
from aura_vcs.refs.refs import Refs
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from aura_vcs.index.projector import Projector

Recover = Callable[[Operation], None]
"""Brings refs and HEAD to where an own operation put them; harmless when they are there."""

_LABELS = "labels"
_WAITING = ""
_TAGS = "tags/"
_TAGS_SEEN = "tags"
_TAGS_ROOM = layout.TAGS.rpartition("/")[2]
_BROUGHT_BACK = (_TAGS, *(f"{room}/" for room in layout.ANNOTATION_ROOMS))
_ANNOTATIONS = "annotations"
_LABEL_PATHS = (f"{layout.VERSIONS}/", f"{layout.VERSIONS}0")
"""Between which the paths of labels' files lie, but for those that are ids: see `file_key`."""
_ENTERED = "SELECT replica, size FROM logs UNION ALL SELECT name, NULL FROM segments"
"""The size that each log had when it was read, and the closed parts that were: in one look at the index."""
_NOT_OF_LABELS = "path < ? OR (path >= ? AND path < x'')"


def _nothing(operation: Operation) -> None:
    """Recover nothing: what is re-entered needs no recovery."""


class LogIngest:
    """Enters logs and labels, inside the caller's transaction."""

    def __init__(
        self, database: Database, storage: LocalStorage, refs: Refs, logs: OperationLogs, progress: Progress
    ) -> None:
        self._database = database
        self._storage = storage
        self._refs = refs
        self._logs = logs
        self._progress = progress
        self._refs_elsewhere: set[str] = set()
        """Tags and annotations, as operations name them, that other machines changed: their copies are to be merged."""

    def is_current(self, noted: Mapping[str, str | None]) -> bool:
        """Tell whether every log and every label is entered; `noted` is what the index has noted of that.

        Looks at sizes and dates, opens no file.
        """
        names = self._logs.names()
        entered = dict(self._database.connection.execute(_ENTERED).fetchall())
        if entered != dict.fromkeys(self._logs.segments(names)) | self._logs.sizes(names):
            return False
        here = set(self._storage.list(layout.REFS))
        if noted.get(_LABELS) != self._labels_date():
            return False
        if noted.get(_TAGS_SEEN) != (self._tags_date() if _TAGS_ROOM in here else None):
            return False
        has_annotations = not here.isdisjoint(layout.ANNOTATION_ROOMS)
        return noted.get(_ANNOTATIONS) == (self._annotation_dates() if has_annotations else None)

    def is_waiting(self) -> bool:
        """Tell whether labels are here whose versions are not."""
        return self._database.meta(_LABELS) == _WAITING

    def ingest_new(self, projector: "Projector", recover: Recover) -> bool:
        """Enter what logs and labels have that is new; False if something that is held is not here to be counted."""
        date = self._labels_date()
        known = self._known_ends()
        for name in self._new_segments():
            self._ingest_segment(projector, name)
        for replica, size in self._logs.sizes().items():
            try:
                self._ingest_log(projector, replica, known.get(replica, 0), recover)
            except RecordUnreadable as error:
                self._progress.note(f"{error.message}; `aura fsck` shows more")
                continue  # its size stays unknown: the next command tries again
            projector.log_size(replica, size)
        if self._refs_elsewhere or self._database.meta(_TAGS_SEEN) != self._tags_date():
            self._bring_back_refs()
        complete = self._ingest_labels(projector)
        self._ingest_annotations()
        projector.write()
        self._database.set_meta(_LABELS, self._labels_date() if date is None else date if complete else _WAITING)
        self._database.set_meta(_TAGS_SEEN, self._tags_date())
        return not projector.is_incomplete

    def _ingest_log(self, projector: "Projector", replica: ReplicaId, start: int, recover: Recover) -> None:
        for line in self._logs.read(replica, start=start):
            operation = line.operation
            if operation is None or operation.replica != replica:
                self._progress.note(f"A line of {layout.operations_log(replica)} is damaged; `aura fsck` shows more")
                projector.skip_line(replica, line.end)
                continue
            if replica == self._logs.replica:
                recover(operation)
            else:
                self._refs_elsewhere.update(name for name in operation.refs if name.startswith(_BROUGHT_BACK))
            projector.operation(operation, line.start, line.end)

    def _bring_back_refs(self) -> None:
        """Merge what all logs say of annotations that other machines changed, and of tags, whoever did.

        A tool that mirrors folders may have put another machine's file in the place of ours, also long after the
        logs were here, which know both.
        """
        names, self._refs_elsewhere = self._refs_elsewhere, set()
        found = []
        logs = self._logs.sizes()
        for replica in logs if names or len(logs) > 1 else ():
            with suppress(RecordUnreadable):
                for line in self._logs.read(replica):
                    refs = line.operation.refs if line.operation is not None else {}
                    found += [(name, refs[name].after) for name in refs if name in names or name.startswith(_TAGS)]
        with suppress(StorageError):  # in a project that can only be read, the next one who writes does it
            self._refs.bring_back_tags((name, after) for name, after in found if name.startswith(_TAGS))
            said = [(name, after) for name, after in found if not name.startswith(_TAGS)]
            if said:
                self._refs.annotations.bring_back(said)

    def _ingest_segment(self, projector: "Projector", name: str) -> None:
        try:
            for line in self._logs.read_segment(name):
                if line.operation is not None:
                    projector.closed_operation(line.operation, line)
        except RecordCorrupt as error:
            self._progress.note(f"{error.message}; `aura fsck` shows more")
            if isinstance(error, RecordUnreadable):
                return  # the next command tries again
        self._database.connection.execute("INSERT OR REPLACE INTO segments VALUES (?)", (name,))

    def _ingest_labels(self, projector: "Projector") -> bool:
        """Enter the labels whose files are new or have changed; False if one's version is not here yet."""
        rows = self._database.connection.execute("SELECT path, size, mtime_ns FROM ref_files")
        known = {row[0]: (row[1], row[2]) for row in rows}
        complete = True
        for file in self._refs.label_files():
            path = f"{layout.VERSIONS}/{file}"
            found = self._storage.stat(path)
            if found is None or known.get(file_key(path)) == (found.size, found.mtime_ns):
                continue
            labels = self._refs.labels_in(file)
            entered = [projector.label(label) for label in labels]
            if labels and all(entered):
                self.ingest_label_file(path)
            else:
                complete = False
        return complete

    def ingest_label_file(self, path: str) -> None:
        """Remember what the file of a label looks like now."""
        found = self._storage.stat(path)
        if found is not None:
            self._database.connection.execute(
                "INSERT OR REPLACE INTO ref_files VALUES (?, ?, ?)", (file_key(path), found.size, found.mtime_ns)
            )

    def _ingest_annotations(self) -> None:
        """Enter the annotations whose files are new or have changed."""
        dates = self._annotation_dates()
        if self._database.meta(_ANNOTATIONS) == dates:
            return
        if dates is None:  # somebody took the folders away
            self._database.set_meta(_ANNOTATIONS, None)
            return
        rows = self._database.connection.execute(
            f"SELECT path, size, mtime_ns FROM ref_files WHERE {_NOT_OF_LABELS}", _LABEL_PATHS
        )
        known = {row[0]: (row[1], row[2]) for row in rows}
        for room in layout.ANNOTATION_ROOMS:
            try:
                self._ingest_room(room, known)
            except RecordUnreadable as error:
                self._progress.note(f"{error.message}; `aura fsck` shows more")
                return  # the next command tries again
        self._database.set_meta(_ANNOTATIONS, dates)

    def _ingest_room(self, room: str, known: Mapping[bytes | str, tuple[int, int]]) -> None:
        from aura_vcs.index.annotations import put_annotations  # most projects have none

        for file in self._refs.annotations.files(room):
            path = f"{layout.REFS}/{room}/{file}"
            found = self._storage.stat(path)
            if found is None or known.get(file_key(path)) == (found.size, found.mtime_ns):
                continue
            put_annotations(self._database.connection, room, self._refs.annotations.copies_in(room, file))
            self.ingest_label_file(path)

    def note_annotations_ingested(self, names: Iterable[str]) -> None:
        """Remember the files of annotations that were just written, and the dates of their folders."""
        changed = [name for name in names if name.partition("/")[0] in layout.ANNOTATION_ROOMS]
        for name in changed:
            self.ingest_label_file(f"{layout.REFS}/{name}.json")
        if changed:
            self._database.set_meta(_ANNOTATIONS, self._annotation_dates())

    def remember_annotation_files(self) -> None:
        """Remember the files of annotations anew, which were packed."""
        connection = self._database.connection
        connection.execute(f"DELETE FROM ref_files WHERE {_NOT_OF_LABELS}", _LABEL_PATHS)
        for room in layout.ANNOTATION_ROOMS:
            for file in self._refs.annotations.files(room):
                self.ingest_label_file(f"{layout.REFS}/{room}/{file}")
        self._database.set_meta(_ANNOTATIONS, self._annotation_dates())

    @property
    def has_annotations(self) -> bool:
        """Whether there are any."""
        return self._annotation_dates() is not None

    def _annotation_dates(self) -> str | None:
        found = [self._folder_date(f"{layout.REFS}/{room}") for room in layout.ANNOTATION_ROOMS]
        return " ".join(date or "-" for date in found) if any(found) else None

    def _known_ends(self) -> dict[ReplicaId, int]:
        return dict(self._database.connection.execute("SELECT replica, end FROM logs").fetchall())

    def _known_segments(self) -> set[str]:
        return {row[0] for row in self._database.connection.execute("SELECT name FROM segments")}

    def reingest_own_log(self, projector: "Projector") -> None:
        """Enter the own log anew, whose older part was closed."""
        self._database.connection.execute("DELETE FROM logs WHERE replica = ?", (self._logs.replica,))
        for name in self._new_segments():
            self._ingest_segment(projector, name)
        self._ingest_log(projector, self._logs.replica, 0, _nothing)

    def reingest_labels(self) -> None:
        """Remember the labels' files anew, which were packed."""
        self._database.connection.execute(f"DELETE FROM ref_files WHERE NOT ({_NOT_OF_LABELS})", _LABEL_PATHS)
        for file in self._refs.label_files():
            self.ingest_label_file(f"{layout.VERSIONS}/{file}")
        self.note_labels_ingested()

    def _new_segments(self) -> list[str]:
        known = self._known_segments()
        return [name for name in self._logs.segments() if name not in known]

    def logs_shrank(self) -> bool:
        """Tell whether a log lost lines that were entered: somebody brought an older one."""
        sizes = self._logs.sizes()
        return any(sizes.get(replica, 0) < end for replica, end in self._known_ends().items())

    def note_labels_ingested(self) -> None:
        """Remember the labels' date, unless some wait for their versions: those are looked for again."""
        if self._database.meta(_LABELS) != _WAITING:
            self._database.set_meta(_LABELS, self._labels_date())
        self._database.set_meta(_TAGS_SEEN, self._tags_date())

    def _tags_date(self) -> str | None:
        return self._folder_date(layout.TAGS)

    def _labels_date(self) -> str | None:
        return self._folder_date(layout.VERSIONS)

    def _folder_date(self, folder: str) -> str | None:
        """Return when a folder's entries changed: a tool that puts another file there gives it a new date.

        Both dates count: one that mirrors folders (rsync) sets that of the content back to what the index has seen.
        """
        found = self._storage.look(folder)
        return None if found is None else f"{found.st_mtime_ns}.{found.st_ctime_ns}"
