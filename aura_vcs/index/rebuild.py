"""What the files alone say about the objects there are."""

from collections.abc import Callable, Iterable, Mapping

from aura_vcs.errors import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind
from aura_vcs.objects.base import NoPlaces, Place, Places, StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.loose import kind_of
from aura_vcs.objects.store import ObjectStore
from aura_vcs.progress import Progress

READ_LIMIT = 16 << 20
"""A loose object of more bytes is a blob: no tree or version is that large."""


class KnownPlaces:
    """Places of objects that were just listed, else what `others` knows; see objects.base.Places."""

    def __init__(self, found: Mapping[ObjectId, StoredObject], others: Places | None = None) -> None:
        self._found = found
        self._others = others or NoPlaces()

    def find(self, object_id: ObjectId) -> Place | None:
        """See Places."""
        item = self._found.get(object_id)
        return self._others.find(object_id) if item is None else item.place

    def find_many(self, object_ids: Iterable[ObjectId]) -> Mapping[ObjectId, Place]:
        """See Places."""
        return {object_id: place for object_id in object_ids if (place := self.find(object_id)) is not None}


def stored_objects(store: ObjectStore, progress: Progress) -> dict[ObjectId, StoredObject]:
    """Every object on disk, from the packs' footers and the names of loose files.

    Damaged packs and loose files are passed over; fsck reports them.
    """
    found = _packed(store, store.packs.names(), progress)
    for object_id, stored_size in store.loose.all():
        item = _loose(store, object_id, stored_size)
        if item is not None:
            found[object_id] = item
    return found


def offloaded_objects(store: ObjectStore, found: Mapping[ObjectId, StoredObject]) -> dict[ObjectId, StoredObject]:
    """Objects that are not among `found`, those on disk, and are offloaded: counted, they have rows too."""
    away: dict[ObjectId, StoredObject] = {}
    for blob, entry in store.offloaded.all().items():
        item = found.get(blob)
        if item is None:
            away[blob] = StoredObject(blob, Kind.BLOB, entry.size, 0)
        elif item.place is not None and item.place.chunked:
            try:
                listed = list(decode_chunk_list(store.packs.read(item.place), blob))
            except (IntegrityError, FileNotFoundError):
                continue
            away.update((c, StoredObject(c, Kind.CHUNK, size, 0)) for c, size in listed if c not in found)
    return away


def unlisted_objects(
    store: ObjectStore,
    known_packs: set[str],
    unknown: Callable[[Iterable[ObjectId]], set[ObjectId]],
    progress: Progress,
) -> dict[ObjectId, StoredObject]:
    """Objects on disk that an index does not have: in packs beside `known_packs`, or loose.

    An interrupted command left them, or a sync tool brought them. `unknown` picks the ids that are
    not in the index. Costs a look at the folders' names, and at the footers of new packs.
    """
    packed = _packed(store, [name for name in store.packs.names() if name not in known_packs], progress)
    loose = dict(store.loose.all())
    new = unknown([*packed, *loose])
    found = {object_id: item for object_id, item in packed.items() if object_id in new}
    for object_id in loose.keys() & new - found.keys():
        item = _loose(store, object_id, loose[object_id])
        if item is not None:
            found[object_id] = item
    return found


def _packed(store: ObjectStore, names: list[str], progress: Progress) -> dict[ObjectId, StoredObject]:
    found: dict[ObjectId, StoredObject] = {}
    progress.start("Reading packs", len(names), "packs")
    for name in names:
        try:
            found.update((item.id, item) for item in store.pack_objects(name))
        except (IntegrityError, FileNotFoundError):
            progress.note(f"Pack {name[:12]} is damaged; `aura fsck` says more")
        progress.advance(1)
    progress.finish()
    return found


def _loose(store: ObjectStore, object_id: ObjectId, stored_size: int) -> StoredObject | None:
    if stored_size > READ_LIMIT:
        return StoredObject(object_id, Kind.BLOB, store.loose.size(object_id), stored_size)
    try:
        data = store.loose.read(object_id)
    except (IntegrityError, FileNotFoundError):
        return None
    kind = kind_of(object_id, data)
    return None if kind is None else StoredObject(object_id, kind, len(data), stored_size)
