"""Settings of the project and the state of its making: values, one by one, with undo."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aura_vcs.history.recording.undo_batching import merge_into_batch
from aura_vcs.model import Field, Inverse, Operation
from aura_vcs.operation_log import Giver, field_change
from aura_vcs.repository.transaction import Draft

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

FieldPlaces = Mapping[str, Mapping[str, Any]]
"""New values of settings (`{"settings": {key: value}}`) and of facts of the state ("state")."""


def set_fields(
    repo: "Repository", values: FieldPlaces, description: str, *, type_: str, correlation_id: str | None = None
) -> Operation | None:
    """Give settings and facts of the state new values; None unsets one.

    Recorded as one operation that undo takes back; None if every value was so already.
    """
    with repo.transaction() as transaction:
        refs = dict(
            field_change(room, key, field, value, Giver(transaction.replica, transaction.at, repo.author))
            for room, key, field, value in _changed_fields(repo, values)
        )
        if not refs:
            return None
        inverse = Inverse(f"{type_}.revert")
        draft = Draft(type_, description, refs, inverse=inverse, can_batch=True, correlation_id=correlation_id)
        return transaction.record(merge_into_batch(repo, transaction, draft))


def note_fields(repo: "Repository", values: FieldPlaces) -> None:
    """Give them new values without an operation: what a program reports while it works."""
    with repo.transaction() as transaction:
        refs = dict(
            field_change(room, key, field, value, Giver(transaction.replica, transaction.at, repo.author))
            for room, key, field, value in _changed_fields(repo, values)
        )
        repo.refs.apply(refs)


def _changed_fields(repo: "Repository", values: FieldPlaces) -> Iterator[tuple[str, str, Field | None, Any]]:
    """Room, key, what is there and what shall be, of all that is not so already."""
    for room, wanted in values.items():
        known = repo.refs.settings() if room == "settings" else repo.refs.state()
        for key, value in wanted.items():
            if value_of(known.get(key)) != value:
                yield room, key, known.get(key), value


def value_of(field: Field | None) -> Any:
    """Return the field's value; None without a field."""
    return None if field is None else field.value
