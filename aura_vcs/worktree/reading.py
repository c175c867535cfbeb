"""Reading many small files in a second process.

Opening, checking, reading and hashing a small file is Python's work, and one process does it on one
core. A second process does it for thousands of files and hands their content over, while the first
one compresses, checks and writes.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial

from aura_vcs.ids import Bytes, ObjectId
from aura_vcs.objects.base import Source
from aura_vcs.worktree.second_process import SecondProcess, send, start_second

WORTHWHILE_FILES = 1500
"""Fewer are read sooner than a process starts and talks."""
_MESSAGE_BYTES = 512 << 10
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ of linux/fcntl.h, which the fcntl module of Python 3.11 has under no name."""
_MESSAGE = struct.Struct("<IQ")
"""How many files, the bytes of their content."""
_FILE = struct.Struct("<II64s")
"""A file's number among the sources, its bytes, its id; a file that would not hold still is left out."""


class Reader:
    """What a second process has read of the sources it was given, in their order."""

    def __init__(self, second: SecondProcess) -> None:
        self.second = second
        self._pipe = open(second.fd, "rb", buffering=_PIPE_BYTES)  # noqa: SIM115 (closed by `close`)
        self._files = self._receive()
        self._next: tuple[int, ObjectId, Bytes] | None = None

    def take(self, number: int) -> tuple[Bytes, ObjectId] | None:
        """Content and id of a source, asked for in order; None if it is for the caller to read."""
        while self._next is None or self._next[0] < number:
            found = next(self._files, None)
            if found is None:
                return None
            self._next = found
        if self._next[0] != number:
            return None
        _, object_id, data = self._next
        return data, object_id

    def _receive(self) -> Iterator[tuple[int, ObjectId, Bytes]]:
        while len(head := self._pipe.read(_MESSAGE.size)) == _MESSAGE.size:
            count, size = _MESSAGE.unpack(head)
            table, content = self._pipe.read(count * _FILE.size), memoryview(self._pipe.read(size))
            if len(table) != count * _FILE.size or len(content) != size:
                return  # the process ended early; what is lacking is read here
            at = 0
            for number, length, object_id in _FILE.iter_unpack(table):
                yield number, ObjectId(object_id.decode()), content[at : at + length]
                at += length

    def close(self) -> None:
        """End the process."""
        self._files.close()  # type: ignore[attr-defined]  # it is a generator
        self._pipe.close()  # a write into a closed pipe ends the other side
        self.second.ended()


def start_reader(sources: Sequence[Source]) -> Reader | None:
    """Begin to read the sources; None where a second process helps nothing, or cannot be."""
    second = start_second(partial(_read, sources)) if len(sources) >= WORTHWHILE_FILES else None
    return Reader(second) if second is not None else None


def _read(sources: Sequence[Source], fd: int) -> None:
    import fcntl  # which Windows has not

    with suppress(OSError):  # a smaller pipe is slower, no more
        fcntl.fcntl(fd, _SET_PIPE_SIZE, _PIPE_BYTES)
    table: list[bytes] = []
    content: list[Bytes] = []
    size = 0
    for number, source in enumerate(sources):
        found = source.read()
        if found is None:
            continue
        data, object_id = found
        table.append(_FILE.pack(number, len(data), object_id.encode()))
        content.append(data)
        size += len(data)
        if size >= _MESSAGE_BYTES:
            _send_files(fd, table, content, size)
            table, content, size = [], [], 0
    _send_files(fd, table, content, size)


def _send_files(fd: int, table: list[bytes], content: list[Bytes], size: int) -> None:
    send(fd, b"".join([_MESSAGE.pack(len(table), size), *table, *content]))
