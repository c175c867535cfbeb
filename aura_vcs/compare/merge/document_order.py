"""Documents of one folder that are counted by their `index`: after a merge no two may have one number.

A scene put in front here and one at the end there both renumber the others. The order is merged as a list is, and the
documents are counted anew; what cannot be said is a question about the numbers.
"""

from collections import Counter
from collections.abc import Hashable, Mapping

from msgspec import UNSET, Struct, UnsetType

from aura_vcs.compare.diff.list_match import Pairs, match_elements, strong_identity
from aura_vcs.compare.merge.json_values import Merge, MergeRules, merge_values
from aura_vcs.compare.merge.model import Conflict
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import JsonValue

FIELD = "index"
POINTER = f"/{FIELD}"


class Numbers(Struct, frozen=True):
    """Documents with other numbers, by path; questions about numbers; paths whose number is not a question any more."""

    files: dict[str, bytes] = {}
    asked: dict[str, Conflict] = {}
    resolved: frozenset[str] = frozenset()


class _Counted(Struct, frozen=True):
    path: str
    number: int
    value: dict[str, JsonValue]
    data: bytes


Folder = Mapping[str, bytes]
"""The documents of one folder, by path."""


def count_again(base: Folder, ours: Folder, theirs: Folder, merged: Folder, *, is_open: bool) -> Numbers:
    """Plan the numbers of a merged folder; `is_open` says that the merge asks about one already."""
    sides = [_counted(each) for each in (base, ours, theirs)]
    now = _counted(merged)
    if now is None or any(side is None or _twice(side) for side in sides):
        return Numbers()
    if not is_open and not _twice(now) and _is_counting(now):
        return Numbers()
    orders = [sorted(side, key=lambda name: side[name].number) for side in sides if side is not None]
    firsts = {side[order[0]].number for side, order in zip(sides, orders, strict=True) if side and order}
    if len(firsts) == 1 and all(_is_counting(side) for side in sides if side):
        listed = ([{"id": repr(name)} for name in order] for order in orders)
        found = merge_values(*listed, rules=_IN_ORDER)
        order = [element["id"] for element in found.value]
        names = {repr(name): name for name in now}
        if not found.conflicts and sorted(order) == sorted(names):
            first = firsts.pop()
            wanted = {name: n for n, name in enumerate((names[each] for each in order), first)}
            return _renumbered(now, wanted)
    return Numbers(asked=_questions(sides, now))


def _match(old: list[JsonValue], new: list[JsonValue], merge: Merge) -> Pairs:
    return match_elements(old, new, merge.prints, merge.effort)


_IN_ORDER = MergeRules(_match, is_ordered=lambda _: True)


def _counted(folder: Folder) -> dict[Hashable, _Counted] | None:
    """Map the documents that have an id and a number by id; None where two have one id."""
    found: dict[Hashable, _Counted] = {}
    for path, data in folder.items():
        document = parse_document(data)
        value = document.value if isinstance(document, ParsedDocument) else None
        name = strong_identity(value)
        if not isinstance(value, dict) or name is None or type(value.get(FIELD)) is not int:
            continue
        if name in found:
            return None
        found[name] = _Counted(path, value[FIELD], value, data)
    return found


def _twice(side: Mapping[Hashable, _Counted]) -> set[int]:
    return {number for number, count in Counter(each.number for each in side.values()).items() if count > 1}


def _is_counting(side: Mapping[Hashable, _Counted]) -> bool:
    numbers = sorted(each.number for each in side.values())
    return not numbers or (numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers))))


def _renumbered(now: Mapping[Hashable, _Counted], wanted: Mapping[Hashable, int]) -> Numbers:
    files = {}
    for name, each in now.items():
        if each.number != wanted[name]:
            files[each.path] = write_like(each.value | {FIELD: wanted[name]}, each.data, each.value)
    return Numbers(files, resolved=frozenset(each.path for each in now.values()))


def _questions(sides: list[dict[Hashable, _Counted] | None], now: Mapping[Hashable, _Counted]) -> dict[str, Conflict]:
    """Ask about each document that shares its number with another one and has it from one side alone."""
    doubled = _twice(now)
    base, ours, theirs = sides

    def number(side: dict[Hashable, _Counted] | None, name: Hashable) -> int | UnsetType:
        found = side.get(name) if side is not None else None
        return UNSET if found is None else found.number

    asked = {}
    for name, each in now.items():
        if each.number in doubled:
            mine, other = number(ours, name), number(theirs, name)
            mine, other = (each.number if place is UNSET else place for place in (mine, other))
            asked[each.path] = Conflict("changed", POINTER, number(base, name), mine, other)
    return asked
