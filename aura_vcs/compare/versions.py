"""What differs between two versions, or a version and the work folder: paths, then their content.

Only what differs is touched: folders that are equal are not opened, and content is read for the
paths that are asked about (see `file_diff`).
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from aura_vcs.codec import name_bytes
from aura_vcs.compare.contents import Contents, FolderContents, StoredContents
from aura_vcs.errors.asking import UnknownName
from aura_vcs.errors.stored import IntegrityError
from aura_vcs.history.making import base_of
from aura_vcs.history.near import take_nearest
from aura_vcs.history.status import Change, compare_scan
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import DOCUMENTS, Entry, EntryKind
from aura_vcs.objects.trees import EMPTY_TREE_ID, Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan import Scan, entry_of
from aura_vcs.worktree.snapshot import Selection, documents_of


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
    _check_paths(paths, lambda path: any(repo.trees.entry(tree, path) is not None for tree in (old, new)))
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


def compare_folder(
    repo: Repository, old: ObjectId = EMPTY_TREE_ID, paths: Sequence[str] = (), *, hashed: bool = True
) -> Comparison:
    """Compare a tree with the work folder as it is now; with `paths`, only those.

    Without `hashed`, changed files are not read, and have no id.

    Raises:
        UnknownName: neither has a path. FileUnreadable.
    """
    scan = repo.worktree.scan(base_of(repo).tree)
    _check_paths(paths, lambda path: repo.trees.entry(old, path) is not None or _seen(scan, path))
    found, unstable = ((), []) if scan.root.tree == old else compare_scan(repo, scan, old)
    selection = Selection(paths or None)
    chosen = [c for c in found if selection.covers(c.path) or (c.old_path and selection.covers(c.old_path))]
    if hashed:
        bare = [c.path for c in chosen if (state := scan.file(c.path)) is not None and not state.id]
        unstable += repo.worktree.hash(bare, scan, repo.progress)
        if scan.changed:
            repo.worktree.save(scan)
    changes = tuple(
        PathChange(c.path, c.change, was, _folder_entry(repo, scan, c.path, was), c.old_path)
        for c in chosen
        for was in (repo.trees.entry(old, c.old_path or c.path),)
    )
    documents = {name: _differs(repo, old, scan, found, name) for name in DOCUMENTS}
    folder = FolderContents(repo.worktree, scan)
    return Comparison(changes, documents, StoredContents(repo.store), folder, tuple(dict.fromkeys(unstable)))


def _check_paths(paths: Sequence[str], exists: Callable[[str], bool]) -> None:
    for path in paths:
        if not exists(path):
            raise UnknownName(
                "file or folder", path, hint="It is on neither side. Paths are relative to where you are."
            )


def _seen(scan: Scan, path: str) -> bool:
    return scan.file(path) is not None or scan.folder(path) is not None


def _folder_entry(repo: Repository, scan: Scan, path: str, was: Entry | None) -> Entry | None:
    state = scan.file(path)
    if state is not None:
        return repo.worktree.disk.as_meant(entry_of(path.rpartition("/")[2], state), was)
    folder = scan.folder(path)
    return None if folder is None else Entry(path.rpartition("/")[2], EntryKind.DIR, folder.tree or ObjectId(""), 0)


def _differs(repo: Repository, old: ObjectId, scan: Scan, found: Sequence[Change], name: str) -> bool:
    """Whether the specification of that name is not as it was."""
    changed = {path for c in found for path in (c.path, c.old_path)}
    file = f"{name}.json"
    if file in changed:
        before, now = repo.trees.entry(old, file), scan.file(file)
        return before is None or now is None or now.id.hex() != before.id
    return name == "timeline" and scan.file(file) is None and "timeline.otio" in changed


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
