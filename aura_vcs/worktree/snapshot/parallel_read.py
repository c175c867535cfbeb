"""Reading many small files in two processes.

Opening, checking, reading, hashing and compressing small files is the work of one core. A worker
process does it from the first file on and hands them over as frames of a pack. The first one
writes the frames, reads them back, checks them, keeps the books, and in between makes frames of
its own, from the last file on, until they meet.
"""

import mmap
import select
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from aura_vcs.compression import import_library
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.forked_worker import ForkedWorker, fork_worker, send
from aura_vcs.ids import Bytes, ObjectId
from aura_vcs.objects.base import FileToStore
from aura_vcs.objects.packs.format import ids_in
from aura_vcs.objects.packs.writer import FRAME_BYTES, ReadyFrame, encode_frame

WORTHWHILE_FILES = 1500
"""Fewer are read sooner than a process starts and talks."""
OWN_FILES = 100
"""So many the first process takes at once."""
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ of linux/fcntl.h, which the fcntl module of Python 3.11 has under no name."""
_MESSAGE = struct.Struct("<IIBQ")
"""How many files the frame holds, how many more have content that came before, its codec, its stored bytes."""

Take = Callable[[int], FileToStore]
"""The source of a number, made when it is asked for: each process makes those that it reads."""
ReadFiles = tuple[ReadyFrame, list[tuple[int, ObjectId]]]
"""A frame, and the files whose content is known now: their numbers among the sources, and their ids."""


class SharedCursor:
    """Where two processes are in a list that they go through from both ends, in memory that both have.

    Each looks at the other's number without waiting, so a file may be read twice, which does no harm; none is left out.
    """

    def __init__(self, count: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 8)).cast("I")
        self._numbers[1] = count

    def from_front(self) -> Iterator[int]:
        """Yield the numbers that the worker process takes."""
        number = 0
        while number < self._numbers[1]:
            self._numbers[0] = number
            yield number
            number += 1

    def from_back(self) -> range:
        """Take the next numbers for the first process; none where the second one will soon be."""
        end = self._numbers[1]
        start = end - OWN_FILES
        if start <= self._numbers[0] + OWN_FILES:
            return range(0)
        self._numbers[1] = start
        return range(start, end)


class ParallelReader:
    """What two processes have read of the sources; what kept changing is left out."""

    def __init__(self, take: Take, second: ForkedWorker, meeting: SharedCursor) -> None:
        self.second = second
        self._take = take
        self._meeting = meeting
        self._pipe = open(second.fd, "rb", buffering=_PIPE_BYTES)  # noqa: SIM115 (closed by `close`)

    def frames(self) -> Iterator[ReadFiles]:
        """Yield the frames one after the other, until the worker process has ended, for whatever reason."""
        seen: set[ObjectId] = set()
        arriving = select.poll()  # `select` takes no file with a number above 1023
        arriving.register(self._pipe, select.POLLIN)
        while True:
            if not arriving.poll(0) and (own := self._meeting.from_back()):
                for frame in _framed(self._take, own, seen):
                    yield frame.ready(), frame.found()
                continue
            told = self._next_frame()
            if told is None:
                return
            yield told

    def _next_frame(self) -> ReadFiles | None:
        """Read the next frame of the worker process; None if it has ended."""
        head = self._pipe.read(_MESSAGE.size)
        if len(head) != _MESSAGE.size:
            return None
        count, repeated, codec, size = _MESSAGE.unpack(head)
        columns = struct.Struct(f"<{count + repeated}I{count}I")
        table, names = self._pipe.read(columns.size), self._pipe.read(32 * (count + repeated))
        stored = self._pipe.read(size)
        if len(table) != columns.size or len(names) != 32 * (count + repeated) or len(stored) != size:
            return None  # it ended early; what is lacking is read here
        numbers, ids = columns.unpack(table), ids_in(names)
        frame = ReadyFrame(ids[:count], numbers[count + repeated :], codec, stored)
        return frame, list(zip(numbers, ids, strict=False))

    def close(self) -> None:
        """End the process."""
        self._pipe.close()  # a write into a closed pipe ends the other side
        self.second.ended()


def start_reader(count: int, take: Take) -> ParallelReader | None:
    """Begin to read so many sources; None where a worker process helps nothing, or cannot be."""
    if count < WORTHWHILE_FILES:
        return None
    import_library()  # once, for both
    meeting = SharedCursor(count)
    second = fork_worker(partial(_read, take, meeting))
    return ParallelReader(take, second, meeting) if second is not None else None


def _read(take: Take, meeting: SharedCursor, fd: int) -> None:
    import fcntl  # which Windows has not

    with suppress(OSError):  # a smaller pipe is slower, no more
        fcntl.fcntl(fd, _SET_PIPE_SIZE, _PIPE_BYTES)
    for frame in _framed(take, meeting.from_front(), set()):
        frame.send(fd)


class _Frame:
    """A frame in the making."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ids: list[ObjectId] = []
        self.pieces: list[Bytes] = []
        self.size = 0
        self.repeated: list[tuple[int, ObjectId]] = []
        """Files whose content came before."""

    def add(self, number: int, object_id: ObjectId, data: Bytes) -> None:
        """Take a file in."""
        self.numbers.append(number)
        self.ids.append(object_id)
        self.pieces.append(data)
        self.size += len(data)

    def ready(self) -> ReadyFrame:
        """Return the frame, compressed if that is worth it."""
        codec, stored = self._encoded()
        return ReadyFrame(self.ids, [len(piece) for piece in self.pieces], codec, b"".join(stored))

    def found(self) -> list[tuple[int, ObjectId]]:
        """Return the files whose content is known now."""
        return [*zip(self.numbers, self.ids, strict=True), *self.repeated]

    def send(self, fd: int) -> None:
        """Hand it over, compressed if that is worth it."""
        codec, stored = self._encoded()
        numbers = [*self.numbers, *(number for number, _ in self.repeated), *map(len, self.pieces)]
        ids = "".join([*self.ids, *(object_id for _, object_id in self.repeated)])
        head = _MESSAGE.pack(len(self.ids), len(self.repeated), codec, sum(map(len, stored)))
        send(fd, b"".join([head, struct.pack(f"<{len(numbers)}I", *numbers), bytes.fromhex(ids), *stored]))

    def _encoded(self) -> tuple[int, Sequence[Bytes]]:
        return encode_frame(self.pieces, None) if self.pieces else (0, [])


def _framed(take: Take, numbers: Iterable[int], seen: set[ObjectId]) -> Iterator[_Frame]:
    """Yield the sources of these numbers in frames of about FRAME_BYTES; content that was `seen` is in none."""
    frame = _Frame()
    for number in numbers:
        try:
            found = take(number).read()
        except FileUnreadable:
            continue  # whoever reads it on its own says so
        if found is None:
            continue
        data, object_id = found
        if object_id in seen:
            frame.repeated.append((number, object_id))
            continue
        if frame.pieces and frame.size + len(data) > FRAME_BYTES:
            yield frame
            frame = _Frame()
        seen.add(object_id)
        frame.add(number, object_id, data)
    yield frame
