"""What a file was called in the version before."""

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.diff.tree_diff import compare_trees
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository


def name_in_parent(repo: Repository, record: VersionRecord, parent: VersionRecord, path: str) -> str:
    """Return a path's name one version before: the same, unless it was renamed in between, as `aura diff` sees it.

    Content that is not here any more is no reason to fail: the name stays.
    """
    try:
        if repo.trees.entry(record.tree, path) is None or repo.trees.entry(parent.tree, path) is not None:
            return path
        changes = compare_trees(repo, parent.tree, record.tree).changes
    except IntegrityError:
        return path
    return next((c.old_path for c in changes if c.path == path and c.old_path is not None), path)
