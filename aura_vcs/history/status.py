"""What has changed in the worktree since the version it is based on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt, StorageError
from aura_vcs.history.names.branches import branch_and_missing
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.ids import ObjectId, VersionId, blob_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import CONFLICTS, PENDING, REPORTED_IGNORED
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.scan import Scan, Skipped, adopt_trees

if TYPE_CHECKING:
    from aura_vcs.history.recording.scan_differences import WorktreeChange


class Status(msgspec.Struct, frozen=True):
    """Where the worktree is and what has changed in it.

    `branch` is None on an older version. `diverged` lists the branch's heads where machines moved it
    apart. `behind` is the branch's version where it has moved past the worktree's. `conflicts` are
    the places that merges left open. `missing_heads` are versions that other machines put the branch
    on and that a sync tool has not brought yet.
    """

    branch: str | None
    head: VersionRecord | None
    changes: "tuple[WorktreeChange, ...]"
    diverged: tuple[VersionId, ...]
    behind: VersionId | None
    skipped: tuple[Skipped, ...]
    unstable: tuple[str, ...]
    interrupted: str | None
    files: int
    conflicts: tuple[str, ...] = ()
    missing_heads: tuple[VersionId, ...] = ()
    tracked_ignored: tuple[str, ...] = ()
    """Paths that are versioned although a rule ignores them now; those of folders end with a slash."""
    sizes: Mapping[str, int] = {}
    """How many bytes each changed file has now; what is gone, a link or a folder has no entry."""
    tags_apart: tuple[tuple[str, str], ...] = ()
    """Names of tags that machines gave to two versions, each with the name that the other one is kept under."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing has changed."""
        return not self.changes


def status(repo: Repository) -> Status:
    """Compare the worktree with the version it is based on.

    One stat per file, or per file that a watcher names; only files whose stamp changed but not their size are
    read, and new files as large as one that is gone (it may have been renamed).
    """
    follow_branch(repo)
    head = repo.head()
    record = repo.queries.version(head.version) if head.version is not None else None
    base = record.tree if record is not None else EMPTY_TREE_ID
    seen = _look(repo, base)
    found, awaited = branch_and_missing(repo, head.branch or "")
    return Status(
        branch=head.branch,
        head=record,
        changes=seen.changes,
        diverged=found.diverged if found is not None else (),
        behind=found.version if found is not None and found.version != head.version else None,
        skipped=seen.skipped,
        unstable=seen.unstable,
        interrupted=_interrupted(repo),
        files=seen.files,
        conflicts=_conflicts(repo) if seen.has_conflicts else (),
        missing_heads=tuple(dict.fromkeys(entry.version for entry in awaited if entry.version is not None)),
        tracked_ignored=seen.tracked_ignored,
        sizes=seen.sizes,
        tags_apart=repo.refs.tags_apart(),
    )


class _FolderLook(msgspec.Struct, frozen=True):
    """What a look at the folder found."""

    files: int
    has_conflicts: bool
    changes: "tuple[WorktreeChange, ...]" = ()
    skipped: tuple[Skipped, ...] = ()
    unstable: tuple[str, ...] = ()
    tracked_ignored: tuple[str, ...] = ()
    sizes: Mapping[str, int] = {}


def _look(repo: Repository, base: ObjectId) -> _FolderLook:
    equal = repo.worktree.equal_to(base)
    if equal is not None:
        return _FolderLook(equal.files, equal.has_conflicts)
    scan = repo.worktree.scan(base)
    unstable: list[str] = []
    changes: tuple[WorktreeChange, ...] = ()
    if scan.root.tree != base:
        from aura_vcs.history.recording.scan_differences import compare_scan  # not where nothing has changed

        changes, unstable = compare_scan(repo, scan, base)
        _save(repo, scan, base, changes)
    return _FolderLook(
        files=scan.count,
        has_conflicts=scan.file(CONFLICTS) is not None,
        changes=changes,
        skipped=tuple(scan.skipped),
        unstable=tuple(unstable),
        tracked_ignored=tuple(scan.tracked_ignored()),
        sizes={change.path: state.size for change in changes if (state := scan.file(change.path)) is not None},
    )


def is_newly_tracked_ignored(repo: Repository, held: Sequence[str]) -> bool:
    """Tell whether these paths were not reported yet (see Status.tracked_ignored), and note them as reported.

    On a disk that cannot be written to they are told of again.
    """
    told = blob_id("\0".join(held).encode("utf-8", "surrogateescape")).encode() if held else b""
    try:
        before = repo.storage.read(REPORTED_IGNORED)
    except FileNotFoundError:
        before = b""
    except StorageError:
        return bool(held)
    if before == told:
        return False
    try:
        if told:
            repo.storage.put(REPORTED_IGNORED, told)
        else:
            repo.storage.delete(REPORTED_IGNORED)
    except StorageError:
        return bool(held)
    return bool(held)


def _interrupted(repo: Repository) -> str | None:
    if repo.storage.stat(PENDING) is None:
        return None
    from aura_vcs.history.recording.journal import pending

    begun = pending(repo)
    return begun.operation.description if begun is not None else None


def _conflicts(repo: Repository) -> tuple[str, ...]:
    from aura_vcs.history.merging.conflict_groups import group_conflicts
    from aura_vcs.history.resolve import open_conflicts  # slow to import, and there seldom are any

    try:
        return tuple(group.location for group in group_conflicts(open_conflicts(repo)))
    except RecordCorrupt as error:  # somebody edited it: everything else can be told
        repo.progress.note(f"{error}. {error.hint}")
        return ()


def _save(repo: Repository, scan: Scan, tree: ObjectId, changes: "tuple[WorktreeChange, ...]") -> None:
    if not changes and not scan.skipped:
        adopt_trees(scan.root, tree, repo.trees.tree)
    if not scan.changed:
        return
    try:
        repo.worktree.save(scan)
    except StorageError:
        return  # a full or read-only disk: the next status looks at these files again
