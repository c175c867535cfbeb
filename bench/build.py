"""Projects with a long past, made through the library in a process of their own.

`python -m bench.build WHAT FOLDER NUMBER…`; what it has to tell it prints as JSON. A process of
its own, because the memory of whoever starts a measured process counts as that process's at first.
"""

import json
import os
import sys
import time

from aura_vcs.codec import encode_operation, encode_tree
from aura_vcs.history.commit import commit
from aura_vcs.history.recording.version_builder import VersionSpec, WorktreeBase, record_side_version, worktree_base
from aura_vcs.history.versions import delete_version
from aura_vcs.ids import ObjectId, new_operation_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import operations_log
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.maintenance.reachability import find_reachable
from aura_vcs.model import DOCUMENTS, Entry, EntryKind, Inverse, Kind, Operation, Tree, VersionType
from aura_vcs.objects import chunking
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Snapshot
from aura_vcs.repository.repository import Repository

from bench.data import write_media
from bench.story import edit_documents

PER_FOLDER = 500
FILMS = 8
FINE_BYTES = (256, 64, 1024)
"""Average, least and most: the smallest that the cutter takes."""
FINE_REAL_BYTES = 312
"""What that comes to on average."""


def versions(folder: str, first: int, last: int) -> None:
    """Edit and commit, for every number from `first` to `last`."""
    with Repository.open(folder, author="bench") as repo:
        for number in range(first, last + 1):
            edit_documents(folder, number)
            commit(repo, f"Edit {number}")


def live(folder: str, count: int, autosaves: int) -> None:
    """A project of `count` live objects, and as many deleted autosaves as asked for, each with its own document."""
    with Repository.init(folder, author="bench") as repo:
        base = worktree_base(repo)
        _point(repo, base, VersionType.RESTORE_POINT, count)
        made = [_point(repo, base, VersionType.AUTOSAVE, 1, f"autosave {number}") for number in range(autosaves)]
        execute_gc(repo, plan_gc(repo, grace_seconds=0))
        for record in made:
            delete_version(repo, record)


def _point(repo: Repository, base: WorktreeBase, type_: VersionType, count: int, words: str = "live") -> VersionRecord:
    """Record a version of `count` small documents that never were in the folder."""
    with repo.store.batch() as batch:
        folders = []
        for start in range(0, count, PER_FOLDER):
            numbers = range(start, min(count, start + PER_FOLDER))
            entries = tuple(_file(batch, f"{words} {number}", f"{number:06}.json") for number in numbers)
            tree = Tree(entries)
            folders.append(Entry(f"part-{start:06}", EntryKind.DIR, _stored(repo, batch, tree), tree.size))
        root = Tree(tuple(folders))
        snapshot = Snapshot(_stored(repo, batch, root), root.size, dict.fromkeys(DOCUMENTS))
        return record_side_version(repo, batch, base, snapshot, VersionSpec(type_, words))


def _file(batch: Batch, words: str, name: str) -> Entry:
    data = f'{{"script": "{words}", "duration_seconds": 4.5, "tone": "calm"}}\n'.encode() * 3
    return Entry(name, EntryKind.FILE, batch.add(Kind.BLOB, data, name), len(data))


def _stored(repo: Repository, batch: Batch, tree: Tree) -> ObjectId:
    object_id, data = encode_tree(tree)
    repo.trees.remember(object_id, tree)
    return batch.add(Kind.TREE, data)


def chunks(folder: str, count: int) -> None:
    """A project whose films have about `count` chunks, cut two hundred times finer than usual; tells how many."""
    chunking.AVERAGE_BYTES, chunking.MINIMUM_BYTES, chunking.MAXIMUM_BYTES = FINE_BYTES
    size = max(chunking.LARGE_BYTES, count * FINE_REAL_BYTES // FILMS)
    os.makedirs(os.path.join(folder, "assets"), exist_ok=True)
    with Repository.open(folder, author="bench") as repo:
        for number in range(FILMS):
            write_media(os.path.join(folder, "assets", f"film-{number}.mp4"), size, f"fine {number}")
            commit(repo, f"Film {number}")
        rows = repo.index.database.connection.execute("SELECT count(*) FROM objects").fetchone()
    print(json.dumps(rows[0]))


def collect(folder: str) -> None:
    """Collect garbage without grace; tells how long planning, the proving walk and all of it took."""
    with Repository.open(folder, author="bench") as repo:
        start = time.perf_counter()
        plan = plan_gc(repo, grace_seconds=0)
        planned = time.perf_counter()
        find_reachable(repo, plan.cutoff, {item.id for item in plan.to_delete})
        walked = time.perf_counter()
        done = execute_gc(repo, plan)
        end = time.perf_counter()
    seconds = {"plan": planned - start, "walk": walked - planned, "execute": end - walked}
    print(json.dumps({**seconds, "removed": done.removed_objects, "freed": done.freed_bytes}))


def operations(folder: str, count: int) -> None:
    """A project whose log tells of `count` operations; the next command that opens it enters them."""
    with Repository.init(folder, author="bench") as repo:
        path = os.path.join(repo.storage.root, *operations_log(repo.replica).split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            for number in range(1, count + 1):
                operation = Operation(
                    id=new_operation_id(),
                    replica=repo.replica,
                    sequence=number,
                    type="project.set",
                    description=f"Set the title for the {number}th time",
                    user="bench",
                    host="bench",
                    time=f"2026-10-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00.000000Z",
                    inverse=Inverse("project.set.revert", {"number": number}),
                )
                file.write(encode_operation(operation))


def checkpoints(folder: str, count: int) -> None:
    """Save a checkpoint `count` times; tells how long each save took, in seconds."""
    from aura_vcs.project.records.checkpoint_store import writer_for

    taken = []
    with Repository.open(folder, author="bench") as repo:
        writer = writer_for(repo, "bench")
        for number in range(count):
            start = time.perf_counter()
            writer.save("Render", completed=number, total=count, data={"scene": number})
            taken.append(time.perf_counter() - start)
    print(json.dumps(taken))


WORK = {work.__name__: work for work in (versions, live, chunks, collect, operations, checkpoints)}

if __name__ == "__main__":
    WORK[sys.argv[1]](sys.argv[2], *map(int, sys.argv[3:]))
