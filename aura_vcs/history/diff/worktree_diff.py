"""What differs between a version and the worktree as it is now."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from aura_vcs.history.diff.tree_diff import (
    Comparison,
    FilesIn,
    PathChange,
    check_paths,
    files_in_tree,
    select_changes,
    with_changed_renames,
)
from aura_vcs.history.recording.scan_differences import compare_scan
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.history.sources.content_source import FolderSource, StoredSource
from aura_vcs.ids import ObjectId
from aura_vcs.model import DOCUMENTS, Entry, EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.scan import Scan, entry_of


def compare_worktree(
    repo: Repository, old: ObjectId = EMPTY_TREE_ID, paths: Sequence[str] = (), *, hashed: bool = True
) -> Comparison:
    """Compare a tree with the worktree as it is now; with `paths`, only those.

    Without `hashed`, changed files are not read, and have no id.

    Raises:
        UnknownName: neither has a path. FileUnreadable.
    """
    scan = repo.worktree.scan(worktree_base(repo).tree)
    check_paths(paths, lambda path: repo.trees.entry(old, path) is not None or _seen(scan, path))
    found, unstable = ((), []) if scan.root.tree == old else compare_scan(repo, scan, old)
    stored, folder = StoredSource(repo), FolderSource(repo.root)
    changes = [
        PathChange(c.path, c.change, was, _worktree_entry(repo, scan, c.path, was), c.old_path)
        for c in found
        for was in (repo.trees.entry(old, c.old_path or c.path),)
    ]
    chosen = select_changes(with_changed_renames(changes, stored, folder), paths)
    if hashed:
        bare = [c.path for c in chosen if (state := scan.file(c.path)) is not None and not state.id]
        unstable += repo.worktree.hash(bare, scan, repo.progress)
        if scan.changed:
            repo.worktree.save(scan)
        chosen = tuple([c for c in chosen if c.path not in bare or scan.file(c.path) is not None])
        chosen = tuple([_as_it_is(repo, scan, c) if bare or c.change == "renamed" else c for c in chosen])
    for skipped in scan.skipped:
        if skipped.is_unreadable and not skipped.is_evicted:
            repo.progress.note(f"{skipped.path} is left out: {skipped.reason}")
    changed = {path for c in found for path in (c.path, c.old_path)}
    documents = dict.fromkeys(DOCUMENTS, False)
    if changed:
        documents = {name: _differs(repo, old, scan, changed, name) for name in DOCUMENTS}
    beside = files_in_tree(repo, old), _files_in_scan(scan)
    return Comparison(chosen, documents, stored, folder, tuple(dict.fromkeys(unstable)), *beside)


def _files_in_scan(scan: Scan) -> FilesIn:
    def files_in(path: str) -> dict[str, str]:
        folder = scan.folder(path) if path else scan.root
        files = folder.files if folder is not None else {}
        return {folder.join(name): state.id.hex() for name, state in files.items()} if folder is not None else {}

    return files_in


def _seen(scan: Scan, path: str) -> bool:
    return scan.file(path) is not None or scan.folder(path) is not None


def _as_it_is(repo: Repository, scan: Scan, change: PathChange) -> PathChange:
    """Return the change with the file as the scan has it by now, seen as the version that it is compared with."""
    return replace(change, new=_worktree_entry(repo, scan, change.path, change.old))


def _worktree_entry(repo: Repository, scan: Scan, path: str, was: Entry | None) -> Entry | None:
    state = scan.file(path)
    if state is not None:
        return repo.worktree.disk.with_version_mode(entry_of(path.rpartition("/")[2], state), was)
    folder = scan.folder(path)
    return None if folder is None else Entry(path.rpartition("/")[2], EntryKind.DIR, folder.tree or ObjectId(""), 0)


def _differs(repo: Repository, old: ObjectId, scan: Scan, changed: Collection[str | None], name: str) -> bool:
    """Tell whether the specification of that name is among the paths that changed, and does differ."""
    file = f"{name}.json"
    if file in changed:
        before, now = repo.trees.entry(old, file), scan.file(file)
        return before is None or now is None or now.id.hex() != before.id
    return name == "timeline" and scan.file(file) is None and "timeline.otio" in changed
