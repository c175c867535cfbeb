"""Settings of the project and the state of its making: values, one by one, with undo."""

from collections.abc import Mapping
from typing import Any

from aura_vcs.history.batching import batched
from aura_vcs.model import Field, Inverse, Operation
from aura_vcs.ref_changes import field_change
from aura_vcs.repository.repository import Draft, Repository


def set_fields(
    repo: Repository, room: str, values: Mapping[str, Any], description: str, *, type_: str
) -> Operation | None:
    """Give settings (`room` "settings") or facts of the state ("state") new values; None unsets one.

    Recorded as one operation that undo takes back; None if every value was so already.
    """
    with repo.transaction() as transaction:
        known = repo.refs.settings() if room == "settings" else repo.refs.state()
        refs = dict(
            field_change(room, key, known.get(key), value, transaction.replica, transaction.at, repo.author)
            for key, value in values.items()
            if value_of(known.get(key)) != value
        )
        if not refs:
            return None
        draft = Draft(type_, description, refs, inverse=Inverse(f"{type_}.revert"), can_batch=True)
        return transaction.record(batched(repo, transaction, draft))


def note_state(repo: Repository, values: Mapping[str, Any]) -> None:
    """Give facts of the state new values without an operation: what a program reports while it works."""
    with repo.transaction() as transaction:
        known = repo.refs.state()
        for key, value in values.items():
            before = known.get(key)
            if value_of(before) != value:
                counter = (before.stamp[0] if before is not None else 0) + 1
                known[key] = Field(value, (counter, transaction.replica), transaction.at, repo.author)
        repo.refs.put_state(known)


def value_of(field: Field | None) -> Any:
    """The field's value; None without a field."""
    return None if field is None else field.value
