"""OpenShot projects as documents that merge: without what changes by looking, and with one spelling of numbers."""

from collections.abc import Iterator, Sequence

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.json_projects import is_openshot
from aura_vcs.formats.timeline.openshot import CLIP_NOISE, DIGITS, NOISE


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
