"""A large pack is cut between its frames into packs like any other."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.ids import blob_id
from aura_vcs.layout import pack_path
from aura_vcs.model import Kind
from aura_vcs.objects.chunking import encode_chunk_list
from aura_vcs.objects.packs.folder_packs import cut
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.reader import OpenPack
from aura_vcs.objects.packs.verify import check_frames
from aura_vcs.objects.packs.writer import NewObject, PackWriter
from aura_vcs.progress import SILENT
from aura_vcs.storage.local import LocalStorage
from hypothesis import given, settings, strategies as st


def _pack(path: Path, sizes: list[list[int]]) -> OpenPack:
    """A pack with a frame for each list, of objects that do not compress; the last one is a list of chunks."""
    storage = LocalStorage(str(path))
    made = random.Random(repr(sizes))
    with ThreadPoolExecutor(2) as workers:
        writer = PackWriter(storage, workers)
        for frame in sizes:
            data = [made.randbytes(size) for size in frame]
            writer.add_frame([NewObject(blob_id(piece), Kind.BLOB, piece) for piece in data])
        pieces = made.randbytes(5), made.randbytes(6)
        listed = encode_chunk_list([(blob_id(piece), len(piece)) for piece in pieces])
        writer.add_frame([NewObject(blob_id(b"".join(pieces)), Kind.BLOB, listed, chunked=True)])
        name, _ = writer.finish()
    return OpenPack(io.BytesIO(storage.read(pack_path(name))), name)


def _objects(pack: OpenPack) -> dict[str, tuple[Kind, bool, bytes]]:
    found: dict[str, tuple[Kind, bool, bytes]] = {}
    entry: PackEntry
    for entry in pack.footer.entries:
        assert entry.id not in found
        data = pack.frame(entry.frame)[entry.offset : entry.offset + entry.length]
        found[entry.id] = (entry.kind, entry.chunked, data)
    return found


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(40, 3000), min_size=1, max_size=4), min_size=1, max_size=12),
    limit=st.integers(1, 20_000),
)
def test_every_object_is_in_one_of_them(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[list[int]], limit: int
) -> None:
    """With its bytes; each is sound, none too large but for a single frame, and the next time they are the same."""
    whole = _pack(tmp_path_factory.mktemp("pack"), sizes)
    parts = list(cut(whole.footer, limit))
    assert parts == list(cut(whole.footer, limit))
    found: dict[str, tuple[Kind, bool, bytes]] = {}
    for part in parts:
        opened = OpenPack(part.open(whole.file), part.name)
        check_frames(opened, SILENT)
        assert len(opened.frames) == 1 or sum(frame.stored_length for frame in opened.frames) <= limit
        objects = _objects(opened)
        assert found.keys().isdisjoint(objects)
        found |= objects
    assert found == _objects(whole)
    assert sum(part.length for part in parts) == sum(frame.stored_length for frame in whole.frames)


def test_it_reads_as_a_file_does(tmp_path: Path) -> None:
    """In pieces of any size, from anywhere, over the borders between what is ours and what is the whole pack's."""
    whole = _pack(tmp_path, [[1000], [2000], [3000, 10], [50]])
    (part, *_) = [part for part in cut(whole.footer, 3500) if part.offset > 1000]
    data = part.open(whole.file).read()
    assert data[:8] == b"AURAPACK"
    assert data.endswith(part.ending)
    assert len(data) == 8 + part.length + len(part.ending)
    for step in (1, 7, 8, 9, 1024, 10_000):
        file = part.open(whole.file)
        pieces = []
        while piece := file.read(step):
            assert len(piece) == step or file.tell() == len(data)
            pieces.append(piece)
        assert b"".join(pieces) == data
    file = part.open(whole.file)
    assert file.seek(0, io.SEEK_END) == len(data)
    assert file.read(1) == b""
    for start in (0, 5, 8, 9, part.length, 8 + part.length, len(data) - 1):
        assert file.seek(start) == file.tell() == start
        assert file.read(20) == data[start : start + 20]


def test_a_pack_in_one_piece_keeps_its_name(tmp_path: Path) -> None:
    """What need not be cut is what it was."""
    whole = _pack(tmp_path, [[10], [20]])
    assert [part.name for part in cut(whole.footer, 1 << 20)] == [whole.name]
