"""The beginning of Matroska and WebM files: size, length, codecs (RFC 8794, RFC 9559)."""

import struct
from collections.abc import Iterator

from aura_vcs.formats.media.reader import MediaHeader

ELEMENTS_LIMIT = 200
_SEGMENT, _INFO, _TRACKS, _ENTRY = 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE
_SCALE, _DURATION, _DOCTYPE = 0x2AD7B1, 0x4489, 0x4282
_TYPE, _CODEC, _VIDEO, _AUDIO = 0x83, 0x86, 0xE0, 0xE1
_WIDTH, _HEIGHT, _RATE, _CHANNELS = 0xB0, 0xBA, 0xB5, 0x9F


def read_matroska(data: bytes) -> MediaHeader:
    """Read the header of a Matroska or WebM file from its first bytes (64 KiB are plenty)."""
    name, scale, length = "mkv", 1_000_000, 0.0
    found: dict[str, int] = {}
    codecs: list[str] = []
    kinds: set[int] = set()
    for element, body in _walk(data, 0):
        if element == _DOCTYPE and body == b"webm":
            name = "webm"
        elif element == _SCALE:
            scale = int.from_bytes(body[:8], "big")
        elif element == _DURATION:
            length = _real(body)
        elif element == _TYPE:
            kinds.add(int.from_bytes(body[:8], "big"))
        elif element == _CODEC:
            codecs.append("".join(chr(c) for c in body[:40] if 32 < c < 127))
        elif element in (_WIDTH, _HEIGHT, _CHANNELS):
            found.setdefault(str(element), int.from_bytes(body[:8], "big"))
        elif element == _RATE:
            found.setdefault(str(element), int(min(1e9, max(0.0, _real(body)))))
    seconds = length * scale / 1e9
    return MediaHeader(
        "video" if 1 in kinds or not kinds else "sound",
        name,
        width=found.get(str(_WIDTH)),
        height=found.get(str(_HEIGHT)),
        seconds=seconds if 0 < seconds < 1e9 else None,
        rate=found.get(str(_RATE)),
        channels=found.get(str(_CHANNELS)),
        codecs=tuple(codecs[:16]),
    )


def _real(body: bytes) -> float:
    number: float = struct.unpack(">f" if len(body) == 4 else ">d", body[:8])[0]
    return number if abs(number) < 1e15 else 0.0


def _number(data: bytes, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """Read a variable-length number; return it and where it ends."""
    first = data[at]
    length = 9 - first.bit_length()
    if length > 8 or at + length > len(data):
        raise ValueError
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_mark else value & (1 << 7 * length) - 1), at + length


def _walk(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield elements in order, containers entered; stop at what is cut off, odd or too much."""
    inside = (_SEGMENT, _INFO, _TRACKS, _ENTRY, _VIDEO, _AUDIO, 0x1A45DFA3)
    for _ in range(ELEMENTS_LIMIT):
        try:
            element, at = _number(data, at, keep_mark=True)
            size, at = _number(data, at, keep_mark=False)
        except (ValueError, IndexError):
            return
        if element in inside:
            continue
        if at + size > len(data):
            return
        yield element, data[at : at + size]
        at += size
