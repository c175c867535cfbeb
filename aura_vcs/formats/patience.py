"""Patience diff: which lines of two texts are the same, in a way that people find sensible.

The algorithm is Bram Cohen's (for Codeville; he describes it at https://bramcohen.livejournal.com/73318.html).
Lines that occur exactly once in both texts are matched first, by the longest sequence of them that
stands in the same order in both (found as in the card game of that name). The gaps between them are
compared again in the same way, now with the lines that occur once within the gap. A gap that has no
such line is matched from its beginning and from its end, as far as both are equal. So a brace or an
empty line does not pair up with one far away, as it may in a diff that is only short.
"""

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from itertools import count
from operator import lt

Run = tuple[int, int, int]
"""Equal items: position in the old sequence, position in the new one, how many (>= 1)."""
ROUNDS = 100
"""How often each item is looked at, on average, before gaps are only matched from their ends: texts
can be made whose gaps shrink by one line at a time."""
_NOWHERE = -1


def equal_runs(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Run]:
    """Return the runs that both have in common, in order, each as long as it goes.

    Runs never overlap or cross. Takes memory in proportion to both lengths, and time in proportion
    to them, their logarithm, and the depth of gaps in gaps (at most `ROUNDS`).
    """
    a, b = list(old), list(new)
    budget = ROUNDS * (len(a) + len(b))
    runs: list[Run] = []
    gaps = [(0, len(a), 0, len(b))]  # waiting here, not in calls: depth is for the texts to choose
    while gaps:
        a_from, a_to, b_from, b_to = gaps.pop()
        if a_from == a_to or b_from == b_to:
            continue
        gap_a, gap_b = a[a_from:a_to], b[b_from:b_to]
        if gap_a == gap_b:
            runs.append((a_from, b_from, len(gap_a)))
            continue
        budget -= len(gap_a) + len(gap_b)
        anchors = _anchors(gap_a, gap_b) if budget > 0 else []
        if anchors:
            from_a, from_b = a_from, b_from
            for in_a, in_b, length in anchors:
                at_a, at_b = a_from + in_a, b_from + in_b
                gaps.append((from_a, at_a, from_b, at_b))
                runs.append((at_a, at_b, length))
                from_a, from_b = at_a + length, at_b + length
            gaps.append((from_a, a_to, from_b, b_to))
        elif head := _equal_at_start(a, b, a_from, b_from, min(a_to - a_from, b_to - b_from)):
            runs.append((a_from, b_from, head))
            gaps.append((a_from + head, a_to, b_from + head, b_to))
        elif tail := _equal_at_end(a, b, a_to, b_to, min(a_to - a_from, b_to - b_from)):
            runs.append((a_to - tail, b_to - tail, tail))
            gaps.append((a_from, a_to - tail, b_from, b_to - tail))
    return _connect_runs(sorted(runs))


def _anchors(a: list[Hashable], b: list[Hashable]) -> list[Run]:
    """Return the longest sequence of items that occur once in both, in an order that both have."""
    once_a, once_b = _once(a), _once(b)
    pairs = [(once_a[item], at, 1) for item, at in once_b.items() if item in once_a]
    return _connect_runs(_longest_rising(pairs))


def _once(items: list[Hashable]) -> dict[Hashable, int]:
    """Return where the items stand that occur once, in their order."""
    last = dict(zip(items, count(), strict=False))
    if len(last) == len(items):
        return last
    first = dict(zip(reversed(items), range(len(items) - 1, -1, -1), strict=True))
    return {item: at for item, at in last.items() if first[item] == at}


def _longest_rising(pairs: list[Run]) -> list[Run]:
    """Return the longest selection of pairs of positions, rising in both numbers; they rise in the second already.

    Patience sorting: each pair goes onto the leftmost pile whose top is not smaller, and remembers
    the top of the pile to its left (Fredman, "On computing the length of longest increasing
    subsequences", 1975).
    """
    if all(map(lt, pairs, pairs[1:])):
        return pairs
    tops: list[int] = []
    holders: list[int] = []
    before: list[int] = []
    for n, (value, _, _) in enumerate(pairs):
        pile = len(tops) if not tops or value > tops[-1] else bisect_left(tops, value)
        before.append(holders[pile - 1] if pile else _NOWHERE)
        if pile == len(tops):
            tops.append(value)
            holders.append(n)
        else:
            tops[pile], holders[pile] = value, n
    chosen: list[Run] = []
    n = holders[-1] if holders else _NOWHERE
    while n != _NOWHERE:
        chosen.append(pairs[n])
        n = before[n]
    return chosen[::-1]


def _equal_at_start(a: list[Hashable], b: list[Hashable], a_from: int, b_from: int, most: int) -> int:
    length = 0
    while length < most and a[a_from + length] == b[b_from + length]:
        length += 1
    return length


def _equal_at_end(a: list[Hashable], b: list[Hashable], a_to: int, b_to: int, most: int) -> int:
    length = 0
    while length < most and a[a_to - length - 1] == b[b_to - length - 1]:
        length += 1
    return length


def _connect_runs(runs: list[Run]) -> list[Run]:
    """Return the runs with those made one that touch in both sequences."""
    joined: list[Run] = []
    from_a = from_b = 0
    to_a = to_b = 0
    for at_a, at_b, length in runs:
        if at_a != to_a or at_b != to_b:
            if to_a > from_a:
                joined.append((from_a, from_b, to_a - from_a))
            from_a, from_b = at_a, at_b
        to_a, to_b = at_a + length, at_b + length
    if to_a > from_a:
        joined.append((from_a, from_b, to_a - from_a))
    return joined
