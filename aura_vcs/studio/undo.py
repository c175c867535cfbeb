"""Taking back what was done to the studio, and doing it again: by state, one after the other."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aura_vcs.errors.input import NothingToUndo, OperationExpired
from aura_vcs.errors.studio import EditedSince
from aura_vcs.index.records import EVERY_ACTION, ActionFilter
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, StudioAction, ValueChange, act, acting, current, read_actions
from aura_vcs.studio.folder import PROJECTS
from aura_vcs.studio.studio import Studio
from aura_vcs.undo_stack import is_over, is_rapid, merge_changes

Status = Literal["Applied", "Undone", "Expired"]


class ListedAction(msgspec.Struct, frozen=True):
    """An action with what became of it."""

    action: StudioAction
    sequence: int
    status: Status
    undone_at: str | None = None
    undone_by: str | None = None

    @property
    def can_be_undone(self) -> bool:
        """Whether `undo` would come to it."""
        return self.status == "Applied" and bool(self.action.changes) and not _is_reversal(self.action)


class StudioUndone(msgspec.Struct, frozen=True):
    """What was taken back or done again. `passed_over` are later actions that cannot be."""

    actions: tuple[StudioAction, ...]
    description: str
    passed_over: tuple[str, ...] = ()


def list_actions(studio: Studio, wanted: ActionFilter = EVERY_ACTION) -> list[ListedAction]:
    """List what was done to the studio, newest first."""
    listed = reversed(_listed(read_actions(studio.folder)))
    return [item for item in listed if wanted.matches(item.action, item.status)]


def undo_studio(studio: Studio) -> StudioUndone:
    """Take back the last thing that was done to the studio and can be; rapid edits of one thing together.

    Raises:
        NothingToUndo: there is nothing. OperationExpired: the time of all that is left is over.
        EditedSince: what it changed was changed otherwise since; nothing was touched.
        StorageError.
    """
    with acting(studio.folder):
        listed = _listed(read_actions(studio.folder))
        applied = [item.action for item in listed if item.status == "Applied"]
        doable = [action for action in applied if not _is_reversal(action)]
        passed = []
        while doable and not doable[-1].changes:
            passed.append(f"{doable.pop().description} (secrets are not kept for undo)")
        over = _over_since(listed, doable[-1] if doable else None)
        if not doable and over:
            raise OperationExpired(over[-1], OperationExpired.TIME)
        if not doable:
            raise NothingToUndo("undo", studio=True)
        passed += [OperationExpired(description, OperationExpired.TIME).message for description in over]
        together = _together(doable)
        description = together[-1].description
        turned = _inverted(_merged(together))
        _check_untouched(studio, turned, description)
        act(studio.folder, ActionDraft("undo", f"Undid: {description}", turned, undoes=_ids(together)))
    return StudioUndone(tuple(together), description, tuple(passed))


def redo_studio(studio: Studio) -> StudioUndone:
    """Do again what `undo_studio` took back last.

    Raises:
        NothingToUndo: nothing was taken back, or something new was done since.
        EditedSince, StorageError: as for `undo_studio`.
    """
    with acting(studio.folder):
        actions = read_actions(studio.folder)
        names = _redoable(actions)
        together = [action for action in actions if action.id in names]
        if not together:
            raise NothingToUndo("redo", studio=True)
        description = together[-1].description
        changes = _merged(together)
        _check_untouched(studio, changes, description)
        act(studio.folder, ActionDraft("redo", f"Redid: {description}", changes, redoes=_ids(together)))
    return StudioUndone(tuple(together), description)


def _listed(actions: Sequence[StudioAction]) -> list[ListedAction]:
    undone: dict[str, StudioAction] = {}
    for action in actions:
        undone.update(dict.fromkeys(action.undoes, action))
        for name in action.redoes:
            undone.pop(name, None)
    at = now()
    found = []
    for number, action in enumerate(actions, start=1):
        by = undone.get(action.id)
        status: Status = "Undone" if by is not None else "Expired" if is_over(action.expires_at, at) else "Applied"
        found.append(ListedAction(action, number, status, by.time if by else None, by.user if by else None))
    return found


def _over_since(listed: Sequence[ListedAction], action: StudioAction | None) -> list[str]:
    """Name what was done after an action and cannot be taken back because its time is over, oldest first."""
    place = next((number for number, item in enumerate(listed) if item.action is action), -1)
    later = [item for item in listed[place + 1 :] if item.status == "Expired" and not _is_reversal(item.action)]
    return [item.action.description for item in later]


def _redoable(actions: Sequence[StudioAction]) -> tuple[str, ...]:
    """List the actions that were taken back last, if nothing new was done since."""
    taken_back: list[tuple[str, ...]] = []
    for action in actions:
        if action.undoes:
            taken_back.append(action.undoes)
        elif action.redoes:
            del taken_back[-1:]
        else:
            taken_back.clear()
    return taken_back[-1] if taken_back else ()


def _is_reversal(action: StudioAction) -> bool:
    return bool(action.undoes or action.redoes)


def _together(applied: Sequence[StudioAction]) -> list[StudioAction]:
    """Return the last action with those before it that belong to it, oldest first."""
    last = len(applied) - 1
    first = last
    while first > 0 and _belongs(applied[first - 1], applied[first]):
        first -= 1
    return list(applied[first:])


def _belongs(earlier: StudioAction, later: StudioAction) -> bool:
    if later.correlation_id is not None:
        return earlier.correlation_id == later.correlation_id
    if not (earlier.can_batch and later.can_batch and (earlier.type, earlier.user) == (later.type, later.user)):
        return False
    return is_rapid(earlier.time, later.time) and _places(earlier) == _places(later)


def _places(action: StudioAction) -> set[tuple[str, tuple[str, ...]]]:
    return {(change.file, change.keys) for change in action.changes}


def _ids(actions: Sequence[StudioAction]) -> tuple[str, ...]:
    return tuple(action.id for action in actions)


def _merged(actions: Sequence[StudioAction]) -> tuple[ValueChange, ...]:
    every = (change for action in actions for change in action.changes)
    merged = merge_changes(((change.file, change.keys), change.before, change.after) for change in every)
    return tuple(ValueChange(*place, *states) for place, states in merged.items())


def _inverted(changes: Sequence[ValueChange]) -> tuple[ValueChange, ...]:
    return tuple(msgspec.structs.replace(change, before=change.after, after=change.before) for change in changes)


def _check_untouched(studio: Studio, changes: Sequence[ValueChange], description: str) -> None:
    for change in changes:
        found = current(studio.folder, change)
        if found in (change.before, change.after):
            continue
        if not change.file.startswith(f"{PROJECTS}/"):  # entries of the list follow their projects by themselves
            raise EditedSince(".".join((change.file, *change.keys)), description, studio=True)
