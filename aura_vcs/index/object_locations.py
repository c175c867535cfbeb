"""Where packed objects lie, as the index knows it, or as was just listed."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from aura_vcs.ids import ObjectId
from aura_vcs.index.database import Database
from aura_vcs.index.schema import HAS_ID, PREFIX, PREFIX_BYTES
from aura_vcs.objects.base import LocationIndex, NoLocations, PackLocation, StoredObject

LOOKUP_SIZE = 500
"""Ids asked for in one statement; SQLite's limit of variables is higher everywhere."""
MAX_LOOKUPS = 2
"""From one object in so many on, it is quicker to read all rows than to look for each."""

_beginning = itemgetter(slice(2 * PREFIX_BYTES))
_COUNT = "SELECT coalesce(max(row), 0) FROM objects"
_COLUMNS = "o.id, p.name, o.frame, o.offset, o.length, o.chunked"
_FROM = "FROM objects o JOIN packs p ON p.number = o.pack"


class ListedLocations:
    """Places of objects that were just listed, else what `others` knows; see objects.base.LocationIndex."""

    def __init__(self, found: Mapping[ObjectId, StoredObject], others: LocationIndex | None = None) -> None:
        self._found = found
        self._others = others or NoLocations()

    def find(self, object_id: ObjectId) -> PackLocation | None:
        """See Places."""
        item = self._found.get(object_id)
        return self._others.find(object_id) if item is None else item.location

    def find_many(self, object_ids: Iterable[ObjectId]) -> Mapping[ObjectId, PackLocation]:
        """See Places."""
        found, wanted = self._found, set(object_ids)
        here = {i: item.location for i in wanted & found.keys() if (item := found[i]).location is not None}
        lacking = wanted - found.keys()
        return {**here, **self._others.find_many(lacking)} if lacking else here

    def packs_of(self, object_ids: Iterable[ObjectId]) -> Mapping[str, set[ObjectId]]:
        """See Places."""
        packs: dict[str, set[ObjectId]] = {}
        for object_id, place in self.find_many(object_ids).items():
            packs.setdefault(place.pack, set()).add(object_id)
        return packs


class IndexLocations:
    """See objects.base.LocationIndex."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, object_id: ObjectId) -> PackLocation | None:
        """See Places. An index that is about to be made knows nothing."""
        try:
            row = self._database.connection.execute(
                f"SELECT {_COLUMNS} {_FROM} WHERE {HAS_ID}",
                (bytes.fromhex(object_id),),
            ).fetchone()
        except sqlite3.OperationalError:
            if self._database.has_schema():
                raise
            return None
        return None if row is None else _location(row)

    def find_many(self, object_ids: Iterable[ObjectId]) -> Mapping[ObjectId, PackLocation]:
        """See Places."""
        wanted = set(object_ids)
        connection = self._database.connection
        if self._knows_none():
            return {}
        if len(wanted) > LOOKUP_SIZE and len(wanted) * MAX_LOOKUPS > connection.execute(_COUNT).fetchone()[0]:
            places = ((ObjectId(row[0].hex()), row) for row in connection.execute(f"SELECT {_COLUMNS} {_FROM}"))
            return {object_id: _location(row) for object_id, row in places if object_id in wanted}
        found: dict[ObjectId, PackLocation] = {}
        for group in groups(sorted(wanted)):  # in the order of the index
            for row in connection.execute(f"SELECT {_COLUMNS} {_FROM} WHERE {begin_as(group)}", prefixes(group)):
                if (object_id := ObjectId(row[0].hex())) in wanted:
                    found[object_id] = _location(row)
        return found

    def _knows_none(self) -> bool:
        return self._database.connection.execute("SELECT 1 FROM packs LIMIT 1").fetchone() is None

    def packs_of(self, object_ids: Iterable[ObjectId]) -> Mapping[str, set[ObjectId]]:
        """See Places. One row for each pack: between two rows other threads may run, and take longer than the look."""
        packs: dict[str, set[ObjectId]] = {}
        if self._knows_none():
            return packs
        for group in groups(sorted(object_ids)):
            rows = self._database.connection.execute(
                f"SELECT p.name, lower(group_concat(hex(o.id), ' ')) {_FROM} WHERE {begin_as(group)} GROUP BY o.pack",
                prefixes(group),
            )
            for name, ids in rows:
                if here := set(map(ObjectId, ids.split(" "))).intersection(group):
                    packs.setdefault(name.hex(), set()).update(here)
        return packs


def groups(object_ids: Iterable[ObjectId]) -> list[list[ObjectId]]:
    """Divide the ids into runs that fit one statement."""
    listed = list(object_ids)
    if len(listed) <= LOOKUP_SIZE:
        return [listed] if listed else []
    return [listed[start : start + LOOKUP_SIZE] for start in range(0, len(listed), LOOKUP_SIZE)]


def begin_as(group: Sequence[str]) -> str:
    """Return the condition for rows whose ids begin as these do, with `prefixes` as its values.

    Whoever asks passes over what it did not ask for: ids may begin alike.
    """
    return f"{PREFIX} IN ({','.join('?' * len(group))})"


def prefixes(group: Sequence[str]) -> list[bytes]:
    """Return the bytes that ids begin with, by which rows are found."""
    return list(map(bytes.fromhex, map(_beginning, group)))


def _location(row: tuple[Any, ...]) -> PackLocation:
    return PackLocation(row[1].hex(), row[2], row[3], row[4], bool(row[5]))
