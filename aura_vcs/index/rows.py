"""Rows of the index that are looked up, or removed, one by one; and what stands for an id in them: its bytes."""

from collections.abc import Iterable
from functools import lru_cache

from aura_vcs import layout
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId, OperationId, ReplicaId, VersionId
from aura_vcs.index.database import Database
from aura_vcs.index.object_locations import begin_as, groups, prefixes
from aura_vcs.index.schema import HAS_ID, OFFLOADED
from aura_vcs.plain_text import microseconds, time_at

_LABEL = f"{layout.VERSIONS}/"
_ENDING = ".json"
_ID_BYTES = 32
_OPERATION_BYTES = 16
_REMEMBERED = 512
"""So many ids and times stay converted: a command meets the same ones again and again."""
_EARLIEST = "0001-01-01T00:00:00.000000Z"


class Rows:
    """Looks rows up by their keys, and removes them."""

    database: Database

    def knows(self, version: VersionId) -> bool:
        """Tell whether there is a row for the version."""
        row = self.database.connection.execute(
            f"SELECT 1 FROM versions WHERE {HAS_ID}", (digest_of(version),)
        ).fetchone()
        return row is not None

    def end_of_log(self, replica: ReplicaId) -> tuple[int, int]:
        """Return where the replica's last whole line ends, and its sequence number; zeros before the first."""
        row = self.database.connection.execute(
            "SELECT end, sequence FROM logs WHERE replica = ?", (replica,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def time_of(self, replica: ReplicaId, sequence: int) -> str:
        """Return the time of a replica's last operation up to a sequence number.

        "" before the first, and where the clock went back: times tell nothing then.
        """
        times = "SELECT max(time), min(time) FROM actions WHERE replica = ? AND undoable IN (0, 1) AND sequence"
        until = self.database.connection.execute(f"{times} <= ?", (replica, sequence)).fetchone()[0]
        after = self.database.connection.execute(f"{times} > ?", (replica, sequence)).fetchone()[1]
        if until is None:
            return ""
        return time_of_key(until) if after is None or time_of_key(until) < time_of_key(after) else ""

    def unlocated(self, object_ids: Iterable[ObjectId]) -> set[ObjectId]:
        """Return those of the objects that have no row, or are offloaded."""
        new = set(object_ids)
        for group in groups(new.copy()):
            rows = self.database.connection.execute(
                f"SELECT id FROM objects WHERE {begin_as(group)} AND NOT ({OFFLOADED})", prefixes(group)
            )
            new.difference_update(ObjectId(row[0].hex()) for row in rows)
        return new

    def forget(self, object_ids: Iterable[ObjectId]) -> None:
        """Remove the rows of objects whose files are or will be gone, and the words that they had."""
        from aura_vcs.index.full_text import forget_blobs  # reading needs none of it

        going = list(object_ids)
        with self.database.transaction() as connection:
            connection.executemany(f"DELETE FROM objects WHERE {HAS_ID}", [(bytes.fromhex(i),) for i in going])
            forget_blobs(connection, going)

    def forget_packs(self, names: Iterable[str]) -> None:
        """Remove the rows of packs that will be deleted."""
        with self.database.transaction() as connection:
            connection.executemany("DELETE FROM packs WHERE name = ?", [(bytes.fromhex(name),) for name in names])


@lru_cache(_REMEMBERED)
def digest_of(text: str) -> bytes:
    """Return the bytes of an id; b"" for what is none, which no row has."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def bounds_of(prefix: str, length: int) -> tuple[bytes, bytes] | None:
    """Return the lowest and the highest id of `length` bytes that begin with these digits; None where none does."""
    if not prefix or len(prefix) > 2 * length or set(prefix) - set("0123456789abcdef"):
        return None
    return bytes.fromhex(prefix.ljust(2 * length, "0")), bytes.fromhex(prefix.ljust(2 * length, "f"))


def operation_key(operation: str) -> bytes | str:
    """Return what an operation's row has for its id: its bytes, or the text where that is not as we choose them."""
    digest = digest_of(operation) if len(operation) == 2 * _OPERATION_BYTES else b""
    return digest if digest.hex() == operation else operation


def operation_id(key: bytes | str) -> OperationId:
    """Return the id that `operation_key` was made of."""
    return OperationId(key.hex() if isinstance(key, bytes) else key)


@lru_cache(_REMEMBERED)
def time_key(time: str) -> int | str:
    """Return what a row has for a time: microseconds since 1970, a third as long and in the same order.

    The text stays where it is not as records have it; it comes after every other time.
    """
    try:
        moment = microseconds(time)
    except (RecordCorrupt, OverflowError):
        return time
    return moment if time_at(moment) == time else time


@lru_cache(_REMEMBERED)
def time_of_key(key: int | str) -> str:
    """Return the time that `time_key` was made of."""
    return time_at(key) if isinstance(key, int) else key


def earliest_key(time: str) -> int | str:
    """Return what times in rows are compared with; the beginning of a time ("2026-11") is its earliest moment."""
    key = time_key(time)
    return key if isinstance(key, int) else time_key(time + _EARLIEST[len(time) :])


def segment_key(replica: str, name: str | None) -> int | str | None:
    """Return what an operation's row has for the closed part of a log: its number, if it is the replica's own."""
    number = name.removeprefix(f"{replica}.").partition(".")[0] if name is not None else ""
    is_own = number.isdecimal() and name == f"{replica}.{number}{layout.SEGMENT}"
    return int(number) if is_own and str(int(number)) == number else name


def segment_of_key(replica: str, key: int | str | None) -> str | None:
    """Return the name that `segment_key` was made of."""
    return f"{replica}.{key}{layout.SEGMENT}" if isinstance(key, int) else key


def file_key(path: str) -> bytes | str:
    """Return what stands for the file of a ref: the version's id, for that of one label, which nearly all are."""
    digest = digest_of(path[len(_LABEL) : -len(_ENDING)]) if path.startswith(_LABEL) else b""
    return digest if len(digest) == _ID_BYTES and path == f"{_LABEL}{digest.hex()}{_ENDING}" else path
