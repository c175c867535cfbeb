"""Which frames of two versions of a film belong together: by their numbers, by their times, or at another speed."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from aura_vcs.compare.media.align import ALIKE, PREFERRED, TINY, Alignment, align, by_time
from aura_vcs.compare.media.film_side import FilmSide
from aura_vcs.compare.media.planes import differences, sums

RATE_SHARE = 0.005
SAME_RATE_MATCH = 0.6
RETIMED_MATCH = 0.9
AROUND_FRAMES = (-1, 1, -2, 2, -3, 3)
"""Where the frame of a moment may be: programs round in several ways, and repeat a frame or two where they begin."""
RETIMED_RUNS = 3
"""A film that seems to be cut in so many pieces may be one that is played faster or slower."""


class Pairing(Struct):
    """How frames of the new version belong to those of the old one: `sources[n]` for frame n of the aligned old one."""

    alignment: Alignment
    sources: list[int]

    def old_frame(self, aligned: int) -> int:
        """Return the frame of the old version behind a frame of its aligned form; behind the last, their count."""
        if aligned < len(self.sources):
            return self.sources[max(0, aligned)]
        return self.sources[-1] + 1 if self.sources else 0


def pair_films(a: FilmSide, b: FilmSide) -> tuple[Pairing, float]:
    """Align two versions: frame by frame where they have the same rate, else by their times, or at another speed."""
    plain = Pairing(align(a.frames, b.frames), list(range(a.count)))
    is_same_rate = _is_same_rate(a, b)
    speed = a.video.seconds / b.video.seconds if b.video.seconds > 0 else 1.0
    is_same_length = abs(speed - 1) <= RATE_SHARE
    best, chosen = plain.alignment.matched / b.count, 1.0
    if is_same_rate and best >= SAME_RATE_MATCH:
        retimed = _retimed(a, b, speed, plain) if not is_same_length else None
        return retimed or (plain, 1.0)
    if not is_same_rate and a.count == b.count and best > 0.9:
        return plain, 1.0 if is_same_length else round(speed, 4)
    pairing = plain
    tries = [1.0] if is_same_length else [1.0, speed]
    for factor in tries:
        if is_same_rate and factor == 1.0:
            continue
        sources = _at_speed(a, b, factor)
        held = a.frames.picked(sources)
        alignment = align(held, b.frames)
        share = alignment.matched / b.count
        if share >= SAME_RATE_MATCH and len(alignment.runs) <= len(pairing.alignment.runs):
            return Pairing(alignment, sources), 1.0 if abs(factor - 1) <= RATE_SHARE else round(factor, 4)
        if share > best + 0.05:
            best, pairing, chosen = share, Pairing(alignment, sources), factor
    return pairing, 1.0 if abs(chosen - 1) <= RATE_SHARE else round(chosen, 4)


def _is_same_rate(a: FilmSide, b: FilmSide) -> bool:
    """Tell whether frames follow each other as fast; a gap, such as AVI files begin with, does not count."""
    if a.video.is_variable or b.video.is_variable:
        return False
    old, new = a.video.frames_per_second or 1.0, b.video.frames_per_second or 1.0
    if abs(old / new - 1) <= RATE_SHARE:
        return True
    steps = [_typical_step(side.times) for side in (a, b)]
    return min(steps) > 0 and abs(steps[0] / steps[1] - 1) <= RATE_SHARE


def _typical_step(times: Sequence[int]) -> int:
    steps = sorted(after - before for before, after in pairwise(times))
    return steps[len(steps) // 2] if steps else 0


def _at_speed(a: FilmSide, b: FilmSide, speed: float) -> list[int]:
    """Return which frame of the old film is shown where the new one is at each of its frames."""
    sources = by_time(a.times, [a.times[0] + (time - b.times[0]) * speed for time in b.times])
    return _nearest(a, b, sources)


def _retimed(a: FilmSide, b: FilmSide, speed: float, plain: Pairing) -> tuple[Pairing, float] | None:
    """Pair a film that was played faster or slower at the same rate, of which frames were left out, or repeated.

    None where cuts explain it as well, unless all are of single frames. Frames between which little moves are alike,
    so that it passes for a film that was cut in pieces; but then some of them differ more.
    """
    if sum(run.old is not None for run in plain.alignment.runs) < RETIMED_RUNS:
        return None
    sources = _at_speed(a, b, speed)
    alike = [cost for cost in _costs(a, b, sources) if cost <= ALIKE]
    alignment = align(a.frames.picked(sources), b.frames)
    if len(alike) < RETIMED_MATCH * b.count or alignment.matched < RETIMED_MATCH * b.count or len(alignment.runs) > 2:
        return None
    runs = [run for run in plain.alignment.runs if run.old is not None]
    cut = [_costs(a, b, range(run.old, run.old + run.length), run.start) for run in runs if run.old is not None]
    is_of_frames = all(end - start == 1 for start, end in plain.alignment.removed) and len(plain.alignment.removed) > 1
    limit = sum(map(sum, cut)) / max(1, plain.alignment.matched) + (PREFERRED if is_of_frames else 0)
    return (Pairing(alignment, sources), round(speed, 4)) if sum(alike) / len(alike) < limit else None


def _nearest(a: FilmSide, b: FilmSide, sources: Sequence[int]) -> list[int]:
    """Take a frame before or behind the one of a moment where that is more alike."""
    found, least = list(sources), _costs(a, b, sources)
    for by in AROUND_FRAMES:
        tried = [min(a.count - 1, max(0, n + by)) for n in sources]
        for n, cost in enumerate(_costs(a, b, tried)):
            if cost < least[n]:
                found[n], least[n] = tried[n], cost
    return found


def _costs(a: FilmSide, b: FilmSide, sources: Sequence[int], start: int = 0) -> list[int]:
    """Return how much frames of the new film, from `start` on, differ from some of the old one."""
    old = a.frames.picked(sources)
    return sums(differences(old.tiny, b.frames.part(start, start + len(sources)), TINY), TINY)
