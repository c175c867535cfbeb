"""Deciding conflicts that a merge left open, one at a time, today or on another machine.

Every function is pure: it takes what was stored and gives back the new thing and the conflicts
that are still open, their places brought up to date.
"""

from typing import assert_never

from msgspec import UNSET, Struct, UnsetType, structs

from aura_vcs.compare.merge.model import (
    Choice,
    Conflict,
    MergedDocument,
    MergedValue,
)
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown, NotStructural, PatchFailed, PointerUnknown
from aura_vcs.formats.jsondoc.parse import Unstructured, parse_document
from aura_vcs.formats.jsondoc.patch import PatchOperation, apply_patch
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer, resolve_pointer, split_pointer

_ASK = "Choose another side, or edit the file until it is right and choose --as-is."


class ElementShift(Struct, frozen=True):
    """An element that left place `source` of the list at `parent`, came to `target`, or both."""

    parent: tuple[str, ...]
    source: int | None
    target: int | None

    def moved(self, conflict: Conflict) -> Conflict:
        """Return the same conflict at the place it has afterwards."""
        pointer = self.followed(conflict.pointer)
        if conflict.kind != "moved":
            return structs.replace(conflict, pointer=pointer)
        is_here = split_pointer(conflict.pointer)[:-1] == self.parent and None in (self.source, self.target)
        places = {name: getattr(conflict, name) for name in ("base", "ours", "theirs")}
        for name, place in places.items():
            if isinstance(place, str):
                places[name] = self.followed(place)
            elif isinstance(place, int) and is_here:
                places[name] = self._place(place)
        return structs.replace(conflict, pointer=pointer, **places)

    def followed(self, pointer: str) -> str:
        """Return the pointer to what was at `pointer` before."""
        tokens = list(split_pointer(pointer))
        n = len(self.parent)
        if len(tokens) <= n or tuple(tokens[:n]) != self.parent or not tokens[n].isdecimal():
            return pointer
        tokens[n] = str(self._place(int(tokens[n])))
        return join_pointer(tokens)

    def _place(self, place: int) -> int:
        if place == self.source:
            return place if self.target is None else self.target
        place -= self.source is not None and place > self.source
        return place + (self.target is not None and place >= self.target)


class _Reordered(Struct, frozen=True):
    """Elements of the list at `parent` that stand elsewhere in it now: old place to new one."""

    parent: tuple[str, ...]
    places: dict[int, int]

    def moved(self, conflict: Conflict) -> Conflict:
        """Return the same conflict at the place it has afterwards."""
        tokens = list(split_pointer(conflict.pointer))
        n = len(self.parent)
        if len(tokens) <= n or tuple(tokens[:n]) != self.parent or not tokens[n].isdecimal():
            return conflict
        place = int(tokens[n])
        tokens[n] = str(self.places.get(place, place))
        return structs.replace(conflict, pointer=join_pointer(tokens))


class _Change(Struct, frozen=True):
    """Operations that carry out a choice, and what they do to the places of other conflicts."""

    operations: tuple[PatchOperation, ...] = ()
    shifts: tuple[ElementShift | _Reordered, ...] = ()


def resolve_document(data: bytes, conflicts: tuple[Conflict, ...], pointer: str, choice: Choice) -> MergedDocument:
    """Resolve conflicts as `resolve_value` does, in a document as bytes, written the way it was.

    Raises:
        NotStructural: the document cannot be read any more (it was edited by hand, perhaps).
    """
    document = parse_document(data)
    if isinstance(document, Unstructured):
        raise NotStructural(document.reason)
    merged = resolve_value(document.value, conflicts, pointer, choice)
    return MergedDocument(write_like(merged.value, data, document.value), merged.conflicts)


def resolve_value(value: JsonValue, conflicts: tuple[Conflict, ...], pointer: str, choice: Choice) -> MergedValue:
    """Decide all conflicts at `pointer` or below it ("" decides all); the others stay open.

    `ours`, `theirs` and `base` put that side's value there, or take it away where that side has
    none. `both` keeps both: an element of a list comes twice, ours first; a part that one side
    removed stays; texts of several lines follow one another. Deciding twice the same way is no
    error as long as the place exists.

    Raises:
        ConflictUnknown: there is no open conflict at or below `pointer`.
        ChoiceImpossible: `both` where one value can only be one, or the place has gone.
    """
    at = split_pointer(pointer)
    chosen = [conflict for conflict in conflicts if split_pointer(conflict.pointer)[: len(at)] == at]
    if not chosen:
        raise ConflictUnknown(pointer, [conflict.pointer for conflict in conflicts[:5]])
    decided = {id(conflict) for conflict in chosen}
    left = [conflict for conflict in conflicts if id(conflict) not in decided]
    moves = [conflict for conflict in chosen if conflict.kind == "moved"]
    # Moves come first: something may be moved out of what goes. Then the last in the document first: deciding one
    # may shift what comes after it.
    fixed = [conflict for conflict in chosen if conflict.kind != "moved"]
    is_sorted = False
    while fixed or moves:
        if moves:
            moves.sort(key=lambda move: _target_order(move, choice), reverse=True)
            current = moves.pop()
            here = [current, *(move for move in moves if _is_beside(move, current, choice))]
            taken = {id(move) for move in here}
            moves = [move for move in moves if id(move) not in taken]
            change = _move_together(value, here, choice) if len(here) > 1 else _change(value, current, choice)
        else:
            if not is_sorted:
                fixed.sort(key=_order)
                is_sorted = True
            current = fixed.pop()
            change = _change(value, current, choice)
        try:
            value = apply_patch(value, change.operations)
        except PatchFailed as error:
            raise ChoiceImpossible(current.pointer, choice, error.reason, hint=_ASK) from error
        for shift in change.shifts:
            left, moves = ([shift.moved(conflict) for conflict in each] for each in (left, moves))
            fixed = fixed if is_sorted else [shift.moved(conflict) for conflict in fixed]
    return MergedValue(value, tuple(left))


def _target_order(conflict: Conflict, choice: Choice) -> tuple[tuple[int, str], ...]:
    """Return the sort key of a move: from the front of a list to its end, so that each finds what it goes behind."""
    target = _side(conflict, choice)
    if isinstance(target, str):
        return _order(structs.replace(conflict, pointer=target))
    return ((target, "") if isinstance(target, int) else (-1, ""),)


def _is_beside(one: Conflict, other: Conflict, choice: Choice) -> bool:
    """Tell whether two elements go to other places of one and the same list."""
    if not (isinstance(_side(one, choice), int) and isinstance(_side(other, choice), int)):
        return False
    return split_pointer(one.pointer)[:-1] == split_pointer(other.pointer)[:-1]


def _move_together(value: JsonValue, moves: list[Conflict], choice: Choice) -> _Change:
    """Take several elements of one list out and put each where the chosen side has it, the first one first."""
    parent = split_pointer(moves[0].pointer)[:-1]
    elements = resolve_pointer(value, join_pointer(parent))
    for move in moves:
        _check_position(elements, split_pointer(move.pointer), move.pointer, choice)
    sides = [(int(split_pointer(move.pointer)[-1]), _side(move, choice)) for move in moves]
    wanted = {source: target for source, target in sides if isinstance(target, int)}
    order = [n for n in range(len(elements)) if n not in wanted]
    for source, target in sorted(wanted.items(), key=lambda pair: (pair[1], pair[0])):
        order.insert(min(target, len(order)), source)
    put = PatchOperation("replace", join_pointer(parent), value=[elements[n] for n in order])
    return _Change((put,), (_Reordered(parent, {n: place for place, n in enumerate(order)}),))


def _order(conflict: Conflict) -> tuple[tuple[int, str], ...]:
    return tuple(
        (int(token), "") if token.isdecimal() and len(token) < 10 else (-1, token)
        for token in split_pointer(conflict.pointer)
    )


def _change(value: JsonValue, conflict: Conflict, choice: Choice) -> _Change:
    tokens = split_pointer(conflict.pointer)
    parent = resolve_pointer(value, join_pointer(tokens[:-1])) if tokens else None
    _check_position(parent, tokens, conflict.pointer, choice)
    if conflict.kind == "moved":
        return _move(value, conflict, tokens, choice)
    if choice == "both":
        return _both(conflict, tokens, parent)
    if (conflict.kind, choice) in (("removed_by_ours", "theirs"), ("removed_by_theirs", "ours")):
        return _Change()  # it stands there, with what else was merged into it
    wanted = _side(conflict, choice)
    if wanted is not UNSET:
        return _Change((PatchOperation("replace", conflict.pointer, value=wanted),))
    if not tokens:
        raise ChoiceImpossible("the whole document", choice, "that side has none", hint=_ASK)
    shifts = (ElementShift(tokens[:-1], int(tokens[-1]), None),) if isinstance(parent, list) else ()
    return _Change((PatchOperation("remove", conflict.pointer),), shifts)


def _side(conflict: Conflict, choice: Choice) -> JsonValue | UnsetType:
    if choice == "ours":
        return conflict.ours
    if choice == "theirs":
        return conflict.theirs
    if choice == "base":
        return conflict.base
    if choice == "both":
        return UNSET
    assert_never(choice)


def _check_position(parent: JsonValue, tokens: tuple[str, ...], pointer: str, choice: Choice) -> None:
    """Raise if the place is not in the document any more, which may have been edited since."""
    if not tokens:
        return
    there = tokens[-1] in parent if isinstance(parent, dict) else isinstance(parent, list)
    if isinstance(parent, list):
        there = tokens[-1].isdecimal() and int(tokens[-1]) < len(parent)
    if not there:
        raise ChoiceImpossible(pointer, choice, "that place is not in the document any more", hint=_ASK)


def _both(conflict: Conflict, tokens: tuple[str, ...], parent: JsonValue) -> _Change:
    if conflict.kind in ("removed_by_ours", "removed_by_theirs"):
        return _Change()
    ours, theirs = conflict.ours, conflict.theirs
    put = PatchOperation("replace", conflict.pointer, value=ours)
    if isinstance(parent, list) and isinstance(ours, dict | list | str):
        place = int(tokens[-1]) + 1
        add = PatchOperation("add", join_pointer((*tokens[:-1], place)), value=theirs)
        return _Change((put, add), (ElementShift(tokens[:-1], None, place),))
    if isinstance(ours, str) and isinstance(theirs, str) and ("\n" in ours or " " in ours):
        text = ours + ("" if ours.endswith("\n") else "\n") + theirs
        return _Change((PatchOperation("replace", conflict.pointer, value=text),))
    raise ChoiceImpossible(conflict.pointer, "both", "one field has one value", hint=_ASK)


def _move(value: JsonValue, conflict: Conflict, tokens: tuple[str, ...], choice: Choice) -> _Change:
    """Put the element at the place it has on the chosen side; that may be in another list."""
    parent = resolve_pointer(value, join_pointer(tokens[:-1]))
    place = _side(conflict, choice)
    if choice in ("ours", "both") or not isinstance(parent, list):
        return _Change()
    here, source = tokens[:-1], int(tokens[-1])
    if isinstance(place, int):
        target = min(place, len(parent) - 1)
        path = join_pointer((*here, target))
        return _Change((PatchOperation("move", path, source=conflict.pointer),), (ElementShift(here, source, target),))
    if not isinstance(place, str):
        return _Change()
    there = split_pointer(place)
    try:
        other = resolve_pointer(value, join_pointer(there[:-1]))
    except PointerUnknown:
        other = None
    if not isinstance(other, list) or not there[-1].isdecimal():
        raise ChoiceImpossible(conflict.pointer, choice, f"{place} is not in the document any more", hint=_ASK)
    target = min(int(there[-1]), len(other) - (other is parent))
    gone = ElementShift(
        here, source, None
    )  # it leaves its list first, which may be one that the way there leads through
    way = split_pointer(gone.followed(join_pointer(there[:-1])))
    path = join_pointer((*way, target))
    steps = (PatchOperation("remove", conflict.pointer), PatchOperation("add", path, value=parent[source]))
    return _Change(steps, (gone, ElementShift(way, None, target)))
