"""Joining documents by field and list element, and deciding what is left."""

import copy
import json
import random
import time
from typing import Any

import msgspec
import pytest
from aura_vcs.compare.merge.json_values import merge_json, merge_values
from aura_vcs.compare.merge.model import Conflict, MergedValue
from aura_vcs.compare.merge.resolve_json import resolve_document, resolve_value
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown, NotStructural
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import resolve_pointer, same
from hypothesis import assume, given, settings, strategies as st
from msgspec import UNSET

from tests.compare.json_values import DOCUMENTS, IDENTIFIED, SCALARS, unhurried

BASE = {
    "topic": "planets",
    "tone": "calm",
    "tags": ["space", "kids"],
    "scenes": [{"id": n, "script": f"scene {n}", "duration": 6.0} for n in range(5)],
}


def _edit(value: Any, rng: random.Random) -> Any:
    """A few changes a person might make: edits, removals, additions, moves."""
    value = copy.deepcopy(value)
    for _ in range(rng.randrange(1, 4)):
        _edit_once(value, rng)
    return value


def _edit_once(value: Any, rng: random.Random) -> None:
    if isinstance(value, list) and value:
        n = rng.randrange(len(value))
        if isinstance(value[n], dict | list) and rng.random() < 0.5:
            return _edit_once(value[n], rng)
        what = rng.randrange(4)
        if what == 0:
            value.insert(n, {"id": rng.randrange(100, 999), "a": 1})
        elif what == 1:
            del value[n]
        elif what == 2:
            value.insert(rng.randrange(len(value)), value.pop(n))
        elif not isinstance(value[n], dict | list):
            value[n] = rng.random()
    elif isinstance(value, dict) and value:
        key = rng.choice(sorted(value))
        if isinstance(value[key], dict | list) and rng.random() < 0.8:
            return _edit_once(value[key], rng)
        if rng.random() < 0.2 and key != "id":
            del value[key]
        elif key != "id":
            value[key] = rng.choice([0, 1, "x", None, 2.5])
        else:
            value["new" + str(rng.randrange(3))] = rng.randrange(3)
    return None


def _all(merged: MergedValue, choice: Any) -> Any:
    return resolve_value(merged.value, merged.conflicts, "", choice).value if merged.conflicts else merged.value


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_a_change_of_one_side_is_the_result(base: Any, new: Any) -> None:
    """merge(a, a, b) = b, merge(a, b, a) = b, merge(a, b, b) = b, all without conflicts."""
    for merged in (
        merge_values(base, base, new),
        merge_values(base, new, base),
        merge_values(base, new, new),
    ):
        assert same(merged.value, new)
        assert merged.conflicts == ()


@unhurried
@given(st.one_of(DOCUMENTS, IDENTIFIED), st.randoms(use_true_random=False))
def test_swapping_the_sides_swaps_nothing_else(base: Any, rng: random.Random) -> None:
    """Without conflicts the result is the same; with them, resolved to the same side, likewise."""
    _check_swap(base, rng)


@pytest.mark.slow
@given(st.one_of(DOCUMENTS, IDENTIFIED), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=2_000)
def test_swapping_the_sides_at_length(base: Any, rng: random.Random) -> None:
    """The same with thousands of examples."""
    _check_swap(base, rng)


def _check_swap(base: Any, rng: random.Random) -> None:
    ours, theirs = _edit(base, rng), _edit(base, rng)
    one, other = merge_values(base, ours, theirs), merge_values(base, theirs, ours)
    assert len(one.conflicts) == len(other.conflicts)
    if any(conflict.kind == "moved" for conflict in one.conflicts):
        return
    both = [sorted(side.conflicts, key=lambda conflict: conflict.pointer) for side in (one, other)]
    for left, right in zip(*both, strict=True):
        assert left.pointer == right.pointer
        assert same_slot(left.base, right.base)
        assert same_slot(left.ours, right.theirs)
    assert same(_all(one, "ours"), _all(other, "theirs"))
    assert same(_all(one, "theirs"), _all(other, "ours"))
    again = merge_values(copy.deepcopy(base), copy.deepcopy(ours), copy.deepcopy(theirs))
    assert same(again.value, one.value)


def same_slot(one: Any, other: Any) -> bool:
    """Two values, or two absences, are the same."""
    return one is other is UNSET or (UNSET not in (one, other) and same(one, other))


@unhurried
@given(IDENTIFIED, st.randoms(use_true_random=False))
def test_no_element_disappears_unless_its_removal_was_the_change(base: Any, rng: random.Random) -> None:
    """Every id of a side is in the result, or the other side removed it and this one left it alone."""
    ours, theirs = _edit(base, rng), _edit(base, rng)
    for side in (ours, theirs):
        assume(len({element["id"] for element in side}) == len(side))
    merged = merge_values(base, ours, theirs)
    before = {element["id"]: element for element in base}
    here = {element["id"]: element for element in merged.value}
    for side, other in ((ours, theirs), (theirs, ours)):
        others = {element["id"] for element in other}
        for element in side:
            if element["id"] in here:
                continue
            assert element["id"] in before
            assert element["id"] not in others
            assert same(element, before[element["id"]])
    assert len(here) == len(merged.value)


@unhurried
@given(st.randoms(use_true_random=False), st.data())
def test_changes_of_different_fields_all_land(rng: random.Random, data: Any) -> None:
    """What one side did to a field, an element or the order lands when the other left it alone."""
    ours, theirs = copy.deepcopy(BASE), copy.deepcopy(BASE)
    ours["scenes"].insert(0, ours["scenes"].pop(3))
    ours["tone"] = data.draw(SCALARS)
    theirs["scenes"][3]["duration"] = data.draw(SCALARS)
    theirs["scenes"].append({"id": 9, "script": "new"})
    del theirs["topic"]
    ours["tags"].append("stars")
    theirs["tags"].remove("kids")
    if rng.random() < 0.5:
        ours, theirs = theirs, ours
    merged = merge_values(BASE, ours, theirs)
    assert merged.conflicts == ()
    assert [scene["id"] for scene in merged.value["scenes"]] == [3, 0, 1, 2, 4, 9]
    assert merged.value["tags"] == ["space", "stars"]
    assert "topic" not in merged.value


@unhurried
@given(st.lists(SCALARS, min_size=4, max_size=9), st.randoms(use_true_random=False))
def test_each_sides_own_elements_are_as_that_side_left_them(values: list[Any], rng: random.Random) -> None:
    """One side edits and moves the even elements, the other the odd ones: both are in the result."""
    base = [{"id": n, "v": 0, "w": n} for n in range(len(values))]
    sides = [copy.deepcopy(base), copy.deepcopy(base)]
    for n, value in enumerate(values):
        sides[n % 2][n]["v"] = value
    for parity, side in enumerate(sides):
        mover = side.pop(rng.choice(range(parity, len(values), 2)))
        side.insert(rng.randrange(len(values)), mover)
    merged = merge_values(base, *sides)
    here = {element["id"]: element for element in merged.value}
    assert len(merged.value) == len(here) == len(values)
    for n, value in enumerate(values):
        assert same(here[n], {"id": n, "v": value, "w": n})
    assert all(conflict.kind == "moved" for conflict in merged.conflicts)


def test_both_add_at_one_place_in_an_order_of_their_own() -> None:
    """The same list comes out on both machines, and nothing is lost."""
    ours = {"scenes": [*BASE["scenes"], {"id": "z"}, {"id": "y"}]}
    theirs = {"scenes": [*BASE["scenes"], {"id": "a"}, {"id": "m"}]}
    base = {"scenes": BASE["scenes"]}
    one, other = merge_values(base, ours, theirs), merge_values(base, theirs, ours)
    assert one == other
    assert [element["id"] for element in one.value["scenes"][5:]] == ["a", "m", "z", "y"]


def test_the_same_addition_on_both_sides_is_one() -> None:
    """What both added alike comes once; the same id with other fields is joined."""
    ours, theirs = copy.deepcopy(BASE), copy.deepcopy(BASE)
    ours["tags"].append("x")
    theirs["tags"].insert(0, "x")
    ours["scenes"].append({"id": "n", "a": 1})
    theirs["scenes"].append({"id": "n", "b": 2})
    merged = merge_values(BASE, ours, theirs)
    assert sorted(merged.value["tags"]) == ["kids", "space", "x"]
    assert merged.value["scenes"][5] == {"id": "n", "a": 1, "b": 2}


def test_prose_joins_by_words_and_values_do_not() -> None:
    """Two edits of a script at different places join; two edits of a number or a path do not."""
    base = {"script": "Long ago there was only dust and gas in the dark.", "file": "a b/c.png", "n": 1}
    ours = {
        **base,
        "script": "Long, long ago there was only dust and gas in the dark.",
        "file": "x b/c.png",
        "n": 2,
    }
    theirs = {
        **base,
        "script": "Long ago there was only dust and gas in the deep dark.",
        "file": "a b/d.png",
        "n": 3,
    }
    merged = merge_values(base, ours, theirs)
    assert merged.value["script"] == "Long, long ago there was only dust and gas in the deep dark."
    assert [conflict.pointer for conflict in merged.conflicts] == ["/file", "/n"]
    assert merged.value["n"] == 2


def test_edited_here_and_removed_there_stays_and_is_a_conflict() -> None:
    """A deletion never wins over an edit unasked."""
    ours, theirs = copy.deepcopy(BASE), copy.deepcopy(BASE)
    del ours["scenes"][1]
    theirs["scenes"][1]["script"] = "rewritten"
    del theirs["tone"]
    ours["tone"] = "lively"
    merged = merge_values(BASE, ours, theirs)
    kinds = {conflict.pointer: conflict.kind for conflict in merged.conflicts}
    assert kinds == {"/tone": "removed_by_theirs", "/scenes/1": "removed_by_ours"}
    assert [scene["id"] for scene in merged.value["scenes"]] == [0, 1, 2, 3, 4]
    assert _all(merged, "ours") == {**ours}
    assert _all(merged, "theirs") == theirs


def test_moved_to_two_places_is_a_conflict_that_keeps_one() -> None:
    """The element stands once, at our place, and can be put at theirs."""
    ours, theirs = copy.deepcopy(BASE), copy.deepcopy(BASE)
    ours["scenes"].insert(0, ours["scenes"].pop(2))
    theirs["scenes"].append(theirs["scenes"].pop(2))
    merged = merge_values(BASE, ours, theirs)
    assert [scene["id"] for scene in merged.value["scenes"]] == [2, 0, 1, 3, 4]
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.pointer, conflict.theirs) == ("moved", "/scenes/0", 4)
    decided = resolve_value(merged.value, merged.conflicts, "/scenes/0", "theirs")
    assert [scene["id"] for scene in decided.value["scenes"]] == [0, 1, 3, 4, 2]


def test_conflicts_are_stored_carried_and_resolved_one_by_one() -> None:
    """A conflict survives JSON, and deciding one keeps the places of the others right."""
    base = {"l": [{"id": n, "v": 0} for n in range(6)], "a": 1}
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours["l"][1]["v"], theirs["l"] = 1, [*theirs["l"][:1], *theirs["l"][2:]]
    ours["l"][4]["v"], theirs["l"][3]["v"] = 5, 6
    ours["a"], theirs["a"] = 2, 3
    merged = merge_json(json.dumps(base).encode(), json.dumps(ours).encode(), json.dumps(theirs).encode())
    stored = msgspec.json.decode(msgspec.json.encode(merged.conflicts), type=tuple[Conflict, ...])
    assert stored == merged.conflicts
    one = resolve_document(merged.data, stored, "/l/1", "theirs")
    assert [conflict.pointer for conflict in one.conflicts] == ["/l/3/v", "/a"]
    two = resolve_document(one.data, one.conflicts, "/l/3/v", "theirs")
    three = resolve_document(two.data, two.conflicts, "", "base")
    value = json.loads(three.data)
    assert three.conflicts == ()
    assert [element["id"] for element in value["l"]] == [0, 2, 3, 4, 5]
    assert (value["l"][3]["v"], value["a"]) == (6, 1)


def test_keeping_both() -> None:
    """Elements come twice, prose follows on, a plain field cannot be two values."""
    base = {"list": ["one two"], "text": "one\ntwo\n", "n": 1}
    ours = {"list": ["one three"], "text": "one\nours\n", "n": 2}
    theirs = {"list": ["one four"], "text": "one\ntheirs\n", "n": 3}
    merged = merge_values(base, ours, theirs)
    value = resolve_value(merged.value, merged.conflicts, "/text", "both").value
    assert value["text"] == "one\nours\none\ntheirs\n"
    value = resolve_value(merged.value, merged.conflicts, "/list/0", "both").value
    assert value["list"] == ["one three", "one four"]
    with pytest.raises(ChoiceImpossible, match="'/n' cannot be resolved with --both: one field"):
        resolve_value(merged.value, merged.conflicts, "/n", "both")


def test_wrong_places_are_told() -> None:
    """An unknown place lists the open ones; a place that was edited away is not guessed at."""
    merged = merge_values({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 1})
    with pytest.raises(ConflictUnknown) as caught:
        resolve_value(merged.value, merged.conflicts, "/b", "ours")
    assert caught.value.hint == "Conflicts are at /a."
    with pytest.raises(ChoiceImpossible, match="not in the document any more"):
        resolve_value({"b": 1}, merged.conflicts, "/a", "theirs")
    with pytest.raises(NotStructural):
        resolve_document(b"{broken", merged.conflicts, "/a", "ours")


@unhurried
@given(DOCUMENTS, st.randoms(use_true_random=False), st.sampled_from(["ours", "theirs", "base"]))
def test_deciding_everything_always_works(base: Any, rng: random.Random, choice: Any) -> None:
    """Every conflict of every merge points into the merged document and can be decided."""
    merged = merge_values(base, _edit(base, rng), _edit(base, rng))
    for conflict in merged.conflicts:
        resolve_pointer(merged.value, conflict.pointer)
    whole = any(conflict.pointer == "" for conflict in merged.conflicts)
    assume(not whole)
    if merged.conflicts:
        assert resolve_value(merged.value, merged.conflicts, "", choice).conflicts == ()


@unhurried
@given(IDENTIFIED, st.randoms(use_true_random=False), st.sampled_from(["ours", "theirs", "base"]))
def test_deciding_one_by_one_is_deciding_all(base: Any, rng: random.Random, choice: Any) -> None:
    """In whatever order conflicts are decided, the places of those left stay right."""
    merged = merge_values(base, _edit(base, rng), _edit(base, rng))
    assume(all(conflict.kind != "moved" for conflict in merged.conflicts))
    step = merged
    while step.conflicts:
        conflict = rng.choice(step.conflicts)
        step = resolve_value(step.value, step.conflicts, conflict.pointer, choice)
    assert same(step.value, _all(merged, choice))


def test_deciding_a_move_keeps_the_other_places_right() -> None:
    """What stands between the old and the new place shifts, and its conflicts with it."""
    base = [{"id": n, "v": 0} for n in range(6)]
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours.append(ours.pop(3))
    theirs.insert(0, theirs.pop(3))
    ours[1]["v"], theirs[2]["v"] = 1, 2
    merged = merge_values(base, ours, theirs)
    assert [conflict.pointer for conflict in merged.conflicts] == ["/1/v", "/5"]
    step = resolve_value(merged.value, merged.conflicts, "/5", "theirs")
    assert [element["id"] for element in step.value] == [3, 0, 1, 2, 4, 5]
    assert [conflict.pointer for conflict in step.conflicts] == ["/2/v"]
    assert resolve_value(step.value, step.conflicts, "/2/v", "theirs").value == theirs


@pytest.mark.parametrize(
    "ours",
    [
        '{\n    "b": 1.50,\n    "a": [1, 2],\n    "u": "ü"\n}\n',
        '{"b":1.50,"a":[1,2],"u":"ü"}',
        '{"b": 1.50, "a": [1, 2], "u": "\\u00fc"}\r\n',
        '{\r\n\t"b": 1.50,\r\n\t"a": [\r\n\t\t1,\r\n\t\t2\r\n\t],\r\n\t"u": "\\u00fc"\r\n}',
        '{\n"b": 1.50,\n"a": [1, 2],\n"u": "ü"\n}\n\n',
    ],
)
def test_the_result_is_written_the_way_ours_is(ours: str) -> None:
    """Order, indentation, line ends, inline lists, number spelling and the end of the file are ours."""
    base = json.loads(ours)
    theirs = {**base, "a": [1, 2, 3], "u": "ü"}
    merged = merge_json(json.dumps({**base, "b": 0}).encode(), ours.encode(), json.dumps({**theirs, "b": 0}).encode())
    added = ours.replace("2\r\n", "2,\r\n\t\t3\r\n") if "2\r\n" in ours else ours.replace("2]", "2, 3]")
    expected = added.replace("2, 3", "2,3") if "[1,2]" in ours else added
    assert merged.data.decode() == expected


@unhurried
@given(DOCUMENTS, DOCUMENTS, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_written_documents_read_back_the_same(old: Any, new: Any, indent: Any, ascii_only: bool) -> None:
    """Whatever the style, no value changes by being written."""
    model = json.dumps(old, indent=indent, ensure_ascii=ascii_only).encode()
    assert same(json.loads(write_like(new, model, old)), new)


def test_documents_that_lose_something_are_not_joined() -> None:
    """A duplicate key or a NaN on one side: ours stays byte for byte, and the reader hears why."""
    merged = merge_json(b'{"a":1}', b'{"a":2}', b'{"a":1,"a":3}')
    assert merged.data == b'{"a":2}'
    why = "the key 'a' is given twice in one object"
    assert merged.fallback == f"Their version is not merged by fields: {why}"


@pytest.mark.parametrize("count", [5_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_merging_huge_lists_takes_seconds(count: int) -> None:
    """Both sides shuffle and edit 20,000 elements."""
    rng = random.Random(4)
    base = [{"id": n, "text": f"t {n}", "v": 0} for n in range(count)]
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    rng.shuffle(ours)
    rng.shuffle(theirs)
    for element in ours[::3]:
        element["v"] = 1
    start = time.process_time()
    merged = merge_values(base, ours, theirs)
    assert count < 20_000 or time.process_time() - start < 10
    assert sorted(element["id"] for element in merged.value) == list(range(count))
    assert sum(element["v"] for element in merged.value) == len(ours[::3])
