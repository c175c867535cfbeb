"""The tree that a folder becomes by a step from one tree to another; trees as flat lists, and made from others."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import encode_tree
from aura_vcs.errors.input import UnknownName
from aura_vcs.ids import ObjectId
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.trees import TreeReader, sorted_tree
from aura_vcs.worktree.scan.selection import Selection, folders_of

if TYPE_CHECKING:
    from aura_vcs.compare.merge.model import TreeEntry


Changes = Mapping[str, Entry | None]
"""What lies at a path from now on, None for nothing. A folder stands for an empty one."""
PutTree = Callable[[bytes, str], ObjectId]
"""Stores a tree's bytes; gets the folder's path for company."""


def files_of(trees: TreeReader, tree: ObjectId) -> dict[str, Entry]:
    """Map the paths of files, links and empty folders below a tree to their entries.

    Raises:
        ObjectMissing, ObjectCorrupt, LimitExceeded.
    """
    return {
        path: entry
        for path, entry in trees.walk(tree)
        if entry.kind is not EntryKind.DIR or not trees.tree(entry.id).entries
    }


def for_comparison(files: Mapping[str, Entry]) -> "dict[str, TreeEntry]":
    """Convert the files to the form that comparisons and merges take."""
    from aura_vcs.compare.merge.model import TreeEntry  # going back needs none of it

    return {path: TreeEntry(entry.kind.value, entry.id, entry.executable) for path, entry in files.items()}


def change_tree(trees: TreeReader, tree: ObjectId, changes: Changes, put: PutTree) -> ObjectId:
    """Replace entries of the tree at some paths; folders that nothing is left in go.

    Only folders on the way to a change are opened and stored anew.

    Raises:
        UnsafePath: a path cannot be one of a project.
    """
    if not changes:
        return tree
    entry = _changed(trees, tree, changes, "", put)
    return entry.id if entry is not None else EMPTY_TREE_ID


def _changed(trees: TreeReader, tree: ObjectId | None, changes: Changes, path: str, put: PutTree) -> Entry | None:
    entries = {} if tree is None else {entry.name: entry for entry in trees.tree(tree).entries}
    direct: dict[str, Entry | None] = {}
    deeper: dict[str, dict[str, Entry | None]] = {}
    for place, entry in changes.items():
        name, slash, rest = place.partition("/")
        if slash:
            deeper.setdefault(name, {})[rest] = entry
        else:
            direct[name] = entry
    for name in direct.keys() | deeper.keys():
        check_entry_name(name)
        kept = direct.get(name)
        inner = deeper.get(name, {})
        if inner and (kept is None or any(inner.values())):
            old = entries.get(name)
            below = old.id if old is not None and old.kind is EntryKind.DIR else None
            kept = _changed(trees, below, inner, f"{path}{name}/", put)
        if kept is None:
            entries.pop(name, None)
        else:
            entries[name] = _named(kept, name)
    if not entries:
        return None
    made = sorted_tree(entries.values())
    object_id, data = encode_tree(made)
    put(data, path)
    trees.remember(object_id, made)
    return Entry("", EntryKind.DIR, object_id, made.size)


def _named(entry: Entry, name: str) -> Entry:
    return entry if entry.name == name else Entry(name, entry.kind, entry.id, entry.size, entry.executable)


class Staying(msgspec.Struct, frozen=True):
    """Paths that stay as they are, with all in them, and the folders that these are in."""

    paths: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        """Tell whether the path stays, or is a folder around one that does."""
        return path in self.folders or path in self.paths or not self.paths.isdisjoint(folders_of(path))


NOTHING_STAYS = Staying()


def step(
    trees: TreeReader,
    here: ObjectId,
    old: ObjectId,
    new: ObjectId,
    put: PutTree,
    staying: Staying = NOTHING_STAYS,
) -> ObjectId:
    """Return `here` with whatever differs between `old` and `new` as `new` has it, and all else as it is.

    What has no place beside that (a file where a folder comes, or the other way round) gives way. Files in a
    folder that goes stay, and so does the folder around them; and so does what is `staying`.

    Raises:
        ObjectMissing, ObjectCorrupt.
    """
    if here == new or (here == old and not staying.paths):
        return new
    return _id(_Steps(trees, put, staying).entry("", _root(here), _root(old), _root(new)))


def graft(trees: TreeReader, onto: ObjectId, source: ObjectId, selection: Selection, put: PutTree) -> ObjectId:
    """Return the tree `onto` with the selected paths as in `source`."""
    return _id(_Grafts(trees, put, selection).entry("", onto, source))


def check_paths(trees: TreeReader, onto: ObjectId, source: ObjectId, selection: Selection) -> None:
    """Refuse paths that neither tree has.

    Raises:
        UnknownName.
    """
    for path in selection.paths:
        if trees.entry(source, path) is None and trees.entry(onto, path) is None:
            raise UnknownName("file or folder", path, hint="`aura show VERSION:` lists what a version has.")


class _Steps:
    def __init__(self, trees: TreeReader, put: PutTree, staying: Staying) -> None:
        self._trees = trees
        self._put = put
        self._staying = staying

    def entry(self, path: str, here: Entry | None, old: Entry | None, new: Entry | None) -> Entry | None:
        """Decide which entry is at the path afterwards."""
        if is_same(old, new) or is_same(here, new) or path in self._staying.paths:
            return here
        if is_same(here, old) and path not in self._staying.folders and path:
            return new
        if new is None and _is_folder(here) != _is_folder(old):
            return here  # it became something else, and nothing needs its place
        if here is not None and not _is_folder(here) and _is_folder(old) and _is_folder(new):
            return here if self._inside(path, None, old, new) is None else new  # a file gives way to what comes
        is_joined = _is_folder(new) and (_is_folder(here) or (here is None and _is_folder(old)))
        if is_joined or (new is None and _is_folder(here)):
            return self._inside(path, here, old, new)
        return new

    def _inside(self, path: str, here: Entry | None, old: Entry | None, new: Entry | None) -> Entry | None:
        three = [children(self._trees, entry) for entry in (here, old, new)]
        entries = []
        for name in three[0].keys() | three[1].keys() | three[2].keys():
            ours, before, after = (inside.get(name) for inside in three)
            found = self.entry(f"{path}/{name}" if path else name, ours, before, after)
            if found is not None:
                entries.append(found)
        if not entries and (here is None or new is None):
            return None
        return put_folder(self._trees, path, entries, self._put)


class _Grafts:
    def __init__(self, trees: TreeReader, put: PutTree, selection: Selection) -> None:
        self._trees = trees
        self._put = put
        self._selection = selection

    def entry(self, path: str, onto: ObjectId | None, source: ObjectId | None) -> Entry | None:
        """Build the folder that is at the path afterwards."""
        ours, theirs = (children_of(self._trees, tree) for tree in (onto, source))
        entries: list[Entry] = []
        for name in ours.keys() | theirs.keys():
            inner = f"{path}/{name}" if path else name
            our, their = ours.get(name), theirs.get(name)
            if self._selection.covers(inner):
                kept = their
            elif self._selection.leads_into(inner) and (_folder_id(our) or _folder_id(their)):
                grafted = self.entry(inner, _folder_id(our), _folder_id(their))
                kept = our if grafted is None else grafted  # a file gives way only to something that comes
            else:
                kept = our
            if kept is not None:
                entries.append(kept)
        if path and not entries and onto is None:
            return None
        return put_folder(self._trees, path, entries, self._put)


def put_folder(trees: TreeReader, path: str, entries: list[Entry], put: PutTree) -> Entry:
    """Store the tree of a folder; returns its entry."""
    tree = sorted_tree(entries)
    object_id, data = encode_tree(tree)
    put(data, f"{path}/")
    trees.remember(object_id, tree)
    return Entry(path.rpartition("/")[2], EntryKind.DIR, object_id, tree.size)


def is_same(one: Entry | None, other: Entry | None) -> bool:
    """Tell whether a path has the same content, of the same kind, with the same right to be run."""
    if one is None or other is None:
        return one is other
    return (one.kind, one.id, one.executable) == (other.kind, other.id, other.executable)


def children(trees: TreeReader, entry: Entry | None) -> dict[str, Entry]:
    """Return what is in a folder, by name; empty for an entry that is not a folder."""
    return children_of(trees, _folder_id(entry))


def children_of(trees: TreeReader, tree: ObjectId | None) -> dict[str, Entry]:
    """Return what is in a tree, by name."""
    return {} if tree is None else {entry.name: entry for entry in trees.tree(tree).entries}


def _root(tree: ObjectId) -> Entry:
    return Entry("", EntryKind.DIR, tree, 0)


def _id(root: Entry | None) -> ObjectId:
    return root.id if root is not None else EMPTY_TREE_ID


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.DIR


def _folder_id(entry: Entry | None) -> ObjectId | None:
    return entry.id if entry is not None and entry.kind is EntryKind.DIR else None
