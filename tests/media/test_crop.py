"""A film of which a part was cut off, or that got black bars, is the same film; which part it shows is told."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.media.entries import compare_entries
from aura_vcs.formats.media.findings import Box, VideoDiff
from PIL import Image, ImageDraw

from tests.media.clips import SIZE, scenery, write_film
from tests.media.conftest import Maker, Shelf

FRAMES = 60
WIDE, HIGH = SIZE


def textured(n: int) -> Image.Image:
    """The scenery, with things in it that do not move."""
    picture = scenery(n)
    draw = ImageDraw.Draw(picture)
    for k in range(14):
        x, y = (k * 97) % (WIDE - 50), (k * 53) % (HIGH - 40)
        draw.rectangle((x, y, x + 20 + 3 * k % 30, y + 14 + 5 * k % 25), fill=((k * 71) % 256, (k * 37) % 256, 128))
    return picture


def vivid(n: int) -> Image.Image:
    """Blocks of full colours, larger than a cell, which move."""
    picture = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(picture)
    for k in range(20 * 12):
        x, y = 18 * (k % 20) - n % 18, 18 * (k // 20) - 18
        colour = tuple(255 * (((k * 37 + k // 20 * 11) >> bit) & 1) for bit in (0, 1, 2))
        draw.rectangle((x, y, x + 17, y + 17), fill=colour)
    return picture


def _part(box: tuple[int, int, int, int], size: tuple[int, int], numbers: Any = range(FRAMES)) -> Iterator[Image.Image]:
    return (textured(n).crop(box).resize(size, Image.Resampling.LANCZOS) for n in numbers)


def _barred(at: tuple[int, int, int, int]) -> Iterator[Image.Image]:
    for n in range(FRAMES):
        picture = Image.new("RGB", SIZE)
        picture.paste(textured(n).resize((at[2] - at[0], at[3] - at[1])), at[:2])
        yield picture


def _spotted() -> Iterator[Image.Image]:
    for n, picture in enumerate(_part((64, 36, 320, 180), SIZE)):
        if 20 <= n < 30:
            ImageDraw.Draw(picture).rectangle((160, 90, 219, 134), fill=(255, 255, 255))
        yield picture


CLIPS: dict[str, Callable[[], Iterator[Image.Image]]] = {
    "whole": lambda: (textured(n) for n in range(FRAMES)),
    "sides": lambda: _part((40, 0, 280, 180), (240, 180)),
    "corner": lambda: _part((64, 36, 320, 180), SIZE),
    "little": lambda: _part((12, 6, 308, 174), SIZE),
    "spot": _spotted,
    "cut": lambda: _part((40, 0, 280, 180), (240, 180), [*range(20), *range(35, FRAMES)]),
    "letterbox": lambda: _barred((0, 22, 320, 158)),
    "pillarbox": lambda: _barred((40, 0, 280, 180)),
    "vivid": lambda: map(vivid, range(FRAMES)),
    "vivid-part": lambda: (vivid(n).crop((54, 26, 294, 162)) for n in range(FRAMES)),
    "other": lambda: (scenery(n, SIZE, 3) for n in range(FRAMES)),
}


@pytest.fixture(scope="module")
def shelf(make_shelf: Callable[[dict[str, Maker]], Shelf]) -> Shelf:
    """All of them."""

    def maker(name: str) -> Maker:
        def make(path: Path) -> object:
            codec = "ffv1" if name.startswith("vivid") else "libx264"
            return write_film(path, CLIPS[name](), codec=codec)

        return make

    return make_shelf({f"crop-{name}.mkv": maker(name) for name in CLIPS})


def compared(shelf: Shelf, old: str, new: str) -> tuple[VideoDiff, tuple[str, ...]]:
    """Compare two of them: what is known, and the words."""
    found = compare_entries(shelf[f"crop-{old}.mkv"], shelf[f"crop-{new}.mkv"])
    assert found.video is not None
    return found.video, found.lines


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("sides", (0.125, 0, 0.875, 1)),
        ("corner", (0.2, 0.2, 1, 1)),
        ("little", (0.0375, 0.033, 0.9625, 0.967)),
    ],
)
def test_which_part_is_shown(shelf: Shelf, name: str, part: Box) -> None:
    """To a hundredth, and nothing else differs; the other way around more is shown than before."""
    video, lines = compared(shelf, "whole", name)
    assert video.crop == pytest.approx(part, abs=0.012), lines
    assert (video.inside, video.has_bars, video.stretches, video.throughout) == (None, False, (), None), lines
    assert lines[-1].startswith("cropped: shows a part of the picture before, ")
    video, lines = compared(shelf, name, "whole")
    assert video.inside == pytest.approx(part, abs=0.012), lines
    assert (video.crop, video.has_bars, video.stretches, video.throughout) == (None, False, (), None), lines
    assert lines[-1].startswith("shows more than before: what was the picture is at ")


def test_what_lies_beside_the_part_has_no_share_in_it(shelf: Shelf) -> None:
    """Cells at its edges are partly of colours that are outside of it: that is no difference."""
    for old, new in (("vivid", "vivid-part"), ("vivid-part", "vivid")):
        video, lines = compared(shelf, old, new)
        assert (video.stretches, video.throughout) == ((), None), lines
        assert video.crop or video.inside


@pytest.mark.parametrize(("name", "part"), [("letterbox", (0, 0.122, 1, 0.878)), ("pillarbox", (0.125, 0, 0.875, 1))])
def test_black_bars(shelf: Shelf, name: str, part: Box) -> None:
    """Put on and taken off."""
    video, lines = compared(shelf, "whole", name)
    assert video.inside == pytest.approx(part, abs=0.012), lines
    assert (video.crop, video.has_bars, video.stretches, video.throughout) == (None, True, (), None), lines
    assert lines[-1].startswith("black bars around it: the picture is at ")
    video, lines = compared(shelf, name, "whole")
    assert video.crop == pytest.approx(part, abs=0.012), lines
    assert (video.inside, video.has_bars, video.stretches, video.throughout) == (None, True, (), None), lines
    assert lines[-1].startswith("the black bars are gone: shows ")


def test_what_differs_in_the_part_that_is_shown(shelf: Shelf) -> None:
    """A spot in a cropped film is found, and where it is in the picture as it is now."""
    video, lines = compared(shelf, "whole", "spot")
    assert video.crop == pytest.approx((0.2, 0.2, 1, 1), abs=0.012), lines
    (stretch,) = video.stretches
    assert (stretch.kind, stretch.first, stretch.last) == ("changed", 20, 29)
    assert stretch.box == pytest.approx((0.5, 0.5, 0.6875, 0.75), abs=0.07)


def test_a_cut_in_a_cropped_film(shelf: Shelf) -> None:
    """Both are told."""
    video, lines = compared(shelf, "whole", "cut")
    assert video.crop == pytest.approx((0.125, 0, 0.875, 1), abs=0.012), lines
    (stretch,) = video.stretches
    assert (stretch.kind, stretch.first, stretch.last) == ("removed", 20, 34), lines


def test_another_film_is_no_part_of_this_one(shelf: Shelf) -> None:
    """However many parts are tried."""
    video, _ = compared(shelf, "whole", "other")
    assert (video.crop, video.inside) == (None, None)
