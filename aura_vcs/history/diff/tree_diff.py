"""What differs between two versions, or a version and the worktree: paths, then their content.

Only what differs is touched: folders that are equal are not opened, and content is read for the
paths that are asked about (see `file_diff`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from aura_vcs.compare.diff.likeness import LOOK_BYTES_LIMIT, pair_alike
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.content_source import ContentSource, StoredSource
from aura_vcs.ids import ObjectId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import DOCUMENTS, Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.trees import Difference, documents_of
from aura_vcs.plain_text import name_bytes
from aura_vcs.renames import Look, pair_renames
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.selection import Selection

READ_BYTES_LIMIT = 16 << 20
"""Where what went and came, and is small enough to be looked into, is larger in all, only equal content tells."""


class PathChange(msgspec.Struct, frozen=True):
    """A path that two sides do not have alike: added, modified, deleted, renamed or type_changed.

    `old` and `new` are what lies there, None where nothing does. A file of the worktree that was
    not hashed has an empty id.
    """

    path: str
    change: str
    old: Entry | None
    new: Entry | None
    old_path: str | None = None


FilesIn = Callable[[str], Mapping[str, str]]
"""Lists the files that lie in a folder, those below it left out: their content ids by path, "" where not known."""


def no_files(_folder: str) -> Mapping[str, str]:
    """List nothing: what else lies beside files is not known."""
    return {}


class Comparison(msgspec.Struct, frozen=True):
    """What differs, by path. `documents` says of each of the five specifications whether it does.

    `old` and `new` give the content of either side, `files_in_old` and `files_in_new` what lies in a folder.
    `unstable` are files of the worktree that kept changing while they were read.
    """

    changes: tuple[PathChange, ...]
    documents: dict[str, bool]
    old: ContentSource
    new: ContentSource
    unstable: tuple[str, ...] = ()
    files_in_old: FilesIn = no_files
    files_in_new: FilesIn = no_files

    def only(self, changes: Iterable[PathChange]) -> "Comparison":
        """Return the same comparison of some of its paths."""
        return msgspec.structs.replace(self, changes=tuple(changes))


def compare_trees(repo: Repository, old: ObjectId, new: ObjectId, paths: Sequence[str] = ()) -> Comparison:
    """Compare two trees; with `paths`, only those.

    Raises:
        UnknownName: neither has a path.
    """
    check_paths(paths, lambda path: any(repo.trees.entry(tree, path) is not None for tree in (old, new)))
    changes = _renamed(_of_difference(repo, repo.trees.differences(old, new)))
    before, after = (documents_of(repo.trees.tree(tree)) for tree in (old, new))
    documents = {name: before[name] != after[name] for name in DOCUMENTS}
    stored = StoredSource(repo)
    changes = with_changed_renames(changes, stored, stored)
    beside = files_in_tree(repo, old), files_in_tree(repo, new)
    return Comparison(select_changes(changes, paths), documents, stored, stored, (), *beside)


def files_in_tree(repo: Repository, tree: ObjectId) -> FilesIn:
    """Return what lists the files in a folder of a tree."""

    def files_in(folder: str) -> Mapping[str, str]:
        place = repo.trees.entry(tree, folder) if folder else None
        if folder and (place is None or place.kind is not EntryKind.DIR):
            return {}
        entries = repo.trees.tree(place.id if place is not None else tree).entries
        return {f"{folder}/{one.name}" if folder else one.name: one.id for one in entries if one.kind is EntryKind.FILE}

    return files_in


def compare_with_parent(repo: Repository, record: VersionRecord) -> tuple[PathChange, ...] | None:
    """List what a version changed since its parent, by path; None if either's content is not here."""
    parent = repo.queries.version(record.parents[0]) if record.parents else None
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
    """Convert differences to one change per file; folders count where they are empty or become something else."""
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


def _renamed(changes: Sequence[PathChange]) -> list[PathChange]:
    """Deleted and added files that are certain to be the same become renames, each used once."""
    sides = _gone(changes), _come(changes)
    gone, come = ({path: Look(e.kind, e.id if e.size else "") for path, e in side.items()} for side in sides)
    return _with_renames(changes, pair_renames(gone, come))


def with_changed_renames(changes: Sequence[PathChange], old: ContentSource, new: ContentSource) -> list[PathChange]:
    """Turn deleted and added documents and texts that are mostly alike into renames, where few were compared.

    Content that is not here, or cannot be read, is like nothing.
    """
    sides = [
        {path: e for path, e in side.items() if e.kind is EntryKind.FILE and e.size <= LOOK_BYTES_LIMIT}
        for side in (_gone(changes), _come(changes))
    ]
    if not all(sides) or sum(entry.size for side in sides for entry in side.values()) > READ_BYTES_LIMIT:
        return list(changes)
    where = {
        _key(path, entry): (source, path, entry)
        for source, side in zip((old, new), sides, strict=True)
        for path, entry in side.items()
    }

    def read(content: str) -> bytes | None:
        source, path, entry = where[content]
        try:
            return source.read(path, entry)
        except (IntegrityError, FileUnreadable):
            return None

    gone, come = ({path: _key(path, entry) for path, entry in side.items()} for side in sides)
    return _with_renames(changes, pair_alike(gone, come, read))


def _gone(changes: Sequence[PathChange]) -> dict[str, Entry]:
    files = ((c.path, c.old) for c in changes if c.change == "deleted" and c.old is not None)
    return {path: entry for path, entry in files if entry.kind is not EntryKind.DIR}


def _come(changes: Sequence[PathChange]) -> dict[str, Entry]:
    files = ((c.path, c.new) for c in changes if c.change == "added" and c.new is not None)
    return {path: entry for path, entry in files if entry.kind is not EntryKind.DIR}


def _with_renames(changes: Sequence[PathChange], renames: dict[str, str]) -> list[PathChange]:
    """Make one change of the two that a rename is; `renames` maps old paths to new ones."""
    gone = {c.path: c.old for c in changes if c.path in renames and c.change == "deleted"}
    came = {new: old for old, new in renames.items()}
    return [
        PathChange(c.path, "renamed", gone[came[c.path]], c.new, came[c.path]) if c.path in came else c
        for c in changes
        if not (c.change == "deleted" and c.path in renames)
    ]


def _key(path: str, entry: Entry) -> str:
    """Return the key of an entry's content; a file of the worktree that was not hashed has no id."""
    return entry.id or f"{path}/"


def select_changes(changes: Iterable[PathChange], paths: Sequence[str]) -> tuple[PathChange, ...]:
    """Select the changes that concern `paths` (all changes without paths), in the order of paths."""
    selection = Selection(paths or None)
    chosen = [
        c for c in changes if selection.covers(c.path) or (c.old_path is not None and selection.covers(c.old_path))
    ]
    return tuple(sorted(chosen, key=lambda change: name_bytes(change.path)))
