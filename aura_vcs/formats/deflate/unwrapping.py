"""Taking deflate streams out of a file so that the file comes back byte for byte, and putting them back.

A file becomes *parts*, one behind the other: bytes as they are, and the content of streams with the level and
memLevel with which `pinned` writes each stream again. Nothing is taken out before the pinned algorithm has
written exactly its bytes: what the installed zlib does is only the quick way, looked at each time.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from blake3 import blake3

from aura_vcs.formats.deflate.containers import DeflateStream, inflated, is_quick, streams_in
from aura_vcs.formats.deflate.pinned import LEVELS, MEMORY_LEVELS, TooMuchWork, deflate

CONTENT_LIMIT = 192 << 20
"""Bytes of content of the largest file or stream that is taken apart.

Writing that again takes three seconds, and a minute where another zlib is installed.
"""
LEAST_CONTENT = 512
"""A smaller stream is left as it is."""
MOST_FAILURES = 3
FAILURE_BYTES = 4 << 20
"""After so many streams of a file that nothing writes again, or a large one, the rest is left as it is."""
CHECK_BYTES = 8
NO_CHECK = bytes(CHECK_BYTES)
_TRIED = ((6, 8), (9, 8), (1, 8), (5, 8), (7, 8), (8, 8), (4, 8), (3, 8), (2, 8), (6, 9), (9, 9), (1, 9))
_PIECE_BYTES = 64 << 10
_PINNED_VERSIONS = frozenset({"1.2.11", "1.2.12", "1.2.13", "1.3", "1.3.1"})

Parameters = tuple[int, int]


class FilePart(NamedTuple):
    """A run of a file: bytes as they are (`level` 0), or a stream's content and how the stream is written again.

    `wrapped` counts the bytes in the file, `content` what it holds; `check` begins the BLAKE3 of the former.
    """

    level: int
    memory: int
    wrapped: int
    content: int
    check: bytes


class Unwrapped(NamedTuple):
    """A file that was taken apart: its parts, and what they hold, one behind the other."""

    parts: tuple[FilePart, ...]
    content: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Return the bytes of the content."""
        return sum(part.content for part in self.parts)


class NotRebuilt(ValueError):
    """What a part says is not what comes out."""


def as_it_is(data: bytes) -> Unwrapped:
    """Take a file as one part."""
    return Unwrapped((FilePart(0, 0, len(data), len(data), NO_CHECK),), (data,)) if data else Unwrapped((), ())


def unwrap(data: bytes, limit: int = CONTENT_LIMIT) -> Unwrapped | None:
    """Take a gzip file or ZIP archive apart; None if nothing in it can be written again byte for byte.

    At most `limit` bytes of content are looked at. A stream is tried with twelve settings at most, each
    up to the first block that differs.
    """
    parts: list[FilePart] = []
    content: list[bytes] = []
    at, failures, last = 0, 0, _TRIED[0]
    for stream in streams_in(data, limit):
        if failures >= MOST_FAILURES:
            break
        if len(stream.content) < LEAST_CONTENT:
            continue
        wrapped = data[stream.start : stream.end]
        found = find_parameters(stream, wrapped, last)
        if found is None:
            failures += 1 + len(stream.content) // FAILURE_BYTES
            continue
        last = found
        before = as_it_is(data[at : stream.start])
        parts += (*before.parts, FilePart(*found, len(wrapped), len(stream.content), check_of(wrapped)))
        content += (*before.content, stream.content)
        at = stream.end
    if not parts:
        return None
    rest = as_it_is(data[at:])
    return Unwrapped((*parts, *rest.parts), (*content, *rest.content))


def unwrap_stream(data: bytes, limit: int = CONTENT_LIMIT) -> Unwrapped | None:
    """Take a stream apart that has no container around it; None as `unwrap`."""
    content = inflated(data, limit + 1)
    if content is None or len(content) < LEAST_CONTENT:
        return None
    found = find_parameters(DeflateStream(0, len(data), content), data)
    return (
        None if found is None else Unwrapped((FilePart(*found, len(data), len(content), check_of(data)),), (content,))
    )


def take_apart(data: bytes, parts: Sequence[FilePart]) -> Unwrapped:
    """Take a file apart once more, by the parts that `unwrap` found in it.

    Raises:
        NotRebuilt: it is another file.
    """
    content, at = [], 0
    for part in parts:
        piece = data[at : at + part.wrapped]
        at += part.wrapped
        if part.level:
            found = inflated(piece, part.content + 1)
            piece = found if found is not None else b""
        content.append(piece)
        if len(piece) != part.content:
            raise NotRebuilt("the file is not the one that was taken apart")
    return Unwrapped(tuple(parts), tuple(content))


def find_parameters(stream: DeflateStream, wrapped: bytes, first: Parameters = _TRIED[0]) -> Parameters | None:
    """Find level and memLevel with which the pinned algorithm writes exactly the stream; `first` is tried first.

    None for a large stream that shrank little, too: nobody waits for its proof.
    """
    if not is_quick(len(wrapped), len(stream.content)):
        return None
    write = _installed_pieces if is_pinned_version(zlib.ZLIB_RUNTIME_VERSION) else deflate
    for level, memory in dict.fromkeys((first, *_TRIED)):
        if _is_written(write(stream.content, level, memory), wrapped):
            return (level, memory) if _is_proven(stream.content, level, memory, wrapped) else None
    return None


def rebuild(part: FilePart, content: bytes) -> bytes:
    """Write the bytes of a part again.

    Raises:
        NotRebuilt: they cannot be what the part says.
    """
    if not part.level:
        return content
    made = installed_deflate(content, part.level, part.memory)
    if _fits(made, part):
        return made
    try:
        made = b"".join(deflate(content, part.level, part.memory))
    except TooMuchWork as error:
        raise NotRebuilt(str(error)) from error
    if not _fits(made, part):
        raise NotRebuilt("a stream does not come back as it was")
    return made


def check_parts(parts: Iterable[FilePart]) -> None:
    """Check that parts are such as `unwrap` makes.

    Raises:
        NotRebuilt: one is not.
    """
    for part in parts:
        is_plain = part.level == part.memory == 0 and part.wrapped == part.content and part.check == NO_CHECK
        if not part.wrapped or not (is_plain or (part.level in LEVELS and part.memory in MEMORY_LEVELS)):
            raise NotRebuilt(f"a part says the impossible: level {part.level}, memory {part.memory}")


def check_of(wrapped: bytes) -> bytes:
    """Return the beginning of the bytes' hash."""
    return blake3(wrapped).digest(CHECK_BYTES)


def installed_deflate(content: bytes, level: int, memory: int) -> bytes:
    """Write a raw stream with the zlib that is installed."""
    machine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
    return machine.compress(content) + machine.flush()


@cache
def is_pinned_version(version: str) -> bool:
    """Tell whether a zlib of this version writes what the pinned algorithm writes, as far as it says so itself."""
    return version in _PINNED_VERSIONS


def _installed_pieces(content: bytes, level: int, memory: int) -> Iterator[bytes]:
    machine = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
    for at in range(0, len(content), _PIECE_BYTES):
        yield machine.compress(content[at : at + _PIECE_BYTES])
    yield machine.flush()


def _is_proven(content: bytes, level: int, memory: int, wrapped: bytes) -> bool:
    try:
        return _is_written(deflate(content, level, memory), wrapped)
    except TooMuchWork:
        return False


def _is_written(pieces: Iterator[bytes], wrapped: bytes) -> bool:
    """Tell whether the pieces are the bytes; ends where they differ."""
    at = 0
    for piece in pieces:
        if not wrapped.startswith(piece, at):
            return False
        at += len(piece)
    return at == len(wrapped)


def _fits(made: bytes, part: FilePart) -> bool:
    return len(made) == part.wrapped and check_of(made) == part.check
