"""Objects on their way in: fetched into quarantine, hashed there, and taken over only then.

Most of a pack wanted: the pack comes as it is, from where an interruption stopped it. Less: its
wanted frames come by range, and what is wanted of them goes into a pack of our own. Nothing in
`objects/` changes before every object has been hashed, those in chunks over all their chunks.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import msgspec

from aura_vcs.compression import FrameCache
from aura_vcs.errors.integrity import IntegrityError, ObjectCorrupt, ObjectMissing, RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.forked_worker import ForkedWorker, fork_worker, send
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import PACKS, pack_path
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.packs.format import CODEC_RAW, Footer, PackEntry, has_twice, has_unwrapped
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.packs.verify import check_chunk_list, check_entries, check_frames
from aura_vcs.objects.packs.writer import NewObject, PackWriter
from aura_vcs.objects.store import objects_in
from aura_vcs.parallel import TRANSFERS, side_by_side
from aura_vcs.progress import SILENT
from aura_vcs.repository.format_file import UNWRAPPED, UNWRAPPED_TWICE
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.sync.state.cache import PACK_FILE, PART
from aura_vcs.sync.state.manifest import PackInfo
from aura_vcs.sync.state.pack_table import OBJECT_BYTES, PackTable
from aura_vcs.sync.state.reader import DECODED_BYTES, RemoteReader, fetch, runs
from aura_vcs.sync.state.snapshot import RemoteSnapshot

WHOLE_PACK_SHARE = 0.6
"""A pack comes as it is when so much of it is wanted."""
PART_BYTES = 8 << 20
WORTHWHILE_OBJECTS = 1000
"""Fewer are hashed sooner than a process starts."""
SMALL_OBJECT_BYTES = 16 << 10
"""Where objects have so many bytes each, as they are stored, fetching takes longer than planning."""
_SOUND, _UNSOUND = b"+", b"-"


class FetchPacks(msgspec.Struct, frozen=True):
    """What is to come: whole packs, and of other packs the entries that are wanted."""

    whole: tuple[PackInfo, ...]
    parts: dict[PackInfo, tuple[PackEntry, ...]]
    stored_bytes: int


class Downloaded(msgspec.Struct, frozen=True):
    """What was taken over, as `Transaction.record` wants it."""

    stored: dict[ObjectId, StoredObject]
    chunks: dict[ObjectId, tuple[ObjectId, ...]]


def plan_packs(table: PackTable, reader: RemoteReader, wanted: Iterable[ObjectId]) -> FetchPacks:
    """Divide what is wanted into whole packs and parts of packs.

    Raises:
        RemoteCorrupt: an object is not there.
    """
    wanted = set(wanted)
    reader.require(wanted)
    whole, parts, total = [], {}, 0
    for pack, numbers in table.numbers(wanted).items():
        footer = table.footers[pack]
        if len(numbers) == len(footer.entries):
            whole.append(pack)
            total += pack.size
            continue
        entries = list(footer.pick(numbers))
        frames = footer.frames
        lists_wanted = all(entry.id in wanted for entry in footer.chunked())
        if lists_wanted and _share(footer, entries) >= WHOLE_PACK_SHARE:  # other lists could not be hashed
            whole.append(pack)
            total += pack.size
        else:
            parts[pack] = tuple(sorted(entries, key=lambda entry: (entry.frame, entry.offset)))
            total += sum(frames[number].stored_length for number in {entry.frame for entry in entries})
    return FetchPacks(tuple(whole), parts, total)


def _share(footer: Footer, entries: Collection[PackEntry]) -> float:
    total = sum(entry.length for entry in footer.entries)
    return sum(entry.length for entry in entries) / total if total else 1.0


class Quarantine:
    """The packs of one fetch, from the first byte to the moment they are taken over; to be closed."""

    def __init__(self, repo: Repository, snapshot: RemoteSnapshot, room: LocalStorage) -> None:
        self._repo = repo
        self._snapshot = snapshot
        self._room = room
        self._second: ForkedWorker | None = None
        self._begun: list[PackInfo] = []
        self._expected: dict[str, dict[ObjectId, StoredObject]] = {}
        self._ours: set[str] = set()
        """Packs that lie in the store, sound: an interrupted fetch had taken them over, and recorded nothing."""

    def __enter__(self) -> "Quarantine":
        return self

    def __exit__(self, *_: object) -> None:
        """End what was begun; the bytes stay for the next attempt."""
        if self._second is not None:
            self._second.stop()
            self._second = None

    def begin(self, table: PackTable) -> None:
        """Fetch everything, where all is wanted, and let a worker process hash it while this one plans.

        Only where many small objects take longer to hash and to plan than to fetch; else `receive` does it all.
        """
        packs = list(table.footers)
        size = sum(pack.size for pack in packs)
        if size > sum(pack.footer for pack in packs) // OBJECT_BYTES * SMALL_OBJECT_BYTES:
            return
        count = sum(len(footer.entries) for footer in table.footers.values())
        if count < WORTHWHILE_OBJECTS or size > count * SMALL_OBJECT_BYTES:
            return
        self._repo.progress.start("Fetching", size, "bytes")
        self._fetch_all(packs)
        self._repo.progress.finish()
        self._begun = packs
        self._second = fork_worker(self._hash_in_worker)

    def _hash_in_worker(self, fd: int) -> None:
        """Hash the packs in the worker process and send a byte for each."""
        for pack in self._begun:
            send(fd, _SOUND if _is_intact(self._room, pack_path(pack.name) + PART, pack) else _UNSOUND)

    def _intact_packs(self) -> set[str]:
        """Return the packs that the worker process has hashed, and found to be what they should be."""
        if self._second is None:
            return set()
        second, self._second = self._second, None
        with open(second.fd, "rb") as pipe:
            told = pipe.read()
        second.ended()
        return {pack.name for pack, mark in zip(self._begun, told, strict=False) if mark == ord(_SOUND)}

    def expected(self, incoming: FetchPacks, table: PackTable) -> Mapping[ObjectId, StoredObject]:
        """Predict what will be in the store, and where, as much as can be known before it is there."""
        expected: dict[ObjectId, StoredObject] = {}
        for pack in incoming.whole:
            footer = table.footers[pack]
            if next(footer.chunked(), None) is None:  # how large a blob in chunks is, its list tells, which is to come
                self._expected[pack.name] = {item.id: item for item in objects_in(footer, lambda _: b"")}
                expected |= self._expected[pack.name]
        return expected

    def receive(
        self,
        incoming: FetchPacks,
        table: PackTable,
        *,
        bare: Collection[ObjectId] = (),
        listed: Mapping[ObjectId, bytes] | None = None,
    ) -> Downloaded:
        """Fetch, hash, take over. The caller holds the objects lock, shared.

        `bare` are blobs of which only the list of chunks comes: they are hashed when their chunks do.
        `listed` are lists that are here already, of blobs whose chunks come now.

        Raises:
            RemoteCorrupt: something does not hash to its name; nothing was taken over.
        """
        sound = self._intact_packs()
        self._drop_unneeded({pack.name for pack in (*incoming.whole, *self._begun)})
        self._repo.progress.start("Fetching", incoming.stored_bytes, "bytes")
        self._fetch_all(incoming.whole, partial(self._check, sound=sound))
        names = [pack.name for pack in incoming.whole]
        if incoming.parts:
            names += self._fetch_parts(incoming.parts, table)
        self._repo.progress.finish()
        with ExitStack() as stack:
            files = [stack.enter_context(self._location(name).open(pack_path(name))) for name in names]
            packs = [OpenPack(file, name) for file, name in zip(files, names, strict=True)]
            chunks = self._check_lists(packs, bare, listed or {})
            if any(has_unwrapped(pack.frames) for pack in packs):
                self._repo.declare(UNWRAPPED)
            if any(has_twice(pack.frames) for pack in packs):
                self._repo.declare(UNWRAPPED_TWICE)
        stored: dict[ObjectId, StoredObject] = {}
        for name in names:
            if name not in self._ours:
                self._repo.storage.adopt(self._room, pack_path(name), pack_path(name))
                self._repo.store.packs.forget(name)  # a damaged one may have had the name, and be open
            stored |= self._expected.get(name) or {item.id: item for item in self._repo.store.pack_objects(name)}
        return Downloaded(stored, chunks)

    def _location(self, name: str) -> LocalStorage:
        return self._repo.storage if name in self._ours else self._room

    def _drop_unneeded(self, names: set[str]) -> None:
        """Remove what an earlier fetch left and this one does not want."""
        for file in self._room.list(PACKS):
            if re.fullmatch(PACK_FILE, file) and file.removesuffix(PART).removesuffix(".pack") not in names:
                self._room.delete(f"{PACKS}/{file}")

    def _fetch_all(self, packs: Sequence[PackInfo], check: Callable[[PackInfo], None] = lambda _: None) -> None:
        def fetch_pack(pack: PackInfo) -> None:
            self._fetch_pack(pack)
            check(pack)

        side_by_side(fetch_pack, packs)

    def _fetch_pack(self, pack: PackInfo) -> None:
        """Fetch a pack into the room, unhashed, going on where an earlier attempt stopped."""
        name = pack_path(pack.name)
        if pack.name in self._ours or self._is_complete(name, pack):
            self._repo.progress.advance(pack.size)
            return
        found = self._room.stat(name + PART)
        at = min(found.size, pack.size) if found is not None else 0
        self._repo.progress.advance(at)
        while at < pack.size:
            data = fetch(self._snapshot, pack, at, min(PART_BYTES, pack.size - at))
            self._room.append(name + PART, data, at=at)
            at += len(data)
            self._repo.progress.advance(len(data))

    def _is_complete(self, name: str, pack: PackInfo) -> bool:
        """Tell whether the pack lies in the quarantine or in the store, as a whole and intact."""
        if self._room.stat(name) is not None:
            if _is_intact(self._room, name, pack):
                return True
            self._room.delete(name)
        if self._repo.storage.stat(name) is None or not _is_intact(self._repo.storage, name, pack):
            return False
        self._ours.add(pack.name)
        return True

    def _check(self, pack: PackInfo, sound: Container[str]) -> None:
        """Hash a pack that was brought, unless that has been done, and give it its name.

        Raises:
            RemoteCorrupt: it is not what it should be; it was removed.
        """
        part = pack_path(pack.name) + PART
        if self._room.stat(part) is None:
            return  # it lay ready, and was hashed just now
        if pack.name not in sound and not _is_intact(self._room, part, pack):
            self._room.delete(part)
            raise RemoteCorrupt(
                self._snapshot.remote.location, f"pack {pack.name[:12]} holds bytes that are not its objects"
            )
        self._room.adopt(self._room, part, pack_path(pack.name))

    def _fetch_parts(self, parts: Mapping[PackInfo, tuple[PackEntry, ...]], table: PackTable) -> list[str]:
        """Fetch wanted frames and write what is wanted of them into one pack of our own."""
        from concurrent.futures import ThreadPoolExecutor  # slow to import, and often not needed

        with ThreadPoolExecutor(TRANSFERS) as executor:
            writer = PackWriter(self._room, executor)
            reader = RemoteReader(self._snapshot, table)
            try:
                for pack, entries in parts.items():
                    self._fetch_frames(pack, entries, table.footers[pack], reader, writer)
                return [writer.finish()[0]]
            finally:
                writer.discard()

    def _fetch_frames(
        self, pack: PackInfo, entries: tuple[PackEntry, ...], footer: Footer, reader: RemoteReader, writer: PackWriter
    ) -> None:
        by_frame: defaultdict[int, list[PackEntry]] = defaultdict(list)
        for entry in entries:
            by_frame[entry.frame].append(entry)
        for run in runs(footer.frames, sorted(by_frame)):
            reader.cache_run(pack, run)
            for number in run:
                if number not in by_frame:
                    continue
                data = reader.frame(pack, number)
                try:
                    check_entries(data, by_frame[number], pack.name)
                except ObjectCorrupt as error:
                    raise RemoteCorrupt(self._snapshot.remote.location, error.message) from error
                writer.add_frame(
                    [NewObject(e.id, e.kind, data[e.offset : e.offset + e.length], e.chunked) for e in by_frame[number]]
                )
                self._repo.progress.advance(footer.frames[number].stored_length)

    def _check_lists(
        self, packs: list[OpenPack], bare: Collection[ObjectId], listed: Mapping[ObjectId, bytes]
    ) -> dict[ObjectId, tuple[ObjectId, ...]]:
        """Hash every blob that is kept in chunks over its chunks, here or in the room."""
        held = _PackBytes()
        lists = {e.id: held.read(pack, e) for pack in packs for e in pack.footer.chunked()}
        if not lists and not listed:
            return {}
        where = {e.id: (pack, e) for pack in packs for e in pack.footer.entries if not e.chunked}

        def read_chunk(chunk: ObjectId) -> bytes:
            found = where.get(chunk)
            if found is not None:
                return held.read(*found)
            place = self._repo.store.location(chunk)
            if place is None:
                raise ObjectMissing(chunk)
            data = self._repo.store.packs.read(place)
            if blob_id(data) != chunk:
                raise ObjectCorrupt(chunk, "its bytes do not hash to its name")
            return data

        for blob, data in {**listed, **lists}.items():
            if blob in bare:
                continue
            try:
                check_chunk_list(blob, data, read_chunk)
            except (IntegrityError, RecordCorrupt) as error:
                raise RemoteCorrupt(self._snapshot.remote.location, error.message) from error
        return {blob: tuple(chunk for chunk, _ in decode_chunk_list(data, blob)) for blob, data in lists.items()}


def _is_intact(storage: LocalStorage, name: str, pack: PackInfo) -> bool:
    """Tell whether the file is the pack and every object in it hashes to its name."""
    try:
        with storage.open(name) as file:
            opened = OpenPack(file, pack.name)
            check_frames(opened, SILENT)
            return opened.size == pack.size
    except (IntegrityError, FileNotFoundError):
        return False


class _PackBytes:
    """Entries of open packs; the frames that were decoded last are kept, a frame's chunks lie together."""

    def __init__(self) -> None:
        self._frames = FrameCache(DECODED_BYTES)

    def read(self, pack: OpenPack, entry: PackEntry) -> bytes:
        """Read the bytes of an entry."""
        frame = pack.footer.frames[entry.frame]
        if frame.codec == CODEC_RAW:
            return pack.read_at(frame.offset + entry.offset, entry.length)
        data = self._frames.get(pack.name, entry.frame)
        if data is None:
            data = self._frames.put(pack.name, entry.frame, pack.frame(entry.frame))
        return data[entry.offset : entry.offset + entry.length]
