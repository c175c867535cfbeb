"""The bytes of a pack: frames, then a footer that says what lies where.

    magic      8 bytes  b"AURAPACK"
    frames     one after the other, without gaps
    footer     one zstd frame that holds, column by column:
               counts   <II  frames, entries
               frames   stored lengths <I each, decoded lengths <I each, codecs <B each
               entries  ids 32 bytes each, kinds <B each, frames <I each, offsets <I each, lengths <I each,
                        sorted by id, then kind
    trailer    <II32s8s  stored and decoded length of the footer, BLAKE3 of the decoded footer, b"AURAPEND"

All numbers are little-endian. The pack's name is the hash in its trailer, so a pack is known by
what it holds. Several objects share one zstd frame; a raw frame may hold chunks of media. Frames
begin where the one before ends, the first behind the magic. Columns compress better than rows.
"""

import struct
from collections.abc import Sequence
from itertools import accumulate

import msgspec
from blake3 import blake3

from aura_vcs.compression import THOROUGH_LEVEL, NotDecodable, compress, decompress
from aura_vcs.errors import RecordCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind

MAGIC = b"AURAPACK"
END_MAGIC = b"AURAPEND"
CODEC_RAW = 0
CODEC_ZSTD = 1
CODEC_SHUFFLED = 2
"""One zstd frame of the bytes at even places, then those at odd ones: for 16-bit sound."""

FRAME_LIMIT = 256 << 20
"""Decoded bytes of the largest frame; a footer that claims more is refused before anything is decoded."""
FOOTER_LIMIT = 512 << 20
"""Decoded bytes of the largest footer."""

_COUNTS = struct.Struct("<II")
_TRAILER = struct.Struct("<II32s8s")
_ID_BYTES = 32
_FRAME_BYTES = 9
_ENTRY_BYTES = 45
TRAILER_BYTES = _TRAILER.size

KIND_CODES = {Kind.BLOB: 1, Kind.TREE: 2, Kind.VERSION: 3, Kind.CHUNK: 4}
CHUNKED_BLOB = 17
"""A blob kept as the list of its chunks: `<32sI` id and length of each."""
_KINDS = {code: kind for kind, code in KIND_CODES.items()} | {CHUNKED_BLOB: Kind.BLOB}


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Where a frame lies in the pack, in bytes, and how it is encoded."""

    offset: int
    stored_length: int
    length: int
    codec: int


class PackEntry(msgspec.Struct, frozen=True, gc=False):
    """An object in a pack: which frame, and where in the decoded frame."""

    id: ObjectId
    kind: Kind
    frame: int
    offset: int
    length: int
    chunked: bool = False


class Footer(msgspec.Struct, frozen=True):
    """What a pack holds. `name` is the pack's name."""

    name: str
    frames: tuple[Frame, ...]
    entries: tuple[PackEntry, ...]


def encode_footer(frames: Sequence[Frame], entries: Sequence[PackEntry]) -> tuple[str, bytes]:
    """The pack's name, and its footer and trailer."""
    records = sorted(
        (
            bytes.fromhex(entry.id),
            CHUNKED_BLOB if entry.chunked else KIND_CODES[entry.kind],
            entry.frame,
            entry.offset,
            entry.length,
        )
        for entry in entries
    )
    ids, kinds, numbers, offsets, lengths = zip(*records, strict=True) if records else ((), (), (), (), ())
    footer = b"".join(
        (
            _COUNTS.pack(len(frames), len(entries)),
            _column("I", [frame.stored_length for frame in frames]),
            _column("I", [frame.length for frame in frames]),
            _column("B", [frame.codec for frame in frames]),
            *ids,
            _column("B", kinds),
            _column("I", numbers),
            _column("I", offsets),
            _column("I", lengths),
        )
    )
    digest = blake3(footer).digest()
    stored = compress(footer, THOROUGH_LEVEL)
    return digest.hex(), stored + _TRAILER.pack(len(stored), len(footer), digest, END_MAGIC)


def _column(code: str, values: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(values)}{code}", *values)


def footer_length(trailer: bytes, pack_bytes: int, path: str) -> int:
    """How many bytes before the trailer are the footer.

    Raises:
        RecordCorrupt: this is not the end of a pack.
    """
    if len(trailer) != TRAILER_BYTES or trailer[-8:] != END_MAGIC:
        raise RecordCorrupt(path, "it does not end as a pack does (cut off?)")
    stored_length, length, _, _ = _TRAILER.unpack(trailer)
    if stored_length > pack_bytes - TRAILER_BYTES - len(MAGIC) or length > FOOTER_LIMIT:
        raise RecordCorrupt(path, "its footer claims an impossible length")
    return int(stored_length)


def decode_footer(stored: bytes, trailer: bytes, path: str) -> Footer:
    """What the footer says, checked against its hash and against itself.

    Raises:
        RecordCorrupt: the hash does not fit, or frames and entries contradict each other.
    """
    reader = _Columns(_decoded_footer(stored, trailer, path), path)
    frames = reader.take_frames()
    digests = reader.take_ids(reader.entry_count)
    codes = reader.take("B", reader.entry_count)[0]
    numbers, offsets, lengths = reader.take("I", reader.entry_count, 3)
    try:
        entries = tuple(
            PackEntry(ObjectId(digest), _KINDS[code], number, offset, length, code == CHUNKED_BLOB)
            for digest, code, number, offset, length in zip(digests, codes, numbers, offsets, lengths, strict=True)
        )
    except KeyError as error:
        raise RecordCorrupt(path, f"it holds an object of the unknown kind {error}") from error
    for entry in entries:
        if entry.frame >= len(frames) or entry.offset + entry.length > frames[entry.frame].length:
            raise RecordCorrupt(path, f"object {entry.id} lies outside its frame")
    return Footer(pack_name(trailer), frames, entries)


def decode_frames(stored: bytes, trailer: bytes, path: str) -> tuple[Frame, ...]:
    """The frames alone, for a reader who knows which one it wants: there may be very many entries.

    Raises:
        RecordCorrupt: the hash does not fit, or a frame cannot be.
    """
    return _Columns(_decoded_footer(stored, trailer, path), path).take_frames()


def pack_name(trailer: bytes) -> str:
    """The name of the pack that ends like this."""
    name: bytes = _TRAILER.unpack(trailer)[2]
    return name.hex()


def _decoded_footer(stored: bytes, trailer: bytes, path: str) -> bytes:
    _, length, digest, _ = _TRAILER.unpack(trailer)
    try:
        footer = decompress(stored, length=length, limit=FOOTER_LIMIT)
    except NotDecodable as error:
        raise RecordCorrupt(path, f"the footer does not decode ({error})") from error
    if len(footer) < _COUNTS.size or blake3(footer).digest() != digest:
        raise RecordCorrupt(path, "the footer does not hash to what the pack says")
    return footer


class _Columns:
    """Reads the footer's columns one after the other."""

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._at = _COUNTS.size
        self._frame_count, self.entry_count = _COUNTS.unpack_from(data)
        if len(data) != self._at + self._frame_count * _FRAME_BYTES + self.entry_count * _ENTRY_BYTES:
            raise RecordCorrupt(path, "the footer's length does not fit its counts")

    def take_frames(self) -> tuple[Frame, ...]:
        """The frames, whose columns come first."""
        stored_lengths, lengths = self.take("I", self._frame_count, 2)
        return _frames(stored_lengths, lengths, self.take("B", self._frame_count)[0], self._path)

    def take(self, code: str, count: int, columns: int = 1) -> list[tuple[int, ...]]:
        """The next columns of `count` numbers."""
        found = []
        for _ in range(columns):
            layout = struct.Struct(f"<{count}{code}")
            found.append(layout.unpack_from(self._data, self._at))
            self._at += layout.size
        return found

    def take_ids(self, count: int) -> list[str]:
        """The next `count` ids."""
        end = self._at + count * _ID_BYTES
        text = self._data[self._at : end].hex()
        self._at = end
        return [text[start : start + 2 * _ID_BYTES] for start in range(0, len(text), 2 * _ID_BYTES)]


def _frames(stored: tuple[int, ...], lengths: tuple[int, ...], codecs: tuple[int, ...], path: str) -> tuple[Frame, ...]:
    offsets = accumulate(stored, initial=len(MAGIC))
    frames = tuple(Frame(*values) for values in zip(offsets, stored, lengths, codecs, strict=False))
    for frame in frames:
        if frame.codec not in {CODEC_RAW, CODEC_ZSTD, CODEC_SHUFFLED}:
            raise RecordCorrupt(path, f"a frame has the unknown codec {frame.codec}")
        if frame.length > FRAME_LIMIT or (frame.codec == CODEC_RAW and frame.length != frame.stored_length):
            raise RecordCorrupt(path, "a frame claims an impossible length")
    return frames
