"""Turning one list into another with as few removals, moves and additions as the matching allows.

One element that went elsewhere is one move: what keeps its order is a longest increasing
subsequence, only the rest moves.
"""

from msgspec import Struct

from aura_vcs.compare.diff.sequences import Fenwick, longest_increasing


class MoveStep(Struct, frozen=True):
    """One change of a list: `source` is absent for an addition, `target` for a removal.

    Positions are those at the moment of the step, the way RFC 6902 counts: the target of a move
    counts after the element was taken out. `old` and `new` are positions in the whole lists.
    """

    source: int | None
    target: int | None
    old: int | None
    new: int | None


def plan_steps(old_length: int, new_length: int, pairs: list[tuple[int, int]]) -> list[MoveStep]:
    """Plan the steps that bring the matched elements of the old list to their new places.

    `pairs` are (old, new) positions sorted by new position. O(n log n).
    """
    partner = {j: i for i, j in pairs}
    kept = set(partner.values())
    steps = [MoveStep(i, None, i, None) for i in range(old_length - 1, -1, -1) if i not in kept]
    stays = {pairs[n] for n in longest_increasing([i for i, _ in pairs])}
    if len(stays) == new_length:
        return steps
    board = _Board(old_length, stays, kept)
    for j in range(new_length):
        i = partner.get(j)
        if i is not None and (i, j) in stays:
            board.bring_to(i)
        elif i is None:
            steps.append(MoveStep(None, j + board.waiting_before_here(), None, j))
        else:
            source = board.take(i, placed=j)
            target = j + board.waiting_before_here()
            if source != target:
                steps.append(MoveStep(source, target, i, j))
    return steps


class _Board:
    """The list while it is rearranged from left to right.

    What is placed follows the last stayer that was reached; elements that wait for their move
    still stand among the stayers, where they stood in the old list.
    """

    def __init__(self, old_length: int, stays: set[tuple[int, int]], kept: set[int]) -> None:
        ordered = sorted(stays)
        self._stay_old = [i for i, _ in ordered]
        self._stay_new = [j for _, j in ordered]
        self._waiting = Fenwick(old_length)
        for i in kept.difference(self._stay_old):
            self._waiting.add(i, 1)
        self._stays_before = Fenwick(old_length)
        for i in self._stay_old:
            self._stays_before.add(i, 1)
        self._reached = 0

    def bring_to(self, i: int) -> None:
        """Go on to the stayer that stood at `i`."""
        self._reached = self._stays_before.before(i) + 1

    def waiting_before_here(self) -> int:
        """Count waiting elements that stand before the place that is filled next."""
        return self._waiting.before(self._stay_old[self._reached - 1]) if self._reached else 0

    def take(self, i: int, *, placed: int) -> int:
        """Take the waiting element of `i` out; where it stood, when `placed` elements are in place."""
        stays_before = self._stays_before.before(i)
        waiting_before = self._waiting.before(i)
        self._waiting.add(i, -1)
        if stays_before >= self._reached:
            return placed + (stays_before - self._reached) + waiting_before
        return self._stay_new[stays_before] + waiting_before
