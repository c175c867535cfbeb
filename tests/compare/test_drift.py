"""What an encoder leaves beside a change is no change; what a person did is one, however faint."""

import pytest
from aura_vcs.compare.media.drift import (
    AHEAD_FRAMES,
    FAINT,
    LEANING,
    ONE_SIDED,
    PLAIN,
    SAME,
    faint_beside_changes,
    without_echoes,
)
from aura_vcs.compare.media.layers import FilmLayer, Pictures
from aura_vcs.compare.media.regions import Region, busiest
from aura_vcs.formats.media.index_entry import GRID

WIDTH = 2304
OLD = bytes([100]) * WIDTH
DRIFT = bytes([100, 103, 97, 101, 99, 100, 100, 100]) * (WIDTH // 8)
BRIGHTER = bytes([102]) * WIDTH
LEANT = bytes([101]) * (WIDTH * 6 // 10) + OLD[WIDTH * 6 // 10 :]
BOX = bytes([200]) * 23 + OLD[23:]


def test_frames_are_told_apart() -> None:
    """A box of one percent is plain, two levels more everywhere are a person's, up here and down there an encoder's."""
    new = [OLD, DRIFT, BRIGHTER, *[BOX] * 3, *[OLD] * 1_500]
    pictures = Pictures(GRID, WIDTH, OLD * len(new), b"".join(new))
    layer = FilmLayer.of(pictures, range(len(new)), range(len(new)))
    assert layer is not None
    assert layer.is_exact
    assert layer.kinds[:7] == [SAME, FAINT, ONE_SIDED, *[PLAIN] * 3, SAME]
    assert layer.region(3, 6) == Region((0.0, 0.0, round(23 / 64, 4), round(1 / 36, 4)), tuple(range(23)))
    assert FilmLayer.of(pictures, range(6, len(new)), range(6, len(new))) is None


def test_a_frame_that_an_encoder_weighed_in_steps() -> None:
    """Behind a change in a fade, a frame is darker or brighter by half a level: that is told only where nothing is."""
    frames = [*[OLD] * 20, *[BOX] * 3, DRIFT, LEANT, DRIFT, LEANT, *[OLD] * 60]
    layer = FilmLayer.of(
        Pictures(GRID, WIDTH, OLD * len(frames), b"".join(frames)),
        range(len(frames)),
        range(len(frames)),
    )
    assert layer is not None
    assert layer.kinds[20:27] == [*[PLAIN] * 3, FAINT, LEANING, FAINT, LEANING]
    assert faint_beside_changes([layer.kinds], range(len(frames))) == {23, 24, 25, 26}
    assert faint_beside_changes([layer.kinds[23:]], range(len(frames) - 23)) == set()


def test_cells_here_and_there_do_not_say_where() -> None:
    """Beside a caption, a cell in a corner that differs as often is what an encoder made of it, where one did."""
    cells = [0.0] * WIDTH
    for n in (*range(20, 40), *range(20 + GRID[0], 40 + GRID[0])):
        cells[n] = 1.0
    caption = busiest(cells, GRID, is_exact=False)
    cells[-1] = 0.5
    assert busiest(cells, GRID, is_exact=False) == caption
    everything = busiest(cells, GRID, is_exact=True)
    assert everything is not None
    assert everything.box[2:] == (1.0, 1.0)
    assert busiest([0.1] * WIDTH, GRID, is_exact=False) is None


@pytest.mark.parametrize(
    ("kinds", "numbers", "expected"),
    [
        ([SAME, PLAIN, PLAIN, FAINT, FAINT, SAME, FAINT], range(7), {3, 4, 6}),
        ([PLAIN, FAINT, *[SAME] * (AHEAD_FRAMES + 1), FAINT], range(AHEAD_FRAMES + 4), {1}),
        ([FAINT, FAINT, SAME], range(3), set()),
        ([PLAIN, FAINT, PLAIN, ONE_SIDED, FAINT], range(5), {4}),
        ([SAME, FAINT, FAINT, SAME], [0, 9, 10, 11], {1, 2}),
        ([SAME, ONE_SIDED, SAME], [0, 9, 10], set()),
        ([PLAIN, FAINT, LEANING, FAINT, ONE_SIDED, SAME], range(6), {1, 2, 3}),
        ([LEANING, PLAIN, LEANING, LEANING, FAINT, LEANING], range(6), {4, 5}),
        ([FAINT, LEANING, LEANING, SAME], range(4), set()),
    ],
)
def test_only_what_adjoins_a_change_is_left_out(kinds: list[int], numbers: list[int], expected: set[int]) -> None:
    """Faint differences alone are told; beside a change, or frames of another picture, they are its traces."""
    assert faint_beside_changes([kinds, [SAME] * len(kinds)], numbers) == expected


@pytest.mark.parametrize(
    ("stretches", "kinds", "strengths", "expected"),
    [
        ([(1, 6)], [SAME, PLAIN, PLAIN, FAINT, FAINT, ONE_SIDED, SAME], [0, 900, 900, 0, 0, 0, 0], [(1, 3)]),
        ([(1, 4)], [SAME, PLAIN, PLAIN, ONE_SIDED, SAME], [0, 900, 900, 0, 0], [(1, 4)]),
        ([(1, 5)], [SAME, PLAIN, PLAIN, PLAIN, PLAIN, SAME], [0, 90, 900, 900, 80, 0], [(2, 4)]),
        ([(1, 6)], [SAME, *[PLAIN] * 5, SAME], [0, 200, 400, 600, 800, 1_000, 0], [(1, 6)]),
        ([(1, 3), (5, 6)], [SAME, PLAIN, PLAIN, FAINT, FAINT, ONE_SIDED, SAME], [0, 900, 900, 0, 0, 0, 0], [(1, 3)]),
        ([(0, 2), (3, 4)], [PLAIN, PLAIN, SAME, ONE_SIDED], [900, 900, 0, 0], [(0, 2), (3, 4)]),
        ([(0, 2), (4, 5)], [PLAIN, PLAIN, FAINT, FAINT, PLAIN], [900, 900, 0, 0, 40], [(0, 2)]),
        ([(0, 1)], [PLAIN, SAME], [40, 0], [(0, 1)]),
    ],
)
def test_ghosts_of_a_change_are_cut_off(
    stretches: list[tuple[int, int]], kinds: list[int], strengths: list[int], expected: list[tuple[int, int]]
) -> None:
    """What is weak all at once, or here and there behind a change, is the encoder's; a caption that fades in is not."""
    plain = [strength // 10 for strength in strengths]
    assert without_echoes(stretches, kinds, plain, strengths) == expected
