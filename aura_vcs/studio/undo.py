"""Taking back what was done to the studio, and doing it again: by state, one after the other."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from aura_vcs.errors.input import OperationExpired
from aura_vcs.errors.studio import EditedSince
from aura_vcs.index.records import EVERY_ACTION, ActionFilter
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, StudioAction, ValueChange, act, acting, current, read_actions
from aura_vcs.studio.folder import PROJECTS
from aura_vcs.studio.studio import Studio
from aura_vcs.undo_stack import UndoStack, is_over, is_rapid, merge_changes

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
        done, passed = ActionStack(studio).undo()
    return msgspec.structs.replace(done, passed_over=passed)


def redo_studio(studio: Studio) -> StudioUndone:
    """Do again what `undo_studio` took back last.

    Raises:
        NothingToUndo: nothing was taken back, or something new was done since.
        EditedSince, StorageError: as for `undo_studio`.
    """
    with acting(studio.folder):
        return ActionStack(studio).redo()


class ActionStack(UndoStack[tuple[StudioAction, ...], StudioUndone]):
    """What was done to the studio, as its log has it. The caller is `acting`."""

    is_studio = True

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._actions = read_actions(studio.folder)
        self._all = _listed(self._actions)

    def next_undo(self, before: tuple[StudioAction, ...] | None = None) -> tuple[StudioAction, ...] | None:
        """See UndoStack."""
        applied = [item.action for item in self._all if item.status == "Applied" and not _is_reversal(item.action)]
        if before is not None:
            applied = applied[: applied.index(before[0])]
        while applied and not applied[-1].changes:
            applied.pop()
        return _together(applied) if applied else None

    def next_redo(self) -> tuple[StudioAction, ...] | None:
        """See UndoStack."""
        names = _redoable(self._actions)
        return tuple(action for action in self._actions if action.id in names) or None

    def over_since(self, item: tuple[StudioAction, ...] | None) -> list[str]:
        """See UndoStack."""
        over = [found.action for found in self._after(item) if found.status == "Expired"]
        return [action.description for action in over if not _is_reversal(action)][::-1]

    def words_since(self, item: tuple[StudioAction, ...]) -> list[str]:
        """See UndoStack; those first whose values are in no log."""
        later = [found.action for found in self._after(item) if found.status == "Applied"]
        kept = [action.description for action in later if not _is_reversal(action)][::-1]
        over = [OperationExpired(said, OperationExpired.TIME).message for said in reversed(self.over_since(item))]
        return [*(f"{said} (secrets are not kept for undo)" for said in kept), *over]

    def _after(self, item: tuple[StudioAction, ...] | None) -> list[ListedAction]:
        last = item[-1] if item is not None else None
        place = next((number for number, found in enumerate(self._all) if found.action is last), -1)
        return self._all[place + 1 :]

    def is_needed(self, _item: tuple[StudioAction, ...], _later: tuple[StudioAction, ...]) -> bool:
        """See UndoStack: `revert` looks at every value itself."""
        return False

    def revert(self, item: tuple[StudioAction, ...], *, back: bool) -> StudioUndone:
        """See UndoStack."""
        description = item[-1].description
        changes = _inverted(_merged(item)) if back else _merged(item)
        _check_untouched(self._studio, changes, description)
        draft = ActionDraft("undo" if back else "redo", f"{'Undid' if back else 'Redid'}: {description}", changes)
        names = tuple(action.id for action in item)
        draft = msgspec.structs.replace(draft, **{"undoes" if back else "redoes": names})
        act(self._studio.folder, draft)
        return StudioUndone(item, description)


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


def _together(applied: Sequence[StudioAction]) -> tuple[StudioAction, ...]:
    """Return the last action with those before it that belong to it, oldest first."""
    last = len(applied) - 1
    first = last
    while first > 0 and _belongs(applied[first - 1], applied[first]):
        first -= 1
    return tuple(applied[first:])


def _belongs(earlier: StudioAction, later: StudioAction) -> bool:
    if later.correlation_id is not None:
        return earlier.correlation_id == later.correlation_id
    if not (earlier.can_batch and later.can_batch and (earlier.type, earlier.user) == (later.type, later.user)):
        return False
    return is_rapid(earlier.time, later.time) and _places(earlier) == _places(later)


def _places(action: StudioAction) -> set[tuple[str, tuple[str, ...]]]:
    return {(change.file, change.keys) for change in action.changes}


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
