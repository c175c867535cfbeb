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
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.refs.merge import heads
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
        self._coming: IncomingVersions | None = None
        self._tree: ObjectId | None = None
        self._is_planned = False

    def prepare(self, coming: IncomingVersions) -> None:
        """Plan the files."""
        self._coming, self._tree = coming, _tree_of(coming, self._branch)
        if self._tree is None:
            return
        self._stack.enter_context(self._repo.locks.exclusive("worktree"))
        self._stack.callback(self._repo.worktree.close)  # what was laid out goes before the lock does
        self._is_planned = _prepare_or_none(self._plan)

    def arrive(self) -> None:
        """Write the files: their content is in the store."""
        if self._coming is None or self._tree is None:
            return
        self._stack.enter_context(self._repo.index.with_locations(self._coming.stored))
        if self._is_planned or _prepare_or_none(self._plan):  # not all folders were at hand before
            _prepare_or_none(lambda: self._repo.worktree.stage(self._repo.progress))

    def _plan(self) -> None:
        assert self._coming is not None
        assert self._tree is not None
        differences = self._repo.trees.list_differences(EMPTY_TREE_ID, self._tree)
        places = {i: stored.location for i, stored in self._coming.stored.items() if stored.location is not None}
        self._repo.worktree.plan(EMPTY_TREE_ID, differences, places, self._repo.progress)


def _tree_of(coming: IncomingVersions, branch: str | None) -> ObjectId | None:
    """Return the tree of the version that the branch is at; None if its heads are several, or it is not fetched."""
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
