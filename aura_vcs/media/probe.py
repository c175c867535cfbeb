"""Looking into media files and comparing two of them, safely.

Headers are read here, in this process (`formats.media.headers`); everything that needs a codec happens
in a process of its own (`media.worker`) that inherits no environment and has limits.
"""

import sys
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.formats.media.describe import describe, diff_lines
from aura_vcs.formats.media.findings import DecodeLimits, MediaAnswer, MediaDiff, MediaFacts, MediaRequest, PictureKind
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import MediaHeader

if TYPE_CHECKING:
    from aura_vcs.media.process import Started

LIMITS = DecodeLimits()


def can_look_into() -> bool:
    """Tell whether the optional part `media` is installed."""
    return all(find_spec(name) is not None for name in ("av", "PIL", "numpy"))


def read_media_header(path: Path) -> MediaHeader | None:
    """Read the facts in the file's header, without any codec; None for what is not known media.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return read_header(file)


def diff_headers(old: MediaHeader | None, new: MediaHeader | None, *, both: bool = False) -> MediaDiff:
    """Compare two headers: all that is known without the extra `media`.

    `both` says that the file is on both sides: where only one of them has a header, the other is not media.
    """
    before = None if old is None else MediaFacts(old)
    after = None if new is None else MediaFacts(new)
    if both and old is None and new is not None:
        return MediaDiff(before, after, ("was: no media", f"is now: {describe(new)}"))
    if both and new is None and old is not None:
        return MediaDiff(before, after, (f"was: {describe(old)}", "is now: no media"))
    return MediaDiff(before, after, diff_lines(before, after))


def probe_media(
    path: Path,
    *,
    thumbnails: int = 0,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
    started: "Started | None" = None,
) -> MediaFacts:
    """Look into one file: exact length, loudness, envelope, and up to so many thumbnails.

    `environment` is all the worker process gets to see; Windows needs SYSTEMROOT in it.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: the file is damaged, hostile, too large, or no media.
    """
    request = MediaRequest((str(path.absolute()),), thumbnails=thumbnails, limits=limits)
    return _ask(request, str(path), environment, started).facts[0]


def diff_media(
    old: Path,
    new: Path,
    *,
    picture: PictureKind = "",
    thumbnails: int = 0,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
    started: "Started | None" = None,
) -> MediaDiff:
    """Compare two media files.

    Pictures: size, format, how different they look, and a PNG that shows it if asked for. Sound:
    length, peak, loudness, where the waveform differs. Video: length, size, codecs, frame rate,
    where scenes differ.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: a file is damaged, hostile, too large, or no media.
    """
    paths = (str(old.absolute()), str(new.absolute()))
    request = MediaRequest(paths, picture=picture, thumbnails=thumbnails, limits=limits)
    found = _ask(request, f"{old} or {new}", environment, started)
    before, after = found.facts
    lines = diff_lines(before, after, found)
    return MediaDiff(
        before, after, lines, found.distance, found.scenes, found.sounds, found.lead, found.picture, decoded=True
    )


def one_sided(facts: MediaFacts, *, is_old: bool) -> MediaDiff:
    """Describe a file that was looked into and has no other version."""
    before, after = (facts, None) if is_old else (None, facts)
    return MediaDiff(before, after, diff_lines(before, after), decoded=True)


def _ask(
    request: MediaRequest, name: str, environment: Mapping[str, str] | None, started: "Started | None"
) -> MediaAnswer:
    if not can_look_into():
        raise ExtraMissing("Looking into media files", "media")
    if not sys.executable:
        raise MediaUnreadable(name, "this program has no Python executable to start a process with")
    data, timed_out = _run(request, environment or {}, started)
    if timed_out:
        raise MediaUnreadable(name, f"it took more than {request.limits.clock_seconds:g} s")
    if len(data) > request.limits.answer_bytes:
        raise MediaUnreadable(name, "the answer is larger than is allowed")
    try:
        found = decode_json(data, MediaAnswer)
    except msgspec.DecodeError as error:
        reason = "the decoder crashed or ran out of time or memory"
        raise MediaUnreadable(name, reason) from error
    if found.problem or len(found.facts) != len(request.paths):
        raise MediaUnreadable(name, found.problem or "nothing was found")
    return found


def _run(request: MediaRequest, environment: Mapping[str, str], started: "Started | None") -> tuple[bytes, bool]:
    """Run the worker and return its answer, and whether the clock stopped it. Never waits longer than that."""
    from aura_vcs.media.process import media_process  # only for media, and slow to import

    late = threading.Event()
    data = msgspec.json.encode(request)
    with media_process("aura_vcs.media.worker", data, environment=environment, started=started) as process:

        def stop() -> None:
            late.set()
            process.kill()

        clock = threading.Timer(request.limits.clock_seconds, stop)
        clock.start()
        try:
            assert process.stdout is not None
            return process.stdout.read(request.limits.answer_bytes + 1), late.is_set()
        finally:
            clock.cancel()
