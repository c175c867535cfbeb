"""Unwrapped frames: gzip files and ZIP archives stored as what is in them, and written again when they are read.

The decoded frame has the files' own bytes, so whatever reads objects, counts them or sends them need not know.
What is stored is one zstd frame of

    count    <I  parts
    parts    levels <B each, memLevels <B each, lengths in the decoded frame <I each, lengths of the content
             <I each, checks 8 bytes each
    content  of all parts, one behind the other

Successive versions of a file lie in one frame: there they are alike, wrapped they are not.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from aura_vcs.compression import NotDecodable, compress_long
from aura_vcs.formats.deflate.unwrapping import CHECK_BYTES, FilePart, NotRebuilt, Unwrapped, check_parts, rebuild
from aura_vcs.objects.packs.format import PARTS_LIMIT

_COUNT = struct.Struct("<I")
_PART_BYTES = 10 + CHECK_BYTES


def encode(files: Sequence[Unwrapped]) -> bytes:
    """Encode files that were taken apart as one frame."""
    parts = [part for file in files for part in file.parts]
    head = (
        _COUNT.pack(len(parts)),
        bytes([part.level for part in parts]),
        bytes([part.memory for part in parts]),
        struct.pack(f"<{len(parts)}I", *(part.wrapped for part in parts)),
        struct.pack(f"<{len(parts)}I", *(part.content for part in parts)),
        *(part.check for part in parts),
    )
    return compress_long(b"".join((*head, *(piece for file in files for piece in file.content))))


def head_bytes(parts: int) -> int:
    """Return how much so many parts take before their content."""
    return _COUNT.size + parts * _PART_BYTES


class UnwrappedFrame:
    """An unwrapped frame after zstd; its files are written again as far as they are read."""

    def __init__(self, data: bytes, length: int) -> None:
        """Check what is in a frame that has `length` bytes when the files are written again.

        Raises:
            NotDecodable: it is not such a frame.
        """
        self._data = data
        self._parts = _parts(data, length)
        self._starts = list(accumulate((part.wrapped for part in self._parts), initial=0))
        first = head_bytes(len(self._parts))
        self._places = list(accumulate((part.content for part in self._parts), initial=first))

    def read(self, offset: int, length: int) -> bytes:
        """Write again what lies between two places in the decoded frame.

        Raises:
            NotDecodable: it does not come back as it was.
        """
        pieces, at = [], offset
        for number in self._numbers(offset, length):
            start = self._starts[number]
            piece = self._rebuilt(number)[at - start : offset + length - start]
            pieces.append(piece)
            at += len(piece)
        return b"".join(pieces)

    def unwrapped(self, offset: int, length: int) -> Unwrapped | None:
        """Return a file as it was taken apart; None if what lies there does not begin and end with a part."""
        numbers = self._numbers(offset, length)
        if not numbers or self._starts[numbers.start] != offset or self._starts[numbers.stop] != offset + length:
            return None
        return Unwrapped(tuple(self._parts[numbers.start : numbers.stop]), tuple(map(self._content, numbers)))

    def _numbers(self, offset: int, length: int) -> range:
        """Return which parts have bytes between two places."""
        first = max(0, bisect_right(self._starts, offset) - 1)
        last = first
        while last < len(self._parts) and self._starts[last] < offset + length:
            last += 1
        return range(first, last)

    def _content(self, number: int) -> bytes:
        return self._data[self._places[number] : self._places[number + 1]]

    def _rebuilt(self, number: int) -> bytes:
        try:
            return rebuild(self._parts[number], self._content(number))
        except NotRebuilt as error:
            raise NotDecodable(str(error)) from error


def _parts(data: bytes, length: int) -> list[FilePart]:
    """Decode the parts, checked against the lengths of what they lie in and of what they make."""
    count = _COUNT.unpack_from(data)[0] if len(data) >= _COUNT.size else 0
    if count > PARTS_LIMIT or len(data) < head_bytes(count):
        raise NotDecodable("it has fewer parts than it says")
    parts = list(_read_parts(data, count))
    if sum(part.wrapped for part in parts) != length:
        raise NotDecodable("its parts do not make the frame")
    if sum(part.content for part in parts) != len(data) - head_bytes(count):
        raise NotDecodable("its parts do not fill it")
    try:
        check_parts(parts)
    except NotRebuilt as error:
        raise NotDecodable(str(error)) from error
    return parts


def _read_parts(data: bytes, count: int) -> Iterator[FilePart]:
    levels, memories = data[_COUNT.size : _COUNT.size + count], data[_COUNT.size + count : _COUNT.size + 2 * count]
    lengths = struct.unpack_from(f"<{2 * count}I", data, _COUNT.size + 2 * count)
    checks = _COUNT.size + 10 * count
    for number in range(count):
        at = checks + CHECK_BYTES * number
        yield FilePart(
            levels[number], memories[number], lengths[number], lengths[count + number], data[at : at + CHECK_BYTES]
        )
