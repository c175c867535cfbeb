"""Making what a browser can play of media that it cannot, in a process of its own."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO

import msgspec

from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.media.build_entries import can_look_into
from aura_vcs.media.process import media_process, why_it_ended
from aura_vcs.media.proxy_worker import NO_ROOM, UNREADABLE, ProxyKind, ProxyRequest

PIECE_BYTES = 1 << 20
MEMORY_BYTES = 3 << 30
CPU_SECONDS = 4 * 3600
CLOCK_SECONDS = 6 * 3600.0
PURPOSE = "Making media playable"
Watch = Callable[[float | None], None]
"""Is called several times a second with what share is done, None where nobody knows; to end the work, it raises."""


class ProxyOrder(msgspec.Struct, frozen=True):
    """What is wanted: `name` is what messages call it, `environment` all that the process gets of one."""

    name: str
    kind: ProxyKind
    most_bytes: int
    environment: Mapping[str, str] | None = None


def make_proxy(
    file: BinaryIO, order: ProxyOrder, write: Callable[[bytes], object], watch: Watch = lambda _: None
) -> None:
    """Decode a real file (with a number of the system's), and hand over the proxy piece by piece when it is complete.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: it cannot be decoded, or the proxy would be larger than it may be.
    """
    file.seek(0)
    with _target(order.name) as target:
        request = ProxyRequest(file.fileno(), target.fileno(), order.kind, MEMORY_BYTES, CPU_SECONDS, order.most_bytes)
        _make(request, order, watch)
        _hand_over(target, order.name, write)


def make_sequence_proxy(
    pictures: Iterable[BinaryIO],
    sizes: Sequence[int],
    order: ProxyOrder,
    write: Callable[[bytes], object],
    watch: Watch = lambda _: None,
) -> None:
    """Make a film of 25 pictures a second, which are read one after the other and closed; `sizes` are their bytes.

    Raises:
        ExtraMissing, MediaUnreadable: as with `make_proxy`. Whatever reading a picture raises.
    """
    problems: list[Exception] = []
    with _target(order.name) as target:
        source, sink = os.pipe()
        feeder = threading.Thread(target=_feed, args=(sink, pictures, problems), daemon=True)
        try:
            request = ProxyRequest(
                source, target.fileno(), "sequence", MEMORY_BYTES, CPU_SECONDS, order.most_bytes, tuple(sizes)
            )
            _make(request, order, watch, feeder)
        finally:
            os.close(source)
            if feeder.ident is None:
                os.close(sink)
            else:
                feeder.join()
            if problems:
                raise problems[0]
        _hand_over(target, order.name, write)


@contextmanager
def _target(name: str) -> Iterator[IO[bytes]]:
    """Make a file without a name that another process can write to."""
    if not can_look_into():
        raise ExtraMissing(PURPOSE, "media")
    if os.name == "nt":
        raise MediaUnreadable(name, "on this system it can only be played where it is")
    with tempfile.TemporaryFile(prefix="aura-proxy-") as target:
        yield target


def _make(request: ProxyRequest, order: ProxyOrder, watch: Watch, feeder: threading.Thread | None = None) -> None:
    ends = time.monotonic() + CLOCK_SECONDS
    with media_process(
        "aura_vcs.media.proxy_worker",
        msgspec.json.encode(request),
        environment=order.environment,
        files=(request.file, request.target),
    ) as process:
        assert process.stdout is not None
        if feeder is not None:
            feeder.start()
        while line := process.stdout.readline(80):
            watch(float(line) / 100 if line.strip().isdigit() else None)
            if time.monotonic() > ends:
                raise MediaUnreadable(order.name, "it takes too long")
        code = process.wait()
    if code == NO_ROOM:
        reason = f"there is no room for what would be played, at most {request.most_bytes:,} bytes"
        raise MediaUnreadable(order.name, reason)
    if code:
        reason = "nothing in it can be decoded" if code == UNREADABLE else why_it_ended(code)
        raise MediaUnreadable(order.name, reason)


def _hand_over(target: IO[bytes], name: str, write: Callable[[bytes], object]) -> None:
    target.seek(0)
    written = 0
    while piece := target.read(PIECE_BYTES):
        write(piece)
        written += len(piece)
    if not written:
        raise MediaUnreadable(name, "nothing in it can be decoded")


def _feed(sink: int, pictures: Iterable[BinaryIO], problems: list[Exception]) -> None:
    """Write pictures into a pipe, until nobody reads any more."""
    with open(sink, "wb") as pipe, suppress(BrokenPipeError):
        try:
            for picture in pictures:
                with picture:
                    while piece := picture.read(PIECE_BYTES):
                        pipe.write(piece)
        except BrokenPipeError:
            raise
        except Exception as error:  # told to whoever waits for the film
            problems.append(error)
