"""Counts of very many objects, in some forty bytes each."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from aura_vcs.ids import ObjectId

_ID_BYTES = 32
_PREFIXES = 1 << 16


class CountTable:
    """Counts beside the rows of a table of ids; what is not in the table is counted in `others`.

    `recorded` are the counts that came with the rows, `counted` begin at zero. Rows come sorted, each
    an id's bytes and a count.
    """

    def __init__(self, rows: Iterable[tuple[bytes, int]]) -> None:
        self._ids = bytearray()
        starts = array("L", bytes(array("L").itemsize * (_PREFIXES + 1)))
        self.recorded = array("q")
        for digest, count in rows:
            self._ids += digest
            self.recorded.append(count)
            starts[int.from_bytes(digest[:2], "big") + 1] += 1
        self._starts = array("L", accumulate(starts))
        self.counted = array("q", bytes(8 * len(self.recorded)))
        self.others: dict[ObjectId, int] = {}

    def __len__(self) -> int:
        return len(self.recorded)

    def id(self, row: int) -> ObjectId:
        """Return the id of a row."""
        return ObjectId(self._digest(row).hex())

    def _digest(self, row: int) -> bytes:
        return bytes(self._ids[row * _ID_BYTES : (row + 1) * _ID_BYTES])

    def row(self, object_id: ObjectId) -> int | None:
        """Find the row that the id is in, None if it is in none."""
        digest = bytes.fromhex(object_id)
        prefix = int.from_bytes(digest[:2], "big")
        rows = range(self._starts[prefix], self._starts[prefix + 1])
        at = bisect_left(rows, digest, key=self._digest)
        return rows[at] if at < len(rows) and self._digest(rows[at]) == digest else None

    def add(self, object_id: ObjectId) -> bool:
        """Count an object once more; returns whether that was the first time."""
        row = self.row(object_id)
        if row is not None:
            self.counted[row] += 1
            return self.counted[row] == 1
        self.others[object_id] = self.others.get(object_id, 0) + 1
        return self.others[object_id] == 1
