"""Joining two versions of an OpenTimelineIO timeline.

Clips are matched by media, source point and name; gaps, transitions, effects and markers by what
they say and where they are. A range joins by its two ends. A clip that one side took to another
track keeps what the other side did to it.
"""

from typing import Any

from msgspec import UNSET, Struct, structs

from aura_vcs.compare.fingerprints import Fingerprints
from aura_vcs.compare.json_pointer import join_pointer, resolve_pointer
from aura_vcs.compare.list_match import Pairs, match_elements
from aura_vcs.compare.merge_json import Merge, Rules, merge_values
from aura_vcs.compare.merge_model import Conflict, MergedValue
from aura_vcs.compare.merge_ranges import ends_of, join_ends
from aura_vcs.compare.merge_studio import all_have
from aura_vcs.compare.timeline_match import Place, match_parts, match_timelines
from aura_vcs.compare.timeline_model import Clip, Ticks, Timeline
from aura_vcs.compare.timeline_otio import (
    active_reference,
    read_children,
    read_otio,
    read_range,
    read_rational,
)
from aura_vcs.compare.values import JsonValue

Record = dict[str, JsonValue]
NEW_TRACK = -1


class Home(Struct, frozen=True):
    """Where a clip of the common version is on one side. `track` counts the common version's tracks."""

    pointer: str
    track: int
    is_elsewhere: bool


class Taken(Struct, frozen=True):
    """A clip that a side took to another track, joined with what the other side did to it."""

    value: JsonValue
    conflicts: tuple[Conflict, ...]


def merge_otio(base: JsonValue, ours: JsonValue, theirs: JsonValue) -> MergedValue:
    """Join two changed versions of a parsed OpenTimelineIO document (see `is_otio`)."""
    sides = [_with_own_lists(side) for side in (base, ours, theirs)]
    taken = _join_taken(*sides)
    merged = merge_values(*sides, rules=OTIO)
    places = _addresses(merged.value, {id(each.value) for each in taken})
    found = [
        structs.replace(conflict, pointer=places[id(each.value)] + conflict.pointer)
        for each in taken
        if id(each.value) in places
        for conflict in each.conflicts
    ]
    return MergedValue(merged.value, (*merged.conflicts, *found))


def _with_own_lists(document: JsonValue) -> JsonValue:
    """The document with lists of tracks and clips of its own, so that clips can change places."""
    if isinstance(document, list):
        return [_with_own_lists(part) for part in document]
    if not isinstance(document, dict):
        return document
    deep = ("tracks", "children")
    return {key: _with_own_lists(part) if key in deep else part for key, part in document.items()}


def _join_taken(base: JsonValue, ours: JsonValue, theirs: JsonValue) -> list[Taken]:
    """Join the clips that changed tracks, as one clip each, and leave each in one place."""
    model = read_otio(base)
    here, there = _homes(model, read_otio(ours)), _homes(model, read_otio(theirs))
    taken: list[Taken] = []
    gone: list[tuple[JsonValue, str]] = []
    for place, clip in _clips(model):
        left, right = here.get(place), there.get(place)
        if left is None or right is None or not (left.is_elsewhere or right.is_elsewhere):
            continue
        joined = merge_values(
            resolve_pointer(base, clip.pointer),
            resolve_pointer(ours, left.pointer),
            resolve_pointer(theirs, right.pointer),
            rules=OTIO,
        )
        torn = left.is_elsewhere and right.is_elsewhere and left.track != right.track
        places = (clip.pointer, left.pointer, right.pointer)
        conflicts = (*joined.conflicts, *([Conflict("moved", "", *places)] if torn else []))
        taken.append(Taken(dict(joined.value), conflicts))
        if left.is_elsewhere:
            _put(ours, left.pointer, taken[-1].value)
        else:
            gone.append((ours, left.pointer))
        together = left.track == right.track != NEW_TRACK
        if right.is_elsewhere and (together or not left.is_elsewhere):
            _put(theirs, right.pointer, taken[-1].value)
        else:
            gone.append((theirs, right.pointer))
    for document, pointer in sorted(gone, key=lambda pair: _last(pair[1]), reverse=True):
        del resolve_pointer(document, pointer.rpartition("/")[0])[_last(pointer)]
    return taken


def _last(pointer: str) -> int:
    return int(pointer.rpartition("/")[2])


def _put(document: JsonValue, pointer: str, value: JsonValue) -> None:
    resolve_pointer(document, pointer.rpartition("/")[0])[_last(pointer)] = value


def _clips(timeline: Timeline) -> list[tuple[Place, Clip]]:
    return [(Place(t, n), clip) for t, track in enumerate(timeline.tracks) for n, clip in enumerate(track.clips)]


def _homes(base: Timeline, side: Timeline) -> dict[Place, Home]:
    match = match_timelines(base, side, strict=True)
    partner = {j: i for i, j in match.tracks}
    homes = {}
    for a, b in match.clips:
        track = partner.get(b.track, NEW_TRACK)
        homes[a] = Home(side.tracks[b.track].clips[b.position].pointer, track, track != a.track)
    return homes


def _addresses(document: JsonValue, wanted: set[int]) -> dict[int, str]:
    """Where the objects with these addresses in memory are in the document."""
    found: dict[int, str] = {}
    stack: list[tuple[str, JsonValue]] = [("", document)] if wanted else []
    while stack:
        at, value = stack.pop()
        if id(value) in wanted:
            found[id(value)] = at
        elif isinstance(value, dict):
            keys = [key for key in ("tracks", "children") if key in value]
            stack += [(at + join_pointer((key,)), value[key]) for key in keys]
        elif isinstance(value, list):
            stack += [(f"{at}/{n}", part) for n, part in enumerate(value)]
    return found


def _match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> Pairs:
    if all_have("OTIO_SCHEMA", old, new):
        return match_parts(read_children(old), read_children(new), strict=True)
    return match_elements(old, new, merge.prints, merge.effort)


def _together(base: Record, ours: Record, theirs: Record) -> Record:
    """A TimeRange joins by its two ends; an untrimmed clip has its media's range."""
    if base.get("source_range", UNSET) is None:
        return _first_trims(base, ours.get("source_range"), theirs.get("source_range"))
    ranges = [read_range(side) for side in (base, ours, theirs)]
    joined = join_ends(*(ends_of(*each) if each else None for each in ranges))
    if joined is None:
        return {}
    return {
        key: _rational(key, ticks, ours, theirs) for key, ticks in zip(("start_time", "duration"), joined, strict=True)
    }


def _first_trims(base: Record, ours: JsonValue, theirs: JsonValue) -> Record:
    """Both sides trimmed a clip that played all of its media."""
    whole: Any = active_reference(base).get("available_range")
    if not (isinstance(whole, dict) and isinstance(ours, dict) and isinstance(theirs, dict)):
        return {}
    value, found = Merge(Fingerprints(whole, ours, theirs), OTIO).slot(whole, ours, theirs)
    return {} if found else {"source_range": value}


def _rational(key: str, ticks: Ticks, ours: Record, theirs: Record) -> Record:
    """A RationalTime as the side that has it writes it; new ones at our rate, whole frames whole."""
    like: Record = ours[key]
    for side in (ours, theirs):
        if read_rational(side[key]) == ticks:
            return dict(side[key])
    frames = ticks * like["rate"] / 10**7
    near = round(frames)
    value: float = near if abs(frames - near) < 1e-3 else frames
    return {**like, "value": float(value) if isinstance(like["value"], float) else value}


OTIO = Rules(_match, _together)
