"""Merging two versions of an OpenTimelineIO timeline.

Every clip is followed by what it is, through tracks and groups: by media, source point and name. Gaps, transitions,
effects and markers go by what they say and where they are. A range merges by its two ends. A clip that one side took to
another track keeps what the other side did to it; what both did to its place is a question.
"""

from collections.abc import Hashable
from typing import Any

from msgspec import UNSET, structs

from aura_vcs.compare.diff.list_match import Fingerprints, Pairs, match_elements, strong_identity
from aura_vcs.compare.merge.json_values import Merge, MergeRules, merge_values
from aura_vcs.compare.merge.model import MergedValue
from aura_vcs.compare.merge.otio_positions import IS_MARK, Followed, follow, resolve_places
from aura_vcs.compare.merge.ranges import ends_of, merge_ends
from aura_vcs.compare.merge.studio import all_have
from aura_vcs.compare.timeline.match import match_parts
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import Ticks
from aura_vcs.formats.timeline.otio import active_reference, read_children, read_range, read_rational

Record = dict[str, JsonValue]
SPEEDS = ("LinearTimeWarp", "FreezeFrame", "TimeEffect")
UNORDERED = ("Marker", "Gap")


def merge_otio(base: JsonValue, ours: JsonValue, theirs: JsonValue) -> MergedValue:
    """Merge two changed versions of a parsed OpenTimelineIO document (see `is_otio`)."""
    followed = follow(base, ours, theirs, merge_clips)
    merged = merge_values(*followed.sides, rules=_rules(followed))
    return resolve_places(merged, followed.asked)


def merge_clips(base: JsonValue, ours: JsonValue, theirs: JsonValue) -> MergedValue:
    """Merge two changed versions of one clip or group, wherever it stands."""
    return merge_values(base, ours, theirs, rules=_rules(None))


def _rules(followed: Followed | None) -> MergeRules:
    names = followed.names if followed is not None else {}

    def match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> Pairs:
        if not all_have("OTIO_SCHEMA", old, new):
            return match_elements(old, new, merge.prints, merge.effort)
        sides = []
        for elements in (old, new):
            clips = read_children(elements)
            named = (names.get(id(element), "") for element in elements)
            pairs = zip(clips, named, strict=True)
            sides.append(tuple(structs.replace(clip, identity=name or clip.identity) for clip, name in pairs))
        return match_parts(sides[0], sides[1], strict=True)

    return MergeRules(match, _together, _added, _is_ordered)


def _schema(element: JsonValue) -> str:
    schema = element.get("OTIO_SCHEMA") if isinstance(element, dict) else None
    return schema.partition(".")[0] if isinstance(schema, str) else ""


def _added(element: JsonValue) -> Hashable | None:
    """Return the identity of an addition: two speeds that were given to a clip are one thing with two values."""
    return "speed" if _schema(element) in SPEEDS else strong_identity(element)


def _is_ordered(element: JsonValue) -> bool:
    """Tell whether it matters what comes first: clips, transitions, tracks and effects; not markers or empty time."""
    return bool(_schema(element)) and _schema(element) not in UNORDERED and IS_MARK not in element


def _together(base: Record, ours: Record, theirs: Record) -> Record | None:
    """Merge a TimeRange by its two ends, or leave it a question; an untrimmed clip has its media's range."""
    if base.get("source_range", UNSET) is None:
        return _first_trims(base, ours.get("source_range"), theirs.get("source_range"))
    ranges = [read_range(side) for side in (base, ours, theirs)]
    if None in ranges:
        return {}
    joined = merge_ends(*(ends_of(*each) if each else None for each in ranges))
    if joined is None:
        return None
    return {
        key: _rational(key, ticks, ours, theirs) for key, ticks in zip(("start_time", "duration"), joined, strict=True)
    }


def _first_trims(base: Record, ours: JsonValue, theirs: JsonValue) -> Record:
    """Merge the ranges of a clip that played all of its media and that both sides trimmed."""
    whole: Any = active_reference(base).get("available_range")
    if not (isinstance(whole, dict) and isinstance(ours, dict) and isinstance(theirs, dict)):
        return {}
    value, found = Merge(Fingerprints(whole, ours, theirs), _rules(None)).slot(whole, ours, theirs)
    return {} if found else {"source_range": value}


def _rational(key: str, ticks: Ticks, ours: Record, theirs: Record) -> Record:
    """Write a RationalTime as the side that has it does; new ones at our rate, whole frames whole."""
    like: Record = ours[key]
    for side in (ours, theirs):
        if read_rational(side[key]) == ticks:
            return dict(side[key])
    frames = ticks * like["rate"] / 10**7
    near = round(frames)
    value: float = near if abs(frames - near) < 1e-3 else frames
    return {**like, "value": float(value) if isinstance(like["value"], float) else value}
