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
    """Rows for versions that come newest first; parents that are not listed end their line."""
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
    between = []
    first = parents[0] if parents else None
    if first is None:
        del lanes[place]
        return (_slant(place, len(lanes), "/"),) if place < len(lanes) else ()
    if first in lanes:  # two lines meet in their common version
        met = lanes.index(first)
        del lanes[place]
        left = min(place, met)
        if place < met:
            lanes.remove(first)
            lanes.insert(left, first)
        between.append(_slant(max(place, met) - 1, len(lanes), "/"))
    else:
        lanes[place] = first
    for parent in parents[1:]:
        if parent not in lanes:
            lanes.insert(lanes.index(first) + 1, parent)
            between.append(_slant(lanes.index(first), len(lanes) - 1, "\\"))
    return tuple(between)


def _slant(place: int, count: int, sign: str) -> str:
    """Straight columns, with a slanted one right of column `place`."""
    columns = ["|"] * (place + 1)
    return " ".join(columns) + sign + " ".join(" " if n == 0 else "|" for n in range(count - place))[1:]
