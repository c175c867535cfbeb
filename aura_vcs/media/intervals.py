"""Stretches of time out of moments that were looked at."""

from aura_vcs.formats.media.findings import Stretches

STRETCHES_LIMIT = 20
NEAR_SECONDS = 0.5
"""Stretches with less than this, or one moment, between them are told as one."""


def stretches(marks: list[tuple[float, bool]], length: float, limit: int = STRETCHES_LIMIT) -> Stretches:
    """Find runs of marked moments as (start, end), the longest `limit` in order.

    `marks` are in order of time, each stands for the time up to halfway to its neighbours; the
    first and last reach to the ends of the whole, which is `length` seconds long.
    """
    found: list[tuple[float, float]] = []
    for n, (at, marked) in enumerate(marks):
        if not marked:
            continue
        start = (marks[n - 1][0] + at) / 2 if n else 0.0
        end = (at + marks[n + 1][0]) / 2 if n + 1 < len(marks) else max(at, length)
        if found and start - found[-1][1] < max(NEAR_SECONDS, 1.01 * (end - start)):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    longest = sorted(found, key=lambda run: run[0] - run[1])[:limit]
    return tuple((round(start, 2), round(end, 2)) for start, end in sorted(longest))
