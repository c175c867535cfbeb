"""Putting a version's files in place: only what differs, each file as a whole.

What is replaced must be what the scan saw; a file that was edited since is left alone and
listed. The caller has made sure that everything that goes is in the store.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property

import msgspec

from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.errors.worktree import NameUnfit, PathCollision
from aura_vcs.ids import ObjectId
from aura_vcs.layout import AURA, fold_path
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.loose import new_hasher
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference
from aura_vcs.progress import Progress
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls, storage_error
from aura_vcs.worktree.checkout.new_file import NewFile, StoredReaders
from aura_vcs.worktree.checkout.rescan import PutInPlace, TreePair, enter_written
from aura_vcs.worktree.checkout.safe_folder import SafeFolder
from aura_vcs.worktree.checkout.set_aside import Aside, SeenFile
from aura_vcs.worktree.checkout.staging import Staging
from aura_vcs.worktree.checkout.staging_plan import Staged, StagedFile
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.filesystem import FilesystemTraits
from aura_vcs.worktree.scan.ignore import load_ignore_rules
from aura_vcs.worktree.scan.scan import ReadTree, Scan
from aura_vcs.worktree.snapshot.stable_read import FilesystemClock

SYNC_BATCH = 64
"""From so many files on, one sync of the disk is cheaper than one for each."""


class Written(msgspec.Struct, frozen=True):
    """What was put in place, by path (None: removed), and what was left as it was, with the reason."""

    states: Mapping[str, FileState | None]
    skipped: tuple[str, ...]


class Writer:
    """Applies differences to the project folder."""

    def __init__(
        self,
        root: str,
        temporary: Scratch,
        aside: Aside,
        store: ObjectStore,
        calls: FileCalls,
        progress: Progress,
        disk: FilesystemTraits,
    ) -> None:
        self._root = root
        self._disk = disk
        self._store = store
        self._calls = calls
        self._progress = progress
        self._folder = SafeFolder(root, temporary, calls, aside)
        self._staging = Staging(root, temporary, store, calls, progress, aside)
        self._temporary = temporary
        self._states: dict[str, FileState | None] = {}
        self._can_clone = True
        self._places: Mapping[ObjectId, PackLocation] = {}
        self._readers = StoredReaders(store)
        self._staged: dict[str, StagedFile] = {}
        self._left: list[str] = []
        self._blocked: set[str] = set()

    @cached_property
    def _clock(self) -> FilesystemClock:
        return FilesystemClock(self._temporary)

    def plan(self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, PackLocation]) -> None:
        """Plan what `stage` is to write aside, before `apply` is asked for it."""
        self._staging.plan(scan, self._with_disk_mode(differences), places, least=SYNC_BATCH)

    def stage(self) -> None:
        """Write aside what was planned; see Staging.stage."""
        self._staging.stage()

    def discard(self) -> None:
        """Remove what was laid out and not put in place."""
        self._staging.discard()

    def apply(self, scan: Scan, differences: Sequence[Difference], places: Mapping[ObjectId, PackLocation]) -> Written:
        """Remove, make and replace until the folder has every `new` of `differences`.

        `places` says where content lies in packs; what it does not name is looked for.
        Interrupted, every file is whole: the old one or the new one.

        Raises:
            PathCollision: two of the new paths are one on this disk; nothing was changed.
            NameUnfit: the disk cannot have a name; nothing was changed.
            ObjectMissing, ObjectCorrupt: content is damaged; that file was not touched.
            StorageError: the disk refused.
        """
        if is_case_insensitive(self._root):
            check_collisions(differences)
        if unfit := self._disk.unsupported_names(d.path for d in differences if d.new is not None):
            raise NameUnfit(unfit)
        differences = self._with_disk_mode(differences)
        self._places, self._readers = places, StoredReaders(self._store)
        sizes = sum(d.new.size for d in differences if d.new is not None and d.new.kind is EntryKind.FILE)
        self._progress.start("Writing files", sizes, "bytes")
        try:
            staged = self._staging.write(scan, differences, places, least=SYNC_BATCH)
            self._remove(scan, differences)
            others = self._place_folders(differences, staged)
            self._make_folders(others)
            self._write_all(scan, self._in_stored_order(others))
            self._folder.sync()
        except OSError as error:
            raise storage_error("write in", self._root, error) from error
        finally:
            self._staging.discard()
            self._folder.close()
            self._progress.finish()
        return Written(self._states, tuple(self._left))

    def enter(
        self,
        scan: Scan,
        written: Written,
        differences: Sequence[Difference],
        trees: TreePair | None,
        read: ReadTree,
    ) -> None:
        """Bring the scan to what is there now; see rescan."""
        known = trees if self._disk.keeps_all else None
        rules = load_ignore_rules(self._root)
        enter_written(scan, PutInPlace(written.states, differences, written.skipped, known), self._root, read, rules)

    def _with_disk_mode(self, differences: Sequence[Difference]) -> Sequence[Difference]:
        """Return the differences as they will look on this disk."""
        if self._disk.keeps_all:
            return differences
        look = self._disk.with_disk_mode
        return [Difference(d.path, d.old and look(d.old), d.new and look(d.new)) for d in differences]

    def _place_folders(self, differences: Sequence[Difference], staged: Staged) -> list[Difference]:
        """Put the folders in place that come as a whole; returns what is still to be done."""
        self._staged.update(staged.files)
        there: set[str] = set()
        for folder in staged.folders:
            states = self._staging.place_folder(folder, self._folder)
            if states is None:
                self._staged.update((folder.real(file.path), file) for file in folder.files)
            else:
                self._states |= states
                there.update(states, map(folder.real, folder.folders))
        return [d for d in differences if d.path not in there]

    def _write_all(self, scan: Scan, files: Sequence[Difference]) -> None:
        """Put files in place, every one durable before it gets its name."""
        large: list[Difference] = []
        for difference in files:
            if not self._may_write(scan, difference):
                continue
            path, new = difference.path, difference.new
            assert new is not None
            staged = self._staged.get(path)
            seen = self._seen(scan, difference)
            if staged is not None:
                self._placed(path, self._staging.place_file(staged, path, self._folder, seen))
            elif difference.old is not None and (difference.old.kind, difference.old.id) == (new.kind, new.id):
                self._note(difference, self._set_mode(difference, seen))
            elif new.kind is EntryKind.SYMLINK:
                self._note(difference, self._folder.make_link(path, self._store.read(new.id), seen))
            elif seen is None or self._folder.is_as_seen(path, seen):
                large.append(difference)
            else:
                self._left.append(path)
        for start in range(0, len(large), SYNC_BATCH):
            self._write_together(scan, large[start : start + SYNC_BATCH])

    def _write_together(self, scan: Scan, files: Sequence[Difference]) -> None:
        """Write files, all with one sync where they are many."""
        together = len(files) >= SYNC_BATCH
        with ExitStack() as stack:
            made: list[tuple[Difference, NewFile]] = []
            for difference in files:
                seen = self._seen(scan, difference)
                mode = self._making_mode(difference, seen)
                new = stack.enter_context(self._folder.new_file(mode))
                self._write_content(difference, new, sync=not together)
                if together:
                    made.append((difference, new))
                elif self._may_write(scan, difference):
                    self._note(difference, self._folder.place(new, difference.path, seen))
            if together and not self._calls.sync_disk(self._root):
                for _, new in made:
                    new.sync()
            for difference, new in made:
                if self._may_write(scan, difference):
                    self._note(difference, self._folder.place(new, difference.path, self._seen(scan, difference)))

    def _making_mode(self, difference: Difference, seen: SeenFile | None) -> int:
        """Return the mode to make the file with, see StoredReaders."""
        assert difference.new is not None
        blob = difference.new.id
        return self._readers.making_mode(blob, self._places.get(blob), seen.state if seen is not None else None)

    def _set_mode(self, difference: Difference, seen: SeenFile | None) -> FileState | None:
        """Make a file executable or not, if its content stays; None if it is not what was seen."""
        path, old, new = difference.path, difference.old, difference.new
        assert old is not None
        assert new is not None
        if seen is None or old.executable == new.executable:
            return self._folder.state(path) if self._folder.is_as_seen(path, seen) else None
        return self._folder.set_executable(path, new.executable, seen)

    def _note(self, difference: Difference, state: FileState | None) -> None:
        assert difference.new is not None
        content = bytes.fromhex(difference.new.id)
        self._placed(difference.path, state._replace(id=content) if state is not None else None)

    def _placed(self, path: str, state: FileState | None) -> None:
        """Note the state of a file that got its name, or that what has the name was left (None)."""
        if state is None:
            self._left.append(path)
        else:
            self._states[path] = state

    def _seen(self, scan: Scan, difference: Difference) -> SeenFile | None:
        """Return what must be at the path for it to be replaced or removed."""
        state, old = scan.file(difference.path), difference.old
        if state is None or difference.path in self._states:
            return None  # in the second case removed by us a moment ago
        return SeenFile(
            state, old.id if old is not None and old.kind is not EntryKind.DIR else ObjectId(state.id.hex())
        )

    def _remove(self, scan: Scan, differences: Sequence[Difference]) -> None:
        """Remove what has no successor of its kind, files before the folders they are in."""
        for difference in sorted(filter(_is_removal, differences), key=lambda d: d.path, reverse=True):
            old = difference.old
            assert old is not None
            if old.kind is EntryKind.DIR:
                self._folder.remove_folder(difference.path)
            else:
                seen = self._seen(scan, difference)
                if seen is None or self._folder.take_out(difference.path, seen):
                    self._states[difference.path] = None
                else:
                    self._left.append(difference.path)

    def _make_folders(self, differences: Sequence[Difference]) -> None:
        for difference in differences:  # in order of paths, parents come first
            new = difference.new
            if new is None or new.kind is not EntryKind.DIR:
                continue
            if self._is_blocked(difference.path) or not self._folder.make_folder(difference.path):
                self._blocked.add(difference.path)

    def _is_blocked(self, path: str) -> bool:
        """Tell whether something that was left alone stands where the path has a folder."""
        return bool(self._blocked) and any(path.startswith(f"{blocked}/") for blocked in self._blocked)

    def _in_stored_order(self, differences: Sequence[Difference]) -> list[Difference]:
        """Sort files in the order in which they lie in packs, so that each frame is decoded once."""
        files = [d for d in differences if d.new is not None and d.new.kind is not EntryKind.DIR]

        def order(difference: Difference) -> tuple[str, int, int]:
            place = self._places.get(difference.new.id) if difference.new else None
            return ("", 0, 0) if place is None else (place.pack, place.frame, place.offset)

        return sorted(files, key=order)

    def _may_write(self, scan: Scan, difference: Difference) -> bool:
        """Tell whether a path may be written: nothing of ours was left alone above, and nothing new stands at it."""
        path = difference.path
        is_taken = scan.file(path) is None and path not in self._states and self._folder.state(path) is not None
        if is_taken or self._is_blocked(path):
            self._left.append(path)
            return False
        return True

    def _write_content(self, difference: Difference, new: NewFile, *, sync: bool) -> None:
        entry = difference.new
        assert entry is not None
        if not self._clone(entry, new):
            self._copy(difference.path, entry, new)
        new.finish(executable=entry.executable, sync=sync, now_ns=self._clock.now_ns())

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


def _is_removal(difference: Difference) -> bool:
    """Tell whether what is there has no successor of its kind."""
    old, new = difference.old, difference.new
    return old is not None and (new is None or (old.kind is EntryKind.DIR) != (new.kind is EntryKind.DIR))


def is_case_insensitive(root: str) -> bool:
    """Tell whether the disk takes names that differ in case for one."""
    return os.path.lexists(os.path.join(root, AURA.upper()))


def check_collisions(differences: Sequence[Difference]) -> None:
    """Refuse paths that are one on a disk which ignores case and Unicode form.

    Raises:
        PathCollision: names the two; nothing was changed.
    """
    seen: dict[str, str] = {}
    for difference in differences:
        if difference.new is None:
            continue
        other = seen.setdefault(fold_path(difference.path), difference.path)
        if other != difference.path:
            raise PathCollision(
                difference.path, other, hint="Rename one of them on the machine it comes from, and commit there."
            )
