"""Where two sides' orders of one list meet: what the result must show, and what only a person can say.

An order that a side changed is a set of pairs that now stand the other way round. The result shows both sides' orders
when it has exactly the pairs that either turned. Whatever breaks that is a question.
"""

from collections.abc import Sequence

from msgspec import Struct

from aura_vcs.compare.diff.sequences import inversions

CHECKED_LIMIT = 50_000
"""Elements of a list whose pairs are counted; in longer ones all that moved is asked about, where both sides moved."""

Entity = tuple[int | None, int | None, int | None]
"""Positions of one element in base, ours and theirs; None where it is not."""


class Positions(Struct, frozen=True):
    """Where an element would stand in the merged list as each version has it; None where that says nothing."""

    base: int | None
    ours: int
    theirs: int


def not_shown(entities: Sequence[Entity], order: Sequence[int], left_out: set[int]) -> set[int]:
    """Find elements of the merged order whose pairs are not as the two sides turned them.

    Those `left_out` are asked about anyway, and count for nothing.
    """
    known = [n for n in order if n not in left_out and None not in entities[n]]
    if len(known) > CHECKED_LIMIT:
        return set(known)
    by_base, by_ours, by_theirs = (sorted(known, key=lambda n: entities[n][side] or 0) for side in range(3))
    ours, theirs, merged = (_turned(by_base, other, known) for other in (by_ours, by_theirs, known))
    from_ours, from_theirs = _turned(by_ours, known, known), _turned(by_theirs, known, known)
    apart = _turned(by_ours, by_theirs, known)
    found = set()
    for k, n in enumerate(known):
        shown_of_ours = (ours[k] + merged[k] - from_ours[k]) // 2
        shown_of_theirs = (theirs[k] + merged[k] - from_theirs[k]) // 2
        by_both = (ours[k] + theirs[k] - apart[k]) // 2
        wanted = ours[k] + theirs[k] - by_both
        if (shown_of_ours, shown_of_theirs, merged[k]) != (ours[k], theirs[k], wanted):
            found.add(n)
    return found


def _turned(old: Sequence[int], new: Sequence[int], known: Sequence[int]) -> list[int]:
    """Count for each of `known` the others that it stands the other way round to in two orders."""
    rank = {n: k for k, n in enumerate(old)}
    counts = dict(zip(new, inversions([rank[n] for n in new]), strict=True))
    return [counts[n] for n in known]


def with_side(
    entities: Sequence[Entity], order: Sequence[int], asked: set[int], side: int, elsewhere: set[int]
) -> list[int]:
    """Return the merged order with those asked about where a side (0 base, 1 ours, 2 theirs) has them.

    Each goes behind what it stands behind there, of what the other side did not take `elsewhere`; one that the side
    does not have stays.
    """
    moving = {n for n in asked if entities[n][side] is not None}
    result = [n for n in order if n not in moving]
    if not moving:
        return result
    here = {n for n in order if entities[n][side] is not None}
    after: dict[int | None, list[int]] = {}
    before: int | None = None
    for n in sorted(here, key=lambda n: entities[n][side] or 0):
        if n in moving:
            after.setdefault(before, []).append(n)
        elif n not in elsewhere:
            before = n
    placed = list(after.get(None, ()))
    for n in result:
        placed.append(n)
        placed += after.get(n, ())
    return placed


def positions_of(
    entities: Sequence[Entity], order: Sequence[int], asked: set[int], moved: tuple[set[int], set[int]]
) -> dict[int, Positions]:
    """Return where each of those asked about stands in the merged order, and would stand in the others.

    One that stands as theirs has it to everything else is left out, unless all do. `moved` are the
    elements that ours and theirs moved.
    """
    if not asked:
        return {}
    before = with_side(entities, order, asked, 0, moved[0] | moved[1])
    theirs = with_side(entities, order, asked, 2, moved[0] - moved[1])
    at_base, at_ours, at_theirs = ({n: k for k, n in enumerate(each)} for each in (before, order, theirs))
    turned = dict(zip(order, _turned(theirs, order, order), strict=True))
    asked = {n for n in asked if turned[n]} or asked
    return {n: Positions(at_base[n] if entities[n][0] is not None else None, at_ours[n], at_theirs[n]) for n in asked}
