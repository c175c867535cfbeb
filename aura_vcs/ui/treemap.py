"""A treemap: rectangles whose areas are as large as what they stand for, as square as can be.

Squarified as by Bruls, Huizing and van Wijk ("Squarified Treemaps", 2000).
"""

from collections.abc import Iterator, Sequence

import msgspec

WIDTH, HEIGHT = 1_000.0, 460.0


class Tile(msgspec.Struct, frozen=True):
    """One thing in the map; sizes in the map's own units, `bytes` on the disk."""

    name: str
    title: str
    bytes: int
    group: str
    link: str = ""
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0


def lay_out(tiles: Sequence[Tile]) -> tuple[Tile, ...]:
    """Place tiles of any sizes above 0, group by group, the largest group first."""
    groups: dict[str, list[Tile]] = {}
    for tile in tiles:
        if tile.bytes > 0:
            groups.setdefault(tile.group, []).append(tile)
    if not groups:
        return ()
    order = sorted(groups.values(), key=lambda group: -sum(tile.bytes for tile in group))
    areas = [Tile("", "", sum(tile.bytes for tile in group), "") for group in order]
    placed = _squarify(areas, 0.0, 0.0, WIDTH, HEIGHT)
    found: list[Tile] = []
    for area, group in zip(placed, order, strict=True):
        inner = sorted(group, key=lambda tile: -tile.bytes)
        found += _squarify(inner, area.x, area.y, area.width, area.height)
    return tuple(found)


def _squarify(tiles: Sequence[Tile], x: float, y: float, width: float, height: float) -> list[Tile]:
    """Fill a rectangle with tiles that come largest first."""
    total = sum(tile.bytes for tile in tiles)
    scale = width * height / total if total else 0.0
    placed: list[Tile] = []
    left = list(tiles)
    while left:
        row = _row(left, min(width, height), scale)
        area = sum(tile.bytes for tile in row) * scale
        across = width >= height
        depth = area / (height if across else width) if area else 0.0
        placed += _place(row, x, y, depth, scale, across=across)
        x, y = (x + depth, y) if across else (x, y + depth)
        width, height = (width - depth, height) if across else (width, height - depth)
        left = left[len(row) :]
    return placed


def _row(tiles: Sequence[Tile], side: float, scale: float) -> Sequence[Tile]:
    """Take as many tiles into one row as make it squarer."""
    taken = 1
    best = _worst(tiles[:1], side, scale)
    while taken < len(tiles):
        worst = _worst(tiles[: taken + 1], side, scale)
        if worst > best:
            break
        best, taken = worst, taken + 1
    return tiles[:taken]


def _worst(row: Sequence[Tile], side: float, scale: float) -> float:
    """Return the longest side over the shortest of the least square tile of a row."""
    areas = [tile.bytes * scale for tile in row]
    total = sum(areas)
    if not total or not side:
        return float("inf")
    return max(side * side * max(areas) / (total * total), total * total / (side * side * min(areas)))


def _place(row: Sequence[Tile], x: float, y: float, depth: float, scale: float, *, across: bool) -> Iterator[Tile]:
    for tile in row:
        length = tile.bytes * scale / depth if depth else 0.0
        width, height = (depth, length) if across else (length, depth)
        yield msgspec.structs.replace(tile, x=x, y=y, width=width, height=height)
        x, y = (x, y + length) if across else (x + length, y)
