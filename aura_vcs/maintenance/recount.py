"""Counting again what holds each object, and comparing with the index."""

from collections.abc import Iterator
from itertools import chain, islice

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.index.rebuild import offloaded_objects
from aura_vcs.maintenance.count_table import CountTable
from aura_vcs.maintenance.findings import Finding
from aura_vcs.maintenance.reachability import all_labels
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository

SHOWN_COUNTS = 10


def count_problems(repo: Repository) -> Iterator[Finding]:
    """Counting again gives what the index has, and the index knows every object that is held.

    What an interrupted command left unrecorded is not held; gc learns of it.
    """
    tally = CountTable(repo.queries.counted())
    on_disk = _on_disk(repo, tally)
    try:
        _recount(repo, tally)
    except IntegrityError as error:  # of a version that came after the others were looked at
        yield Finding("unreadable_object", "a version", f"it cannot be counted: {error.message}")
        return
    wrong = [object_id for object_id, count in tally.others.items() if count and object_id != EMPTY_TREE_ID]
    known = tally.row(EMPTY_TREE_ID)  # to everybody, stored or not: nothing asks for its count
    differing = [
        row for row in range(len(tally)) if on_disk[row] and row != known and tally.recorded[row] != tally.counted[row]
    ]
    lines = [(i, "nothing", tally.others[i]) for i in wrong[:SHOWN_COUNTS]]
    lines += [(tally.id(r), str(tally.recorded[r]), tally.counted[r]) for r in differing[: SHOWN_COUNTS - len(lines)]]
    for object_id, recorded, counted in lines:
        detail = f"the index counts {recorded}, {counted} hold it"
        yield Finding("wrong_count", object_id, f"{detail}; `aura reindex` fixes that")
    gone = (tally.id(row) for row in range(len(tally)) if not on_disk[row] and tally.recorded[row] > 0)
    for object_id in islice((i for i in gone if i != EMPTY_TREE_ID), SHOWN_COUNTS):
        yield Finding("wrong_count", object_id, "the index knows it, the disk does not; `aura reindex` fixes that")


def _on_disk(repo: Repository, tally: CountTable) -> bytearray:
    """Mark for every row of the index whether its object is in a pack that can be read, loose, or offloaded."""
    store = repo.store
    found = bytearray(len(tally))
    for name in store.packs.names():
        try:
            entries = store.packs.footer(name).entries
        except (AuraError, FileNotFoundError):
            continue  # reported already
        for entry in entries:
            row = tally.row(entry.id)
            if row is not None:
                found[row] = 1
    others = (object_id for object_id, _ in store.loose.all())
    for object_id in chain(others, (item.id for item in offloaded_objects(store))):
        row = tally.row(object_id)
        if row is not None:
            found[row] = 1
    return found


def _recount(repo: Repository, tally: CountTable) -> None:
    trees, store = repo.trees, repo.store
    chunked = repo.queries.chunked()
    for label in all_labels(repo).values():
        tally.add(label.version)
        if label.deleted_at is not None or label.purged_at is not None:
            continue
        waiting = [trees.version(label.version).tree]
        while waiting:
            current = waiting.pop()
            if not tally.add(current):
                continue
            for child, is_tree in set(trees.children(current)):
                if is_tree:
                    waiting.append(child)
                elif tally.add(child) and child in chunked:
                    for chunk in set(store.chunk_ids(child)):
                        tally.add(chunk)
