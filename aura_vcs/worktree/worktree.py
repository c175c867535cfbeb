"""The project folder as the rest of the library uses it."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.layout import ASIDE, LEFT_OUT, TEMPORARY
from aura_vcs.model import EntryKind, Kind
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.worktree.scan.cache import CleanFolder, FileState, ScanCache, file_state
from aura_vcs.worktree.scan.cache_file import append_to_scan_cache, load_scan_cache, save_scan_cache
from aura_vcs.worktree.scan.filesystem import FilesystemTraits
from aura_vcs.worktree.scan.ignore import load_ignore_rules
from aura_vcs.worktree.scan.prefetch import LookAhead, ask_ahead
from aura_vcs.worktree.scan.scan import Scan
from aura_vcs.worktree.scan.scanner import Scanner

if TYPE_CHECKING:
    from aura_vcs.index.index_file import Files
    from aura_vcs.objects.base import PackLocation
    from aura_vcs.objects.batch import Batch
    from aura_vcs.objects.store import ObjectStore
    from aura_vcs.objects.trees import Difference, Snapshot, TreeReader
    from aura_vcs.worktree.checkout.rescan import TreePair
    from aura_vcs.worktree.checkout.set_aside import Aside, Unsaved
    from aura_vcs.worktree.checkout.writer import Writer, Written


BLOCKING_SHOWN = 3
"""So many of the files that are in the way are named."""


class Worktree:
    """The files of the project in the folder `root`."""

    def __init__(
        self,
        root: str,
        files: "Files",
        calls: FileCalls,
        ahead: LookAhead | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self.root = root
        self._progress = progress
        self._ahead = ahead if ahead is not None and ahead.root == root else None
        self._files = files
        self._calls = calls
        self._storage = files.storage
        self._temporary = Scratch(self._storage, TEMPORARY)
        self.disk = FilesystemTraits(self._temporary, calls)
        self._writer: Writer | None = None

    @property
    def _store(self) -> "ObjectStore":
        return self._files.store

    @property
    def _trees(self) -> "TreeReader":
        return self._files.trees

    @cached_property
    def aside(self) -> "Aside":
        """What came out of the folder: whoever changes it sees to what is unsaved there (see history.late_edits)."""
        from aura_vcs.worktree.checkout.set_aside import Aside  # whoever only looks takes nothing out

        return Aside(Scratch(self._storage, ASIDE))

    def scan(self, base: ObjectId, always: Iterable[str] = ()) -> Scan:
        """Look at every file, reading none. `base` is the tree the work started from.

        Paths in `always` are looked at even where they are ignored.
        """
        rules = load_ignore_rules(self.root)
        for note in rules.notes:
            self._progress.note(note)
        cache = load_scan_cache(self._storage)
        wanted = frozenset(always)
        ahead, self._ahead = self._ahead or ask_ahead(self.root), None
        root = cache.folders.get("")
        is_of_base = root is not None and root.tree.hex() == base
        is_to_be_verified = ahead is not None and ahead.is_to_be_verified
        scanner = Scanner(
            self.root,
            rules,
            cache,
            lambda path: self._is_in(base, path),
            wanted,
            None if is_to_be_verified else ahead,
            is_of_base=is_of_base,
            progress=self._progress,
        )
        scan = scanner.scan()
        if is_to_be_verified:
            self._verify_watcher(scan, cache)
        if self._may_lack_evicted():
            from aura_vcs.worktree.scan.left_out import note_left_out  # in most projects nothing ever is

            note_left_out(scan, base, self._store, self._trees)
        return scan

    def _may_lack_evicted(self) -> bool:
        return bool(self._files.offloaded.all()) or self._storage.stat(LEFT_OUT) is not None

    def equal_to(self, base: ObjectId) -> CleanFolder | None:
        """Return the folder if a watcher knows that it is equal to the tree in every file; nothing is looked at."""
        ahead, self._ahead = self._ahead or ask_ahead(self.root), None
        found = ahead.clean if ahead is not None else None
        if found is not None and found.tree == base and not self._may_lack_evicted():
            rules = load_ignore_rules(self.root)
            if found.fingerprint == rules.fingerprint and not rules.notes:
                return found
        self._ahead = ahead  # for the scan that follows; an answer is used once, for files change after it
        return None

    def verify_watcher(self, base: ObjectId) -> bool | None:
        """Look at every file, and hold what the watcher says against it; None where there is none, or it says nothing.

        Where it did not tell of a difference, that is recorded, and it is not asked any more.
        """
        self._ahead = None
        cache = load_scan_cache(self._storage)
        scanner = Scanner(self.root, load_ignore_rules(self.root), cache, lambda path: self._is_in(base, path))
        return self._verify_watcher(scanner.scan(), cache)

    def _verify_watcher(self, scan: Scan, cache: ScanCache) -> bool | None:
        from aura_vcs.worktree.watch.verify import verify_watcher  # one command in fifty

        return verify_watcher(self.root, self._storage, scan, cache, self.content_now, self._progress)

    def _is_in(self, base: ObjectId, path: str) -> bool:
        return self._trees.entry(base, path) is not None

    def hash(self, paths: Sequence[str], scan: Scan, progress: Progress, *, patient: bool = False) -> list[str]:
        """Find the ids of files of a scan without storing them; returns those that kept changing.

        Files that cannot be read, or have gone, are taken out of the scan (see Scan.drop). With `patient`,
        waits for files that were written a moment ago, so that their state is known too.

        Raises:
            FileUnreadable: no file can be read.
        """
        if not paths:
            return []
        from aura_vcs.worktree.snapshot.stable_read import (
            WorktreeHasher,  # a folder in which nothing has changed needs none
        )

        return WorktreeHasher(self.root, self._temporary, progress, is_patient=patient).hash(paths, scan)

    def store_all(
        self, scan: Scan, batch: "Batch", base: ObjectId, paths: Sequence[str] | None, progress: Progress
    ) -> "Snapshot":
        """Put what the scan saw into the batch; with `paths`, only those, the rest as in `base`.

        What could not be seen or read is as in `base`, and is told by `scan.skipped`.
        """
        from aura_vcs.worktree.scan.selection import Selection
        from aura_vcs.worktree.snapshot.snapshot import Snapshotter
        from aura_vcs.worktree.snapshot.stable_read import FilesystemClock

        selection = Selection(paths)
        clock = FilesystemClock(self._temporary, self.disk.try_out)
        snapshotter = Snapshotter(self.root, scan, batch, self._store, self._trees, clock, self.disk)
        return snapshotter.store_all(base, selection, progress)

    def apply(
        self,
        scan: Scan,
        differences: "Sequence[Difference]",
        places: "Mapping[ObjectId, PackLocation]",
        progress: Progress,
        trees: "TreePair | None" = None,
    ) -> "Written":
        """Put differences in place; see Writer.apply. The scan cache then knows what was written.

        What could not be seen is left alone. `trees` are the two that differ so, where nothing else does.
        """
        writer, self._writer = self._writer or self._new_writer(progress), None
        unseen: list[str] = []
        if any(skipped.is_unreadable and not skipped.is_evicted for skipped in scan.skipped):
            unseen = [d.path for d in differences if scan.is_unseen(d.path)]
            differences = [d for d in differences if not scan.is_unseen(d.path)]
        whole = differences
        differences, absent = self._without_evicted(differences)
        written = writer.apply(scan, differences, places)
        if unseen:
            written = replace(written, skipped=(*written.skipped, *unseen))
        if absent or self._storage.stat(LEFT_OUT) is not None:
            from aura_vcs.worktree.scan.left_out import record_left_out

            record_left_out(self._storage, absent, written.states, self._progress)
        entered = replace(written, skipped=(*written.skipped, *absent)) if absent else written
        writer.enter(scan, entered, whole, trees, self._trees.tree)
        self.save(scan)
        return written

    def _without_evicted(
        self, differences: "Sequence[Difference]"
    ) -> "tuple[Sequence[Difference], Mapping[str, ObjectId]]":
        """Leave out files whose content was evicted; return also these, by path."""
        if not self._files.offloaded.all():
            return differences, {}
        from aura_vcs.worktree.scan.left_out import without_evicted

        return without_evicted(self._store, differences)

    def plan(
        self,
        base: ObjectId,
        differences: "Sequence[Difference]",
        places: "Mapping[ObjectId, PackLocation]",
        progress: Progress,
    ) -> None:
        """Plan what `stage` is to write, in a folder that is as `base`."""
        self._writer = self._new_writer(progress)
        self._writer.plan(self.scan(base), self._without_evicted(differences)[0], places)

    def stage(self, progress: Progress) -> None:
        """Write aside what was planned, for an `apply` that will be asked for just that; see Staging.stage."""
        if self._writer is not None:
            progress.start("Laying out files", None, "bytes")
            self._writer.stage()
            progress.finish()

    def close(self) -> None:
        """Remove what was laid out, if it was not asked for."""
        if "aside" in self.__dict__:
            self.aside.close()
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def _new_writer(self, progress: Progress) -> "Writer":
        from aura_vcs.worktree.checkout.writer import Writer

        return Writer(self.root, self._temporary, self.aside, self._store, self._calls, progress, self.disk)

    def mode_now(self, path: str) -> int:
        """Return the mode of a file as it is now; where there is none, that of one that everybody may read."""
        try:
            found = os.stat(os.path.join(self.root, *path.split("/")), follow_symlinks=False).st_mode
        except OSError:
            return 0o666
        return found if stat.S_ISREG(found) else 0o666

    def content_now(self, path: str) -> ObjectId | None:
        """Return the id of what a file of any size (or a link's target) holds now; None if there is none.

        Raises:
            FileUnreadable: something is there that is not a file, or it cannot be read.
        """
        real_path = os.path.join(self.root, *path.split("/"))
        from aura_vcs.worktree.checkout.set_aside import content_id

        found = content_id(real_path)
        if found is None and os.path.lexists(real_path):
            raise FileUnreadable(path, "it is not a file, or not permitted")
        return found

    def content_aside(self, unsaved: "Unsaved") -> ObjectId | None:
        """Return the id of what a file holds that came out of the folder; None if it cannot be read."""
        return self.aside.content_id(unsaved.name)

    def store_aside(self, batch: "Batch", found: "Sequence[Unsaved]") -> "list[tuple[Unsaved, FileState]]":
        """Put what came out of the folder into the batch; returns the files with their states and ids.

        Of one that a program goes on writing to, a copy is taken.
        """
        from aura_vcs.worktree.checkout.set_aside import Unsaved
        from aura_vcs.worktree.snapshot.stable_read import FileSource, FilesystemClock, read_link

        clock = FilesystemClock(self._temporary)
        done: list[tuple[Unsaved, FileState]] = []
        sources: dict[int, tuple[Unsaved, FileSource]] = {}
        for unsaved in found:
            real_path = self.aside.real_path(unsaved.name)
            with self.aside.at(unsaved.name) as (last, dir_fd):
                state = file_state(os.stat(last, dir_fd=dir_fd, follow_symlinks=False))
            if state.is_symlink:
                link, target = read_link(unsaved.path, real_path)
                batch.add(Kind.BLOB, target, unsaved.path)
                done.append((unsaved, state.hashed(bytes.fromhex(link))))
            else:
                batch.also_read_by(state.mode)
                source = FileSource(unsaved.path, real_path, state, clock)
                sources[id(source)] = unsaved, source
        for added, stored in batch.add_sources([source for _, source in sources.values()]):
            unsaved, source = sources[id(added)]
            if stored is None:
                copy = Unsaved(unsaved.path, self.aside.copy(unsaved))
                done += self.store_aside(batch, [copy])
            else:
                done.append((unsaved, source.state.hashed(bytes.fromhex(stored))))
        return done

    @property
    def scratch(self) -> Scratch:
        """The folder for what is on its way, on the disk with the project."""
        return self._temporary

    def in_the_way(self, scan: Scan, differences: "Iterable[Difference]") -> list[str]:
        """Find paths that would be written over although the scan did not see them (ignored files)."""
        found: list[str] = []
        absent: set[str] = set()
        for difference in differences:  # in order of paths
            path, new = difference.path, difference.new
            if new is None:
                continue
            is_absent = path.rpartition("/")[0] in absent
            if not is_absent and scan.file(path) is None and scan.folder(path) is None:
                real_path = os.path.join(self.root, path)
                is_absent = not os.path.lexists(real_path)
                if not is_absent and not self._is_plain_folder(difference, real_path):
                    found.append(path)
            if is_absent and new.kind is EntryKind.DIR:
                absent.add(path)
        return found

    def blocking(self, paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return those of the paths where a folder with files stands in place of a file, with its first files."""
        found: dict[str, tuple[str, ...]] = {}
        for path in paths:
            real_path = os.path.join(self.root, *path.split("/"))
            if not os.path.isdir(real_path) or os.path.islink(real_path):
                continue
            inside = (os.path.join(at, name) for at, _, names in os.walk(real_path) for name in names)
            if first := tuple(os.path.relpath(file, self.root) for file in islice(inside, BLOCKING_SHOWN)):
                found[path] = first
        return found

    def _is_plain_folder(self, difference: "Difference", real_path: str) -> bool:
        new = difference.new
        is_folder = os.path.isdir(real_path) and not os.path.islink(real_path)
        return new is not None and new.kind is EntryKind.DIR and is_folder

    def save(self, scan: Scan) -> None:
        """Remember what is known of the files, for the next scan."""
        changes = scan.cache_changes()
        if changes is None or scan.known is None or not append_to_scan_cache(self._storage, scan.known, *changes):
            save_scan_cache(self._storage, scan.to_cache())
        scan.known = None  # the file is another now

    def discard(self, path: str, size: int, mtime_ns: int) -> bool:
        """Delete one file for good, durably, if it still has that size and date; absent is fine.

        False if somebody wrote to it, even in the last moment: then it stays, or comes back, beside what has its
        name by then. Never through a link.
        """
        from aura_vcs.worktree.checkout.safe_folder import SafeFolder
        from aura_vcs.worktree.checkout.set_aside import SeenFile

        folder = SafeFolder(self.root, self._temporary, self._calls, self.aside)
        try:
            state = folder.state(path)
            if state is None:
                return True
            if (state.size, state.mtime_ns) != (size, mtime_ns):
                return False
            is_gone = folder.take_out(path, SeenFile(state, None))
            written = self.aside.hand_over_unsaved()
            for unsaved in written:
                folder.return_beside(unsaved.name, path)
            folder.sync()
            return is_gone and not written
        except FileNotFoundError:
            return True
        finally:
            folder.close()
            if self.aside.has_unsaved:
                self.aside.close()  # the next command that changes the project keeps it
            else:
                self.aside.clear()

    def discard_folder(self, path: str) -> None:
        """Delete a folder if it is empty, durably; one that is not, or is absent, is left. Never through a link."""
        from aura_vcs.worktree.checkout.safe_folder import SafeFolder

        folder = SafeFolder(self.root, self._temporary, self._calls)
        try:
            folder.remove_folder(path)
            folder.sync()
        except OSError:
            return
        finally:
            folder.close()
