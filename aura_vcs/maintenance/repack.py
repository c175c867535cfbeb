"""Packing what lies scattered: loose objects, small packs, labels, the older part of the log.

Objects of one path lie side by side in the order of versions: one zstd window sees a document
and its earlier contents, so a changed field costs a few bytes. That takes the place of deltas.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from functools import partial

import msgspec

from aura_vcs.codec import decode_tree
from aura_vcs.compression import THOROUGH_LEVEL
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.layout import pack_path
from aura_vcs.maintenance.frames import Gathered, frames
from aura_vcs.maintenance.unwrapping import NO_RECIPES, Recipes, RecipeSearch, note_left
from aura_vcs.model import Entry, EntryKind, Kind, Tree
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.objects.packs.writer import PACK_ENTRIES, PackWriter
from aura_vcs.repository.format_file import UNWRAPPED, UNWRAPPED_TWICE
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import readers_of

SMALL_PACK_BYTES = 4 << 20
"""Packs up to this size are gathered; larger ones are left in peace."""
SCATTERED = 12
FEW_PACK_BYTES = 1 << 20
SCATTERED_BYTES, SCATTERED_SHARE = 1 << 10, 64
"""Fewer loose objects and small packs are left as they are, unless so many bytes, and such a part of the largest
pack of at most FEW_PACK_BYTES, lie beside that: what is alike in them is to lie together."""
FRAME_BYTES = 1 << 20
MEDIA_FRAME_BYTES = 512 << 10
REPACK_BYTES = 64 << 20
REPACK_OBJECTS = PACK_ENTRIES
"""Decoded bytes, and objects, that are packed anew in one go and held in memory meanwhile."""
REPACK_CONTENT_BYTES = 256 << 20
"""So much content of files that were taken apart is compressed anew in one go."""
FULL_CONTENT_BYTES = 96 << 20
"""A pack with so much of it is left in peace however small it is."""
CHUNKED_LIMIT = 1 << 30
"""In longer files nobody looks for the place of a chunk."""
ANYBODY = 0o666
KEEP_LINES = 20
KEEP_LABELS = 64

Order = dict[ObjectId, tuple[str, str, int, int]]


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


def recipes_of_stored(repo: Repository) -> Recipes:
    """Find out which files `repack` can take apart; it takes a while and needs no lock."""
    search = RecipeSearch(repo)
    search.begin()
    gathered: set[str] = set()
    for scattered in find_scattered(repo):
        loose = [item for item, _ in scattered.loose[:REPACK_OBJECTS]]
        small = [name for name, _ in scattered.packs]
        search.look_at(loose, small)
        gathered.update(small)
    search.look_into_others(name for name in sorted(repo.store.packs.names()) if name not in gathered)
    return search.finish()


def repack(repo: Repository, recipes: Recipes = NO_RECIPES) -> int:
    """Pack what is scattered, if there is enough of it; returns the bytes that frees.

    Files that have a recipe are stored as what is in them, and are taken out of packs that are not gathered. The caller
    holds the objects lock alone. Interrupted, objects lie in two places, which is harmless; the next collection
    finds them again.
    """
    others: dict[int, list[str]] = {}
    for name in recipes.others:
        if repo.store.packs.stored_size(name):
            others.setdefault(repo.store.storage.readers(pack_path(name)), []).append(name)
    freed = 0
    for scattered in find_scattered(repo, others.keys()):
        small = {name for name, _ in scattered.packs}
        freed += _pack_some(repo, scattered, recipes, [n for n in others.get(scattered.mode, ()) if n not in small])
    with repo.transaction():
        repo.index.tidy_records(keep_lines=KEEP_LINES, keep_labels=KEEP_LABELS)
    return freed


def find_scattered(repo: Repository, also: Set[int] = frozenset()) -> list[Scattered]:
    """Find what lies loose and which packs are small, as far as packing that is worth it.

    For the readers in `also` it is worth it in any case: something else joins it.
    """
    store = repo.store
    loose: dict[int, list[tuple[ObjectId, int]]] = {}
    small: dict[int, list[tuple[str, int]]] = {}
    for object_id, size in store.loose.all():
        found = store.loose.find(object_id) if size < LARGE_BYTES else None
        if found is not None:
            loose.setdefault(store.storage.readers(found[0]), []).append((object_id, size))
    for size, name, mode in sorted(_size_and_readers(repo, name) for name in store.packs.names()):
        if size <= SMALL_PACK_BYTES and _content_bytes(repo, name) < FULL_CONTENT_BYTES:
            small.setdefault(mode, []).append((name, size))
    groups = (Scattered(mode, loose.get(mode, []), small.get(mode, [])) for mode in sorted({*loose, *small, *also}))
    return [worth for group in groups if (worth := group if group.mode in also else group.worth_packing()) is not None]


def _size_and_readers(repo: Repository, name: str) -> tuple[int, str, int]:
    """Look at a pack once: its size, its name, and who can read it, as a mode."""
    found = repo.store.storage.look(pack_path(name))
    if found is None:  # gone, or a sync tool's copy
        return repo.store.packs.stored_size(name), name, ANYBODY
    return found.st_size, name, readers_of(found.st_mode)


def _content_bytes(repo: Repository, name: str) -> int:
    """Count the content of files that a pack has taken apart; 0 where it is damaged or gone."""
    if UNWRAPPED not in repo.format.features:
        return 0
    try:
        return repo.store.packs.content_bytes(name)
    except (IntegrityError, FileNotFoundError):
        return 0


def _pack_some(repo: Repository, scattered: Scattered, recipes: Recipes, others: Sequence[str]) -> int:
    """Pack what the same people can read, with what has a recipe in `others`, which are packs."""
    store, loose, mode = repo.store, scattered.loose, scattered.mode
    small = [name for name, _ in scattered.packs]
    items = {item.id: item for item in _loose_objects(repo, loose[:REPACK_OBJECTS])}
    gathered, content, plain = _collect_from_packs(repo, small, items)
    taken = [item for name in others for item in _taken_from(repo, name, recipes)]
    items.update((item.id, item) for item in taken)
    if not loose and len(gathered) < 2 and not recipes.parts.keys() & items.keys():
        return _shrink(repo, others, recipes)  # what there is fills a pack each
    before = sum(item.stored_size for item in items.values() if item.location is None)
    sizes = dict(scattered.packs)
    before += sum(sizes[name] for name in gathered)
    order = _order(repo, items, content)
    last = ("~", "~", 0, 0)
    ordered = sorted(items.values(), key=lambda item: (*order.get(item.id, last), item.id))
    paths = {item: place[1] for item, place in order.items()}
    known = Gathered(content, recipes.parts, paths, plain)
    halves = [[item for item in ordered if _is_media(repo, item, recipes) == is_media] for is_media in (False, True)]
    written = [rewrite(repo, half, FRAME_BYTES, THOROUGH_LEVEL, known, mode=mode) for half in halves if half]
    note_left(repo, recipes.parts.keys() & items.keys())
    after = sum(map(store.packs.stored_size, written))
    store.loose.delete(item.id for item in items.values() if item.location is None)
    # A collection that was interrupted may have written it already: then it is the new pack.
    old = [name for name in gathered if name not in written]
    repo.index.forget_packs(old)
    store.packs.delete(*old)
    return max(0, before - after + _shrink(repo, others, recipes))


def _is_media(repo: Repository, item: StoredObject, recipes: Recipes) -> bool:
    """Tell whether this is a piece of a large file as it is: in a pack of their own these fill it soon.

    What is stored as its content stays in small packs, which later versions join.
    """
    if item.kind is not Kind.CHUNK or item.location is None or item.id in recipes.parts:
        return False
    return not repo.store.packs.is_unwrapped(item.location)


def _taken_from(repo: Repository, name: str, recipes: Recipes) -> list[StoredObject]:
    """List what is to be taken out of a pack and has a recipe; nothing where the pack is damaged or gone."""
    wanted = recipes.others[name] & recipes.parts.keys()
    try:
        return [item for item in repo.store.pack_objects(name) if item.id in wanted]
    except (IntegrityError, FileNotFoundError):
        return []


def _shrink(repo: Repository, names: Iterable[str], recipes: Recipes) -> int:
    """Write packs anew without what lies elsewhere unwrapped now; returns the bytes that frees.

    Each is as it was until its new form is published. One that cannot be read is left.
    """
    freed, store = 0, repo.store
    for name in names:
        try:
            items = list(store.pack_objects(name))
            unwanted = _elsewhere(repo, name, recipes.others[name])
            if not unwanted:
                continue
            living = sorted((item for item in items if item.id not in unwanted), key=_position)
            before, mode = store.packs.stored_size(name), store.storage.readers(pack_path(name))
            written = rewrite(repo, living, MEDIA_FRAME_BYTES, None, mode=mode) if living else ""
        except (IntegrityError, FileNotFoundError):
            continue
        repo.index.forget_packs([name])
        store.packs.delete(name)
        freed += before - (store.packs.stored_size(written) if written else 0)
    return freed


def _elsewhere(repo: Repository, name: str, wanted: Set[ObjectId]) -> set[ObjectId]:
    """Select what the index knows in another pack, which is there."""
    places = repo.store.places.find_many(wanted)
    here = set(repo.store.packs.names()) - {name}
    return {object_id for object_id, place in places.items() if place.pack in here}


def _position(item: StoredObject) -> tuple[int, int]:
    return (0, 0) if item.location is None else (item.location.frame, item.location.offset)


def _collect_from_packs(
    repo: Repository, names: Sequence[str], items: dict[ObjectId, StoredObject]
) -> tuple[list[str], dict[ObjectId, bytes], frozenset[str]]:
    """Take what packs hold into `items`, until there is enough; returns the packs and their objects' bytes.

    Also, in which of the packs nothing is stored unwrapped. Each is opened once. What does not fit is gathered by
    the next collection.
    """
    gathered: list[str] = []
    plain: set[str] = set()
    content: dict[ObjectId, bytes] = {}
    size = unwrapped = 0
    for name in names:
        try:
            found = list(repo.store.pack_objects(name))
            size += sum(item.location.length for item in found if item.location is not None)
            unwrapped += _content_bytes(repo, name)
            is_too_much = size > REPACK_BYTES or unwrapped > REPACK_CONTENT_BYTES
            if gathered and (is_too_much or len(items) + len(found) > REPACK_OBJECTS):
                break
            content.update(
                (item.id, repo.store.packs.read(item.location)) for item in found if item.location is not None
            )
            if not repo.store.packs.has_unwrapped(name):
                plain.add(name)
        except (IntegrityError, FileNotFoundError):
            continue  # damaged: fsck's to report, not ours to touch
        items.update((item.id, item) for item in found)
        gathered.append(name)
    return gathered, content, frozenset(plain)


def _loose_objects(repo: Repository, loose: Sequence[tuple[ObjectId, int]]) -> Iterator[StoredObject]:
    queries = repo.queries
    for object_id, size in loose:
        record = queries.object(object_id)
        if record is not None:
            yield StoredObject(object_id, Kind(record.kind), record.size, size)


def _order(repo: Repository, items: Mapping[ObjectId, StoredObject], content: Mapping[ObjectId, bytes]) -> Order:
    """Map objects to what they are packed next to: suffix, path, place in the file, and number of their version.

    Trees are not read again of which the `content` is known.

    The place is that of a chunk in the list of its file: streams of an archive lie beside the earlier ones of
    the same member.
    """
    order: Order = {}
    opened: set[ObjectId] = set()
    has_chunks = any(item.kind is Kind.CHUNK for item in items.values())
    read = partial(_read_tree, repo, content)
    cut: set[ObjectId] = set()
    for record in reversed(repo.queries.all_versions(VersionFilter(deleted=True))):
        order[record.id] = ("version", "", 0, record.number)
        for path, entry in _order_tree(read, record.tree, record.number, items.keys(), opened, order):
            if has_chunks and LARGE_BYTES <= entry.size <= CHUNKED_LIMIT and entry.id not in cut:
                cut.add(entry.id)
                _order_chunks(repo, entry, path, record.number, items.keys(), order)
    return order


def _order_chunks(repo: Repository, entry: Entry, path: str, number: int, wanted: Set[ObjectId], order: Order) -> None:
    with suppress(IntegrityError, FileNotFoundError):
        for place, chunk in enumerate(repo.store.chunk_ids(entry.id)):
            if chunk in wanted and chunk not in order:
                order[chunk] = (posixpath.splitext(path)[1], path, place, number)


def _read_tree(repo: Repository, content: Mapping[ObjectId, bytes], tree: ObjectId) -> Tree:
    """Read a tree, from the content if that is known: what a pack holds is not verified yet. Raises IntegrityError."""
    data = content.get(tree)
    if data is None:
        return repo.trees.tree(tree)
    repo.store.check(tree, Kind.TREE, data)
    return decode_tree(data, tree)


def _order_tree(
    read: Callable[[ObjectId], Tree],
    tree: ObjectId,
    number: int,
    wanted: Set[ObjectId],
    opened: set[ObjectId],
    order: Order,
) -> Iterator[tuple[str, Entry]]:
    """Put a version's trees and files in order; yields the files of trees that no version before had."""
    waiting = [(tree, "")]
    while waiting:
        current, prefix = waiting.pop()
        if current in opened:
            continue
        opened.add(current)
        order[current] = ("tree", prefix, 0, number)
        try:
            entries = read(current).entries
        except IntegrityError:
            continue
        for entry in entries:
            if entry.kind is EntryKind.DIR:
                waiting.append((entry.id, f"{prefix}{entry.name}/"))
                continue
            if entry.id in wanted and entry.id not in order:
                order[entry.id] = (posixpath.splitext(entry.name)[1], prefix + entry.name, 0, number)
            yield prefix + entry.name, entry


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
                    if frame.may_be_twice:
                        repo.declare(UNWRAPPED_TWICE)
                    writer.add_frame(frame.objects, encode=frame.encode)
                    if frame.is_large:
                        writer.write_pending()
                else:
                    writer.add_frame(frame.objects, level=None if frame.is_media else level)
            name, stored = writer.finish()
        except BaseException:
            writer.discard()
            raise
    repo.index.move(name, stored)
    return name
