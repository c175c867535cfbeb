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
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import overload

import msgspec
from blake3 import blake3

from aura_vcs.compression import LEVEL, THOROUGH_LEVEL, NotDecodable, compress, decompress
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind

MAGIC = b"AURAPACK"
PACK_BYTES = 64 << 20
"""How large a full pack is, about."""
END_MAGIC = b"AURAPEND"
CODEC_RAW = 0
CODEC_ZSTD = 1
CODEC_SHUFFLED = 2
"""One zstd frame of the bytes at even places, then those at odd ones: for 16-bit sound."""
CODEC_UNWRAPPED = 3
"""One zstd frame of what is in gzip files and ZIP archives, which are written again: see `unwrapped`."""
CODEC_UNWRAPPED_TWICE = 4
"""The same, and its zstd frame in another one: of large files, what repeats is said for each 128 KiB, always alike."""
UNWRAPPED_CODECS = frozenset({CODEC_UNWRAPPED, CODEC_UNWRAPPED_TWICE})

FRAME_LIMIT = 256 << 20
"""Decoded bytes of the largest frame; a footer that claims more is refused before anything is decoded."""
SHUFFLED_LIMIT = 64 << 20
"""The same of a shuffled frame, which takes three times its size while it is put in order."""
UNWRAPPED_LIMIT = 128 << 20
"""The same of an unwrapped frame, and what it holds before the files are written again."""
TWICE_LIMIT = 512 << 20
"""The same of one with codec 4."""
PARTS_LIMIT = 1 << 18
"""How many parts an unwrapped frame has at most."""
FOOTER_LIMIT = 512 << 20
"""Decoded bytes of the largest footer."""
_LIMITS = {
    CODEC_RAW: FRAME_LIMIT,
    CODEC_ZSTD: FRAME_LIMIT,
    CODEC_SHUFFLED: SHUFFLED_LIMIT,
    CODEC_UNWRAPPED: UNWRAPPED_LIMIT,
    CODEC_UNWRAPPED_TWICE: TWICE_LIMIT,
}

_COUNTS = struct.Struct("<II")
_TRAILER = struct.Struct("<II32s8s")
_ID_BYTES = 32
_FRAME_BYTES = 9
_ENTRY_BYTES = 45
_SMALL_FOOTER = 64 << 10
"""A larger one is nearly all ids, which do not compress however long one tries."""
_ROWS_AT_ONCE = 4096
_PICKED_SHARE = 8
"""From one object in so many on, it is quicker to go through all."""
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

    def share_of(self, entry: "PackEntry") -> int:
        """Return an object's part of the frame's stored bytes."""
        return entry.length * self.stored_length // self.length if self.length else 0


class PackEntry(msgspec.Struct, frozen=True, gc=False):
    """An object in a pack: which frame, and where in the decoded frame."""

    id: ObjectId
    kind: Kind
    frame: int
    offset: int
    length: int
    chunked: bool = False


class Entries(Sequence[PackEntry]):
    """The objects of a pack, read from the footer's columns where they lie: there may be very many."""

    def __init__(self, columns: bytes, start: int, count: int) -> None:
        self._columns = columns
        self._count = count
        self._ids = start
        self._codes = start + count * _ID_BYTES
        self._numbers = self._codes + count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> PackEntry: ...

    @overload
    def __getitem__(self, number: slice) -> tuple[PackEntry, ...]: ...

    def __getitem__(self, number: int | slice) -> PackEntry | tuple[PackEntry, ...]:
        if isinstance(number, slice):
            return tuple(self[one] for one in range(self._count)[number])
        return next(self._from(range(self._count)[number], 1))

    def __iter__(self) -> Iterator[PackEntry]:
        for start in range(0, self._count, _ROWS_AT_ONCE):
            yield from self._from(start, min(_ROWS_AT_ONCE, self._count - start))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def find(self, object_id: ObjectId) -> PackEntry | None:
        """Find the object with this id, the first of several."""
        at = self.place_of(object_id)
        return None if at < 0 else self[at]

    def place_of(self, object_id: ObjectId) -> int:
        """Return the number of the object with this id, the first of several; -1 where there is none."""
        digest, end = bytes.fromhex(object_id), self._codes
        at = self._columns.find(digest, self._ids, end)
        while at >= 0 and (at - self._ids) % _ID_BYTES:
            at = self._columns.find(digest, at + 1, end)
        return -1 if at < 0 else (at - self._ids) // _ID_BYTES

    def ids(self) -> list[ObjectId]:
        """Return the ids of all objects, in their order."""
        return ids_in(self._columns[self._ids : self._codes])

    def pick(self, numbers: Sequence[int]) -> Iterator[PackEntry]:
        """Return the objects of these numbers, which rise; quick for very many."""
        if len(numbers) * _PICKED_SHARE < self._count:
            return map(self.__getitem__, numbers)
        chosen = set(numbers)
        return (entry for number, entry in enumerate(self) if number in chosen)

    def chunked(self) -> Iterator[PackEntry]:
        """Yield the blobs that are stored as lists of their chunks."""
        at = self._columns.find(CHUNKED_BLOB, self._codes, self._numbers)
        while at >= 0:
            yield self[at - self._codes]
            at = self._columns.find(CHUNKED_BLOB, at + 1, self._numbers)

    def check(self, frames: Sequence[Frame], path: str) -> None:
        """Check that every object is of a known kind and lies in its frame.

        Raises:
            RecordCorrupt: one is not, or does not.
        """
        lengths = [frame.length for frame in frames]
        if unknown := set(self._columns[self._codes : self._numbers]) - _KINDS.keys():
            raise RecordCorrupt(path, f"it holds an object of the unknown kind {min(unknown)}")
        for start in range(0, self._count, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, self._count - start)
            for frame, offset, length in zip(*self._places(start, count), strict=True):
                if frame >= len(lengths) or offset + length > lengths[frame]:
                    raise RecordCorrupt(path, "an object lies outside its frame")

    def _from(self, start: int, count: int) -> Iterator[PackEntry]:
        first = self._ids + start * _ID_BYTES
        ids = ids_in(self._columns[first : first + count * _ID_BYTES])
        codes = self._columns[self._codes + start : self._codes + start + count]
        numbers, offsets, lengths = self._places(start, count)
        kinds = [_KINDS[code] for code in codes]
        chunked = [code == CHUNKED_BLOB for code in codes]
        yield from map(PackEntry, ids, kinds, numbers, offsets, lengths, chunked)

    def _places(self, start: int, count: int) -> list[tuple[int, ...]]:
        """Return frame numbers, offsets and lengths of some objects."""
        layout, step, at = f"<{count}I", 4 * self._count, self._numbers + 4 * start
        return [struct.unpack_from(layout, self._columns, at + column * step) for column in range(3)]


def ids_in(digests: bytes) -> list[ObjectId]:
    """Split bytes into the ids that lie one behind the other."""
    digits = digests.hex()
    return [digits[at : at + 2 * _ID_BYTES] for at in range(0, len(digits), 2 * _ID_BYTES)]  # type: ignore[misc]


class Footer(msgspec.Struct, frozen=True):
    """What a pack holds. `name` is the pack's name."""

    name: str
    frames: tuple[Frame, ...]
    entries: Sequence[PackEntry]

    def ids(self) -> list[ObjectId]:
        """Return the ids of all objects, in the order of `entries`."""
        if isinstance(self.entries, Entries):
            return self.entries.ids()
        return [entry.id for entry in self.entries]

    def pick(self, numbers: Sequence[int]) -> Iterator[PackEntry]:
        """Return the objects of these numbers, which rise."""
        if isinstance(self.entries, Entries):
            return self.entries.pick(numbers)
        return map(self.entries.__getitem__, numbers)

    def chunked(self) -> Iterator[PackEntry]:
        """Return the blobs that are stored as lists of their chunks."""
        if isinstance(self.entries, Entries):
            return self.entries.chunked()
        return (entry for entry in self.entries if entry.chunked)

    def place_of(self, object_id: ObjectId) -> int:
        """Return the number of the object with this id; -1 if the pack does not hold it."""
        if isinstance(self.entries, Entries):
            return self.entries.place_of(object_id)
        return next((number for number, entry in enumerate(self.entries) if entry.id == object_id), -1)

    def find(self, object_id: ObjectId) -> PackEntry | None:
        """Find the object with this id, if the pack holds it."""
        if isinstance(self.entries, Entries):
            return self.entries.find(object_id)
        return next((entry for entry in self.entries if entry.id == object_id), None)


def has_unwrapped(frames: Sequence[Frame]) -> bool:
    """Tell whether one of the frames has files that are written again when they are read."""
    return any(frame.codec in UNWRAPPED_CODECS for frame in frames)


def has_twice(frames: Sequence[Frame]) -> bool:
    """Tell whether a frame has codec 4, which has a feature of its own."""
    return any(frame.codec == CODEC_UNWRAPPED_TWICE for frame in frames)


def encode_footer(frames: Sequence[Frame], entries: Sequence[PackEntry]) -> tuple[str, bytes]:
    """Encode a pack's footer and trailer; return the pack's name and those bytes."""
    ordered = sorted(entries, key=attrgetter("id"))
    codes = [CHUNKED_BLOB if entry.chunked else KIND_CODES[entry.kind] for entry in ordered]
    of_frames, of_entries = f"<{len(frames)}I", f"<{len(ordered)}I"
    footer = b"".join(
        (
            _COUNTS.pack(len(frames), len(entries)),
            struct.pack(of_frames, *map(attrgetter("stored_length"), frames)),
            struct.pack(of_frames, *map(attrgetter("length"), frames)),
            bytes(map(attrgetter("codec"), frames)),
            bytes.fromhex("".join(map(attrgetter("id"), ordered))),
            bytes(codes),
            struct.pack(of_entries, *map(attrgetter("frame"), ordered)),
            struct.pack(of_entries, *map(attrgetter("offset"), ordered)),
            struct.pack(of_entries, *map(attrgetter("length"), ordered)),
        )
    )
    digest = blake3(footer).digest()
    stored = compress(footer, THOROUGH_LEVEL if len(footer) <= _SMALL_FOOTER else LEVEL)
    return digest.hex(), stored + _TRAILER.pack(len(stored), len(footer), digest, END_MAGIC)


def footer_length(trailer: bytes, pack_bytes: int, path: str) -> int:
    """Return how many bytes before the trailer are the footer.

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
    """Decode the footer, checked against its hash and against itself.

    Raises:
        RecordCorrupt: the hash does not fit, or frames and entries contradict each other.
    """
    name, frames, entries = decode_frames(stored, trailer, path)
    entries.check(frames, path)
    return Footer(name, frames, entries)


def decode_frames(stored: bytes, trailer: bytes, path: str) -> tuple[str, tuple[Frame, ...], Entries]:
    """Decode the frames, for a reader who knows which one it wants: the entries, of which there may be very many, are
    as they are stored, and not checked. Returns the pack's name, too.

    Raises:
        RecordCorrupt: the hash does not fit, or a frame cannot be.
    """
    _, length, digest, _ = _TRAILER.unpack(trailer)
    try:
        data = decompress(stored, length=length, limit=FOOTER_LIMIT)
    except NotDecodable as error:
        raise RecordCorrupt(path, f"the footer does not decode ({error})") from error
    if len(data) < _COUNTS.size or blake3(data).digest() != digest:
        raise RecordCorrupt(path, "the footer does not hash to what the pack says")
    count, entry_count = _COUNTS.unpack_from(data)
    at = _COUNTS.size
    end = at + count * _FRAME_BYTES
    if len(data) != end + entry_count * _ENTRY_BYTES:
        raise RecordCorrupt(path, "the footer's length does not fit its counts")
    columns = struct.unpack_from(f"<{2 * count}I{count}B", data, at)
    frames = _frames(columns[:count], columns[count : 2 * count], columns[2 * count :], path)
    return digest.hex(), frames, Entries(data, end, entry_count)


def pack_name(trailer: bytes) -> str:
    """Return the name of the pack that ends like this."""
    name: bytes = _TRAILER.unpack(trailer)[2]
    return name.hex()


def _frames(stored: tuple[int, ...], lengths: tuple[int, ...], codecs: tuple[int, ...], path: str) -> tuple[Frame, ...]:
    offsets = accumulate(stored, initial=len(MAGIC))
    frames = tuple(map(Frame, offsets, stored, lengths, codecs))
    for frame in frames:
        if frame.codec not in _LIMITS:
            raise RecordCorrupt(path, f"a frame has the unknown codec {frame.codec}")
        if frame.length > _LIMITS[frame.codec] or (frame.codec == CODEC_RAW and frame.length != frame.stored_length):
            raise RecordCorrupt(path, "a frame claims an impossible length")
    return frames
