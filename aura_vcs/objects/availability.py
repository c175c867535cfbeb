"""Whether content is here, offloaded or missing, and getting what is offloaded.

A blob is here when its bytes can be read; it is *offloaded* when they are not here and the record
says which remote holds them; it is *evicted* when they are not here and can be made again; it is *missing* when
nobody knows. A blob that is kept in chunks keeps
its list here when it is offloaded: only its chunks go.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from aura_vcs.errors.integrity import IntegrityError, ObjectEvicted, ObjectMissing, ObjectOffloaded
from aura_vcs.ids import ObjectId
from aura_vcs.layout import pack_path
from aura_vcs.objects.base import LocationIndex, PackLocation
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.loose import LooseObjects
from aura_vcs.objects.offloaded import OffloadedContent, OffloadedRecords
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from aura_vcs.objects.packs.reader import Packs

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
