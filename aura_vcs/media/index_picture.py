"""Looking at a still picture once, into an entry of the media index. Only the process that decodes calls this."""

from typing import TYPE_CHECKING, Any, BinaryIO

from blake3 import blake3

from aura_vcs.formats.media.findings import DecodeLimits, PictureFacts
from aura_vcs.formats.media.index_entry import COLOUR_GRID, DETAIL, GRID, EntryHead, encode_entry
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.media.grids import format_has_alpha
from aura_vcs.media.index_video import as_jpeg
from aura_vcs.media.pictures import FORMATS, THUMBNAIL, gradient_bits

if TYPE_CHECKING:
    from PIL.Image import Image

BY_FFMPEG = {"exr": "exr_pipe", "dpx": "dpx_pipe", "tiff": "tiff_pipe", "png": "png_pipe"}
"""Formats that Pillow does not read, or not with all their bits, and FFmpeg's names for them."""
SIZE_ONLY = ("psd",)
"""Formats of which the header is read and nothing else."""


def index_picture(file: BinaryIO, header: MediaHeader, content: str, limits: DecodeLimits) -> bytes:
    """Build the entry of a picture.

    Raises:
        ValueError: why it is not looked into, beginning with "it".
        OSError, and whatever a decoder raises: it is damaged.
    """
    if (header.width or 0) * (header.height or 0) > limits.pixels:
        raise ValueError(f"it has {header.width}×{header.height} pixels")
    if header.format in SIZE_ONLY:
        raise ValueError(f"it is a {header.format} file, of which only the size is read")
    deep = header.format in BY_FFMPEG and (header.bits or 8) > 8
    picture, facts = _by_ffmpeg(file, header) if deep or header.format in ("exr", "dpx") else _by_pillow(file, limits)
    return picture_entry(picture, facts, header, content)


def picture_entry(picture: "Image", facts: PictureFacts, header: MediaHeader, content: str) -> bytes:
    """Build the entry for a decoded picture."""
    from PIL import Image

    small = picture.copy()
    small.thumbnail(THUMBNAIL, reducing_gap=1.0)
    luma, blue, red = picture.resize(DETAIL, Image.Resampling.BOX, reducing_gap=1.0).convert("YCbCr").split()
    sections = {
        "poster": as_jpeg(small),
        "detail": picture.resize(DETAIL, Image.Resampling.BOX, reducing_gap=1.0).tobytes(),
        "luma": luma.resize(GRID, Image.Resampling.BOX).tobytes(),
        "colour": b"".join(part.resize(COLOUR_GRID, Image.Resampling.BOX).tobytes() for part in (blue, red)),
    }
    exact = MediaHeader("picture", header.format, width=facts.width, height=facts.height, bits=facts.bits)
    return encode_entry(EntryHead(content, exact, picture=facts), sections)


def _by_pillow(file: BinaryIO, limits: DecodeLimits) -> "tuple[Image, PictureFacts]":
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = limits.pixels
    with Image.open(file, formats=FORMATS) as opened:
        if opened.width * opened.height > limits.pixels:
            raise ValueError(f"it has {opened.width}×{opened.height} pixels")
        size, mode = opened.size, opened.mode
        has_alpha = opened.has_transparency_data
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    digest = blake3(f"{upright.size}".encode() + upright.tobytes()).hexdigest()
    ground = Image.new("RGBA", upright.size, (128, 128, 128, 255))
    shown = Image.alpha_composite(ground, upright).convert("RGB") if has_alpha else upright.convert("RGB")
    bits = {"1": 1, "I": 32, "F": 32}.get(mode, 16 if "16" in mode else 8)
    return shown, PictureFacts(*size, digest, gradient_bits(shown), bits, mode, has_alpha)


def _by_ffmpeg(file: BinaryIO, header: MediaHeader) -> "tuple[Image, PictureFacts]":
    import av

    options = {"protocol_whitelist": ""}
    with av.open(file, format=BY_FFMPEG[header.format], options=options) as container:
        frame: Any = next(container.decode(container.streams.video[0]), None)
    if frame is None:
        raise ValueError("it is damaged: there is no picture that can be decoded")
    hasher = blake3(f"{frame.width}×{frame.height} {frame.format.name}".encode())
    for plane in frame.planes:
        hasher.update(memoryview(plane))
    shown: Image = _developed(frame) if header.format == "exr" else frame.reformat(format="rgb24").to_image()
    bits = max(part.bits for part in frame.format.components)
    name = frame.format.name
    facts = PictureFacts(frame.width, frame.height, hasher.hexdigest(), gradient_bits(shown), bits, name,
                         format_has_alpha(name))  # fmt: skip
    return shown, facts


def _developed(frame: Any) -> "Image":
    """Show linear light as screens do, by sRGB's curve: what FFmpeg's decoder did, until newer ones gave that up."""
    import numpy as np
    from PIL import Image

    light = np.clip(np.nan_to_num(frame.reformat(format="gbrpf32le").to_ndarray()), 0.0, 1.0)
    curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.rint(curved * 255).astype(np.uint8))
