"""What an encoder leaves beside a change, in frames that are predicted from changed ones: told from further changes.

Where most of a film is the same to the byte, every difference counts. But an encoder that was given another picture
for a while also writes the frames after it in other bytes, up to its next key frame, by a level here and there.
"""

import itertools
from collections.abc import Collection, Iterator, Sequence

LOSSLESS = frozenset(
    {*("ffv1", "ffvhuff", "huffyuv", "utvideo", "magicyuv", "qtrle", "png", "tiff", "dpx", "gif", "flashsv"),
     *("rawvideo", "v210", "v410", "r210", "r10k", "lagarith", "zlib", "apng")}
)  # fmt: skip
"""Codecs that leave nothing of a change in other frames, nor elsewhere in its own."""
SAME, FAINT, LEANING, ONE_SIDED, PLAIN = range(5)
"""How a frame differs: not; as encoders make it, up here and down there; as faintly, but a little brighter or darker as
a whole, as a person makes it, and an encoder beside a change where pictures fade; as faintly, but brighter or darker
by more than that; beyond what encoders make."""
BALANCED = 0.5
"""So large a share of what differs may go one way."""
ONE_WAY = 0.5
"""So many levels a cell, on the average, what a person makes is brighter or darker,"""
ONE_WAY_BESIDE = 1.5
"""and beside a change, whose encoder weighs the brightness of whole frames in steps."""
BRIDGE_FRAMES = 2
AHEAD_FRAMES = 60
"""So many frames ahead an encoder looks, and behind: equal ones in between do not end what it does."""
ECHO_FRAMES = 2
ECHO_CELLS = 10
GHOST_SHARE = 0.3
"""What differs less than this share of a change, at its ends, may be the encoder's."""
JUMP = 2.5
"""So many times as much differs in a change as in its ghost."""


def noise_limit(noise: Sequence[int], limits: tuple[int, int]) -> int:
    """Return the level up to which an encoder's differences go, given the noise of some frames."""
    return min(limits[1], max(limits[0], 3 * sorted(noise)[len(noise) // 2] + 3))


def kind_of_frame(whole: int, shift: int, *, is_plain: bool, width: int) -> int:
    """Say how a frame differs, of `width` cells: by so much in all, and so much brighter; beyond an encoder's noise."""
    if not whole:
        return SAME
    is_balanced = abs(shift) <= max(BALANCED * whole, ONE_WAY * width)
    if is_plain:
        return PLAIN
    return FAINT if is_balanced else LEANING if abs(shift) < ONE_WAY_BESIDE * width else ONE_SIDED


def faint_beside_changes(
    layers: Sequence[Sequence[int]], numbers: Sequence[int], sources: Sequence[int] = ()
) -> set[int]:
    """Return the frames that differ faintly in every layer, in a row of differing frames with plain changes in it.

    Those that lean to one side are among them, unless they are next to a plain change, as what fades in is. No more
    than a few equal frames, as far as encoders look, are in between.

    `numbers` are those of the frames in the film, `sources` those of the frames of the other film that they belong to:
    where some of either are left out, there is another picture, or a cut.
    """
    kinds = [max(several) for several in zip(*layers, strict=True)]
    found: set[int] = set()
    edges = edges_of(numbers, sources)
    for start, end in _rows(kinds):
        plain = [n for n in range(start, end) if kinds[n] == PLAIN]
        if plain or edges.intersection(range(start - AHEAD_FRAMES, end + AHEAD_FRAMES)):
            held = set(plain)
            for one, following in itertools.pairwise(plain):
                if following - one <= BRIDGE_FRAMES + 1:
                    held.update(range(one, following))
            held.update(n for one in plain for n in _leaning(kinds, one))
            found.update(n for n in range(start, end) if kinds[n] in (FAINT, LEANING) and n not in held)
    return found


def _leaning(kinds: Sequence[int], plain: int) -> Iterator[int]:
    """Yield the frames on both sides of a plain change that lean to one side, without a gap."""
    for step in (-1, 1):
        n = plain + step
        while 0 <= n < len(kinds) and kinds[n] in (LEANING, ONE_SIDED):
            yield n
            n += step


def _rows(kinds: Sequence[int]) -> list[tuple[int, int]]:
    """Group frames that differ, with no more than a few equal ones in between, as (first, behind the last)."""
    rows: list[tuple[int, int]] = []
    for n, kind in enumerate(kinds):
        if kind == SAME:
            continue
        if rows and n - rows[-1][1] <= AHEAD_FRAMES:
            rows[-1] = rows[-1][0], n + 1
        else:
            rows.append((n, n + 1))
    return rows


def without_echoes(
    stretches: Sequence[tuple[int, int]],
    kinds: Sequence[int],
    plain: Sequence[int],
    strengths: Sequence[int],
    edges: Collection[int] = (),
) -> list[tuple[int, int]]:
    """Take from stretches what an encoder leaves of a change in frames around it, where that is plain to see, too.

    `plain` says in how many cells each frame differs beyond its noise, `strengths` by how much in all. Left out are
    ends where all at once there is little, and a frame or two with little in a row of differing frames that has a
    larger change, or one of the `edges` where frames were left out.
    """
    beside = [_beside_plain(first, last, kinds) for first, last in stretches]
    trimmed = [_without_ends(first, last, kinds, strengths) for first, last in beside]
    weights = [max(plain[first:last]) for first, last in trimmed]
    found = []
    for (first, last), weight in zip(trimmed, weights, strict=True):
        is_little = last - first <= ECHO_FRAMES and weight < ECHO_CELLS
        if is_little and PLAIN not in kinds[first:last] and _has_edge(first, last, kinds, edges):
            continue
        if is_little and any(
            max(1, 2 * weight) <= other and SAME not in kinds[min(first, start) : max(last, end)]
            for (start, end), other in zip(trimmed, weights, strict=True)
        ):
            continue
        found.append((first, last))
    return found


def _beside_plain(first: int, last: int, kinds: Sequence[int]) -> tuple[int, int]:
    """Leave of a stretch what is plain, and what a person made as faintly next to that, without a gap."""
    plain = [n for n in range(first, last) if kinds[n] == PLAIN]
    if not plain:
        return first, last
    start, end = plain[0], plain[-1] + 1
    while start > first and kinds[start - 1] in (LEANING, ONE_SIDED):
        start -= 1
    while end < last and kinds[end] in (LEANING, ONE_SIDED):
        end += 1
    return start, end


def _without_ends(first: int, last: int, kinds: Sequence[int], strengths: Sequence[int]) -> tuple[int, int]:
    """Cut ghosts off: much weaker than what is next to them, as no caption that fades in is."""
    typical = sorted(strengths[first:last])[(last - first) // 2 :]
    least = GHOST_SHARE * typical[len(typical) // 2]
    is_ghost = [kinds[n] == PLAIN and strengths[n] < least for n in range(first, last)]
    start, end = 0, last - first
    while start < end and is_ghost[start]:
        start += 1
    while end > start and is_ghost[end - 1]:
        end -= 1
    if start >= end:
        return first, last
    if start and JUMP * strengths[first + start - 1] > strengths[first + start]:
        start = 0
    if end < last - first and JUMP * strengths[first + end] > strengths[first + end - 1]:
        end = last - first
    return first + start, first + end


def _has_edge(first: int, last: int, kinds: Sequence[int], edges: Collection[int]) -> bool:
    """Tell whether frames were left out in the row of differing frames around a stretch, or at its ends."""
    while first > 0 and kinds[first - 1] != SAME:
        first -= 1
    while last < len(kinds) and kinds[last] != SAME:
        last += 1
    return any(first <= edge <= last for edge in edges)


def edges_of(*lines: Sequence[int]) -> set[int]:
    """Return the places before which frames are left out, by their numbers in either film."""
    return {n for line in lines for n in range(1, len(line)) if line[n] != line[n - 1] + 1}
