"""Storing many objects at once: small ones side by side in frames, large ones in chunks.

A batch hashes, looks up what is there already, and writes only what is new. Nothing it wrote is
visible before `finish`, which makes it durable and publishes it: a loose file or two where there
is little, else packs. Memory is bounded by SPILL_BYTES and the blocks in flight.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec
from blake3 import blake3

from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.layout import loose_path, pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.availability import BatchStore
from aura_vcs.objects.base import IDENTIFY, PAUSES_SECONDS, FileToStore, StoredObject
from aura_vcs.objects.chunking import LARGE_BYTES, Stretches, cut, cutter_for, encode_chunk_list
from aura_vcs.objects.executors import InlineWorkers, Result, Workers
from aura_vcs.objects.packs.format import FRAME_LIMIT
from aura_vcs.objects.packs.writer import NewObject, PackWriter, ReadyFrame, similar_frames, similarity
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.plain_files import readers_of

Flight = deque[tuple[Result[None] | None, list[memoryview], Result[list[ObjectId]]]]

FLUSH_BYTES = 8 << 20
FLUSH_OBJECTS = 4096
BLOCK_BYTES = 4 << 20
TRIAL_BYTES = 64 << 20
"""Files of this size begin a pack, which is thrown away if they change while they are read."""
BLOCKS_IN_FLIGHT = 3
STREAMS_SHARE = 0.5
"""From this share of a file on, deflate streams are worth more in chunks of their own than a clone of the file."""
WORLD_READABLE = 0o666
LOOSE_OBJECTS = 2
"""So few new objects are written loose; more share a pack, which costs two fsyncs in all."""


class _Trial(msgspec.Struct):
    """What was written of a file that may change meanwhile: it lies in packs of its own until it has."""

    chunks: set[ObjectId]
    packs: list[str]


class Batch:
    """Objects on their way into the store. Use it in a `with`; without `finish` nothing is stored."""

    def __init__(self, store: BatchStore, workers: Workers, progress: Progress = SILENT) -> None:
        self._store = store
        self._workers = workers
        self._progress = progress
        self._writer: PackWriter | None = None
        self._publishing: tuple[PackWriter, Result[None]] | None = None
        self._waiting: list[tuple[str, NewObject]] = []
        self._waiting_bytes = 0
        self._seen: set[ObjectId] = set()
        self._totals: dict[ObjectId, int] = {}
        self._renewed: dict[str, bool] = {}
        self._can_clone = True
        self._mode = WORLD_READABLE
        self._trial: _Trial | None = None
        self.stored: dict[ObjectId, StoredObject] = {}
        """What the batch added, once `finish` returned."""
        self.chunks: dict[ObjectId, tuple[ObjectId, ...]] = {}
        """The chunks of every chunked blob that the batch added."""

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_: object) -> None:
        if self._publishing is not None:
            writer, published = self._publishing
            published.exception()  # whatever ends the batch is told; this waits
            writer.discard()
            self._publishing = None
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def read_by(self, mode: int) -> None:
        """Store what comes next so that nobody can read it who cannot read a file of that mode."""
        wanted = readers_of(mode)
        if wanted != self._mode:
            self._flush()
            self._close_pack()
            self._mode = wanted

    def also_read_by(self, mode: int) -> None:
        """Set readers as `read_by` does, but whom an earlier call left out stays out."""
        self.read_by(self._mode & mode)

    def add(self, kind: Kind, data: bytes, path: str = "", *, known: ObjectId | None = None) -> ObjectId:
        """Store content that is in memory; `path` puts similar content side by side. `known` is its id, if it is."""
        object_id = IDENTIFY[kind](data) if known is None else known
        self._take(object_id, kind, data, path)
        return object_id

    def add_sources(self, sources: Sequence[FileToStore]) -> Iterator[tuple[FileToStore, ObjectId | None]]:
        """Store files; yields each with its id, or None if it kept changing or has a `fault`.

        Raises:
            FileUnreadable: no file can be read.
        """
        unstable: Sequence[FileToStore] = sources
        for pause in (0.0, *PAUSES_SECONDS):
            if not unstable:
                return
            if pause:
                time.sleep(pause)
            again = []
            for source in unstable:
                try:
                    object_id = self._add_source(source)
                except FileUnreadable as error:
                    if error.is_everywhere:
                        raise
                    source.fault = error
                    yield source, None
                    continue
                if object_id is None:
                    again.append(source)
                else:
                    yield source, object_id
            unstable = again
        for source in unstable:
            yield source, None

    def add_ready(self, ready: ReadyFrame) -> None:
        """Store blobs that are encoded already, as one frame, or what of them is new.

        Raises:
            RecordCorrupt: the frame does not decode; ObjectCorrupt follows where it holds something else.
        """
        self._progress.advance(sum(ready.lengths))
        fresh = {object_id for object_id in ready.ids if object_id not in self._seen}
        known = self._store.renew(fresh)
        if len(fresh) == len(ready.ids) and not known:
            self._seen |= fresh
            self._pack(self._workers).add_ready(ready)
            self._rotate()
        elif fresh - known:
            for object_id, data in ready.pieces():
                if object_id in fresh and object_id not in known:
                    self._take(object_id, Kind.BLOB, data, "")
        self._seen |= known

    def finish(self) -> dict[ObjectId, StoredObject]:
        """Make everything durable and publish it; returns what is new."""
        self._flush(last=True)
        self._close_pack()
        self._await_published()
        return self.stored

    def _add_source(self, source: FileToStore) -> ObjectId | None:
        if source.size >= LARGE_BYTES:
            from aura_vcs.objects.stream_chunks import find_streams, with_places  # most commits have no large file

            with source.open() as opened, with_places(source, opened) as file:
                streams = find_streams(source, file)
                if self._can_clone and sum(end - start for start, end in streams) < STREAMS_SHARE * source.size:
                    return self._add_clone(source, file)
                return self._add_large(source, file, streams)
        found = source.read()
        if found is None:
            return None
        data, object_id = found
        self._progress.advance(len(data))
        self._take(object_id, Kind.BLOB, data, source.path)
        return object_id

    def _take(self, object_id: ObjectId, kind: Kind, data: Bytes, path: str, *, chunked: bool = False) -> None:
        if object_id in self._seen:
            return
        if len(data) > FRAME_LIMIT:  # a folder of millions of files, or a file of half a terabyte
            raise LimitExceeded(f"The description of {path or object_id}", FRAME_LIMIT)
        self._seen.add(object_id)
        self._waiting.append((path, NewObject(object_id, kind, data, chunked)))
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= FLUSH_BYTES or len(self._waiting) >= FLUSH_OBJECTS:
            self._flush()

    def _flush(self, *, last: bool = False) -> None:
        """Write what waits and is not in the store yet."""
        waiting, self._waiting, self._waiting_bytes = self._waiting, [], 0
        known = self._restricted(self._store.renew({item.id for _, item in waiting}))
        new = self._as_lists([(path, item) for path, item in waiting if item.id not in known])
        if last and self._writer is None and len(new) <= LOOSE_OBJECTS and not any(i.chunked for _, i in new):
            self._store.unrecorded.note_objects(item.id for _, item in new)
            for _, item in new:
                self.stored[item.id] = self._store.loose.put(item.kind, bytes(item.data), mode=self._mode)
            return
        new.sort(key=lambda item: similarity(item[0]))
        frames = list(similar_frames([item for _, item in new]))
        workers = InlineWorkers() if last and len(frames) == 1 else self._workers
        for frame in frames:
            self._pack(workers).add_frame(frame)
            self._rotate()

    def _as_lists(self, new: list[tuple[str, NewObject]]) -> list[tuple[str, NewObject]]:
        """Cut what is here as a list without its chunks: it counts by the list, which is where it is looked for."""
        whole = {item.id for _, item in new if item.kind is Kind.BLOB and not item.chunked}
        listed = self._store.lists_without_content(whole)
        if not listed:
            return new
        made = []
        for path, item in new:
            if item.id not in listed or item.chunked:
                made.append((path, item))
                continue
            pieces = [(blob_id(piece), piece) for piece in cut(bytes(item.data))]
            fresh = {chunk: piece for chunk, piece in pieces if chunk not in self._seen}
            self._seen.update(fresh)
            here = self._restricted(self._store.renew_packed(set(fresh), self._renewed))
            made += [(path, NewObject(c, Kind.CHUNK, piece)) for c, piece in fresh.items() if c not in here]
            lengths = [(chunk, len(piece)) for chunk, piece in pieces]
            self._totals[item.id] = len(item.data)
            self.chunks[item.id] = tuple(chunk for chunk, _ in lengths)
            made.append((path, NewObject(item.id, Kind.BLOB, encode_chunk_list(lengths), chunked=True)))
        return made

    def _restricted(self, known: set[ObjectId]) -> set[ObjectId]:
        """Let what is there already be read by no more people; where several write, others may need it."""
        if known and self._mode != WORLD_READABLE and not self._store.storage.is_shared:
            self._store.restrict(known, self._mode)
        return known

    def _pack(self, workers: Workers) -> PackWriter:
        if self._writer is None:
            self._writer = PackWriter(self._store.storage, workers, mode=self._mode)
        return self._writer

    def _rotate(self) -> None:
        if self._writer is not None and self._writer.is_full:
            self._close_pack(behind=True)

    def _close_pack(self, *, behind: bool = False) -> None:
        """Publish the pack; `behind`, the disk works on it while the next one is being written."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            name, stored = writer.seal()
            self._await_published()
            if self._trial is not None:
                self._trial.packs.append(name)
            self._store.unrecorded.note_pack(name)
            if not behind:
                writer.publish(name)
        except BaseException:
            writer.discard()
            raise
        if behind:
            self._publishing = writer, self._workers.submit(writer.publish, name)
        for item in stored:
            total = self._totals.get(item.id)
            if total is not None and item.location is not None and item.location.chunked:
                item = msgspec.structs.replace(item, size=total)  # noqa: PLW2901 (the list's length is not the blob's)
            self.stored[item.id] = item

    def _await_published(self) -> None:
        """Wait until the pack before is durable: one at a time, so that memory and threads are bounded."""
        if self._publishing is not None:
            self._publishing[1].result()
            self._publishing = None

    # Large files on a disk that can share blocks: the clone is stored whole, and is no second copy.

    def _add_clone(self, source: FileToStore, file: BinaryIO) -> ObjectId | None:
        upload = self._store.storage.upload(self._mode)
        try:
            if not upload.clone_from(file):
                self._can_clone = False
                return self._add_large(source, file)
            hasher, total = blake3(), 0
            while block := upload.read_back(total, BLOCK_BYTES):
                hasher.update(block)
                total += len(block)
                self._progress.advance(len(block))
            if not source.was_stable(file, total):
                return None
            object_id = ObjectId(hasher.hexdigest())
            if object_id not in self._seen and not self._restricted(self._store.renew({object_id})):
                if self._store.is_listed(object_id):  # its chunks were offloaded: they are counted, so they come back
                    file.seek(0)
                    return self._add_large(source, file)
                self._store.unrecorded.note_objects([object_id])
                upload.publish(loose_path(object_id))
                self.stored[object_id] = StoredObject(object_id, Kind.BLOB, total, total)
            self._seen.add(object_id)
            return object_id
        finally:
            upload.discard()

    # Large files elsewhere: read, hash, cut, hash chunks, write; blocks overlap among the workers.

    def _add_large(self, source: FileToStore, file: BinaryIO, streams: Stretches = ()) -> ObjectId | None:
        if not source.is_unstable and source.size < TRIAL_BYTES:
            return self._add_pieces(source, file, streams)
        self._flush()
        self._close_pack()
        self._await_published()
        self._trial = _Trial(set(), [])
        object_id = None
        try:
            object_id = self._add_pieces(source, file, streams)
        finally:
            trial, self._trial = self._trial, None
            if object_id is None:
                self._take_back(trial)
        return object_id

    def _take_back(self, trial: "_Trial") -> None:
        """Remove what was written of a file that kept changing: nobody else can know of it yet."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None
        self._await_published()
        for pack in trial.packs:
            self._store.storage.delete(pack_path(pack))
        self._seen -= trial.chunks
        for chunk in trial.chunks:
            self.stored.pop(chunk, None)

    def _add_pieces(self, source: FileToStore, file: BinaryIO, streams: Stretches) -> ObjectId | None:
        hasher, cutter = blake3(), cutter_for(streams)
        listed: list[tuple[ObjectId, int]] = []
        flight: Flight = deque()
        total, hashed = 0, None
        while block := _read_block(source, file):
            total += len(block)
            hashed = self._workers.submit(_update, hasher, block, hashed)
            chunks = cutter.feed(block)
            flight.append((hashed, chunks, self._workers.submit(_identify, chunks)))
            if len(flight) > BLOCKS_IN_FLIGHT:
                self._publish_trial(flight, listed)
            self._progress.advance(len(block))
            if not source.is_unchanged(file):
                for begun, _, identified in flight:
                    identified.result()
                    if begun is not None:
                        begun.result()
                return None
        rest = cutter.finish()
        flight.append((hashed, rest, self._workers.submit(_identify, rest)))
        while flight:
            self._publish_trial(flight, listed)
        if not source.was_stable(file, total):
            return None
        object_id = ObjectId(hasher.hexdigest())
        if object_id not in self._seen and not self._restricted(self._store.renew({object_id})):
            self._totals[object_id] = total
            self.chunks[object_id] = tuple(chunk for chunk, _ in listed)
            self._take(object_id, Kind.BLOB, encode_chunk_list(listed), source.path, chunked=True)
        return object_id

    def _publish_trial(
        self,
        flight: Flight,
        listed: list[tuple[ObjectId, int]],
    ) -> None:
        hashed, chunks, identified = flight.popleft()
        ids = identified.result()
        if hashed is not None:
            hashed.result()
        listed += [(chunk, len(data)) for chunk, data in zip(ids, chunks, strict=True)]
        fresh = {chunk: data for chunk, data in zip(ids, chunks, strict=True) if chunk not in self._seen}
        self._seen.update(fresh)  # `|=` with keys makes a new set each time
        if self._trial is not None:
            self._trial.chunks.update(fresh)
        known = self._restricted(self._store.renew_packed(set(fresh), self._renewed))
        new = [NewObject(chunk, Kind.CHUNK, data) for chunk, data in fresh.items() if chunk not in known]
        if new:
            self._pack(self._workers).add_frame(new)
            self._rotate()


def _read_block(source: FileToStore, file: BinaryIO) -> bytes:
    try:
        return file.read(BLOCK_BYTES)
    except OSError as error:
        raise FileUnreadable(source.path, error.strerror or str(error), error.errno or 0) from error


def _update(hasher: "blake3", block: bytes, previous: Result[None] | None) -> None:
    if previous is not None:
        previous.result()  # blocks are hashed in their order
    hasher.update(block)


def _identify(chunks: list[memoryview]) -> list[ObjectId]:
    return [blob_id(chunk) for chunk in chunks]
