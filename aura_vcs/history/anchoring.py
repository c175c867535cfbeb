"""Finding a conflict again in a document that has been edited since the merge.

A pointer such as `/scenes/2/tone` counts elements. Somebody may have put a scene before it; then
the element is found by its id, and where it has none, only an unchanged value is taken for it.
"""

from collections.abc import Iterable

import msgspec

from aura_vcs.compare.documents import Unstructured, parse_document
from aura_vcs.compare.json_pointer import join_pointer, resolve_pointer, split_pointer
from aura_vcs.compare.merge_model import Conflict
from aura_vcs.compare.values import JsonValue, same
from aura_vcs.errors.comparing import ChoiceImpossible, NotStructural, PointerUnknown
from aura_vcs.history.conflicts import DIGITS, OpenConflict, anchor

_HINT = "Edit the file until it is right, then `aura resolve --as-is` closes the conflict."


def anchored(data: bytes, items: Iterable[OpenConflict], decision: str, decided: Iterable[str]) -> list[OpenConflict]:
    """The conflicts at the places they have in the document now.

    Only those whose ids are `decided` must be found; the others stay where they were.

    Raises:
        NotStructural: the document cannot be read any more.
        ChoiceImpossible: the place is gone, or holds what neither side wrote.
    """
    document = parse_document(data)
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
                raise ChoiceImpossible(item.place, decision, reason, hint=_HINT)
            found.append(item)
        else:
            found.append(msgspec.structs.replace(item, field=msgspec.structs.replace(item.field, pointer=pointer)))
    return found


def _follow(value: JsonValue, item: OpenConflict) -> str | None:
    """The pointer to the conflict's place, led by the ids of list elements; None where it is gone."""
    assert item.field is not None
    ids = iter(item.anchors)
    tokens: list[str] = []
    for token in split_pointer(item.field.pointer):
        if isinstance(value, list):
            place = _place(value, token, next(ids, ""))
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


def _place(elements: list[JsonValue], token: str, wanted: str) -> int | None:
    place = int(token) if token.isdecimal() and len(token) < DIGITS else len(elements)
    here = anchor(elements[place]) if place < len(elements) else None
    if here is not None and here == wanted:
        return place
    found = [n for n, element in enumerate(elements) if wanted and anchor(element) == wanted]
    return found[0] if len(found) == 1 else None


def _is_expected(value: JsonValue, pointer: str, conflict: Conflict) -> bool:
    """Whether the place holds what the merge or one of its sides put there."""
    if conflict.kind == "moved":
        return True
    try:
        here = resolve_pointer(value, pointer)
    except PointerUnknown:
        return False
    return any(
        same(here, side) for side in (conflict.ours, conflict.theirs, conflict.base) if side is not msgspec.UNSET
    )
