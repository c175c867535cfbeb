"""Whether content is here, offloaded, evicted or missing, and getting what is offloaded.

A blob is here when its bytes can be read; it is *offloaded* when they are not here and the record
says which remote holds them; it is *evicted* when they are not here and can be made again; it is *missing* when
nobody knows. A blob that is kept in chunks keeps
its list here when it is offloaded: only its chunks go.

it can be made again.

`offloaded/<replica>.json` has one entry per blob; every copy of the project writes its own file and
reads all of them, so that the record travels with a folder that a sync tool merges. Of several
entries for a blob the one with the highest stamp counts; one without remotes that is not evicted either says
that the content was brought back. The record decides nothing where content is here: what is here is here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import IntegrityError, ObjectEvicted, ObjectMissing, ObjectOffloaded, RecordCorrupt
from aura_vcs.ids import ObjectId, ReplicaId, is_object_id
from aura_vcs.layout import OFFLOADED, offloaded_record, pack_path
from aura_vcs.objects.base import LocationIndex, PackLocation
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.loose import LooseObjects
from aura_vcs.storage.base import Writable
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from aura_vcs.objects.packs.reader import Packs
    from aura_vcs.objects.unrecorded import UnrecordedObjects


ALL_READERS = 0o666
"""Whoever the umask lets."""


class OffloadedContent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the content of a blob went: `remotes` are names with their addresses, none if it is back.

    `size` counts bytes of content. `path` is one that it has had. `readers` says who could read it here, as bits of
    a file's mode; so it is again when it is back. What is `evicted` needs no remote: a recipe says how it is made.
    """

    size: int
    path: str
    remotes: dict[str, str]
    at: str
    stamp: tuple[int, ReplicaId]
    readers: int = ALL_READERS
    evicted: bool = False


class OffloadedRecord(msgspec.Struct, frozen=True):
    """`offloaded/<replica>.json`."""

    content: dict[ObjectId, OffloadedContent] = {}


class OffloadedRecords:
    """The records of all copies of a project, read when they are asked for and kept until they change."""

    def __init__(self, storage: Writable) -> None:
        self._storage = storage
        self._seen: tuple[object, ...] | None = ()
        self._files: dict[str, OffloadedRecord] = {}
        self._merged: dict[ObjectId, OffloadedContent] = {}

    def all(self) -> Mapping[ObjectId, OffloadedContent]:
        """Return what is offloaded, by blob."""
        listed = self._storage.list(OFFLOADED)
        names = _records_among(listed) if listed else listed
        seen = tuple([(name, self._storage.stat(name)) for name in names]) if names else ()
        if seen != self._seen:
            self._read_all(names)
            self._seen = seen
        return self._merged

    def evicted(self) -> Mapping[ObjectId, OffloadedContent]:
        """Return what is evicted, by blob."""
        return {blob: entry for blob, entry in self.all().items() if entry.evicted}

    def note(
        self,
        replica: ReplicaId,
        content: Mapping[ObjectId, tuple[int, str, Mapping[str, str], int]],
        at: str,
        *,
        evicted: bool = False,
    ) -> None:
        """Record where content goes, durably: size, path, remotes and readers of each blob.

        The caller makes sure that no other process of this copy writes the record meanwhile.
        """
        if not content:
            return
        self.all()
        own = self._own(replica)
        for blob, (size, path, remotes, readers) in content.items():
            stamp = (self._next(blob), replica)
            own[blob] = OffloadedContent(size, path, dict(remotes), at, stamp, readers, evicted)
        self._write(replica, own)

    def forget(self, replica: ReplicaId, blobs: Iterable[ObjectId], at: str) -> None:
        """Record that content is here again, or that nothing needs it any more; as for `note`."""
        self.all()
        own = self._own(replica)
        gone = [blob for blob in blobs if blob in self._merged]
        if not gone:
            return
        name = offloaded_record(replica)
        others = {blob for file, record in self._files.items() if file != name for blob in record.content}
        for blob in gone:
            if blob in others:  # their file is theirs: ours says it later
                before = self._merged[blob]
                own[blob] = OffloadedContent(before.size, before.path, {}, at, (self._next(blob), replica))
            else:
                own.pop(blob, None)
        self._write(replica, own)

    def discard(self, replica: ReplicaId, blobs: Iterable[ObjectId]) -> None:
        """Drop this copy's own entries of what nothing needs any more, if they can be read; as for `note`."""
        try:
            own = self._own(replica) if self.all() else {}
        except RecordCorrupt:
            return
        gone = own.keys() & set(blobs)
        if gone:
            self._write(replica, {blob: entry for blob, entry in own.items() if blob not in gone})

    def _own(self, replica: ReplicaId) -> dict[ObjectId, OffloadedContent]:
        """Read this copy's entries.

        Raises:
            RecordCorrupt: they cannot be read; writing over them could lose where content is.
        """
        name = offloaded_record(replica)
        if self._storage.stat(name) is None:
            return {}
        return dict(decode_record(self._storage.read(name), OffloadedRecord, name).content)

    def damaged(self) -> list[str]:
        """List the records that cannot be read."""
        self.all()
        return [name for name in _records_among(self._storage.list(OFFLOADED)) if name not in self._files]

    def _next(self, blob: ObjectId) -> int:
        stamps = [record.content[blob].stamp[0] for record in self._files.values() if blob in record.content]
        return max(stamps, default=0) + 1

    def _write(self, replica: ReplicaId, own: dict[ObjectId, OffloadedContent]) -> None:
        self._storage.put(offloaded_record(replica), encode_record(OffloadedRecord(dict(sorted(own.items())))))
        self._seen = None

    def _read_all(self, names: Iterable[str]) -> None:
        self._files = {name: record for name in names if (record := self._read(name)) is not None}
        newest: dict[ObjectId, OffloadedContent] = {}
        for record in self._files.values():
            for blob, entry in record.content.items():
                if blob not in newest or entry.stamp > newest[blob].stamp:
                    newest[blob] = entry
        self._merged = {blob: entry for blob, entry in newest.items() if entry.remotes or entry.evicted}

    def _read(self, name: str) -> OffloadedRecord | None:
        """Read a record; None where it cannot be read: any remote may be asked anyway."""
        try:
            record = decode_record(self._storage.read(name), OffloadedRecord, name)
        except (FileNotFoundError, RecordCorrupt):
            return None
        return record if all(map(is_object_id, record.content)) else None


def _records_among(listed: list[str]) -> list[str]:
    """Return the paths of records among the names in their folder."""
    return [f"{OFFLOADED}/{name}" for name in listed if ".json" in name]


FetchOffloaded = Callable[[Mapping[ObjectId, str]], None]
"""Gets the content of offloaded blobs here, given with a path for messages. Raises ObjectOffloaded."""


class SearchableStore(Protocol):
    """What is asked of the store."""

    storage: LocalStorage
    loose: LooseObjects
    places: LocationIndex
    offloaded: OffloadedRecords
    fetch: FetchOffloaded | None

    @property
    def packs(self) -> "Packs":
        """The packs."""

    def search(self, object_ids: set[ObjectId]) -> dict[ObjectId, PackLocation]:
        """Find in all footers where objects lie that the index does not know."""


class BatchStore(Protocol):
    """What a batch needs of the store it writes to."""

    storage: LocalStorage
    loose: LooseObjects

    @property
    def unrecorded(self) -> "UnrecordedObjects":
        """Where is noted what is about to be published."""

    def renew(self, object_ids: set[ObjectId]) -> set[ObjectId]:
        """Renew the dates of those of the objects that are in the store, and return them."""

    def is_listed(self, object_id: ObjectId) -> bool:
        """Tell whether a blob is stored as a list of chunks, which may be offloaded."""

    def lists_without_content(self, object_ids: set[ObjectId]) -> set[ObjectId]:
        """Select the blobs of which the list of chunks is here and what it lists was offloaded or evicted."""

    def restrict(self, object_ids: set[ObjectId], mode: int) -> None:
        """Let nobody read the objects' files who cannot read one of that mode."""

    def renew_packed(self, object_ids: set[ObjectId], renewed: dict[str, bool]) -> set[ObjectId]:
        """Renew and return those that are in packs; `renewed` remembers which packs were looked at."""


def missing_parts(store: SearchableStore, blobs: Iterable[ObjectId]) -> dict[ObjectId, tuple[ObjectId, ...]]:
    """Map each blob that is not wholly here to what is missing: itself, or chunks of it.

    Opens no content, only lists of chunks; looks through the footers once for what the index does
    not know.
    """
    wanted = [blob for blob in dict.fromkeys(blobs) if store.loose.find(blob) is None]
    places = find_in_packs(store, wanted)
    lists = {
        blob: tuple(dict.fromkeys(chunk for chunk, _ in decode_chunk_list(store.packs.read(place), blob)))
        for blob, place in places.items()
        if place.chunked
    }
    here = find_in_packs(store, {chunk for chunks in lists.values() for chunk in chunks}).keys()
    found: dict[ObjectId, tuple[ObjectId, ...]] = {blob: (blob,) for blob in wanted if blob not in places}
    for blob, chunks in lists.items():
        if absent := tuple(chunk for chunk in chunks if chunk not in here):
            found[blob] = absent
    return found


def missing_bytes(store: SearchableStore, blobs: Mapping[ObjectId, int]) -> int:
    """Count the bytes of blobs that are not here, what several of them share once; `blobs` has their sizes.

    A blob of which not even the list of its chunks is here counts as a whole.
    """
    absent = missing_parts(store, blobs)
    missing = {blob: blobs[blob] for blob, parts in absent.items() if parts == (blob,)}
    for blob, place in find_in_packs(store, absent.keys() - missing.keys()).items():
        wanted = set(absent[blob])
        missing.update((c, length) for c, length in decode_chunk_list(store.packs.read(place), blob) if c in wanted)
    return sum(missing.values())


def find_in_packs(store: SearchableStore, object_ids: Iterable[ObjectId]) -> dict[ObjectId, PackLocation]:
    """Find where packed objects lie, for those that are in a pack that is there."""
    wanted = set(object_ids)
    known = store.places.find_many(wanted)
    there = {pack: store.storage.stat(pack_path(pack)) is not None for pack in {p.pack for p in known.values()}}
    found = {object_id: place for object_id, place in known.items() if there[place.pack]}
    if unsure := wanted - found.keys():
        found |= store.search(unsure)
    return found


def offloaded_among(store: SearchableStore, absent: Mapping[ObjectId, Sequence[ObjectId]]) -> set[ObjectId]:
    """Select those of the absent blobs that are offloaded: recorded, or made of chunks of what is recorded."""
    recorded = store.offloaded.all()
    found = {blob for blob in absent if blob in recorded}
    if found == absent.keys() or not recorded:
        return found
    held = offloaded_chunks(store, recorded)
    return found | {blob for blob, parts in absent.items() if held.issuperset(parts)}


def offloaded_chunks(store: SearchableStore, recorded: Mapping[ObjectId, OffloadedContent]) -> set[ObjectId]:
    """Return the chunks of all recorded blobs whose list is here."""
    chunks: set[ObjectId] = set()
    for blob, place in find_in_packs(store, recorded).items():
        if place.chunked:
            try:
                chunks.update(chunk for chunk, _ in decode_chunk_list(store.packs.read(place), blob))
            except (IntegrityError, FileNotFoundError):
                continue  # damaged: fsck's to report
    return chunks


def evicted_among(store: SearchableStore, blobs: Iterable[ObjectId]) -> set[ObjectId]:
    """Select those of the blobs that were evicted and are not here: nobody but a person makes them again."""
    recorded = store.offloaded.evicted()
    return set(missing_parts(store, [blob for blob in blobs if blob in recorded])) if recorded else set()


def require(store: SearchableStore, wanted: Mapping[ObjectId, str]) -> None:
    """Make sure that the content of blobs is here; what is offloaded is fetched. `wanted` has a path for each.

    Raises:
        ObjectMissing: something is neither here nor offloaded; nothing was fetched.
        ObjectOffloaded: the remotes that hold it cannot be asked now.
    """
    absent = missing_parts(store, wanted)
    if not absent:
        return
    known = offloaded_among(store, absent)
    for blob, parts in absent.items():
        if blob not in known:
            raise ObjectMissing(parts[0], wanted[blob] or (f"blob {blob}" if parts[0] != blob else ""))
    if store.fetch is None:
        raise offloaded_error(store, {blob: wanted[blob] for blob in absent})
    store.fetch({blob: wanted[blob] for blob in absent})


def offloaded_error(store: SearchableStore, blobs: Mapping[ObjectId, str], reason: str = "") -> ObjectOffloaded:
    """Build the error that names offloaded files, and the remotes that hold them."""
    recorded = store.offloaded.all()
    files = [path or (recorded[blob].path if blob in recorded else blob[:12]) for blob, path in blobs.items()]
    remotes = {name: None for blob in blobs if blob in recorded for name in recorded[blob].remotes}
    size = sum(recorded[blob].size for blob in blobs if blob in recorded)
    if any(recorded[blob].evicted for blob in blobs if blob in recorded):
        return ObjectEvicted(files, size, reason)
    return ObjectOffloaded(files, list(remotes), size, reason)
