"""Which channels of a sound changed places, or their sign: told by their samples, or by how loud they are when."""

from collections.abc import Sequence

from aura_vcs.formats.media.findings import AudioFacts
from aura_vcs.formats.media.index_entry import MediaEntry

POINTS = 4_000
"""Steps of the waveforms that are compared."""
LIKE = 0.25
"""A channel is another one if no more of it differs than this share of what is heard,"""
UNLIKE = 3.0
UNLIKE_SHARE = 0.1
"""and so many times as much, and at least this share, differs from what stood in its place."""


def exact_channels(was: AudioFacts, now: AudioFacts) -> tuple[int, ...]:
    """Return, for each channel, which one has the same samples before, from 1 on, negative with the other sign.

    Empty where one is nowhere, or all are where they were.
    """
    if len(was.channel_digests) != len(now.channel_digests):
        return ()
    found: list[int] = []
    for n, (digest, inverted) in enumerate(now.channel_digests):
        order = [n, *(other for other in range(len(was.channel_digests)) if other != n)]
        same = [other + 1 for other in order if was.channel_digests[other][0] == digest]
        turned = [-(other + 1) for other in order if was.channel_digests[other][0] == inverted]
        place = next((one for one in (*same, *turned) if abs(one) not in map(abs, found)), 0)
        if not place:
            return ()
        found.append(place)
    return tuple(found) if found != list(range(1, len(found) + 1)) else ()


def alike_channels(old: MediaEntry, new: MediaEntry) -> tuple[int, ...]:
    """Return likewise which channel each is most like, where sounds were encoded; signs are not told.

    Raises:
        NoEntryError: a part of an entry is damaged.
    """
    was, now = old.head.sound, new.head.sound
    if was is None or now is None or was.channels != now.channels or not 2 <= was.channels <= 8:
        return ()
    a, b = (_loudness(entry, max(was.seconds, now.seconds) / POINTS) for entry in (old, new))
    found: list[int] = []
    for n, heard in enumerate(b):
        apart = [_apart(heard, other) for other in a]
        best = min(range(len(a)), key=lambda other: (apart[other], other != n))
        is_like = apart[best] <= LIKE * sum(heard)
        is_other = apart[n] >= UNLIKE * apart[best] and apart[n] > UNLIKE_SHARE * sum(heard)
        found.append(best + 1 if best != n and is_like and is_other else n + 1)
    is_order = len(set(found)) == len(found) and found != list(range(1, len(found) + 1))
    return tuple(found) if is_order else ()


def _loudness(entry: MediaEntry, step_seconds: float) -> list[list[int]]:
    """Return for each channel how far its samples go, in each step."""
    wave = entry.waveform(step_seconds)
    if wave is None:
        return []
    return [[max(-low, high) for low, high in zip(one[::2], one[1::2], strict=False)] for one in wave.channels]


def _apart(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(abs(x - y) for x, y in zip(one, other, strict=False))
