"""Which folders of a scan are as which trees, where that is known from what was done and not from a look."""

from collections.abc import Callable

from aura_vcs.ids import ObjectId
from aura_vcs.model import EntryKind, Tree
from aura_vcs.worktree.scan.scan import ScannedFolder

ReadTree = Callable[[ObjectId], Tree]


def follow_trees(folder: ScannedFolder, old: ObjectId | None, new: ObjectId | None, read: ReadTree) -> None:
    """Give a folder that went from one tree to another, and those in it, the trees that they have now.

    None for those that were not as `old`.
    """
    if old == new:
        return
    is_as_old = folder.tree is not None and folder.tree == old
    folder.tree = new if is_as_old else None
    if not folder.folders:
        return
    before, after = (_folders_of(read, tree) for tree in (old, new))
    for name, inner in folder.folders.items():
        follow_trees(inner, before.get(name), after.get(name), read)


def adopt_trees(folder: ScannedFolder, tree: ObjectId, read: ReadTree) -> None:
    """Give a folder that was found to be as the tree, and those in it, their trees."""
    if folder.tree == tree:
        return
    folder.tree = tree
    if not folder.folders:
        return
    inside = _folders_of(read, tree)
    for name, inner in folder.folders.items():
        if name in inside:
            adopt_trees(inner, inside[name], read)


def _folders_of(read: ReadTree, tree: ObjectId | None) -> dict[str, ObjectId]:
    entries = read(tree).entries if tree is not None else ()
    return {entry.name: entry.id for entry in entries if entry.kind is EntryKind.DIR}
