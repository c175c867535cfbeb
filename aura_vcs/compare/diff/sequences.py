"""Algorithms on sequences: what stayed in order, what is common, where things are now."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

DISTANCE_LIMIT = 400
"""Differences up to which a longest common subsequence is looked for; memory grows with its square."""


class WorkBudget:
    """Steps that the costly algorithms of one comparison may still take together.

    When they are used up, the linear algorithms take over: the result is still right, only
    less short. That bounds the time of a comparison whatever the documents hold.
    """

    def __init__(self, steps: int = 3_000_000) -> None:
        self.left = steps

    def take(self, steps: int) -> bool:
        """Use that many steps of the budget and return True, or False where fewer are left."""
        if steps > self.left:
            return False
        self.left -= steps
        return True


def longest_increasing(numbers: Sequence[int]) -> list[int]:
    """Find positions of a longest strictly increasing subsequence; O(n log n) (Fredman 1975)."""
    tails: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tails, number)
        if length == len(tails):
            tails.append(number)
            at.append(position)
        else:
            tails[length] = number
            at[length] = position
        before.append(at[length - 1] if length else -1)
    result: list[int] = []
    position = at[-1] if at else -1
    while position >= 0:
        result.append(position)
        position = before[position]
    return result[::-1]


def always_increasing(numbers: Sequence[int]) -> set[int]:
    """Find positions that are in every longest strictly increasing subsequence: what stayed in any case; O(n log n)."""
    ahead = _run_lengths(numbers)
    behind = _run_lengths([-number for number in reversed(numbers)])[::-1]
    longest = max(ahead, default=0)
    possible = [n for n in range(len(numbers)) if ahead[n] + behind[n] - 1 == longest]
    at_length = Counter(ahead[n] for n in possible)
    return {n for n in possible if at_length[ahead[n]] == 1}


def _run_lengths(numbers: Sequence[int]) -> list[int]:
    """Return how long the longest strictly increasing subsequence is that ends at each position."""
    tails: list[int] = []
    lengths = []
    for number in numbers:
        length = bisect_left(tails, number)
        tails[length : length + 1] = [number]
        lengths.append(length + 1)
    return lengths


def inversions(numbers: Sequence[int]) -> list[int]:
    """Count, for each position of a permutation of 0, 1, 2 …, the others that its number is in the wrong order with."""
    tally = Fenwick(len(numbers))
    found = []
    for position, number in enumerate(numbers):
        smaller = tally.before(number)
        tally.add(number, 1)
        larger_before = position - smaller
        smaller_after = number - smaller
        found.append(larger_before + smaller_after)
    return found


def common_pairs(old: Sequence[Hashable], new: Sequence[Hashable], effort: WorkBudget) -> list[tuple[int, int]]:
    """Find positions (old, new) of equal elements, increasing on both sides: what stayed in place.

    A longest common subsequence (Myers, "An O(ND) Difference Algorithm", 1986) while the
    difference is small and `effort` lasts; else the patience anchors (Cohen): elements that
    occur once on both sides, in their longest increasing order, and equal runs beside them.
    """
    start = 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    a, b = old[start : len(old) - end], new[start : len(new) - end]
    pairs = [(n, n) for n in range(start)]
    if a and b:
        middle = _myers(a, b, effort)
        pairs += [(i + start, j + start) for i, j in (_patience(a, b) if middle is None else middle)]
    pairs += [(len(old) - n, len(new) - n) for n in range(end, 0, -1)]
    return pairs


def _myers(a: Sequence[Hashable], b: Sequence[Hashable], effort: WorkBudget) -> list[tuple[int, int]] | None:
    """Find matching positions of a longest common subsequence, None when that takes too long."""
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for distance in range(len(a) + len(b) + 1):
        if not effort.take(2 * distance + 1) or distance > DISTANCE_LIMIT:
            return None
        trace.append(dict(furthest))
        for k in range(-distance, distance + 1, 2):
            down = k == -distance or (k != distance and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = x - k
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= len(a) and y >= len(b):
                return _walk_back(trace, x, y)
    return None


def _walk_back(trace: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for distance in range(len(trace) - 1, -1, -1):
        furthest, k = trace[distance], x - y
        down = k == -distance or (k != distance and furthest[k - 1] < furthest[k + 1])
        previous_k = k + 1 if down else k - 1
        previous_x = furthest[previous_k] if distance else 0
        previous_y = previous_x - previous_k if distance else 0
        while x > previous_x and y > previous_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = previous_x, previous_y
    return pairs[::-1]


def _patience(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    once_in_a = {item: n for n, item in enumerate(a)}
    count_a, count_b = Counter(a), Counter(b)
    unique = [(once_in_a[item], j) for j, item in enumerate(b) if count_a[item] == 1 == count_b[item]]
    anchors = [unique[n] for n in longest_increasing([i for i, _ in unique])]
    pairs: list[tuple[int, int]] = []
    done_i = done_j = 0
    for i, j in [*anchors, (len(a), len(b))]:
        back: list[tuple[int, int]] = []
        while done_i < i and done_j < j and a[done_i] == b[done_j]:
            pairs.append((done_i, done_j))
            done_i, done_j = done_i + 1, done_j + 1
        end_i, end_j = i, j
        while end_i > done_i and end_j > done_j and a[end_i - 1] == b[end_j - 1]:
            end_i, end_j = end_i - 1, end_j - 1
            back.append((end_i, end_j))
        pairs += back[::-1]
        if i < len(a):
            pairs.append((i, j))
        done_i, done_j = i + 1, j + 1
    return pairs


class Fenwick:
    """Counts at positions with prefix sums in O(log n) (Fenwick 1994)."""

    def __init__(self, size: int) -> None:
        self._tree = [0] * (size + 1)

    def add(self, position: int, amount: int) -> None:
        """Change the count at `position`."""
        position += 1
        while position < len(self._tree):
            self._tree[position] += amount
            position += position & -position

    def before(self, position: int) -> int:
        """Return the sum of the counts at smaller positions."""
        total = 0
        while position > 0:
            total += self._tree[position]
            position -= position & -position
        return total
