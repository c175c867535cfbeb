"""An entry of the media index: what was found in one file by decoding it once.

    aura media index <version>\\n      the version of format and algorithms: another one is not an entry
    head length, 4 bytes, big endian
    BLAKE3 of the head, 32 bytes
    head                              MessagePack of `EntryHead`, which lists the sections
    sections                          zstd frames, one after the other, each with a BLAKE3 in the head

What is cut off, damaged or of another file fails a hash or a length, and is not an entry. Facts are read without the
sections.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from blake3 import blake3
from msgspec import Struct

from aura_vcs.codec import decode_packed
from aura_vcs.compression import NotDecodable, compress, decompress
from aura_vcs.formats.media.findings import AudioFacts, PictureFacts, SequenceFacts, TrackFacts, VideoFacts
from aura_vcs.formats.media.reader import MediaHeader

VERSION = 5
"""Raised when the format or an algorithm changes: entries of another version are made anew."""
START = b"aura media index %d\n" % VERSION
HEAD_LIMIT = 16 << 20
FIRST_BYTES = 8 << 10
"""So much is read at once: most heads are shorter."""
SECTION_LIMIT = 4 << 30
"""Bytes of a section, unpacked."""
GRID = (64, 36)
"""Columns and rows of the small picture of brightness that every frame is reduced to."""
COLOUR_GRID = (16, 9)
"""Those of its two pictures of colour."""
LUMA_BYTES = GRID[0] * GRID[1]
COLOUR_BYTES = 2 * COLOUR_GRID[0] * COLOUR_GRID[1]
BANDS = 6
"""Levels that are taken of a sound in each step of it."""
BAND_SECONDS = 0.01
DETAIL = (256, 144)
"""Pixels of the picture in colour that is kept of a still picture, for comparing."""


class StripFacts(Struct, frozen=True, omit_defaults=True):
    """The frames of a strip, side by side in one JPEG file: each of `width` × `height` pixels, shown at `times` (s)."""

    width: int
    height: int
    times: tuple[float, ...]


class EntrySection(Struct, frozen=True, array_like=True):
    """Where a part of the entry lies behind the head, and its hash."""

    offset: int
    stored: int
    size: int
    digest: str


class EntryHead(Struct, frozen=True, omit_defaults=True):
    """What is known of a file. `content` is its content id, `problem` why it could not be decoded.

    `partial` says in words what was left out, if anything was. `tracks` are streams besides the first ones.
    Of a `sequence` of pictures, `content` is its key, and the `times` of the strip are numbers of frames.
    """

    content: str
    header: MediaHeader | None = None
    video: VideoFacts | None = None
    sound: AudioFacts | None = None
    picture: PictureFacts | None = None
    strip: StripFacts | None = None
    wave_steps: tuple[float, ...] = ()
    problem: str = ""
    partial: str = ""
    tracks: tuple[TrackFacts, ...] = ()
    sequence: SequenceFacts | None = None
    sections: dict[str, EntrySection] = {}


@dataclass(frozen=True, slots=True)
class Waveform:
    """Lowest and highest samples (-32767 … 32767) in each step of `step_seconds`, per channel.

    `channels[n]` is low, high, low, high … of channel n.
    """

    step_seconds: float
    channels: tuple[Sequence[int], ...]


class NoEntryError(ValueError):
    """The bytes are no complete entry of this version and file."""


ReadAt = Callable[[int, int], bytes]
"""Reads so many bytes from an offset on, fewer at the end."""


class MediaEntry:
    """An entry that is there: facts in `head`, parts when they are asked for.

    Raises (whatever reads a part):
        NoEntryError: it is damaged, or gone meanwhile; whoever catches it makes the entry anew.
    """

    def __init__(self, head: EntryHead, read: ReadAt, base: int) -> None:
        self.head = head
        self._read = read
        self._base = base
        self._known: dict[str, bytes] = {}

    def section(self, name: str) -> bytes:
        """Read a part, checked; empty where the file has none such."""
        if name in self._known:
            return self._known[name]
        place = self.head.sections.get(name)
        if place is None:
            return b""
        try:
            data = self._read(self._base + place.offset, place.stored)
            if len(data) != place.stored or blake3(data).hexdigest() != place.digest:
                raise NoEntryError(name)
            found = decompress(data, length=place.size, limit=SECTION_LIMIT)
        except (OSError, NotDecodable) as error:
            raise NoEntryError(name) from error
        self._known[name] = found
        return found

    def poster(self) -> bytes:
        """Return a JPEG file: the frame that stands for a video, or a picture made small; empty for a sound."""
        return self.section("poster")

    def strip(self) -> bytes:
        """Return a JPEG file with frames of a video side by side, evenly spread; `head.strip` says which."""
        return self.section("strip")

    def times(self) -> Sequence[int]:
        """Return when each frame of a video is shown, in microseconds from the file's beginning."""
        return _numbers("q", self.section("times"))

    def luma(self) -> bytes:
        """Return the brightness of every frame, LUMA_BYTES each: rows of GRID from above, 0 to 255."""
        return self.section("luma")

    def colour(self) -> bytes:
        """Return the colour of every frame, COLOUR_BYTES each: Cb, then Cr, rows of COLOUR_GRID."""
        return self.section("colour")

    def alpha(self) -> bytes:
        """Return how opaque every frame is, as `luma`; empty where the video has no alpha."""
        return self.section("alpha")

    def hashes(self) -> Sequence[int]:
        """Return 64 bits for every frame that stay alike when it is re-encoded."""
        return _numbers("Q", self.section("hashes"))

    def bands(self) -> bytes:
        """Return the sound's levels, BANDS for every BAND_SECONDS: half decibels above -120."""
        return self.section("bands")

    def sample_hashes(self) -> Sequence[int]:
        """Return a CRC-32 of the samples in each step of the finest waveform."""
        return _numbers("I", self.section("samples"))

    def waveform(self, step_seconds: float = 0.0) -> Waveform | None:
        """Return the finest waveform whose steps are at least so long, or the coarsest; None without sound."""
        sound, steps = self.head.sound, self.head.wave_steps
        if sound is None or not steps:
            return None
        zoom = next((n for n, step in enumerate(steps) if step >= step_seconds * 0.999), len(steps) - 1)
        data = _numbers("h", self.section(f"wave-{zoom}"))
        length = len(data) // sound.channels
        return Waveform(steps[zoom], tuple(data[n * length : (n + 1) * length] for n in range(sound.channels)))

    def detail(self) -> bytes:
        """Return a still picture as RGB, DETAIL pixels; empty for others."""
        return self.section("detail")


def encode_entry(head: EntryHead, sections: Mapping[str, bytes]) -> bytes:
    """Encode an entry; the sections of `head` are replaced."""
    places, stored, offset = {}, [], 0
    for name, data in sections.items():
        packed = compress(data)
        places[name] = EntrySection(offset, len(packed), len(data), blake3(packed).hexdigest())
        stored.append(packed)
        offset += len(packed)
    encoded = msgspec.msgpack.encode(msgspec.structs.replace(head, sections=places))
    return b"".join([START, len(encoded).to_bytes(4, "big"), blake3(encoded).digest(), encoded, *stored])


def open_entry(read: ReadAt, content: str, size: int) -> MediaEntry:
    """Read the head of the entry for `content`, which has `size` bytes.

    Raises:
        NoEntryError: it is not complete, not of this version, or another file's.
    """
    base = len(START) + 36
    try:
        start = read(0, FIRST_BYTES)
        length = int.from_bytes(start[len(START) : len(START) + 4], "big")
        if start[: len(START)] != START or length > HEAD_LIMIT:
            raise NoEntryError("not an entry of this version")
        encoded = start[base : base + length]
        if len(encoded) < length:
            encoded += read(len(start), length - len(encoded))
        if blake3(encoded).digest() != start[base - 32 : base]:
            raise NoEntryError("damaged")
        head = decode_packed(encoded, EntryHead)
    except (OSError, msgspec.MsgspecError) as error:
        raise NoEntryError(str(error)) from error
    if head.content != content:
        raise NoEntryError("it is another file's")
    end = max((place.offset + place.stored for place in head.sections.values()), default=0)
    if size < base + length + end:
        raise NoEntryError("cut off")
    return MediaEntry(head, read, base + length)


def read_entry(data: bytes, content: str) -> MediaEntry:
    """Read an entry in memory; see `open_entry`."""
    return open_entry(lambda at, count: data[at : at + count], content, len(data))


def _numbers(kind: str, data: bytes) -> "array[int]":
    found: array[int] = array(kind)
    if len(data) % found.itemsize:
        raise NoEntryError("numbers that are cut off")
    found.frombytes(data)
    return found
