"""The protocol between `aura` and `aura serve --stdio`: how requests and answers lie on a pipe.

Both sides begin with MAGIC. Then come frames: four bytes of length, big-endian, and so many bytes
of msgpack. A request is answered by one frame, in order. A request that carries a file is followed
by frames with its pieces and one empty frame. Nothing longer than FRAME_LIMIT is ever read.

A file whose `length` the request names is gone on with: the serving side answers first with how much
of it is there and the hash of that, or an error; the other side says `create` again, with the `offset`
from which the pieces come: there, or 0 if the hash is not that of its own beginning. Only asked of
those whose Hello has GOES_ON among its features.
"""

from typing import Any, BinaryIO

import msgspec

from aura_vcs.codec import decode_packed
from aura_vcs.errors.integrity import RecordCorrupt

MAGIC = b"AURASYNC"
PROTOCOL = 1
FRAME_LIMIT = 80 << 20
PIECE_BYTES = 4 << 20
SENT_BYTES = 256 << 10
"""A piece of a file that is sent: so much at most is lost with a line, besides what is on its way."""
GOES_ON = "create-goes-on"
VERBS = ("load", "read_range", "size", "list", "create", "swap", "delete")


class Hello(msgspec.Struct, frozen=True):
    """What the serving side says first."""

    protocol: int
    aura: str
    features: tuple[str, ...] = ()


class SshRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request; which fields count is the verb's matter."""

    verb: str
    name: str
    offset: int = 0
    length: int = 0
    data: bytes = b""
    token: str | None = None


class SshAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer; `error` is a word for what went wrong, with the message and its parts beside it."""

    data: bytes | None = None
    token: str | None = None
    size: int | None = None
    entries: list[tuple[str, int]] | None = None
    error: str | None = None
    message: str = ""
    hint: str = ""


def write_frame(stream: BinaryIO, message: Any) -> None:
    """Send a message; the caller flushes."""
    write_bytes(stream, msgspec.msgpack.encode(message))


def write_bytes(stream: BinaryIO, data: bytes) -> None:
    """Send a frame of plain bytes; an empty one ends a file."""
    stream.write(len(data).to_bytes(4, "big"))
    stream.write(data)


def read_bytes(stream: BinaryIO) -> bytes:
    """Read the next frame.

    Raises:
        EOFError: the other side has gone.
        RecordCorrupt: it claims to be longer than any frame.
    """
    length = int.from_bytes(read_exactly(stream, 4), "big")
    if length > FRAME_LIMIT:
        raise RecordCorrupt("the connection", f"a frame of {length:,} bytes")
    return read_exactly(stream, length)


def decode(data: bytes, shape: type[Any]) -> Any:
    """Decode the message in a frame.

    Raises:
        RecordCorrupt: it is no such message.
    """
    try:
        return decode_packed(data, shape)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise RecordCorrupt("the connection", str(error)) from error


def read_exactly(stream: BinaryIO, length: int) -> bytes:
    """Read exactly so many bytes.

    Raises:
        EOFError: there are fewer.
    """
    pieces, left = [], length
    while left:
        data = stream.read(left)
        if not data:
            raise EOFError("the other side has gone")
        pieces.append(data)
        left -= len(data)
    return b"".join(pieces)
