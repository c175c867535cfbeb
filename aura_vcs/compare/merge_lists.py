"""The order of a list that two sides changed.

What neither side moved keeps its order and divides the list into gaps. An element that one side
moved or added goes into the gap where that side has it. Where both sides put something into one
gap, content alone decides which comes first, so both machines get the same list.
"""

from collections.abc import Callable, Hashable

from aura_vcs.compare.fingerprints import Fingerprints
from aura_vcs.compare.list_match import Pairs, strong_identity
from aura_vcs.compare.sequences import longest_increasing
from aura_vcs.compare.values import JsonValue

Content = Callable[[int], list[str]]
Entity = tuple[int | None, int | None, int | None]
"""Positions of one element in base, ours and theirs; None where it is not."""


def pair_additions(
    ours: list[JsonValue],
    theirs: list[JsonValue],
    to_ours: Pairs,
    to_theirs: Pairs,
    prints: Fingerprints,
) -> Pairs:
    """What both sides added alike: by the same id, or equal in everything. Never by likeness."""
    old_ours, old_theirs = {o for _, o in to_ours}, {t for _, t in to_theirs}
    waiting: dict[Hashable, list[int]] = {}
    for t in range(len(theirs) - 1, -1, -1):
        if t not in old_theirs:
            waiting.setdefault(_addition_name(theirs[t], prints), []).append(t)
    pairs: Pairs = []
    for o, element in enumerate(ours):
        places = waiting.get(_addition_name(element, prints)) if o not in old_ours else None
        if places:
            pairs.append((o, places.pop()))
    return pairs


def _addition_name(element: JsonValue, prints: Fingerprints) -> Hashable:
    name = strong_identity(element)
    return prints.of(element) if name is None else name


class Arrangement:
    """Who has which element, and who moved it."""

    def __init__(self, lengths: tuple[int, int, int], to_ours: Pairs, to_theirs: Pairs, added: Pairs) -> None:
        base, ours, theirs = lengths
        at_ours, at_theirs = dict(to_ours), dict(to_theirs)
        self.entities: list[Entity] = [(b, at_ours.get(b), at_theirs.get(b)) for b in range(base)]
        both = dict(added)
        known_theirs = set(both.values()) | set(at_theirs.values())
        known_ours = set(at_ours.values())
        self.entities += [(None, o, both.get(o)) for o in range(ours) if o not in known_ours]
        self.entities += [(None, None, t) for t in range(theirs) if t not in known_theirs]
        self.moved_by_ours = _movers(to_ours)
        self.moved_by_theirs = _movers(to_theirs)

    def is_steady(self, n: int) -> bool:
        """Whether both sides have the element and neither moved it."""
        b, o, t = self.entities[n]
        if b is None or o is None or t is None:
            return False
        return b not in self.moved_by_ours and b not in self.moved_by_theirs

    def placed_by_ours(self, n: int) -> bool:
        """Whether our side says where the element goes."""
        b, o, t = self.entities[n]
        return o is not None and (b is None or t is None or b in self.moved_by_ours)

    def placed_by_theirs(self, n: int) -> bool:
        """Whether their side says where the element goes."""
        b, o, t = self.entities[n]
        return t is not None and (b is None or o is None or b in self.moved_by_theirs)


def _movers(pairs: Pairs) -> set[int]:
    """Base positions of what a side moved: all but a longest run that kept its order."""
    stays = {pairs[n][0] for n in longest_increasing([b for b, _ in pairs])}
    return {b for b, _ in pairs if b not in stays}


def arrange(plan: Arrangement, kept: set[int], content: Content) -> tuple[list[int], set[int]]:
    """The order of the elements that are kept, and which of them were moved to two places.

    `content` gives what decides the order of two runs in one gap; it must not depend on which
    side is ours.
    """
    ours, theirs = _gaps(plan, kept, side=1), _gaps(plan, kept, side=2)
    gap_ours = {n: gap for gap, members in ours.items() for n in members}
    gap_theirs = {n: gap for gap, members in theirs.items() for n in members}
    torn: set[int] = set()
    for n in gap_ours.keys() & gap_theirs.keys():
        if gap_ours[n] == gap_theirs[n]:
            continue
        if plan.entities[n][0] is not None:
            torn.add(n)
            theirs[gap_theirs[n]].remove(n)
        else:
            later, lists = max((gap_ours[n], ours), (gap_theirs[n], theirs), key=lambda pair: pair[0])
            lists[later].remove(n)
    steady = [n for n in range(len(plan.entities)) if n in kept and plan.is_steady(n)]
    order: list[int] = []
    for gap, anchor in enumerate([None, *steady], start=-1):
        order += [] if anchor is None else [anchor]
        order += _join_gap(ours.get(gap, []), theirs.get(gap, []), content)
    return order, torn


def _gaps(plan: Arrangement, kept: set[int], *, side: int) -> dict[int, list[int]]:
    """Elements that this side places, by the number of the steady element in front (-1: none)."""
    placed = plan.placed_by_ours if side == 1 else plan.placed_by_theirs
    here = [(entity[side], n) for n, entity in enumerate(plan.entities) if entity[side] is not None]
    steady = [n for n in range(len(plan.entities)) if n in kept and plan.is_steady(n)]
    number = {n: k for k, n in enumerate(steady)}
    gaps: dict[int, list[int]] = {}
    gap = -1
    for _, n in sorted(here):
        if n in number:
            gap = number[n]
        elif n in kept and placed(n):
            gaps.setdefault(gap, []).append(n)
    return gaps


def _join_gap(ours: list[int], theirs: list[int], content: Content) -> list[int]:
    def first(run: list[int]) -> list[list[str]]:
        return [content(n) for n in run]

    if not ours or not theirs or ours == theirs:
        return ours or theirs
    common = set(ours) & set(theirs)
    if [n for n in ours if n in common] != [n for n in theirs if n in common]:
        leading, trailing = sorted((ours, theirs), key=first)
        return [*leading, *(n for n in trailing if n not in common)]
    result: list[int] = []
    for left, right, shared in _runs(ours, theirs, common):
        runs = [run for run in (left, right) if run]
        for run in sorted(runs, key=first):
            result += run
        result += shared
    return result


def _runs(ours: list[int], theirs: list[int], common: set[int]) -> list[tuple[list[int], list[int], list[int]]]:
    """Both sides cut at their common elements, which come in the same order on both."""
    cut = [_cut(ours, common), _cut(theirs, common)]
    return [
        (left, right, [anchor] if anchor is not None else []) for (left, anchor), (right, _) in zip(*cut, strict=True)
    ]


def _cut(side: list[int], common: set[int]) -> list[tuple[list[int], int | None]]:
    parts: list[tuple[list[int], int | None]] = []
    run: list[int] = []
    for n in side:
        if n in common:
            parts.append((run, n))
            run = []
        else:
            run.append(n)
    return [*parts, (run, None)]
