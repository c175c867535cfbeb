"""Packing what lies scattered: loose objects, small packs, labels, the older part of the log.

Objects of one path lie side by side in the order of versions: one zstd window sees a document
and its earlier contents, so a changed field costs a few bytes. That takes the place of deltas.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence, Set

import msgspec

from aura_vcs.compression import THOROUGH_LEVEL
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.deflate.unwrapping import FilePart
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.layout import pack_path
from aura_vcs.maintenance.frames import Gathered, frames
from aura_vcs.maintenance.unwrapping import NO_RECIPES, Recipes, find_recipes
from aura_vcs.model import EntryKind, Kind
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.packs.writer import PACK_ENTRIES, PackWriter
from aura_vcs.repository.format_file import UNWRAPPED
from aura_vcs.repository.repository import Repository

SMALL_PACK_BYTES = 4 << 20
"""Packs up to this size are gathered; larger ones are left in peace."""
SCATTERED = 12
FEW_PACK_BYTES = 1 << 20
SCATTERED_BYTES, SCATTERED_SHARE = 1 << 10, 64
"""Fewer loose objects and small packs are left as they are, unless so many bytes, and such a part of the largest
pack of at most FEW_PACK_BYTES, lie beside that: what is alike in them is to lie together."""
FRAME_BYTES = 1 << 20
REPACK_BYTES = 64 << 20
REPACK_OBJECTS = PACK_ENTRIES
"""Decoded bytes, and objects, that are packed anew in one go and held in memory meanwhile."""
KEEP_LINES = 20
KEEP_LABELS = 64

Order = dict[ObjectId, tuple[str, str, int]]


class Scattered(msgspec.Struct, frozen=True):
    """What lies loose, and small packs, the smallest first, with stored sizes: what the same people can read."""

    mode: int
    loose: list[tuple[ObjectId, int]]
    packs: list[tuple[str, int]]

    def worth_packing(self) -> "Scattered | None":
        """Return what of it is worth packing together, None if nothing is.

        Where there are few, what is alike in them shares its bytes then; a pack of media gains nothing by that.
        """
        if len(self.loose) + len(self.packs) >= SCATTERED:
            return self
        few = [(name, size) for name, size in self.packs if size <= FEW_PACK_BYTES]
        sizes = [sum(size for _, size in self.loose), *(size for _, size in few)]
        largest = max(sizes[1:], default=0)
        is_worth_it = sum(sizes) - largest >= max(SCATTERED_BYTES, largest // SCATTERED_SHARE)
        return Scattered(self.mode, self.loose, few) if is_worth_it and len(self.loose) + len(few) > 1 else None


def recipes_of_scattered(repo: Repository) -> Recipes:
    """Find out which files `repack` can take apart; it takes a while and needs no lock."""
    found: dict[ObjectId, tuple[FilePart, ...]] = {}
    for scattered in find_scattered(repo):
        loose = [item for item, _ in scattered.loose[:REPACK_OBJECTS]]
        found |= find_recipes(repo, loose, [name for name, _ in scattered.packs])
    return found


def repack(repo: Repository, recipes: Recipes = NO_RECIPES) -> int:
    """Pack what is scattered, if there is enough of it; returns the bytes that frees.

    Files that have a recipe are stored as what is in them. The caller holds the objects lock alone.
    Interrupted, objects lie in two places, which is harmless; the next collection finds them again.
    """
    freed = sum(_pack_some(repo, scattered, recipes) for scattered in find_scattered(repo))
    with repo.transaction():
        repo.index.tidy_records(keep_lines=KEEP_LINES, keep_labels=KEEP_LABELS)
    return freed


def find_scattered(repo: Repository) -> list[Scattered]:
    """Find what lies loose and which packs are small, as far as packing that is worth it."""
    store = repo.store
    loose: dict[int, list[tuple[ObjectId, int]]] = {}
    small: dict[int, list[tuple[str, int]]] = {}
    for object_id, size in store.loose.all():
        found = store.loose.find(object_id) if size < LARGE_BYTES else None
        if found is not None:
            loose.setdefault(store.storage.readers(found[0]), []).append((object_id, size))
    for size, name in sorted((store.packs.stored_size(name), name) for name in store.packs.names()):
        if size <= SMALL_PACK_BYTES:
            small.setdefault(store.storage.readers(pack_path(name)), []).append((name, size))
    groups = (Scattered(mode, loose.get(mode, []), small.get(mode, [])) for mode in sorted({*loose, *small}))
    return [worth for group in groups if (worth := group.worth_packing()) is not None]


def _pack_some(repo: Repository, scattered: Scattered, recipes: Recipes) -> int:
    """Pack what the same people can read."""
    store, loose, mode = repo.store, scattered.loose, scattered.mode
    small = [name for name, _ in scattered.packs]
    items = {item.id: item for item in _loose_objects(repo, loose[:REPACK_OBJECTS])}
    gathered, content = _collect_from_packs(repo, small, items)
    if not loose and len(gathered) < 2:
        return 0  # what there is fills a pack each
    before = sum(item.stored_size for item in items.values() if item.location is None)
    before += sum(store.packs.stored_size(name) for name in gathered)
    order = _order(repo, items.keys())
    last = ("~", "~", 0)
    ordered = sorted(items.values(), key=lambda item: (*order.get(item.id, last), item.id))
    paths = {item: place[1] for item, place in order.items()}
    written = rewrite(repo, ordered, FRAME_BYTES, THOROUGH_LEVEL, Gathered(content, recipes, paths), mode=mode)
    after = store.packs.stored_size(written)
    store.loose.delete(item.id for item in items.values() if item.location is None)
    # A collection that was interrupted may have written it already: then it is the new pack.
    old = [name for name in gathered if name != written]
    repo.index.forget_packs(old)
    store.packs.delete(*old)
    return max(0, before - after)


def _collect_from_packs(
    repo: Repository, names: Sequence[str], items: dict[ObjectId, StoredObject]
) -> tuple[list[str], dict[ObjectId, bytes]]:
    """Take what packs hold into `items`, until there is enough; returns the packs and their objects' bytes.

    Each pack is opened once. What does not fit is gathered by the next collection.
    """
    gathered: list[str] = []
    content: dict[ObjectId, bytes] = {}
    size = 0
    for name in names:
        try:
            found = list(repo.store.pack_objects(name))
            size += sum(item.location.length for item in found if item.location is not None)
            if gathered and (size > REPACK_BYTES or len(items) + len(found) > REPACK_OBJECTS):
                break
            content.update(
                (item.id, repo.store.packs.read(item.location)) for item in found if item.location is not None
            )
        except (IntegrityError, FileNotFoundError):
            continue  # damaged: fsck's to report, not ours to touch
        items.update((item.id, item) for item in found)
        gathered.append(name)
    return gathered, content


def _loose_objects(repo: Repository, loose: Sequence[tuple[ObjectId, int]]) -> Iterator[StoredObject]:
    queries = repo.queries
    for object_id, size in loose:
        record = queries.object(object_id)
        if record is not None:
            yield StoredObject(object_id, Kind(record.kind), record.size, size)


def _order(repo: Repository, wanted: Set[ObjectId]) -> Order:
    """Map objects to what they are packed next to: suffix, path, and the number of their first version."""
    order: Order = {}
    opened: set[ObjectId] = set()
    for record in reversed(repo.queries.all_versions(VersionFilter(deleted=True))):
        order[record.id] = ("version", "", record.number)
        _order_tree(repo, record.tree, record.number, wanted, opened, order)
    return order


def _order_tree(
    repo: Repository, tree: ObjectId, number: int, wanted: Set[ObjectId], opened: set[ObjectId], order: Order
) -> None:
    waiting = [(tree, "")]
    while waiting:
        current, prefix = waiting.pop()
        if current in opened:
            continue
        opened.add(current)
        order[current] = ("tree", prefix, number)
        try:
            entries = repo.trees.tree(current).entries
        except IntegrityError:
            continue
        for entry in entries:
            if entry.kind is EntryKind.DIR:
                waiting.append((entry.id, f"{prefix}{entry.name}/"))
            elif entry.id in wanted and entry.id not in order:
                order[entry.id] = (posixpath.splitext(entry.name)[1], prefix + entry.name, number)


def rewrite(
    repo: Repository,
    items: Iterable[StoredObject],
    frame_bytes: int,
    level: int | None,
    gathered: Gathered = Gathered(),
    *,
    mode: int = 0o666,
) -> str:
    """Copy objects into a new pack, each verified, and note their new places; returns its name.

    What is stored unwrapped stays so. Nobody can read the pack who cannot read a file of `mode`.

    Raises:
        ObjectCorrupt: one is damaged; nothing was published.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        writer = PackWriter(repo.storage, executor, mode=mode)
        try:
            for frame in frames(repo.store, items, frame_bytes, gathered):
                if frame.files:
                    repo.declare(UNWRAPPED)
                    writer.add_frame(frame.objects, encode=frame.encode)
                else:
                    writer.add_frame(frame.objects, level=None if frame.is_media else level)
            name, stored = writer.finish()
        except BaseException:
            writer.discard()
            raise
    repo.index.move(name, stored)
    return name
