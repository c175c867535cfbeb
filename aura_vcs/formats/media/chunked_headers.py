"""The beginning of files made of chunks: WAV with RF64 and BW64, W64, AIFF, AVI; and of MXF and AAC streams.

Microsoft's RIFF, EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64), Apple's AIFF-C, SMPTE ST 377-1 (MXF), ISO/IEC 13818-7
(ADTS). Reads are few and bounded, and nothing is allocated by what a header claims.
"""

import struct

from aura_vcs.formats.media.reader import HeaderReader, MediaHeader

_W64_FORMAT = bytes.fromhex("666d7420f3acd3118cd100c04f8edb8a")
_W64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_UNKNOWN = 0xFFFFFFFF
_MXF_SCAN = 64 << 10
_MXF_START = bytes.fromhex("060e2b34025301010d01010101")
_MXF_SETS = {0x28: "cdci", 0x29: "rgba", 0x51: "mpeg", 0x48: "wave", 0x47: "aes", 0x42: "sound"}
_MXF_SHOWN_WIDTH, _MXF_SHOWN_HEIGHT = 0x3209, 0x3208
_MXF_WIDTH, _MXF_HEIGHT, _MXF_RATE, _MXF_DURATION, _MXF_SAMPLING, _MXF_CHANNELS = (
    0x3203, 0x3202, 0x3001, 0x3002, 0x3D03, 0x3D07,
)  # fmt: skip


def read_wav(reader: HeaderReader) -> MediaHeader:
    """Read a WAV file, also one of more than 4 GiB (RF64, BW64) and a Broadcast Wave."""
    position, rate, channels, bits, per_second, data_bytes = 12, 0, 0, 0, 0, 0
    name = "wav" if reader.head[:4] == b"RIFF" else "rf64"
    while position + 8 <= reader.size:
        chunk, length = struct.unpack("<4sI", reader.at(position, 8))
        if chunk == b"ds64" and length >= 16:
            (data_bytes,) = struct.unpack("<Q", reader.at(position + 16, 8))
        if chunk == b"fmt " and length >= 16:
            _, channels, rate, per_second, _, bits = struct.unpack("<HHIIHH", reader.at(position + 8, 16))
        if chunk == b"data":
            length = data_bytes if length == _UNKNOWN and data_bytes else length
            length = min(length, reader.size - position - 8)
            seconds = length / per_second if per_second else None
            return MediaHeader("sound", name, seconds=seconds, rate=rate, channels=channels, bits=bits)
        position += 8 + length + length % 2
    return MediaHeader("sound", name, rate=rate or None, channels=channels or None, bits=bits or None)


def read_w64(reader: HeaderReader) -> MediaHeader:
    """Read a Wave64 file."""
    position, rate, channels, bits, per_second = 40, 0, 0, 0, 0
    while position + 24 <= reader.size:
        chunk, length = struct.unpack("<16sQ", reader.at(position, 24))
        if chunk == _W64_FORMAT:
            _, channels, rate, per_second, _, bits = struct.unpack("<HHIIHH", reader.at(position + 24, 16))
        if chunk == _W64_DATA:
            seconds = min(length - 24, reader.size - position - 24) / per_second if per_second else None
            return MediaHeader("sound", "w64", seconds=seconds, rate=rate, channels=channels, bits=bits)
        position += max(24, length + -length % 8)
    return MediaHeader("sound", "w64", rate=rate or None, channels=channels or None, bits=bits or None)


def read_aiff(reader: HeaderReader) -> MediaHeader:
    """Read an AIFF or AIFF-C file."""
    position = 12
    while position + 8 <= reader.size:
        chunk, length = struct.unpack(">4sI", reader.at(position, 8))
        if chunk == b"COMM" and length >= 18:
            channels, samples, bits, exponent, mantissa = struct.unpack(">HIHHQ", reader.at(position + 8, 18))
            rate = round(mantissa * 2.0 ** min(20, (exponent & 0x7FFF) - 16_383 - 63)) if mantissa else 0
            seconds = samples / rate if rate else None
            return MediaHeader("sound", "aiff", seconds=seconds, rate=rate or None, channels=channels, bits=bits)
        position += 8 + length + length % 2
    return MediaHeader("sound", "aiff")


def read_avi(reader: HeaderReader) -> MediaHeader:
    """Read the main header of an AVI file, and the codec of its first stream."""
    data = reader.some(12, 8_192)
    main = data.find(b"avih")
    if main < 0:
        return MediaHeader("video", "avi")
    per_frame, frames = struct.unpack("<I12xI", data[main + 8 : main + 28])
    width, height = struct.unpack("<II", data[main + 40 : main + 48])
    video = data.find(b"vids")
    name = "".join(chr(c) for c in data[video + 4 : video + 8] if 32 < c < 127) if video >= 0 else ""
    return MediaHeader(
        "video",
        "avi",
        width=width or None,
        height=height or None,
        seconds=frames * per_frame / 1e6 or None,
        frames_per_second=round(1e6 / per_frame, 3) if per_frame else None,
        codecs=(name,) if name else (),
    )


def read_mxf(reader: HeaderReader) -> MediaHeader:
    """Read the descriptors in the header of an MXF file: size, rate, length."""
    data = reader.some(0, _MXF_SCAN)
    found: dict[int, bytes] = {}
    kinds: set[str] = set()
    at = data.find(_MXF_START)
    while 0 <= at <= len(data) - 20:
        kind = _MXF_SETS.get(data[at + 14], "")
        size, inside = _ber(data, at + 16)
        if kind:
            kinds.add(kind)
            end = min(len(data), inside + size)
            while inside + 4 <= end:
                tag, length = struct.unpack(">HH", data[inside : inside + 4])
                found.setdefault(tag, data[inside + 4 : inside + 4 + length])
                inside += 4 + length
        at = data.find(_MXF_START, at + 16)
    rate = _ratio(found.get(_MXF_RATE, b""))
    duration = int.from_bytes(found.get(_MXF_DURATION, b""), "big")
    is_video = bool(kinds & {"cdci", "rgba", "mpeg"}) or not kinds
    return MediaHeader(
        "video" if is_video else "sound",
        "mxf",
        width=_number(found, _MXF_SHOWN_WIDTH) or _number(found, _MXF_WIDTH),
        height=_number(found, _MXF_SHOWN_HEIGHT) or _number(found, _MXF_HEIGHT),
        seconds=duration / rate if rate and 0 < duration < 1 << 48 else None,
        rate=round(_ratio(found.get(_MXF_SAMPLING, b""))) or None,
        channels=_number(found, _MXF_CHANNELS),
        frames_per_second=round(rate, 3) if is_video and 0 < rate < 1_000 else None,
    )


def _number(found: dict[int, bytes], tag: int) -> int | None:
    return int.from_bytes(found.get(tag, b"")[:4], "big") or None


def _ber(data: bytes, at: int) -> tuple[int, int]:
    """Read a length, and where it ends."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    return int.from_bytes(data[at + 1 : at + 1 + min(8, count)], "big"), at + 1 + count


def _ratio(value: bytes) -> float:
    if len(value) < 8:
        return 0.0
    above, below = struct.unpack(">ii", value[:8])
    return above / below if below > 0 and above > 0 else 0.0


def read_adts(reader: HeaderReader) -> MediaHeader | None:
    """Read the first frame of an AAC stream; its length is not said anywhere."""
    packed = int.from_bytes(reader.head[:4], "big")
    rate, channels = packed >> 10 & 15, packed >> 6 & 7
    if rate >= len(_AAC_RATES):
        return None
    return MediaHeader("sound", "aac", rate=_AAC_RATES[rate], channels=channels or None, codecs=("aac",))
