"""The branch that the person was on before this one, as the log of this machine tells."""

from aura_vcs.history.names.branches import branch
from aura_vcs.ids import ReplicaId
from aura_vcs.repository.repository import Repository

LOOKED_AT = 200
"""So many of the last operations are read."""


def previous_branch(repo: Repository) -> str | None:
    """Return the branch from which HEAD last came, if there still is one of that name; None where the log has none.

    Raises:
        RecordCorrupt: a line of the log is damaged.
    """
    current = repo.head().branch
    for action in repo.queries.actions(limit=LOOKED_AT):
        if action.replica != repo.replica:
            continue
        head = repo.logs.read_at(ReplicaId(action.replica), action.start, action.end, action.segment).head
        before = head.before.branch if head is not None else None
        if before not in {None, current} and branch(repo, before or "") is not None:
            return before
    return None
