"""Small changes that last, in a film that was encoded anew: a caption corrected, a faint mark over the picture.

In a single frame they are no more than what encoders do. That goes up here and down there, and its mean over some
frames is nearly nothing; the mean of a change is the change.
"""

from collections.abc import Sequence

from msgspec import Struct

from aura_vcs.compare.media.layers import FilmLayer
from aura_vcs.compare.media.planes import differences, means, over, percentile, shares
from aura_vcs.compare.media.regions import busiest
from aura_vcs.formats.media.findings import Box

WINDOW = 12
"""Frames whose mean is taken."""
BLOCK = 85 * WINDOW
NOISE_SHARE = 0.99
LEAST_LEVELS = 3
CELLS = 3
MOST_SHARE = 0.25
"""Where more of the picture differs by a little, it is another way of writing colours, or another encoder's taste."""
ON_SHARE = 0.5
GAP_FRAMES = 2
LEAST_FRAMES = 10
STEADY = 4.0
"""No frame differs so many times as much as most do."""
STEADY_SHARE = 0.7


class Sustained(Struct, frozen=True):
    """Frames `first` to `last` (not included) of those compared, in which a part of the picture differs throughout."""

    first: int
    last: int
    box: Box


def find_sustained(layer: FilmLayer) -> list[Sustained]:
    """Find parts of the picture that differ for a window of frames or longer, by less than a frame alone tells."""
    width, grid = layer.pictures.width, layer.pictures.grid
    whole = len(layer.numbers) // WINDOW * WINDOW
    rows: list[bytes] = []
    for start in range(0, whole, BLOCK):
        old, new = layer.picked(start, min(whole, start + BLOCK))
        apart = differences(means(old, width, WINDOW), means(new, width, WINDOW), width)
        rows += [apart[at : at + width] for at in range(0, len(apart), width)]
    if not rows:
        return []
    noises = sorted(percentile(row, NOISE_SHARE) for row in rows if any(row))
    noise = noises[len(noises) // 2] if noises else 0
    limit = max(LEAST_LEVELS, 2 * noise + 2)
    masks = [over(row, width, limit) for row in rows]
    marked = [CELLS <= mask.count(b"\xff") <= MOST_SHARE * width for mask in masks]
    found, start = [], 0
    for n in range(1, len(rows) + 1):
        if n < len(rows) and marked[n] == marked[n - 1]:
            continue
        if marked[start]:
            cells = shares(b"".join(masks[start:n]), width)
            region = busiest(cells, grid, is_exact=False)
            if region is not None and region.cells >= CELLS:
                place = _refined(layer, start * WINDOW, n * WINDOW, region.chosen)
                if place is not None:
                    found.append(Sustained(*place, region.box))
        start = n
    return found


def _refined(layer: FilmLayer, first: int, last: int, cells: Sequence[int]) -> tuple[int, int] | None:
    """Find the frames in which these cells differ as they do in the middle of a stretch of windows.

    None where a few frames differ by so much that their windows do, too: those are told by themselves.
    """
    width = layer.pictures.width
    start, end = max(0, first - WINDOW), min(len(layer.numbers), last + WINDOW)
    old, new = layer.picked(start, end)
    apart = [
        [new[at + cell] - old[at + cell] for cell in cells] for at in range(0, len(new), width)
    ]  # fmt: skip
    signs = [1 if sum(frame[n] for frame in apart) >= 0 else -1 for n in range(len(cells))]
    scores = [sum(sign * level for sign, level in zip(signs, frame, strict=True)) for frame in apart]
    inside = sorted(scores[first - start : last - start])
    typical = inside[len(inside) // 2]
    if typical < len(cells) * LEAST_LEVELS / 2 or inside[-1] > STEADY * typical:
        return None
    middle = max(range(first - start, last - start), key=lambda n: min(scores[n : n + 3]))
    low = high = middle
    while low > 0 and max(scores[max(0, low - GAP_FRAMES) : low]) >= ON_SHARE * typical:
        low -= 1
    while high + 1 < len(scores) and max(scores[high + 1 : high + 1 + GAP_FRAMES]) >= ON_SHARE * typical:
        high += 1
    while low < high and scores[low] < ON_SHARE * typical:
        low += 1
    while high > low and scores[high] < ON_SHARE * typical:
        high -= 1
    on = sum(score >= ON_SHARE * typical for score in scores[low : high + 1])
    is_steady = high + 1 - low >= LEAST_FRAMES and on >= STEADY_SHARE * (high + 1 - low)
    return (start + low, start + high + 1) if is_steady else None
