"""Objects on their way out: packs that travel as they are, and packs that are gathered for the way."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence, Set
from itertools import chain

import msgspec

from aura_vcs.errors.integrity import ObjectCorrupt, ObjectMissing, RecordCorrupt
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import PACKS, pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.availability import find_in_packs, missing_parts
from aura_vcs.objects.base import IDENTIFY, PackLocation
from aura_vcs.objects.chunking import Cutter, encode_chunk_list
from aura_vcs.objects.packs.folder_packs import cut, write_packs
from aura_vcs.objects.packs.format import Footer
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.packs.writer import FRAME_BYTES, NewObject, is_nonce, similar_frames
from aura_vcs.progress import Progress
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.sync.state.manifest import UNWRAPPED, UNWRAPPED_TWICE
from aura_vcs.sync.transfer.push_negotiation import ObjectToSend

WHOLE_PACK_SHARE = 0.9
"""A pack travels as it is when so much of it is needed; from others, what is needed is gathered."""


class PushPacks(msgspec.Struct, frozen=True):
    """What is to be sent: packs of the store by name, and objects that are still to be gathered."""

    packs: tuple[str, ...]
    loose: tuple[ObjectToSend, ...]
    stored_bytes: int
    features: frozenset[str] = frozenset()
    """What whoever reads the packs must understand, as the manifest says it."""


def plan_packs(
    repo: Repository,
    needed: Mapping[ObjectId, ObjectToSend],
    tombstones: Set[str] = frozenset(),
    pack_bytes: int | None = None,
) -> PushPacks:
    """Divide what is needed into whole packs and the rest.

    A pack that would get a name of `tombstones` there does not travel whole. Packs of more than `pack_bytes` are cut on
    their way.

    Raises:
        ObjectMissing: something is not in this project.
    """
    by_pack: defaultdict[str, list[ObjectToSend]] = defaultdict(list)
    loose: list[ObjectToSend] = []
    total = 0
    places = _places(repo, needed)
    for item in needed.values():
        place = places[item.id]
        if place is None:
            loose.append(item)
            found = repo.store.loose.find(item.id)
            total += found[1] if found is not None else 0
        else:
            by_pack[place.pack].append(item)
    whole = []
    for pack, items in sorted(by_pack.items()):
        size = repo.store.packs.stored_size(pack)
        share = _share(repo.store.packs.footer(pack), {item.id for item in items})
        if share >= WHOLE_PACK_SHARE and not (tombstones and _remote_names(repo, pack, pack_bytes) & tombstones):
            whole.append(pack)
            total += size
        else:
            loose += items
            total += int(share * size)
    features = {UNWRAPPED} if any(map(repo.store.packs.has_unwrapped, whole)) else set()
    features |= {UNWRAPPED_TWICE} if any(map(repo.store.packs.has_twice, whole)) else set()
    return PushPacks(tuple(whole), tuple(sorted(loose, key=pack_order)), total, frozenset(features))


def _remote_names(repo: Repository, pack: str, pack_bytes: int | None) -> set[str]:
    """Return the names that a pack of the store has at the remote."""
    if pack_bytes is None or repo.store.packs.stored_size(pack) <= pack_bytes:
        return {pack}
    return {part.name for part in cut(repo.store.packs.footer(pack), pack_bytes)}


def pack_order(item: ObjectToSend) -> tuple[bool, str, str, str]:
    """Build a sort key for objects that are gathered: similar ones side by side."""
    return item.kind is not Kind.CHUNK, item.path.rpartition(".")[2], item.path, item.id


def offloaded_objects(repo: Repository, needed: Mapping[ObjectId, ObjectToSend]) -> dict[ObjectId, int]:
    """Map the needed objects that are offloaded to their sizes in bytes."""
    if not repo.store.offloaded.all():
        return {}
    queries = repo.queries
    away = repo.index.unlocated(needed) - find_in_packs(repo.store, needed).keys()
    return {
        object_id: record.size
        for object_id in away
        if repo.store.loose.find(object_id) is None and (record := queries.object(object_id)) is not None
    }


def without_evicted(repo: Repository, needed: Mapping[ObjectId, ObjectToSend]) -> Mapping[ObjectId, ObjectToSend]:
    """Leave out what is evicted here: nobody has to have it, its recipe travels."""
    left = repo.store.offloaded.evicted().keys() & needed.keys()
    absent = missing_parts(repo.store, left) if left else {}
    gone = {part for blob, parts in absent.items() for part in (blob, *parts)}
    return {i: item for i, item in needed.items() if i not in gone} if gone else needed


def _places(repo: Repository, needed: Mapping[ObjectId, ObjectToSend]) -> dict[ObjectId, PackLocation | None]:
    known = repo.store.places.find_many(needed)
    here = {f.removesuffix(".pack") for f in repo.storage.list(PACKS)}
    found: dict[ObjectId, PackLocation | None] = {}
    for object_id in needed:
        place = known.get(object_id)
        if place is None or place.pack not in here:
            place = None if repo.store.loose.find(object_id) is not None else repo.store.location(object_id)
            if place is None and repo.store.loose.find(object_id) is None:
                raise ObjectMissing(object_id, needed[object_id].path)
        found[object_id] = place
    return found


def _share(footer: Footer, wanted: set[ObjectId]) -> float:
    """Return the share of a pack's bytes that the wanted objects take."""
    total = sum(frame.stored_length for frame in footer.frames)
    used = sum(footer.frames[entry.frame].share_of(entry) for entry in footer.entries if entry.id in wanted)
    return used / total if total else 1.0


def pack_objects(
    repo: Repository,
    items: Sequence[ObjectToSend],
    outgoing: LocalStorage,
    progress: Progress,
    *,
    unique_names: bool = False,
    pack_bytes: int | None = None,
) -> list[str]:
    """Write the objects into packs in `outgoing`; returns the names of the packs.

    Packs that an interrupted push left there are used again. Every object is hashed on its way.
    With `unique_names`, the packs have names that none ever had.

    Raises:
        ObjectCorrupt, ObjectMissing: this project is damaged.
    """
    ready, done = reusable_packs(outgoing, {item.id for item in items} if not unique_names else set())
    frames = read_frames(repo, [item for item in items if item.id not in done])
    return ready + write_packs(outgoing, frames, progress, unique_names=unique_names, pack_bytes=pack_bytes)


def reusable_packs(
    outgoing: LocalStorage, wanted: set[ObjectId], barred: Container[str] = ()
) -> tuple[list[str], set[ObjectId]]:
    """Find packs of an earlier attempt that are wanted as a whole, and what they hold; others are removed.

    Packs whose names are `barred` are not wanted. What only gave a pack its name need not be.
    """
    names, done = [], set[ObjectId]()
    for file in outgoing.list(PACKS):
        name = file.removesuffix(".pack")
        try:
            with outgoing.open(pack_path(name)) as opened:
                entries = OpenPack(opened, name).footer.entries
                held = {entry.id for entry in entries if entry.id in wanted or not is_nonce(entry)}
        except RecordCorrupt:
            held = set()
        if held and held <= wanted and name not in barred:
            names.append(name)
            done |= held
        else:
            outgoing.delete(f"{PACKS}/{file}")
    return names, done


def read_frames(repo: Repository, items: Iterable[ObjectToSend]) -> Iterator[list[NewObject]]:
    """Yield the objects as packs have them, hashed, in groups that make a frame each.

    Raises:
        ObjectCorrupt, ObjectMissing: this project is damaged.
    """
    return similar_frames(chain.from_iterable(_read(repo, item) for item in items))


def _read(repo: Repository, item: ObjectToSend) -> Iterator[NewObject]:
    """Yield the object as packs have it, hashed. A large loose blob is cut."""
    place = None if repo.store.loose.find(item.id) is not None else repo.store.location(item.id)
    if place is not None and place.chunked:
        yield NewObject(item.id, item.kind, repo.store.packs.read(place), chunked=True)
        return
    if place is not None:
        data = repo.store.packs.read(place)
        if IDENTIFY[item.kind](data) != item.id:
            raise ObjectCorrupt(item.id, "its bytes do not hash to its name", f"pack {place.pack[:12]}")
        yield NewObject(item.id, item.kind, data)
        return
    found = repo.store.loose.find(item.id)
    if item.kind is Kind.BLOB and found is not None and found[1] >= FRAME_BYTES:
        yield from _cut(repo, item)
    else:
        yield NewObject(item.id, item.kind, repo.store.read(item.id, item.kind))


def _cut(repo: Repository, item: ObjectToSend) -> Iterator[NewObject]:
    cutter, listed = Cutter(), list[tuple[ObjectId, int]]()
    for piece in repo.store.stream(item.id, item.kind):
        for chunk in cutter.feed(piece):
            yield _chunk(chunk, listed)
    for chunk in cutter.finish():
        yield _chunk(chunk, listed)
    yield NewObject(item.id, item.kind, encode_chunk_list(listed), chunked=True)


def _chunk(data: memoryview, listed: list[tuple[ObjectId, int]]) -> NewObject:
    chunk = blob_id(data)
    listed.append((chunk, len(data)))
    return NewObject(chunk, Kind.CHUNK, bytes(data))
