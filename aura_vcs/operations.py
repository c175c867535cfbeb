"""The operation log: what this machine did, appended and fsynced before anything else moves.

The line is the commit point. A torn last line never happened; the next append cuts it off.
Every replica writes its own file only, so copies of a project merge without a conflict.
"""

from collections.abc import Iterator

import msgspec

from aura_vcs.codec import decode_operation, encode_operation
from aura_vcs.errors import RecordCorrupt
from aura_vcs.ids import ReplicaId
from aura_vcs.layout import OPERATIONS, operations_log
from aura_vcs.model import Operation
from aura_vcs.storage.base import Writable

READ_BYTES = 1 << 20
LINE_LIMIT = 64 << 20
"""Bytes of the longest line that is believed to be one."""


class LogLine(msgspec.Struct, frozen=True):
    """A line of a log: its operation (None if damaged), and where it lies in bytes."""

    operation: Operation | None
    start: int
    end: int


class OperationLogs:
    """The logs of all replicas of a project; this machine appends to its own."""

    def __init__(self, storage: Writable, replica: ReplicaId) -> None:
        self._storage = storage
        self.replica = replica

    def sizes(self) -> dict[ReplicaId, int]:
        """Bytes of every replica's log."""
        found = {}
        for name in self._storage.list(OPERATIONS):
            stat = self._storage.stat(f"{OPERATIONS}/{name}") if name.endswith(".jsonl") else None
            if stat is not None:
                found[ReplicaId(name.removesuffix(".jsonl"))] = stat.size
        return found

    def append(self, operation: Operation, *, at: int) -> int:
        """Record the operation durably after the last whole line, which ends at `at`.

        Returns where the new line ends. The caller holds the refs lock. If it raises, nothing
        happened: what may have been written is a torn line.
        """
        line = encode_operation(operation)
        self._storage.append(operations_log(self.replica), line, at=at)
        return at + len(line)

    def read(self, replica: ReplicaId, *, start: int = 0) -> Iterator[LogLine]:
        """The whole lines from offset `start` on; a torn last line is not one of them."""
        path = operations_log(replica)
        try:
            file = self._storage.open(path)
        except FileNotFoundError:
            return
        with file:
            file.seek(start)
            pending, offset = b"", start
            while data := file.read(READ_BYTES):
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    end = offset + len(line) + 1
                    yield LogLine(_decode(line, path), offset, end)
                    offset = end
                if len(pending) > LINE_LIMIT:
                    raise RecordCorrupt(path, f"a line longer than {LINE_LIMIT:,} bytes")

    def read_at(self, replica: ReplicaId, start: int, end: int) -> Operation:
        """The operation on the line from `start` to `end`.

        Raises:
            RecordCorrupt: the log no longer has it there.
        """
        path = operations_log(replica)
        try:
            with self._storage.open(path) as file:
                file.seek(start)
                line = file.read(end - start)
        except FileNotFoundError as error:
            raise RecordCorrupt(path, "the log is gone") from error
        return decode_operation(line.removesuffix(b"\n"), path)


def _decode(line: bytes, path: str) -> Operation | None:
    try:
        return decode_operation(line, path)
    except RecordCorrupt:
        return None
