"""Groups of Kdenlive: they name clips by track and place, so they follow the clips that a merge moved.

A leaf is `track:frame`, with tracks counted from the lowest one above the black one. Of a clip that went, nothing is
left in its group; a group of one is none. What the other side grouped is not taken over.
"""

import json
from collections.abc import Callable

from msgspec import UNSET

from aura_vcs.compare.merge.mlt_cut import GROUPS
from aura_vcs.compare.merge.mlt_write import MltWriter
from aura_vcs.formats.jsondoc.parse import value_in
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.xmldoc.parse import Element

Place = Callable[[str], str | None]
"""Where what stood at a place (`track:frame`) stands now; None where it went."""


def follow_groups(writer: MltWriter) -> None:
    """Write the groups of every sequence with the places that their clips have now."""
    merged = {writer.names.get(piece.id, ""): piece for piece in writer.merged.pieces}
    places: dict[tuple[str, int], tuple[str, int] | None] = {}
    for old in writer.cut.cut.pieces:
        new = merged.get(old.id)
        places[old.track, old.start] = (new.track, new.start) if new is not None else None
    holders = list(writer.cut.tractors.items())
    if writer.cut.reader.bin is not None:
        holders.append(("", writer.cut.reader.bin))
    for key, holder in holders:
        _follow(writer, holder, _finder(key, places))


def _finder(key: str, places: dict[tuple[str, int], tuple[str, int] | None]) -> Place:
    def find(data: str) -> str | None:
        track, frame, *rest = data.split(":")
        if not (track.isdecimal() and frame.isdecimal()):
            return data
        there = f"{key} {int(track) + 1}".strip(), int(frame)
        if there not in places:
            return data  # a composition, or nothing that is known
        found = places[there]
        return None if found is None else ":".join([str(int(found[0].split(" ")[-1]) - 1), str(found[1]), *rest])

    return find


def _follow(writer: MltWriter, holder: Element, find: Place) -> None:
    for child in holder.children:
        if child.tag != "property" or child.get("name") not in GROUPS:
            continue
        groups = value_in(child.text)
        if groups is not UNSET and (now := _moved(groups, find)) != groups:
            writer.edits.set_text(
                child, json.dumps(now if now is not None else [], indent=4, ensure_ascii=False) + "\n"
            )


def _moved(value: JsonValue, find: Place, depth: int = 0) -> JsonValue:
    """Return groups with other places; None for a leaf that went, and for a group that is none any more."""
    if isinstance(value, list):
        found = [_moved(each, find, depth + 1) for each in value]
        return [each for each in found if each is not None]
    if not isinstance(value, dict) or depth > 40:
        return value
    if value.get("leaf") == "clip" and isinstance(value.get("data"), str):
        data = find(value["data"])
        return None if data is None else {**value, "data": data}
    if isinstance(value.get("children"), list):
        children = _moved(value["children"], find, depth + 1)
        if isinstance(children, list) and len(children) < min(2, len(value["children"])):
            return children[0] if children else None
        return {**value, "children": children}
    return value
