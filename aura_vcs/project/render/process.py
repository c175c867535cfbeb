"""What the process that renders says, while it works: reports, one a line; see `media/process.py`.

It has a limit of memory, and of processor time (for a look) or of time without progress (for a render).
"""

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors import ExtraMissing
from aura_vcs.errors.documents import ExportFailed
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.media.build_entries import can_look_into
from aura_vcs.media.process import can_start, media_process, why_it_ended
from aura_vcs.progress import SILENT, Progress
from aura_vcs.project.render.job import WorkerReport, WorkerRequest

POLL_SECONDS = 0.1
"""How soon a wish to cancel is noticed."""
_MAX_LINE_BYTES = 64 * 1024
_MODULE = "aura_vcs.project.render.worker"


class WorkerDied(Exception):
    """The process ended without a last word: a crash, or a limit."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require_media(purpose: str) -> None:
    """Check that the extra `media` is installed, without importing it.

    Raises:
        ExtraMissing: PyAV or Pillow is not there.
    """
    if not can_look_into():
        raise ExtraMissing(purpose, "media")


def copy_for_worker(
    source: ContentSource,
    name: str,
    folder: Path,
    number: int,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Progress = SILENT,
) -> Path | None:
    """Copy a media file to `folder`, where the process can seek in it; return None if cancelled on the way.

    The copy has a name of our own: what people call their files never reaches FFmpeg. `progress`
    advances by bytes.

    Raises:
        AuraError: the source cannot give the content.
        OSError: the copy cannot be written.
    """
    suffix = "".join(c for c in PurePosixPath(name).suffix if c.isascii() and (c.isalnum() or c == "."))
    target = folder / f"{number:05d}{suffix[:10]}"
    with target.open("xb") as out:
        for data in source.pieces(name):
            if cancelled():
                return None
            out.write(data)
            progress.advance(len(data))
    return target


def run_worker(
    request: WorkerRequest,
    *,
    stall_seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
    environment: Mapping[str, str] | None = None,
) -> Generator[WorkerReport]:
    """Start the process and yield what it reports, up to its last word.

    `environment` is all that it gets of one: a decoder that is taken over finds no keys there.

    The process is gone when the generator is exhausted or closed (use `contextlib.closing`);
    when `cancelled()` turns true it is ended and the generator stops without a last word.

    Raises:
        WorkerDied: it crashed, went beyond its memory or processor time, or said nothing for
            `stall_seconds`.
        ExportFailed: no Python to start.
    """
    if not can_start():
        raise ExportFailed("media cannot be decoded: this program has no Python executable to start")
    with media_process(_MODULE, msgspec.json.encode(request), environment=environment) as process:
        assert process.stdout is not None
        yield from _reports(process, _reader(process.stdout), stall_seconds, cancelled)


def _reports(
    process: subprocess.Popen[bytes],
    lines: "queue.Queue[bytes]",
    stall_seconds: float,
    cancelled: Callable[[], bool],
) -> Generator[WorkerReport]:
    heard = time.monotonic()
    while not cancelled():
        try:
            line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            if time.monotonic() - heard > stall_seconds:
                raise WorkerDied(f"it took longer than {stall_seconds:.0f} s without getting anywhere") from None
            continue
        heard = time.monotonic()
        if not line:
            raise WorkerDied(why_it_ended(process.wait()))
        try:
            report = decode_json(line, WorkerReport)
        except msgspec.MsgspecError as error:
            raise WorkerDied("the decoder wrote nonsense") from error
        yield report
        if report.kind in ("failed", "rendered", "probed"):
            return


def _reader(pipe: IO[bytes]) -> "queue.Queue[bytes]":
    """Queue the lines of the pipe as they come; an empty one at its end."""
    lines: queue.Queue[bytes] = queue.Queue(maxsize=1000)

    def read() -> None:
        try:
            for line in iter(lambda: pipe.readline(_MAX_LINE_BYTES), b""):
                lines.put(line, timeout=60)
            lines.put(b"", timeout=60)
        except (OSError, ValueError, queue.Full):
            return

    threading.Thread(target=read, daemon=True).start()
    return lines
