"""The lines of branches beside a list of versions: the column of each version, and what goes on to the next row."""

from collections.abc import Sequence

import msgspec

from aura_vcs.ids import VersionId
from aura_vcs.index.records import VersionRecord


class LaneRow(msgspec.Struct, frozen=True):
    """One version: its column, and lines from columns at its height to columns at the next version's."""

    lane: int
    lines: tuple[tuple[int, int], ...]
    is_first: bool
    """Whether nothing comes to it from above."""


def lanes(records: Sequence[VersionRecord]) -> list[LaneRow]:
    """Lay out versions that come newest first. A column that has ended is used again; parents not listed end a line."""
    listed = {record.id for record in records}
    waiting: list[VersionId | None] = []
    rows = []
    for record in records:
        is_first = record.id not in waiting
        lane = _take(waiting, record.id)
        before = list(waiting)
        parents = [parent for parent in record.parents if parent in listed]
        waiting[lane] = None
        targets: list[tuple[int, int]] = []
        for parent in parents:
            place = waiting.index(parent) if parent in waiting else _free(waiting, lane if not targets else None)
            waiting[place] = parent
            targets.append((lane, place))
        going_on = [(n, n) for n, other in enumerate(before) if n != lane and other is not None]
        while waiting and waiting[-1] is None:
            waiting.pop()
        rows.append(LaneRow(lane, (*going_on, *targets), is_first))
    return rows


def _take(waiting: list[VersionId | None], version: VersionId) -> int:
    """Return the column that waits for a version, or a free one."""
    if version in waiting:
        return waiting.index(version)
    place = _free(waiting, None)
    waiting[place] = version
    return place


def _free(waiting: list[VersionId | None], wanted: int | None) -> int:
    """Return a column that is free: `wanted`, or the first."""
    if wanted is not None and waiting[wanted] is None:
        return wanted
    if None in waiting:
        return waiting.index(None)
    waiting.append(None)
    return len(waiting) - 1
