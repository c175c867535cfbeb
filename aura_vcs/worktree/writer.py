"""Putting a version's files in place: only what differs, each file as a whole.

What is replaced must be what the scan saw; a file that was edited since is left alone and
listed. The caller has made sure that everything that goes is in the store.
"""

import os
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from aura_vcs.errors import NameUnfit, ObjectCorrupt, PathCollision
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import AURA
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.base import Place
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.loose import new_hasher
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference
from aura_vcs.progress import Progress
from aura_vcs.storage.calls import FileCalls, storage_error
from aura_vcs.worktree.cache import UNSETTLED, FileState
from aura_vcs.worktree.disk import Disk
from aura_vcs.worktree.folder import Folder, NewFile
from aura_vcs.worktree.scan import Scan
from aura_vcs.worktree.second_process import receive, send, start_second
from aura_vcs.worktree.sources import DiskClock

SYNC_TOGETHER = 64
"""From so many files on, one sync of the disk is cheaper than one for each."""

WORTHWHILE_FILES = 1000
"""Fewer are written sooner than a process starts."""


class Written(msgspec.Struct, frozen=True):
    """What was put in place, by path (None: removed), and what was left as it was, with the reason."""

    states: Mapping[str, FileState | None]
    left: tuple[str, ...]


class Writer:
    """Applies differences to the project folder."""

    def __init__(
        self, root: str, temporary: str, store: ObjectStore, calls: FileCalls, progress: Progress, disk: Disk
    ) -> None:
        self._root = root
        self._disk = disk
        self._store = store
        self._calls = calls
        self._progress = progress
        self._folder = Folder(root, temporary, calls)
        self._clock = DiskClock(temporary, calls)
        self._states: dict[str, FileState | None] = {}
        self._can_clone = True
        self._places: Mapping[ObjectId, Place] = {}
        self._left: list[str] = []
        self._blocked: set[str] = set()

    def apply(self, scan: Scan, differences: Sequence[Difference]) -> Written:
        """Remove, make and replace until the folder has every `new` of `differences`.

        Interrupted, every file is whole: the old one or the new one.

        Raises:
            PathCollision: two of the new paths are one on this disk; nothing was changed.
            NameUnfit: the disk cannot have a name; nothing was changed.
            ObjectMissing, ObjectCorrupt: content is damaged; that file was not touched.
            StorageError: the disk refused.
        """
        if is_case_insensitive(self._root):
            check_collisions(differences)
        if unfit := self._disk.unfit(d.path for d in differences if d.new is not None):
            raise NameUnfit(unfit)
        together = sum(1 for d in differences if d.new is not None) >= SYNC_TOGETHER
        sizes = sum(d.new.size for d in differences if d.new is not None and d.new.kind is EntryKind.FILE)
        self._progress.start("Writing files", sizes, "bytes")
        try:
            self._remove(scan, differences)
            self._make_folders(differences)
            self._write_all(scan, self._in_stored_order(differences), sync=not together)
            if together and not self._calls.sync_disk(self._root):
                self._sync_each()
            self._folder.sync()
        except OSError as error:
            raise storage_error("write in", self._root, error) from error
        finally:
            self._folder.close()
            self._progress.finish()
        return Written(self._states, tuple(self._left))

    def _write_all(self, scan: Scan, files: Sequence[Difference], *, sync: bool) -> None:
        """Write the files, a half of very many small ones in a second process."""
        others = [] if sync else [d for d in files if self._can_be_handed_over(d)][: len(files) // 2]
        if len(others) < WORTHWHILE_FILES or type(self._calls) is not FileCalls:
            others = []
        second = start_second(partial(self._write_and_tell, scan, others)) if others else None
        handed_over = {id(difference) for difference in others} if second is not None else set()
        try:
            for difference in files:
                if id(difference) not in handed_over:
                    self._write(scan, difference, sync=sync)
        except BaseException:
            if second is not None:
                second.stop()  # whoever catches this must find nobody else writing
            raise
        if second is not None:
            told = receive(second, dict[int, FileState | None])
            for number, difference in enumerate(others):
                self._take_over(scan, difference, told.get(number), is_told=number in told)

    def _can_be_handed_over(self, difference: Difference) -> bool:
        """Whether the file's content can be read without the index, which two processes cannot share."""
        new = difference.new
        place = self._places.get(new.id) if new is not None and new.kind is EntryKind.FILE else None
        return place is not None and not place.chunked

    def _write_and_tell(self, scan: Scan, files: Sequence[Difference], fd: int) -> None:
        """In the second process: write, and tell what was written; what was left alone is not told."""
        self._store.packs.close()  # the first process reads on in the same open files
        told: dict[int, FileState | None] = {}
        try:
            for number, difference in enumerate(files):
                left = len(self._left)
                self._write(scan, difference, sync=False)
                if len(self._left) == left:
                    told[number] = self._states[difference.path]
        finally:
            send(fd, msgspec.msgpack.encode(told))

    def _take_over(self, scan: Scan, difference: Difference, state: FileState | None, *, is_told: bool) -> None:
        """Note what the second process wrote; what it did not, for whatever reason, is written here."""
        if is_told:
            assert difference.new is not None
            self._folder.touched.add(difference.path.rpartition("/")[0])
            self._states[difference.path] = state
            self._progress.advance(difference.new.size)
        elif not self._has_content(difference):
            self._write(scan, difference, sync=False)

    def _has_content(self, difference: Difference) -> bool:
        """Whether a second process that died had put this file in place."""
        new, found = difference.new, self._folder.state(difference.path)
        if new is None or found is None or found.is_symlink or found.size != new.size:
            return False
        path = os.path.join(self._root, difference.path)
        with open(path, "rb") as file:
            is_whole = blob_id(file.read()) == new.id
        if is_whole:
            self._states[difference.path] = found._replace(ctime_ns=UNSETTLED, id=bytes.fromhex(new.id))
        return is_whole and found.is_executable == new.executable

    def _remove(self, scan: Scan, differences: Sequence[Difference]) -> None:
        """Remove what has no successor of its kind, files before the folders they are in."""
        for difference in sorted(differences, key=lambda d: d.path, reverse=True):
            old, new = difference.old, difference.new
            if old is None or (new is not None and (old.kind is EntryKind.DIR) == (new.kind is EntryKind.DIR)):
                continue
            if old.kind is EntryKind.DIR:
                self._folder.remove_folder(difference.path)
            elif self._is_as_scanned(scan, difference.path):
                self._folder.remove_file(difference.path)
                self._states[difference.path] = None

    def _make_folders(self, differences: Sequence[Difference]) -> None:
        for difference in differences:  # in order of paths, parents come first
            new = difference.new
            if new is None or new.kind is not EntryKind.DIR:
                continue
            if self._is_blocked(difference.path) or not self._folder.make_folder(difference.path):
                self._blocked.add(difference.path)

    def _is_blocked(self, path: str) -> bool:
        """Whether something that was left alone stands where the path has a folder."""
        return bool(self._blocked) and any(path.startswith(f"{blocked}/") for blocked in self._blocked)

    def _in_stored_order(self, differences: Sequence[Difference]) -> list[Difference]:
        """Files in the order in which they lie in packs, so that each frame is decoded once."""
        files = [d for d in differences if d.new is not None and d.new.kind is not EntryKind.DIR]
        self._places = self._store.places.find_many({d.new.id for d in files if d.new is not None})

        def order(difference: Difference) -> tuple[str, int, int]:
            place = self._places.get(difference.new.id) if difference.new else None
            return ("", 0, 0) if place is None else (place.pack, place.frame, place.offset)

        return sorted(files, key=order)

    def _write(self, scan: Scan, difference: Difference, *, sync: bool) -> None:
        old, new = difference.old, difference.new
        assert new is not None
        if self._is_blocked(difference.path):
            self._left.append(difference.path)
            return
        if not self._is_as_scanned(scan, difference.path):
            return
        new, old = self._disk.as_laid_out(new), self._disk.as_laid_out(old) if old is not None else None
        if old is not None and (old.kind, old.id, old.executable) == (new.kind, new.id, new.executable):
            state = self._folder.state(difference.path)
        elif old is not None and (old.kind, old.id) == (new.kind, new.id):
            state = self._folder.set_executable(difference.path, new.executable)
        elif new.kind is EntryKind.SYMLINK:
            state = self._folder.make_link(difference.path, self._store.read(new.id))
        else:
            state = self._write_file(difference.path, new, sync=sync)
        self._states[difference.path] = state._replace(id=bytes.fromhex(new.id)) if state else None

    def _write_file(self, path: str, entry: Entry, *, sync: bool) -> FileState:
        with self._folder.new_file() as new:
            if not self._clone(entry, new):
                self._copy(path, entry, new)
            new.finish(executable=entry.executable, sync=sync, now_ns=self._clock.now_ns())
            return self._folder.place(new, path)

    def _copy(self, path: str, entry: Entry, new: NewFile) -> None:
        """Write the content, and no more of it than the folder's tree says there is."""
        size = 0
        for piece in self._store.stream(entry.id, place=self._places.get(entry.id)):
            size += len(piece)
            if size > entry.size:
                raise ObjectCorrupt(entry.id, f"it is larger than the {entry.size:,} bytes that {path} has")
            new.write(piece)
            self._progress.advance(len(piece))
        if size != entry.size:
            raise ObjectCorrupt(entry.id, f"it has {size:,} bytes, and {path} has {entry.size:,}")

    def _clone(self, entry: Entry, new: NewFile) -> bool:
        """Let the file share the blocks of a large stored one, verified; False where that cannot be."""
        if not self._can_clone or entry.size < LARGE_BYTES:
            return False
        stored = self._store.loose_blob(entry.id)
        if stored is None:
            return False
        with stored:
            self._can_clone = new.take_from(stored.fileno(), entry.size)
        if not self._can_clone:
            return False
        hasher = new_hasher(Kind.BLOB)
        for piece in new.pieces():
            hasher.update(piece)
            self._progress.advance(len(piece))
        if hasher.hexdigest() != entry.id:
            raise ObjectCorrupt(entry.id, "its bytes do not hash to its name")
        return True

    def _is_as_scanned(self, scan: Scan, path: str) -> bool:
        """Whether the path still holds what the scan saw there; if not, it is left alone."""
        seen = scan.file(path)
        found = self._folder.state(path)
        if path in self._states:
            return True  # removed by us a moment ago
        if (found is None and seen is None) or (found is not None and seen is not None and found[:5] == seen[:5]):
            return True
        self._left.append(path)
        return False

    def _sync_each(self) -> None:
        for path in [path for path, state in self._states.items() if state is not None and not state.is_symlink]:
            fd = os.open(os.path.join(self._root, path), os.O_RDONLY)
            try:
                self._calls.fsync(fd)
            finally:
                os.close(fd)


def is_case_insensitive(root: str) -> bool:
    """Whether the disk takes names that differ in case for one."""
    return os.path.lexists(os.path.join(root, AURA.upper()))


def check_collisions(differences: Sequence[Difference]) -> None:
    """Refuse paths that are one on a disk which ignores case and Unicode form.

    Raises:
        PathCollision: names the two; nothing was changed.
    """
    import unicodedata

    seen: dict[str, str] = {}
    for difference in differences:
        if difference.new is None:
            continue
        folded = unicodedata.normalize("NFC", difference.path).casefold()
        other = seen.setdefault(folded, difference.path)
        if other != difference.path:
            raise PathCollision(
                difference.path, other, hint="Rename one of them on the machine it comes from, and commit there."
            )
