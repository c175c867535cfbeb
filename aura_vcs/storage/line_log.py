"""Logs of lines: a line has happened when it ends. A torn last line never did, and the next one is written over it.

What a line says, and the checksum in it, is its log's: `codec` writes and reads it.
"""

from collections.abc import Callable, Iterator

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.storage.base import Readable, Writable

READ_BYTES = 1 << 20
LINE_LIMIT = 64 << 20
"""Bytes of the longest line that is believed to be one."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A whole line without its newline, and where it lies in bytes; `end` is behind the newline."""

    data: bytes
    start: int
    end: int


def read_lines(storage: Readable, name: str, *, start: int = 0) -> Iterator[Line]:
    """Yield the whole lines of a log from offset `start` on; none where there is no log. Holds one piece of it.

    Raises:
        RecordCorrupt: a line is longer than any is. RecordUnreadable.
    """
    try:
        file = storage.open(name)
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        pending, offset = b"", start
        while data := file.read(READ_BYTES):
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                end = offset + len(line) + 1
                yield Line(line, offset, end)
                offset = end
            if len(pending) > LINE_LIMIT:
                raise RecordCorrupt(name, f"a line longer than {LINE_LIMIT:,} bytes")


def complete_lines(data: bytes) -> bytes:
    """Return what of a log's bytes is whole lines."""
    return data[: data.rfind(b"\n") + 1]


class LineLog:
    """The log in the file `name`: lines are added behind the last one, and go from the beginning only.

    Whoever writes holds a lock of its own; readers need none. `put` makes or replaces the file durably and as a
    whole, where that is not done as `storage` does it.
    """

    def __init__(self, storage: Writable, name: str, put: Callable[[str, bytes], None] | None = None) -> None:
        self.name = name
        self._storage = storage
        self._put = storage.put if put is None else put

    def lines(self, *, start: int = 0) -> Iterator[Line]:
        """Yield the whole lines from offset `start` on, see `read_lines`."""
        return read_lines(self._storage, self.name, start=start)

    def read(self) -> bytes:
        """Read all whole lines. Raises FileNotFoundError."""
        return complete_lines(self._storage.read(self.name))

    def read_at(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` to `end`, or fewer if it ends before. Raises FileNotFoundError."""
        with self._storage.open(self.name) as file:
            file.seek(start)
            return file.read(end - start)

    def append(self, lines: bytes, *, at: int) -> int:
        """Write lines durably after the last whole line, which ends at `at`. Returns where they end.

        If it raises, nothing happened: what may have been written is a torn line.

        Raises:
            RecordUnreadable, RecordCorrupt: whole lines follow, or what follows cannot be read: it is not cut off.
        """
        found = self._storage.stat(self.name)
        if found is not None and found.size > at:
            for line in self.lines(start=at):
                raise RecordCorrupt(self.name, f"the line after byte {line.start} has not been read yet")
        self._storage.append(self.name, lines, at=at)
        return at + len(lines)

    def replace(self, lines: bytes) -> None:
        """Put whole lines in place of all, durably and as a whole: how a log begins, and how its oldest lines go."""
        self._put(self.name, lines)
