"""Deferred counts of what trees and large files hold, and how they are made up together.

A tree that was made from an older one (its *base*) counts what the base does not hold, and defers the rest. A row
says which: `counted` are ids that it counted, `dropped` those that the base holds and it does not defer. Many commits
of one folder make a chain of rows, and branches make it a tree of them. All of it is counted together from what the
first base holds: what is in it counts once for every row, but for the rows that dropped it, and those made from these.
So a folder of thousands of files costs one look at its files, however many commits have changed it since.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from aura_vcs.ids import ObjectId

ID_BYTES = 32


class DeferredCount(msgspec.Struct, frozen=True):
    """A holder (a tree, or a file in chunks) with deferred counts: of what `base`, from which it was made, holds."""

    holder: ObjectId
    is_tree: bool
    counted: tuple[ObjectId, ...]
    base: ObjectId
    dropped: tuple[ObjectId, ...]


class DeferredGroup(msgspec.Struct, frozen=True):
    """Holders that were made from the same one, directly or not, each after its base.

    `cost` is how many counts change together, about.
    """

    root: ObjectId
    is_tree: bool
    holders: tuple[ObjectId, ...]
    cost: int


def put_deferred(connection: sqlite3.Connection, row: DeferredCount, rest: int) -> None:
    """Store that a holder deferred the counts of about `rest` objects."""
    connection.execute(
        "INSERT OR REPLACE INTO owed VALUES (?, ?, ?, ?, ?, ?)",
        (
            bytes.fromhex(row.holder), row.is_tree, _packed(row.counted), rest, bytes.fromhex(row.base),
            _packed(row.dropped),
        ),
    )  # fmt: skip


def deferred_rows(connection: sqlite3.Connection, group: DeferredGroup) -> list[DeferredCount]:
    """Read the rows of a group, in its order."""
    found = []
    for holder in group.holders:
        is_tree, counted, base, dropped = connection.execute(
            "SELECT is_tree, counted, base, dropped FROM owed WHERE holder = ?", (bytes.fromhex(holder),)
        ).fetchone()
        found.append(DeferredCount(holder, bool(is_tree), _unpacked(counted), ObjectId(base.hex()), _unpacked(dropped)))
    return found


def deferred_groups(connection: sqlite3.Connection) -> list[DeferredGroup]:
    """Group all that is deferred by what it goes back to, the cheapest for its rows first."""
    rows = connection.execute("SELECT holder, is_tree, rest, base FROM owed ORDER BY holder").fetchall()
    made: dict[bytes, list[bytes]] = {}
    for holder, _, _, base in rows:
        made.setdefault(base, []).append(holder)
    costs = {holder: rest for holder, _, rest, _ in rows}
    kinds = {holder: bool(is_tree) for holder, is_tree, _, _ in rows}
    found = []
    for root in made.keys() - costs.keys():
        holders: list[bytes] = []
        waiting = [root]
        while waiting:
            inner = made.get(waiting.pop(), [])
            holders += inner
            waiting += inner
        cost = max(costs[holder] for holder in holders)
        ids = tuple(ObjectId(holder.hex()) for holder in holders)
        found.append(DeferredGroup(ObjectId(root.hex()), kinds[holders[0]], ids, cost))
    return sorted(found, key=lambda group: (group.cost / len(group.holders), group.root))


def counts_deferred(rows: Sequence[DeferredCount], held_by_root: Iterable[ObjectId]) -> Counter[ObjectId]:
    """Count what the rows of one group deferred together, each after its base, given what the first base holds."""
    below = dict.fromkeys((row.holder for row in rows), 1)
    for row in reversed(rows):
        if row.base in below:
            below[row.base] += below[row.holder]
    counts = Counter(dict.fromkeys(held_by_root, len(rows)))
    for row in rows:
        if below[row.holder] > 1:
            counts.update(dict.fromkeys(row.counted, below[row.holder] - 1))
        counts.subtract(dict.fromkeys(row.dropped, below[row.holder]))
    return Counter({object_id: count for object_id, count in counts.items() if count})


def _packed(ids: Iterable[ObjectId]) -> bytes:
    return bytes.fromhex("".join(ids))


def _unpacked(data: bytes) -> tuple[ObjectId, ...]:
    return tuple(ObjectId(data[at : at + ID_BYTES].hex()) for at in range(0, len(data), ID_BYTES))
