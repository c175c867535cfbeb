"""The object store: puts content in, gives verified content out.

Where an object lies (loose, in a pack, in chunks) is told by the files alone; an index, handed
in as `LocationIndex`, only makes the answer quick. Every read is hashed: wrong bytes never come out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from aura_vcs import layout
from aura_vcs.errors.integrity import ObjectCorrupt, ObjectMissing, RecordCorrupt
from aura_vcs.ids import ObjectId, ReplicaId
from aura_vcs.model import Kind
from aura_vcs.objects.availability import FetchOffloaded, OffloadedRecords, find_in_packs, missing_parts, require
from aura_vcs.objects.base import (
    IDENTIFY,
    LocationIndex,
    NoLocations,
    PackLocation,
    StoredObject,
)
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.loose import LooseObjects, blocks, hashed_beside, new_hasher, read_limited
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import EXHAUSTED, storage_error

if TYPE_CHECKING:
    from aura_vcs.objects.batch import Batch
    from aura_vcs.objects.packs.format import Footer
    from aura_vcs.objects.packs.reader import Packs
    from aura_vcs.objects.unrecorded import UnrecordedObjects

WORKERS = 3
CHUNKS_AT_ONCE = 512
FEW_OBJECTS = 16
"""So few ids are looked for one by one in a footer; for more, it is read through."""


class ObjectStore:
    """The objects of one project. Reading is safe from several threads and processes."""

    def __init__(
        self,
        storage: LocalStorage,
        places: LocationIndex | None = None,
        fetch: FetchOffloaded | None = None,
        *,
        replica: ReplicaId | None = None,
    ) -> None:
        self.storage = storage
        self.places = places or NoLocations()
        self.loose = LooseObjects(storage)
        self.offloaded = OffloadedRecords(storage)
        self.fetch = fetch
        """Gets what is offloaded when it is needed; None: nobody said how to reach remotes."""
        self._replica = replica
        self.passed_over: set[str] = set()
        """Packs whose footers could not be read when something was looked for."""

    @cached_property
    def packs(self) -> "Packs":
        """The packs."""
        from aura_vcs.objects.packs.reader import Packs  # `log` and a clean `status` read no object

        return Packs(self.storage)

    @cached_property
    def unrecorded(self) -> "UnrecordedObjects":
        """The list of what was stored and not recorded yet."""
        from aura_vcs.objects.unrecorded import UnrecordedObjects  # whoever only reads stores nothing

        return UnrecordedObjects(self.storage, self._replica)

    def set_replica(self, replica: ReplicaId) -> None:
        """Note what is stored under another replica id from now on."""
        self._replica = replica
        if "unrecorded" in self.__dict__:
            self.unrecorded.replica = replica

    def forget_unrecorded(self) -> None:
        """Note that what was stored is recorded now."""
        if "unrecorded" in self.__dict__:
            self.unrecorded.forget()

    @contextmanager
    def batch(self, progress: Progress = SILENT) -> Iterator["Batch"]:
        """Yield a batch to store many objects; see Batch."""
        from aura_vcs.objects.batch import Batch
        from aura_vcs.objects.executors import Threads

        try:
            with closing(Threads(WORKERS)) as workers, Batch(self, workers, progress) as batch:
                yield batch
        except BaseException:
            self.unrecorded.leave()
            raise

    def location(self, object_id: ObjectId) -> PackLocation | None:
        """Find where in a pack the object lies; None if it is loose or absent."""
        place = self.places.find(object_id)
        if place is not None and self.storage.stat(layout.pack_path(place.pack)) is not None:
            return place
        return self._search_packs(object_id)

    def contains(self, object_id: ObjectId) -> bool:
        """Tell whether the object's file or pack is there; its bytes are not looked at."""
        return self.loose.find(object_id) is not None or self.location(object_id) is not None

    def require(self, wanted: Mapping[ObjectId, str]) -> None:
        """Make sure that blobs are wholly here, fetching what is offloaded; see presence.require."""
        require(self, wanted)

    def read(self, object_id: ObjectId, kind: Kind = Kind.BLOB) -> bytes:
        """Read all bytes of an object, verified; for documents, trees and versions.

        Raises:
            ObjectMissing, ObjectCorrupt.
            LimitExceeded: more than DOCUMENT_LIMIT bytes.
        """
        return read_limited(object_id, self.stream(object_id, kind))

    def stream(
        self, object_id: ObjectId, kind: Kind = Kind.BLOB, *, place: PackLocation | None = None
    ) -> Iterator[bytes]:
        """Yield the object's bytes in pieces of at most a few MiB; `place` is where it lies, if that is known.

        The whole is verified when the last piece has been taken: until the iterator is exhausted,
        do not publish what came out of it.

        What is offloaded is fetched first.

        Raises:
            ObjectMissing: there is no such object.
            ObjectOffloaded: it is at a remote that cannot be asked now.
            ObjectCorrupt: the bytes do not hash to its id, or the disk cannot read them.
            StorageError: this process may open no more files, or has no memory left.
        """
        hasher = new_hasher(kind)
        place = place or self.places.find(object_id)
        try:
            if place is not None and place.chunked:
                yield from hashed_beside(hasher, self._pieces(object_id, place))
            else:
                for piece in self._pieces(object_id, place):
                    hasher.update(piece)
                    yield piece
        except (RecordCorrupt, EOFError) as error:
            raise ObjectCorrupt(object_id, str(error)) from error
        except OSError as error:
            if error.errno in EXHAUSTED:  # which says nothing about the object
                raise storage_error("read", f"object {object_id}", error) from error
            raise ObjectCorrupt(object_id, str(error)) from error
        if hasher.hexdigest() != object_id:
            raise ObjectCorrupt(object_id, "its bytes do not hash to its name")

    def _pieces(self, object_id: ObjectId, place: PackLocation | None) -> Iterator[bytes]:
        """Yield the object's bytes from where they are said to lie, else from wherever they are found."""
        trouble: RecordCorrupt | None = None
        try:
            data = self._packed(place) if place is not None else None
        except RecordCorrupt as error:  # another copy may lie elsewhere
            data, trouble = None, error
        if data is None or (place is not None and place.chunked):
            file = self.loose.open(object_id)
            if file is not None:
                with file:
                    yield from blocks(file, object_id)
                return
        if data is None:
            place, data = self._found(object_id, place, trouble)
        assert place is not None
        if place.chunked:
            yield from self._chunks(object_id, list(decode_chunk_list(data, object_id)))
        else:
            yield data

    def _found(
        self, object_id: ObjectId, known: PackLocation | None, trouble: RecordCorrupt | None
    ) -> tuple[PackLocation, bytes]:
        """Find an object that is not where the index says, or cannot be read there, or that must be fetched first."""
        for attempt in range(2):
            place = self._search_packs(object_id, but=known.pack if known is not None and trouble is not None else "")
            data = self._packed(place) if place is not None else None
            if place is not None and data is not None:
                return place, data
            if trouble is not None:
                raise trouble
            if attempt == 0 and self.offloaded.all():
                self.require({object_id: ""})
        raise self._missing(object_id)

    def _missing(self, object_id: ObjectId) -> ObjectMissing:
        """Build the error for an object that is in no pack that can be read."""
        error = ObjectMissing(object_id)
        if self.passed_over:
            error.hint = f"It may be in pack {min(self.passed_over)[:12]}, which cannot be read. {error.hint}"
        return error

    def _packed(self, place: PackLocation) -> bytes | None:
        """Read what lies at a place; None if the pack is gone."""
        try:
            return self.packs.read(place)
        except FileNotFoundError:
            return None

    def _chunks(self, blob: ObjectId, listed: Sequence[tuple[ObjectId, int]]) -> Iterator[bytes]:
        for start in range(0, len(listed), CHUNKS_AT_ONCE):
            group = listed[start : start + CHUNKS_AT_ONCE]
            known = find_in_packs(self, {chunk for chunk, _ in group})
            if any(chunk not in known for chunk, _ in group):
                self.require({blob: ""})
                known = find_in_packs(self, {chunk for chunk, _ in group})
            places = []
            for chunk, length in group:
                place = known.get(chunk)
                if place is None:
                    raise ObjectMissing(chunk, f"blob {blob}")
                if place.length != length:
                    raise ObjectCorrupt(blob, f"chunk {chunk} has {place.length} bytes, not {length}")
                places.append(place)
            try:
                yield from self.packs.read_runs(places)
            except FileNotFoundError as error:
                raise ObjectMissing(blob, f"its chunks: {error}") from error

    def chunk_ids(self, object_id: ObjectId) -> tuple[ObjectId, ...]:
        """Return the chunks of a blob that is stored in chunks, else nothing.

        Of one that is kept in both ways (an offload was interrupted) the index says how it counts.
        """
        place = self.places.find(object_id)
        if place is None or self.storage.stat(layout.pack_path(place.pack)) is None:
            place = self._search_packs(object_id) if self.loose.find(object_id) is None else None
        if place is None or not place.chunked:
            return ()
        return tuple(chunk for chunk, _ in decode_chunk_list(self.packs.read(place), object_id))

    def renew(self, object_ids: set[ObjectId]) -> set[ObjectId]:
        """Renew the files' dates of those of the objects that are in the store, and return them.

        The new date keeps a collection that is being planned from counting them as old.
        """
        known = self.renew_packed(object_ids, {})
        if recorded := known & self.offloaded.all().keys():  # what is only listed here is to be stored again
            known -= missing_parts(self, recorded).keys()
        prefixes = set(self.storage.list(layout.OBJECTS)) - {"packs"}
        for object_id in object_ids - known:
            if object_id[:2] in prefixes and (found := self.loose.find_named(object_id)) is not None:
                self.storage.touch(found[0])
                known.add(object_id)
        return known

    def restrict(self, object_ids: set[ObjectId], mode: int) -> None:
        """Let nobody read the objects' files who cannot read one of that mode."""
        for pack in self.places.packs_of(object_ids):
            self.storage.restrict(layout.pack_path(pack), mode)
        for object_id in object_ids:
            found = self.loose.find(object_id)
            if found is not None:
                self.storage.restrict(found[0], mode)

    def is_listed(self, object_id: ObjectId) -> bool:
        """Tell whether a blob is stored as a list of chunks, which may be offloaded."""
        place = self.places.find(object_id)
        return place is not None and place.chunked

    def lists_without_content(self, object_ids: set[ObjectId]) -> set[ObjectId]:
        """Select the blobs of which the list of chunks is here and what it lists was offloaded or evicted."""
        return {blob for blob in object_ids & self.offloaded.all().keys() if self.is_listed(blob)}

    def renew_packed(self, object_ids: set[ObjectId], renewed: dict[str, bool]) -> set[ObjectId]:
        """Renew and return those of the objects that are in packs; `renewed` says which packs were found whole."""
        known: set[ObjectId] = set()
        for pack, inside in self.places.packs_of(object_ids).items():
            if pack not in renewed:
                name = layout.pack_path(pack)
                renewed[pack] = self.storage.stat(name) is not None
                if renewed[pack]:
                    self.storage.touch(name)
            if renewed[pack]:
                known |= inside
        return known

    def loose_blob(self, object_id: ObjectId) -> BinaryIO | None:
        """Open the file of a blob that is stored whole and raw, for a clone; None if it is not stored so."""
        found = self.loose.find(object_id)
        if found is None or found[0].endswith(layout.COMPRESSED):
            return None
        return self.storage.open(found[0])

    def put(self, kind: Kind, data: bytes) -> StoredObject:
        """Store one small object loose; see LooseObjects.put."""
        self.unrecorded.note_objects([IDENTIFY[kind](data)])
        return self.loose.put(kind, data)

    def pack_objects(self, name: str) -> Iterator[StoredObject]:
        """List what a pack holds, by its footer.

        Raises:
            RecordCorrupt: the footer is damaged.
        """
        return objects_in(self.packs.footer(name), self.packs.read)

    def check(self, object_id: ObjectId, kind: Kind, data: bytes) -> None:
        """Check that bytes are the object's.

        Raises:
            ObjectCorrupt: they are not.
        """
        if IDENTIFY[kind](data) != object_id:
            raise ObjectCorrupt(object_id, "its bytes do not hash to its name")

    def verify(self, object_id: ObjectId, kind: Kind) -> int:
        """Read the object and compare its hash; returns its size in bytes.

        Raises:
            ObjectMissing, ObjectCorrupt.
        """
        return sum(len(piece) for piece in self.stream(object_id, kind))

    def close(self) -> None:
        """Let go of open packs."""
        if "packs" in self.__dict__:
            self.packs.close()

    def search(self, object_ids: set[ObjectId], *, but: str = "") -> dict[ObjectId, PackLocation]:
        """Look through the footers, once, for packed objects that the index does not know; `but` one is left out."""
        found: dict[ObjectId, PackLocation] = {}
        for name in self.packs.names():
            if len(found) == len(object_ids):
                break
            if name == but:
                continue
            try:
                footer = self.packs.footer(name)
            except FileNotFoundError:
                continue
            except RecordCorrupt:
                self.passed_over.add(name)
                continue  # damage is fsck's to report; the object may lie elsewhere
            entries = footer.entries if len(object_ids) > FEW_OBJECTS else map(footer.find, object_ids)
            for entry in entries:
                if entry is not None and entry.id in object_ids:
                    found.setdefault(
                        entry.id, PackLocation(name, entry.frame, entry.offset, entry.length, entry.chunked)
                    )
        return found

    def _search_packs(self, object_id: ObjectId, *, but: str = "") -> PackLocation | None:
        return self.search({object_id}, but=but).get(object_id)


def objects_in(footer: "Footer", read: Callable[[PackLocation], bytes]) -> Iterator[StoredObject]:
    """Yield what a pack holds, by its footer. A blob in chunks is as large as its list says, which is `read`."""
    for entry in footer.entries:
        frame = footer.frames[entry.frame]
        share = frame.share_of(entry)
        place = PackLocation(footer.name, entry.frame, entry.offset, entry.length, entry.chunked)
        size = entry.length
        if entry.chunked:
            size = sum(length for _, length in decode_chunk_list(read(place), entry.id))
        yield StoredObject(entry.id, entry.kind, size, share, place)
