"""Objects: where content is cut, what is stored twice, and that only what was stored comes out."""

import io
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import ObjectCorrupt, ObjectMissing
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.model import Kind
from aura_vcs.objects.chunking import Cutter

from tests.helpers.project import noise, save, write

GOLDEN = [
    85543, 150743, 53897, 135041, 54854, 99475, 87776, 80945, 93060,
    66260, 69735, 71327, 73750, 129160, 76156, 102950, 69328,
]  # fmt: skip
"""Where pyfastcdc cuts `noise(1_500_000, seed=42)`: should it ever cut elsewhere, nothing old is found again."""


def _cut(data: bytes, block: int) -> list[int]:
    cutter = Cutter()
    lengths = [len(chunk) for start in range(0, len(data), block) for chunk in cutter.feed(data[start : start + block])]
    return lengths + [len(chunk) for chunk in cutter.finish()]


@pytest.mark.parametrize("block", [1_500_000, 4 << 20, 400_000, 65_537])
def test_boundaries_are_where_they_always_were(block: int) -> None:
    """The dependency is pinned, and does not depend on how the stream is fed."""
    assert _cut(noise(1_500_000, seed=42), block) == GOLDEN


def test_an_insertion_moves_only_the_boundaries_near_it() -> None:
    """Most chunks of an edited file are found again."""
    data = noise(1_500_000, seed=42)
    edited = data[:700_000] + b"inserted" + data[700_000:]
    before, after = _ids(data), _ids(edited)
    assert len(before & after) >= len(before) - 3


def _ids(data: bytes) -> set[ObjectId]:
    cutter = Cutter()
    return {blob_id(chunk) for chunk in [*cutter.feed(data), *cutter.finish()]}


class _Media(msgspec.Struct):
    """A source in memory, which may change while it is read."""

    path: str
    size: int
    data: bytes
    restless: int = 0
    fault: None = None
    is_unstable: bool = False

    def is_unchanged(self, file: BinaryIO) -> bool:
        """See Source."""
        return True

    def open(self) -> BinaryIO:
        """See Source."""
        return io.BytesIO(self.data)

    def read(self) -> tuple[bytes, ObjectId] | None:
        """See Source."""
        return (self.data, blob_id(self.data)) if self.was_stable(io.BytesIO(), len(self.data)) else None

    def was_stable(self, file: BinaryIO, read_bytes: int) -> bool:
        """See Source."""
        self.restless -= 1
        return self.restless < 0 and read_bytes == self.size


@pytest.mark.parametrize("size", [0, 1, 1000, (1 << 20) - 1, 1 << 20, 3_000_000])
def test_content_of_any_size_comes_back(repo: Repository, size: int) -> None:
    """Loose, in a frame, or in chunks: the id is `b3sum` of the bytes, and storing twice costs nothing."""
    data = noise(size, seed=8)
    for again in (False, True):
        with repo.store.batch() as batch:
            [(_, found)] = batch.add_sources([_Media("film.mp4", size, data)])
            new = batch.finish()
        repo.adopt_unrecorded_objects()
        assert found == blob_id(data)
        assert bool(new) != again
    assert b"".join(repo.store.stream(blob_id(data))) == data


def test_a_source_that_settles_is_stored_and_one_that_does_not_is_named(repo: Repository) -> None:
    """Reading again helps a few times; what never settles gives no id."""
    calm = _Media("calm", 3, b"abc", restless=2)
    wild = _Media("wild", 3, b"abd", restless=10**6)
    with repo.store.batch() as batch:
        found = {source.path: object_id for source, object_id in batch.add_sources([calm, wild])}
        batch.finish()
    assert found == {"calm": blob_id(b"abc"), "wild": None}


def test_nothing_is_stored_before_the_batch_is_finished(repo: Repository) -> None:
    """A batch that is given up leaves no trace."""
    before = sorted(path for path in Path(repo.storage.root).rglob("*") if path.is_file())
    with repo.store.batch() as batch:
        for number in range(20):
            batch.add(Kind.BLOB, noise(600_000, seed=number))
    assert sorted(path for path in Path(repo.storage.root).rglob("*") if path.is_file()) == before


def test_wrong_bytes_never_come_out(first: Repository) -> None:
    """Every byte of every pack, turned one after the other in steps: the right content, or an error."""
    write(Path(first.root), {"film.mp4": noise(1_100_000, seed=3)})
    record = save(first, "With a film")
    wanted = {e.id: first.store.read(e.id) for _, e in first.trees.walk(record.tree) if e.kind == "file"}
    for pack in (Path(first.storage.root) / "objects" / "packs").iterdir():
        whole = pack.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 60)):
            pack.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
            first.store.close()
            _read_all(first, wanted)
        pack.write_bytes(whole)
        first.store.close()


def _read_all(repo: Repository, wanted: dict[ObjectId, bytes]) -> None:
    repo.store.packs._frames.clear()
    for object_id, content in wanted.items():
        try:
            assert repo.store.read(object_id) == content
        except (ObjectCorrupt, ObjectMissing):
            continue
