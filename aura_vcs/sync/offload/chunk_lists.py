"""Lists of chunks of blobs that are kept whole here: they take the blob's place when it is offloaded.

The list is the one that the remote has. It is checked against the bytes that are here: cut by it, they
must hash to the chunks it names.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.model import Kind
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.packs.writer import NewObject, PackWriter
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload.proof import StorageProver


class ChunkList(msgspec.Struct, frozen=True):
    """The list of a blob's chunks as packs keep it, and the chunks in it."""

    data: bytes
    chunks: tuple[ObjectId, ...]


def blob_parts(repo: Repository, blob: ObjectId) -> tuple[ObjectId, ...]:
    """List what of a blob can go: its chunks, or itself where it has none. The list of chunks stays."""
    if repo.store.loose.find(blob) is not None:
        return (blob,)
    return repo.store.chunk_ids(blob) or (blob,)


def remote_list(repo: Repository, witness: StorageProver, blob: ObjectId) -> ChunkList | None:
    """Read the list that a remote has of a blob that is whole here; None if it has none, or a wrong one."""
    found = witness.table.find(blob)
    if found is None or not found.entry.chunked:
        return None
    try:
        data = witness.reader.raw(found)
        listed = list(decode_chunk_list(data, blob))
        return ChunkList(data, tuple(chunk for chunk, _ in listed)) if _fits(repo, blob, listed) else None
    except (IntegrityError, RemoteCorrupt):
        return None


def _fits(repo: Repository, blob: ObjectId, listed: list[tuple[ObjectId, int]]) -> bool:
    """Tell whether the blob, cut so, gives these chunks."""
    rest = b""
    waiting = iter(listed)
    current = next(waiting, None)
    for piece in repo.store.stream(blob):
        rest += piece
        start = 0
        while current is not None and len(rest) - start >= current[1]:
            if current[1] == 0 or blob_id(rest[start : start + current[1]]) != current[0]:
                return False
            start += current[1]
            current = next(waiting, None)
        rest = rest[start:]
        if current is None and rest:
            return False
    return current is None and not rest


def put_lists(repo: Repository, lists: Mapping[ObjectId, ChunkList]) -> int:
    """Store lists in a pack and count the chunks they name, which are not here; returns the bytes that takes."""
    if not lists:
        return 0
    with ThreadPoolExecutor(1) as executor:
        writer = PackWriter(repo.storage, executor)
        try:
            writer.add_frame([NewObject(blob, Kind.BLOB, listed.data, True) for blob, listed in lists.items()])
            name, stored = writer.finish()
        finally:
            writer.discard()
    found: dict[ObjectId, StoredObject] = {}
    for listed in lists.values():
        away = repo.index.unlocated(listed.chunks)
        sizes = dict(decode_chunk_list(listed.data, ObjectId("")))
        found |= {chunk: StoredObject(chunk, Kind.CHUNK, sizes[chunk], 0) for chunk in away}
    for item in stored:
        size = sum(length for _, length in decode_chunk_list(lists[item.id].data, item.id))
        found[item.id] = msgspec.structs.replace(item, size=size)
    repo.index.update_locations(found, _newly_chunked(repo, lists))
    return repo.store.packs.stored_size(name)


def _newly_chunked(repo: Repository, lists: Mapping[ObjectId, ChunkList]) -> dict[ObjectId, tuple[ObjectId, ...]]:
    """Return the blobs not yet counted by their chunks: an interrupted attempt may have counted some."""

    queries = repo.queries
    records = {blob: queries.object(blob) for blob in lists}
    return {
        blob: lists[blob].chunks
        for blob, record in records.items()
        if record is not None and record.refcount > 0 and not record.chunked
    }
