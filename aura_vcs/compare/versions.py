"""What differs between two versions, or a version and the work folder: paths, then their content.

Only what differs is touched: folders that are equal are not opened, and content is read for the
paths that are asked about (see `file_diff`).
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from aura_vcs.codec import name_bytes
from aura_vcs.compare.contents import Contents, StoredContents
from aura_vcs.errors.asking import UnknownName
from aura_vcs.errors.stored import IntegrityError
from aura_vcs.history.near import take_nearest
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import DOCUMENTS, Entry, EntryKind
from aura_vcs.objects.trees import EMPTY_TREE_ID, Difference, documents_of
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.selection import Selection


class PathChange(msgspec.Struct, frozen=True):
    """A path that two sides do not have alike: added, modified, deleted, renamed or type_changed.

    `old` and `new` are what lies there, None where nothing does. A file of the work folder that was
    not hashed has an empty id.
    """

    path: str
    change: str
    old: Entry | None
    new: Entry | None
    old_path: str | None = None


class Comparison(msgspec.Struct, frozen=True):
    """What differs, by path. `documents` says of each of the five specifications whether it does.

    `old` and `new` give the content of either side. `unstable` are files of the work folder that
    kept changing while they were read.
    """

    changes: tuple[PathChange, ...]
    documents: dict[str, bool]
    old: Contents
    new: Contents
    unstable: tuple[str, ...] = ()


def compare_trees(repo: Repository, old: ObjectId, new: ObjectId, paths: Sequence[str] = ()) -> Comparison:
    """Compare two trees; with `paths`, only those.

    Raises:
        UnknownName: neither has a path.
    """
    check_paths(paths, lambda path: any(repo.trees.entry(tree, path) is not None for tree in (old, new)))
    changes = _renamed(_of_difference(repo, repo.trees.differences(old, new)))
    before, after = (documents_of(repo.trees.tree(tree)) for tree in (old, new))
    documents = {name: before[name] != after[name] for name in DOCUMENTS}
    stored = StoredContents(repo.store)
    return Comparison(_chosen(changes, paths), documents, stored, stored)


def compare_with_parent(repo: Repository, record: VersionRecord) -> tuple[PathChange, ...] | None:
    """What a version changed since the one before it, by path; None if either's content is not here."""
    parent = Queries(repo.index).version(record.parents[0]) if record.parents else None
    if record.parents and parent is None:
        return None
    try:
        return compare_trees(repo, parent.tree if parent is not None else EMPTY_TREE_ID, record.tree).changes
    except IntegrityError:
        return None


def check_paths(paths: Sequence[str], exists: Callable[[str], bool]) -> None:
    """Refuse a path that is on neither side.

    Raises:
        UnknownName: names it.
    """
    for path in paths:
        if not exists(path):
            raise UnknownName(
                "file or folder", path, hint="It is on neither side. Paths are relative to where you are."
            )


def _of_difference(repo: Repository, differences: Iterable[Difference]) -> list[PathChange]:
    """One change per file; folders count where they are empty or become something else."""
    changes = []
    for found in differences:
        old, new = found.old, found.new
        if old is None or new is None:
            entry = old or new
            assert entry is not None
            if entry.kind is EntryKind.DIR and repo.trees.tree(entry.id).entries:
                continue
            changes.append(PathChange(found.path, "deleted" if new is None else "added", old, new))
        else:
            changes.append(PathChange(found.path, "modified" if old.kind is new.kind else "type_changed", old, new))
    return changes


def _renamed(changes: list[PathChange]) -> list[PathChange]:
    """Deleted and added files of the same content become renames, each used once."""
    gone: dict[str, list[str]] = {}
    by_path = {change.path: change for change in changes if change.change == "deleted"}
    for path, change in by_path.items():
        if change.old is not None and change.old.kind is EntryKind.FILE and change.old.size:
            gone.setdefault(change.old.id, []).append(path)
    found: list[PathChange] = []
    used: set[str] = set()
    for change in changes:
        old_paths = gone.get(change.new.id) if change.change == "added" and change.new is not None else None
        if old_paths and change.new is not None and change.new.kind is EntryKind.FILE:
            old_path = take_nearest(change.path, old_paths)
            used.add(old_path)
            found.append(PathChange(change.path, "renamed", by_path[old_path].old, change.new, old_path))
        else:
            found.append(change)
    return [change for change in found if not (change.change == "deleted" and change.path in used)]


def _chosen(changes: list[PathChange], paths: Sequence[str]) -> tuple[PathChange, ...]:
    selection = Selection(paths or None)
    chosen = [
        c for c in changes if selection.covers(c.path) or (c.old_path is not None and selection.covers(c.old_path))
    ]
    return tuple(sorted(chosen, key=lambda change: name_bytes(change.path)))
