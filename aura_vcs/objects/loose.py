"""Loose objects: one file each, raw or one zstd frame, readable by hand.

`b3sum` of a raw blob prints its name; `zstd -dc` of a `.zst` gives its bytes. A file is decoded
and hashed again before it gets its name, so a fault of memory or compressor is never published.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from blake3 import blake3

from aura_vcs.compression import (
    NotDecodable,
    compress,
    declared_length,
    decompress,
    is_compressible,
    open_compressed,
    read_decoded,
)
from aura_vcs.errors.integrity import LimitExceeded, ObjectCorrupt, RecordUnreadable
from aura_vcs.ids import TREE_CONTEXT, VERSION_CONTEXT, ObjectId, is_object_id
from aura_vcs.layout import COMPRESSED, OBJECTS, loose_path
from aura_vcs.model import Kind
from aura_vcs.objects.base import (
    DOCUMENT_LIMIT,
    IDENTIFY,
    StoredObject,
)
from aura_vcs.storage.local import LocalStorage

HASHED_AT_ONCE_BYTES = 4 << 20
"""A thread is handed so much: to hand it over takes longer than to hash a small piece."""


if TYPE_CHECKING:
    from aura_vcs.objects.packs.conflicted_copies import LooseCopies


class LooseObjects:
    """The loose objects of a store."""

    def __init__(self, storage: LocalStorage) -> None:
        self._storage = storage

    @cached_property
    def _copies(self) -> "LooseCopies":
        from aura_vcs.objects.packs.conflicted_copies import LooseCopies  # asked for what is not there

        return LooseCopies(self._storage)

    def find_named(self, object_id: ObjectId) -> tuple[str, int] | None:
        """Find the object's file under its proper name: that name and the stored size.

        For what is about to be stored: where only a sync tool's copy has it, it is stored once more.
        """
        name = loose_path(object_id)
        for candidate in (name, name + COMPRESSED):
            found = self._storage.stat(candidate)
            if found is not None:
                return candidate, found.size
        return None

    def find(self, object_id: ObjectId) -> tuple[str, int] | None:
        """Find the name and stored size of the object's file, also of one that a sync tool renamed."""
        named = self.find_named(object_id)
        if named is not None:
            return named
        copy = self._copies.find(object_id)
        found = self._storage.stat(copy) if copy is not None else None
        return None if copy is None or found is None else (copy, found.size)

    def put(self, kind: Kind, data: bytes, *, mode: int = 0o666) -> StoredObject:
        """Store `data` once; an object that is there already gets a new date instead.

        Nobody can read the file who cannot read one of that mode.
        """
        object_id = IDENTIFY[kind](data)
        found = self.find_named(object_id)
        if found is not None:
            self._storage.touch(found[0])
            return StoredObject(object_id, kind, len(data), found[1])
        name, stored = loose_path(object_id), data
        if is_compressible(data):
            packed = compress(data)
            if IDENTIFY[kind](decompress(packed, limit=len(data))) != object_id:
                raise ObjectCorrupt(object_id, "the compressor returned other bytes; nothing was stored")
            name, stored = name + COMPRESSED, packed
        self._storage.put(name, stored, mode=mode)
        return StoredObject(object_id, kind, len(data), len(stored))

    def open(self, object_id: ObjectId, *, limit: int | None = None) -> BinaryIO | None:
        """Open the object's decoded bytes as a stream, None if it is not loose.

        The stream is not verified: see `store.ObjectStore.stream`.

        Raises:
            LimitExceeded: it says itself that it has more than `limit` bytes; nothing was decoded.
        """
        found = self.find(object_id)
        if found is None:
            return None
        file = self._storage.open(found[0])
        if COMPRESSED not in found[0].rpartition("/")[2]:
            return file
        if limit is not None and (declared_length(file) or 0) > limit:
            file.close()
            raise LimitExceeded(f"The size of object {object_id}", limit)
        return open_compressed(file)

    def read(self, object_id: ObjectId) -> bytes:
        """Read the object's decoded bytes, not verified.

        Raises:
            FileNotFoundError: it is not loose.
            ObjectCorrupt: it does not decode.
            LimitExceeded: more than DOCUMENT_LIMIT bytes (a bomb, or not meant to be read whole).
        """
        file = self.open(object_id, limit=DOCUMENT_LIMIT)
        if file is None:
            raise FileNotFoundError(object_id)
        with file:
            return read_limited(object_id, blocks(file, object_id))

    def size(self, object_id: ObjectId) -> int:
        """Return the decoded size in bytes of an object that is loose."""
        file = self.open(object_id)
        if file is None:
            raise FileNotFoundError(object_id)
        with file:
            return sum(len(block) for block in blocks(file, object_id))

    def delete(self, object_ids: Iterable[ObjectId]) -> int:
        """Remove the objects' files, and folders that become empty; returns the bytes that frees."""
        removed: dict[str, int] = {}
        prefixes = set()
        for object_id in object_ids:
            name = loose_path(object_id)
            prefixes.add(object_id[:2])
            for candidate in (name, name + COMPRESSED):
                found = self._storage.stat(candidate)
                if found is not None:
                    removed[candidate] = found.size
            while (copy := self._copies.find(object_id)) is not None and copy not in removed:
                found = self._storage.stat(copy)
                removed[copy] = found.size if found is not None else 0
        self._storage.delete_many(removed)
        for prefix in prefixes:
            self._storage.delete_folder(f"{OBJECTS}/{prefix}")
        return sum(removed.values())

    def all(self) -> Iterator[tuple[ObjectId, int]]:
        """Yield id and stored size of every loose object, in order of ids."""
        from aura_vcs.objects.packs.conflicted_copies import copied_id

        for prefix in self._storage.list(OBJECTS):
            if len(prefix) != 2:
                continue
            try:
                names = self._storage.list(f"{OBJECTS}/{prefix}")
            except RecordUnreadable:
                continue  # fsck names it
            seen: set[ObjectId] = set()
            for name in names:
                object_id = copied_id(prefix, name) or ObjectId(prefix + name.removesuffix(COMPRESSED))
                if is_object_id(object_id) and object_id not in seen:
                    seen.add(object_id)
                    try:
                        found = self._storage.stat(f"{OBJECTS}/{prefix}/{name}")
                    except RecordUnreadable:
                        found = None
                    yield object_id, found.size if found else 0


def blocks(file: BinaryIO, object_id: ObjectId) -> Iterator[bytes]:
    """Yield the rest of a loose object's stream.

    Raises:
        ObjectCorrupt: it does not decode.
    """
    try:
        while data := read_decoded(file):
            yield data
    except NotDecodable as error:
        raise ObjectCorrupt(object_id, f"it does not decode ({error})") from error


def read_limited(object_id: ObjectId, pieces: Iterable[bytes]) -> bytes:
    """Put the pieces of an object together that is read whole.

    Raises:
        LimitExceeded: more than DOCUMENT_LIMIT bytes.
    """
    found, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > DOCUMENT_LIMIT:
            raise LimitExceeded(f"The size of object {object_id}", DOCUMENT_LIMIT)
        found.append(piece)
    return b"".join(found)


def kind_of(object_id: ObjectId, data: bytes) -> Kind | None:
    """Find the kind of these bytes by which kind's hash fits; None if they are damaged."""
    for kind in (Kind.BLOB, Kind.TREE, Kind.VERSION):
        if IDENTIFY[kind](data) == object_id:
            return kind
    return None


def new_hasher(kind: Kind) -> "blake3":
    """Make a hasher for content of this kind that comes in pieces."""
    if kind is Kind.TREE:
        return blake3(derive_key_context=TREE_CONTEXT)
    if kind is Kind.VERSION:
        return blake3(derive_key_context=VERSION_CONTEXT)
    return blake3()


def hashed_beside(hasher: "blake3", pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces, each hashed on another thread while it is being used.

    A caller that stops early leaves this to Python's search for garbage, which may run while the very locks
    are held that ending a thread takes: so it is only ended where the pieces are; else it ends by itself.
    """
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(1)
    hashed = None
    waiting: list[bytes] = []
    waiting_bytes = 0
    for piece in pieces:
        waiting.append(piece)
        waiting_bytes += len(piece)
        if waiting_bytes >= HASHED_AT_ONCE_BYTES:
            if hashed is not None:
                hashed.result()
            hashed = executor.submit(_update_all, hasher, waiting)
            waiting, waiting_bytes = [], 0
        yield piece
    executor.shutdown()
    if hashed is not None:
        hashed.result()
    _update_all(hasher, waiting)


def _update_all(hasher: "blake3", pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        hasher.update(piece)
