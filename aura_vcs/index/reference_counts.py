"""Reference counts: how many trees, versions and chunked blobs hold an object.

A live version holds its tree; a tree with a count holds each of its children once; a chunked
blob with a count holds each of its chunks once. A count that rises from zero raises what the
object holds; one that falls to zero lowers it. The cost grows with what changed, not with the
store, nor with the number of files beside a changed one, or of chunks in it: what a new tree or
chunked blob shares with the one it was made from is deferred (see deferred_counts), and only counted before
anything is lowered or a count is asked for. Until then the older one holds it.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from itertools import islice

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.index.deferred_counts import (
    DeferredCount,
    DeferredGroup,
    counts_deferred,
    deferred_groups,
    deferred_rows,
    put_deferred,
)
from aura_vcs.index.object_locations import LOOKUP_SIZE, begin_as, groups, prefixes
from aura_vcs.index.schema import ASSET, KIND_CODES, OFFLOADED, filled_at_once
from aura_vcs.model import EntryKind, Kind, Tree
from aura_vcs.objects.base import EMPTY_TREE_ID, StoredObject
from aura_vcs.plain_text import microseconds

Children = Callable[[ObjectId, bool], Iterable[tuple[ObjectId, bool]]]
"""What an object holds, and which of that are trees, given its id and whether it is a tree."""

_INSERT = """
INSERT INTO objects (id, kind, content_type, size, stored_size, pack, frame, offset, length, chunked, refcount,
                     created_at, last_referenced_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_LOCATED = "stored_size = ?, pack = ?, frame = ?, offset = ?, length = ?, chunked = ?"
_LOCATE = f"UPDATE objects SET {_LOCATED} WHERE row = ?"
_REPLACE = f"UPDATE objects SET kind = ?, size = ?, {_LOCATED} WHERE row = ?"
_CHANGE = "UPDATE objects SET refcount = refcount + ? WHERE row = ?"
_CROSS = """
UPDATE objects SET refcount = refcount + ?1,
  last_referenced_at = CASE WHEN refcount + ?1 > 0 THEN nullif(?2, created_at) ELSE ?2 END WHERE row = ?3
"""
"""`last_referenced_at` is NULL until it is another moment than that at which the row was made, or nothing holds it."""


HELD_COUNTS = 50_000
"""Counts that change together and are held in memory."""
MANY_CHANGES = 5000
"""So many rows of a first version are entered before the table's indexes are made."""
MIN_DEFERRED = 50
"""What fewer objects are shared is counted at once."""
MAX_DEFERRED = 5000
"""So many trees and files defer counts; with more, a commit makes up those of a few."""
SLICE_COUNTS = 5000
"""So many counts a commit changes for those before it, at most: a few hundredths of a second."""


class NewChildren(msgspec.Struct, frozen=True):
    """What a tree, or a chunked blob, that was made from an older one holds, and which of that are trees.

    `children` has at least all that `base`, the older one, which is held, does not hold; `others` counts the rest.
    `dropped` is what `base` holds and is not among the others.
    """

    children: set[tuple[ObjectId, bool]]
    others: int
    base: ObjectId
    dropped: set[ObjectId]


def insert_objects(connection: sqlite3.Connection, items: Iterable[StoredObject], pack: int | None, at: str) -> int:
    """Insert rows for objects of one pack (or loose ones) that have none yet, counted by nobody; return how many.

    Offloaded objects that are here again are counted as before.
    """
    count, moment = 0, microseconds(at)
    waiting = iter(items)
    while group := {item.id: item for item in islice(waiting, LOOKUP_SIZE)}:
        ids = sorted(group)
        rows = connection.execute(
            f"SELECT id, row, {OFFLOADED} FROM objects WHERE {begin_as(ids)}", prefixes(ids)
        ).fetchall()
        known = {digest.hex(): (row, is_offloaded) for digest, row, is_offloaded in rows}
        new, back = list[tuple[object, ...]](), list[tuple[object, ...]]()
        for item in group.values():
            packs = {} if pack is None or item.location is None else {item.location.pack: pack}
            if item.id not in known:
                new.append(_row(item, packs, 0, moment))
            elif known[item.id][1]:
                back.append((*_located(item, packs), known[item.id][0]))
        connection.executemany(_INSERT, new)
        connection.executemany(_LOCATE, back)
        count += len(new) + len(back)
    return count


def tree_children(tree: Tree) -> set[tuple[ObjectId, bool]]:
    """Return what a tree holds: ids, and whether each is a tree."""
    return {(entry.id, entry.kind is EntryKind.DIR) for entry in tree.entries}


class ReferenceCounts:
    """Collects changes of counts and writes them in one go, inside the caller's transaction.

    `stored` are objects that have just been put and have no row yet; `children` reads what an
    object holds from the store. `last_referenced_at` is the time at which a count last left or
    reached zero: that is what gc asks, and it spares an index for every shared object.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        children: Children,
        at: str,
        stored: Mapping[ObjectId, StoredObject] | None = None,
    ) -> None:
        self._connection = connection
        self._children = children
        self._fresh: Mapping[ObjectId, NewChildren] = {}
        self._at = microseconds(at)
        self._stored = dict(stored or {})
        self._lists = {i for i, item in self._stored.items() if item.location is not None and item.location.chunked}
        """Which of them are chunked blobs."""
        self._changes: Counter[ObjectId] = Counter()
        self._known: dict[ObjectId, int] = {}
        self._rows: dict[ObjectId, int] = {}
        self.has_lost = False
        """Whether a change could not be written: the object has no row (yet)."""
        self._chunked: set[ObjectId] = set()
        self._is_empty = connection.execute("SELECT 1 FROM objects LIMIT 1").fetchone() is None

    def raise_tree(self, tree: ObjectId, fresh: Mapping[ObjectId, NewChildren] | None = None) -> None:
        """Raise the counts of a tree that a live version begins to hold; what it holds beside `fresh` is deferred."""
        self._fresh = fresh or {}
        self._walk([(tree, True)], +1)
        self._fresh = {}

    def lower_tree(self, tree: ObjectId) -> None:
        """Lower the counts of a tree that a version no longer holds."""
        self.apply_deferred()
        self._walk([(tree, True)], -1)

    def raise_object(self, object_id: ObjectId) -> None:
        """Raise the count of a version or a blob that a ref begins to hold."""
        self._walk([(object_id, False)], +1)

    def apply_deferred(self) -> None:
        """Count what is deferred."""
        for group in deferred_groups(self._connection):
            self._apply_group(group)

    def apply_some_deferred(self) -> None:
        """Count some of what is deferred where much is: never so much that a commit takes notably longer for it."""
        left = self._connection.execute("SELECT count(*) FROM owed").fetchone()[0] - MAX_DEFERRED
        if left <= 0:
            return
        cost = 0
        for group in deferred_groups(self._connection):
            cost += group.cost
            if left <= 0 or (cost > SLICE_COUNTS and len(group.holders) <= MAX_DEFERRED):
                return
            self._apply_group(group)
            left -= len(group.holders)

    def _apply_group(self, group: DeferredGroup) -> None:
        rows = deferred_rows(self._connection, group)
        self._load(group.holders)
        held = [row for row in rows if self._is_held(row.holder)]
        there = {object_id for object_id, _ in self._children(group.root, group.is_tree)}
        if len(held) == len(rows) and there:
            deferred = counts_deferred(rows, there)
            self._load(deferred)
            self._changes.update(deferred)
            done = rows
        else:
            done = [row for row in rows if row not in held or self._apply_one(row)]
        self._connection.executemany(
            "DELETE FROM owed WHERE holder = ?", [(bytes.fromhex(row.holder),) for row in done]
        )
        if len(self._known) > HELD_COUNTS and not self._stored:
            self._write_changes()

    def _apply_one(self, row: DeferredCount) -> bool:
        """Count what one holder deferred, from what it holds itself; False while it cannot be read."""
        held = {object_id for object_id, _ in self._children(row.holder, row.is_tree)}
        deferred = held.difference(row.counted)
        self._load(deferred)
        self._changes.update(deferred)
        return bool(held)

    def _is_held(self, object_id: ObjectId) -> bool:
        self._load([object_id])
        return self._known[object_id] + self._changes.get(object_id, 0) > 0

    def _walk(self, objects: list[tuple[ObjectId, bool]], step: int) -> None:
        """Change the counts of objects, and of what they hold where theirs leave or come to zero."""
        waiting = [objects]
        while waiting:
            level = waiting.pop()
            now, later = level[:HELD_COUNTS], level[HELD_COUNTS:]
            self._load([object_id for object_id, _ in now])
            holders = self._count_leaves(now, step)
            deeper: list[tuple[ObjectId, bool]] = []
            at, known, changes = 0, self._known, self._changes
            while at < len(holders) and len(deeper) < HELD_COUNTS:
                object_id, is_tree = holders[at]
                changed = changes.get(object_id, 0)
                changes[object_id] = changed + step
                at += 1
                if known[object_id] + changed + min(step, 0) == 0:
                    deeper += self._to_count(object_id, is_tree, step)
            waiting += [some for some in (later, holders[at:], deeper) if some]
            if len(self._known) > HELD_COUNTS and not self._stored:
                self._write_changes()  # what has rows already need not wait in memory

    def _count_leaves(self, objects: list[tuple[ObjectId, bool]], step: int) -> list[tuple[ObjectId, bool]]:
        """Change the counts of those that hold nothing, which are nearly all, at once; returns the others."""
        ids = {object_id for object_id, is_tree in objects if not is_tree}
        stored = ids & self._stored.keys()
        leaves = (stored - self._lists) | (((ids - stored) & self._rows.keys()) - self._chunked)
        here = [object_id for object_id, _ in objects if object_id in leaves]
        if step > 0:
            self._changes.update(here)
        else:
            self._changes.subtract(here)
        return [item for item in objects if item[0] not in leaves]

    def _to_count(self, object_id: ObjectId, is_tree: bool, step: int) -> Iterable[tuple[ObjectId, bool]]:
        """Return what an object holds and is counted now."""
        fresh = self._fresh.get(object_id) if step > 0 else None
        if fresh is None:
            return self._children(object_id, is_tree)
        counted = tuple(child for child, _ in fresh.children)
        row = DeferredCount(object_id, is_tree, counted, fresh.base, tuple(fresh.dropped))
        put_deferred(self._connection, row, fresh.others)
        return fresh.children

    def _load(self, object_ids: Iterable[ObjectId]) -> None:
        unknown = {object_id for object_id in object_ids if object_id not in self._known}
        if self._is_empty:  # a first version: nothing has been counted before
            self._known.update(dict.fromkeys(unknown, 0))
            return
        for group in groups(sorted(unknown)):
            rows = self._connection.execute(
                f"SELECT id, refcount, row, chunked FROM objects WHERE {begin_as(group)}", prefixes(group)
            )
            known, numbers = self._known, self._rows
            for digest, refcount, row, chunked in rows:  # every object of a changed folder goes through here
                object_id: ObjectId = digest.hex()
                known[object_id] = refcount
                numbers[object_id] = row
                if chunked:
                    self._chunked.add(object_id)
        for object_id in unknown - self._known.keys():
            self._known[object_id] = 0

    def write(self, pack_ids: Mapping[str, int]) -> None:
        """Put the new rows and the changed counts into the index."""
        self._load(self._stored)
        there = self._stored.keys() & self._rows.keys()
        rows = [  # as they lie in packs: what changes together later is then in few pages of the table
            _row(item, pack_ids, self._changes.pop(item.id, 0), self._at)
            for item in sorted(self._stored.values(), key=_stored_order)
            if item.id not in there
        ]
        is_first = self._is_empty and len(rows) >= MANY_CHANGES
        with filled_at_once(self._connection, looked_up=False) if is_first else nullcontext():
            self._connection.executemany(_INSERT, rows)
        if there:  # a tool brought it, or it was offloaded
            here = (self._stored[object_id] for object_id in there)
            self._connection.executemany(
                _REPLACE,
                [(KIND_CODES[i.kind], i.size, *_located(i, pack_ids), self._rows[i.id]) for i in here],
            )
        self._stored.clear()
        self._lists.clear()
        self._write_changes()

    def _write_changes(self) -> None:
        changes = []
        for object_id, change in self._changes.items():
            row = self._rows.get(object_id)
            if change and row is not None:
                changes.append((row, change, self._known[object_id]))
            elif change and object_id != EMPTY_TREE_ID:
                self.has_lost = True
        changes.sort()
        shared = [(change, row) for row, change, before in changes if before > 0 and before + change > 0]
        crossing = [(change, self._at, row) for row, change, before in changes if before <= 0 or before + change <= 0]
        self._connection.executemany(_CHANGE, shared)
        self._connection.executemany(_CROSS, crossing)
        self._changes.clear()
        self._known.clear()
        self._rows.clear()
        self._chunked.clear()
        self._is_empty = False


def _stored_order(item: StoredObject) -> tuple[str, int, int]:
    place = item.location
    return ("", 0, 0) if place is None else (place.pack, place.frame, place.offset)


def _row(item: StoredObject, pack_ids: Mapping[str, int], refcount: int, at: int) -> tuple[object, ...]:
    content_type = ASSET if item.kind is Kind.BLOB else None
    last = None if refcount > 0 else at
    kind = KIND_CODES[item.kind]
    return bytes.fromhex(item.id), kind, content_type, item.size, *_located(item, pack_ids), refcount, at, last


def _located(item: StoredObject, pack_ids: Mapping[str, int]) -> tuple[object, ...]:
    place = item.location
    if place is None:
        return item.stored_size, None, None, None, None, 0
    # a plain number is bound in half the time of a bool
    where = place.frame, place.offset, place.length, 1 if place.chunked else 0
    return item.stored_size, pack_ids[place.pack], *where
