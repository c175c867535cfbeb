"""Reading many small files in a second process.

Opening, checking, reading, hashing and compressing small files is the work of one core. A second
process does it for thousands of them and hands them over as frames of a pack, while the first one
writes the frames, reads them back, checks them, and keeps the books.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from aura_vcs.compression import import_library
from aura_vcs.ids import Bytes, ObjectId
from aura_vcs.objects.base import Source
from aura_vcs.objects.batch import FRAME_BYTES
from aura_vcs.objects.pack_format import ids_in
from aura_vcs.objects.pack_writer import ReadyFrame, encode_frame
from aura_vcs.worktree.second_process import SecondProcess, send, start_second

WORTHWHILE_FILES = 1500
"""Fewer are read sooner than a process starts and talks."""
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ of linux/fcntl.h, which the fcntl module of Python 3.11 has under no name."""
_MESSAGE = struct.Struct("<IIBQ")
"""How many files the frame holds, how many more have content that came before, its codec, its stored bytes."""

ReadFiles = tuple[ReadyFrame, list[tuple[int, ObjectId]]]
"""A frame, and the files whose content is known now: their numbers among the sources, and their ids."""


class Reader:
    """What a second process has read of the sources it was given; what would not hold still is left out."""

    def __init__(self, second: SecondProcess) -> None:
        self.second = second
        self._pipe = open(second.fd, "rb", buffering=_PIPE_BYTES)  # noqa: SIM115 (closed by `close`)

    def frames(self) -> Iterator[ReadFiles]:
        """The frames one after the other, until the process has ended, for whatever reason."""
        while len(head := self._pipe.read(_MESSAGE.size)) == _MESSAGE.size:
            count, repeated, codec, size = _MESSAGE.unpack(head)
            columns = struct.Struct(f"<{count + repeated}I{count}I")
            table, names = self._pipe.read(columns.size), self._pipe.read(32 * (count + repeated))
            stored = self._pipe.read(size)
            if len(table) != columns.size or len(names) != 32 * (count + repeated) or len(stored) != size:
                return  # the process ended early; what is lacking is read here
            numbers, ids = columns.unpack(table), ids_in(names)
            frame = ReadyFrame(ids[:count], numbers[count + repeated :], codec, stored)
            yield frame, list(zip(numbers, ids, strict=False))

    def close(self) -> None:
        """End the process."""
        self._pipe.close()  # a write into a closed pipe ends the other side
        self.second.ended()


def start_reader(sources: Sequence[Source]) -> Reader | None:
    """Begin to read the sources; None where a second process helps nothing, or cannot be."""
    if len(sources) < WORTHWHILE_FILES:
        return None
    import_library()  # once, for both
    second = start_second(partial(_read, sources))
    return Reader(second) if second is not None else None


def _read(sources: Sequence[Source], fd: int) -> None:
    import fcntl  # which Windows has not

    with suppress(OSError):  # a smaller pipe is slower, no more
        fcntl.fcntl(fd, _SET_PIPE_SIZE, _PIPE_BYTES)
    frame, seen = _Frame(), set[ObjectId]()
    for number, source in enumerate(sources):
        found = source.read()
        if found is None:
            continue
        data, object_id = found
        if object_id in seen:
            frame.repeated.append((number, object_id))
            continue
        if frame.pieces and frame.size + len(data) > FRAME_BYTES:
            frame.send(fd)
            frame = _Frame()
        seen.add(object_id)
        frame.numbers.append(number)
        frame.ids.append(object_id)
        frame.pieces.append(data)
        frame.size += len(data)
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

    def send(self, fd: int) -> None:
        """Compress it, if that is worth it, and hand it over."""
        codec, stored = encode_frame(self.pieces, None) if self.pieces else (0, [])
        numbers = [*self.numbers, *(number for number, _ in self.repeated), *map(len, self.pieces)]
        ids = "".join([*self.ids, *(object_id for _, object_id in self.repeated)])
        head = _MESSAGE.pack(len(self.ids), len(self.repeated), codec, sum(map(len, stored)))
        send(fd, b"".join([head, struct.pack(f"<{len(numbers)}I", *numbers), bytes.fromhex(ids), *stored]))
