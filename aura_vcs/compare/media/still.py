"""Two versions of a still picture, compared by what the media index has of them."""

from msgspec import Struct

from aura_vcs.compare.media.planes import differences
from aura_vcs.formats.media.findings import Box
from aura_vcs.formats.media.index_entry import COLOUR_GRID, DETAIL, GRID, MediaEntry

LEAST = 0.0001
"""How different two pictures are at least, of which a single pixel differs."""
STRUCTURE_FROM = 0.004
"""Where colours differ less, what is brighter than what says nothing: it is noise."""
SEEN_LEVELS = 12
"""From this difference on, a place of the small picture differs."""


class StillDiff(Struct, frozen=True):
    """How different two pictures look, from 0 to 1, and where, if only in a part."""

    distance: float
    box: Box | None


def compare_stills(old: MediaEntry, new: MediaEntry) -> StillDiff:
    """Compare two pictures: 0 only where every pixel is the same.

    Raises:
        NoEntryError: a part of an entry is damaged.
    """
    from PIL import Image, ImageChops, ImageStat

    was, now = old.head.picture, new.head.picture
    assert was is not None
    assert now is not None
    if was.digest == now.digest:
        return StillDiff(0.0, None)
    wide, high = DETAIL
    whole = old.detail(), new.detail()
    before, after = whole if all(whole) else (shown_by_grids(old), shown_by_grids(new))
    apart = differences(before, after, 3 * wide)
    picture = Image.frombytes("RGB", DETAIL, apart)
    mean = ImageStat.Stat(picture.reduce(4)).mean
    colour = sum(mean) / len(mean) / 255
    structure = (was.hash ^ now.hash).bit_count() / 64
    distance = round(max(colour, structure if colour > STRUCTURE_FROM else 0.0, LEAST), 4)
    red, green, blue = picture.split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    box = most.point([0 if level <= SEEN_LEVELS else 255 for level in range(256)]).getbbox()
    if box is None or (was.width * now.height != now.width * was.height):
        return StillDiff(distance, None)
    share = (box[2] - box[0]) * (box[3] - box[1]) / (wide * high)
    if share > 0.8:
        return StillDiff(distance, None)
    return StillDiff(distance, (round(box[0] / wide, 4), round(box[1] / high, 4), round(box[2] / wide, 4),
                                round(box[3] / high, 4)))  # fmt: skip


def shown_by_grids(entry: MediaEntry) -> bytes:
    """Return a picture as RGB, DETAIL pixels, as the grids have it: what is kept of every frame of a sequence.

    Raises:
        NoEntryError: a part of the entry is damaged.
    """
    from PIL import Image

    colour, half = entry.colour(), COLOUR_GRID[0] * COLOUR_GRID[1]
    planes = [Image.frombytes("L", GRID, entry.luma())]
    planes += [Image.frombytes("L", COLOUR_GRID, part).resize(GRID) for part in (colour[:half], colour[half:])]
    shown = Image.merge("YCbCr", planes).convert("RGB")
    return shown.resize(DETAIL, Image.Resampling.NEAREST).tobytes()
