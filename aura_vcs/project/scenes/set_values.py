"""Setting what a project is and where its making stands, by names of fields."""

from collections.abc import Mapping

import msgspec

from aura_vcs.ids import new_operation_id
from aura_vcs.project.documents.state import SETTABLE, check_state, set_state
from aura_vcs.project.scenes.actions import set_project
from aura_vcs.repository.repository import Repository


class ValuesSet(msgspec.Struct, frozen=True):
    """What setting did: whether anything is otherwise now, and what a person should know of it."""

    is_changed: bool
    notes: tuple[str, ...] = ()


def set_values(repo: Repository, values: Mapping[str, str], *, expire_days: float = 0) -> ValuesSet:
    """Set fields of project.json (`title`), of documents (`brief.tone`) and of the state (`status`), as one step.

    Text is read as the field has it; see `set_project`.

    Raises:
        InvalidValue, UnknownField: nothing was changed.
    """
    given = {name.removeprefix("project."): value for name, value in values.items()}
    state = {name: value for name, value in given.items() if name in SETTABLE}
    fields = {name: value for name, value in given.items() if name not in SETTABLE}
    check_state(state)
    notes: tuple[str, ...] = ()
    is_changed = False
    together = new_operation_id()
    if fields:
        done = set_project(repo, fields, expire_days=expire_days, correlation_id=together)
        notes, is_changed = done.notes, bool(done.written)
    if state and set_state(repo, state, correlation_id=together) is not None:
        notes, is_changed = notes if is_changed else (), True
    return ValuesSet(is_changed, notes)
