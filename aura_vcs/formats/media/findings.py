"""What is known about a media file and about the difference of two, as plain data."""

from typing import Literal

from msgspec import Struct

from aura_vcs.formats.media.reader import MediaHeader

PictureKind = Literal["", "side_by_side", "heat_map"]
Stretches = tuple[tuple[float, float], ...]
"""(start, end) in seconds, in order."""

STRIP_FRAMES = 6
"""Thumbnails of a video in a report, evenly spread: the first in the middle of the first sixth."""


class DecodeLimits(Struct, frozen=True):
    """What looking into files may cost.

    `seconds` are of the processor, so that a busy machine changes no answer; `clock_seconds` is
    when a process that hangs is ended. Memory is the address space of the process.
    """

    seconds: float = 30.0
    clock_seconds: float = 120.0
    memory_bytes: int = 3 * 2**30
    answer_bytes: int = 64 * 2**20
    pixels: int = 120_000_000
    sound_seconds: float = 1_800.0


class MediaFacts(Struct, frozen=True, omit_defaults=True):
    """A media file looked into.

    `peak_db` and `loudness_lufs` are relative to full scale (EBU R 128). `envelope` are peaks
    from 0 to 100, evenly spread over the sound. `thumbnails` are PNG files, one for a picture,
    several for a video. `partial` says that only the beginning was looked at.
    """

    header: MediaHeader
    peak_db: float | None = None
    loudness_lufs: float | None = None
    envelope: tuple[int, ...] = ()
    thumbnails: tuple[bytes, ...] = ()
    partial: bool = False


class MediaDiff(Struct, frozen=True, omit_defaults=True):
    """Two versions of a media file compared.

    `distance` is 0 for pictures that look the same up to 1 for nothing in common. `scenes` and
    `sounds` are stretches in seconds of the new version where the pictures of a video or what is heard differ.
    `lead` is how many seconds of sound were put before the beginning, negative for cut from it.
    `picture` is a PNG file, if asked for. `decoded` says that more than headers was compared,
    `problem` why it was not although it was tried.
    """

    old: MediaFacts | None
    new: MediaFacts | None
    lines: tuple[str, ...]
    distance: float | None = None
    scenes: Stretches = ()
    sounds: Stretches = ()
    lead: float = 0.0
    picture: bytes = b""
    decoded: bool = False
    problem: str = ""


class MediaRequest(Struct, frozen=True):
    """What the worker process is asked: one file looked into, or two compared."""

    paths: tuple[str, ...]
    picture: PictureKind = ""
    thumbnails: int = 0
    limits: DecodeLimits = DecodeLimits()


class MediaAnswer(Struct, frozen=True, omit_defaults=True):
    """What the worker process answers: facts for each path, or why there are none."""

    facts: tuple[MediaFacts, ...] = ()
    distance: float | None = None
    scenes: Stretches = ()
    sounds: Stretches = ()
    lead: float = 0.0
    picture: bytes = b""
    problem: str = ""
