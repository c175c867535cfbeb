"""What differs between two versions, or between one and the person's files."""

from collections.abc import Sequence

import msgspec

from aura_vcs.history.diff.tree_diff import Comparison, compare_trees
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.index.records import VersionRecord
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository


class Compared(msgspec.Struct, frozen=True):
    """A comparison and its sides: `old` is None before the first version, `new` for the person's files."""

    old: VersionRecord | None
    new: VersionRecord | None
    comparison: Comparison


def compare_versions(
    repo: Repository, names: Sequence[str] = (), paths: Sequence[str] = (), *, hashed: bool = True
) -> Compared:
    """Compare the two versions named, or the one with the person's files, or the last one with them.

    With `paths` (relative to the project), only those. Files are not `hashed` where it is enough to know
    that they differ.

    Raises:
        UnknownVersion, AmbiguousVersion, ObjectPurged.
    """
    follow_branch(repo)
    head = repo.head().version
    chosen = [resolve(repo, name) for name in names[:2]]
    if not chosen and head is not None and (record := repo.queries.version(head)) is not None:
        chosen = [record]
    for record in chosen:
        check_content(repo, record)
    old = chosen[0] if chosen else None
    new = chosen[1] if len(chosen) == 2 else None
    tree = old.tree if old is not None else EMPTY_TREE_ID
    if new is not None:
        return Compared(old, new, compare_trees(repo, tree, new.tree, paths))
    from aura_vcs.history.diff.worktree_diff import compare_worktree  # two versions need none of the scan

    return Compared(old, None, compare_worktree(repo, tree, paths, hashed=hashed))
