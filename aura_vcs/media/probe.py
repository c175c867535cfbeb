"""Looking into media files and comparing two of them, safely, without an index.

Headers are read here, in this process (`formats.media.headers`); everything that needs a codec happens in a process
of its own (`build_entries`, `worker`) that inherits no environment and has limits.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.compare.media.entries import compare_entries, facts_of
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits, MediaAnswer, MediaDiff, MediaFacts, MediaRequest, PictureKind
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.index_entry import MediaEntry, read_entry
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.media.build_entries import FileToIndex, build_entries, can_look_into, processors
from aura_vcs.media.process import media_process

LIMITS = DecodeLimits()


def read_media_header(path: Path) -> MediaHeader | None:
    """Read the facts in the file's header, without any codec; None for what is not known media.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return read_header(file)


def probe_media(
    path: Path,
    *,
    thumbnails: bool = False,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
) -> MediaFacts:
    """Look into one file, every frame and sample of it; with `thumbnails`, also what a person sees of it.

    `environment` is all the worker process gets to see; Windows needs SYSTEMROOT in it.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: the file is damaged, hostile, too large, or no media.
    """
    (entry,) = _entries([path], limits, environment)
    return facts_of(entry, thumbnails=thumbnails)


def diff_media(
    old: Path,
    new: Path,
    *,
    thumbnails: bool = False,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
) -> MediaDiff:
    """Compare two media files that are in no index: every frame and sample of both.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: a file is damaged, hostile, too large, or no media.
    """
    before, after = _entries([old, new], limits, environment)
    return compare_entries(before, after, thumbnails=thumbnails)


def _entries(paths: Sequence[Path], limits: DecodeLimits, environment: Mapping[str, str] | None) -> list[MediaEntry]:
    """Look at files.

    Raises:
        ExtraMissing, MediaUnreadable.
    """
    found = []
    with ExitStack() as stack:
        files = [FileToIndex(stack.enter_context(path.open("rb")), str(n), str(path)) for n, path in enumerate(paths)]
        for one, result in build_entries(files, limits=limits, threads=processors(), environment=environment):
            if not isinstance(result, bytes):
                raise result
            entry = read_entry(result, one.content)
            if entry.head.problem:
                raise MediaUnreadable(one.name, entry.head.problem)
            found.append(entry)
    return found


def draw_pictures(
    old: Path,
    new: Path,
    kind: PictureKind,
    *,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """Draw as a PNG file how two pictures differ.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: one is no picture, or damaged, hostile, too large.
    """
    if not can_look_into():
        raise ExtraMissing("Looking into media files", "media")
    request = MediaRequest((str(old.absolute()), str(new.absolute())), kind, limits)
    data, timed_out = _run(request, environment or {})
    name = f"{old} or {new}"
    if timed_out:
        raise MediaUnreadable(name, f"it took more than {limits.clock_seconds:g} s")
    try:
        found = decode_json(data, MediaAnswer)
    except msgspec.DecodeError as error:
        raise MediaUnreadable(name, "the decoder crashed or ran out of time or memory") from error
    if found.problem or not found.picture:
        raise MediaUnreadable(name, found.problem or "nothing was drawn")
    return found.picture


def _run(request: MediaRequest, environment: Mapping[str, str]) -> tuple[bytes, bool]:
    """Run the worker and return its answer, and whether the clock stopped it. Never waits longer than that."""
    late = threading.Event()
    with media_process("aura_vcs.media.worker", msgspec.json.encode(request), environment=environment) as process:

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
