"""Which frames of a film are which of another version: what was inserted, removed, moved, or is another one.

Runs of frames that look alike at one distance are found by a few frames that are looked for everywhere (by their
hashes, then by their small pictures); then every frame of the new version is given to one of these runs or to none,
so that as little as possible differs and as seldom as possible a run is left (Viterbi 1967). What is left of the old
version was removed; runs that are not in its order, but for the longest that are, were moved.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from aura_vcs.compare.media.planes import differences, miniatures, picked, sums
from aura_vcs.formats.media.findings import StretchKind
from aura_vcs.formats.media.index_entry import GRID, LUMA_BYTES

FACTOR = 4
TINY = LUMA_BYTES // FACTOR**2
"""Bytes of the picture by which frames are matched."""
ALIKE = 6 * TINY
"""Up to this sum of differences, frames may be the same: six levels everywhere, or more in a part of the picture."""
LEAVING = 3 * ALIKE
"""What it costs to go from one run to another: fewer frames than this makes up for are no run of their own."""
PROBES = 48
"""Frames that are looked for everywhere."""
RUNS = 10
PREFERRED = ALIKE // 20
"""What a frame costs at a distance that is neither that of the beginnings nor that of the ends: pictures that stand
still fit everywhere."""
REFINED = 20_000
"""So many pairs of frames are compared by all of their cells; of more, some, evenly spread."""
BLOCK = 512
NEAR_HASHES = 6
"""Candidates for a frame that are looked at more closely."""


class FrameRun(Struct, frozen=True):
    """Frames `start` to `end` (not included) of the new version; in the old one they begin at `old`, None: nowhere."""

    start: int
    end: int
    old: int | None

    @property
    def length(self) -> int:
        """How many frames."""
        return self.end - self.start


class Alignment(Struct, frozen=True):
    """The new version as runs, without a gap; what of the old one is nowhere in it; which runs were moved."""

    runs: tuple[FrameRun, ...]
    removed: tuple[tuple[int, int], ...]
    moved: frozenset[int] = frozenset()
    """Numbers of runs."""

    @property
    def matched(self) -> int:
        """How many frames are in both versions."""
        return sum(run.length for run in self.runs if run.old is not None)


class Frames:
    """A version as it is matched: small pictures and hashes of its frames."""

    def __init__(self, tiny: bytes, hashes: Sequence[int], luma: bytes, numbers: Sequence[int]) -> None:
        self.count = len(tiny) // TINY
        self.tiny = tiny
        self.hashes = list(hashes)
        self._luma = luma
        self._numbers = numbers

    @classmethod
    def of(cls, luma: bytes, hashes: Sequence[int]) -> "Frames":
        """Reduce the brightness of every frame once more."""
        return cls(miniatures(luma, GRID, FACTOR), hashes, luma, range(len(luma) // LUMA_BYTES))

    def picked(self, numbers: Sequence[int]) -> "Frames":
        """Return the frames with these numbers, in this order."""
        hashes = [self.hashes[n] for n in numbers]
        return Frames(picked(self.tiny, TINY, numbers), hashes, self._luma, [self._numbers[n] for n in numbers])

    def cells(self, numbers: Sequence[int]) -> bytes:
        """Return all brightness of some frames."""
        return picked(self._luma, LUMA_BYTES, [self._numbers[n] for n in numbers])

    def part(self, start: int, end: int) -> bytes:
        """Return the small pictures of some frames."""
        return self.tiny[start * TINY : end * TINY]


def align(old: Frames, new: Frames) -> Alignment:
    """Find out which frames are the same."""
    shared = min(old.count, new.count)
    head = _distances(old, new, 0, 0, shared)
    if old.count == new.count and all(distance <= ALIKE for distance in head):
        return Alignment((FrameRun(0, new.count, 0),) if new.count else (), ())
    shifts = _shifts(old, new)
    return alignment_of(_assign(old, new, shifts), old.count)


def _distances(old: Frames, new: Frames, old_start: int, start: int, count: int) -> list[int]:
    a, b = old.part(old_start, old_start + count), new.part(start, start + count)
    return sums(differences(a, b, TINY), TINY)


def _shifts(old: Frames, new: Frames) -> list[int]:
    """Propose by how many frames runs of the new version lie behind where they were: the likeliest first."""
    votes: Counter[int] = Counter()
    step = max(1, new.count // PROBES)
    for n in range(step // 2, new.count, step):
        found = _find(old, new, n)
        if found is not None:
            votes[n - found] += 1
    ends = [0, new.count - old.count]
    likely = [shift for shift, _ in votes.most_common(RUNS)]
    return list(dict.fromkeys([*ends, *likely]))


def _find(old: Frames, new: Frames, number: int) -> int | None:
    """Look for the frame of the old version that is most like one of the new; None if none is alike."""
    wanted = new.hashes[number]
    near = sorted(range(old.count), key=lambda n: (old.hashes[n] ^ wanted).bit_count())[:NEAR_HASHES]
    if not near:
        return None
    small = new.part(number, number + 1)
    costs = [(sums(differences(old.part(n, n + 1), small, TINY), TINY)[0], abs(number - n), n) for n in near]
    cost, _, best = min(costs)
    return best if cost <= ALIKE else None


def _assign(old: Frames, new: Frames, shifts: Sequence[int]) -> list[int | None]:
    """Give every frame of the new version its place in the old one, or none."""
    costs: list[list[int]] = []
    for shift in shifts:
        start, end = max(0, shift), min(new.count, old.count + shift)
        line = [4 * ALIKE] * new.count
        if start < end:
            line[start:end] = [min(cost, 4 * ALIKE) for cost in _distances(old, new, start - shift, start, end - start)]
        is_preferred = shift in (0, new.count - old.count)
        costs.append(line if is_preferred else [cost + PREFERRED for cost in line])
    _refine(costs, old, new, shifts)
    costs.append([int(1.3 * ALIKE)] * new.count)  # none
    leaving = [LEAVING] * len(costs)
    for free in (shifts.index(new.count - old.count), len(shifts)):
        leaving[free] = 0
    places = placed(best_path(costs, LEAVING, leaving), shifts, old.count)
    at_end = new.count - old.count
    extend(places, (0, costs[0]), (at_end, costs[shifts.index(at_end)]), old.count, ALIKE // 3)
    return places


Line = tuple[int, Sequence[int]]
"""A shift, and what every place costs at it."""


def extend(places: list[int | None], begins: Line, ends: Line, count: int, alike: int) -> None:
    """Give what is before the first run and behind the last one its place, if it is alike but too short for a run."""
    found = [(n, place) for n, place in enumerate(places) if place is not None]
    first, least = found[0] if found else (len(places), count)
    last, most = found[-1] if found else (-1, -1)
    shift, costs = begins
    head = range(max(0, shift), min(first, least + shift))
    for n in head[: _worth(costs, head, alike)]:
        places[n] = n - shift
    shift, costs = ends
    tail = range(min(len(places), count + shift) - 1, max(last, most + shift), -1)
    for n in tail[: _worth(costs, tail, alike)]:
        if places[n] is None:
            places[n] = n - shift


def _worth(costs: Sequence[int], numbers: Sequence[int], alike: int) -> int:
    """Return how many of the numbers, from the first on, are alike on the whole."""
    best = total = count = 0
    for n, number in enumerate(numbers, 1):
        total += alike - costs[number]
        if total > best:
            best, count = total, n
    return count


def _refine(costs: Sequence[list[int]], old: Frames, new: Frames, shifts: Sequence[int]) -> None:
    """Compare all cells of frames that are like several by the few: in what stands still, grain tells them apart."""
    alike = [sum(line[n] <= ALIKE for line in costs) for n in range(new.count)]
    found = [n for n, count in enumerate(alike) if count > 1]
    found = found[:: -(-sum(alike[n] for n in found) // REFINED) or 1]
    for line, shift in zip(costs, shifts, strict=True):
        numbers = [n for n in found if line[n] <= ALIKE]
        for start in range(0, len(numbers), BLOCK):
            some = numbers[start : start + BLOCK]
            apart = differences(old.cells([n - shift for n in some]), new.cells(some), LUMA_BYTES)
            for n, whole in zip(some, sums(apart, LUMA_BYTES), strict=True):
                line[n] = min(ALIKE, max(line[n], whole * TINY // LUMA_BYTES))


def best_path(lines: Sequence[Sequence[int]], leaving: int, at_end: Sequence[int] = ()) -> list[int]:
    """Choose a line for every place, so that the costs and those of changing lines are least (Viterbi 1967).

    The first line and the last are free to begin with; another one costs as much as a change. `at_end` is what each
    costs to end with.
    """
    total = [0, *[leaving] * (len(lines) - 2), 0][-len(lines) :]
    came: list[list[int]] = []
    for costs in zip(*lines, strict=True):
        lowest = min(total)
        best, limit = total.index(lowest), lowest + leaving
        came.append([state if value <= limit else best for state, value in enumerate(total)])
        total = [min(value, limit) + cost for value, cost in zip(total, costs, strict=True)]
    total = [value + cost for value, cost in zip(total, at_end, strict=True)] if at_end else total
    state = total.index(min(total)) if total else 0
    labels = [0] * len(came)
    for n in range(len(came) - 1, -1, -1):
        labels[n] = state
        state = came[n][state]
    return labels


def placed(labels: Sequence[int], shifts: Sequence[int], count: int) -> list[int | None]:
    """Turn lines into places in the old version, which has `count`; the line behind the last shift is nowhere."""
    places = [n - shifts[state] if state < len(shifts) else -1 for n, state in enumerate(labels)]
    return [place if 0 <= place < count else None for place in places]


def alignment_of(places: Sequence[int | None], count: int) -> Alignment:
    """Group the places of a new version in an old one, which has `count`."""
    runs = _runs(places)
    return Alignment(tuple(runs), tuple(_uncovered(runs, count)), frozenset(_moved(runs)))


class Edit(Struct, frozen=True):
    """What was done: frames `start` to `end` of the new version, and `old_start` to `old_end` of the old one."""

    kind: StretchKind
    start: int
    end: int
    old_start: int
    old_end: int


def edits(alignment: Alignment) -> list[Edit]:
    """Describe what was inserted, removed, moved, and replaced by something else as long."""
    removed = dict(alignment.removed)
    found = []
    before = 0
    """Where in the old version the run before ends."""
    for n, run in enumerate(alignment.runs):
        if run.old is not None:
            if n in alignment.moved:
                found.append(Edit("moved", run.start, run.end, run.old, run.old + run.length))
            else:
                before = run.old + run.length
            continue
        gone = removed.pop(before, before)
        same = min(gone - before, run.length)
        if same:
            found.append(Edit("changed", run.start, run.start + same, before, before + same))
        if run.length > same:
            found.append(Edit("inserted", run.start + same, run.end, before + same, before + same))
        if gone - before > same:
            removed[before + same] = gone
    for start, end in removed.items():
        place = _place_of(alignment, start)
        found.append(Edit("removed", place, place, start, end))
    return found


def _place_of(alignment: Alignment, start: int) -> int:
    """Return where in the new version something of the old one would be: behind the run that it followed."""
    place = 0
    for n, run in enumerate(alignment.runs):
        if run.old is not None and n not in alignment.moved and run.old + run.length <= start:
            place = run.end
    return place


def _runs(labels: Sequence[int | None]) -> list[FrameRun]:
    runs: list[FrameRun] = []
    start = 0
    for n in range(1, len(labels) + 1):
        if n < len(labels):
            before, now = labels[n - 1], labels[n]
            if (before is None and now is None) or (before is not None and now == before + 1):
                continue
        if n > start:
            runs.append(FrameRun(start, n, labels[start]))
        start = n
    return runs


def _uncovered(runs: Sequence[FrameRun], count: int) -> list[tuple[int, int]]:
    """Find what of the old version is in no run."""
    covered = sorted((run.old, run.old + run.length) for run in runs if run.old is not None)
    found, at = [], 0
    for start, end in [*covered, (count, count)]:
        if start > at:
            found.append((at, start))
        at = max(at, end)
    return found


def _moved(runs: Sequence[FrameRun]) -> list[int]:
    """Find the runs that left their order: all but the most frames that are in the old one's (longest increasing)."""
    placed = [(n, run) for n, run in enumerate(runs) if run.old is not None]
    best: list[tuple[int, tuple[int, ...]]] = []
    for n, run in placed:
        assert run.old is not None
        before = [
            kept for (weight, kept), (_, other) in zip(best, placed, strict=False)
            if other.old is not None
            and other.old < run.old
            and other.old + other.length <= run.old + min(run.length, other.length) // 2
        ]  # fmt: skip
        longest = max(before, key=lambda kept: sum(runs[m].length for m in kept), default=())
        kept = (*longest, n)
        best.append((sum(runs[m].length for m in kept), kept))
    stays = max(best, default=(0, ()))[1]
    return [n for n, _ in placed if n not in stays]


def by_time(times: Sequence[int], moments: Sequence[float]) -> list[int]:
    """Return which frame is shown at each of the moments; times and moments in microseconds."""
    last = len(times) - 1
    return [max(0, min(last, bisect_right(times, moment + 1_000) - 1)) for moment in moments]
