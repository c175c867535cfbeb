"""Where a file carries a C2PA manifest: told by the shape of the file, without reading the manifest.

Every number comes from the file and may be a lie: reads are few and bounded (see `HeaderReader`). Source: C2PA
technical specification 2.2, appendix A.
"""

import struct

from aura_vcs.formats.media.reader import HeaderReader, HeaderSource, NothingMoreError

_PARTS = 60
_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_PNG = b"\x89PNG\r\n\x1a\n"
_MPEG4 = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}


def manifest_format(source: HeaderSource) -> str:
    """Return the media type of a file that carries a manifest; "" where none is seen. Never raises for any bytes."""
    try:
        reader = HeaderReader(source)
        head = reader.head
        if head.startswith(_PNG):
            return _png(reader)
        if head.startswith(b"\xff\xd8"):
            return _jpeg(reader)
        if head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"WEBP", b"AVI "):
            return _riff(reader)
        if head[4:8] == b"ftyp":
            return _mpeg4(reader)
        if head.startswith(b"ID3"):
            return _mp3(reader)
    except (NothingMoreError, struct.error, ValueError, OverflowError):
        pass
    return ""


def _png(reader: HeaderReader) -> str:
    position = len(_PNG)
    for _ in range(_PARTS):
        length, name = struct.unpack(">I4s", reader.at(position, 8))
        if name == b"caBX":
            return "image/png"
        if name == b"IDAT":  # it stands before the picture
            break
        position += 12 + length
    return ""


def _jpeg(reader: HeaderReader) -> str:
    position = 2
    for _ in range(_PARTS):
        marker, length = struct.unpack(">HH", reader.at(position, 4))
        if marker & 0xFF00 != 0xFF00 or length < 2 or marker == 0xFFDA:
            break
        if marker == 0xFFEB and length >= 18 and reader.at(position + 4, 2) == b"JP":
            return "image/jpeg"
        position += 2 + length
    return ""


def _riff(reader: HeaderReader) -> str:
    position = 12
    for _ in range(_PARTS):
        name, size = struct.unpack("<4sI", reader.at(position, 8))
        if name == b"C2PA":
            kinds = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
            return kinds.get(reader.head[8:12], "video/avi")
        position += 8 + size + size % 2
    return ""


def _mpeg4(reader: HeaderReader) -> str:
    position = 0
    for _ in range(_PARTS):
        size, name = struct.unpack(">I4s", reader.at(position, 8))
        start = 8
        if size == 1:
            (size,) = struct.unpack(">Q", reader.at(position + 8, 8))
            start = 16
        if name == b"uuid" and reader.at(position + start, 16) == _UUID:
            return _MPEG4.get(reader.head[8:12], "video/mp4")
        if size < 8:
            break
        position += size
    return ""


def _mp3(reader: HeaderReader) -> str:
    major = reader.head[3]
    a, b, c, d = reader.head[6:10]
    end = 10 + ((a & 127) << 21 | (b & 127) << 14 | (c & 127) << 7 | (d & 127))
    position = 10
    for _ in range(_PARTS if major in (3, 4) else 0):
        name, size, _ = struct.unpack(">4sIH", reader.at(position, 10))
        if major == 4:
            size = (size >> 24 & 127) << 21 | (size >> 16 & 127) << 14 | (size >> 8 & 127) << 7 | (size & 127)
        if not name.strip(b"\0") or position + 10 + size > end:
            break
        if name == b"GEOB" and b"c2pa" in reader.some(position + 10, 64):
            return "audio/mpeg"
        position += 10 + size
    return ""
