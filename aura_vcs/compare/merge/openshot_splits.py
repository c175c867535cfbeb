"""Clips of OpenShot projects that one side split: so are the other versions, so that both parts get what was done.

A clip that is cut in two keeps its id in front, and what is behind is a new clip. Moved on the other side, the front
alone would go.
"""

from collections.abc import Mapping, Sequence

from aura_vcs.formats.jsondoc.values import JsonValue

Record = dict[str, JsonValue]
_NEAR = 1e-6
"""Seconds that are one place."""


def split_alike(values: Sequence[JsonValue]) -> list[JsonValue]:
    """Return common, our and their version with the parts that a side cut off in all that still have the whole."""
    clips = [_by_id(value) for value in values]
    result = list(values)
    for side in (1, 2):
        for name, part in clips[side].items():
            front = _front_of(part, clips, side) if name not in clips[0] and name not in clips[3 - side] else None
            whole, other = (versions.get(front or "") for versions in (clips[0], clips[3 - side]))
            if whole is None or other is None or other == whole or not other["start"] < part["start"]:
                continue
            for number, clip in ((0, whole), (3 - side, other)):
                result[number] = _cut(result[number], clip, part)
    return result


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


def _cut(value: JsonValue, clip: Record, part: Record) -> JsonValue:
    """Cut a clip of a project where the other side has `part` of it, as far as there is anything behind that."""
    place, end = part["start"], clip["end"]
    behind = {**clip, "id": part["id"], "position": clip["position"] + place - clip["start"], "start": place}
    front = {**clip, "end": min(end, place)}
    found = [front if other is clip else other for other in value["clips"]]
    return {**value, "clips": [*found, behind] if end > place + _NEAR else found}
