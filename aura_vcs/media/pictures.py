"""Looking into pictures with Pillow. Only the worker process calls this."""

import io
from typing import TYPE_CHECKING

from aura_vcs.formats.media.findings import DecodeLimits, PictureKind

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
THUMBNAIL = (480, 270)
SIDE = 800
LARGEST_SIDE = 2_400
MARK = b"aura diff"
"""Stands near the beginning of the pictures that show a difference: they may be written anew."""


def open_picture(path: str, limits: DecodeLimits) -> "Image":
    """Open the first picture of a file, upright, in RGB over grey, at most `LARGEST_SIDE` wide and high.

    Raises:
        ValueError: it has more pixels than the limit.
        OSError: Pillow cannot read it.
    """
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = limits.pixels
    picture = Image.open(path, formats=FORMATS)
    if picture.width * picture.height > limits.pixels:
        raise ValueError(f"it has {picture.width}×{picture.height} pixels")
    if max(picture.size) > LARGEST_SIDE:  # what is made of it is smaller still, and this saves most of the memory
        if picture.mode in ("P", "1"):
            picture = picture.convert("RGBA")  # type: ignore[assignment]
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.BOX)
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    ground = Image.new("RGBA", upright.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, upright).convert("RGB")


def as_png(picture: "Image") -> bytes:
    """Encode the picture as the bytes of a PNG file, with our mark."""
    from PIL.PngImagePlugin import PngInfo

    out, info = io.BytesIO(), PngInfo()
    info.add_text("Software", MARK.decode())
    picture.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def gradient_bits(picture: "Image") -> int:
    """Compute 64 bits that stay alike when a picture is scaled, recompressed or slightly graded.

    Each bit says whether a cell of a 9×8 grey miniature is brighter than its right neighbour
    (the "difference hash", Krawetz 2013).
    """
    from PIL import Image

    cells = picture.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            bits = bits << 1 | (cells[row * 9 + column] > cells[row * 9 + column + 1])
    return bits


def compare_picture(old: "Image", new: "Image", kind: PictureKind) -> bytes:
    """Make a PNG file that shows the difference: both side by side, or where they differ in red."""
    if kind == "side_by_side":
        return as_png(_side_by_side(old, new))
    return as_png(_heat_map(old, new))


def _side_by_side(old: "Image", new: "Image") -> "Image":
    from PIL import Image

    sides = [side.copy() for side in (old, new)]
    for side in sides:
        side.thumbnail((SIDE, SIDE))
    height = max(side.height for side in sides)
    sheet = Image.new("RGB", (sum(side.width for side in sides) + 8, height), (32, 32, 32))
    sheet.paste(sides[0], (0, 0))
    sheet.paste(sides[1], (sides[0].width + 8, 0))
    return sheet


def _heat_map(old: "Image", new: "Image") -> "Image":
    from PIL import Image, ImageChops, ImageOps

    after = new.copy()
    after.thumbnail((2 * SIDE, 2 * SIDE))
    before = old.resize(after.size, Image.Resampling.LANCZOS)
    gain = ImageChops.difference(before, after).convert("L").point([min(255, level * 4) for level in range(256)])
    calm = ImageOps.grayscale(after).point([level // 2 + 60 for level in range(256)]).convert("RGB")
    return Image.composite(Image.new("RGB", after.size, (230, 30, 30)), calm, gain)
