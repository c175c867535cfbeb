"""The files of a clone, laid out as soon as their content is here.

Planned while what comes is hashed, written once that is in the store; then the disk makes them
durable while what came is recorded. They get their names when the branch is checked out, if it is
the one that was guessed here. Whatever fails here is met again there.
"""

from collections.abc import Callable
from contextlib import ExitStack

from aura_vcs.errors import AuraError
from aura_vcs.history.names.branches import default_branch
from aura_vcs.ids import ObjectId
from aura_vcs.objects.trees import EMPTY_TREE_ID
from aura_vcs.refs.branch_entries import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.fetch import IncomingVersions


class CloneCheckout:
    """The files of `branch`, by default of the one that a clone goes to.

    `stack` holds what must stay as it is until they have their names.
    """

    def __init__(self, repo: Repository, stack: ExitStack, branch: str | None) -> None:
        self._repo = repo
        self._stack = stack
        self._branch = branch

    def prepare(self, coming: IncomingVersions) -> Callable[[], None]:
        """Plan the files; returns what writes them."""
        tree = _tree_of(coming, self._branch)
        if tree is None:
            return lambda: None
        self._stack.enter_context(self._repo.locks.exclusive("worktree"))
        self._stack.callback(self._repo.worktree.close)  # what was laid out goes before the lock does
        is_planned = _prepare_or_none(lambda: self._plan(tree, coming))

        def lay_out() -> None:
            self._stack.enter_context(self._repo.index.with_locations(coming.stored))
            if is_planned or _prepare_or_none(lambda: self._plan(tree, coming)):  # not all folders were at hand before
                _prepare_or_none(lambda: self._repo.worktree.stage(self._repo.progress))

        return lay_out

    def _plan(self, tree: ObjectId, coming: IncomingVersions) -> None:
        differences = self._repo.trees.list_differences(EMPTY_TREE_ID, tree)
        places = {i: stored.location for i, stored in coming.stored.items() if stored.location is not None}
        self._repo.worktree.plan(EMPTY_TREE_ID, differences, places, self._repo.progress)


def _tree_of(coming: IncomingVersions, branch: str | None) -> ObjectId | None:
    """The tree of the version that the branch is at, if that is one, and comes."""
    name = branch or default_branch(coming.entries)
    tips = [entry.version for entry in heads(coming.entries.get(name, ()))] if name is not None else []
    version = coming.versions.get(tips[0]) if len(tips) == 1 and tips[0] is not None else None
    return None if version is None else version.tree


def _prepare_or_none(work: Callable[[], None]) -> bool:
    try:
        work()
    except (AuraError, OSError):
        return False
    return True
