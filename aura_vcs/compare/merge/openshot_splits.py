"""Clips of OpenShot projects that one side split: so are the other versions, so that both parts get what was done.

A clip that is cut in two keeps its id in front, and what is behind is a new clip. Moved on the other side, the front
alone would go.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.openshot import DIGITS

Record = dict[str, JsonValue]
_NEAR = 1e-6
"""Seconds that are one place."""


class Split(Struct, frozen=True):
    """The three versions; clips that one side split and of the other cannot be; which side has which part of those."""

    values: list[JsonValue]
    torn: frozenset[str]
    parts: dict[str, int]


def split_alike(values: Sequence[JsonValue]) -> Split:
    """Return common, our and their version with the parts that a side cut off in all that still have the whole."""
    clips = [_by_id(value) for value in values]
    result = list(values)
    torn: set[str] = set()
    parts: dict[str, int] = {}
    new = [(side, name) for side in (1, 2) for name in clips[side].keys() - clips[0].keys() - clips[3 - side].keys()]
    # From the front on: what is cut off first may be cut once more.
    for side, name in sorted(new, key=lambda each: (clips[each[0]][each[1]]["start"], each)):
        part = clips[side][name]
        front = _front_of(part, clips, side)
        if front is None:
            continue
        whole, other = clips[0][front], clips[3 - side].get(front)
        if other is None or not _may_split(whole, other):
            torn.add(front)
            parts[name] = side
        elif other != whole and other["start"] < part["start"]:
            for number, clip in ((0, whole), (3 - side, other)):
                result[number] = _cut(result[number], clip, part, result[side])
                clips[number] = _by_id(result[number])
    return Split(result, frozenset(torn), parts)


def _may_split(whole: Record, other: Record) -> bool:
    """Tell whether a version of a clip can be split where another one was: it plays some of the same, as fast."""
    moved = other["start"] - whole["start"]
    is_slipped = abs(moved) > _NEAR and abs(moved - other["end"] + whole["end"]) < _NEAR
    return not is_slipped and all(whole.get(key) == other.get(key) for key in ("file_id", "time"))


def _by_id(value: JsonValue) -> dict[str, Record]:
    found = value.get("clips") if isinstance(value, dict) else None
    clips = found if isinstance(found, list) else []
    return {str(clip.get("id")): clip for clip in clips if isinstance(clip, dict) and _times(clip) is not None}


def _times(clip: Record) -> tuple[float, float, float] | None:
    position, start, end = (clip.get(key) for key in ("position", "start", "end"))
    if isinstance(position, int | float) and isinstance(start, int | float) and isinstance(end, int | float):
        return position, start, end
    return None


def _front_of(part: Record, clips: Sequence[Mapping[str, Record]], side: int) -> str | None:
    """Return the id of the clip that goes on in this one: it was longer in the common version."""
    here = _times(part)
    for name, clip in clips[side].items():
        whole, front = clips[0].get(name), _times(clip)
        was = _times(whole) if whole is not None else None
        if here is None or was is None or front is None or clip.get("file_id") != part.get("file_id"):
            continue
        end = front[0] + front[2] - front[1]
        goes_on = abs(end - here[0]) < _NEAR and abs(front[2] - here[1]) < _NEAR and here[2] <= was[2] + _NEAR
        if goes_on and clip.get("layer") == part.get("layer") and was[2] > front[2] + _NEAR:
            return name
    return None


def _cut(value: JsonValue, clip: Record, part: Record, side: JsonValue) -> JsonValue:
    """Cut a clip of a project where a side has `part` of it, as far as there is anything behind that."""
    place, end = part["start"], clip["end"]
    position = float(f"{clip['position'] + place - clip['start']:.{DIGITS}g}")
    behind = {**clip, "id": part["id"], "position": position, "start": place}
    found = [{**clip, "end": min(end, place)} if other is clip else other for other in value["clips"]]
    if end > place + _NEAR:
        found.insert(next(n for n, other in enumerate(side["clips"]) if other is part), behind)
    return {**value, "clips": found}
