"""What operations say of themselves, with versions called as they are now.

A log that says "Committed v2" was right when it was written. Where another machine has given that number, too, a
person is told which v2 that was.
"""

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ReplicaId
from aura_vcs.index.records import ActionFilter, ActionRecord
from aura_vcs.index.version_names import has_shared_number, qualified
from aura_vcs.model import Operation
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository

RECORDED_TYPES = ("checkpoint.save", "export.run")
"""The types of what programs record without an action; see project.records.activity."""


def list_actions(repo: Repository, wanted: ActionFilter, *, limit: int, offset: int = 0) -> list[ActionRecord]:
    """Return a page of the actions, newest first, with descriptions as `describe_action` gives them."""
    found = repo.queries.actions(wanted, at=now(), limit=limit, offset=offset)
    return [msgspec.structs.replace(item, description=describe_action(repo, item)) for item in found]


def describe_operation(repo: Repository, operation: Operation) -> str:
    """Return an operation's description, with versions called so that it is clear which are meant."""
    return qualified(repo.queries, operation.description, operation.refs)


def describe_action(repo: Repository, action: ActionRecord) -> str:
    """Return an action's description, as of its operation; its log is read only where a number was given twice."""
    if not has_shared_number(repo.queries, action.description):
        return action.description
    try:
        operation = repo.logs.read_at(ReplicaId(action.replica), action.start, action.end, action.segment)
    except (IntegrityError, FileNotFoundError):
        return action.description
    return describe_operation(repo, operation)
