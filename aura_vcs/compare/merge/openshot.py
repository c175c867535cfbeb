"""OpenShot projects as documents that merge: without what changes by looking, and with one spelling of numbers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.json_projects import is_openshot
from aura_vcs.formats.timeline.openshot import CLIP_NOISE, DIGITS, NOISE

_TOUCHING = 0.01
"""Seconds by which clips may overlap that only touch: less than a frame."""
_LONGEST = 1e9
"""Seconds; a longer time is nonsense, and such a clip is nowhere."""

_Span = tuple[object, float, float]


def why_covered(values: Sequence[JsonValue], merged: JsonValue, asked: Iterable[str]) -> str:
    """Say which clips would lie on one another on a track that do so on neither side; "" for none.

    `values` are base, ours and theirs. One side moved a clip to where the other put one: ids and fields fit, but one
    of them would not be seen. Clips that something is asked about, by the pointers `asked`, are left to the answer.
    """
    spans = _spans(merged)
    questioned = {pointer.split("/")[2] for pointer in asked if pointer.startswith("/clips/")}
    elements = merged.get("clips") if isinstance(merged, dict) else None
    for n, clip in enumerate(elements if isinstance(elements, list) else ()):
        if str(n) in questioned and isinstance(clip, dict):
            spans.pop(str(clip.get("id")), None)
    sides = [_spans(value) for value in values[1:]]
    last: dict[object, str] = {}
    for name, span in sorted(spans.items(), key=lambda item: item[1][1:]):
        before = last.get(span[0])
        if before is not None and _overlap(spans, before, name) and not any(_overlap(s, before, name) for s in sides):
            return "merged by field, two clips would lie on one another that do so on neither side"
        if before is None or span[2] > spans[before][2]:
            last[span[0]] = name
    return ""


def _spans(value: JsonValue) -> dict[str, _Span]:
    """Map the ids of clips to their track, and from when to when they play, in seconds."""
    found: dict[str, _Span] = {}
    clips = value.get("clips") if isinstance(value, dict) else None
    for clip in clips if isinstance(clips, list) else ():
        times = [clip.get(key) for key in ("position", "start", "end")] if isinstance(clip, dict) else []
        if not times or not all(isinstance(time, int | float) and abs(time) < _LONGEST for time in times):
            continue
        position, start, end = (float(time) for time in times if isinstance(time, int | float) and abs(time) < _LONGEST)
        found[str(clip.get("id"))] = str(clip.get("layer")), position, position + end - start
    return found


def _overlap(spans: Mapping[str, _Span], one: str, other: str) -> bool:
    if one not in spans or other not in spans:
        return False
    (track, start, end), (other_track, other_start, other_end) = spans[one], spans[other]
    return track == other_track and min(end, other_end) - max(start, other_start) > _TOUCHING


def level(values: Sequence[JsonValue]) -> list[JsonValue]:
    """Base, ours and theirs with the noise of ours, and numbers that were only rounded anew made equal.

    What are no OpenShot projects comes back as it is.
    """
    if not all(is_openshot(value) for value in values):
        return list(values)
    ours = values[1]
    keys = [key for names in NOISE.values() for key in names]
    levelled = []
    for value in values:
        made = {key: part for key, part in value.items() if key not in keys}
        made |= {key: ours[key] for key in keys if key in ours}
        levelled.append(_rounded(made, {str(each.get("id")): each for each in _elements(ours)}))
    return levelled


def _elements(value: JsonValue) -> list[dict[str, JsonValue]]:
    lists = [value.get(key) for key in ("clips", "files", "effects")]
    return [each for found in lists if isinstance(found, list) for each in found if isinstance(each, dict)]


def _rounded(value: dict[str, JsonValue], known: dict[str, dict[str, JsonValue]]) -> JsonValue:
    """Return the document with rounded numbers, and the thumbnails that ours has."""
    top: dict[str, JsonValue] = dict(value)
    stack: list[JsonValue] = [top]
    while stack:
        item = stack.pop()
        if isinstance(item, dict) and (mine := known.get(str(item.get("id")))) is not None:
            for key in CLIP_NOISE:
                if key in item and key in mine:
                    item[key] = mine[key]
        for place in list(item) if isinstance(item, dict) else range(len(item)):
            part = item[place]
            if isinstance(part, float):
                item[place] = float(f"{part:.{DIGITS}g}")
            elif isinstance(part, dict | list):
                item[place] = dict(part) if isinstance(part, dict) else list(part)
                stack.append(item[place])
    return top


def restore(merged: JsonValue, ours: JsonValue, theirs: JsonValue) -> JsonValue:
    """Return the merged project with every number as a side wrote it, ours first."""
    written: dict[float, float] = {}
    for side in (theirs, ours):
        written |= {float(f"{number:.{DIGITS}g}"): number for number in _floats(side)}

    def back(value: JsonValue) -> JsonValue:
        if isinstance(value, float):
            return written.get(value, value)
        if isinstance(value, dict):
            return {key: back(part) for key, part in value.items()}
        return [back(part) for part in value] if isinstance(value, list) else value

    return back(merged)


def _floats(value: JsonValue) -> Iterator[float]:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, float):
            yield item
        elif isinstance(item, dict | list):
            stack += item.values() if isinstance(item, dict) else item
