"""What a scan of the folder has otherwise than a tree, and which of it is unsaved where files are about to change."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.trees import Difference
from aura_vcs.plain_text import name_bytes
from aura_vcs.renames import Look, pair_renames
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.scan.scan import Scan, ScannedFolder, entries_of, entry_of
from aura_vcs.worktree.scan.selection import folders_of


class WorktreeChange(msgspec.Struct, frozen=True):
    """A path that is not as it was: added, modified, deleted, renamed or type_changed."""

    path: str
    change: str
    old_path: str | None = None


class _Found(msgspec.Struct):
    """Differences while they are being collected."""

    added: dict[str, FileState | None]
    deleted: dict[str, Entry]
    modified: set[str]
    type_changed: set[str]
    unsure: list[tuple[str, Entry]]


def compare_scan(
    repo: Repository, scan: Scan, base: ObjectId, *, renames: bool = True
) -> tuple[tuple[WorktreeChange, ...], list[str]]:
    """Compare a scan of the folder with a tree; return the changes, and files that changed while they were read.

    Without `renames`, a renamed file is one that was deleted and one that was added.
    """
    found = _Found({}, {}, set(), set(), [])
    _walk(repo, scan.root, base, found)
    unstable = _compare_unsure(repo, scan, found)
    _drop_unseen(scan, found)
    renamed = _renames(repo, scan, found) if renames else {}
    changes = [WorktreeChange(new, "renamed", old) for new, old in renamed.items()]
    changes += [WorktreeChange(path, "added") for path in found.added.keys() - renamed.keys()]
    changes += [WorktreeChange(path, "deleted") for path in found.deleted.keys() - set(renamed.values())]
    changes += [WorktreeChange(path, "modified") for path in found.modified]
    changes += [WorktreeChange(path, "type_changed") for path in found.type_changed]
    return tuple(sorted(changes, key=lambda change: name_bytes(change.path))), unstable


def _walk(repo: Repository, folder: ScannedFolder, base: ObjectId | None, found: _Found) -> None:
    if folder.tree is not None and folder.tree == base:
        return
    before = {} if base is None else {entry.name: entry for entry in repo.trees.tree(base).entries}
    files = folder.files
    shown = entries_of(files)
    for name, state in files.items():
        entry = before.pop(name, None)
        if entry != shown[name]:  # nearly all are as they were
            _file(folder.join(name), state, entry, found, repo)
    for name, inner in folder.folders.items():
        entry = before.pop(name, None)
        if entry is not None and entry.kind is not EntryKind.DIR:
            found.type_changed.add(inner.path)
            entry = None
        elif entry is None and not inner.files and not inner.folders:
            found.added[inner.path] = None
        _walk(repo, inner, entry.id if entry is not None else None, found)
    for name, entry in before.items():
        _deleted(repo, folder.join(name), entry, found)


def _file(path: str, state: FileState, entry: Entry | None, found: _Found, repo: Repository) -> None:
    if entry is None:
        found.added[path] = state
        return
    shown = repo.worktree.disk.with_version_mode(entry_of(path, state), entry)
    if entry.kind is not shown.kind:
        found.type_changed.add(path)
        if entry.kind is EntryKind.DIR:
            for inner, below in repo.trees.walk(entry.id, path + "/"):
                if below.kind is not EntryKind.DIR:
                    found.deleted[inner] = below
    elif state.size != entry.size or shown.executable != entry.executable:
        found.modified.add(path)
    elif not state.id:
        found.unsure.append((path, entry))
    elif state.id.hex() != entry.id:
        found.modified.add(path)


def _deleted(repo: Repository, path: str, entry: Entry, found: _Found) -> None:
    if entry.kind is not EntryKind.DIR:
        found.deleted[path] = entry
        return
    below = [(inner, e) for inner, e in repo.trees.walk(entry.id, path + "/") if e.kind is not EntryKind.DIR]
    if not below:
        found.deleted[path] = entry
    found.deleted.update(below)


def _compare_unsure(repo: Repository, scan: Scan, found: _Found) -> list[str]:
    """Read the files whose stamp alone has changed."""
    unstable = repo.worktree.hash([path for path, _ in found.unsure], scan, repo.progress)
    for path, entry in found.unsure:
        state = scan.file(path)
        if state is None:
            found.deleted[path] = entry  # gone since it was listed, or it cannot be read
        elif not state.id or state.id.hex() != entry.id:
            found.modified.add(path)
    return unstable


def _drop_unseen(scan: Scan, found: _Found) -> None:
    """Say nothing of what cannot be seen: whether it is still there, or still the same, is not known."""
    unseen = tuple(f"{skipped.path}/" for skipped in scan.skipped if skipped.is_unreadable)
    for path in [path for path in found.deleted if f"{path}/".startswith(unseen)]:
        del found.deleted[path]


def _renames(repo: Repository, scan: Scan, found: _Found) -> dict[str, str]:
    """Map new path to old path of files that have another name; reads what may have a deleted one's content."""
    if not (found.added and found.deleted):
        return {}
    sizes = {entry.size for entry in found.deleted.values() if entry.kind is not EntryKind.DIR and entry.size}
    likely = [path for path, state in found.added.items() if state is not None and state.size in sizes]
    repo.worktree.hash([path for path in likely if not _id_of(scan, path)], scan, repo.progress)
    for path in [path for path in likely if scan.file(path) is None]:
        del found.added[path]
    gone = {
        path: Look(entry.kind, entry.id if entry.size else "")
        for path, entry in found.deleted.items()
        if entry.kind is not EntryKind.DIR
    }
    states = {path: state for path in found.added if (state := scan.file(path)) is not None}
    kinds = {True: EntryKind.SYMLINK, False: EntryKind.FILE}
    come = {path: Look(kinds[state.is_symlink], state.id.hex() if state.size else "") for path, state in states.items()}
    return {new: old for old, new in pair_renames(gone, come).items()}


def _id_of(scan: Scan, path: str) -> str:
    state = scan.file(path)
    return state.id.hex() if state is not None else ""


def unsaved_at(repo: Repository, scan: Scan, changes: Iterable[Difference]) -> list[str]:
    """List paths at which the folder does not have what `changes` expect (`old`), or perhaps not.

    Among them are files that stand where a folder comes, and folders with all in them where a file comes; a
    folder that is there before it comes is listed with a slash (see Selection). So are folders that are gone.
    Reads no file: one whose content is not known is listed.
    """
    found: dict[str, None] = {}
    looked_at: set[str] = set()
    for change in changes:  # in order of paths: a folder that comes is before what is in it
        for above in reversed(folders_of(change.path)):
            if above in looked_at:
                break
            looked_at.add(above)
            if scan.folder(above) is None:
                found[above] = None  # a file has its place, or it is gone
        if not _is_as_expected(repo, scan, change):
            found[change.path] = None
        if change.new is not None and change.new.kind is EntryKind.DIR:
            if scan.folder(change.path) is not None and (change.old is None or change.old.kind is not EntryKind.DIR):
                found[f"{change.path}/"] = None  # it is there already, and so will be when the command is taken back
            looked_at.add(change.path)
    return list(found)


def _is_as_expected(repo: Repository, scan: Scan, change: Difference) -> bool:
    old, new = change.old, change.new
    state = scan.file(change.path)
    if state is None:
        is_folder = scan.folder(change.path) is not None
        if is_folder and new is not None and new.kind is not EntryKind.DIR:
            return False
        return old is None or (old.kind is EntryKind.DIR and is_folder)
    if old is None or not state.id:
        return False
    shown = repo.worktree.disk.with_version_mode(entry_of(old.name, state), old)
    return (shown.kind, shown.id, shown.executable) == (old.kind, old.id, old.executable)


def loses_work(repo: Repository, here: ObjectId, after: ObjectId, saved: Sequence[ObjectId]) -> bool:
    """Tell whether going from `here` to `after` takes something away that none of the `saved` trees has there."""
    if here in saved or here == after:
        return False
    taken = {change.path for change in repo.trees.differences(here, after) if _is_work(change.old)}
    for tree in saved:
        with suppress(IntegrityError):  # what was purged is not saved
            taken &= {change.path for change in repo.trees.differences(tree, here)} if taken else set()
    return bool(taken)


def _is_work(entry: Entry | None) -> bool:
    """Tell whether an entry is more than a folder, which is nothing without its content; a deletion is work too."""
    return entry is None or entry.kind is not EntryKind.DIR


def count_unsaved_beside(repo: Repository, scan: Scan, base: ObjectId, changes: Iterable[Difference]) -> int:
    """Count the unsaved changes that a scan shows, but for those where `changes` are; 0 where a file cannot be read."""
    if scan.root.tree == base:
        return 0
    changed = {change.path for change in changes}
    try:
        found = compare_scan(repo, scan, base, renames=False)[0]
    except AuraError:
        return 0  # it is only for telling
    return sum(1 for change in found if change.path not in changed)
