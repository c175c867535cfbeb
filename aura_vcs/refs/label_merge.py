"""The fields of a label: how they are stamped, and how two copies of one label merge."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aura_vcs.ids import ReplicaId
from aura_vcs.model import Label
from aura_vcs.refs.packed_labels import STAMP_LIMIT

_STAMPED = ("name", "description", "important")
_DELETION = ("deleted_at", "deleted_by")
_PURGE = ("purged_at", "purged_by", "purge_reason")


def merge_labels(ours: Label, theirs: Label) -> Label:
    """Merge two copies of a label into one: per field, the higher stamp wins. Commutes; idempotent.

    Where two copies of one replica gave one stamp to two values, the value decides, the same everywhere.
    """
    changes: dict[str, Any] = {}
    stamps = dict(ours.stamps)
    for field, stamp in theirs.stamps.items():
        known = ours.stamps.get(field, (0, ReplicaId("")))
        if stamp > known or (stamp == known and _rank(field, theirs) > _rank(field, ours)):
            stamps[field] = stamp
            for name in fields_of_stamp(field):
                changes[name] = getattr(theirs, name)
    newest = max(ours, theirs, key=lambda label: (label.updated_at or "", label.updated_by or ""))
    return msgspec.structs.replace(
        ours, **changes, stamps=stamps, updated_at=newest.updated_at, updated_by=newest.updated_by
    )


def _rank(stamp: str, label: Label) -> list[str]:
    return [repr(getattr(label, name)) for name in fields_of_stamp(stamp)]


def fields_of_stamp(stamp: str) -> Sequence[str]:
    """List the fields that change together under one stamp."""
    if stamp == "deleted":
        return _DELETION
    if stamp == "purged":
        return _PURGE
    return (stamp,) if stamp in _STAMPED else ()


def stamp_label(label: Label, replica: ReplicaId, at: str, by: str, **changes: Any) -> Label:
    """Return the label with fields changed by this replica, stamped above every stamp it has."""
    counter = max((count for count, _ in label.stamps.values()), default=0) + 1
    stamps = dict(label.stamps)
    for field in changes:
        name = "deleted" if field in _DELETION else "purged" if field in _PURGE else field
        stamps[name] = (counter, replica)
    return msgspec.structs.replace(label, **changes, stamps=stamps, updated_at=at, updated_by=by)


def is_believable(stamp: tuple[int, ReplicaId]) -> bool:
    """Tell whether a stamp's counter is plausible: a higher one would be above all that come later."""
    return 0 <= stamp[0] <= STAMP_LIMIT
