"""Logs of lines: a line has happened when it ends. A torn last line never did, and the next one is written over it."""

from collections.abc import Iterator
from typing import NamedTuple

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.storage.base import Readable

READ_BYTES = 1 << 20
LINE_LIMIT = 64 << 20
"""Bytes of the longest line that is believed to be one."""


class Line(NamedTuple):
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
