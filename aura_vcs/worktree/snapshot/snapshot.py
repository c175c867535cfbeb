"""From the folder as it is to a tree in the store."""

import os
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import and_

from aura_vcs.codec import encode_tree
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.packs.writer import similarity
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import Difference, Snapshot, TreeReader, documents_of, sorted_tree
from aura_vcs.progress import Progress
from aura_vcs.worktree.scan.cache import FileState, id_of
from aura_vcs.worktree.scan.filesystem import FilesystemTraits
from aura_vcs.worktree.scan.scan import Scan, ScannedFolder, drop, entries_of, entry_of
from aura_vcs.worktree.scan.selection import Selection
from aura_vcs.worktree.snapshot.parallel_read import start_reader
from aura_vcs.worktree.snapshot.stable_read import FileSource, FilesystemClock, read_stable_link


class Snapshotter:
    """Stores what a scan saw and the base tree does not have."""

    def __init__(
        self,
        root: str,
        scan: Scan,
        batch: Batch,
        store: ObjectStore,
        trees: TreeReader,
        clock: FilesystemClock,
        disk: FilesystemTraits,
    ) -> None:
        self._root = root
        self._scan = scan
        self._batch = batch
        self._store = store
        self._trees = trees
        self._clock = clock
        self._disk = disk
        self._unstable: list[str] = []
        self._unseen: dict[str, list[str]] = {}
        """Names of what could not be seen or read, by the folder."""
        self._differences: list[Difference] | None = []
        """What differs from the base, None once that would take more than a look at the scan cache."""

    def store_all(self, base: ObjectId, selection: Selection, progress: Progress) -> Snapshot:
        """Put the folder's content into the batch and return its tree.

        Raises:
            FileUnreadable: no file can be read.
        """
        unknown: list[tuple[ScannedFolder, str]] = []
        known: dict[ObjectId, list[tuple[ScannedFolder, str]]] = {}
        self._collect(self._scan.root, base, selection, unknown, known)
        stored = self._store.renew(set(known))
        for object_id, places in known.items():
            if object_id not in stored:
                unknown += places
        self._store_files(unknown, progress)
        self._unseen = self._scan.unseen()
        entry = self._build(self._scan.root, base, selection)
        if self._differences is not None:
            self._trees.remember_differences(base, entry.id, self._differences)
        tree = self._trees.tree(entry.id)
        return Snapshot(entry.id, entry.size, documents_of(tree), tuple(self._unstable))

    def _collect(
        self,
        folder: ScannedFolder,
        base: ObjectId | None,
        selection: Selection,
        unknown: list[tuple[ScannedFolder, str]],
        known: dict[ObjectId, list[tuple[ScannedFolder, str]]],
    ) -> None:
        if folder.tree is not None and folder.tree == base:
            return
        before = self._before(folder, base)
        states = before.states
        for name, state in folder.files.items():
            is_there = before.has(name, state) if states is None else states.get(name) is state
            if is_there or not selection.covers(folder.join(name)):
                continue
            if state.id:
                known.setdefault(ObjectId(state.id.hex()), []).append((folder, name))
            else:
                unknown.append((folder, name))
        for name, inner in folder.folders.items():
            if selection.covers(inner.path) or selection.leads_into(inner.path):
                self._collect(inner, before.folder(inner, name), selection, unknown, known)

    def _before(self, folder: ScannedFolder, base: ObjectId | None) -> "_Before":
        was = folder.was
        if base is not None and was is not None and was.tree and was.tree.hex() == base:
            return _Before(was.files, None, lambda: self._entries(base))
        return _Before(None, self._entries(base), lambda: self._entries(base))

    def _entries(self, tree: ObjectId | None) -> dict[str, Entry]:
        return {} if tree is None else {entry.name: entry for entry in self._trees.tree(tree).entries}

    def _store_files(self, wanted: Iterable[tuple[ScannedFolder, str]], progress: Progress) -> None:
        files: list[_File] = []
        total = 0
        for folder, name in wanted:
            path, state = folder.join(name), folder.files[name]
            if state.is_symlink:
                self._store_link(folder, name, path)
                continue
            files.append((path, folder, name))
            total += state.size
        progress.start("Storing", total, "bytes")
        groups = _by_readers(files)
        for readers, group in groups:
            self._batch.read_by(readers)
            self._store_group(group)
        if self._store.storage.is_shared:
            self._batch.read_by(0o666)
        elif len(groups) > 1:
            self._batch.read_by(reduce(and_, (readers for readers, _ in groups)))
        progress.finish()

    def _store_group(self, files: "Sequence[_File]") -> None:
        """Store files that the same people may read."""
        read = self._store_in_parallel(files)
        rest = {path: (folder, name) for path, folder, name in files if path not in read}
        sources = [self._source((path, *place)) for path, place in rest.items()]
        for source, stored in self._batch.add_sources(sources):
            folder, name = rest[source.path]
            if source.fault is not None:
                drop(self._scan, source.fault)
            elif stored is None:
                self._unstable.append(source.path)
            else:
                assert isinstance(source, FileSource)
                folder.files[name] = source.state.hashed(bytes.fromhex(stored))

    def _store_link(self, folder: ScannedFolder, name: str, path: str) -> None:
        try:
            stable = read_stable_link(path, f"{self._root}{os.sep}{path}", self._clock)
        except FileUnreadable as error:
            drop(self._scan, error)
            return
        if stable is None:
            self._unstable.append(path)
            return
        folder.files[name], target = stable
        self._batch.add(Kind.BLOB, target, path)

    def _source(self, file: "_File") -> FileSource:
        path, folder, name = file
        return FileSource(path, f"{self._root}{os.sep}{path}", folder.files[name], self._clock)

    def _store_in_parallel(self, files: "Iterable[_File]") -> set[str]:
        """Store small files, if there are many, with a worker process; returns the paths of those that were stable."""
        small = sorted((f for f in files if f[1].files[f[2]].size < LARGE_BYTES), key=_similarity)
        reader = start_reader(len(small), lambda number: self._source(small[number]))
        read: set[str] = set()
        if reader is None:
            return read
        try:
            for frame, found in reader.frames():
                self._batch.add_ready(frame)
                for number, object_id in found:
                    path, folder, name = small[number]
                    read.add(path)
                    folder.files[name] = folder.files[name].hashed(bytes.fromhex(object_id))
        finally:
            reader.close()
        return read

    def _build(self, folder: ScannedFolder, base: ObjectId | None, selection: Selection) -> Entry:
        """Build the entry of a folder, its tree in the batch. Outside the selection, all is as in the base."""
        name = folder.path.rpartition("/")[2]
        if folder.tree is not None and folder.tree == base:
            return Entry(name, EntryKind.DIR, folder.tree, folder.size)
        before = self._before(folder, base)
        entries, is_exact = self._entries_of_files(folder, before, selection)
        if unseen := self._unseen.get(folder.path):
            base_entries = before.entries()
            entries.update((name, base_entries[name]) for name in unseen if name in base_entries)
            is_exact = False
        self._compare(folder, before, entries, selection, is_exact=is_exact)
        for folder_name, inner in folder.folders.items():
            if selection.covers(inner.path) or selection.leads_into(inner.path):
                entries[folder_name] = self._build(inner, before.folder(inner, folder_name), selection)
            entry = entries.get(folder_name)
            is_exact = is_exact and entry is not None and entry.kind is EntryKind.DIR and inner.tree == entry.id
        if not selection.is_everything:
            self._build_removed(folder, entries, selection)
        is_exact = is_exact and len(entries) == len(folder.files) + len(folder.folders)
        return self._store_tree(folder, name, entries, is_exact=is_exact)

    def _build_removed(self, folder: ScannedFolder, entries: dict[str, Entry], selection: Selection) -> None:
        """Take what was selected out of folders that are here no more; one in which nothing is left then goes."""
        for name, entry in list(entries.items()):
            path = folder.join(name)
            is_gone = entry.kind is EntryKind.DIR and name not in folder.folders and not selection.covers(path)
            if is_gone and selection.leads_into(path) and not self._scan.is_unseen(path):
                left = self._build(ScannedFolder(path), entry.id, selection)
                if left.id == EMPTY_TREE_ID and entry.id != EMPTY_TREE_ID:
                    del entries[name]
                else:
                    entries[name] = left

    def _entries_of_files(
        self, folder: ScannedFolder, before: "_Before", selection: Selection
    ) -> tuple[dict[str, Entry], bool]:
        """Return entries of the files, and of what is outside the selection; whether all are as the folder has them."""
        files = folder.files
        if selection.is_everything and all(map(id_of, files.values())) and self._disk.keeps_all:
            return entries_of(files), True
        base = before.entries()
        entries = {name: entry for name, entry in base.items() if not selection.covers(folder.join(name))}
        for name, state in files.items():
            if selection.covers(folder.join(name)):
                if state.id:
                    entries[name] = self._disk.with_version_mode(entry_of(name, state), base.get(name))
                elif name in base:
                    entries[name] = base[name]
        return entries, all(
            state.id
            and name in entries
            and entries[name] == self._disk.with_version_mode(entry_of(name, state), base.get(name))
            for name, state in files.items()
        )

    def _compare(
        self,
        folder: ScannedFolder,
        before: "_Before",
        entries: dict[str, Entry],
        selection: Selection,
        *,
        is_exact: bool,
    ) -> None:
        """Note the files that differ from the base, where names of folders neither came nor went."""
        was = before.states
        is_known = was is not None and selection.is_everything and is_exact and self._disk.keeps_all
        if self._differences is None or was is None or not is_known or not folder.has_folders_of_was:
            self._differences = None
            return
        files = folder.files
        for name, entry in entries.items():
            state = was.get(name)
            if state is not files[name]:
                old = entry_of(name, state) if state is not None else None
                if old != entry:
                    self._differences.append(Difference(folder.join(name), old, entry))
        for name in was.keys() - entries.keys():
            self._differences.append(Difference(folder.join(name), entry_of(name, was[name]), None))

    def _store_tree(self, folder: ScannedFolder, name: str, entries: dict[str, Entry], *, is_exact: bool) -> Entry:
        tree = sorted_tree(entries.values())
        object_id, data = encode_tree(tree)
        if object_id != EMPTY_TREE_ID or not folder.path:
            self._batch.add(Kind.TREE, data, f"{folder.path}/", known=object_id)
        self._trees.remember(object_id, tree)
        if is_exact:
            folder.tree = object_id
        return Entry(name, EntryKind.DIR, object_id, tree.size)


_File = tuple[str, ScannedFolder, str]
"""A file to be stored: its path, the folder it is in, and its name there."""


def _by_readers(files: "Sequence[_File]") -> "list[tuple[int, Sequence[_File]]]":
    """Group the files by who can read them, as a mode: the fewest first.

    What is the same in a private file and in another is stored with the private one. Files that we write ourselves
    make no group of their own: a folder whose files are all private has nothing stored that others can read.
    """
    groups: dict[int, list[_File]] = {}
    ours: list[_File] = []
    for file in files:
        if file[0] in _OWN_FILES:
            ours.append(file)
        else:
            groups.setdefault(file[1].files[file[2]].mode & READ, []).append(file)
    for file in ours:
        mode = file[1].files[file[2]].mode & READ
        groups.setdefault(min((mode, *groups)), []).append(file)
    return sorted(groups.items())


def _similarity(file: _File) -> tuple[str, str]:
    return similarity(file[0])


_OWN_FILES = frozenset({".auraignore", ".stignore", "project.json"})
"""Files at the top that `aura init` writes."""
READ = 0o044
"""Who besides its owner may read a file."""


class _Before:
    """What the base has in a folder: as the scan cache knows it, so that no tree is read, or as its tree says."""

    def __init__(
        self,
        states: dict[str, FileState] | None,
        entries: dict[str, Entry] | None,
        read: Callable[[], dict[str, Entry]],
    ) -> None:
        self.states = states
        """The files as they were when they became what the base has; None where that is not known."""
        self._entries = entries
        self._read = read

    def has(self, name: str, state: FileState) -> bool:
        """Tell whether the base's tree has the file's content at the name."""
        entry = self.entries().get(name)
        return bool(state.id) and entry is not None and entry.id == state.id.hex()

    def folder(self, folder: ScannedFolder, name: str) -> ObjectId | None:
        """Return the tree that the base has at the name of a folder inside."""
        if self.states is not None and folder.was is not None and folder.was.tree:
            return ObjectId(folder.was.tree.hex())
        entry = self.entries().get(name)
        return entry.id if entry is not None and entry.kind is EntryKind.DIR else None

    def entries(self) -> dict[str, Entry]:
        """Return all that the base has in the folder."""
        if self._entries is None:
            self._entries = self._read()
        return self._entries
