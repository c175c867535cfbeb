"""Looking again before damage is spoken of: what others record meanwhile looks like damage while it is half done."""

from collections.abc import Callable
from typing import TypeVar

from aura_vcs.ids import ReplicaId
from aura_vcs.repository.repository import Repository

T = TypeVar("T")

ATTEMPTS = 3
"""So often something is looked at while others go on; then they are kept waiting."""


def confirm_damage(repo: Repository, look: Callable[[], T], is_clean: Callable[[T], bool]) -> T:
    """Return what `look` finds, if nothing is wrong or nobody recorded anything while it looked.

    Else it looks again, and at last while it holds the refs still. The caller holds the objects lock,
    shared: nothing is deleted meanwhile.

    Raises:
        LockBusy: another command held the refs for too long.
    """
    for _ in range(ATTEMPTS):
        before = _log_positions(repo)
        found = look()
        if is_clean(found) or (before is not None and before == _log_positions(repo)):
            return found
        repo.refresh()
    with repo.locks.exclusive("refs"):
        repo.refresh()
        return look()


def _log_positions(repo: Repository) -> dict[ReplicaId, int] | None:
    """Return the sizes of the logs; None while somebody is recording, or where the index cannot follow."""
    sizes = repo.logs.sizes()
    return sizes if repo.index.is_current() else None
