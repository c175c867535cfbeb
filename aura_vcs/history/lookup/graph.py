"""The lines of a history as columns of text: one column for each line that is still open.

Pure: versions with their parents come in, rows come out.
"""

from collections.abc import Sequence

import msgspec

from aura_vcs.ids import VersionId
from aura_vcs.index.records import VersionRecord


class GraphRow(msgspec.Struct, frozen=True):
    """A version and the columns before it; `below` continues the columns beside its further lines.

    `between` are rows of columns that follow, where lines part or meet.
    """

    record: VersionRecord
    at: str
    below: str
    between: tuple[str, ...] = ()


def graph(records: Sequence[VersionRecord]) -> list[GraphRow]:
    """Build rows for versions that come newest first; parents that are not listed end their line."""
    listed = {record.id for record in records}
    lanes: list[VersionId] = []
    rows = []
    for record in records:
        if record.id not in lanes:
            lanes.append(record.id)
        place = lanes.index(record.id)
        at = " ".join("*" if n == place else "|" for n in range(len(lanes)))
        parents = [parent for parent in record.parents if parent in listed]
        below = " ".join("|" if parents or n != place else " " for n in range(len(lanes))).rstrip()
        between = _go_on(lanes, place, parents)
        rows.append(GraphRow(record, at, below, between))
    return rows


def _go_on(lanes: list[VersionId], place: int, parents: list[VersionId]) -> tuple[str, ...]:
    """Bring the lanes from a version to its parents; returns the rows that show it."""
    if not parents:
        del lanes[place]
        return (_row(place, len(lanes), gone=place),) if place < len(lanes) else ()
    between = []
    for parent in parents[1:]:
        if parent in lanes:
            between.append(_row(len(lanes), 0, edge=(place, lanes.index(parent))))
        else:
            lanes.insert(place + 1, parent)
            between.append(_row(place + 1, len(lanes) - 1, come=place + 1, edge=(place, place + 1)))
    first = parents[0]
    if first in lanes:  # two lines meet in their common version
        left, right = sorted((place, lanes.index(first)))
        lanes[left] = first
        del lanes[right]
        between.append(_row(right, len(lanes), gone=right, edge=(right, left)))
    else:
        lanes[place] = first
    return tuple(between)


def _row(
    straight: int, count: int, *, gone: int | None = None, come: int | None = None, edge: tuple[int, int] | None = None
) -> str:
    """Draw the columns between two versions: `straight` go on straight, those behind `gone` or `come` are slanted.

    `edge` is a line from one column to another; it passes behind those in its way.
    """
    cells = {2 * column: "|" for column in range(straight)}
    if gone is not None:
        cells |= {2 * column + 1: "/" for column in range(gone, count)}
    if come is not None:
        cells |= {2 * column + 1: "\\" for column in range(come, count)}
    if edge is not None:
        start, end = edge
        beside, other = (start - 1, end) if end < start else (start, end - 1)
        cells |= {2 * gap + 1: "_" for gap in range(min(beside, other), max(beside, other) + 1)}
        cells[2 * beside + 1] = "/" if end < start else "\\"
    return "".join(cells.get(n, " ") for n in range(max(cells) + 1))
