"""Arithmetic on many bytes at once, by Pillow: what NumPy would do, without the time that importing it takes.

A sequence of frames is bytes, `width` of them for each. Sums and counts are taken frame by frame.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

PER_LEVEL, OFFSET = 4, 128
"""Shifts are in so many parts of a level, around that."""
SLACK = 0.2
"""A cell that lies elsewhere by a tenth of one takes so much of the difference to those around it, at most."""


def plane(data: bytes, width: int) -> "Image":
    """Return bytes as a picture with a row for each frame."""
    from PIL import Image

    return Image.frombytes("L", (width, len(data) // width), data)


def differences(old: bytes, new: bytes, width: int) -> bytes:
    """Return |new - old|, byte by byte, of equally many frames."""
    from PIL import ImageChops

    if not new or old == new:
        return bytes(len(new))
    return ImageChops.difference(plane(old, width), plane(new, width)).tobytes()


def beyond(old: bytes, new: bytes, width: int, cuts: Iterable[int] = ()) -> bytes:
    """Return by how much each byte of `new` is out of what the frame, the one before and the one behind have of it.

    The frames `cuts` of the old side do not follow the one before them: neither is like the other.
    """
    from PIL import ImageChops

    before, behind = bytearray(old[:width] + old[:-width]), bytearray(old[width:] + old[-width:])
    for n in cuts:
        at = n * width
        before[at : at + width] = old[at : at + width]
        behind[at - width : at] = old[at - width : at]
    a, b = plane(old, width), plane(new, width)
    earlier, later = plane(bytes(before), width), plane(bytes(behind), width)
    low = ImageChops.darker(ImageChops.darker(earlier, later), a)
    high = ImageChops.lighter(ImageChops.lighter(earlier, later), a)
    return ImageChops.lighter(ImageChops.subtract(b, high), ImageChops.subtract(low, b)).tobytes()


def shares(mask: bytes, width: int) -> list[float]:
    """Return for each byte of a frame in which share of the frames it is 255."""
    from PIL import Image

    frames = plane(mask, width)
    mean = frames.resize((width, 1), Image.Resampling.BOX) if frames.height > 1 else frames
    return [level / 255 for level in mean.tobytes()]


def means(data: bytes, width: int, frames: int) -> bytes:
    """Return the mean of so many frames each; how many there are is a multiple of that."""
    return plane(data, width).reduce((1, frames)).tobytes() if data else b""


def shifts(old: bytes, new: bytes, width: int) -> bytes:
    """Return new - old, byte by byte, in quarters of a level around OFFSET; what is farther is as far as that goes."""
    from PIL import ImageChops

    if not new:
        return b""
    return ImageChops.subtract(plane(new, width), plane(old, width), 1 / PER_LEVEL, OFFSET).tobytes()


def distances(data: bytes, width: int) -> bytes:
    """Return how far each byte is from OFFSET."""
    return plane(data, width).point([abs(level - OFFSET) for level in range(256)]).tobytes() if data else b""


def over(data: bytes, width: int, limit: int) -> bytes:
    """Return 255 where a byte is more than `limit`, else 0."""
    if not data:
        return b""
    return plane(data, width).point([0 if level <= limit else 255 for level in range(256)]).tobytes()


def lowered(data: bytes, width: int, by: int) -> bytes:
    """Return every byte lessened by so much, 0 at least."""
    if not data:
        return b""
    return plane(data, width).point([max(0, level - by) for level in range(256)]).tobytes()


def lessened(data: bytes, slack: bytes, width: int) -> bytes:
    """Return every byte lessened by SLACK of what `slack` has in its place, 0 at least; without one, all as it is."""
    from PIL import ImageChops

    if not slack or not data:
        return data
    by = plane(slack, width).point([round(SLACK * level) for level in range(256)])
    return ImageChops.subtract(plane(data, width), by).tobytes()


def lowest(one: bytes, other: bytes, width: int) -> bytes:
    """Return the lower of two bytes, everywhere."""
    from PIL import ImageChops

    return ImageChops.darker(plane(one, width), plane(other, width)).tobytes() if one else b""


def counts(mask: bytes, width: int) -> list[int]:
    """Count the bytes that are 255 in each frame."""
    return [mask.count(b"\xff", at, at + width) for at in range(0, len(mask), width)]


def sums(data: bytes, width: int) -> list[int]:
    """Add up the bytes of each frame."""
    return [sum(data[at : at + width]) for at in range(0, len(data), width)]


def picked(data: bytes, width: int, numbers: Sequence[int]) -> bytes:
    """Return the frames with these numbers, in this order."""
    if numbers and list(numbers) == list(range(numbers[0], numbers[0] + len(numbers))):
        return data[numbers[0] * width : (numbers[-1] + 1) * width]
    return b"".join([data[n * width : (n + 1) * width] for n in numbers])


def miniatures(luma: bytes, grid: tuple[int, int], factor: int) -> bytes:
    """Reduce the grid of every frame by a factor that divides its sides."""
    if not luma:
        return b""
    wide, high = grid
    return plane(luma, wide).reduce(factor).tobytes() if len(luma) % (wide * high) == 0 else b""


def percentile(data: bytes, share: float) -> int:
    """Return the level that so large a share of the bytes does not exceed."""
    if not data:
        return 0
    histogram = plane(data, len(data)).histogram()
    left = share * len(data)
    for level, count in enumerate(histogram):
        left -= count
        if left <= 0:
            return level
    return 255
