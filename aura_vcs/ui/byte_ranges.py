"""Which part of a file a request wants (RFC 9110, section 14): one range, or all of it."""

import re

import msgspec

OPEN_BYTES = 2 << 20
"""A player asks for "the rest" and reads what it needs; it is given so much, and asks again."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class ByteRange(msgspec.Struct, frozen=True):
    """Bytes from `start` up to `end`, which is not among them; `is_part` where they are not simply all."""

    start: int
    end: int
    is_part: bool


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Read a `Range` header; None for a range that the file does not have. Several ranges at once get all of it."""
    match = _RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or match.groups() == ("", ""):
        return ByteRange(0, size, False)
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
        return ByteRange(start, end, True) if int(last) and size else None
    start = int(first)
    end = min(int(last) + 1, size) if last else min(size, start + OPEN_BYTES)
    return ByteRange(start, end, True) if start < min(end, size) else None
