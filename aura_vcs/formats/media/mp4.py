"""The boxes of MP4 and QuickTime files, as far as they tell size, length, codecs and frame rate.

Boxes are walked, not loaded; the media data between them is never read (ISO/IEC 14496-12).
"""

import struct
from collections.abc import Iterator

from msgspec import Struct

from aura_vcs.formats.media.reader import HeaderReader, MediaHeader

BOXES_LIMIT = 64
TRACKS_LIMIT = 16


class _Track(Struct):
    handler: str = ""
    codec: str = ""
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    samples: int = 0
    rate: int = 0
    channels: int = 0


def read_movie(reader: HeaderReader) -> MediaHeader:
    """Read the header of an MP4 or MOV file."""
    size, head = reader.size, reader.head
    name = "mov" if head[8:12] == b"qt  " or head[4:8] != b"ftyp" else "mp4"
    tracks: list[_Track] = []
    seconds = 0.0
    for kind, start, end in _boxes(reader, 0, size):
        if kind != b"moov":
            continue
        for inner, low, high in _boxes(reader, start, end):
            if inner == b"mvhd":
                seconds = _duration(reader, low)
            elif inner == b"trak" and len(tracks) < TRACKS_LIMIT:
                tracks.append(_track(reader, low, high))
        break
    video = next((track for track in tracks if track.handler == "vide"), None)
    sound = next((track for track in tracks if track.handler == "soun"), None)
    return MediaHeader(
        "video" if video or not sound else "sound",
        name if video or not sound else "m4a",
        width=video.width if video and video.width else None,
        height=video.height if video and video.height else None,
        seconds=seconds or None,
        rate=sound.rate if sound and sound.rate else None,
        channels=sound.channels if sound and sound.channels else None,
        frames_per_second=_frame_rate(video),
        codecs=tuple(track.codec for track in tracks if track.codec),
    )


def _frame_rate(video: _Track | None) -> float | None:
    if video is None or not video.samples or not video.seconds:
        return None
    return round(video.samples / video.seconds, 3)


def _boxes(reader: HeaderReader, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of content, end) of the boxes in a stretch of the file, at most `BOXES_LIMIT`."""
    for _ in range(BOXES_LIMIT):
        if start + 8 > end:
            return
        size, kind = struct.unpack(">I4s", reader.at(start, 8))
        inside = start + 8
        if size == 1:
            size, inside = int.from_bytes(reader.at(start + 8, 8), "big"), start + 16
        elif size == 0:
            size = end - start
        if size < inside - start or start + size > end:
            return
        yield kind, inside, start + size
        start += size


def _duration(reader: HeaderReader, start: int) -> float:
    """Read the seconds that an mvhd or mdhd box claims."""
    if reader.at(start, 1) == b"\x01":
        scale, length = struct.unpack(">IQ", reader.at(start + 20, 12))
        unknown = 2**64 - 1
    else:
        scale, length = struct.unpack(">II", reader.at(start + 12, 8))
        unknown = 2**32 - 1
    return length / scale if scale and length != unknown else 0.0


def _track(reader: HeaderReader, start: int, end: int) -> _Track:
    track = _Track()
    for kind, low, high in _boxes(reader, start, end):
        if kind == b"tkhd" and high - low >= 84:
            width, height = struct.unpack(">II", reader.at(high - 8, 8))
            track.width, track.height = width >> 16, height >> 16
        elif kind == b"mdia":
            _media(reader, low, high, track)
    return track


def _media(reader: HeaderReader, start: int, end: int, track: _Track) -> None:
    for kind, low, high in _boxes(reader, start, end):
        if kind == b"mdhd":
            track.seconds = _duration(reader, low)
        elif kind == b"hdlr":
            track.handler = reader.at(low + 8, 4).decode("latin-1")
        elif kind == b"minf":
            for inner, inner_low, inner_high in _boxes(reader, low, high):
                if inner == b"stbl":
                    _samples(reader, inner_low, inner_high, track)


def _samples(reader: HeaderReader, start: int, end: int, track: _Track) -> None:
    for kind, low, high in _boxes(reader, start, end):
        if kind == b"stsd" and high - low >= 16:
            name = reader.at(low + 12, 4).decode("latin-1")
            track.codec = "".join(c for c in name if c.isalnum() or c in "-._ ").strip()
            if track.handler == "soun" and high - low >= 44:
                track.channels, _, _, _, track.rate = struct.unpack(">HHHHH", reader.at(low + 32, 10))
        elif kind == b"stsz":
            track.samples = int.from_bytes(reader.at(low + 8, 4), "big")
