"""Packs on disk: reading one frame of many, and writing a new pack.

A pack never changes once it has its name. A writer keeps every frame it wrote under check:
`PackWriter.finish` reads the frames back, decodes them and hashes every object before the pack
is published, so a fault of memory or compressor never becomes history.
"""

import os
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from aura_vcs.compression import (
    LEVEL,
    SAMPLE_BYTES,
    NotDecodable,
    compress,
    decompress,
    is_compressible,
    shuffled,
    unshuffled,
    way_to_keep,
)
from aura_vcs.errors import ObjectCorrupt, RecordCorrupt
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.layout import PACKS, pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.base import IDENTIFY, Place, StoredObject
from aura_vcs.objects.pack_format import (
    CODEC_RAW,
    CODEC_SHUFFLED,
    CODEC_ZSTD,
    FRAME_LIMIT,
    MAGIC,
    SHUFFLED_LIMIT,
    TRAILER_BYTES,
    Footer,
    Frame,
    PackEntry,
    decode_footer,
    decode_frames,
    encode_footer,
    footer_length,
    pack_name,
)
from aura_vcs.storage.base import Deletable
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

FRAME_CACHE_BYTES = 32 << 20
OPEN_PACKS = 32
KEPT_ENTRIES = 8192
"""Of larger packs the footer is read again when it is asked for again."""
PACK_BYTES = 64 << 20
PACK_ENTRIES = 65_536
"""Objects of a full pack: its footer takes 3 MB, and who writes it some twenty."""
PENDING_FRAMES = 4
SALT_BYTES = 16
RUN_BYTES = 4 << 20
"""So much is read together at most."""


class OpenPack:
    """A pack that is being read: its file and its footer."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self.name = name
        self.size = file.seek(0, 2)
        path = pack_path(name)
        trailer = self.read_at(max(0, self.size - TRAILER_BYTES), TRAILER_BYTES)
        self._footer_at = self.size - TRAILER_BYTES - footer_length(trailer, self.size, path)
        self._footer: Footer | None = None
        if pack_name(trailer) != name:
            raise RecordCorrupt(path, "its name is not the hash of its footer")
        self.frames = decode_frames(*self._ending(), path)

    @property
    def footer(self) -> Footer:
        """All that the pack holds; kept, unless that is very much.

        Raises:
            RecordCorrupt: frames and entries contradict each other.
        """
        found = self._footer
        if found is None:
            found = decode_footer(*self._ending(), pack_path(self.name))
            self._footer = found if len(found.entries) <= KEPT_ENTRIES else None
        return found

    def _ending(self) -> tuple[bytes, bytes]:
        """Footer and trailer as they are stored."""
        ending = self.read_at(self._footer_at, self.size - self._footer_at)
        return ending[:-TRAILER_BYTES], ending[-TRAILER_BYTES:]

    def read_at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer at the end of the file."""
        self.file.seek(offset)
        return self.file.read(length)

    def check_size(self) -> None:
        """Check that frames and footer fill the pack.

        Raises:
            RecordCorrupt: bytes are missing or left over.
        """
        end = self.frames[-1].offset + self.frames[-1].stored_length if self.frames else len(MAGIC)
        if end != self._footer_at or self.read_at(0, len(MAGIC)) != MAGIC:
            raise RecordCorrupt(pack_path(self.name), "its frames do not fill it")

    def frame_into(self, number: int, buffer: bytearray) -> memoryview:
        """As `frame`; a frame that is kept as it is comes into `buffer`, which grows as it must.

        What is returned holds until the next call with the same buffer.

        Raises:
            RecordCorrupt: as `frame`.
        """
        frame = self.frames[number]
        if frame.codec != CODEC_RAW:
            return memoryview(self.frame(number))
        if len(buffer) < frame.stored_length:
            buffer.extend(bytes(frame.stored_length - len(buffer)))
        view = memoryview(buffer)[: frame.stored_length]
        self.file.seek(frame.offset)
        filled = 0
        while filled < len(view) and (count := self.file.readinto(view[filled:])):  # type: ignore[attr-defined]
            filled += count
        if filled < len(view):
            raise RecordCorrupt(pack_path(self.name), "a frame is cut off")
        return view

    def frame(self, number: int) -> bytes:
        """The decoded bytes of a frame.

        Raises:
            RecordCorrupt: it does not decode to the length the footer gives.
        """
        frame = self.frames[number]
        data = self.read_at(frame.offset, frame.stored_length)
        return decode_frame(frame, data, pack_path(self.name))


def decode_frame(frame: Frame, data: bytes, path: str) -> bytes:
    """The decoded bytes of a frame, never more than the footer gives (a bomb decodes to nothing).

    Raises:
        RecordCorrupt: it does not decode to that length.
    """
    if len(data) != frame.stored_length:
        raise RecordCorrupt(path, "a frame is cut off")
    if frame.codec == CODEC_RAW:
        return data
    try:
        whole = decompress(data, length=frame.length, limit=FRAME_LIMIT)
        return unshuffled(whole) if frame.codec == CODEC_SHUFFLED else whole
    except NotDecodable as error:
        raise RecordCorrupt(path, f"a frame does not decode ({error})") from error


class Packs:
    """All packs of a store. Frames that were decoded last are kept, FRAME_CACHE_BYTES at most."""

    def __init__(self, storage: Deletable) -> None:
        self._storage = storage
        self._open: OrderedDict[str, OpenPack] = OrderedDict()
        self._frames: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._frame_bytes = 0
        self._lock = Lock()

    def names(self) -> list[str]:
        """Names of the packs on disk."""
        return [n.removesuffix(".pack") for n in self._storage.list(PACKS) if n.endswith(".pack")]

    def stored_size(self, name: str) -> int:
        """Bytes of a pack on disk, 0 if it is gone."""
        found = self._storage.stat(pack_path(name))
        return found.size if found else 0

    def footer(self, name: str) -> Footer:
        """What the pack holds.

        Raises:
            RecordCorrupt: the pack is damaged.
            FileNotFoundError: it is gone.
        """
        with self._lock:
            return self._pack(name).footer

    def read(self, place: Place) -> bytes:
        """The object's bytes, not verified.

        Raises:
            RecordCorrupt: the pack is damaged there.
            FileNotFoundError: the pack is gone.
        """
        with self._lock:
            pack = self._pack(place.pack)
            if not 0 <= place.frame < len(pack.frames):
                raise RecordCorrupt(pack_path(place.pack), "it has no such frame")
            frame = pack.frames[place.frame]
            if not 0 <= place.offset <= place.offset + place.length <= frame.length:
                raise RecordCorrupt(pack_path(place.pack), "it has no such place in a frame")
            if frame.codec != CODEC_RAW:
                return self._frame(pack, place.frame)[place.offset : place.offset + place.length]
            data = pack.read_at(frame.offset + place.offset, place.length)
            if len(data) != place.length:
                raise RecordCorrupt(pack_path(place.pack), "a frame is cut off")
            return data

    def read_each(self, places: Iterable[Place | None]) -> Iterator[bytes | None]:
        """The bytes at each of the places, not verified; None where there is none, or the pack is damaged or gone.

        Quick for places in the order in which they lie: every frame is decoded once.
        """
        for (name, number), group in groupby(places, key=_frame_of):
            data = self._whole_frame(name, number) if name else None
            for place in group:
                if place is None:
                    yield None
                    continue
                end = place.offset + place.length
                if data is None:
                    yield self._read_if_there(place)
                else:
                    yield data[place.offset : end] if 0 <= place.offset <= end <= len(data) else None

    def _whole_frame(self, name: str, number: int) -> bytes | None:
        """A decoded frame; None if it is kept as it is, or cannot be read."""
        try:
            with self._lock:
                pack = self._pack(name)
                is_raw = not 0 <= number < len(pack.frames) or pack.frames[number].codec == CODEC_RAW
                return None if is_raw else self._frame(pack, number)
        except (RecordCorrupt, OSError):
            return None

    def _read_if_there(self, place: Place) -> bytes | None:
        try:
            return self.read(place)
        except (RecordCorrupt, OSError):
            return None

    def read_runs(self, places: Sequence[Place]) -> Iterator[bytes]:
        """The bytes at the places, in their order; what lies side by side is read together.

        Raises:
            RecordCorrupt, FileNotFoundError: as for `read`.
        """
        run: list[Place] = []
        for place in places:
            if run and not self._follows(run[-1], place, sum(item.length for item in run)):
                yield self._read_run(run)
                run = []
            run.append(place)
        if run:
            yield self._read_run(run)

    def _follows(self, before: Place, place: Place, run_bytes: int) -> bool:
        return (
            before.pack == place.pack
            and before.frame == place.frame
            and before.offset + before.length == place.offset
            and run_bytes + place.length <= RUN_BYTES
        )

    def _read_run(self, run: Sequence[Place]) -> bytes:
        first, last = run[0], run[-1]
        length = last.offset + last.length - first.offset
        return self.read(Place(first.pack, first.frame, first.offset, length))

    def read_frame(self, name: str, number: int) -> bytes:
        """The decoded bytes of a frame, not verified.

        Raises:
            RecordCorrupt, FileNotFoundError: as for `read`.
        """
        with self._lock:
            return self._pack(name).frame(number)

    def check_size(self, name: str) -> None:
        """Check that frames and footer fill the pack.

        Raises:
            RecordCorrupt: bytes are missing or left over.
        """
        with self._lock:
            self._pack(name).check_size()

    def delete(self, *names: str) -> int:
        """Remove packs; returns the bytes that frees."""
        freed = sum(self.stored_size(name) for name in names)
        for name in names:
            self.let_go(name)
        self._storage.delete_many([pack_path(name) for name in names])
        return freed

    def let_go(self, name: str) -> None:
        """Close a pack that is going, and forget what was read of it."""
        with self._lock:
            opened = self._open.pop(name, None)
            if opened:
                opened.file.close()
            for key in [key for key in self._frames if key[0] == name]:
                self._frame_bytes -= len(self._frames.pop(key))

    def close(self) -> None:
        """Let go of every file and frame."""
        with self._lock:
            for pack in self._open.values():
                pack.file.close()
            self._open.clear()
            self._frames.clear()
            self._frame_bytes = 0

    def _pack(self, name: str) -> OpenPack:
        pack = self._open.get(name)
        if pack is None:
            file = self._storage.open(pack_path(name))
            try:
                pack = OpenPack(file, name)
            except BaseException:
                file.close()
                raise
            self._open[name] = pack
            if len(self._open) > OPEN_PACKS:
                self._open.popitem(last=False)[1].file.close()
        self._open.move_to_end(name)
        return pack

    def _frame(self, pack: OpenPack, number: int) -> bytes:
        key = (pack.name, number)
        data = self._frames.get(key)
        if data is None:
            data = pack.frame(number)
            self._frames[key] = data
            self._frame_bytes += len(data)
            while self._frame_bytes > FRAME_CACHE_BYTES and len(self._frames) > 1:
                self._frame_bytes -= len(self._frames.popitem(last=False)[1])
        self._frames.move_to_end(key)
        return data


def _frame_of(place: Place | None) -> tuple[str, int]:
    return ("", 0) if place is None else (place.pack, place.frame)


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
        """The blobs one by one, not verified.

        Raises:
            RecordCorrupt: it does not decode.
        """
        frame = Frame(0, len(self.stored), sum(self.lengths), self.codec)
        data, at = decode_frame(frame, self.stored, "what a second process has read"), 0
        for object_id, length in zip(self.ids, self.lengths, strict=True):
            yield object_id, data[at : at + length]
            at += length


def is_salt(entry: PackEntry) -> bool:
    """Whether an entry that nothing holds only gave its pack a name; see PackWriter.add_salt."""
    return entry.kind is Kind.BLOB and entry.length == SALT_BYTES


class PackWriter:
    """A pack in the making; frames are compressed and checked on `executor`'s threads.

    At most PENDING_FRAMES wait for their turn, so memory is bounded. Interrupted, it leaves one
    temporary file.
    """

    def __init__(self, storage: LocalStorage, executor: "Executor") -> None:
        self._upload = storage.upload()
        self._executor = executor
        self._frames: list[Frame] = []
        self._entries: list[PackEntry] = []
        self._pending: deque[tuple[Sequence[NewObject], int, Future[tuple[int, Sequence[Bytes]]]]] = deque()
        self._checks: deque[Future[None]] = deque()
        self.size = 0
        try:
            self._write(MAGIC)
        except BaseException:
            self._upload.discard()
            raise

    @property
    def is_full(self) -> bool:
        """Whether what comes next belongs into another pack."""
        return self.size >= PACK_BYTES or len(self._entries) >= PACK_ENTRIES

    def add_frame(self, objects: Sequence[NewObject], *, level: int | None = None) -> None:
        """Write the objects as one frame; `level` says how hard to compress, None samples first."""
        pieces = [item.data for item in objects]
        length = sum(map(len, pieces))
        self._pending.append((objects, length, self._executor.submit(encode_frame, pieces, level)))
        while len(self._pending) > PENDING_FRAMES:
            self._write_next()

    def add_ready(self, ready: ReadyFrame) -> None:
        """Write a frame of blobs that is encoded already; it is checked as any other."""
        places = zip(ready.ids, accumulate(ready.lengths, initial=0), ready.lengths, strict=False)
        number = len(self._frames)
        entries = [PackEntry(object_id, Kind.BLOB, number, at, length) for object_id, at, length in places]
        self._write_frame(entries, ready.ids, sum(ready.lengths), ready.codec, [ready.stored])

    def add_salt(self) -> None:
        """Add a few random bytes as a blob that nothing holds: the pack gets a name that none ever had."""
        salt = os.urandom(SALT_BYTES)
        self.add_frame([NewObject(blob_id(salt), Kind.BLOB, salt)])

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
        while self._pending:
            self._write_next()
        name, footer = encode_footer(self._frames, self._entries)
        self._write(footer)
        while self._checks:
            self._checks.popleft().result()
        return name, list(self._stored(name))

    def publish(self, name: str) -> None:
        """Make the sealed pack durable and give it its name; from any thread."""
        self._upload.publish(pack_path(name))

    def discard(self) -> None:
        """Forget the pack; harmless after `finish`."""
        futures: list[Future[Any]] = [*self._checks, *(pending[2] for pending in self._pending)]
        for future in futures:
            if not future.cancel():
                future.exception()
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
        self._checks.append(self._executor.submit(self._check, frame, entries, expected))
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

    def _stored(self, name: str) -> Iterator[StoredObject]:
        for entry in self._entries:
            frame = self._frames[entry.frame]
            share = entry.length * frame.stored_length // frame.length if frame.length else 0
            place = Place(name, entry.frame, entry.offset, entry.length, entry.chunked)
            yield StoredObject(entry.id, entry.kind, entry.length, share, place)


def encode_frame(pieces: Sequence[Bytes], level: int | None) -> tuple[int, Sequence[Bytes]]:
    """Codec and stored bytes of a frame; what does not compress is not even joined."""
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
