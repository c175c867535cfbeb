"""Rapid edits of the same thing become one undo.

The log keeps every edit. One that follows its like within BATCH_SECONDS carries the state from
before the first, and names that first one in its payload; undo takes the last one back and with
it all of them.
"""

from typing import TYPE_CHECKING, Any

import msgspec

from aura_vcs.ids import ReplicaId
from aura_vcs.layout import FIELD_FOLDERS
from aura_vcs.model import Operation, RefChange
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.undo_stack import is_rapid, merge_changes

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

BATCH = "batch"
"""The key of the payload that names the first operation of a batch."""


def merge_into_batch(repo: "Repository", transaction: Transaction, draft: Draft) -> Draft:
    """Merge the draft with the operation before it if the two are rapid edits of the same thing."""
    previous = _previous(repo, transaction, draft)
    if previous is None:
        return draft
    both = (*previous.refs.items(), *draft.refs.items())
    merged = merge_changes((name, change.before, change.after) for name, change in both)
    refs = {name: RefChange(*states) for name, states in merged.items()}
    worktree = draft.worktree
    if worktree is not None and previous.worktree is not None:
        worktree = msgspec.structs.replace(worktree, before=previous.worktree.before)
    payload = {**draft.payload, BATCH: previous.payload.get(BATCH, previous.id)}
    return msgspec.structs.replace(draft, refs=refs, worktree=worktree, payload=payload)


def _previous(repo: "Repository", transaction: Transaction, draft: Draft) -> Operation | None:
    """Return the operation that the draft may be merged with; None if there is none."""
    if not draft.can_batch:
        return None
    queries = repo.queries
    action = queries.next_undo(repo.replica, transaction.at)
    if action is None or action.type != draft.type or action.user != repo.author:
        return None
    if not is_rapid(action.time, transaction.at) or queries.next_redo(repo.replica, transaction.at) is not None:
        return None
    operation = repo.logs.read_at(ReplicaId(action.replica), action.start, action.end, action.segment)
    return operation if operation.can_batch and _same_things(operation, draft) else None


def _same_things(operation: Operation, draft: Draft) -> bool:
    if _paths(operation.payload) != _paths(draft.payload) or (operation.worktree is None) != (draft.worktree is None):
        return False
    rooms = {name.split("/", 1)[0] for name in (*operation.refs, *draft.refs)}
    return rooms <= set(FIELD_FOLDERS) or set(operation.refs) == set(draft.refs)


def _paths(payload: dict[str, Any]) -> Any:
    return payload.get("paths")
