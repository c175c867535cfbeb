"""Writing a new pack.

A writer keeps every frame it wrote under check: `PackWriter.finish` reads the frames back, decodes
them and hashes every object before the pack is published, so a fault of memory or compressor never
becomes history.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.compression import LEVEL, SAMPLE_BYTES, compress, is_compressible, shuffled, way_to_keep
from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.layout import pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.base import IDENTIFY, PackLocation, StoredObject
from aura_vcs.objects.executors import Result, Workers
from aura_vcs.objects.packs.format import (
    CODEC_RAW,
    CODEC_SHUFFLED,
    CODEC_ZSTD,
    MAGIC,
    PACK_BYTES,
    SHUFFLED_LIMIT,
    Frame,
    PackEntry,
    encode_footer,
)
from aura_vcs.objects.packs.reader import decode_frame
from aura_vcs.storage.local import LocalStorage

FRAME_BYTES = 512 << 10


if TYPE_CHECKING:
    from aura_vcs.objects.executors import Result, Workers

PACK_ENTRIES = 65_536
"""Objects of a full pack: its footer takes 3 MB, and who writes it some twenty."""
PENDING_FRAMES = 4
NONCE_BYTES = 16


EncodeFrame = Callable[[Sequence[Bytes], int | None], tuple[int, Sequence[Bytes]]]
"""Makes codec and stored bytes of a frame of the objects' bytes and a level."""


class NewObject(msgspec.Struct, frozen=True, gc=False):
    """An object on its way into a pack; `chunked` means that `data` lists the chunks of the blob."""

    id: ObjectId
    kind: Kind
    data: Bytes
    chunked: bool = False


class ReadyFrame(msgspec.Struct, frozen=True, gc=False):
    """Blobs that are encoded already: their ids and lengths in their order, and the frame as it is stored."""

    ids: Sequence[ObjectId]
    lengths: Sequence[int]
    codec: int
    stored: bytes

    def pieces(self) -> Iterator[tuple[ObjectId, bytes]]:
        """Yield the blobs one by one, not verified.

        Raises:
            RecordCorrupt: it does not decode.
        """
        frame = Frame(0, len(self.stored), sum(self.lengths), self.codec)
        data, at = decode_frame(frame, self.stored, "what a worker process has read"), 0
        for object_id, length in zip(self.ids, self.lengths, strict=True):
            yield object_id, data[at : at + length]
            at += length


def is_nonce(entry: PackEntry) -> bool:
    """Tell whether an entry that nothing holds only gave its pack a name; see PackWriter.add_nonce."""
    return entry.kind is Kind.BLOB and entry.length == NONCE_BYTES


class PackWriter:
    """A pack in the making; frames are compressed and checked by `workers`.

    At most PENDING_FRAMES wait for their turn, so memory is bounded. Interrupted, it leaves one
    temporary file. Nobody can read it who cannot read a file of `mode`.
    """

    def __init__(
        self, storage: LocalStorage, workers: "Workers", *, pack_bytes: int | None = None, mode: int = 0o666
    ) -> None:
        self._pack_bytes = pack_bytes or PACK_BYTES
        self._upload = storage.upload(mode)
        self._workers = workers
        self._frames: list[Frame] = []
        self._entries: list[PackEntry] = []
        self._pending: deque[tuple[Sequence[NewObject], int, Result[tuple[int, Sequence[Bytes]]]]] = deque()
        self._checks: deque[Result[None]] = deque()
        self.size = 0
        try:
            self._write(MAGIC)
        except BaseException:
            self._upload.discard()
            raise

    @property
    def is_full(self) -> bool:
        """Whether what comes next belongs into another pack."""
        return self.size >= self._pack_bytes or len(self._entries) >= PACK_ENTRIES

    def add_frame(
        self, objects: Sequence[NewObject], *, level: int | None = None, encode: EncodeFrame | None = None
    ) -> None:
        """Write the objects as one frame; `level` says how hard to compress, None samples first.

        `encode` makes another frame of their bytes than `encode_frame`.
        """
        pieces = [item.data for item in objects]
        length = sum(map(len, pieces))
        self._pending.append((objects, length, self._workers.submit(encode or encode_frame, pieces, level)))
        while len(self._pending) > PENDING_FRAMES:
            self._write_next()

    def add_ready(self, ready: ReadyFrame) -> None:
        """Write a frame of blobs that is encoded already; it is checked as any other."""
        places = zip(ready.ids, accumulate(ready.lengths, initial=0), ready.lengths, strict=False)
        number = len(self._frames)
        entries = [PackEntry(object_id, Kind.BLOB, number, at, length) for object_id, at, length in places]
        self._write_frame(entries, ready.ids, sum(ready.lengths), ready.codec, [ready.stored])

    def add_nonce(self) -> None:
        """Add a few random bytes as a blob that nothing holds: the pack gets a name that none ever had."""
        nonce = os.urandom(NONCE_BYTES)
        self.add_frame([NewObject(blob_id(nonce), Kind.BLOB, nonce)])

    def finish(self) -> tuple[str, list[StoredObject]]:
        """Check, make durable and publish the pack; returns its name and what it holds.

        `StoredObject.size` of a chunked blob is the length of its list here.

        Raises:
            ObjectCorrupt: what was written does not read back; nothing was published.
        """
        name, stored = self.seal()
        self.publish(name)
        return name, stored

    def seal(self) -> tuple[str, list[StoredObject]]:
        """Complete and check the pack, which is neither durable nor visible yet; as `finish` otherwise."""
        self.write_pending()
        name, footer = encode_footer(self._frames, self._entries)
        self._write(footer)
        return name, self._stored(name)

    def write_pending(self) -> None:
        """Write and check all that was added, and let go of it: what comes next may be large.

        Raises:
            ObjectCorrupt: as `finish`.
        """
        while self._pending:
            self._write_next()
        while self._checks:
            self._checks.popleft().result()

    def publish(self, name: str) -> None:
        """Make the sealed pack durable and give it its name; from any thread."""
        self._upload.publish(pack_path(name))

    def discard(self) -> None:
        """Forget the pack; harmless after `finish`."""
        begun: list[Result[object]] = [*self._checks, *(pending[2] for pending in self._pending)]
        for result in begun:
            if not result.cancel():
                result.exception()
        self._upload.discard()

    def _write_next(self) -> None:
        objects, length, encoded = self._pending.popleft()
        codec, stored = encoded.result()
        number, offset = len(self._frames), 0
        entries = []
        for item in objects:
            entries.append(PackEntry(item.id, item.kind, number, offset, len(item.data), item.chunked))
            offset += len(item.data)
        expected = [blob_id(item.data) if item.chunked else item.id for item in objects]
        self._write_frame(entries, expected, length, codec, stored)

    def _write_frame(
        self,
        entries: Sequence[PackEntry],
        expected: Sequence[ObjectId],
        length: int,
        codec: int,
        stored: Sequence[Bytes],
    ) -> None:
        frame = Frame(self.size, sum(map(len, stored)), length, codec)
        self._frames.append(frame)
        self._entries += entries
        self._upload.write_pieces(stored)
        self.size += frame.stored_length
        self._checks.append(self._workers.submit(self._check, frame, entries, expected))
        while len(self._checks) > PENDING_FRAMES:
            self._checks.popleft().result()

    def _write(self, data: bytes) -> None:
        self._upload.write(data)
        self.size += len(data)

    def _check(self, frame: Frame, entries: Sequence[PackEntry], expected: Sequence[ObjectId]) -> None:
        stored = self._upload.read_back(frame.offset, frame.stored_length)
        view = memoryview(decode_frame(frame, stored, "the new pack"))
        for entry, wanted in zip(entries, expected, strict=True):
            identify = blob_id if entry.chunked or entry.kind is Kind.BLOB else IDENTIFY[entry.kind]
            if identify(view[entry.offset : entry.offset + entry.length]) != wanted:
                raise ObjectCorrupt(entry.id, "it did not read back as it was written; nothing was recorded")

    def _stored(self, name: str) -> list[StoredObject]:
        found = []
        for entry in self._entries:
            share = self._frames[entry.frame].share_of(entry)
            place = PackLocation(name, entry.frame, entry.offset, entry.length, entry.chunked)
            found.append(StoredObject(entry.id, entry.kind, entry.length, share, place))
        return found


def encode_frame(pieces: Sequence[Bytes], level: int | None) -> tuple[int, Sequence[Bytes]]:
    """Return codec and stored bytes of a frame; what does not compress is not even joined."""
    way = way_to_keep(pieces[0]) if len(pieces[0]) > 3 * SAMPLE_BYTES else None
    if way == "raw" and level is None:
        return CODEC_RAW, pieces
    data = b"".join(pieces)
    codec, stored = CODEC_RAW, data
    if way == "shuffled" and len(data) <= SHUFFLED_LIMIT:
        codec, stored = CODEC_SHUFFLED, compress(shuffled(data), level or LEVEL)
    elif way in {"plain", "shuffled"} or level is not None or is_compressible(data):
        codec, stored = CODEC_ZSTD, compress(data, level or LEVEL)
    return (codec, [stored]) if len(stored) < len(data) else (CODEC_RAW, [data])


def similarity(path: str) -> tuple[str, str]:
    """Return the key by which content is sorted, so that similar files lie side by side."""
    dot = path.rfind(".")
    return path[dot:] if dot > path.rfind("/") + 1 else "", path


def similar_frames(objects: Iterable[NewObject]) -> Iterator[list[NewObject]]:
    """Yield the objects in runs of about FRAME_BYTES."""
    frame: list[NewObject] = []
    size = 0
    for item in objects:
        if frame and size + len(item.data) > FRAME_BYTES:
            yield frame
            frame, size = [], 0
        frame.append(item)
        size += len(item.data)
    if frame:
        yield frame
