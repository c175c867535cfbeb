"""Where the deflate streams of a large gzip file or ZIP archive lie, told by its heads and its directory alone.

Nothing is inflated, and no more is read than the heads, so what is told may be wrong: whoever uses a place
has to find out whether a stream lies there.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from aura_vcs.formats.deflate.containers import (
    CENTRAL,
    CENTRAL_MAGIC,
    COMMENT_BYTES,
    DEFLATED,
    END,
    END_MAGIC,
    GZIP_MAGIC,
    LOCAL,
    MOST_STREAMS,
    ZIP_MAGIC,
    gzip_start,
    is_quick,
)

LEAST_STREAM_BYTES = 4 << 10
"""A shorter stream is not worth a chunk of its own."""
STREAM_CONTENT_BYTES = 192 << 20
STREAM_BYTES = 64 << 20
"""A stream that says it holds more, or is longer, is cut like everything else."""
SHRUNK = 1.1
"""A stream whose content is less than so many times its length gains nothing by being taken apart."""
_GZIP_HEAD_BYTES = 64 << 10
_GZIP_TAIL = struct.Struct("<4xI")
_DIRECTORY_BYTES = 8 << 20


class StreamPlace(NamedTuple):
    """Where in a file a stream begins and ends, in bytes."""

    start: int
    end: int


def stream_places(file: BinaryIO) -> list[StreamPlace]:
    """Find the streams that are worth being taken apart, in their order; they never overlap.

    Raises:
        OSError: it cannot be read.
    """
    head = _read(file, 0, len(ZIP_MAGIC))
    if head.startswith(GZIP_MAGIC):
        found = _gzip_places(file)
    elif head == ZIP_MAGIC:
        found = _zip_places(file)
    else:
        return []
    places: list[StreamPlace] = []
    for place in sorted(found):
        if not places or place.start >= places[-1].end:
            places.append(place)
    return places


def _gzip_places(file: BinaryIO) -> list[StreamPlace]:
    """Take the file as one member: the length of its content is the last that it says."""
    size = file.seek(0, 2)
    start = gzip_start(_read(file, 0, _GZIP_HEAD_BYTES))
    end = size - _GZIP_TAIL.size
    if start is None or end <= start:
        return []
    (content,) = _GZIP_TAIL.unpack(_read(file, end, _GZIP_TAIL.size))
    return [StreamPlace(start, end)] if _is_worth_it(end - start, content) else []


def _zip_places(file: BinaryIO) -> list[StreamPlace]:
    """Read the directory, and the head of each member that is worth it; nothing of ZIP64's."""
    size = file.seek(0, 2)
    tail_at = max(0, size - COMMENT_BYTES - END.size)
    tail = _read(file, tail_at, size - tail_at)
    end = tail.rfind(END_MAGIC)
    if end < 0 or end + END.size > len(tail):
        return []
    _, count, length, at = END.unpack_from(tail, end)
    if length > _DIRECTORY_BYTES or at + length > size:
        return []
    members = sorted(_members(_read(file, at, length), count), key=lambda member: -member[1])[:MOST_STREAMS]
    found = []
    for offset, stored in sorted(members):
        head = _read(file, offset, LOCAL.size)
        if len(head) == LOCAL.size:
            magic, name, extra = LOCAL.unpack(head)
            start = offset + LOCAL.size + name + extra
            if magic == ZIP_MAGIC and start + stored <= at:
                found.append(StreamPlace(start, start + stored))
    return found


def _members(directory: bytes, count: int) -> Iterator[tuple[int, int]]:
    """Yield where members begin, and how long their streams are, of those that are worth it."""
    at = 0
    for _ in range(count):
        if at + CENTRAL.size > len(directory):
            return
        magic, method, stored, content, name, extra, comment, offset = CENTRAL.unpack_from(directory, at)
        if magic != CENTRAL_MAGIC:
            return
        at += CENTRAL.size + name + extra + comment
        if method == DEFLATED and _is_worth_it(stored, content):
            yield offset, stored


def _is_worth_it(stored: int, content: int) -> bool:
    is_fit = LEAST_STREAM_BYTES <= stored <= STREAM_BYTES and SHRUNK * stored <= content <= STREAM_CONTENT_BYTES
    return is_fit and is_quick(stored, content)


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
