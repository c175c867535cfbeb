"""The order of a list that two sides changed.

What neither side moved keeps its order and divides the list into gaps. An element that one side
moved or added goes into the gap where that side has it. Where both sides put something into one
gap, content alone decides which comes first, so both machines get the same list; where the order
is what people look at, it is a question. What both moved, to two places, and moves that contradict each
other, stay where ours has them and are questions.
"""

from collections.abc import Callable, Hashable

from msgspec import Struct

from aura_vcs.compare.diff.list_match import Fingerprints, Pairs, strong_identity
from aura_vcs.compare.diff.sequences import always_increasing
from aura_vcs.compare.merge.order import Entity, Positions, not_shown, positions_of, with_side
from aura_vcs.formats.jsondoc.values import JsonValue

Content = Callable[[int], list[str]]
Name = Callable[[JsonValue], Hashable | None]
"""What names an element that both sides may have added, or None when nothing does."""


def pair_additions(
    ours: list[JsonValue],
    theirs: list[JsonValue],
    to_ours: Pairs,
    to_theirs: Pairs,
    prints: Fingerprints,
    identity: Name = strong_identity,
) -> Pairs:
    """Pair what both sides added alike: by the same id, or equal in everything. Never by likeness."""
    old_ours, old_theirs = {o for _, o in to_ours}, {t for _, t in to_theirs}
    waiting: dict[Hashable, list[int]] = {}
    for t in range(len(theirs) - 1, -1, -1):
        if t not in old_theirs:
            waiting.setdefault(_addition_name(theirs[t], prints, identity), []).append(t)
    pairs: Pairs = []
    for o, element in enumerate(ours):
        places = waiting.get(_addition_name(element, prints, identity)) if o not in old_ours else None
        if places:
            pairs.append((o, places.pop()))
    return pairs


def _addition_name(element: JsonValue, prints: Fingerprints, identity: Name) -> Hashable:
    name = identity(element)
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

    def is_edited_by(self, n: int, side: int) -> bool:
        """Tell whether this side (1 ours, 2 theirs) added the element or moved it."""
        base = self.entities[n][0]
        moved = self.moved_by_ours if side == 1 else self.moved_by_theirs
        return self.entities[n][side] is not None and (base is None or base in moved)

    def is_steady(self, n: int) -> bool:
        """Tell whether both sides have the element and neither moved it."""
        b, o, t = self.entities[n]
        if b is None or o is None or t is None:
            return False
        return b not in self.moved_by_ours and b not in self.moved_by_theirs

    def placed_by_ours(self, n: int) -> bool:
        """Tell whether our side says where the element goes."""
        b, o, t = self.entities[n]
        return o is not None and (b is None or t is None or b in self.moved_by_ours)

    def placed_by_theirs(self, n: int) -> bool:
        """Tell whether their side says where the element goes."""
        b, o, t = self.entities[n]
        return t is not None and (b is None or o is None or b in self.moved_by_theirs)


def _movers(pairs: Pairs) -> set[int]:
    """Find base positions of what a side moved: all but what stayed in order whichever way it is read.

    Of two neighbours that changed places, either may be the one that was moved; both count.
    """
    stays = always_increasing([b for b, _ in pairs])
    return {b for n, (b, _) in enumerate(pairs) if n not in stays}


class Arranged(Struct, frozen=True):
    """The order of the elements, and where those stand, on each side, that only a person can place."""

    order: list[int]
    asked: dict[int, Positions]


def arrange(
    plan: Arrangement, kept: set[int], content: Content, *, counts: Callable[[int], bool], wait: Callable[[int], bool]
) -> Arranged:
    """Order the elements that stay.

    `content` gives what decides the order of two runs in one gap; it must not depend on which
    side is ours. `counts` says of an element whether its place among others that were put to the same place means
    something; `wait` of one that both added whether two places for it are a question.
    """
    ours, theirs = _gaps(plan, kept, side=1), _gaps(plan, kept, side=2)
    torn = _torn(plan, ours, theirs, wait)
    steady = [n for n in range(len(plan.entities)) if n in kept and plan.is_steady(n)]
    order: list[int] = []
    crowded: set[int] = set()
    for gap, anchor in enumerate([None, *steady], start=-1):
        order += [] if anchor is None else [anchor]
        left, right = ours.get(gap, []), theirs.get(gap, [])
        late = _crowded(plan, left, right, counts)
        crowded |= late
        order += [*left, *(n for n in right if n not in left)] if late else _merge_gap(left, right, content)
    moved = _moved(plan, kept)
    tangled = set(torn)
    while moved[0] and moved[1] and (contrary := not_shown(plan.entities, order, tangled) & (moved[0] | moved[1])):
        tangled |= contrary | _beside(plan, contrary, (ours, theirs))
    if tangled:
        order = with_side(plan.entities, order, tangled, 1, moved[1] - moved[0] - tangled)
    return Arranged(order, positions_of(plan.entities, order, tangled | crowded, moved))


def _beside(plan: Arrangement, contrary: set[int], sides: tuple[dict[int, list[int]], ...]) -> set[int]:
    """Return what either side moved to the same gaps: where moves contradict each other, all are as ours has them."""
    gaps = {gap for side in sides for gap, members in side.items() if contrary.intersection(members)}
    placed = {n for side in sides for gap in gaps for n in side.get(gap, ())}
    return {n for n in placed if plan.entities[n][0] is not None}


def _moved(plan: Arrangement, kept: set[int]) -> tuple[set[int], set[int]]:
    """Return what ours and theirs moved, of the elements that stay."""
    known = [(n, entity[0]) for n, entity in enumerate(plan.entities) if n in kept and entity[0] is not None]
    mine = {n for n, b in known if b in plan.moved_by_ours}
    return mine, {n for n, b in known if b in plan.moved_by_theirs}


def _torn(
    plan: Arrangement, ours: dict[int, list[int]], theirs: dict[int, list[int]], wait: Callable[[int], bool]
) -> set[int]:
    """Find elements that both sides put to different places, and leave each only where ours has it."""
    gap_ours = {n: gap for gap, members in ours.items() for n in members}
    gap_theirs = {n: gap for gap, members in theirs.items() for n in members}
    torn: set[int] = set()
    for n in gap_ours.keys() & gap_theirs.keys():
        if gap_ours[n] == gap_theirs[n]:
            continue
        if plan.entities[n][0] is not None or wait(n):
            torn.add(n)
            theirs[gap_theirs[n]].remove(n)
        else:
            later, lists = max((gap_ours[n], ours), (gap_theirs[n], theirs), key=lambda pair: pair[0])
            lists[later].remove(n)
    return torn


def _crowded(plan: Arrangement, left: list[int], right: list[int], counts: Callable[[int], bool]) -> set[int]:
    """Find what theirs put to a place to which ours put something else, where somebody must say what comes first."""
    mine, others = set(left), set(right)
    put = [n for n in left if n not in others and counts(n) and plan.is_edited_by(n, 1)]
    late = {n for n in right if n not in mine and counts(n) and plan.is_edited_by(n, 2)}
    return late if put else set()


def _gaps(plan: Arrangement, kept: set[int], *, side: int) -> dict[int, list[int]]:
    """Group elements that this side places by the number of the steady element in front (-1: none)."""
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


def _merge_gap(ours: list[int], theirs: list[int], content: Content) -> list[int]:
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
    """Cut both sides at their common elements, which come in the same order on both."""
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
