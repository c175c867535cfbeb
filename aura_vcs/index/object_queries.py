"""What the index is asked about objects."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from aura_vcs.ids import ObjectId
from aura_vcs.index.index import Index
from aura_vcs.index.object_locations import begin_as, groups, prefixes
from aura_vcs.index.records import ObjectRecord
from aura_vcs.index.schema import ASSET, CONTENT_TYPES, HAS_ID, KIND_CODES, PREFIX, PREFIX_BYTES
from aura_vcs.model import Kind
from aura_vcs.plain_text import microseconds, time_at

_KIND_NAMES = {code: name for name, code in KIND_CODES.items()}
_TYPE_NAMES: dict[int | None, str | None] = {None: None, **{code: name for name, code in CONTENT_TYPES.items()}}
_LATEST = "coalesce(o.last_referenced_at, o.created_at)"

BlobSort = Literal["referenced", "count", "size"]


class ObjectQueries:
    """Questions about objects."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def object(self, object_id: ObjectId) -> ObjectRecord | None:
        """Return an object by its id."""
        found = self._objects(f"WHERE {HAS_ID}", [bytes.fromhex(object_id)])
        return found[0] if found else None

    def objects_with_prefix(self, prefix: str) -> list[ObjectRecord]:
        """List at most ten objects whose id begins so."""
        low, high = (bytes.fromhex(prefix.ljust(64, digit)) for digit in "0f")
        begins = f"{PREFIX} >= ? AND {PREFIX} <= ?"
        return self._objects(
            f"WHERE {begins} AND o.id >= ? AND o.id <= ? ORDER BY {PREFIX}, o.id LIMIT 10",
            [low[:PREFIX_BYTES], high[:PREFIX_BYTES], low, high],
        )

    def held(self, object_ids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of the objects that a live version holds: they are here with all that is below them."""
        found: set[ObjectId] = set()
        if self._index.database.connection.execute("SELECT 1 FROM objects LIMIT 1").fetchone() is None:
            return found
        for group in groups(object_ids):
            rows = self._index.database.connection.execute(
                f"SELECT id FROM objects WHERE refcount > 0 AND {begin_as(group)}", prefixes(group)
            )
            found.update({ObjectId(row[0].hex()) for row in rows}.intersection(group))
        return found

    def unreferenced(self) -> list[ObjectRecord]:
        """List objects that nothing holds, longest unreferenced first."""
        return self._objects("WHERE o.refcount <= 0 ORDER BY o.refcount, o.last_referenced_at", [])

    def has_garbage(self, until: str) -> bool:
        """Tell whether there is an object that nothing has held since a moment."""
        statement = "SELECT 1 FROM objects WHERE refcount <= 0 AND last_referenced_at <= ? LIMIT 1"
        return self._index.database.connection.execute(statement, (microseconds(until),)).fetchone() is not None

    def garbage_bytes(self, until: str) -> int:
        """Count the stored bytes of the objects that nothing has held since a moment."""
        statement = "SELECT sum(stored_size) FROM objects WHERE refcount <= 0 AND last_referenced_at <= ?"
        return int(self._index.database.connection.execute(statement, (microseconds(until),)).fetchone()[0] or 0)

    def unreferenced_dates(self) -> Iterator[tuple[ObjectId, str]]:
        """Yield ids of objects that nothing holds, and since when."""
        rows = self._index.database.connection.execute("SELECT id, last_referenced_at FROM objects WHERE refcount <= 0")
        return ((ObjectId(row[0].hex()), time_at(row[1])) for row in rows)

    def chunked(self) -> set[ObjectId]:
        """Return blobs that are stored in chunks."""
        return {
            ObjectId(row[0].hex())
            for row in self._index.database.connection.execute("SELECT id FROM objects WHERE chunked")
        }

    def pack_bytes(self, name: str) -> int:
        """Count the stored bytes of the objects in a pack."""
        row = self._index.database.connection.execute(
            "SELECT sum(stored_size) FROM objects WHERE pack = (SELECT number FROM packs WHERE name = ?)",
            (bytes.fromhex(name),),
        ).fetchone()
        return int(row[0] or 0)

    def largest(self, limit: int = 10) -> list[ObjectRecord]:
        """List the largest blobs."""
        return self._objects("WHERE o.kind = 1 ORDER BY o.size DESC LIMIT ?", [limit])

    def blobs(self, *, type_: str | None = None, sort: BlobSort = "referenced", limit: int = 50) -> list[ObjectRecord]:
        """List blobs, of one content type (Brief, Plan, Voice, Render, Timeline, Asset) or all.

        Sorted by when they were last referenced, newest first, or by reference count or size, highest first.
        """
        code = CONTENT_TYPES.get(type_ or "", 0)
        of_type = f"o.content_type > {ASSET} AND o.content_type = {code}"  # as the index of documents says it
        where = "o.kind = 1" if type_ is None else of_type if code > ASSET else f"o.content_type = {code}"
        if sort == "size":
            return self._objects(f"WHERE {where} ORDER BY o.size DESC LIMIT ?", [limit])
        if sort == "referenced":
            return self._newest(where, limit)
        shared = f"WHERE o.refcount > 1 AND {where} ORDER BY o.refcount DESC LIMIT ?"
        found = self._objects(shared, [limit], hint="INDEXED BY objects_shared ")
        for held in ("= 1", "<= 0"):
            if len(found) < limit:
                found += self._newest(f"o.refcount {held} AND {where}", limit - len(found))
        return found

    def _newest(self, where: str, limit: int) -> list[ObjectRecord]:
        """List objects that were referenced last, newest first; `last_referenced_at` is NULL until it moves."""
        moved = f"WHERE {where} AND o.last_referenced_at IS NOT NULL ORDER BY o.last_referenced_at DESC LIMIT ?"
        made = f"WHERE {where} AND o.last_referenced_at IS NULL ORDER BY o.row DESC LIMIT ?"
        found = self._objects(moved, [limit]) + self._objects(made, [limit])
        return sorted(found, key=lambda record: record.last_referenced_at, reverse=True)[:limit]

    def counts(self) -> dict[ObjectId, int]:
        """Return every object's reference count."""
        self._index.apply_deferred()
        rows = self._index.database.connection.execute("SELECT id, refcount FROM objects")
        return {ObjectId(row[0].hex()): row[1] for row in rows}

    def counted(self) -> Iterator[tuple[bytes, int]]:
        """Yield the bytes of every object's id and its reference count, sorted."""
        self._index.apply_deferred()
        return iter(self._index.database.connection.execute("SELECT id, refcount FROM objects ORDER BY id"))

    def objects_but_chunks(self) -> list[ObjectRecord]:
        """List every object but chunks, of which there may be very many."""
        return self._objects("WHERE o.kind != 4 ORDER BY o.id", [])

    def stored_totals(self) -> dict[bool, tuple[int, int, int]]:
        """Count objects, bytes of content and stored bytes of all that nothing holds (False), and of the others."""
        rows = self._index.database.connection.execute(
            "SELECT refcount > 0, count(*), sum(size), sum(stored_size) FROM objects GROUP BY refcount > 0"
        )
        return {bool(row[0]): (row[1], row[2], row[3]) for row in rows}

    def stored_by_kind(self) -> dict[Kind, tuple[int, int]]:
        """Count objects and their stored bytes, by kind."""
        rows = self._index.database.connection.execute(
            "SELECT kind, count(*), sum(stored_size) FROM objects GROUP BY kind"
        ).fetchall()
        kinds = {code: Kind(name) for name, code in KIND_CODES.items()}
        return {kinds[code]: (count, size) for code, count, size in rows}

    def stored_sizes(self, object_ids: Iterable[ObjectId]) -> list[tuple[int, int]]:
        """Return stored bytes and reference count of those of the objects that are here."""
        self._index.apply_deferred()
        found: list[tuple[int, int]] = []
        for group in groups(object_ids):
            rows = self._index.database.connection.execute(
                f"SELECT id, stored_size, refcount FROM objects WHERE {begin_as(group)}", prefixes(group)
            )
            asked = set(map(bytes.fromhex, group))
            found += [(stored, refcount) for digest, stored, refcount in rows if digest in asked]
        return found

    def _objects(self, clause: str, values: Sequence[Any], *, hint: str = "") -> list[ObjectRecord]:
        self._index.apply_deferred()
        rows = self._index.database.connection.execute(
            "SELECT o.id, o.kind, o.content_type, o.size, o.stored_size, p.name, o.chunked, o.refcount, "
            f"o.created_at, {_LATEST} FROM objects o {hint}LEFT JOIN packs p ON p.number = o.pack {clause}",
            values,
        )
        times, packs = _Times(), _Names()  # what comes again and again is in memory once: there may be a million
        return [
            ObjectRecord(
                ObjectId(row[0].hex()),
                _KIND_NAMES[row[1]],
                _TYPE_NAMES[row[2]],
                row[3],
                row[3] if row[3] == row[4] else row[4],
                None if row[5] is None else packs[row[5]],
                bool(row[6]),
                row[7],
                times[row[8]],
                times[row[9]],
            )
            for row in rows
        ]


class _Names(dict[bytes, str]):
    """Names of packs, each made once."""

    def __missing__(self, name: bytes) -> str:
        self[name] = text = name.hex()
        return text


class _Times(dict[int, str]):
    """Moments as records have them, each made once."""

    def __missing__(self, moment: int) -> str:
        self[moment] = text = time_at(moment)
        return text
