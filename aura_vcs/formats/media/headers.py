"""What the headers of a media file tell, without any codec and without reading the media.

PNG, JPEG, GIF, WebP, TIFF, EXR, DPX, PSD, BMP, WAV (RF64, W64), AIFF, FLAC, MP3, AAC, Ogg, MP4/MOV, Matroska/WebM,
AVI and MXF. Every number comes from the file and may be a lie: nothing is allocated or looped by what a header claims,
reads are few and bounded (`READS_LIMIT`), and anything odd ends in less information, never in an error.
"""

import struct

from aura_vcs.formats.media.chunked_headers import read_adts, read_aiff, read_avi, read_mxf, read_w64, read_wav
from aura_vcs.formats.media.matroska import read_matroska
from aura_vcs.formats.media.mp4 import read_movie
from aura_vcs.formats.media.reader import HeaderReader, HeaderSource, MediaHeader, NothingMoreError
from aura_vcs.formats.media.still_headers import read_bmp, read_dpx, read_exr, read_psd, read_tiff

_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_MP3_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def read_header(source: HeaderSource) -> MediaHeader | None:
    """Read the facts in the file's header, None for what is not known media. Never raises for any bytes."""
    try:
        reader = HeaderReader(source)
        for matches, read in _FORMATS:
            if matches(reader.head):
                return read(reader)
    except (NothingMoreError, struct.error, ValueError, OverflowError, IndexError):
        return None
    return None


def _png(reader: HeaderReader) -> MediaHeader:
    width, height, bits = struct.unpack(">IIB", reader.head[16:25])
    return MediaHeader("picture", "png", width=width, height=height, bits=bits)


def _gif(reader: HeaderReader) -> MediaHeader:
    width, height = struct.unpack("<HH", reader.head[6:10])
    return MediaHeader("picture", "gif", width=width, height=height)


def _jpeg(reader: HeaderReader) -> MediaHeader:
    position = 2
    while True:
        marker, length = struct.unpack(">HH", reader.at(position, 4))
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            bits, height, width = struct.unpack(">BHH", reader.at(position + 4, 5))
            return MediaHeader("picture", "jpeg", width=width, height=height, bits=bits)
        if marker & 0xFF00 != 0xFF00 or length < 2 or marker == 0xFFDA:
            return MediaHeader("picture", "jpeg")
        position += 2 + length


def _webp(reader: HeaderReader) -> MediaHeader:
    chunk = reader.head[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(reader.head[24:27], "little") + 1
        height = int.from_bytes(reader.head[27:30], "little") + 1
    elif chunk == b"VP8L":
        packed = int.from_bytes(reader.head[21:25], "little")
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    else:
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", reader.head[26:30]))
    return MediaHeader("picture", "webp", width=width, height=height)


def _flac(reader: HeaderReader) -> MediaHeader:
    packed = int.from_bytes(reader.head[18:26], "big")
    rate, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    samples = packed & (1 << 36) - 1
    seconds = samples / rate if rate and samples else None
    return MediaHeader("sound", "flac", seconds=seconds, rate=rate or None, channels=channels, bits=bits)


def _ogg(reader: HeaderReader) -> MediaHeader:
    start = reader.some(0, 4_096)
    rate, channels = 0, 0
    vorbis, opus = start.find(b"\x01vorbis"), start.find(b"OpusHead")
    if vorbis >= 0:
        channels, rate = struct.unpack("<BI", start[vorbis + 11 : vorbis + 16])
    elif opus >= 0:
        channels, rate = start[opus + 9], 48_000
    tail = reader.some(max(0, reader.size - 65_536), 65_536)
    last = tail.rfind(b"OggS")
    seconds = None
    if rate and last >= 0 and last + 14 <= len(tail):
        samples = int.from_bytes(tail[last + 6 : last + 14], "little", signed=True)
        seconds = samples / rate if samples > 0 else None
    return MediaHeader("sound", "ogg", seconds=seconds, rate=rate or None, channels=channels or None)


def _mp3(reader: HeaderReader) -> MediaHeader | None:
    position = 0
    if reader.head.startswith(b"ID3"):
        a, b, c, d = (byte & 0x7F for byte in reader.head[6:10])
        position = 10 + (a << 21 | b << 14 | c << 7 | d)
    frame = reader.some(position, 4_096)
    header = int.from_bytes(frame[:4], "big")
    version, layer, kbits, rate = header >> 19 & 3, header >> 17 & 3, header >> 12 & 15, header >> 10 & 3
    if header >> 21 != 0x7FF or version == 1 or layer != 1 or kbits in (0, 15) or rate == 3:
        return None if position == 0 else MediaHeader("sound", "mp3")
    hertz = _MP3_RATES[version][rate]
    channels = 1 if header >> 6 & 3 == 3 else 2
    bits_per_second = (_MP3_KBITS_1 if version == 3 else _MP3_KBITS_2)[kbits] * 1000
    per_frame = 1152 if version == 3 else 576
    seconds = (reader.size - position) * 8 / bits_per_second
    for mark in (b"Xing", b"Info"):
        at = frame.find(mark, 0, 64)
        if at >= 0 and len(frame) >= at + 12 and frame[at + 7] & 1:
            seconds = int.from_bytes(frame[at + 8 : at + 12], "big") * per_frame / hertz
    return MediaHeader("sound", "mp3", seconds=seconds, rate=hertz, channels=channels)


def _matroska(reader: HeaderReader) -> MediaHeader:
    return read_matroska(reader.some(0, 65_536))


def _is_mp3(head: bytes) -> bool:
    return head.startswith(b"ID3") or (len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2)


_FORMATS = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), _png),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), _gif),
    (lambda head: head.startswith(b"\xff\xd8\xff"), _jpeg),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _webp),
    (lambda head: head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE", read_wav),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI ", read_avi),
    (lambda head: head.startswith(b"riff\x2e\x91\xcf\x11"), read_w64),
    (lambda head: head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"), read_aiff),
    (lambda head: head.startswith((b"II*\0", b"MM\0*")), read_tiff),
    (lambda head: head.startswith(b"v/1\x01"), read_exr),
    (lambda head: head.startswith((b"SDPX", b"XPDS")), read_dpx),
    (lambda head: head.startswith((b"8BPS\0\x01", b"8BPS\0\x02")), read_psd),
    (lambda head: head[:2] == b"BM" and head[6:10] == b"\0\0\0\0", read_bmp),
    (lambda head: head.startswith(b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02"), read_mxf),
    (lambda head: len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0, read_adts),
    (lambda head: head.startswith(b"fLaC"), _flac),
    (lambda head: head.startswith(b"OggS"), _ogg),
    (lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"), read_movie),
    (lambda head: head.startswith(b"\x1a\x45\xdf\xa3"), _matroska),
    (_is_mp3, _mp3),
)
