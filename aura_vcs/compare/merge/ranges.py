"""Joining a stretch of time by its two ends: each side may have trimmed another one."""

from aura_vcs.compare.timeline.changes import JITTER
from aura_vcs.formats.timeline.model import Ticks

Ends = tuple[Ticks, Ticks]
"""Where a stretch begins and where it ends."""


def ends_of(start: Ticks | None, length: Ticks | None) -> Ends | None:
    """Return the two ends, None when either time cannot be read."""
    return None if start is None or length is None else (start, start + length)


def merge_ends(base: Ends | None, ours: Ends | None, theirs: Ends | None, *, near: Ticks = JITTER) -> Ends | None:
    """Start and length when no end was changed by both sides; None when that must be decided.

    A stretch that a side slipped, both ends alike, stays as long as it is: whatever else the other side did to it
    must be decided too. Ends closer than half a millisecond (`near`) are one: frame rates do not divide into ticks.
    """
    if base is None or ours is None or theirs is None:
        return None
    slipped = _is_slipped(base, ours, near) != _is_slipped(base, theirs, near)
    if slipped and not (_equal(base, ours, near) or _equal(base, theirs, near)):
        return None
    joined = []
    for was, here, there in zip(base, ours, theirs, strict=True):
        if abs(there - was) <= near or abs(there - here) <= near:
            joined.append(here)
        elif abs(here - was) <= near:
            joined.append(there)
        else:
            return None
    start, end = joined
    return (start, end - start) if end > start else None


def _is_slipped(base: Ends, side: Ends, near: Ticks) -> bool:
    start, end = side[0] - base[0], side[1] - base[1]
    return abs(start) > near and abs(start - end) <= near


def _equal(one: Ends, other: Ends, near: Ticks) -> bool:
    return all(abs(a - b) <= near for a, b in zip(one, other, strict=True))
