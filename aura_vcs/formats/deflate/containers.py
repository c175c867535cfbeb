"""Where the deflate streams lie in a gzip file or a ZIP archive, known by their content and not by their names."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

GZIP_MAGIC = b"\x1f\x8b\x08"
ZIP_MAGIC = b"PK\x03\x04"
MOST_DAMAGED = 3
MOST_STREAMS = 4096
"""An archive of more files than this is left as it is."""
_GZIP_HEAD_BYTES = 10
_LEAST_INFLATED = 512
_HEADER_CHECK, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
DEFLATED = 8
LARGE_CONTENT, LARGE_SHRUNK = 64 << 20, 6
"""A stream that holds more must hold so many times its length: what repeats little takes an hour to be proven."""
LOCAL = struct.Struct("<4s22xHH")
CENTRAL = struct.Struct("<4s6xH8xIIHHH8xI")
END = struct.Struct("<4s6xHII2x")
CENTRAL_MAGIC, END_MAGIC = b"PK\x01\x02", b"PK\x05\x06"
COMMENT_BYTES = 65535


class DeflateStream(NamedTuple):
    """A raw deflate stream in a file: where it begins and ends in bytes, and what it holds."""

    start: int
    end: int
    content: bytes


def is_quick(stored: int, content: int) -> bool:
    """Tell whether a stream of so many bytes that holds so many is proven in a minute or two."""
    return content <= LARGE_CONTENT or content >= LARGE_SHRUNK * stored


def is_container(head: bytes) -> bool:
    """Tell by a file's first bytes whether `streams_in` may find something."""
    return head.startswith((GZIP_MAGIC, ZIP_MAGIC))


def may_be_stream(head: bytes) -> bool:
    """Tell by its first bytes whether something may be a stream without a container: of noise, hardly any is."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return bool(machine.decompress(head, _LEAST_INFLATED)) and not machine.eof
    except zlib.error:
        return False


def streams_in(data: bytes, limit: int) -> Iterator[DeflateStream]:
    """Yield the streams in the order in which they lie, which never overlap; none of what is not as it should be.

    No more than `limit` bytes of content are inflated in all: what holds more yields fewer. Nor is more tried
    when MOST_DAMAGED streams were not as they should be: an archive may name one bomb many times.
    """
    if data.startswith(GZIP_MAGIC):
        first = gzip_start(data)
        starts = [] if first is None else [(first, len(data))]
    else:
        starts = _zip_starts(data)
    before, damaged = 0, 0
    for start, most in starts:
        if limit <= 0 or damaged >= MOST_DAMAGED:
            return
        if start < before:
            continue
        found = _inflated(memoryview(data)[start:most], limit)
        if found is None:
            damaged += 1
            continue
        content, size = found
        limit -= len(content)
        before = start + size
        yield DeflateStream(start, before, content)


def inflated(stream: bytes, limit: int) -> bytes | None:
    """Inflate a stream; None if it is damaged, followed by anything, or holds `limit` bytes or more."""
    found = _inflated(memoryview(stream), limit)
    return found[0] if found is not None and found[1] == len(stream) else None


def _inflated(stream: memoryview, limit: int) -> tuple[bytes, int] | None:
    """Inflate a stream that more may follow; returns its content and how long it is, None as `inflated`."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = machine.decompress(stream, limit)
    except zlib.error:
        return None
    if not machine.eof or len(content) >= limit:
        return None
    return content, len(stream) - len(machine.unused_data)


def gzip_start(data: bytes) -> int | None:
    """Find where the first member's stream begins (RFC 1952), by the beginning of a file; None if it is cut off."""
    if len(data) < _GZIP_HEAD_BYTES:
        return None
    flags, at = data[3], _GZIP_HEAD_BYTES
    if flags & _EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (_NAME, _COMMENT):
        if flags & flag:
            at = data.find(b"\0", at) + 1
            if not at:
                return None
    if flags & _HEADER_CHECK:
        at += 2
    return at if at < len(data) else None


def _zip_starts(data: bytes) -> list[tuple[int, int]]:
    """Find where the deflated files begin and end, by the archive's directory (APPNOTE 4.3); none of ZIP64's."""
    tail = data.rfind(END_MAGIC, max(0, len(data) - COMMENT_BYTES - END.size))
    if tail < 0 or tail + END.size > len(data):
        return []
    _, count, _, at = END.unpack_from(data, tail)
    found = []
    for _ in range(min(count, MOST_STREAMS + 1)):
        if at + CENTRAL.size > len(data):
            return []
        magic, method, size, _, name, extra, comment, offset = CENTRAL.unpack_from(data, at)
        if magic != CENTRAL_MAGIC:
            return []
        at += CENTRAL.size + name + extra + comment
        if method == DEFLATED and offset + LOCAL.size <= len(data):
            magic, name, extra = LOCAL.unpack_from(data, offset)
            start = offset + LOCAL.size + name + extra
            if magic == ZIP_MAGIC and start + size <= len(data):
                found.append((start, start + size))
    return sorted(found) if count <= MOST_STREAMS else []
