"""Joining two versions of the studio's `timeline.json`.

What follows from the order of the scenes (their starts and indices, where they are laid one
after another) is left out while joining and laid anew afterwards: a trim here and a move there
are no conflict. Scenes are matched by heading, words and narration, assets by id and file; an
asset's start and duration join by its two ends.
"""

import re
from collections.abc import Sequence

from msgspec import Struct, UnsetType, structs

from aura_vcs.compare.diff.list_match import Pairs, match_elements
from aura_vcs.compare.merge.json_values import Merge, MergeRules, merge_values
from aura_vcs.compare.merge.model import Conflict, MergedValue
from aura_vcs.compare.merge.ranges import ends_of, merge_ends
from aura_vcs.compare.timeline.changes import JITTER
from aura_vcs.compare.timeline.match import match_parts
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import Ticks, read_time, write_time
from aura_vcs.formats.timeline.studio import read_asset, read_scene

Record = dict[str, JsonValue]
_SCENE = re.compile(r"/scenes/(\d{1,9})", re.ASCII)


class Laying(Struct, frozen=True):
    """How scenes are laid: whether starts and indices follow from the order, and from where they count.

    `spellings` are starts as a document writes them, by time; `sample` is for all others.
    """

    starts: bool
    indices: bool
    first_start: Ticks = 0
    first_index: int = 0
    sample: JsonValue = 0
    spellings: dict[Ticks, JsonValue] = {}


def laying_of(timelines: Sequence[Record], model: Record) -> Laying:
    """Return what holds in all `timelines`; times are written like those of `model`."""
    written = [scene["start"] for each in (*timelines, model) for scene in _scenes(each) if "start" in scene]
    spellings = {read_time(start): start for start in written}
    telling = max(written, key=lambda start: (isinstance(start, str), isinstance(start, float)), default=0)
    return Laying(
        starts=all(_are_laid(timeline) for timeline in timelines),
        indices=all(_are_numbered(timeline) for timeline in timelines),
        first_start=_merged_first([_first(timeline)[0] for timeline in timelines]),
        first_index=_merged_first([_first(timeline)[1] for timeline in timelines]),
        sample=telling,
        spellings={ticks: spelling for ticks, spelling in spellings.items() if ticks is not None},
    )


def _first(timeline: Record) -> tuple[Ticks, int]:
    """Return where the first scene starts, and its index."""
    scenes = _scenes(timeline)
    index = scenes[0].get("index") if scenes else 0
    start = read_time(scenes[0].get("start")) if scenes else 0
    return start or 0, index if isinstance(index, int) else 0


def _merged_first(values: list[int]) -> int:
    """Return the value that one side changed; ours when both did. One value alone stays."""
    if len(values) < 3:
        return values[-1]
    base, ours, theirs = values
    return theirs if ours == base else ours


def _scenes(timeline: Record) -> list[Record]:
    return [scene for scene in timeline["scenes"] if isinstance(scene, dict)]


def _are_laid(timeline: Record) -> bool:
    """Tell whether each scene starts where the one in front ends, and says so."""
    at: Ticks | None = None
    for scene in _scenes(timeline):
        start, duration = read_time(scene.get("start")), read_time(scene.get("duration"))
        if start is None or duration is None or (at is not None and abs(start - at) > JITTER):
            return False
        at = start + duration
    return True


def _are_numbered(timeline: Record) -> bool:
    """Tell whether the scenes' indices count up from 0 or 1."""
    numbers = [scene.get("index") for scene in _scenes(timeline)]
    return any(numbers == list(range(first, first + len(numbers))) for first in (0, 1))


def lay_scenes(timeline: Record, laying: Laying) -> Record:
    """Return the timeline with starts and indices that follow from the order and lengths of its scenes."""
    scenes: list[JsonValue] = []
    at, number = laying.first_start, laying.first_index
    for scene in timeline["scenes"]:
        if not isinstance(scene, dict):
            scenes.append(scene)
            continue
        placed = dict(scene)
        if laying.starts and "start" in placed:
            placed["start"] = laying.spellings.get(at, write_time(at, laying.sample))
        if laying.indices and "index" in placed:
            placed["index"] = number
        at += read_time(placed.get("duration")) or 0
        number += 1
        scenes.append(placed)
    return {**timeline, "scenes": scenes}


def merge_studio(base: Record, ours: Record, theirs: Record) -> MergedValue:
    """Join two changed versions of a parsed `timeline.json` (see `is_studio_timeline`)."""
    laying = laying_of((base, ours, theirs), ours)
    bare = [_without_places(side, laying) for side in (base, ours, theirs)]
    merged = merge_values(*bare, rules=STUDIO)
    value = lay_scenes(merged.value, laying)
    return MergedValue(value, tuple(_filled(conflict, value) for conflict in merged.conflicts))


def _without_places(timeline: Record, laying: Laying) -> Record:
    """Return the timeline with null for what follows from the order of the scenes."""
    blank = {"start"} if laying.starts else set()
    blank |= {"index"} if laying.indices else set()
    scenes: list[JsonValue] = []
    for scene in timeline["scenes"]:
        if isinstance(scene, dict):
            scenes.append({key: None if key in blank else part for key, part in scene.items()})
        else:
            scenes.append(scene)
    return {**timeline, "scenes": scenes}


def _filled(conflict: Conflict, timeline: Record) -> Conflict:
    """Give a scene inside a conflict the place back that was left out while joining."""
    match = _SCENE.fullmatch(conflict.pointer)
    scene = timeline["scenes"][int(match.group(1))] if match else None
    if not isinstance(scene, dict) or conflict.kind == "moved":
        return conflict

    def fill(side: JsonValue | UnsetType) -> JsonValue | UnsetType:
        if not isinstance(side, dict):
            return side
        return {key: scene.get(key) if part is None else part for key, part in side.items()}

    return structs.replace(conflict, base=fill(conflict.base), ours=fill(conflict.ours), theirs=fill(conflict.theirs))


def _match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> Pairs:
    for read, mark in ((read_scene, "script"), (read_asset, "file_path")):
        if all_have(mark, old, new):
            before = tuple(read(record, "", n) for n, record in enumerate(old))
            after = tuple(read(record, "", n) for n, record in enumerate(new))
            return match_parts(before, after, strict=True)
    return match_elements(old, new, merge.prints, merge.effort)


def all_have(key: str, *lists: list[JsonValue]) -> bool:
    """Tell whether the lists are all made of objects with this key."""
    records = [record for each in lists for record in each]
    return bool(records) and all(isinstance(record, dict) and key in record for record in records)


def _together(base: Record, ours: Record, theirs: Record) -> Record:
    """Merge the start and duration of an asset by its two ends."""
    sides = (base, ours, theirs)
    ends = [ends_of(read_time(side.get("start")), read_time(side.get("duration"))) for side in sides]
    joined = merge_ends(*ends)
    if joined is None:
        return {}
    return {key: _spelled(key, ticks, ours, theirs) for key, ticks in zip(("start", "duration"), joined, strict=True)}


def _spelled(key: str, ticks: Ticks, ours: Record, theirs: Record) -> JsonValue:
    """Write a time as the side that has it does."""
    for side in (ours, theirs):
        if read_time(side[key]) == ticks:
            return side[key]
    return write_time(ticks, ours[key])


def _is_ordered(element: JsonValue) -> bool:
    """Tell whether it matters what comes first: scenes; assets say themselves when they are seen."""
    return isinstance(element, dict) and "file_path" not in element and ("script" in element or "duration" in element)


STUDIO = MergeRules(_match, _together, is_ordered=_is_ordered)
