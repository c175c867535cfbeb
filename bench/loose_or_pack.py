"""Loose objects or a pack: what a commit costs either way, by how many objects are new.

`python -m bench.loose_or_pack` prints the table of docs/decisions/packs-for-commits.md.
"""

import os
import tempfile
import time
from statistics import median

from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind
from aura_vcs.objects import batch
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.store import ObjectStore
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import FileCalls

from bench.data import WORDS
from bench.tools import stored_bytes

COUNTS = (1, 2, 3, 4, 8, 16, 64, 256)
ROUNDS = 7


class CountingCalls(FileCalls):
    """Counts what is made durable."""

    def __init__(self) -> None:
        self.syncs = 0

    def fsync(self, fd: int) -> None:
        """See FileCalls."""
        self.syncs += 1
        super().fsync(fd)

    def fsync_folder(self, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        self.syncs += 1
        super().fsync_folder(path, dir_fd=dir_fd)


def main() -> None:
    """Both ways for every count."""
    print("| new objects | loose: files, syncs, blocks, time | pack: files, syncs, blocks, time |\n|---|---|---|")
    for count in COUNTS:
        print(f"| {count} | {_cost(count, loose=True)} | {_cost(count, loose=False)} |")


def _cost(count: int, *, loose: bool) -> str:
    """Store `count` documents of about 400 bytes into stores that have others already."""
    chosen, batch.LOOSE_OBJECTS = batch.LOOSE_OBJECTS, count if loose else 0
    seconds, syncs, files, blocks = [], 0, 0, 0
    try:
        with tempfile.TemporaryDirectory(prefix="aura-loose-") as folder:
            calls = CountingCalls()
            store = ObjectStore(LocalStorage(folder, calls=calls))
            _store(store, 300, "before")
            for number in range(ROUNDS):
                syncs, before = calls.syncs, _size(folder)
                start = time.perf_counter()
                _store(store, count, f"round {number}")
                seconds.append(time.perf_counter() - start)
                syncs, after = calls.syncs - syncs, _size(folder)
                files, blocks = after[0] - before[0], after[1] - before[1]
    finally:
        batch.LOOSE_OBJECTS = chosen
    return f"{files}, {syncs}, {blocks >> 10} KiB, {median(seconds) * 1000:.1f} ms"


def _store(store: ObjectStore, count: int, words: str) -> dict[ObjectId, StoredObject]:
    with store.batch() as objects:
        for number in range(count):
            script = " ".join(WORDS[(number * 7 + step * step) % len(WORDS)] for step in range(60))
            objects.add(Kind.BLOB, f'{{"id": "{words} {number}", "script": "{script}"}}\n'.encode(), f"{number}.json")
        return dict(objects.finish())


def _size(folder: str) -> tuple[int, int]:
    """Files, and bytes in blocks, folders too."""
    return sum(len(files) for _, _, files in os.walk(folder)), stored_bytes(folder, blocks=True)


if __name__ == "__main__":
    main()
