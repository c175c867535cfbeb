"""The cells that two films have in common where one shows a part of the other, however that lies in the grid.

Along each side of the picture, the version of which fewer cells show the part says where cells begin and end. What the
other one has there is the mean of its own cells, through which a curve is laid that keeps their means (as the
piecewise parabolic method does, Colella and Woodward 1984): that is as exact as cells of 30 pixels allow.
"""

from math import ceil, floor
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from aura_vcs.formats.media.findings import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy import ndarray

    Numbers = ndarray[Any, Any]

BLOCK = 2_048
"""Frames that are reduced at once."""
OUTSIDE = 0.06
"""So much of a cell may lie outside of the part: as exact as a part is known. Where bars are, nothing may."""
_CURVE = ((-2, -1 / 12), (-1, 7 / 12), (0, 7 / 12), (1, -1 / 12))
"""The level at the edge before a cell, by the means of two cells on both of its sides."""


class SharedCells(Struct, frozen=True):
    """What both versions have in a grid of cells, frame by frame; `extent` is where in the part the grid lies.

    `ranges` are, for both, by how much the cells around each differ: on an edge, a cell that lies a little elsewhere
    has another level.
    """

    grid: tuple[int, int]
    extent: Box
    old: bytes
    new: bytes
    ranges: tuple[bytes, bytes]


_Ends = tuple[int, int]
"""At the beginning and the end of a side of the picture: 1 where there is a cell more, else 0."""


class _Side(Struct, frozen=True):
    """Along one side of the picture, of one version: how many cells there are, and where the part lies in them."""

    cells: int
    start: float
    end: float
    has_bars: bool

    @property
    def first(self) -> int:
        """The first cell that shows the part, and nothing else."""
        return ceil(self.start - (-OUTSIDE if self.has_bars and self.start > 0 else OUTSIDE))

    @property
    def last(self) -> int:
        """Behind the last one."""
        return floor(self.end + (-OUTSIDE if self.has_bars and self.end < self.cells else OUTSIDE))

    def share(self, at: float) -> float:
        """Return where a place in cells is within the part, as a share."""
        return (at - self.start) / (self.end - self.start)

    def place(self, share: float) -> float:
        """Return which place in cells a share of the part is."""
        return self.start + share * (self.end - self.start)


def shared_cells(
    planes: tuple[bytes, bytes], grid: tuple[int, int], parts: tuple[Box, Box], *, has_bars: bool
) -> SharedCells | None:
    """Reduce the old and the new plane of all frames to common cells; None where the part has hardly any.

    `parts` are the part of the old and of the new picture that show the same; around it is black if it `has_bars`.
    """
    import numpy as np

    edges, weights, beyond = [], [], []
    for axis, cells in enumerate(grid):
        sides = [_Side(cells, part[axis] * cells, part[axis + 2] * cells, has_bars) for part in parts]
        shares = _edges(sides)
        if len(shares) < 3:
            return None
        edges.append(shares)
        places = [_with_neighbours(side, [side.place(share) for share in shares]) for side in sides]
        weights.append([_weights(side, several) for side, (several, _) in zip(sides, places, strict=True)])
        beyond.append([ends for _, ends in places])
    wide, high = grid
    reduced: list[bytes] = []
    ranges: list[bytes] = []
    for n, plane in enumerate(planes):
        whole = np.frombuffer(plane, np.uint8).reshape(-1, high, wide)
        found = []
        around = []
        for at in range(0, len(whole), BLOCK):
            means = weights[1][n] @ whole[at : at + BLOCK].astype(np.float32) @ weights[0][n].T
            levels = np.rint(means).clip(0, 255).astype(np.uint8)
            (left, right), (top, bottom) = beyond[0][n], beyond[1][n]
            inner = levels[:, top : levels.shape[1] - bottom, left : levels.shape[2] - right]
            found.append(inner.tobytes())
            others = beyond[1][1 - n], beyond[0][1 - n]
            around.append(_ranges(levels, (beyond[1][n], beyond[0][n]), others).tobytes())
        reduced.append(b"".join(found))
        ranges.append(b"".join(around))
    across, down = edges
    grid = len(across) - 1, len(down) - 1
    extent = across[0], down[0], across[-1], down[-1]
    return SharedCells(grid, extent, reduced[0], reduced[1], (ranges[0], ranges[1]))


def _with_neighbours(side: _Side, places: list[float]) -> tuple[list[float], _Ends]:
    """Add the cells before the first and behind the last place, where the picture has any, and tell where it has."""
    before, behind = 2 * places[0] - places[1], 2 * places[-1] - places[-2]
    has = (int(not side.has_bars and before > 0), int(not side.has_bars and behind < side.cells))
    return [*[before] * has[0], *places, *[behind] * has[1]], has


def _ranges(levels: "Numbers", own: tuple[_Ends, _Ends], others: tuple[_Ends, _Ends]) -> "Numbers":
    """Return for each cell of each frame the difference of the highest and the lowest of it and those around it.

    `own` says, down and across, at which ends there are cells outside of the part; they have no range of their own.
    Where only the other version has some, which its cells at that end may have a share of, only its range counts.
    """
    import numpy as np

    low = high = levels
    for axis, outside in ((1, own[0]), (2, own[1])):
        ends = [(0, 0), (0, 0), (0, 0)]
        ends[axis] = (1 - outside[0], 1 - outside[1])
        lows, highs = np.pad(low, ends, mode="edge"), np.pad(high, ends, mode="edge")
        size = lows.shape[axis] - 2
        low = np.minimum.reduce([lows.take(range(n, n + size), axis) for n in range(3)])
        high = np.maximum.reduce([highs.take(range(n, n + size), axis) for n in range(3)])
    found: Numbers = high - low
    for axis in range(2):
        for end, place in ((0, 0), (1, -1)):
            if others[axis][end] and not own[axis][end]:
                found.swapaxes(1, axis + 1)[:, place] = 255
    return found


def _edges(sides: "Sequence[_Side]") -> list[float]:
    """Return where common cells begin and end, as shares of the part: cells of the version that has fewer."""
    coarse = min(sides, key=lambda side: side.end - side.start)
    low = max(side.share(side.first) for side in sides) - 1e-6
    high = min(side.share(side.last) for side in sides) + 1e-6
    return [share for at in range(coarse.cells + 1) if low <= (share := coarse.share(at)) <= high]


def _weights(side: _Side, edges: "Sequence[float]") -> "Numbers":
    """Return the matrix that makes of a row of cells the means between edges, given in cells."""
    import numpy as np

    inner = (max(0, side.first), min(side.cells, side.last) - 1) if side.has_bars else (0, side.cells - 1)
    places = [min(float(inner[1] + 1), max(float(inner[0]), edge)) for edge in edges]
    sums = np.stack([_sum_to(place, side.cells, inner) for place in places])
    length = np.diff(np.array(places))[:, None]
    weights: Numbers = ((sums[1:] - sums[:-1]) / np.maximum(length, 1e-6)).astype(np.float32)
    return weights


def _sum_to(place: float, cells: int, inner: tuple[int, int]) -> "Numbers":
    """Return how much each cell counts in what is before a place; cells beyond `inner` are like those at its ends."""
    import numpy as np

    at = min(cells - 1, int(place))
    into = place - at
    found = np.zeros(cells)
    found[:at] = 1.0
    begins, ends, own = _level(at, cells, inner), _level(at + 1, cells, inner), np.eye(cells)[at]
    bent = 6 * (own - (begins + ends) / 2)
    found += begins * into + (ends - begins) * into**2 / 2 + bent * (into**2 / 2 - into**3 / 3)
    return found


def _level(edge: int, cells: int, inner: tuple[int, int]) -> "Numbers":
    """Return how much each cell counts in the level at the edge before a cell."""
    import numpy as np

    found = np.zeros(cells)
    for by, weight in _CURVE:
        found[min(inner[1], max(inner[0], edge + by))] += weight
    return found
