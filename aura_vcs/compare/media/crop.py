"""Whether a film shows a part of another version's picture, or has it inside bars, and which part.

Both are told by the small pictures of a few frames: for a part of the one and a part of the other, both are reduced
to the same few cells and compared. First every part is tried in coarse steps, then the edges of the best ones are moved
in ever smaller steps for as long as that fits better.
"""

from collections.abc import Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from aura_vcs.compare.media.regions import FULL
from aura_vcs.formats.media.findings import Box
from aura_vcs.formats.media.index_entry import GRID

if TYPE_CHECKING:
    from numpy import ndarray

    Numbers = ndarray[Any, Any]

SAMPLES = 8
"""Frames of each version that are tried."""
COARSE = (8, 6)
COARSE_SAMPLES = 4
COARSE_STEP = 0.05
LEAST_PART = 0.4
"""Parts of the picture that are narrower or lower than this are not looked for."""
REFINED = 4
"""Of so many coarse parts the edges are moved."""
STEPS = (0.025, 0.0125, 0.006, 0.003, 0.0015)
FINE = (32, 18)
"""Cells that parts are compared by: no more than a half of the picture has."""
SNAP = 0.007
"""An edge so near that of the picture is that."""
LEAST_MOVED = 0.015
BLACK = 12
"""Levels up to which a bar is black."""
LEAST_CONTRAST = 2.0
"""Frames with less of it fit everywhere."""
FITS = 5.0
"""The mean difference, in levels, up to which a part fits."""
FITS_CONTRAST = 0.25
"""Likewise, as a share of how much the picture itself varies."""
BETTER = 0.6
"""A part must fit so many times as well as the whole picture."""
BLOCK = 2_048
"""Frames that are cut out at once."""


class Framing(Struct, frozen=True):
    """The part `old` of the old picture is what the part `new` of the new one shows; around it is only black or not."""

    old: Box
    new: Box
    has_bars: bool = False


def find_part(old: bytes, new: bytes, pairs: Sequence[Sequence[tuple[int, int]]]) -> Framing | None:
    """Find out which part of the one is which part of the other; None where the whole fits as well, or nothing.

    `old` and `new` are the brightness of all frames; `pairs` are ways in which frames of both may belong together.
    """
    if not old or not new:
        return None
    import numpy as np

    a, b = _grids(np.frombuffer(old, np.uint8)), _grids(np.frombuffer(new, np.uint8))
    was, now = _content(a), _content(b)
    best: tuple[float, Framing] | None = None
    for way in pairs:
        chosen = _telling(b, way)
        if not chosen:
            continue
        fit = _Fit(a[[n for n, _ in chosen]], b[[n for _, n in chosen]], was, now)
        for cost, framing in _framings(fit, was, now):
            if fit.convinces(cost) and (best is None or cost < best[0]):
                best = cost, framing
    if best is None:
        return None
    framing = Framing(_snapped(best[1].old), _snapped(best[1].new))
    if max(abs(x - y) for box in (framing.old, framing.new) for x, y in zip(box, FULL, strict=True)) < LEAST_MOVED:
        return None
    is_black = [_is_black(grids, part) for grids, part in ((a, framing.old), (b, framing.new)) if part != FULL]
    return Framing(framing.old, framing.new, all(is_black))


def cut_out(luma: bytes, part: Box, *, has_bars: bool) -> bytes:
    """Return the brightness of a part of every frame, over the whole grid, in cells as coarse as FINE."""
    import numpy as np

    wide, high = GRID
    whole = _grids(np.frombuffer(luma, np.uint8))
    found = []
    for at in range(0, len(whole), BLOCK):
        small = _reduced(whole[at : at + BLOCK].astype(np.float32), part, FINE, part if has_bars else FULL)
        cells = np.rint(small).clip(0, 255).astype(np.uint8)
        found.append(cells.repeat(high // FINE[1], axis=1).repeat(wide // FINE[0], axis=2).tobytes())
    return b"".join(found)


def _grids(data: "Numbers") -> "Numbers":
    return data.reshape(-1, GRID[1], GRID[0])


def _weights(start: float, end: float, cells: int, size: int, content: tuple[float, float] = (0.0, 1.0)) -> "Numbers":
    """Return the matrix that averages a stretch of so many cells into `size` of them.

    Where the picture itself, `content`, begins or ends within a cell, the rest of that is black: what the cell has is
    of the picture alone.
    """
    import numpy as np

    edges = np.linspace(start * cells, end * cells, size + 1)
    low, high = edges[:-1, None].copy(), edges[1:, None].copy()
    length = high - low
    if content[0] > 0.0 and floor(low[0, 0]) <= round(content[0] * cells):
        low[0, 0] = floor(low[0, 0])
    if content[1] < 1.0 and ceil(high[-1, 0]) >= round(content[1] * cells):
        high[-1, 0] = ceil(high[-1, 0])
    at = np.arange(cells)[None]
    covered = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, None)
    weights: Numbers = (covered / length).astype(np.float32)
    return weights


def _reduced(grids: "Numbers", part: Box, size: tuple[int, int], content: Box = FULL) -> "Numbers":
    """Average a part of every picture in so many cells."""
    _, high, wide = grids.shape
    down = _weights(part[1], part[3], high, size[1], (content[1], content[3]))
    across = _weights(part[0], part[2], wide, size[0], (content[0], content[2]))
    found: Numbers = down @ grids @ across.T
    return found


def _content(grids: "Numbers") -> Box:
    """Return the part of the picture that is not black in all frames."""
    brightest = grids.max(0)
    rows, columns = (brightest.max(1) > BLACK).nonzero()[0], (brightest.max(0) > BLACK).nonzero()[0]
    if not len(rows):
        return FULL
    wide, high = GRID
    return (float(columns[0]) / wide, float(rows[0]) / high, (float(columns[-1]) + 1) / wide,
            (float(rows[-1]) + 1) / high)  # fmt: skip


def _is_black(grids: "Numbers", part: Box) -> bool:
    """Tell whether there is nothing to be seen around a part, but for the cells that it begins and ends in."""
    wide, high = GRID
    left, right = int(part[0] * wide + 0.2), int(part[2] * wide + 0.8)
    top, bottom = int(part[1] * high + 0.2), int(part[3] * high + 0.8)
    brightest = grids.max(0)
    around = (brightest[:top], brightest[bottom:], brightest[:, :left], brightest[:, right:])
    return all(not edge.size or int(edge.max()) <= BLACK for edge in around)


def _telling(grids: "Numbers", way: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Choose pairs of frames, evenly spread, whose pictures vary."""
    chosen = [way[len(way) * n // (2 * SAMPLES)] for n in range(1, 2 * SAMPLES)] if way else []
    varied = [pair for pair in dict.fromkeys(chosen) if float(grids[pair[1]].std()) > LEAST_CONTRAST]
    return varied[:: max(1, len(varied) // SAMPLES)][:SAMPLES]


class _Fit:
    """How well parts of the pictures of some frames fit."""

    def __init__(self, old: "Numbers", new: "Numbers", was: Box, now: Box) -> None:
        import numpy as np

        self._was, self._now = was, now
        self.old: Numbers = old.astype(np.float32)
        self.new: Numbers = new.astype(np.float32)
        self._contrast = float(np.abs(self.new - self.new.mean((1, 2), keepdims=True)).mean())
        self._whole = self.cost(FULL, FULL)

    def convinces(self, cost: float) -> bool:
        """Tell whether parts that fit so well are the same picture, and the whole ones are not."""
        return cost <= min(FITS, FITS_CONTRAST * self._contrast) and cost <= BETTER * self._whole

    def cost(self, old: Box, new: Box) -> float:
        """Return the mean difference in levels, of the half of the frames that fit best."""
        import numpy as np

        was, now = _reduced(self.old, old, FINE, self._was), _reduced(self.new, new, FINE, self._now)
        apart = np.abs(was - now).mean((1, 2))
        return float(np.sort(apart)[: (len(apart) + 1) // 2].mean())

    def coarse(self, *, of_new: bool, other: Box) -> list[Box]:
        """Try every part of one side against a part of the other, in coarse steps; return the best ones."""
        import numpy as np

        whole, shown = (self.new, self.old) if of_new else (self.old, self.new)
        (wide, high), step = COARSE, max(1, len(whole) // COARSE_SAMPLES)
        whole, shown = whole[::step], shown[::step]
        target = _reduced(shown, other, COARSE)
        starts = np.arange(0, 1 - LEAST_PART + 1e-6, COARSE_STEP).tolist()
        spans = [(a, 1 - b) for a in starts for b in starts if 1 - b - a >= LEAST_PART - 1e-6]
        across = np.concatenate([_weights(a, b, GRID[0], wide) for a, b in spans])
        found = []
        for top, bottom in spans:
            cells = (_weights(top, bottom, GRID[1], high) @ whole @ across.T).reshape(
                len(whole), high, len(spans), wide
            )
            apart = np.sort(np.abs(cells - target[:, :, None]).mean((1, 3)), axis=0)[: (len(whole) + 1) // 2].mean(0)
            n = int(apart.argmin())
            found.append((float(apart[n]), (spans[n][0], top, spans[n][1], bottom)))
        return [part for _, part in sorted(found)[:REFINED]]

    def refined(self, old: Box, new: Box) -> tuple[float, Framing]:
        """Move the edges that are not those of the picture as long as it fits better."""
        edges = [*old, *new]
        free = [n for n in range(8) if edges[n] != (*FULL, *FULL)[n]]
        best = self.cost(old, new)
        for step in STEPS:
            is_better = True
            while is_better:
                is_better = False
                for n in free:
                    for by in (-step, step):
                        tried = [*edges[:n], min(1.0, max(0.0, edges[n] + by)), *edges[n + 1 :]]
                        parts = _box(tried[:4]), _box(tried[4:])
                        if min(parts[0][2] - parts[0][0], parts[0][3] - parts[0][1],
                               parts[1][2] - parts[1][0], parts[1][3] - parts[1][1]) < LEAST_PART / 2:  # fmt: skip
                            continue
                        cost = self.cost(*parts)
                        if cost < best - 0.01:
                            best, edges, is_better = cost, tried, True
        return best, Framing(_box(edges[:4]), _box(edges[4:]))


def _framings(fit: _Fit, was: Box, now: Box) -> list[tuple[float, Framing]]:
    """Try what may have been done: bars put on or taken off, else a part shown, else more shown."""
    found = []
    if was != now:
        found = [fit.refined(was, part) for part in (now, _wider(now))]
        found += [fit.refined(_wider(was), now)] if was != FULL else []
        if any(fit.convinces(cost) for cost, _ in found):
            return found
    found += [fit.refined(_loose(part), now) for part in fit.coarse(of_new=False, other=now)]
    if any(fit.convinces(cost) for cost, _ in found):
        return found
    return [*found, *(fit.refined(was, _loose(part)) for part in fit.coarse(of_new=True, other=was))]


def _loose(part: Box) -> Box:
    """Let the edges of a part move that are those of the picture: coarse steps may have missed less."""
    return (max(part[0], 1e-6), max(part[1], 1e-6), min(part[2], 1 - 1e-6), min(part[3], 1 - 1e-6))


def _wider(part: Box) -> Box:
    """Move the edges that are not those of the picture outward by half a cell: that may be in the bar, and dark."""
    wide, high = (0.5 / size for size in GRID)
    return (
        max(0.0, part[0] - wide),
        max(0.0, part[1] - high),
        min(1.0, part[2] + wide),
        min(1.0, part[3] + high),
    )


def _box(edges: Sequence[float]) -> Box:
    return edges[0], edges[1], edges[2], edges[3]


def _snapped(part: Box) -> Box:
    at = [0.0 if edge < SNAP else 1.0 if edge > 1 - SNAP else round(edge, 3) for edge in part]
    return _box(at)
