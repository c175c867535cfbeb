"""What a note is about, as a person writes it: `v3:cut.mp4@0:12-0:15`, `poster.png@10%,20%,30%x40%`, `a.json@/title`.

A place begins at an `@`; what cannot be read as one belongs to the file's name. Several places may follow one another:
a stretch of time and a region of its picture.
"""

import math
import re
from typing import Any

import msgspec

from aura_vcs.codec import convert
from aura_vcs.errors.input import InvalidTarget
from aura_vcs.ids import ObjectId, VersionId

LONGEST_SECONDS = 10_000_000.0
_TIME = r"(?:(?:\d{1,4}:)?\d{1,4}:)?\d{1,9}(?:\.\d{1,9})?s?|\d{1,9}f"
_STRETCH = re.compile(rf"(?P<start>{_TIME})(?:-(?P<end>{_TIME}))?", re.ASCII)
_REGION = re.compile(
    r"(\d{1,6}(?:\.\d{1,6})?)(%?),(\d{1,6}(?:\.\d{1,6})?)\2,(\d{1,6}(?:\.\d{1,6})?)\2[x×](\d{1,6}(?:\.\d{1,6})?)\2",
    re.ASCII,
)
_CLIP = "clip="
_DIGITS = 6


class ClipAnchor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A clip of a timeline by what it plays: found again by that when it is moved, trimmed or renamed.

    `source_start` is where in its media it begins, in ticks of 100 ns.
    """

    name: str = ""
    media: str = ""
    identity: str = ""
    source_start: int | None = None


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a note is about: a version, a file in it, and a place in the file.

    `content` is the id of the file's content as it was then. `start` and `end` are seconds, `end` None for a moment;
    `region` is left, top, width and height as shares of the picture; `field` a pointer into a document (RFC 6901),
    with the `anchors` of the list elements on its way.
    """

    version: VersionId | None = None
    path: str | None = None
    content: ObjectId | None = None
    start: float | None = None
    end: float | None = None
    region: tuple[float, float, float, float] | None = None
    clip: ClipAnchor | None = None
    field: str | None = None
    anchors: tuple[str, ...] = ()


class WrittenPlace(msgspec.Struct, frozen=True):
    """A place as it was written, before the file was looked into; frames and pixels are not converted yet."""

    times: tuple[str, ...] = ()
    region: tuple[float, float, float, float] | None = None
    is_share: bool = False
    clip: str | None = None
    field: str | None = None


def split_places(text: str) -> tuple[str, WrittenPlace]:
    """Split what a person wrote into the name of a version or file, and the places in it."""
    place = WrittenPlace()
    while "@" in text:
        name, _, last = text.rpartition("@")
        read = _with_place(place, last) if name else None
        if read is None:
            break
        text, place = name, read
    field = text.partition("@/")
    if place.field is None and field[1] and field[0]:
        return field[0], msgspec.structs.replace(place, field=f"/{field[2]}")
    return text, place


def _with_place(place: WrittenPlace, text: str) -> WrittenPlace | None:
    """Return the place with one more part; None where the text is no part of a place, or that part is there."""
    replace = msgspec.structs.replace
    if text.startswith("/"):
        return replace(place, field=text) if place.field is None else None
    if text.startswith(_CLIP) and len(text) > len(_CLIP):
        return replace(place, clip=text.removeprefix(_CLIP)) if place.clip is None else None
    if (match := _REGION.fullmatch(text)) is not None:
        x, percent, y, width, height = match.groups()
        region = (float(x), float(y), float(width), float(height))
        return replace(place, region=region, is_share=bool(percent)) if place.region is None else None
    if (match := _STRETCH.fullmatch(text)) is not None:
        return replace(place, times=tuple(filter(None, match.groups()))) if not place.times else None
    return None


def seconds_of(text: str, frames_per_second: float | None) -> float:
    """Convert a time as it is written, `1:02:03.5`, `12.5s` or `300f`, to seconds.

    Raises:
        InvalidTarget: it counts frames, and nothing says how many a second has; or it is longer than any film.
    """
    if text.endswith("f"):
        if not frames_per_second:
            raise InvalidTarget(text, "the file does not say how many frames a second has")
        seconds = int(text[:-1]) / frames_per_second
    else:
        first, *others = map(float, text.removesuffix("s").split(":"))
        if any(part >= 60 for part in others):
            raise InvalidTarget(text, "a minute has sixty seconds, and an hour sixty minutes")
        seconds = first
        for part in others:
            seconds = seconds * 60 + part
    if not seconds <= LONGEST_SECONDS:
        raise InvalidTarget(text, "no film is so long")
    return round(seconds, _DIGITS)


def shares_of(
    region: tuple[float, float, float, float], width: float, height: float, text: str
) -> tuple[float, float, float, float]:
    """Convert left, top, width and height to shares of a picture of that size.

    Raises:
        InvalidTarget: the region is not in the picture.
    """
    x, y, across, down = (
        round(value / whole, _DIGITS) for value, whole in zip(region, (width, height, width, height), strict=True)
    )
    if not (across > 0 and down > 0 and x + across <= 1.000001 and y + down <= 1.000001):
        raise InvalidTarget(text, "the region is not in the picture")
    return x, y, across, down


def clock(seconds: float) -> str:
    """Write a moment as people do: `0:12`, `1:02:03.5`."""
    whole, rest = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(whole), 60)
    text = f"{rest:06.3f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def describe_place(target: Target) -> str:
    """Write the place in the file as it can be written in a command: `@0:12-0:15`; "" for all of the file."""
    parts = []
    if target.start is not None:
        end = f"-{clock(target.end)}" if target.end is not None else ""
        parts.append(f"@{clock(target.start)}{end}")
    if target.region is not None:
        x, y, width, height = (f"{round(share * 100, 2):g}%" for share in target.region)
        parts.append(f"@{x},{y},{width}x{height}")
    if target.clip is not None:
        parts.append(f"@{_CLIP}{target.clip.name or target.clip.media}")
    if target.field is not None:
        parts.append(f"@{target.field}")
    return "".join(parts)


def target_from(value: Any) -> Target:
    """Read a stored target, which somebody else may have written: what is not valid in it is left out."""
    if not isinstance(value, dict):
        return Target()
    try:
        return _sensible(msgspec.structs.asdict(convert(value, Target)))
    except msgspec.ValidationError:
        pass
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Target):
        if field.name in value:
            try:
                found[field.name] = convert(value[field.name], field.type)
            except msgspec.ValidationError:
                continue
    return _sensible(found)


def _sensible(found: dict[str, Any]) -> Target:
    """Build the target without times and regions that cannot be."""
    for key in ("start", "end"):
        number = found.get(key)
        if number is not None and not (math.isfinite(number) and 0 <= number <= LONGEST_SECONDS):
            del found[key]
    if (region := found.get("region")) is not None and not all(0 <= share <= 1 for share in region):
        del found["region"]
    return Target(**found)
