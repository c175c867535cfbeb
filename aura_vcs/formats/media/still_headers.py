"""The beginning of TIFF, EXR, DPX, PSD and BMP files: size and bits, without any codec.

TIFF 6.0 (1992), OpenEXR file layout, SMPTE 268M (DPX), Adobe's file format specification (PSD). Every number comes
from the file and may be a lie: reads are few, and nothing is allocated by what a header claims.
"""

import struct

from aura_vcs.formats.media.reader import HeaderReader, MediaHeader

ENTRIES_LIMIT = 100
_WIDTH, _HEIGHT, _BITS = 256, 257, 258
_EXR_BITS = {0: 32, 1: 16, 2: 32}


def read_tiff(reader: HeaderReader) -> MediaHeader | None:
    """Read the first picture of a TIFF file."""
    order = "<" if reader.head[:2] == b"II" else ">"
    (start,) = struct.unpack(f"{order}I", reader.head[4:8])
    (count,) = struct.unpack(f"{order}H", reader.at(start, 2))
    found: dict[int, int] = {}
    for n in range(min(count, ENTRIES_LIMIT)):
        tag, kind, values, field = struct.unpack(f"{order}HHI4s", reader.at(start + 2 + 12 * n, 12))
        if tag not in (_WIDTH, _HEIGHT, _BITS) or kind not in (3, 4):
            continue
        short = kind == 3
        if values * (2 if short else 4) > 4:
            (place,) = struct.unpack(f"{order}I", field)
            field = reader.at(place, 4)
        found[tag] = struct.unpack(f"{order}{'H' if short else 'I'}", field[: 2 if short else 4])[0]
    if not found.get(_WIDTH) or not found.get(_HEIGHT):
        return None
    return MediaHeader("picture", "tiff", width=found[_WIDTH], height=found[_HEIGHT], bits=found.get(_BITS))


def read_exr(reader: HeaderReader) -> MediaHeader | None:
    """Read the first part of an OpenEXR file: its data window, and the depth of its first channel."""
    data = reader.some(8, 16_384)
    width = height = bits = None
    at = 0
    for _ in range(ENTRIES_LIMIT):
        name, at = _text(data, at)
        if not name:
            break
        kind, at = _text(data, at)
        (size,) = struct.unpack("<i", data[at : at + 4])
        value, at = data[at + 4 : at + 4 + max(0, size)], at + 4 + max(0, size)
        if name == b"dataWindow" and kind == b"box2i":
            left, top, right, bottom = struct.unpack("<4i", value[:16])
            width, height = right - left + 1, bottom - top + 1
        elif name == b"channels" and kind == b"chlist":
            _, end = _text(value, 0)
            bits = _EXR_BITS.get(int.from_bytes(value[end : end + 4], "little"))
    if not width or not height or width < 0 or height < 0:
        return None
    return MediaHeader("picture", "exr", width=width, height=height, bits=bits)


def _text(data: bytes, at: int) -> tuple[bytes, int]:
    """Return a name that a zero ends, and where it ends.

    Raises:
        ValueError: it does not end.
    """
    end = data.index(b"\0", at, at + 256)
    return data[at:end], end + 1


def read_dpx(reader: HeaderReader) -> MediaHeader:
    """Read a DPX file."""
    order = ">" if reader.head[:4] == b"SDPX" else "<"
    width, height = struct.unpack(f"{order}II", reader.at(772, 8))
    return MediaHeader("picture", "dpx", width=width, height=height, bits=reader.at(803, 1)[0] or None)


def read_psd(reader: HeaderReader) -> MediaHeader:
    """Read a Photoshop file; PSB, its large form, too."""
    _, height, width, bits = struct.unpack(">HIIH", reader.head[12:24])
    return MediaHeader("picture", "psd", width=width, height=height, bits=bits)


def read_bmp(reader: HeaderReader) -> MediaHeader:
    """Read a Windows bitmap."""
    width, height = struct.unpack("<ii", reader.head[18:26])
    return MediaHeader("picture", "bmp", width=abs(width), height=abs(height))
