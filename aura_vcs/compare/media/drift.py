"""What an encoder leaves beside a change, in frames that are predicted from changed ones: told from further changes.

Where most of a film is the same to the byte, every difference counts. But an encoder that was given another picture
for a while also writes the frames after it in other bytes, up to its next key frame, by a level here and there.
"""

import itertools
from collections.abc import Sequence

from aura_vcs.compare.media.planes import beyond, counts, over, percentile, sums

PREDICTING = frozenset({"h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "h263", "vvc"})
"""Codecs whose frames are predicted from others; in the others nothing is left of a change."""
SAME, FAINT, ONE_SIDED, PLAIN = range(4)
"""How a frame differs: not; as encoders make it, up here and down there; as faintly, but brighter or darker as a
whole, as a person makes it; beyond what encoders make."""
NOISE_SHARE = 0.96
BALANCED = 0.5
"""So large a share of what differs may go one way."""
LEAST_ONE_WAY = 16
BRIDGE_FRAMES = 2


def kinds_of_frames(old: bytes, new: bytes, apart: bytes, width: int, limits: tuple[int, int], cells: int) -> list[int]:
    """Say how each frame differs; `limits` are the levels that always, and that never, are an encoder's."""
    frames = range(len(new) // width)
    touched = [n for n in frames if apart.count(0, n * width, (n + 1) * width) < width]
    if not touched:
        return [SAME] * len(frames)
    noise = sorted(percentile(apart[n * width : (n + 1) * width], NOISE_SHARE) for n in touched)[len(touched) // 2]
    limit = min(limits[1], max(limits[0], 3 * noise + 3))
    plain = counts(over(beyond(old, new, width), width, limit), width)
    whole, was, now = sums(apart, width), sums(old, width), sums(new, width)
    kinds = [SAME] * len(frames)
    for n in touched:
        is_balanced = abs(now[n] - was[n]) <= max(BALANCED * whole[n], width / 64, LEAST_ONE_WAY)
        kinds[n] = PLAIN if plain[n] >= cells else FAINT if is_balanced else ONE_SIDED
    return kinds


def faint_beside_changes(layers: Sequence[Sequence[int]], numbers: Sequence[int]) -> set[int]:
    """Return the frames that differ faintly in every layer, in a row of differing frames with plain changes in it.

    `numbers` are those of the frames in the film: where some are left out, there is another picture, or a cut.
    """
    kinds = [max(several) for several in zip(*layers, strict=True)]
    found: set[int] = set()
    start = 0
    while start < len(kinds):
        end = start
        while end < len(kinds) and kinds[end] != SAME:
            end += 1
        plain = [n for n in range(start, end) if kinds[n] == PLAIN]
        if plain or (start < end and (_is_edge(numbers, start) or _is_edge(numbers, end))):
            held = set(plain)
            for one, following in itertools.pairwise(plain):
                if following - one <= BRIDGE_FRAMES + 1:
                    held.update(range(one, following))
            found.update(n for n in range(start, end) if kinds[n] == FAINT and n not in held)
        start = end + 1
    return found


def _is_edge(numbers: Sequence[int], at: int) -> bool:
    """Tell whether frames are left out before this one."""
    return 0 < at < len(numbers) and numbers[at] != numbers[at - 1] + 1
