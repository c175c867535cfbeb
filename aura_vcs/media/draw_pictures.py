"""Drawing how two pictures differ, in a process of its own that inherits no environment and has limits."""

import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits, MediaAnswer, MediaRequest, PictureKind
from aura_vcs.media.build_entries import can_look_into
from aura_vcs.media.process import media_process

LIMITS = DecodeLimits()


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
