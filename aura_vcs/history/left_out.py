"""Files that a checkout left out because their content was evicted, put where they belong when it is back."""

from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.objects.availability import missing_parts
from aura_vcs.objects.trees import Difference
from aura_vcs.repository.repository import Repository


def place_left_out(repo: Repository) -> list[str]:
    """Put files of HEAD there that were left out and whose content is here now; return their paths.

    What somebody has put there meanwhile stays.

    Raises:
        StorageError: the disk refused.
    """
    recover(repo)
    with repo.locks.exclusive("worktree"), repo.locks.shared("objects"):
        tree = worktree_base(repo).tree
        scan = repo.worktree.scan(tree)
        paths = [skipped.path for skipped in scan.skipped if skipped.is_evicted]
        entries = {path: repo.trees.entry(tree, path) for path in paths if scan.folder(path.rpartition("/")[0])}
        found = {path: entry for path, entry in entries.items() if entry is not None}
        absent = missing_parts(repo.store, [entry.id for entry in found.values()])
        differences = [Difference(path, None, entry) for path, entry in found.items() if entry.id not in absent]
        if not differences:
            return []
        places = repo.store.places.find_many({d.new.id for d in differences if d.new is not None})
        written = repo.worktree.apply(scan, differences, places, repo.progress)
    return [d.path for d in differences if d.path not in written.skipped]
