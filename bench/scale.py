"""`python -m bench.scale`: what each structure costs where a project is a thousand times as large as today's.

Nothing of the content is made: manifests, footers, records and trees are, by the code that makes them, with ids
of random bytes; their sizes and the time to write and read them are what is printed. docs/scale.md says what follows.
"""

import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from aura_vcs import Repository
from aura_vcs.codec import decode_tree, encode_tree
from aura_vcs.history.commit import commit
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.model import BranchEntry, Entry, EntryKind, Kind, Label, Tree
from aura_vcs.objects.packs.format import TRAILER_BYTES, Frame, PackEntry, decode_footer, encode_footer
from aura_vcs.sync.state.manifest import (
    Machine,
    Manifest,
    PackInfo,
    RecordInfo,
    decode_manifest,
    decode_records,
    encode_manifest,
    encode_records,
)
from aura_vcs.sync.state.pieces import in_pieces, with_pieces

NOW = "2026-12-01T08:00:00.000000Z"
PACK_BYTES = 16 << 20
CHUNK_BYTES = 100_000


class Cost(msgspec.Struct, frozen=True):
    """One line: what was made, how many of it, bytes, and seconds to write and to read."""

    what: str
    count: int
    size: int
    write: float
    read: float


def main() -> None:
    """Make each structure in growing sizes and print the table."""
    print("| structure | how many | bytes | each | write | read |\n|---|---|---|---|---|---|")
    for cost in costs():
        each = cost.size / cost.count
        print(
            f"| {cost.what} | {cost.count:,} | {cost.size:,} | {each:,.1f} | {cost.write:.2f} s | {cost.read:.2f} s |",
            flush=True,
        )
    print(f"\nMost memory at once: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def costs() -> Iterator[Cost]:
    """Yield what each structure costs, smaller sizes first."""
    for packs in (1_000, 10_000, 100_000, 655_360):
        yield _manifest(packs, heads=1)
    for packs in (10_000, 100_000, 655_360):
        yield from _pieces(packs)
    for heads in (10, 100, 1_000):
        yield _manifest(1_000, heads=heads)
    for objects in (160, 10_000, 1_000_000):
        yield _footer(objects)
    for labels in (1_000, 100_000):
        yield _labels(labels)
    for files in (1_000, 100_000):
        yield _tree(files)
    yield from _index(20_000)
    yield from _index(200_000)


def _id() -> str:
    return os.urandom(32).hex()


def _timed(make: Callable[[], bytes], read: Callable[[bytes], object]) -> tuple[bytes, float, float]:
    start = time.perf_counter()
    data = make()
    made = time.perf_counter()
    read(data)
    return data, made - start, time.perf_counter() - made


def _manifest(packs: int, *, heads: int) -> Cost:
    """A bucket's manifest: packs of 16 MiB, 1,000 machines, so many of which have moved the branch."""
    machines = [ReplicaId(os.urandom(6).hex()) for _ in range(1_000)]
    seen = dict.fromkeys(machines[:heads], 7)
    manifest = Manifest(
        1, "0b5c1f9e-3a64-4e0b-9d0c-1c6f6d1a2b3c", 5, "", NOW, "anna",
        packs=tuple(PackInfo(_id(), PACK_BYTES, 8_000) for _ in range(packs)),
        records=tuple(RecordInfo(_id(), 4_000) for _ in range(40)),
        branches={
            "main": tuple(BranchEntry(one, VersionId(ObjectId(_id())), 7, seen, NOW, "Ada") for one in machines[:heads])
        },
        machines={replica: Machine(5, NOW, "edit") for replica in machines},
    )  # fmt: skip
    data, write, read = _timed(lambda: encode_manifest(manifest), lambda data: decode_manifest(data, "bucket"))
    if heads > 1:
        return Cost("manifest of 1,000 packs, by machines that moved the branch", heads, len(data), write, read)
    return Cost("manifest, by packs of 16 MiB", packs, len(data), write, read)


def _pieces(packs: int) -> Iterator[Cost]:
    """The same in pieces: what a push reads and writes, and what a machine reads that has never looked."""
    whole = Manifest(
        1, "0b5c1f9e-3a64-4e0b-9d0c-1c6f6d1a2b3c", 5, "", NOW, "anna",
        packs=tuple(PackInfo(_id(), PACK_BYTES, 8_000) for _ in range(packs)),
        machines={ReplicaId(os.urandom(6).hex()): Machine(5, NOW, "edit") for _ in range(1_000)},
    )  # fmt: skip
    stored, new = in_pieces(whole, {}, ())
    there = {info: decode_records(data, info, "bucket").packs for info, data in new.items()}
    whole = msgspec.structs.replace(stored, packs=with_pieces(stored, there, "bucket").packs)
    more = msgspec.structs.replace(whole, packs=(*whole.packs, PackInfo(_id(), PACK_BYTES, 8_000)))
    data, write, read = _timed(
        lambda: encode_manifest(in_pieces(more, there, ())[0]), lambda data: decode_manifest(data, "bucket")
    )
    yield Cost("manifest in pieces, one push more, by packs", packs, len(data), write, read)
    start = time.perf_counter()
    with_pieces(stored, {info: decode_records(data, info, "bucket").packs for info, data in new.items()}, "bucket")
    yield Cost(f"its {len(new)} pieces", packs, sum(map(len, new.values())), 0, time.perf_counter() - start)


def _footer(objects: int) -> Cost:
    """A pack's footer with chunks of 100 KB, each in a frame of its own."""
    frames = [Frame(index * CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES, 0) for index in range(objects)]
    entries = [PackEntry(ObjectId(_id()), Kind.CHUNK, index, 0, CHUNK_BYTES) for index in range(objects)]

    def read(data: bytes) -> None:
        decode_footer(data[:-TRAILER_BYTES], data[-TRAILER_BYTES:], "pack")

    data, write, seconds = _timed(lambda: encode_footer(frames, entries)[1], read)
    return Cost("footer, by chunks", objects, len(data), write, seconds)


def _labels(count: int) -> Cost:
    labels = [Label(VersionId(ObjectId(_id())), number + 1, name=f"Cut {number}") for number in range(count)]
    named: list[str] = []

    def make() -> bytes:
        name, data = encode_records(labels)
        named.append(name)
        return data

    def read(data: bytes) -> None:
        decode_records(data, RecordInfo(named[0], len(data)), "bucket")

    data, write, seconds = _timed(make, read)
    return Cost("record, by versions", count, len(data), write, seconds)


def _tree(files: int) -> Cost:
    """A folder of an image sequence, which is one object."""
    tree = Tree(tuple(Entry(f"frame.{n:07}.exr", EntryKind.FILE, ObjectId(_id()), 10_000_000) for n in range(files)))
    data, write, read = _timed(lambda: encode_tree(tree)[1], decode_tree)
    return Cost("folder, by files", files, len(data), write, read)


def _index(files: int) -> Iterator[Cost]:
    """The index of a project: files of their own, then versions in each of which one of them differs."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(files):
            path = root / f"{number // 1000:03}" / f"{number:06}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'{{"number": {number}}}')
        with Repository.init(folder) as repo:
            start = time.perf_counter()
            commit(repo, "All")
            took = time.perf_counter() - start
        size = (root / ".aura/local/index.sqlite").stat().st_size  # closed: nothing is in SQLite's log any more
        yield Cost("index, by files", files, size, took, 0)


if __name__ == "__main__":
    main()
