"""What a checkout put in place becomes part of the scan that it began with: nothing is looked at a second time."""

import os
from collections.abc import Collection, Mapping, Sequence

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.trees import Difference
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.ignore import IgnoreRules
from aura_vcs.worktree.scan.scan import ReadTree, Scan, follow_trees

TreePair = tuple[ObjectId, ObjectId]
"""The trees before and after."""


class PutInPlace(msgspec.Struct, frozen=True):
    """What a checkout did: the `differences` that it put in place, and what came of that.

    `states` are those of what was written (None: removed), `left` is what was left as it was. Where the folder was
    as the first of the two `trees`, its folders now have those of the second; without `trees`, none is known.
    """

    states: Mapping[str, FileState | None]
    differences: Sequence[Difference]
    left: Collection[str]
    trees: TreePair | None


def enter_written(scan: Scan, done: PutInPlace, root: str, read: ReadTree, rules: IgnoreRules) -> None:
    """Bring a scan of the folder `root` to what is there since a checkout."""
    states, differences, trees = done.states, done.differences, done.trees
    stale = [*done.left, *_drop_folders(scan, differences, root)]
    if trees is None:
        for folder in scan.walk():
            folder.tree = None
    else:
        follow_trees(scan.root, *trees, read)
    for difference in differences:  # in order of paths, parents come first
        if _is_folder(difference.new) and not _is_folder(difference.old):
            made = scan.add_folder(difference.path)
            if made is not None and difference.new is not None:
                made.tree = difference.new.id  # it was not there, and now holds what the tree has
    _enter_states(scan, states)
    for path in stale:
        _forget_trees(scan, path)
    held = [*_against_rules(differences, rules), *scan.always.intersection(states)]
    if held:
        scan.hold_ignored(held, rules)
        scan.root.tree = None  # the next scan asks for what is there against the rules


def _against_rules(differences: Sequence[Difference], rules: IgnoreRules) -> list[str]:
    """List what came and the rules ignore; a slash ends the path of a folder."""
    found = []
    for difference in differences:
        if difference.old is None and difference.new is not None:
            path, is_folder = difference.path, difference.new.kind is EntryKind.DIR
            if rules.matches(path.rpartition("/")[2], path, is_folder=is_folder):
                found.append(f"{path}/" if is_folder else path)
    return found


def _drop_folders(scan: Scan, differences: Sequence[Difference], root: str) -> list[str]:
    """Take folders out that are gone; returns those that had to stay, for what is ignored in them."""
    stayed: list[str] = []
    for difference in reversed(differences):  # what is in a folder comes before it
        if _is_folder(difference.old) and not _is_folder(difference.new):
            parent, _, name = difference.path.rpartition("/")
            folder = scan.folder(parent)
            if os.path.isdir(os.path.join(root, *difference.path.split("/"))):
                stayed.append(difference.path)
            elif folder is not None:
                folder.folders.pop(name, None)
    return stayed


def _enter_states(scan: Scan, states: Mapping[str, FileState | None]) -> None:
    parent, folder = "", scan.folder("")
    for path, state in states.items():
        above, _, name = path.rpartition("/")
        if above != parent:
            parent, folder = above, scan.folder(above)
        if folder is not None and state is None:
            folder.files.pop(name, None)
        elif folder is not None and state is not None:
            folder.files[name] = state


def _forget_trees(scan: Scan, path: str) -> None:
    """Forget the trees of a folder that is not as a tree has it, and of all around it."""
    while True:
        folder = scan.folder(path)
        if folder is not None:
            folder.tree = None
        if not path:
            return
        path = path.rpartition("/")[0]


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.DIR
