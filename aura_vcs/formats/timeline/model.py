"""One picture of a timeline, whichever file it came from.

Times are whole ticks of 100 ns, the finest a `hh:mm:ss.fffffff` duration can say, so that two
spellings of one time compare equal and sums do not drift.
"""

import math
import re

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue

Ticks = int
TICKS_PER_SECOND = 10_000_000
LONGEST = 10**9 * TICKS_PER_SECOND
"""Thirty years: a longer time in a file is nonsense and counts as this."""

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_CLOCK = re.compile(r"(-)?(?:(\d{1,9})\.)?(\d{1,9}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?", re.ASCII)


class Clip(Struct, frozen=True):
    """Something that plays for a while: a scene, a visual asset, a clip of an editor.

    `pointer` is its place in the document, `noun` what a person calls it ("scene", "picture",
    "clip"), `number` its place from 1. `source_start` is where in its media it begins. `details`
    are other fields, name to value. `parts` are what it is made of.
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

    @property
    def label(self) -> str:
        """`Scene 3`, or what the clip is called."""
        if self.noun == "scene" or not self.name:
            return f"{self.noun.capitalize()} {self.number}"
        return shown(self.name)


class Track(Struct, frozen=True):
    """Clips that follow one another; `kind` is "scenes", "video", "audio" or what the editor says."""

    pointer: str
    name: str
    kind: str
    clips: tuple[Clip, ...]
    markers: tuple[tuple[str, str], ...] = ()
    effects: tuple[tuple[str, str], ...] = ()


class Timeline(Struct, frozen=True):
    """A timeline with its tracks; `settings` is what else the document says, as JSON."""

    tracks: tuple[Track, ...]
    settings: dict[str, JsonValue]
    duration: Ticks = 0
    name: str = ""


def shown(name: str) -> str:
    """A name for a sentence: one line, at most 80 characters."""
    line = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", name)
    return line if len(line) <= 80 else line[:79] + "…"


def seconds_to_ticks(seconds: float) -> Ticks:
    """Seconds as ticks, rounded; what is not a finite number is 0."""
    if not math.isfinite(seconds):
        return 0
    return max(-LONGEST, min(LONGEST, round(seconds * TICKS_PER_SECOND)))


def read_time(value: JsonValue) -> Ticks | None:
    """A duration as the studio writes it: `[d.]hh:mm:ss[.fffffff]` or a number of seconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return max(-LONGEST, min(LONGEST, value * TICKS_PER_SECOND))
    if isinstance(value, float):
        return seconds_to_ticks(value)
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    sign, days, hours, minutes, seconds, fraction = match.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    ticks = whole * TICKS_PER_SECOND + int((fraction or "0").ljust(7, "0")[:7])
    return max(-LONGEST, min(LONGEST, -ticks if sign else ticks))


def write_time(ticks: Ticks, like: JsonValue) -> JsonValue:
    """A time in the spelling of `like`: a clock text, whole seconds or seconds with a fraction."""
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
    """A length of time for a person: `4.5 s`, `2 min 3.25 s`, `1 h 0 min 2.0 s`."""
    sign, rest = ("-" if ticks < 0 else ""), abs(ticks)
    minutes, rest = divmod(rest, 60 * TICKS_PER_SECOND)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / TICKS_PER_SECOND:.3f}".rstrip("0")
    seconds += "0" if seconds.endswith(".") else ""
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes + hours > 0) + [f"{seconds} s"]
    return sign + " ".join(parts)
