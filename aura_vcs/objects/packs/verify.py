"""Hashing what packs hold, before it is believed or sent on."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from blake3 import blake3

from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.ids import Bytes, ObjectId, blob_id
from aura_vcs.model import Kind
from aura_vcs.objects.base import IDENTIFY
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.progress import Progress

ReadChunk = Callable[[ObjectId], bytes]
"""The bytes of a chunk, hashed already. Raises ObjectMissing."""


def check_frames(pack: OpenPack, progress: Progress) -> None:
    """Decode every frame and hash every object in it, one frame at a time.

    A blob that is kept in chunks has only its list here: see `check_chunk_list`.

    Raises:
        RecordCorrupt: a frame does not decode, or the pack has other bytes than its frames and its footer.
        ObjectCorrupt: an object does not hash to its name.
    """
    pack.check_size()
    by_frame: defaultdict[int, list[PackEntry]] = defaultdict(list)
    for entry in pack.footer.entries:
        by_frame[entry.frame].append(entry)
    buffer = bytearray()
    for number, frame in enumerate(pack.footer.frames):
        check_entries(pack.frame_into(number, buffer), by_frame[number], pack.name)
        progress.advance(frame.stored_length)


def check_entries(frame: Bytes, entries: Iterable[PackEntry], place: str) -> None:
    """Hash objects of a decoded frame.

    Raises:
        ObjectCorrupt: one does not hash to its name.
    """
    view = memoryview(frame)
    for entry in entries:
        data = view[entry.offset : entry.offset + entry.length]
        if entry.chunked:
            continue
        identify = blob_id if entry.kind is Kind.BLOB else IDENTIFY[entry.kind]
        if identify(data) != entry.id:
            raise ObjectCorrupt(entry.id, "its bytes do not hash to its name", f"pack {place[:12]}")


def check_chunk_list(blob: ObjectId, listed: bytes, read_chunk: ReadChunk) -> int:
    """Hash a blob that is stored in chunks; returns its size in bytes.

    Raises:
        ObjectCorrupt: its chunks are not its content.
        ObjectMissing: a chunk is not there.
    """
    hasher, size = blake3(), 0
    for chunk, length in decode_chunk_list(listed, blob):
        data = read_chunk(chunk)
        if len(data) != length:
            raise ObjectCorrupt(blob, f"chunk {chunk[:12]} has {len(data)} bytes, not {length}")
        hasher.update(data)
        size += length
    if hasher.hexdigest() != blob:
        raise ObjectCorrupt(blob, "its chunks are not its content")
    return size
