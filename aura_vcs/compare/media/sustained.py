"""Small changes that last, in a film that was re-encoded: a caption corrected, a faint mark over the picture.

In a single frame they are no more than what encoders do. That goes up here and down there, and its mean over some
frames is nearly nothing; the mean of a change is the change. So means are compared: of half a second, of two, and of
all. Where one stands out, the cells that do tell together, frame by frame, where the change begins and ends.
"""

from collections.abc import Collection, Iterator, Sequence

from msgspec import Struct

from aura_vcs.compare.media.layers import FilmLayer
from aura_vcs.compare.media.planes import PER_LEVEL, distances, means, over, percentile, shifts
from aura_vcs.compare.media.regions import busiest, meets
from aura_vcs.formats.media.findings import Box

WINDOW = 12
"""Frames whose mean is taken."""
LONGER = 4
"""Windows whose mean is taken, too."""
BLOCK = 85 * WINDOW
NOISE_SHARE = 0.9
"""So many cells have only what encoders leave; a mark that is larger would hide among it."""
LEAST_LEVELS = 2
BESIDE_LEVELS = 4
"""Likewise where something is told already, of which an encoder leaves something."""
NOISES = 3
"""A cell stands out if it differs by so many times what encoders leave, and a level."""
CELLS = 3
MOST_SHARE = 0.25
"""Where more of the picture differs by a little, it is another way of writing colours, or another encoder's taste."""
ON_SHARE = 0.5
GAP_FRAMES = 2
LEAST_FRAMES = 10
ECHO = 3.0
"""A change by so many times as much, in the same cells and near, leaves this behind."""
ECHO_FRAMES = 250
"""So far from each other encoders' key frames are, at most."""
STEADY = 4.0
"""No frame differs so many times as much as most do."""
STEADY_SHARE = 0.7


class Sustained(Struct, frozen=True):
    """Frames `first` to `last` (not included) of those compared, in which a part of the picture differs throughout."""

    first: int
    last: int
    box: Box


def find_sustained(
    layer: FilmLayer, told: Collection[int] = frozenset(), *, is_edited: bool = False
) -> list[Sustained]:
    """Find parts of the picture that differ for a window of frames or longer, by less than a frame alone tells.

    `told` are frames of which something is told already: a change is found only if it is in others, too. `is_edited`
    says that there are frames of which none of the other film is told.
    """
    rows = _means(layer)
    least = BESIDE_LEVELS if told or is_edited else LEAST_LEVELS
    found: list[Sustained] = []
    for size in dict.fromkeys((len(rows), LONGER, 1)):
        if not 0 < size <= len(rows):
            continue
        for first, last, cells, box in _standing_out(layer, rows, size, least):
            start, end = first * WINDOW, last * WINDOW
            if any(one.first <= start and end <= one.last + WINDOW and meets(one.box, box) for one in found):
                continue
            place = _Scores(layer, cells, told, least).extent(start, end)
            if place is not None:
                found.append(Sustained(*place, _place_of(layer, rows, place, cells, least) or box))
    return _united(found)


def _means(layer: FilmLayer) -> list[bytes]:
    """Return for each window of frames by how much each cell differs on the average, as `shifts` has it."""
    width = layer.pictures.width
    whole = len(layer.numbers) // WINDOW * WINDOW
    rows: list[bytes] = []
    for start in range(0, whole, BLOCK):
        old, new = layer.picked(start, min(whole, start + BLOCK))
        apart = means(shifts(old, new, width), width, WINDOW)
        rows += [apart[at : at + width] for at in range(0, len(apart), width)]
    return rows


def _standing_out(
    layer: FilmLayer, rows: Sequence[bytes], size: int, least: int
) -> Iterator[tuple[int, int, tuple[int, ...], Box]]:
    """Yield the windows, first and behind the last, of which so many together stand out, in which cells, and where."""
    width = layer.pictures.width
    several = [b"".join(rows[n : n + size]) for n in range(0, len(rows) - size + 1, size)]
    apart = [distances(means(data, width, size), width) for data in several]
    noises = sorted(percentile(one, NOISE_SHARE) for one in apart if any(one))
    limit = _limit(noises[len(noises) // 2] if noises else 0, least)
    masks = [over(one, width, limit) for one in apart]
    marked = [CELLS <= mask.count(b"\xff") <= MOST_SHARE * width for mask in masks]
    start = 0
    for n in range(1, len(marked) + 1):
        if n < len(marked) and marked[n] == marked[n - 1]:
            continue
        if marked[start]:
            counts = [sum(mask[cell] == 255 for mask in masks[start:n]) / (n - start) for cell in range(width)]
            region = busiest(counts, layer.pictures.grid, is_exact=False)
            if region is not None and region.cells >= CELLS:
                yield start * size, n * size, region.chosen, region.box
        start = n


def _limit(noise: int, least: int) -> int:
    return max(least * PER_LEVEL, NOISES * noise + PER_LEVEL)


def _place_of(
    layer: FilmLayer, rows: Sequence[bytes], place: tuple[int, int], cells: Collection[int], least: int
) -> Box | None:
    """Return where the mean of all windows of a change differs, next to the cells that told it."""
    width = layer.pictures.width
    inside = rows[-(-place[0] // WINDOW) : place[1] // WINDOW]
    if not inside:
        return None
    apart = distances(means(b"".join(inside), width, len(inside)), width)
    mask = over(apart, width, _limit(percentile(apart, NOISE_SHARE), least))
    chosen = [1.0 if level == 255 or n in cells else 0.0 for n, level in enumerate(mask)]
    region = busiest(chosen, layer.pictures.grid, is_exact=False) if sum(chosen) <= MOST_SHARE * width else None
    return region.box if region is not None else None


def _united(found: Sequence[Sustained]) -> list[Sustained]:
    """Join what is in the same place at the same time."""
    joined: list[Sustained] = []
    for one in sorted(found, key=lambda one: (one.first, one.last)):
        for n, other in enumerate(joined):
            if one.first <= other.last + WINDOW and meets(one.box, other.box):
                box = (min(one.box[0], other.box[0]), min(one.box[1], other.box[1]),
                       max(one.box[2], other.box[2]), max(one.box[3], other.box[3]))  # fmt: skip
                joined[n] = Sustained(min(one.first, other.first), max(one.last, other.last), box)
                break
        else:
            joined.append(one)
    return joined


class _Scores:
    """By how much some cells together differ in each frame, in the direction in which they do on the whole."""

    def __init__(self, layer: FilmLayer, cells: Sequence[int], told: Collection[int], least: int) -> None:
        self._layer = layer
        self._cells = cells
        self._told = told
        self._least = least * len(cells) / 2
        self._signs: list[int] = []

    def extent(self, first: int, last: int) -> tuple[int, int] | None:
        """Find the frames in which these cells differ as they do in most of a stretch of windows.

        None where a few frames differ by so much that their windows do, too: those are told by themselves.
        """
        count = len(self._layer.numbers)
        start, end = max(0, first - WINDOW), min(count, last + WINDOW)
        apart = self._apart(start, end)
        self._signs = [1 if sum(frame[n] for frame in apart) >= 0 else -1 for n in range(len(self._cells))]
        scores = self._signed(apart)
        inside = scores[first - start : last - start]
        others = sorted(score for n, score in enumerate(inside, first) if n not in self._told)
        chosen = others if 2 * len(others) >= len(inside) or len(others) >= LEAST_FRAMES else sorted(inside)
        typical = chosen[len(chosen) // 2]
        if typical < self._least or chosen[-1] > STEADY * typical:
            return None
        if self._is_echo(first, last, typical):
            return None
        on = ON_SHARE * typical
        while start > 0 and sum(scores[:WINDOW]) >= on * WINDOW:
            begin = max(0, start - 4 * WINDOW)
            scores, start = self._signed(self._apart(begin, start)) + scores, begin
        while end < count and sum(scores[-WINDOW:]) >= on * WINDOW:
            stop = min(count, end + 4 * WINDOW)
            scores, end = scores + self._signed(self._apart(end, stop)), stop
        middle = max(range(first - start, last - start), key=lambda n: min(scores[n : n + 3]))
        low, high = _grown(scores, middle, on)
        above = sum(score >= on for score in scores[low : high + 1])
        is_steady = high + 1 - low >= LEAST_FRAMES and above >= STEADY_SHARE * (high + 1 - low)
        return (start + low, start + high + 1) if is_steady else None

    def _is_echo(self, first: int, last: int, typical: float) -> bool:
        """Tell whether a larger change near, in these cells, is told already."""
        near = [n for n in self._told if first - ECHO_FRAMES <= n < last + ECHO_FRAMES]
        return any(self._signed(self._apart(n, n + 1), is_either=True)[0] >= ECHO * typical for n in near)

    def _apart(self, start: int, end: int) -> list[list[int]]:
        old, new = self._layer.picked(start, end)
        width = self._layer.pictures.width
        return [[new[at + cell] - old[at + cell] for cell in self._cells] for at in range(0, len(new), width)]

    def _signed(self, apart: Sequence[Sequence[int]], *, is_either: bool = False) -> list[int]:
        if is_either:
            return [sum(map(abs, frame)) for frame in apart]
        return [sum(sign * level for sign, level in zip(self._signs, frame, strict=True)) for frame in apart]


def _grown(scores: Sequence[int], middle: int, on: float) -> tuple[int, int]:
    """Return the first and the last number around the middle, as long as of a few scores one is on."""
    low = high = middle
    while low > 0 and max(scores[max(0, low - GAP_FRAMES) : low]) >= on:
        low -= 1
    while high + 1 < len(scores) and max(scores[high + 1 : high + 1 + GAP_FRAMES]) >= on:
        high += 1
    while low < high and scores[low] < on:
        low += 1
    while high > low and scores[high] < on:
        high -= 1
    return low, high
