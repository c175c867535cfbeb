"""Unsaved work: what of it stands where a command is about to change files."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.recording.scan_differences import compare_scan
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.trees import Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.scan import Scan, entry_of
from aura_vcs.worktree.scan.selection import folders_of


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
