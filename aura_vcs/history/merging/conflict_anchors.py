"""Finding a conflict again in a file that has been edited since the merge, or joined again.

A pointer such as `/scenes/2/tone` counts elements. Somebody may have put a scene before it; then
the element is found by its id or, where it has none, by its name; and only a value that one of the
sides had is taken for the one in question.
"""

from collections.abc import Iterable

import msgspec

from aura_vcs.compare.merge.cut_places import without_place
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.compare.merge.project import structure_of
from aura_vcs.compare.merge.resolve_text import find_again
from aura_vcs.errors.compare import ChoiceImpossible, NotStructural, PointerUnknown
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer, resolve_pointer, same, split_pointer
from aura_vcs.history.merging.conflicts import DIGITS, OpenConflict, anchor, weak_anchor

_HINT = "Edit the file until it is right, then `aura resolve --as-is` closes the conflict."


def relocate(data: bytes, items: Iterable[OpenConflict], decision: str, decided: Iterable[str]) -> list[OpenConflict]:
    """Relocate the conflicts to the places they have in the document now.

    Only those whose ids are `decided` must be found; the others stay where they were.

    Raises:
        NotStructural: the document cannot be read any more.
        ChoiceImpossible: the place is gone, or holds what neither side wrote.
    """
    document = structure_of(data)
    if isinstance(document, Unstructured):
        raise NotStructural(document.reason)
    wanted = set(decided)
    found = []
    for item in items:
        assert item.field is not None
        pointer = _follow(document.value, item)
        if pointer is None or not _is_expected(document.value, pointer, item.field):
            if item.id in wanted:
                reason = "it has been edited since the merge" if pointer is not None else "that place is gone"
                raise ChoiceImpossible(item.location, decision, reason, hint=_HINT)
            found.append(item)
        else:
            found.append(msgspec.structs.replace(item, field=msgspec.structs.replace(item.field, pointer=pointer)))
    return found


def relocate_in_file(data: bytes, items: Iterable[OpenConflict]) -> list[OpenConflict]:
    """Relocate the conflicts inside a file to their places in it now; one that is not found stays as it was."""
    document = structure_of(data)
    found = []
    for item in items:
        if item.text is not None:
            (text,) = find_again(data, (item.text,))
            found.append(msgspec.structs.replace(item, text=text))
        elif item.field is not None and isinstance(document, ParsedDocument):
            pointer = _follow(document.value, item)
            field = item.field if pointer is None else msgspec.structs.replace(item.field, pointer=pointer)
            found.append(msgspec.structs.replace(item, field=field))
        else:
            found.append(item)
    return found


def _follow(value: JsonValue, item: OpenConflict) -> str | None:
    assert item.field is not None
    return follow_pointer(value, item.field.pointer, item.anchors)


def follow_pointer(value: JsonValue, pointer: str, anchors: Iterable[str]) -> str | None:
    """Find the pointer to a place by the ids of the list elements on its way; None where it is gone."""
    ids = iter(anchors)
    tokens: list[str] = []
    for token in split_pointer(pointer):
        if isinstance(value, list):
            counted = int(token) if token.isdecimal() and len(token) < DIGITS else len(value)
            place = find_anchor(value, counted, next(ids, ""))
            if place is None:
                return None
            tokens.append(str(place))
            value = value[place]
        elif isinstance(value, dict) and token in value:
            tokens.append(token)
            value = value[token]
        else:
            return None
    return join_pointer(tokens)


def find_anchor(elements: list[JsonValue], place: int, wanted: str) -> int | None:
    """Find the element that stood at `place` and had the anchor `wanted` (see `conflicts.anchors`); None if gone.

    One that has no id, and whose name is not there any more, is the one that stands there.
    """
    is_there = place < len(elements)
    if not wanted:
        return place if is_there and not anchor(elements[place]) else None
    known_by = weak_anchor if wanted.startswith("{") else anchor
    if is_there and known_by(elements[place]) == wanted:
        return place
    found = [n for n, element in enumerate(elements) if known_by(element) == wanted]
    if len(found) == 1:
        return found[0]
    return place if is_there and known_by is weak_anchor and not anchor(elements[place]) else None


def _is_expected(value: JsonValue, pointer: str, conflict: Conflict) -> bool:
    """Tell whether the place holds what the merge or one of its sides put there."""
    if conflict.kind == "moved":
        return True
    try:
        here = resolve_pointer(value, pointer)
    except PointerUnknown:
        return False
    sides = (conflict.ours, conflict.theirs, conflict.base)
    return any(same(here, without_place(side)) for side in sides if side is not msgspec.UNSET)
