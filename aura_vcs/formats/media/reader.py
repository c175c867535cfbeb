"""A media file as bytes that are read here and there, and what such reading finds out."""

from typing import Protocol

from msgspec import Struct

READS_LIMIT = 400
"""Reads of a few bytes to some KB that one file may cost."""


class MediaHeader(Struct, frozen=True, omit_defaults=True):
    """What a file says about itself; what it does not say is absent.

    `kind` is "picture", "sound" or "video"; `format` a short name such as "png" or "mp4". Sizes
    are pixels, `seconds` the length, `rate` samples per second, `codecs` four-letter names.
    """

    kind: str
    format: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    bits: int | None = None
    frames_per_second: float | None = None
    codecs: tuple[str, ...] = ()


class HeaderSource(Protocol):
    """Bytes that can be read anywhere: a file opened for reading, or `io.BytesIO`."""

    def read(self, size: int, /) -> bytes:
        """Read at most `size` bytes from here on."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position; gives the position."""


class NothingMoreError(Exception):
    """The file ends here, or has cost enough: what is known so far is the answer."""


class HeaderReader:
    """Bounded reading of a source. Raises `NothingMoreError` past the end or the budget."""

    def __init__(self, source: HeaderSource) -> None:
        self._source = source
        self._left = READS_LIMIT
        self.size = source.seek(0, 2)
        self.head = self.some(0, 64)

    def at(self, position: int, count: int) -> bytes:
        """Read exactly `count` bytes (at most 64 KiB) from `position`."""
        self._left -= 1
        if self._left < 0 or position < 0 or count > 65_536 or position + count > self.size:
            raise NothingMoreError
        self._source.seek(position)
        data = self._source.read(count)
        if len(data) != count:
            raise NothingMoreError
        return data

    def some(self, position: int, count: int) -> bytes:
        """Read up to `count` bytes from `position`, fewer at the end."""
        return self.at(position, max(0, min(count, self.size - position)))
