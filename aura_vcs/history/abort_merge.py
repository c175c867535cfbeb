"""Taking back a merge, with what was decided since."""

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.undo import Undone, undo
from aura_vcs.index.records import ActionFilter, VersionRecord
from aura_vcs.repository.repository import Repository


def abort_merge(repo: Repository) -> Undone:
    """Take back the merge that the worktree stands on, with the decisions made since.

    Raises:
        InputError: the last thing done here is not a merge.
    """
    queries = repo.queries
    finished = recover(repo)
    target = queries.action_by_id(finished.undoes) if finished is not None and finished.undoes is not None else None
    if finished is not None and target is not None and target.type == "merge":
        return Undone(finished, target.description, repo.head())
    applied = queries.actions(ActionFilter(status="Applied"), limit=500)
    actions = [action for action in applied if action.replica == repo.replica and action.undoable]
    types = [action.type for action in sorted(actions, key=lambda action: -action.sequence)]
    steps = next((n for n, type_ in enumerate(types) if type_ != "resolve"), len(types))
    if steps == len(types) or types[steps] != "merge":
        hint = "`aura undo` takes back what was done since, one thing at a time; `aura ops` lists it."
        raise InputError("The last thing done here is not a merge", hint=hint)
    points: list[VersionRecord] = []
    for _ in range(steps):
        step = undo(repo)
        points += [point for point in (step.restore_point, *step.other_restore_points) if point is not None]
    done = undo(repo)
    return msgspec.structs.replace(done, other_restore_points=(*points, *done.other_restore_points))
