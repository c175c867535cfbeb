"""Which of several open questions about one place a decision is about, where more than one side came in."""

from collections.abc import Iterable, Sequence

from aura_vcs.errors import InputError
from aura_vcs.errors.compare import ChoiceImpossible
from aura_vcs.history.merging.conflicts import OpenConflict


def is_from(item: OpenConflict, source: str) -> bool:
    """Tell whether the named source is a conflict's other side: `v3`, `laptop`, or both as listed; "" is any."""
    label = item.theirs_label
    return not source or source in (label, *label.split(" from ", 1))


def check_source(items: Iterable[OpenConflict], source: str) -> None:
    """Refuse a side that no open conflict has.

    Raises:
        InputError: names those that there are.
    """
    known = dict.fromkeys(item.theirs_label for item in items)
    if known and not any(is_from(item, source) for item in items):
        raise InputError(f"Nothing that is open here came from {source!r}", hint=f"It came from {_listed(known)}.")


def select(items: Sequence[OpenConflict], decision: str) -> list[OpenConflict]:
    """Select the conflicts to resolve: one for each place that conflicts of several sides are about.

    Raises:
        ChoiceImpossible: they want different things, and the decision does not say which.
    """
    found: list[OpenConflict] = []
    for item in items:
        rivals = [other for other in found if conflict_same_place(item, other)]
        if rivals and decision in ("theirs", "both"):
            sides = _listed(
                sorted(other.theirs_label for other in items if other is item or conflict_same_place(item, other))
            )
            hint = f"Say whose: `--{decision} --from {item.theirs_label.split(' from ', 1)[0]}`, for example."
            raise ChoiceImpossible(item.location, decision, f"{sides} both came in there", hint=hint)
        if not rivals:
            found.append(item)
    return found


def conflict_same_place(one: OpenConflict, other: OpenConflict) -> bool:
    """Tell whether two conflicts ask about one place for different sides: only one of them can have it."""
    return one.location == other.location and one.by == other.by and one.theirs_label != other.theirs_label


def also_resolved(item: OpenConflict, decision: str, items: Iterable[OpenConflict]) -> list[OpenConflict]:
    """List the rivals that a decision about `item` decides as well: all, once the place is not ours any more."""
    return [other for other in items if decision in ("theirs", "base") and conflict_same_place(item, other)]


def _listed(labels: Iterable[str]) -> str:
    *first, last = labels
    return f"{', '.join(first)} and {last}" if first else last
