"""A small change that lasts is found where a film was re-encoded, though no frame alone tells it from noise."""

import random
from collections.abc import Iterable

from aura_vcs.compare.media.drift import edges_of
from aura_vcs.compare.media.layers import FilmLayer, Pictures
from aura_vcs.compare.media.regions import is_nearly_all, meets, together
from aura_vcs.compare.media.sustained import find_sustained
from aura_vcs.formats.media.index_entry import COLOUR_GRID, GRID, LUMA_BYTES

FRAMES = 130
CELLS = [20 + GRID[0] * 30, 21 + GRID[0] * 30, 20 + GRID[0] * 31, 23 + GRID[0] * 31]


def layer(changed: Iterable[int], by: int) -> FilmLayer:
    """A film that was re-encoded, with another level in a few cells of some frames."""
    dice = random.Random(3)
    chosen = frozenset(changed)
    old, new = bytearray(), bytearray()
    scene = bytes(dice.randrange(40, 200) for _ in range(LUMA_BYTES))
    for n in range(FRAMES):
        noisy = bytearray(level + dice.choice((-2, -1, 0, 1, 2)) for level in scene)
        if n in chosen:
            for cell in CELLS:
                noisy[cell] = scene[cell] + by + dice.choice((-2, 0, 2))
        old += scene
        new += noisy
    pictures = Pictures(GRID, LUMA_BYTES, bytes(old), bytes(new))
    found = FilmLayer.of(pictures, range(FRAMES), range(FRAMES))
    assert found is not None
    return found


def test_a_change_of_a_few_levels_that_lasts() -> None:
    """Which frames, to one, and where; a single frame of it would not count."""
    compared = layer(range(50, 100), 6)
    assert not any(compared.marked)
    (found,) = find_sustained(compared)
    assert abs(found.first - 50) <= 1
    assert abs(found.last - 100) <= 1
    assert found.box == (0.3125, round(30 / 36, 4), 0.375, round(32 / 36, 4))


def test_throughout() -> None:
    """From the first frame to the last."""
    (found,) = find_sustained(layer(range(FRAMES), -7))
    assert (found.first, found.last) == (0, FRAMES)


def test_noise_is_no_change() -> None:
    """Nor is what is gone after a few frames."""
    assert find_sustained(layer((), 0)) == []
    assert find_sustained(layer(range(50, 53), 6)) == []


def test_where_frames_were_left_out() -> None:
    """In either film."""
    assert edges_of([0, 1, 5, 6], [0, 1, 2, 9]) == {2, 3}


def test_parts_of_the_picture() -> None:
    """Colours that differ in more of it make the part larger, the cells that they are told in do not."""
    fine = (0.25, 0.5, 0.3, 0.6)
    assert together(fine, (0.25, 0.44, 0.3125, 0.67), COLOUR_GRID) == fine
    assert together(fine, (0.0, 0.0, 1.0, 1.0), COLOUR_GRID) == (0.0, 0.0, 1.0, 1.0)
    assert meets(fine, (0.3, 0.6, 0.5, 0.7))
    assert not meets(fine, (0.5, 0.5, 0.6, 0.6))
    assert is_nearly_all((0.0, 0.0, 1.0, 0.9))
