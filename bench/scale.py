"""`python -m bench.scale`: what each structure costs where a project is a thousand times as large as today's.

Nothing of the content is made: manifests, footers, records and trees are, by the code that makes them, with ids
of random bytes; their sizes and the time to write and read them are what is printed. docs/scale.md says what follows.
"""

import os
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from aura_vcs import Repository
from aura_vcs.codec import decode_tree, encode_tree
from aura_vcs.history.commit import commit
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.model import BranchEntry, Entry, EntryKind, Kind, Label, Tree
from aura_vcs.objects.packs.format import (
    PACK_BYTES as STORE_PACK_BYTES,
    TRAILER_BYTES,
    Footer,
    Frame,
    PackEntry,
    decode_footer,
    encode_footer,
)
from aura_vcs.storage.local import LocalStorage
from aura_vcs.sync.state import seen_steps
from aura_vcs.sync.state.locations import RemoteLocations
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
from aura_vcs.sync.state.pack_sizes import pack_bytes
from aura_vcs.sync.state.pack_table import LargePackTable, PackTable
from aura_vcs.sync.state.pieces import in_pieces, with_pieces

NOW = "2026-12-01T08:00:00.000000Z"
PACK_BYTES = 16 << 20
CHUNK_BYTES = 100_000
PACK_OBJECTS = 640


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
        yield from _heads(heads)
    for size in (1_000_000, 10_000_000):
        yield from _growth(size)
    for objects in (100_000, 1_000_000):
        yield from _tables(objects)
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
    """A bucket's manifest: packs of 16 MiB, 1,000 machines; so many have moved the branch seven times, in any order."""
    machines = [ReplicaId(os.urandom(6).hex()) for _ in range(1_000)]
    seen: dict[ReplicaId, dict[ReplicaId, int]] = {}
    counters: dict[ReplicaId, int] = {}
    for turn in range(1, 8):
        for one in random.sample(machines[:heads], heads):
            seen[one] = {other: counter for other, counter in counters.items() if other != one}
            counters[one] = turn
    manifest = Manifest(
        1, "0b5c1f9e-3a64-4e0b-9d0c-1c6f6d1a2b3c", 5, "", NOW, "anna",
        packs=tuple(PackInfo(_id(), PACK_BYTES, 8_000) for _ in range(packs)),
        records=tuple(RecordInfo(_id(), 4_000) for _ in range(40)),
        branches={
            "main": tuple(
                BranchEntry(one, VersionId(ObjectId(_id())), 7, seen[one], NOW, "Ada") for one in machines[:heads]
            )
        },
        machines={replica: Machine(5, NOW, "edit") for replica in machines},
    )  # fmt: skip
    data, write, read = _timed(lambda: encode_manifest(manifest), lambda data: decode_manifest(data, "bucket"))
    if heads > 1:
        return Cost("manifest of 1,000 packs, by machines that moved the branch", heads, len(data), write, read)
    return Cost("manifest without pieces, by packs of 16 MiB", packs, len(data), write, read)


def _heads(heads: int) -> Iterator[Cost]:
    """What machines have seen of each other, said by each and in steps."""
    few, seen_steps.MANY_SEEN = seen_steps.MANY_SEEN, 1 << 40
    cost = _manifest(1_000, heads=heads)
    seen_steps.MANY_SEEN = few
    yield msgspec.structs.replace(cost, what=f"{cost.what}, each saying all")
    yield msgspec.structs.replace(_manifest(1_000, heads=heads), what=f"{cost.what}, as it is written")


def _growth(megabytes: int) -> Iterator[Cost]:
    """How many packs a bucket has that was filled by the project's own packs: all cut to 16 MiB, and growing."""
    total = megabytes * 1_000_000
    yield Cost("packs of a bucket, all of 16 MiB", total // PACK_BYTES, total, 0, 0)
    held, packs = 0, 0
    while held < total:
        empty = Manifest(1, "", 0, "", "", "", packs=(PackInfo("", held, 1),))
        part = min(pack_bytes(PACK_BYTES, empty) or PACK_BYTES, STORE_PACK_BYTES)
        more = min(total - held, 1 << 30)
        packs += -(-more // part)
        held += more
    yield Cost("packs of a bucket that grow with it", packs, total, 0, 0)


def _tables(objects: int) -> Iterator[Cost]:
    """What a push looks objects up in: all in memory, or a file; read is for 10,000 objects that are not there."""
    packs = []
    for _ in range(objects // PACK_OBJECTS):
        frames = [Frame(index * CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES, 0) for index in range(PACK_OBJECTS)]
        entries = [PackEntry(ObjectId(_id()), Kind.CHUNK, index, 0, CHUNK_BYTES) for index in range(PACK_OBJECTS)]
        name, data = encode_footer(frames, entries)
        packs.append((PackInfo(name, PACK_OBJECTS * CHUNK_BYTES, len(data)), data))
    stored = dict(packs)
    asked = [ObjectId(_id()) for _ in range(10_000)]

    def read(some: Sequence[PackInfo]) -> list[Footer]:
        return [decode_footer(stored[pack][:-TRAILER_BYTES], stored[pack][-TRAILER_BYTES:], "pack") for pack in some]

    before, start = _memory(), time.process_time()
    table = PackTable()
    for pack in stored:
        table.add(pack, read([pack])[0])
    made, size = time.process_time(), _memory() - before
    missing = sum(one not in table for one in asked)
    yield Cost("table of objects in memory, by objects", objects, size, made - start, time.process_time() - made)
    with tempfile.TemporaryDirectory() as folder:
        for again in ("made for the first time", "with nothing new"):
            start = time.process_time()
            locations = RemoteLocations(LocalStorage(folder), "objects.sqlite")
            large = LargePackTable(list(stored), locations, read)
            made = time.process_time()
            assert missing == sum(one not in large for one in asked)
            took = time.process_time() - made
            del large, locations  # closed: nothing is in SQLite's log any more
            size = Path(folder, "objects.sqlite").stat().st_size
            yield Cost(f"the same in a file, {again}", objects, size, made - start, took)


def _memory() -> int:
    """Return the bytes of memory that this process has now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


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
    yield Cost("manifest with pieces, after one more push", packs, len(data), write, read)
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
