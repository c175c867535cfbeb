"""Which part of a picture differs, told from cells here and there that differ because it was re-encoded."""

from collections.abc import Sequence

from msgspec import Struct

from aura_vcs.formats.media.findings import Box

FULL: Box = (0.0, 0.0, 1.0, 1.0)
BOX_SHARE = 0.34
"""Cells that differ in a smaller share of a stretch's frames do not say where it differs."""
GAP = 2
"""Cells no farther from each other belong together."""
LEAST_WEIGHT = 0.2
"""A group of cells with less than this of what the heaviest has says nothing about where, in another encoding."""


class Region(Struct, frozen=True):
    """A part of the picture, and which cells of it differ."""

    box: Box
    chosen: tuple[int, ...]

    @property
    def cells(self) -> int:
        """How many cells differ."""
        return len(self.chosen)


def busiest(cells: Sequence[float], grid: tuple[int, int], *, is_exact: bool) -> Region | None:
    """Return the part of the picture that differs; `cells` say in what share of the frames each does.

    Where everything counts, that is around all of them, else around the groups that weigh most.
    """
    wide, high = grid
    chosen = {n for n, share in enumerate(cells) if share > BOX_SHARE}
    if not chosen:
        return None
    if not is_exact:
        groups = _groups(chosen, wide)
        weights = [sum(cells[n] for n in group) for group in groups]
        heaviest = max(weights)
        chosen = {n for group, weight in zip(groups, weights, strict=True) for n in group
                  if weight >= LEAST_WEIGHT * heaviest}  # fmt: skip
    columns, rows = [n % wide for n in chosen], [n // wide for n in chosen]
    box = (min(columns) / wide, min(rows) / high, (max(columns) + 1) / wide, (max(rows) + 1) / high)
    left, top, right, bottom = (round(edge, 4) for edge in box)
    return Region((left, top, right, bottom), tuple(sorted(chosen)))


def _groups(chosen: set[int], wide: int) -> list[list[int]]:
    """Group cells that are near each other."""
    left = set(chosen)
    found = []
    while left:
        group, waiting = [], [left.pop()]
        while waiting:
            cell = waiting.pop()
            group.append(cell)
            x, y = cell % wide, cell // wide
            columns = range(max(0, x - GAP), min(wide, x + GAP + 1))
            around = {row * wide + column for row in range(y - GAP, y + GAP + 1) for column in columns}
            around &= left
            left.difference_update(around)
            waiting += around
        found.append(group)
    return found


def back(box: Box, part: Box) -> Box:
    """Return where in the picture a box lies that is given as shares of a part of it."""
    wide, high = part[2] - part[0], part[3] - part[1]
    return (round(part[0] + box[0] * wide, 4), round(part[1] + box[1] * high, 4),
            round(part[0] + box[2] * wide, 4), round(part[1] + box[3] * high, 4))  # fmt: skip


def meets(one: Box, other: Box) -> bool:
    """Tell whether two parts of the picture have something in common, or are next to each other."""
    return all(one[n] <= other[n + 2] + 0.05 and other[n] <= one[n + 2] + 0.05 for n in (0, 1))


def together(box: Box, coarse: Box, grid: tuple[float, float]) -> Box:
    """Return a part of the picture, widened by one in coarser cells where that goes beyond it by more than those."""
    wide, high = 1.01 / grid[0], 1.01 / grid[1]
    left, top, right, bottom = coarse
    is_larger = (left < box[0] - wide, top < box[1] - high, right > box[2] + wide, bottom > box[3] + high)
    if not any(is_larger):
        return box
    return min(left, box[0]), min(top, box[1]), max(right, box[2]), max(bottom, box[3])


def is_nearly_all(box: Box) -> bool:
    """Tell whether a part is most of the picture."""
    return (box[2] - box[0]) * (box[3] - box[1]) > 0.8
