"""Fields that only count the elements of a list: both sides renumber them, and neither means anything by it.

They are left out while the list merges and are counted anew.
"""

from collections.abc import Mapping

from msgspec import UnsetType, structs

from aura_vcs.compare.diff.list_match import STRONG_KEYS
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.formats.jsondoc.values import JsonValue

Firsts = Mapping[str, int]
"""The counting fields, and the number that the first element has."""


def counting_fields(*lists: list[JsonValue]) -> dict[str, int]:
    """Find the fields that count up from the same number in all these lists that have elements; ids never count."""
    filled = [elements for elements in lists if elements]
    if len(filled) < 2 or max(map(len, filled)) < 2:
        return {}
    first = filled[0][0]
    keys = [key for key, value in first.items() if _is_number(value)] if isinstance(first, dict) else []
    return {key: first[key] for key in keys if key not in STRONG_KEYS and all(_counts(each, key) for each in filled)}


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in (0, 1)


def _counts(elements: list[JsonValue], key: str) -> bool:
    start = elements[0].get(key) if isinstance(elements[0], dict) else None
    if start is None or not _is_number(start):
        return False
    return all(isinstance(each, dict) and each.get(key) == start + n for n, each in enumerate(elements))


def uncounted(elements: list[JsonValue], fields: Firsts) -> list[JsonValue]:
    """Return the elements with null where they are counted."""
    return [{key: None if key in fields else value for key, value in each.items()} for each in elements]


def counted(element: JsonValue, fields: Firsts, place: int) -> JsonValue:
    """Fill the numbers of its place into an element."""
    if not isinstance(element, dict):
        return element
    return {key: fields[key] + place if key in fields and value is None else value for key, value in element.items()}


def counted_sides(conflict: Conflict, fields: Firsts, place: int) -> Conflict:
    """Fill the numbers of its place into what the sides of a question about a whole element have."""

    def fill(side: JsonValue | UnsetType) -> JsonValue | UnsetType:
        return side if isinstance(side, UnsetType) else counted(side, fields, place)

    if conflict.kind == "moved":
        return conflict
    return structs.replace(conflict, base=fill(conflict.base), ours=fill(conflict.ours), theirs=fill(conflict.theirs))
