"""What the files alone say about the objects there are."""

from collections.abc import Iterator, Mapping, Sequence

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.loose import kind_of
from aura_vcs.objects.store import ObjectStore
from aura_vcs.progress import Progress

READ_LIMIT = 16 << 20
"""A loose object of more bytes is a blob: no tree or version is that large."""


def packed_objects(store: ObjectStore, names: Sequence[str], progress: Progress) -> Iterator[list[StoredObject]]:
    """Yield what is in packs, by footers: a list for each pack. Damaged ones are passed over; fsck reports them."""
    progress.start("Reading packs", len(names), "packs")
    for name in names:
        try:
            yield list(store.pack_objects(name))
        except (IntegrityError, FileNotFoundError):
            progress.note(f"Pack {name[:12]} cannot be read, so what it holds is left out; `aura fsck` shows more")
        progress.advance(1)
    progress.finish()


def loose_objects(store: ObjectStore, found: Mapping[ObjectId, int]) -> Iterator[StoredObject]:
    """Yield loose objects, given with their stored sizes, each read to tell its kind; damaged ones are passed over."""
    for object_id, stored_size in found.items():
        item = _loose(store, object_id, stored_size)
        if item is not None:
            yield item


def offloaded_objects(store: ObjectStore) -> Iterator[StoredObject]:
    """Yield what belongs to offloaded content: chunks, or blobs without a list of chunks here. Some may be here."""
    for blob, entry in store.offloaded.all().items():
        place = store.places.find(blob)
        if place is None or not place.chunked:
            yield StoredObject(blob, Kind.BLOB, entry.size, 0)
            continue
        try:
            listed = list(decode_chunk_list(store.packs.read(place), blob))
        except (IntegrityError, FileNotFoundError):
            continue
        yield from (StoredObject(chunk, Kind.CHUNK, size, 0) for chunk, size in listed)


def _loose(store: ObjectStore, object_id: ObjectId, stored_size: int) -> StoredObject | None:
    try:
        if stored_size > READ_LIMIT:
            return StoredObject(object_id, Kind.BLOB, store.loose.size(object_id), stored_size)
        data = store.loose.read(object_id)
    except (IntegrityError, FileNotFoundError):
        return None
    kind = kind_of(object_id, data)
    return None if kind is None else StoredObject(object_id, kind, len(data), stored_size)
