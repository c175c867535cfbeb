"""Merging OpenShot projects: clips by their ids, and what both sides did to one clip as one question.

Most fields of a clip merge one by one. When and what it plays mean something only together: a trim of one side is none
of the media that the other side gave the clip.
"""

from collections.abc import Iterator, Sequence

from msgspec import UNSET, structs

from aura_vcs.compare.merge.cut_model import Piece
from aura_vcs.compare.merge.json_values import PLAIN, Merge, MergeRules, merge_values
from aura_vcs.compare.merge.model import Conflict, MergedValue
from aura_vcs.compare.merge.openshot import level, restore
from aura_vcs.compare.merge.openshot_splits import Split, split_alike
from aura_vcs.compare.merge.stand_ins import find_stand_ins
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer

Record = dict[str, JsonValue]
CLIP_FIELDS = ("id", "layer", "position", "start", "end")
WHOLE = ("id", "start", "end", "file_id", "title", "time", "layer")
"""Of these fields, two values that differ make a question of the clip."""


def merge_openshot(written: Sequence[JsonValue]) -> MergedValue:
    """Merge the common, our and their version of a project, parsed; numbers stay as a side wrote them."""
    values = level(written)
    stand_ins = _stand_ins(values)
    split = split_alike(values)
    merged = merge_values(*split.values, rules=_rules(stand_ins, split))
    value, conflicts = merged.value, [*merged.conflicts, *_cut_off(merged, split)]
    value = _with_media(value, conflicts, values)

    def back(side: JsonValue) -> JsonValue:
        return side if side is UNSET else restore(side, written[1], written[2])

    sides = [{name: back(getattr(found, name)) for name in ("base", "ours", "theirs")} for found in conflicts]
    asked = tuple(structs.replace(found, **side) for found, side in zip(conflicts, sides, strict=True))
    return structs.replace(merged, value=restore(value, written[1], written[2]), conflicts=asked)


def _rules(stand_ins: dict[str, str], split: Split) -> MergeRules:
    def match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> list[tuple[int, int]]:
        pairs = PLAIN.match(old, new, merge)
        if not stand_ins or not all(map(_is_clip, (*old, *new))):
            return pairs
        olds, news = {a for a, _ in pairs}, {b for _, b in pairs}
        places = {each["id"]: n for n, each in enumerate(old) if n not in olds}
        for n, each in enumerate(new):
            place = places.get(stand_ins.get(str(each["id"]), "")) if n not in news else None
            if place is not None:
                pairs.append((place, n))
        return sorted(pairs, key=lambda pair: pair[1])

    def together(base: Record, ours: Record, theirs: Record) -> Record | None:
        if not all(map(_is_clip, (base, ours, theirs))):
            return {}
        return None if str(base["id"]) in split.torn or _is_torn(base, ours, theirs) else {}

    return MergeRules(match, together)


def _is_clip(value: JsonValue) -> bool:
    return isinstance(value, dict) and "file_id" in value and all(key in value for key in CLIP_FIELDS)


def _is_torn(base: Record, ours: Record, theirs: Record) -> bool:
    """Tell whether two changes of a clip would make a third one together, or leave several questions about it."""
    asked = {key for key in (*WHOLE, "position") if _differ(key, base, ours, theirs)}
    if asked - {"position"}:
        return True
    sides = ours, theirs
    if asked and any(_changed(side, base, "layer", "start") for side in sides):
        return True
    other = [_changed(side, base, "file_id") for side in sides]
    faster = [_changed(side, base, "time") for side in sides]
    trimmed = [_changed(side, base, "start", "end") for side in sides]
    return (all(trimmed) and any(other)) or any(faster[n] and trimmed[1 - n] for n in (0, 1))


def _changed(side: Record, base: Record, *keys: str) -> bool:
    return any(side.get(key) != base.get(key) for key in keys)


def _differ(key: str, base: Record, ours: Record, theirs: Record) -> bool:
    was, here, there = (side.get(key) for side in (base, ours, theirs))
    return here not in (was, there) and there != was


def _stand_ins(values: Sequence[JsonValue]) -> dict[str, str]:
    """Map new clips of either side to the clip in whose place each stands, where the other side changed that, too."""
    clips = [{str(clip["id"]): clip for clip in value["clips"] if _is_clip(clip)} for value in values]
    pieces = [[_piece(name, clip) for name, clip in side.items()] for side in clips]
    found = {}
    for side in (1, 2):
        for name, piece in find_stand_ins(pieces[0], pieces[side]).items():
            other = clips[3 - side].get(name)
            if piece.id not in clips[3 - side] and (other is None or other != clips[0][name]):
                found[piece.id] = name
    return found


def _piece(name: str, clip: Record) -> Piece:
    position, start, end = (_microseconds(clip[key]) for key in ("position", "start", "end"))
    return Piece(name, str(clip["layer"]), position, end - start, start, {}, media=str(clip["file_id"]))


def _microseconds(value: JsonValue) -> int:
    return round(value * 10**6) if isinstance(value, int | float) and abs(value) < 10**9 else 0


def _cut_off(merged: MergedValue, split: Split) -> Iterator[Conflict]:
    """Ask about the parts that a side cut off clips that are decided as a whole: they go where the other is taken."""
    for n, clip in enumerate(merged.value["clips"]):
        side = split.parts.get(str(clip.get("id"))) if isinstance(clip, dict) else None
        if side == 1:
            yield Conflict("removed_by_theirs", join_pointer(("clips", n)), ours=clip)
        elif side == 2:
            yield Conflict("removed_by_ours", join_pointer(("clips", n)), theirs=clip)


def _with_media(value: JsonValue, conflicts: Sequence[Conflict], values: Sequence[JsonValue]) -> JsonValue:
    """Bring back the media that a side took out of the project and that clips of the other need."""
    sides = [side for found in conflicts for side in (found.base, found.ours, found.theirs)]
    needed = {str(clip["file_id"]) for clip in (*value["clips"], *sides) if _is_clip(clip)}
    there = {str(file.get("id")) for file in value["files"] if isinstance(file, dict)}
    lost: dict[str, JsonValue] = {}
    for side in values:
        for file in side["files"]:
            name = str(file.get("id")) if isinstance(file, dict) else ""
            if name in needed - there:
                lost.setdefault(name, file)
    return {**value, "files": [*value["files"], *lost.values()]} if lost else value
