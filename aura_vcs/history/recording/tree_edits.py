"""A tree as a flat list of its files, and a tree made from another by changing some of them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from aura_vcs.codec import encode_tree
from aura_vcs.ids import ObjectId
from aura_vcs.layout import check_entry_name
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.trees import TreeReader
from aura_vcs.worktree.snapshot.snapshot import sorted_tree

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
