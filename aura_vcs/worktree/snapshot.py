"""From the folder as it is to a tree in the store."""

import os
from collections.abc import Iterable, Sequence

import msgspec

from aura_vcs.codec import encode_tree, name_bytes
from aura_vcs.ids import ObjectId
from aura_vcs.model import DOCUMENTS, Entry, EntryKind, Kind, Tree
from aura_vcs.objects.base import Source
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.store import ObjectStore
from aura_vcs.objects.trees import EMPTY_TREE_ID, TreeReader
from aura_vcs.progress import Progress
from aura_vcs.worktree.scan import Scan, ScannedFolder, entry_of
from aura_vcs.worktree.sources import DiskClock, FileSource, read_settled_link


class Snapshot(msgspec.Struct, frozen=True):
    """The tree of a folder, in the store or on its way there; `size` counts bytes of content.

    `unstable` are files that would not hold still: the tree has what the base had there, if anything.
    """

    tree: ObjectId
    size: int
    documents: dict[str, ObjectId | None]
    unstable: tuple[str, ...] = ()


class Selection:
    """The paths a command was given; None for everything."""

    def __init__(self, paths: Sequence[str] | None) -> None:
        self._paths = None if paths is None or "" in paths else frozenset(paths)

    def covers(self, path: str) -> bool:
        """Whether the path, or a folder above it, was given."""
        if self._paths is None or path in self._paths:
            return True
        return any(path.startswith(f"{chosen}/") for chosen in self._paths)

    def leads_into(self, path: str) -> bool:
        """Whether something below the path was given."""
        if self._paths is None or not path:
            return True
        return any(chosen.startswith(f"{path}/") for chosen in self._paths)


class Snapshotter:
    """Stores what a scan saw and the base tree does not have."""

    def __init__(
        self, root: str, scan: Scan, batch: Batch, store: ObjectStore, trees: TreeReader, clock: DiskClock
    ) -> None:
        self._root = root
        self._scan = scan
        self._batch = batch
        self._store = store
        self._trees = trees
        self._clock = clock
        self._unstable: list[str] = []

    def store_all(self, base: ObjectId, selection: Selection, progress: Progress) -> Snapshot:
        """Put the folder's content into the batch and return its tree.

        Raises:
            FileUnreadable: a file cannot be read.
        """
        unknown: list[tuple[ScannedFolder, str]] = []
        known: dict[ObjectId, list[tuple[ScannedFolder, str]]] = {}
        self._collect(self._scan.root, base, selection, unknown, known)
        stored = self._store.renew(set(known))
        for object_id, places in known.items():
            if object_id not in stored:
                unknown += places
        self._store_files(unknown, progress)
        entry = self._build(self._scan.root, base, selection)
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
        before = self._entries(base)
        for name, state in folder.files.items():
            if not selection.covers(folder.join(name)):
                continue
            if not state.id:
                unknown.append((folder, name))
                continue
            object_id = ObjectId(state.id.hex())
            if name not in before or before[name].id != object_id:
                known.setdefault(object_id, []).append((folder, name))
        for name, inner in folder.folders.items():
            if selection.covers(inner.path) or selection.leads_into(inner.path):
                entry = before.get(name)
                below = entry.id if entry is not None and entry.kind is EntryKind.DIR else None
                self._collect(inner, below, selection, unknown, known)

    def _entries(self, tree: ObjectId | None) -> dict[str, Entry]:
        return {} if tree is None else {entry.name: entry for entry in self._trees.tree(tree).entries}

    def _store_files(self, wanted: Iterable[tuple[ScannedFolder, str]], progress: Progress) -> None:
        sources: list[Source] = []
        places: dict[int, tuple[ScannedFolder, str]] = {}
        total = 0
        for folder, name in wanted:
            path, state = folder.join(name), folder.files[name]
            real_path = f"{self._root}{os.sep}{path}"
            if state.is_symlink:
                settled = read_settled_link(path, real_path, self._clock)
                if settled is None:
                    self._unstable.append(path)
                    continue
                link, target = settled
                self._batch.add(Kind.BLOB, target, path)
                folder.files[name] = link
                continue
            file = FileSource(path, real_path, state, self._clock)
            places[id(file)] = (folder, name)
            sources.append(file)
            total += state.size
        progress.start("Storing", total, "bytes")
        for done, stored in self._batch.add_sources(sources):
            assert isinstance(done, FileSource)
            source, (folder, name) = done, places[id(done)]
            if stored is None:
                self._unstable.append(source.path)
            else:
                folder.files[name] = source.state.hashed(bytes.fromhex(stored))
        progress.finish()

    def _build(self, folder: ScannedFolder, base: ObjectId | None, selection: Selection) -> Entry:
        """The entry of a folder, its tree in the batch. Outside the selection, all is as in the base."""
        name = folder.path.rpartition("/")[2]
        if folder.tree is not None and folder.tree == base:
            return Entry(name, EntryKind.DIR, folder.tree, self._trees.tree(folder.tree).size)
        before = self._entries(base)
        entries = {}
        for path_name, entry in before.items():
            if not selection.covers(folder.join(path_name)):
                entries[path_name] = entry
        for file_name, state in folder.files.items():
            if selection.covers(folder.join(file_name)):
                if state.id:
                    entries[file_name] = entry_of(file_name, state)
                elif file_name in before:
                    entries[file_name] = before[file_name]
        for folder_name, inner in folder.folders.items():
            if selection.covers(inner.path) or selection.leads_into(inner.path):
                old = before.get(folder_name)
                below = old.id if old is not None and old.kind is EntryKind.DIR else None
                entries[folder_name] = self._build(inner, below, selection)
        return self._store_tree(folder, name, entries)

    def _store_tree(self, folder: ScannedFolder, name: str, entries: dict[str, Entry]) -> Entry:
        tree = sorted_tree(entries.values())
        object_id, data = encode_tree(tree)
        if object_id != EMPTY_TREE_ID or not folder.path:
            self._batch.add(Kind.TREE, data, f"{folder.path}/")
        self._trees.remember(object_id, tree)
        if all(state.id for state in folder.files.values()) and all(f.tree for f in folder.folders.values()):
            folder.tree = tree_of_scan(folder, tree, object_id)
        return Entry(name, EntryKind.DIR, object_id, tree.size)


def tree_of_scan(folder: ScannedFolder, tree: Tree, object_id: ObjectId) -> ObjectId | None:
    """The tree's id if the tree is the folder as it is, not a mixture with its base."""
    if len(tree.entries) != len(folder.files) + len(folder.folders):
        return None
    for entry in tree.entries:
        state = folder.files.get(entry.name)
        if state is not None and entry_of(entry.name, state) != entry:
            return None
        if state is None and folder.folders[entry.name].tree != entry.id:
            return None
    return object_id


def sorted_tree(entries: Iterable[Entry]) -> Tree:
    """A tree of the entries, in the order that trees have."""
    return Tree(tuple(sorted(entries, key=lambda entry: name_bytes(entry.name))))


def documents_of(tree: Tree) -> dict[str, ObjectId | None]:
    """The ids of the five specifications at the top of a project; `timeline.otio` stands in for a timeline."""
    files = {entry.name: entry.id for entry in tree.entries if entry.kind is EntryKind.FILE}
    found = {name: files.get(f"{name}.json") for name in DOCUMENTS}
    if found["timeline"] is None:
        found["timeline"] = files.get("timeline.otio")
    return found
