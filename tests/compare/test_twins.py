"""Of several clips that are alike, the one that somebody changed is told, and no other."""

from random import Random

import pytest
from aura_vcs.compare.timeline.match import match_timelines
from aura_vcs.formats.timeline.model import Clip, Timeline, Track


def line(*clips: tuple[str, int, int, int]) -> Timeline:
    """A timeline of clips: media, where in it, where on the track, how long."""
    made = [
        Clip("", "clip", n + 1, media, "", media, first, start, length)
        for n, (media, first, start, length) in enumerate(clips)
    ]
    return Timeline((Track("", "V1", "video", tuple(made)),), {})


LOOPS = [("loop.mp4", 0, 10 * n, 10) for n in range(8)]


@pytest.mark.parametrize("changed", range(8))
@pytest.mark.parametrize(
    ("edit", "ripple"),
    [((0, 0, 6), 0), ((0, 0, 6), -4), ((2, 2, 8), 0), ((2, 0, 8), -2)],
    ids=["end", "end, rippled", "beginning", "beginning, rippled"],
)
def test_a_trimmed_twin_is_itself(changed: int, edit: tuple[int, int, int], ripple: int) -> None:
    """The sixth of eight equal clips, shortened at either end, with the rest left where it is or pulled up."""
    first, later, length = edit
    new = list(LOOPS)
    new[changed] = ("loop.mp4", first, 10 * changed + later, length)
    new[changed + 1 :] = [(m, f, s + ripple, n) for m, f, s, n in new[changed + 1 :]]
    pairs = match_timelines(line(*LOOPS), line(*new)).clips
    assert [(a.position, b.position) for a, b in pairs] == [(n, n) for n in range(8)]


@pytest.mark.parametrize("gone", range(8))
def test_a_twin_that_was_taken_out_left_its_gap(gone: int) -> None:
    """The others stand where they stood."""
    new = [clip for n, clip in enumerate(LOOPS) if n != gone]
    pairs = match_timelines(line(*LOOPS), line(*new)).clips
    assert [a.position for a, _ in pairs] == [n for n in range(8) if n != gone]


def test_many_twins_take_little_time() -> None:
    """Five thousand equal clips, shuffled lengths: the plain algorithm takes over."""
    random = Random(1)
    old = [("loop.mp4", 0, 10 * n, random.choice((8, 9))) for n in range(5_000)]
    new = [clip for clip in old if random.random() < 0.9]
    assert len(match_timelines(line(*old), line(*new)).clips) == len(new)
