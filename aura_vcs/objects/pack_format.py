"""The bytes of a pack: frames, then a footer that says what lies where.

    magic      8 bytes  b"AURAPACK"
    frames     one after the other, without gaps
    footer     counts   <II    frames, entries
               frames   <QIIB  offset, stored length, decoded length, codec       (17 bytes each)
               entries  <32sBIII  id, kind, frame, offset in the decoded frame, length  (45 bytes each),
                        sorted by id, then kind
    trailer    <Q32s8s  length of the footer, BLAKE3 of the footer, b"AURAPEND"

All numbers are little-endian. The pack's name is the hash in its trailer, so a pack is known by
what it holds. Several objects share one zstd frame; a raw frame may hold chunks of media.
"""

import struct
from collections.abc import Sequence

import msgspec
from blake3 import blake3

from aura_vcs.errors import RecordCorrupt
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind

MAGIC = b"AURAPACK"
END_MAGIC = b"AURAPEND"
CODEC_RAW = 0
CODEC_ZSTD = 1

FRAME_LIMIT = 64 << 20
"""Decoded bytes of the largest frame; a footer that claims more is refused before anything is decoded."""
FOOTER_LIMIT = 1 << 30

_COUNTS = struct.Struct("<II")
_FRAME = struct.Struct("<QIIB")
_ENTRY = struct.Struct("<32sBIII")
_TRAILER = struct.Struct("<Q32s8s")
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
    footer = b"".join(
        (
            _COUNTS.pack(len(frames), len(entries)),
            *(_FRAME.pack(f.offset, f.stored_length, f.length, f.codec) for f in frames),
            *(_ENTRY.pack(*record) for record in records),
        )
    )
    digest = blake3(footer).digest()
    return digest.hex(), footer + _TRAILER.pack(len(footer), digest, END_MAGIC)


def footer_length(trailer: bytes, pack_bytes: int, path: str) -> int:
    """How many bytes before the trailer are the footer.

    Raises:
        RecordCorrupt: this is not the end of a pack.
    """
    if len(trailer) != TRAILER_BYTES or trailer[-8:] != END_MAGIC:
        raise RecordCorrupt(path, "it does not end as a pack does (cut off?)")
    length: int = _TRAILER.unpack(trailer)[0]
    if length > min(FOOTER_LIMIT, pack_bytes - TRAILER_BYTES - len(MAGIC)):
        raise RecordCorrupt(path, "its footer claims to be larger than the pack")
    return length


def decode_footer(footer: bytes, trailer: bytes, path: str) -> Footer:
    """What the footer says, checked against its hash and against itself.

    Raises:
        RecordCorrupt: the hash does not fit, or frames and entries contradict each other.
    """
    digest = blake3(footer).digest()
    if digest != _TRAILER.unpack(trailer)[1]:
        raise RecordCorrupt(path, "the footer does not hash to what the pack says")
    try:
        frame_count, entry_count = _COUNTS.unpack_from(footer)
        entries_at = _COUNTS.size + frame_count * _FRAME.size
        if len(footer) != entries_at + entry_count * _ENTRY.size:
            raise RecordCorrupt(path, "the footer's length does not fit its counts")
        frames = tuple(Frame(*r) for r in _FRAME.iter_unpack(footer[_COUNTS.size : entries_at]))
        entries = tuple(
            PackEntry(ObjectId(digest_.hex()), _KINDS[code], frame, offset, length, code == CHUNKED_BLOB)
            for digest_, code, frame, offset, length in _ENTRY.iter_unpack(footer[entries_at:])
        )
    except (struct.error, KeyError) as error:
        raise RecordCorrupt(path, f"the footer is malformed ({error})") from error
    _check_frames(frames, path)
    for entry in entries:
        if entry.frame >= frame_count or entry.offset + entry.length > frames[entry.frame].length:
            raise RecordCorrupt(path, f"object {entry.id} lies outside its frame")
    return Footer(digest.hex(), frames, entries)


def _check_frames(frames: Sequence[Frame], path: str) -> None:
    end = len(MAGIC)
    for frame in frames:
        if frame.offset != end or frame.codec not in {CODEC_RAW, CODEC_ZSTD}:
            raise RecordCorrupt(path, "a frame is out of place or of an unknown codec")
        if frame.length > FRAME_LIMIT or (frame.codec == CODEC_RAW and frame.length != frame.stored_length):
            raise RecordCorrupt(path, "a frame claims an impossible length")
        end += frame.stored_length
