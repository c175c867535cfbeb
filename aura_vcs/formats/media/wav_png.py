"""What a media file is: duration, size, codecs; and how to read it from a header with the standard library.

Only WAV and PNG are read here, the two that studios write without FFmpeg. Headers are data from
strangers: every number is checked, nothing is allocated by what a header claims.
"""

import struct
from typing import BinaryIO

import msgspec

_LONGEST_SKIP = 16 * 1024 * 1024
_MOST_CHUNKS = 64
_PCM = {1: "pcm", 3: "pcm_f32", 6: "pcm_alaw", 7: "pcm_mulaw", 0xFFFE: "pcm"}


class HeaderFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What could be found out; None for what does not apply or is not written in the file."""

    container: str
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None


def read_header(stream: BinaryIO) -> HeaderFacts | None:
    """Read the facts of a WAV or PNG from its first bytes; None for anything else or a broken header.

    Reads forward only, at most 16 MiB, and keeps no more than 64 KiB of it.
    """
    start = _exactly(stream, 12)
    if start is None:
        return None
    if start[:4] == b"RIFF" and start[8:] == b"WAVE":
        return _wav(stream)
    if start[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(start[8:], stream)
    return None


def _png(length: bytes, stream: BinaryIO) -> HeaderFacts | None:
    header = _exactly(stream, 12)
    if header is None or length != b"\x00\x00\x00\x0d" or header[:4] != b"IHDR":
        return None
    width, height = struct.unpack(">II", header[4:])
    if not 0 < width <= 0x7FFFFFFF or not 0 < height <= 0x7FFFFFFF:
        return None
    return HeaderFacts("png", width=width, height=height, video_codec="png")


def _wav(stream: BinaryIO) -> HeaderFacts | None:
    form: tuple[int, int, int, int, int, int] | None = None
    for _ in range(_MOST_CHUNKS):
        head = _exactly(stream, 8)
        if head is None:
            return None
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if name == b"data":
            return _wav_facts(form, size)
        if name == b"fmt ":
            body = _exactly(stream, size) if 16 <= size <= 1024 else None
            if body is None:
                return None
            form = struct.unpack("<HHIIHH", body[:16])
            size = size & 1
        else:
            size += size & 1
        if not _skip(stream, size):
            return None
    return None


def _wav_facts(form: tuple[int, int, int, int, int, int] | None, size: int) -> HeaderFacts | None:
    if form is None:
        return None
    tag, channels, rate, _, block, bits = form
    if not channels or not rate or not block:
        return None
    if tag not in _PCM:
        return HeaderFacts("wav", audio_codec=f"wav_{tag:#06x}", sample_rate_hz=rate, channels=channels)
    codec = _PCM[tag] if tag in (3, 6, 7) else f"pcm_u{bits}" if bits == 8 else f"pcm_s{bits}le"
    known = size not in (0, 0xFFFFFFFF)  # a recorder that was cut off, or a file over 4 GiB
    duration = size // block / rate if known else None
    return HeaderFacts("wav", duration_seconds=duration, audio_codec=codec, sample_rate_hz=rate, channels=channels)


def _exactly(stream: BinaryIO, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        more = stream.read(count - len(data))
        if not more:
            return None
        data += more
    return data


def _skip(stream: BinaryIO, count: int) -> bool:
    if count > _LONGEST_SKIP:
        return False
    while count > 0:
        more = stream.read(min(count, 65536))
        if not more:
            return False
        count -= len(more)
    return True
