"""One picture of a timeline, whichever file it came from.

Times are whole ticks of 100 ns, the finest a `hh:mm:ss.fffffff` duration can say, so that two
spellings of one time compare equal and sums do not drift.
"""

import math
import re
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue

Ticks = int
TICKS_PER_SECOND = 10_000_000
LONGEST = 10**9 * TICKS_PER_SECOND
"""Thirty years: a longer time in a file is nonsense and counts as this."""

_CONTROL = "[\x00-\x1f\x7f]"
_CLOCK = r"(?a)(-)?(?:(\d{1,9})\.)?(\d{1,9}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?"


MediaKind = Literal["file", "proxy", "sequence", "generator", "title", "data"]


OF_MEDIA = "media "
"""Before the path of media, or its name where it has none, in the names of parts that are not looked into."""


class MediaReference(Struct, frozen=True, omit_defaults=True):
    """Something that a project plays, as its file names it.

    `path` is what is written, with nothing done to it but that escapes are undone; it is "" for what lies in no file.
    `kind` is "file", "proxy" (the path of a smaller copy; what it stands for has a reference of its own), "sequence",
    "generator", "title" or "data" (a mask, a LUT, a font). `start` and `end` are where the path stands in the bytes of
    the project file (of its content, where that is packed), written as `writing` says; both 0 where it is nowhere as a
    whole, and in JSON, where `pointer` says the place. `folder` is what relative paths go from, as the file says, ""
    for the folder that it lies in. `identity` is what the editor knows the media by, `digest` its checksum as
    `name:hex`, `size` its bytes, as the file has them.
    """

    path: str
    kind: MediaKind = "file"
    name: str = ""
    identity: str = ""
    folder: str = ""
    is_absolute: bool = False
    size: int = -1
    digest: str = ""
    start: int = 0
    end: int = 0
    writing: Literal["", "xml", "xml-url", "json", "plain", "quoted"] = ""
    pointer: str = ""
    prefix: str = ""
    """What stands in front of the path in the same value, such as the speed `2.5:` of MLT."""


CLIPS_LIMIT = 1_000_000
"""Clips of the largest project that is read."""


class ReadingLimitExceeded(ValueError):
    """A project is larger than is read: nothing of it is, rather than a part. Its text says by what."""


def check_clip_count(count: int) -> None:
    """Check that no more than CLIPS_LIMIT clips have been read.

    Raises:
        ReadingLimitExceeded: they are more.
    """
    if count > CLIPS_LIMIT:
        raise ReadingLimitExceeded(f"it has more than {CLIPS_LIMIT:,} clips")


class Clip(Struct, frozen=True):
    """Something that plays for a while: a scene, a visual asset, a clip of an editor.

    `pointer` is its place in the document, `noun` what a person calls it ("scene", "picture",
    "clip"), `number` its place from 1. `source_start` is where in its media it begins. `details`
    are other fields, name to value. `parts` are what it is made of. `reference` is the place of what it plays among
    the timeline's media, -1 for none. `other` stands for what is not looked into: it is equal where that is equal.
    """

    pointer: str
    noun: str
    number: int
    name: str = ""
    identity: str = ""
    media: str = ""
    source_start: Ticks | None = None
    start: Ticks = 0
    duration: Ticks = 0
    speed: float = 1.0
    text: str = ""
    transition: str = ""
    effects: tuple[tuple[str, str], ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    parts: tuple["Clip", ...] = ()
    reference: int = -1
    other: str = ""

    @property
    def label(self) -> str:
        """`Scene 3`, or what the clip is called."""
        if self.noun == "scene" or not self.name:
            return f"{self.noun.capitalize()} {self.number}"
        return shown(self.name)


class Track(Struct, frozen=True):
    """Clips that follow one another; `kind` is "scenes", "video", "audio" or what the editor says.

    `sequence` is the name of the nested sequence that the track is in, "" for the main one. `details` are other fields,
    such as whether it is muted, hidden or locked. `identity` is what the editor knows it by.
    """

    pointer: str
    name: str
    kind: str
    clips: tuple[Clip, ...]
    markers: tuple[tuple[str, str], ...] = ()
    effects: tuple[tuple[str, str], ...] = ()
    sequence: str = ""
    identity: str = ""
    details: tuple[tuple[str, str], ...] = ()


class Timeline(Struct, frozen=True):
    """A timeline with its tracks; `settings` is what else the document says, as JSON.

    Tracks of nested sequences follow those of the main one. `rate` is frames per second as a fraction, (0, 1) where
    the file does not say; `start` is the timecode of the first frame. `media` is what the project plays, also what no
    clip uses. `markers` are those of the whole (guides). `other` are fingerprints of parts that are not looked into, by
    their names; `noise` likewise of what changes by looking at a project (the playhead, the zoom of a window).
    """

    tracks: tuple[Track, ...]
    settings: dict[str, JsonValue]
    duration: Ticks = 0
    name: str = ""
    format: str = ""
    rate: tuple[int, int] = (0, 1)
    is_drop_frame: bool = False
    start: Ticks = 0
    media: tuple[MediaReference, ...] = ()
    markers: tuple[tuple[str, str], ...] = ()
    other: dict[str, str] = {}
    noise: dict[str, str] = {}


def shown(name: str) -> str:
    """Write a name for a sentence: one line, at most 80 characters."""
    line = re.sub(_CONTROL, "\N{REPLACEMENT CHARACTER}", name)
    return line if len(line) <= 80 else line[:79] + "…"


def seconds_to_ticks(seconds: float) -> Ticks:
    """Convert seconds to ticks, rounded; what is not a finite number is 0."""
    if not math.isfinite(seconds):
        return 0
    return max(-LONGEST, min(LONGEST, round(seconds * TICKS_PER_SECOND)))


def read_time(value: JsonValue) -> Ticks | None:
    """Read a duration as the studio writes it: `[d.]hh:mm:ss[.fffffff]` or a number of seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return max(-LONGEST, min(LONGEST, value * TICKS_PER_SECOND))
    if isinstance(value, float):
        return seconds_to_ticks(value)
    match = re.fullmatch(_CLOCK, value) if isinstance(value, str) else None
    if match is None:
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    ticks = whole * TICKS_PER_SECOND + int((fraction or "0").ljust(7, "0")[:7])
    return max(-LONGEST, min(LONGEST, -ticks if sign else ticks))


def write_time(ticks: Ticks, like: JsonValue) -> JsonValue:
    """Write a time in the spelling of `like`: a clock text, whole seconds or seconds with a fraction."""
    if isinstance(like, str):
        seconds, fraction = divmod(abs(ticks), TICKS_PER_SECOND)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        sign = "-" if ticks < 0 else ""
        digits = len(like.rpartition(".")[2]) if "." in like.rpartition(":")[2] else 0
        shown = f"{fraction:07d}"
        shown = shown[: max(digits, len(shown.rstrip("0")))]
        return f"{sign}{hours:02d}:{minutes:02d}:{seconds:02d}" + (f".{shown}" if shown else "")
    if ticks % TICKS_PER_SECOND == 0 and isinstance(like, int):
        return ticks // TICKS_PER_SECOND
    return ticks / TICKS_PER_SECOND


def spoken(ticks: Ticks) -> str:
    """Write a length of time for a person: `4.5 s`, `2 min 3.25 s`, `1 h 0 min 2.0 s`."""
    sign, rest = ("-" if ticks < 0 else ""), abs(ticks)
    minutes, rest = divmod(rest, 60 * TICKS_PER_SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / TICKS_PER_SECOND:.3f}".rstrip("0")
    seconds += "0" if seconds.endswith(".") else ""
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes + hours > 0) + [f"{seconds} s"]
    return sign + " ".join(parts)


def is_absolute(path: str) -> bool:
    """Tell whether a path is absolute, on any system."""
    return path.startswith(("/", "\\")) or (len(path) > 2 and path[1] == ":" and path[2] in "/\\") or "://" in path


def path_of_address(written: str) -> str:
    """Return the path that an address of a file says, without its escapes: `C:/…` on a drive, `//…` on a server."""
    if not written.startswith("file://"):
        return unquote(written)
    host, slash, rest = written[7:].partition("/")
    path = unquote(slash + rest)
    if host not in ("", "localhost"):
        return f"//{unquote(host)}{path}"
    return path[1:] if path[2:3] == ":" and path[1:2].isalpha() and path[3:4] in ("/", "\\") else path
