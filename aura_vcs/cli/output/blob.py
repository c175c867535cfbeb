"""Content of files on its way out: to a pipe as it is, to a terminal only as harmless text."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aura_vcs.cli.output.console import Console, Line, faint, is_terminal
from aura_vcs.errors import OutputLost

SHOWN_BYTES = 1 << 20
"""So much of a text is shown on a terminal."""


def write_content(console: Console, pieces: Iterable[bytes], name: str) -> None:
    """Write the bytes to stdout; on a terminal only if they are text, escaped line by line.

    Raises:
        ObjectCorrupt: noticed when the last piece has been read, so what was written is not to be used.
    """
    if not is_terminal(sys.stdout):
        _copy(pieces)
        return
    start = b""
    for piece in pieces:
        start += piece
        if len(start) > SHOWN_BYTES:
            break
    if b"\0" in start[:8000]:
        console.note(f"This is not text. Write it to a file: aura show {name} > FILE")
        return
    console.lines(_text_lines(start), paged=True)


def _copy(pieces: Iterable[bytes]) -> None:
    """Copy every byte as it is. Where stdout was closed before the start, they are only verified."""
    stream = None
    if sys.stdout is not None:
        sys.stdout.flush()
        stream = sys.stdout.buffer
    for piece in pieces:
        if stream is not None:
            with lost_output():
                stream.write(piece)
    if stream is not None:
        with lost_output():
            stream.flush()


@contextmanager
def lost_output() -> Iterator[None]:
    """Tell a disk that refuses what is written to stdout from every other one.

    Raises:
        OutputLost: it refuses.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLost(error.strerror or str(error)) from error


def _text_lines(data: bytes) -> Iterator[Line]:
    text = data[:SHOWN_BYTES].decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        yield [line.expandtabs(4)]
    if len(data) > SHOWN_BYTES:
        yield [faint("… and more; write it to a file to see all of it")]
