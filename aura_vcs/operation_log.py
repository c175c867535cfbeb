"""The operation log: what this machine did, appended and fsynced before anything else moves.

The line is the commit point. A torn last line never happened; the next append cuts it off.
Every replica writes its own files only, so copies of a project merge without a conflict.
gc closes the older part of a log and compresses it; nothing is ever dropped from it. Of refs that it moves, an
operation records the name, and the state before and after.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_operation, encode_operation, to_plain
from aura_vcs.compression import THOROUGH_LEVEL, NotDecodable, compress, decompress
from aura_vcs.errors.integrity import RecordCorrupt, RecordUnreadable, StorageError
from aura_vcs.ids import ReplicaId, is_replica_id
from aura_vcs.layout import OPERATIONS, SEGMENT, log_copy, operations_log, operations_segment
from aura_vcs.model import Annotation, BranchEntry, Field, Label, Operation, RefChange, Tag
from aura_vcs.storage.base import Writable
from aura_vcs.storage.line_log import LineLog, complete_lines

SEGMENT_LIMIT = 1 << 30
"""Decoded bytes of the largest closed part of a log."""


class LogLine(msgspec.Struct, frozen=True):
    """A line of a log: its operation (None if damaged), and where it lies in bytes.

    `segment` names the closed part of the log that it is in, None for the part still written to.
    """

    operation: Operation | None
    start: int
    end: int
    segment: str | None = None


class LogRepair(msgspec.Struct, frozen=True):
    """The operations that were restored into the own log; or those that it has otherwise now, from somebody else.

    `absent` are the lines that were not restored because what they made is not here.
    """

    restored: tuple[Operation, ...] = ()
    foreign: tuple[Operation, ...] = ()
    absent: tuple[Operation, ...] = ()


class OperationLogs:
    """The logs of all replicas of a project; this machine appends to its own."""

    def __init__(self, storage: Writable, replica: ReplicaId) -> None:
        self._storage = storage
        self.replica = replica

    def _log(self, replica: ReplicaId) -> LineLog:
        return LineLog(self._storage, operations_log(replica))

    @property
    def _own(self) -> LineLog:
        """The log of this machine, which goes on under a new id where a copy of it has the old one."""
        return self._log(self.replica)

    def names(self) -> list[str]:
        """List the files of all logs."""
        return self._storage.list(OPERATIONS)

    def sizes(self, names: Sequence[str] | None = None) -> dict[ReplicaId, int]:
        """Return the bytes of every replica's log; `names` are the files' names, if the caller has just listed them."""
        found = {}
        for name in self.names() if names is None else names:
            is_log = is_replica_id(name.removesuffix(".jsonl")) and name.endswith(".jsonl")
            stat = self._storage.stat(f"{OPERATIONS}/{name}") if is_log else None
            if stat is not None:
                found[ReplicaId(name.removesuffix(".jsonl"))] = stat.size
        return found

    def append(self, operation: Operation, *, at: int) -> int:
        """Record the operation durably after the last whole line, which ends at `at`.

        Returns where the new line ends. The caller holds the refs lock. If it raises, nothing happened; see
        `LineLog.append`.

        Raises:
            RecordUnreadable, RecordCorrupt: whole lines follow, or what follows cannot be read: it is not cut off.
        """
        line = encode_operation(operation)
        end = self._own.append(line, at=at)
        self._repeat(line, at)
        return end

    def _repeat(self, line: bytes, at: int) -> None:
        """Write what was recorded into this machine's own copy of its log, which no tool carries.

        Best effort, and not durable: the log is.
        """
        copy = log_copy(self.replica)
        try:
            found = self._storage.stat(copy)
            if at and (found is None or found.size != at):
                self._storage.put(copy, self._own.read()[: at + len(line)])
            else:
                self._storage.append(copy, line, at=at, durable=False)
        except (StorageError, FileNotFoundError):
            return

    def mend(self, choose: Callable[[Sequence[Operation]], int] = len) -> LogRepair:
        """Restore lines of the own log that are gone, because a tool restored the log to an older state.

        What others have written under our id since is left alone: then the lines that are only ours are
        returned, with nothing restored. `choose` says how many of the lost operations, from the first on,
        can be restored. The caller holds the refs lock.
        """
        try:
            copied = self._storage.read(log_copy(self.replica))
        except (FileNotFoundError, StorageError):
            return LogRepair()
        try:
            log, end = self._own_log()
        except RecordUnreadable:
            return LogRepair()  # told by whoever enters it; `aura repair` takes the copy
        here = {line for line, _ in log}
        known = {operation.sequence for _, operation in log}
        lost = [(line, operation) for line, operation in _intact_lines(copied) if line not in here]
        count = choose([operation for _, operation in lost]) if lost else 0
        absent = tuple(operation for _, operation in lost[count:])
        if any(operation.sequence in known for _, operation in lost):
            return LogRepair(foreign=tuple(operation for _, operation in lost[:count]), absent=absent)
        last = max(known, default=0)
        chosen = [(line, operation) for line, operation in lost[:count] if operation.sequence > last]
        back = b"".join(line for line, _ in chosen)
        if back:
            try:
                self._own.append(back, at=end)
            except StorageError:
                return LogRepair()  # the disk can only be read, or is full: the next command tries again
        return LogRepair(restored=tuple(operation for _, operation in chosen), absent=absent)

    def _own_log(self) -> tuple[list[tuple[bytes, Operation]], int]:
        """Read the sound lines of the own log, closed parts too, and where the last line of its open part ends."""
        found = [line.operation for name in self.segments() for line in self._of_segment(name)]
        closed = [(encode_operation(operation), operation) for operation in found if operation is not None]
        try:
            data = self._own.read()
        except FileNotFoundError:
            return closed, 0
        return closed + list(_intact_lines(data)), len(data)

    def _of_segment(self, name: str) -> list[LogLine]:
        if name.partition(".")[0] != self.replica:
            return []
        try:
            return list(self.read_segment(name))
        except RecordCorrupt:
            return []

    def read(self, replica: ReplicaId, *, start: int = 0) -> Iterator[LogLine]:
        """Yield the whole lines from offset `start` on; a torn last line is not one of them."""
        log = self._log(replica)
        for line in log.lines(start=start):
            yield LogLine(_decode(line.data, log.name), line.start, line.end)

    def segments(self, names: Sequence[str] | None = None) -> list[str]:
        """File names of the closed parts of all logs, in the order they were written in; `names` as for `sizes`."""
        listed = self.names() if names is None else names
        return sorted([name for name in listed if name.endswith(SEGMENT)], key=_segment_order)

    def read_segment(self, name: str) -> Iterator[LogLine]:
        """Yield the lines of a closed part.

        Raises:
            RecordCorrupt: it does not decode.
        """
        start = 0
        for line in self._segment(name).splitlines(keepends=True):
            yield LogLine(_decode(line.removesuffix(b"\n"), name), start, start + len(line), name)
            start += len(line)

    def read_all(self) -> Iterator[LogLine]:
        """Yield every line of every log, closed parts first; damaged closed parts are passed over."""
        for name in self.segments():
            try:
                yield from self.read_segment(name)
            except RecordCorrupt:
                continue
        for replica in self.sizes():
            yield from self.read(replica)

    def read_of(self, replica: ReplicaId) -> Iterator[LogLine]:
        """Yield every line of one replica's log, closed parts first; damaged closed parts are passed over."""
        for name in self.segments():
            if name.partition(".")[0] != replica:
                continue
            try:
                yield from self.read_segment(name)
            except RecordCorrupt:
                continue
        yield from self.read(replica)

    def read_at(self, replica: ReplicaId, start: int, end: int, segment: str | None = None) -> Operation:
        """Read the operation on the line from `start` to `end`.

        Raises:
            RecordCorrupt: the log no longer has it there.
        """
        if segment is not None:
            return decode_operation(self._segment(segment)[start:end].removesuffix(b"\n"), segment)
        log = self._log(replica)
        try:
            line = log.read_at(start, end)
        except FileNotFoundError as error:
            raise RecordCorrupt(log.name, "the log is gone") from error
        return decode_operation(line.removesuffix(b"\n"), log.name)

    def close_segment(self, *, keep: int) -> int:
        """Move all but the last `keep` lines of the own log into a closed, compressed part.

        The caller holds the refs lock. The closed part is durable before the log is cut; a line in
        both is the same operation. Returns how many lines went.
        """
        lines = [line for line in self.read(self.replica) if line.operation is not None]
        closing = lines[:-keep] if keep else lines
        if not closing or closing[0].operation is None:
            return 0
        data = self._own.read()
        cut = closing[-1].end
        name = operations_segment(self.replica, closing[0].operation.sequence)
        self._storage.put(name, compress(data[:cut], THOROUGH_LEVEL))
        self._storage.put(log_copy(self.replica), data[cut : lines[-1].end])
        self._own.replace(data[cut : lines[-1].end])
        return len(closing)

    def _segment(self, name: str) -> bytes:
        path = f"{OPERATIONS}/{name}"
        try:
            return decompress(self._storage.read(path), limit=SEGMENT_LIMIT)
        except (NotDecodable, FileNotFoundError) as error:
            raise RecordCorrupt(path, f"it does not decode ({error})") from error


def _intact_lines(data: bytes) -> Iterator[tuple[bytes, Operation]]:
    """Yield the lines that end and are sound, with their newlines."""
    for line in complete_lines(data).splitlines(keepends=True):
        operation = _decode(line.removesuffix(b"\n"), "")
        if operation is not None:
            yield line, operation


def _segment_order(name: str) -> tuple[str, int, str]:
    replica, _, number = name.removesuffix(SEGMENT).partition(".")
    return replica, int(number) if number.isdecimal() else 0, name


def _decode(line: bytes, path: str) -> Operation | None:
    try:
        return decode_operation(line, path)
    except RecordCorrupt:
        return None


def branch_change(name: str, before: BranchEntry | None, after: BranchEntry) -> tuple[str, RefChange]:
    """Build an operation's record of a branch entry that moved."""
    ref = layout.branch_ref(name, after.replica).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))


def label_change(before: Label | None, after: Label) -> tuple[str, RefChange]:
    """Build an operation's record of a label that changed."""
    return f"versions/{after.version}", RefChange(None if before is None else to_plain(before), to_plain(after))


class Giver(msgspec.Struct, frozen=True):
    """Who gives a value: a replica, at a time, and the person there."""

    replica: ReplicaId
    at: str
    by: str


def field_change(room: str, key: str, before: Field | None, value: Any, giver: Giver) -> tuple[str, RefChange]:
    """Build an operation's record of a value that is given to a setting or a field of the state."""
    counter = (before.stamp[0] if before is not None else 0) + 1
    after = Field(value, (counter, giver.replica), giver.at, giver.by)
    return f"{room}/{key}", RefChange(None if before is None else to_plain(before), to_plain(after))


def setting_change(key: str, before: Field | None, after: Field) -> tuple[str, RefChange]:
    """Build an operation's record of a setting that another machine gave."""
    return f"settings/{key}", RefChange(None if before is None else to_plain(before), to_plain(after))


def checkpoint_change(name: str, before: dict[str, Any], changes: dict[str, Any]) -> tuple[str, RefChange]:
    """Build an operation's record of a checkpoint, some of whose CHECKPOINT_FIELDS changed."""
    after = {**before, **changes, "revision": before.get("revision", 0) + 1}
    return f"checkpoints/{name}", RefChange(before, after)


def annotation_change(room: str, before: Annotation | None, after: Annotation) -> tuple[str, RefChange]:
    """Build an operation's record of a note, a provenance or a recipe that changed."""
    return f"{room}/{after.id}", RefChange(None if before is None else to_plain(before), to_plain(after))


def tag_change(name: str, before: Tag | None, after: Tag) -> tuple[str, RefChange]:
    """Build an operation's record of a tag that changed."""
    ref = layout.tag_ref(name).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))
