"""Files that a step would take out of the folder although the rules where it goes ignore them: they stay.

A version that leaves a file out and ignores it says that the file is no business of versions any more, not that
it shall go. So going back to where it was versioned, and forth again, takes nothing away.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.recording.tree_steps import Staying
from aura_vcs.ids import ObjectId
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.model import EntryKind
from aura_vcs.objects.trees import Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.ignore import SIZE_LIMIT, IgnoreRules, load_ignore_rules, rules_from
from aura_vcs.worktree.scan.selection import folders_of


def newly_ignored(
    repo: Repository,
    old: ObjectId,
    new: ObjectId,
    changes: Sequence[Difference],
    made: Mapping[str, bytes] = MappingProxyType({}),
) -> Staying:
    """Find what `changes`, from the tree `old` to `new`, remove and the rules that `new` brings ignore.

    `made` has content that is not in the store yet.
    """
    removed = [change for change in changes if change.new is None and change.old is not None]
    if not removed:
        return Staying()
    rules = _rules_at(repo, old, new, made)
    ignored: dict[str, bool] = {}
    found = set()
    for change in removed:
        assert change.old is not None
        parts = [*folders_of(change.path), change.path]
        for path in parts:
            if path not in ignored:
                is_folder = path != change.path or change.old.kind is EntryKind.DIR
                ignored[path] = rules.matches(path.rpartition("/")[2], path, is_folder=is_folder)
            if ignored[path]:
                found.add(change.path)
                break
    found = _with_room(repo, new, found)
    return Staying(frozenset(found), frozenset(folder for path in found for folder in folders_of(path)))


def _with_room(repo: Repository, new: ObjectId, paths: Iterable[str]) -> set[str]:
    """Leave out the paths that have no place in the tree, because it has a file where they have a folder."""
    fits: dict[str, bool] = {}

    def is_free(folder: str) -> bool:
        if folder not in fits:
            entry = repo.trees.entry(new, folder)
            fits[folder] = entry is None or entry.kind is EntryKind.DIR
        return fits[folder]

    return {path for path in paths if all(map(is_free, folders_of(path)))}


def _rules_at(repo: Repository, old: ObjectId, new: ObjectId, made: Mapping[str, bytes]) -> IgnoreRules:
    """Return the rules that hold after a step: those that come with it, or else those in the folder."""
    before, after = (repo.trees.entry(tree, IGNORE_FILE) for tree in (old, new))
    if before == after:
        return load_ignore_rules(repo.root)
    if after is None or after.kind is not EntryKind.FILE or after.size > SIZE_LIMIT:
        return rules_from(repo.root, b"")
    try:
        data = made[after.id] if after.id in made else repo.store.read(after.id)
        return rules_from(repo.root, data)
    except IntegrityError:  # the step itself says what is missing
        return rules_from(repo.root, b"")
