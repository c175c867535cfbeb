"""What commands do to the folder: from which tree, to which, what they look at for it, and what stays as ignored.

A step changes only what differs between where one is and where one goes. What was edited since at such a
place is looked at, and kept by whoever carries the step out (see `checkout.replace_worktree`).

A version that leaves a file out and ignores it says that the file is no business of versions any more, not that
it shall go. So going back to where it was versioned, and forth again, takes nothing away.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.recording.tree_steps import NOTHING_STAYS, PutTree, Staying, change_tree, check_paths, graft, step
from aura_vcs.history.recording.version_builder import WorktreeBase, is_purged
from aura_vcs.ids import ObjectId
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.model import Entry, EntryKind, Kind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Difference
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.ignore import SIZE_LIMIT, IgnoreRules, load_ignore_rules, rules_from
from aura_vcs.worktree.scan.selection import Selection, folders_of


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


class StepScope(msgspec.Struct, frozen=True):
    """What of the folder a step looks at.

    Where `changes` are, the folder is expected to have what each of them has as `old`; `paths` are looked at
    in any case. Everywhere else it counts as being like the tree `old`. Without `changes` and `paths`, all of it
    is looked at. What the trees in `saved` have is kept, whatever becomes of the folder.
    """

    old: ObjectId
    saved: tuple[ObjectId, ...]
    changes: Sequence[Difference] | None = None
    paths: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether all of the folder is looked at."""
        return self.changes is None and not self.paths


class WorktreeStep(Protocol):
    """One such change of the folder."""

    source: ObjectId | None
    """The tree whose content comes, as far as that is known before the folder was looked at."""
    paths: tuple[str, ...]
    """The paths that it is about, if not all."""

    def scope(self, base: WorktreeBase, /) -> StepScope:
        """Say what is looked at, given what the folder is based on."""

    def tree(self, batch: Batch, here: ObjectId, /) -> ObjectId:
        """Make the tree to be from the one that the folder is; what is new goes into the batch."""


class Between:
    """From the tree `old` (None: the one that HEAD's version has) to `new`: only what differs between them.

    What `new` does not have and its rules ignore stays (see newly_ignored).
    """

    def __init__(self, repo: Repository, new: ObjectId, old: ObjectId | None = None) -> None:
        self._repo = repo
        self.source: ObjectId | None = new
        self.paths: tuple[str, ...] = ()
        self._new = new
        self._old = old
        self._is_exact = False
        self._staying = NOTHING_STAYS

    def scope(self, base: WorktreeBase) -> StepScope:
        """See Step."""
        if self._old is None and is_purged(base):
            self._is_exact = True  # what it had cannot be compared with
            return StepScope(base.tree, (base.tree,))
        self._old = old = base.tree if self._old is None else self._old
        changes = self._repo.trees.list_differences(old, self._new)
        self._staying = newly_ignored(self._repo, old, self._new, changes)
        if self._staying.paths:
            changes = [change for change in changes if not self._staying.covers(change.path)]
        return StepScope(old, (old, base.tree), changes)

    def tree(self, batch: Batch, here: ObjectId) -> ObjectId:
        """See Step."""
        if self._is_exact:
            return exactly(self._repo, batch, here, self._new)
        assert self._old is not None
        return step(self._repo.trees, here, self._old, self._new, tree_writer(batch), self._staying)


class Unedited(Between):
    """As Between, but only where the folder has what `old` has: what was edited there since stays.

    Where a file and a folder change places, all of it goes, or nothing does.
    """

    def __init__(self, repo: Repository, new: ObjectId, old: ObjectId) -> None:
        super().__init__(repo, new, old)
        self._changes: Sequence[Difference] = ()

    def scope(self, base: WorktreeBase) -> StepScope:
        """See Step."""
        scope = super().scope(base)
        self._changes = scope.changes or ()
        return scope

    def tree(self, batch: Batch, here: ObjectId) -> ObjectId:
        """See Step."""
        if here == self._old:
            return super().tree(batch, here)
        both = [change for change in self._changes if change.old is not None and change.new is not None]
        if any(_is_folder(change.old) != _is_folder(change.new) for change in both):
            return here
        entry = self._repo.trees.entry
        files = (change for change in self._changes if not (_is_folder(change.old) or _is_folder(change.new)))
        fitting = {change.path: change.new for change in files if entry(here, change.path) == change.old}
        return change_tree(self._repo.trees, here, fitting, tree_writer(batch))


def _is_folder(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is EntryKind.DIR


class Exactly:
    """The whole folder as `new`, whatever is in it; only what is ignored there stays."""

    def __init__(self, repo: Repository, new: ObjectId) -> None:
        self._repo = repo
        self.source: ObjectId | None = new
        self.paths: tuple[str, ...] = ()
        self._new = new

    def scope(self, base: WorktreeBase) -> StepScope:
        """See Step."""
        return StepScope(base.tree, (base.tree,))

    def tree(self, batch: Batch, here: ObjectId) -> ObjectId:
        """See Step."""
        return exactly(self._repo, batch, here, self._new)


class AllOf:
    """What the tree `new` has otherwise than HEAD's version; if they are equal, every file of it. Others stay.

    Which of the two it is follows from where HEAD is when the folder is looked at, under its lock.
    """

    def __init__(self, repo: Repository, new: ObjectId) -> None:
        self._repo = repo
        self.source: ObjectId | None = new
        self.paths: tuple[str, ...] = ()
        self._new = new
        self._between: Between | None = None

    def scope(self, base: WorktreeBase) -> StepScope:
        """See Step."""
        if base.tree != self._new:
            self._between = Between(self._repo, self._new)
            return self._between.scope(base)
        expected = [Difference(path, entry, entry) for path, entry in self._repo.trees.walk(base.tree)]
        return StepScope(base.tree, (base.tree,), expected)

    def tree(self, batch: Batch, here: ObjectId) -> ObjectId:
        """See Step."""
        if self._between is not None:
            return self._between.tree(batch, here)
        return step(self._repo.trees, here, EMPTY_TREE_ID, self._new, tree_writer(batch))


class PathsOf:
    """Some paths as the tree `source` has them, or without them if it has none."""

    def __init__(self, repo: Repository, source: ObjectId, paths: Sequence[str]) -> None:
        self._repo = repo
        self.source: ObjectId | None = source
        self.paths: tuple[str, ...] = tuple(paths)
        self._source = source

    def scope(self, base: WorktreeBase) -> StepScope:
        """See Step."""
        return StepScope(base.tree, (base.tree,), (), self.paths)

    def tree(self, batch: Batch, here: ObjectId) -> ObjectId:
        """See Step.

        Raises:
            UnknownName: neither the source nor the folder has a path.
        """
        selection = Selection(self.paths)
        check_paths(self._repo.trees, here, self._source, selection)
        return graft(self._repo.trees, here, self._source, selection, tree_writer(batch))


def exactly(repo: Repository, batch: Batch, here: ObjectId, new: ObjectId) -> ObjectId:
    """Return the tree `new`, and beside it what the folder has and the rules that come with `new` ignore."""
    staying = newly_ignored(repo, here, new, repo.trees.list_differences(here, new))
    return step(repo.trees, here, here, new, tree_writer(batch), staying)


def tree_writer(batch: Batch) -> PutTree:
    """Return a function that puts trees into the batch."""
    return lambda data, path: batch.add(Kind.TREE, data, path)
