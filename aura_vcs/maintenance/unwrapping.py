"""Finding out which stored files can be taken apart, before anything is locked: it takes a second for every 3 MB."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.integrity import IntegrityError, StorageError
from aura_vcs.formats.deflate.containers import is_container, may_be_stream
from aura_vcs.formats.deflate.unwrapping import FilePart, Unwrapped, unwrap, unwrap_stream
from aura_vcs.ids import ObjectId
from aura_vcs.layout import LOOKED_INTO
from aura_vcs.model import Kind
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.packs.format import CODEC_RAW, CODEC_ZSTD, PackEntry
from aura_vcs.repository.repository import Repository

AT_ONCE_BYTES, AT_ONCE_SECONDS = 128 << 20, 60.0
"""When so much content was looked at, or for so long, a collection leaves the rest for the next ones."""
FAILED_SHARE = 4
"""A file that cannot be taken apart counts as so many times its size."""
READ_BYTES = 64 << 20
"""So much of packs is read in search of such files: no more is packed anew at once."""
PACKS_AT_ONCE = 256
"""Packs that are not gathered and a collection looks into."""
WORTH_SHARE = 64
"""Such a pack is written anew where such files make so much of it, and left as it is where it is less."""
NOTED_OBJECTS = 4096
LEAST_BYTES = 1 << 10
_HEAD_BYTES = 1 << 10
_KINDS = frozenset({Kind.BLOB, Kind.CHUNK})


class Recipes(msgspec.Struct, frozen=True):
    """How files, and streams of large files, are taken apart, by their ids; each was proven.

    `others` says what of packs that are not gathered is to be taken out of them; some of it is stored
    unwrapped elsewhere already, and has no recipe.
    """

    parts: Mapping[ObjectId, tuple[FilePart, ...]] = {}
    others: Mapping[str, frozenset[ObjectId]] = {}


NO_RECIPES = Recipes()


class LookedInto(msgspec.Struct):
    """`local/looked-into.json`: packs that are left as they are, and objects that cannot be taken apart.

    It only saves looking again.
    """

    packs: list[str] = []
    objects: list[ObjectId] = []


class RecipeSearch:
    """What one collection looks at: AT_ONCE_BYTES of content, for AT_ONCE_SECONDS. Only notes are written."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._left = AT_ONCE_BYTES
        self._until = time.monotonic() + AT_ONCE_SECONDS
        self._parts: dict[ObjectId, tuple[FilePart, ...]] = {}
        self._others: dict[str, frozenset[ObjectId]] = {}
        self._notes = read_notes(repo)
        self._failed = dict.fromkeys(self._notes.objects)
        self._packs = list(self._notes.packs)

    def look_at(self, loose: Iterable[ObjectId], packs: Iterable[str]) -> None:
        """Look at loose objects, and at all that small packs hold and is not stored unwrapped already."""
        for object_id, kind, data in self._containers(loose, packs):
            if self._is_over():
                return
            self._try(object_id, kind, data)

    def look_into_others(self, names: Iterable[str]) -> None:
        """Look into packs that are not gathered: once, as far as nothing is left for the next time."""
        known = set(self._packs)
        fresh = [name for name in names if name not in known]
        for name in fresh[:PACKS_AT_ONCE]:
            if self._is_over():
                return
            with suppress(IntegrityError, FileNotFoundError):
                self._look_into(name)

    def finish(self) -> Recipes:
        """Note what need not be looked at again, and return what was found."""
        self._repo.progress.finish()
        notes = LookedInto(self._packs, list(self._failed)[-NOTED_OBJECTS:])
        if notes != self._notes:
            write_notes(self._repo, notes)
        return Recipes(self._parts, self._others)

    def begin(self) -> None:
        """Say that it begins."""
        self._repo.progress.start("Looking into gzip and ZIP files", None, "files")

    def _is_over(self) -> bool:
        return self._left <= 0 or time.monotonic() > self._until

    def _try(self, object_id: ObjectId, kind: Kind, data: bytes) -> bool:
        """Find out how an object is taken apart; False if it cannot be, or is damaged."""
        try:
            self._repo.store.check(object_id, kind, data)
        except IntegrityError:
            return False
        found = _taken_apart(kind, data)
        self._left -= found.size if found is not None else FAILED_SHARE * len(data)
        self._repo.progress.advance(1)
        if found is None:
            self._failed[object_id] = None
        else:
            self._parts[object_id] = found.parts
        return found is not None

    def _containers(self, loose: Iterable[ObjectId], packs: Iterable[str]) -> Iterator[tuple[ObjectId, Kind, bytes]]:
        """Yield gzip files, ZIP archives and what may be streams; what is damaged or gone is passed over."""
        store = self._repo.store
        for object_id in loose:
            with suppress(IntegrityError, FileNotFoundError):
                data = b"" if object_id in self._failed else store.loose.read(object_id)
                if is_container(data):
                    yield object_id, Kind.BLOB, data
        read = 0
        for name in packs:
            if read > READ_BYTES:
                return
            with suppress(IntegrityError, FileNotFoundError):
                for item in store.packs.footer(name).entries:
                    place = PackLocation(name, item.frame, item.offset, item.length)
                    if not self._is_candidate(item) or store.packs.is_unwrapped(place):
                        continue
                    data = store.packs.read(place)
                    read += len(data)
                    if _may_be(item.kind, data[:_HEAD_BYTES]):
                        yield item.id, item.kind, data

    def _is_candidate(self, item: PackEntry) -> bool:
        if item.chunked or item.kind not in _KINDS or item.length < LEAST_BYTES:
            return False
        return item.id not in self._failed

    def _look_into(self, name: str) -> None:
        """Look into a pack, whose media are not read: of what is stored as it is, the heads say enough."""
        store, found, failed = self._repo.store, set[ObjectId](), 0
        candidates = list(self._candidates(name))
        least = store.packs.stored_size(name) // WORTH_SHARE
        if sum(place.length for _, _, place in candidates) >= least:
            for object_id, kind, place in candidates:
                if self._is_over():
                    break
                if self._is_unwrapped_elsewhere(object_id, name) or self._try(object_id, kind, store.packs.read(place)):
                    found.add(object_id)
                else:
                    failed += 1
        if found:
            self._others[name] = frozenset(found)
        elif failed == len(candidates) or not self._is_over():
            self._packs.append(name)

    def _candidates(self, name: str) -> Iterator[tuple[ObjectId, Kind, PackLocation]]:
        store = self._repo.store
        footer = store.packs.footer(name)
        items = [item for item in footer.entries if item.length >= LEAST_BYTES and self._is_candidate(item)]
        for item in sorted(items, key=lambda item: (item.frame, item.offset)):
            codec = footer.frames[item.frame].codec
            place = PackLocation(name, item.frame, item.offset, item.length)
            if codec == CODEC_RAW:
                place_of_head = msgspec.structs.replace(place, length=min(place.length, _HEAD_BYTES))
            elif codec == CODEC_ZSTD and item.kind is Kind.BLOB:
                place_of_head = place
            else:
                continue
            if _may_be(item.kind, store.packs.read(place_of_head)[:_HEAD_BYTES]):
                yield item.id, item.kind, place

    def _is_unwrapped_elsewhere(self, object_id: ObjectId, name: str) -> bool:
        """Tell whether a collection that was interrupted has written it unwrapped already."""
        place = self._repo.store.places.find(object_id)
        return place is not None and place.pack != name and self._repo.store.packs.is_unwrapped(place)


def _may_be(kind: Kind, head: bytes) -> bool:
    return is_container(head) if kind is Kind.BLOB else may_be_stream(head)


def _taken_apart(kind: Kind, data: bytes) -> Unwrapped | None:
    return unwrap(data) if kind is Kind.BLOB else unwrap_stream(data)


def read_notes(repo: Repository) -> LookedInto:
    """Read what need not be looked at; nothing where that cannot be read."""
    try:
        found = decode_record(repo.storage.read(LOOKED_INTO), LookedInto, LOOKED_INTO)
    except (FileNotFoundError, IntegrityError):
        return LookedInto()
    return found


def write_notes(repo: Repository, notes: LookedInto) -> None:
    """Write what need not be looked at again, of packs that are there; where it cannot be written, it is not."""
    here = set(repo.store.packs.names())
    with suppress(StorageError):
        kept = LookedInto([name for name in notes.packs if name in here], notes.objects)
        repo.storage.put(LOOKED_INTO, encode_record(kept))


def note_left(repo: Repository, object_ids: Iterable[ObjectId]) -> None:
    """Note those of the objects that a pack has as they are although they have a recipe: it made nothing smaller."""
    left = [
        object_id
        for object_id, place in repo.store.places.find_many(object_ids).items()
        if not repo.store.packs.is_unwrapped(place)
    ]
    if left:
        notes = read_notes(repo)
        write_notes(repo, LookedInto(notes.packs, [*notes.objects, *left][-NOTED_OBJECTS:]))
