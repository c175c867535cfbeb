"""Joining two versions of a JSON document by field and by list element.

Objects join field by field, lists by what their elements are (`list_match`), prose by line and
word. A change of one side always lands. What both sides changed differently is a conflict and
stays ours; what one side removed and the other changed stays until somebody decides.
"""

import json
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from aura_vcs.compare.diff.list_match import Fingerprints, Pairs, match_elements, strong_identity
from aura_vcs.compare.diff.sequences import WorkBudget
from aura_vcs.compare.merge.counters import counted, counted_sides, counting_fields, uncounted
from aura_vcs.compare.merge.lists import Arrangement, Name, arrange, pair_additions
from aura_vcs.compare.merge.model import Conflict, MergedDocument, MergedValue
from aura_vcs.compare.merge.text import merge_strings
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer

Slot = JsonValue | UnsetType
PROSE_WORDS = 4
"""Words from which a text is joined by words; a path, a name or a duration is one value."""


Together = Callable[[dict[str, JsonValue], dict[str, JsonValue], dict[str, JsonValue]], dict[str, JsonValue] | None]
"""Merges those fields of base, ours and theirs that only make sense together; None where the whole is a question."""


class MergeRules(Struct, frozen=True):
    """How the parts of a kind of document join; timelines have rules of their own.

    `match` says which element of a new list is which of the old one (sorted by new position), `added`
    names what both may have added. Of an element that `is_ordered` it is a question what comes first where both
    put something to one place.
    """

    match: Callable[[list[JsonValue], list[JsonValue], "Merge"], Pairs]
    together: Together | None = None
    added: Name = strong_identity
    is_ordered: Callable[[JsonValue], bool] = lambda _: False
    merges_words: bool = True
    """Whether a text that both changed merges by words; where texts are parameters, that would make up a third one."""


class MergedPart(Struct, frozen=True):
    """A conflict while its place in the merged document is still being worked out."""

    tokens: tuple[str | int, ...]
    conflict: Conflict

    def under(self, token: str | int) -> "MergedPart":
        """Return the same part, seen from one level up."""
        return MergedPart((token, *self.tokens), self.conflict)


MergeFunction = Callable[[JsonValue, JsonValue, JsonValue], MergedValue]
"""Joins three parsed values."""


def merge_json(base: bytes, ours: bytes, theirs: bytes) -> MergedDocument:
    """Join two changed versions of a JSON document; the result is written the way ours is.

    Key order, indentation and the end of the file are ours. When a version cannot be read
    without loss, `fallback` says why and `data` is ours: join it as text then.
    """
    return merge_documents(base, ours, theirs, merge_values)


def merge_documents(base: bytes, ours: bytes, theirs: bytes, merge: MergeFunction) -> MergedDocument:
    """Merge as `merge_json` does, with another way of joining the parsed values."""
    changed = only_changed(base, ours, theirs)
    if changed is not None:
        return MergedDocument(changed)
    values = []
    for side, data in (("The common", base), ("Our", ours), ("Their", theirs)):
        document = parse_document(data)
        if isinstance(document, Unstructured):
            reason = f"{side} version is not merged by fields: {document.reason}"
            return MergedDocument(ours, fallback=reason)
        assert isinstance(document, ParsedDocument)
        values.append(document.value)
    return merge_parsed((base, ours, theirs), values, merge)


def merge_parsed(
    sides: tuple[bytes, bytes, bytes], values: Sequence[JsonValue], merge: MergeFunction
) -> MergedDocument:
    """Merge common, our and their version as `merge_documents`, parsed already: large ones take memory."""
    changed = only_changed(*sides)
    if changed is not None:
        return MergedDocument(changed)
    merged = merge(values[0], values[1], values[2])
    return MergedDocument(write_like(merged.value, sides[1], values[1]), merged.conflicts)


def only_changed(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Return the version of the side that alone changed anything, or that both made; None where they differ."""
    if theirs in (ours, base):
        return ours
    return theirs if ours == base else None


def merge_values(
    base: JsonValue, ours: JsonValue, theirs: JsonValue, *, rules: MergeRules | None = None
) -> MergedValue:
    """Join two changed versions of a JSON value.

    merge(a, a, b) is b, merge(a, b, a) is b. Swapping the sides gives the same value where there
    is not a conflict; what both add at one place comes in an order that only its content decides.
    Values are shared, not copied; n log n in time beside a bounded effort.

    Raises:
        LimitExceeded: a version is nested too deeply.
    """
    merge = Merge(Fingerprints(base, ours, theirs), rules or PLAIN)
    value, found = merge.slot(base, ours, theirs)
    conflicts = [structs.replace(one.conflict, pointer=join_pointer(one.tokens)) for one in found]
    return MergedValue(value, tuple(conflicts))


class Merge:
    """One merge under way."""

    def __init__(self, prints: Fingerprints, rules: MergeRules) -> None:
        self.prints = prints
        self.rules = rules
        self.effort = WorkBudget()

    def _number(self, value: Slot) -> int:
        return -1 if value is UNSET else self.prints.of(value)

    def slot(self, base: Slot, ours: Slot, theirs: Slot) -> tuple[Slot, list[MergedPart]]:
        """Join what stands at one place; UNSET where a side has nothing."""
        was, here, there = self._number(base), self._number(ours), self._number(theirs)
        if there in (was, here):
            return ours, []
        if here == was:
            return theirs, []
        if ours is UNSET or theirs is UNSET:
            return _keep_changed(base, ours, theirs)
        joined = self._merge_keys(base, ours, theirs)
        return joined or (ours, [_conflict("changed", base, ours, theirs)])

    def _merge_keys(self, base: Slot, ours: JsonValue, theirs: JsonValue) -> tuple[JsonValue, list[MergedPart]] | None:
        """Merge both sides' changes of one value, None when nothing is left but to choose."""
        if isinstance(ours, dict) and isinstance(theirs, dict) and isinstance(base, dict | UnsetType):
            return self._objects({} if isinstance(base, UnsetType) else base, ours, theirs)
        if isinstance(ours, list) and isinstance(theirs, list) and isinstance(base, list | UnsetType):
            return self._lists([] if isinstance(base, UnsetType) else base, ours, theirs)
        if self.rules.merges_words and isinstance(base, str) and isinstance(ours, str) and isinstance(theirs, str):
            joined = _prose(base, ours, theirs)
            return None if joined is None else (joined, [])
        return None

    def _objects(
        self, base: dict[str, JsonValue], ours: dict[str, JsonValue], theirs: dict[str, JsonValue]
    ) -> tuple[JsonValue, list[MergedPart]] | None:
        joined = self.rules.together(base, ours, theirs) if self.rules.together else {}
        if joined is None:
            return None
        result: dict[str, JsonValue] = {}
        found: list[MergedPart] = []
        for key in _key_order(ours, theirs):
            if key in joined:
                result[key] = joined[key]
                continue
            value, inner = self.slot(base.get(key, UNSET), ours.get(key, UNSET), theirs.get(key, UNSET))
            if value is not UNSET:
                result[key] = value
            found += [one.under(key) for one in inner]
        return result, found

    def _lists(
        self, base: list[JsonValue], ours: list[JsonValue], theirs: list[JsonValue]
    ) -> tuple[JsonValue, list[MergedPart]]:
        fields = counting_fields(base, ours, theirs)
        if not fields:
            return self._elements(base, ours, theirs)
        bare = [uncounted(side, fields) for side in (base, ours, theirs)]
        for side in bare:
            self.prints.add(side)
        values, found = self._elements(*bare)
        questions = []
        for each in found:
            place = each.tokens[0]
            if len(each.tokens) == 1 and isinstance(place, int):
                questions.append(structs.replace(each, conflict=counted_sides(each.conflict, fields, place)))
            else:
                questions.append(each)
        return [counted(value, fields, place) for place, value in enumerate(values)], questions

    def _elements(
        self, base: list[JsonValue], ours: list[JsonValue], theirs: list[JsonValue]
    ) -> tuple[list[JsonValue], list[MergedPart]]:
        to_ours = self.rules.match(base, ours, self)
        to_theirs = self.rules.match(base, theirs, self)
        added = pair_additions(ours, theirs, to_ours, to_theirs, self.prints, self.rules.added)
        plan = Arrangement((len(base), len(ours), len(theirs)), to_ours, to_theirs, added)
        values: dict[int, JsonValue] = {}
        found_in: dict[int, list[MergedPart]] = {}
        for n, (b, o, t) in enumerate(plan.entities):
            sides = _at(base, b), _at(ours, o), _at(theirs, t)
            value, inner = self.slot(*sides)
            if value is UNSET and b is not None and isinstance(base[b], dict) and _is_moved(plan, n):
                value, inner = _keep_changed(*sides)
            if value is not UNSET:
                values[n], found_in[n] = value, inner

        def content(n: int) -> list[str]:
            _, o, t = plan.entities[n]
            sides = (_at(ours, o), _at(theirs, t))
            return sorted(json.dumps(side, sort_keys=True) for side in sides if side is not UNSET)

        arranged = arrange(
            plan,
            set(values),
            content,
            counts=lambda n: self.rules.is_ordered(values[n]),
            wait=lambda n: isinstance(values[n], dict),
        )
        found: list[MergedPart] = []
        for position, n in enumerate(arranged.order):
            found += [one.under(position) for one in found_in[n]]
            if n in arranged.asked:
                places = arranged.asked[n]
                base_place = UNSET if places.base is None else places.base
                found.append(_conflict("moved", base_place, places.ours, places.theirs).under(position))
        return [values[n] for n in arranged.order], found


def _is_moved(plan: Arrangement, n: int) -> bool:
    """Tell whether the one side that has an element of the common version moved it."""
    b, o, t = plan.entities[n]
    return (o is not None and b in plan.moved_by_ours) or (t is not None and b in plan.moved_by_theirs)


def _at(elements: list[JsonValue], position: int | None) -> Slot:
    return UNSET if position is None else elements[position]


def _keep_changed(base: Slot, ours: Slot, theirs: Slot) -> tuple[Slot, list[MergedPart]]:
    """Keep what one side removed and the other changed."""
    if ours is UNSET:
        return theirs, [_conflict("removed_by_ours", base, ours, theirs)]
    return ours, [_conflict("removed_by_theirs", base, ours, theirs)]


def _conflict(
    kind: Literal["changed", "removed_by_ours", "removed_by_theirs", "moved"],
    base: Slot,
    ours: Slot,
    theirs: Slot,
) -> MergedPart:
    return MergedPart((), Conflict(kind, "", base, ours, theirs))


def _prose(base: str, ours: str, theirs: str) -> str | None:
    if len(base.split(None, PROSE_WORDS)) < PROSE_WORDS:
        return None
    joined, conflicts = merge_strings(base, ours, theirs)
    return None if conflicts else joined


def _key_order(ours: dict[str, JsonValue], theirs: dict[str, JsonValue]) -> list[str]:
    """Order keys as ours has them; keys that only they have follow the key they follow there."""
    after: dict[str | None, list[str]] = {}
    anchor: str | None = None
    for key in theirs:
        if key in ours:
            anchor = key
        else:
            after.setdefault(anchor, []).append(key)
    order = list(after.get(None, []))
    for key in ours:
        order.append(key)
        order += after.get(key, [])
    return order


PLAIN = MergeRules(lambda old, new, merge: match_elements(old, new, merge.prints, merge.effort))
