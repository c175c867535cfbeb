"""Making what a browser can play of media that it cannot, in a process of its own."""

import os
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO, Literal

import msgspec

from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.media.build_entries import can_look_into
from aura_vcs.media.process import media_process, why_it_ended
from aura_vcs.media.proxy_worker import UNREADABLE, ProxyRequest

PIECE_BYTES = 1 << 18
MEMORY_BYTES = 3 << 30
CPU_SECONDS = 4 * 3600
CLOCK_SECONDS = 6 * 3600.0


def make_proxy(
    file: BinaryIO,
    name: str,
    kind: Literal["picture", "sound", "video"],
    write: Callable[[bytes], object],
    *,
    most_bytes: int,
    environment: Mapping[str, str] | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Decode a real file (with a number of the system's), and hand over the proxy piece by piece.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: it cannot be decoded, the proxy would be larger than `most_bytes`, or it was stopped.
    """
    if not can_look_into():
        raise ExtraMissing("Making media playable", "media")
    request = msgspec.json.encode(ProxyRequest(file.fileno(), kind, MEMORY_BYTES, CPU_SECONDS))
    file.seek(0)
    ends, written = time.monotonic() + CLOCK_SECONDS, 0
    with media_process(
        "aura_vcs.media.proxy_worker", request, environment=environment, files=(file.fileno(),)
    ) as process:
        assert process.stdout is not None
        while piece := os.read(process.stdout.fileno(), PIECE_BYTES):
            written += len(piece)
            if is_stopped() or written > most_bytes or time.monotonic() > ends:
                raise MediaUnreadable(name, "its proxy takes too much room or time, or was stopped")
            write(piece)
        code = process.wait()
    if code or not written:
        raise MediaUnreadable(name, "it cannot be decoded" if code == UNREADABLE else why_it_ended(code))
