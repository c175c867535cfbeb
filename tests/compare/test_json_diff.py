"""Structural differences of JSON documents."""

import copy
import itertools
import json
import random
import time
import tracemalloc
from typing import Any

import pytest
from aura_vcs.compare.diff.json_values import diff_values, fields
from aura_vcs.compare.diff.sequences import WorkBudget, common_pairs, longest_increasing
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.patch import apply_patch
from aura_vcs.formats.jsondoc.values import same
from hypothesis import given, settings, strategies as st

from tests.compare.json_values import DOCUMENTS, IDENTIFIED, unhurried


def _exact(old: Any, new: Any) -> list[dict[str, Any]]:
    before = copy.deepcopy(old)
    operations = diff_values(old, new)
    assert same(apply_patch(old, operations), new)
    assert same(old, before)
    assert bool(operations) != same(old, new)
    return [operation.plain() for operation in operations]


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_applying_the_difference_gives_the_new_document(old: Any, new: Any) -> None:
    """The operations are exact, types included, and empty only for the same document."""
    _exact(old, new)


@pytest.mark.slow
@given(DOCUMENTS, DOCUMENTS)
@settings(deadline=None, max_examples=2_000)
def test_applying_the_difference_at_length(old: Any, new: Any) -> None:
    """The same with thousands of examples."""
    _exact(old, new)


@unhurried
@given(IDENTIFIED, st.randoms(use_true_random=False))
def test_shuffled_and_edited_lists_are_exact(old: list[Any], rng: random.Random) -> None:
    """Moves, edits, removals and additions in one list at once still give the new list."""
    new = copy.deepcopy(old)
    rng.shuffle(new)
    del new[: rng.randrange(3)]
    for element in new:
        if rng.random() < 0.3:
            element["a"] = rng.random()
    new.insert(rng.randrange(len(new) + 1), {"id": 99, "a": None})
    _exact(old, new)


@unhurried
@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_lists_of_few_values_are_exact(old: list[int], new: list[int]) -> None:
    """Duplicates in a list are told apart rightly."""
    _exact(old, new)


@unhurried
@given(st.permutations(range(9)))
def test_the_fewest_elements_move(order: list[int]) -> None:
    """A permutation costs as many moves as elements outside its longest increasing run."""
    old = [{"id": n, "text": f"scene {n}"} for n in range(9)]
    operations = _exact(old, [old[n] for n in order])
    assert {operation["op"] for operation in operations} <= {"move"}
    assert len(operations) <= 9 - len(longest_increasing(order))


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (0, False), (0.0, -0.0), (None, False), ("1", 1)])
def test_types_are_exact(old: Any, new: Any) -> None:
    """1, 1.0, true and "1" are four values."""
    assert _exact({"a": old}, {"a": new}) == [{"op": "replace", "path": "/a", "value": new, "old": old}]
    _exact([old], [new])


def test_one_moved_element_is_one_operation() -> None:
    """The last scene moved to the front reads as one move, its edit as one replaced field."""
    old = [{"id": f"s{n}", "script": f"words of {n}"} for n in range(50)]
    new = [copy.deepcopy(old[-1]), *old[:-1]]
    new[0]["script"] = "other words"
    assert _exact(old, new) == [
        {"op": "move", "path": "/0", "from": "/49", "old": old[-1]},
        {"op": "replace", "path": "/0/script", "value": "other words", "old": "words of 49"},
    ]


def test_elements_without_id_are_matched_by_likeness() -> None:
    """A scene that was edited and went elsewhere is still that scene."""
    old = [{"heading": f"H{n}", "script": f"The story of planet {n} in full", "duration": n} for n in range(6)]
    new = [*old[:1], *old[2:], {**old[1], "duration": 77}]
    assert [(o["op"], o["path"]) for o in _exact(old, new)] == [("move", "/5"), ("replace", "/5/duration")]


def test_a_field_that_got_another_name_is_a_move() -> None:
    """The value that went to a new key unchanged is not shown as lost and found."""
    operations = _exact({"colour": {"r": 1, "g": 2}, "x": 1}, {"color": {"r": 1, "g": 2}, "x": 1})
    assert [(o["op"], o.get("from"), o["path"]) for o in operations] == [("move", "/colour", "/color")]


def test_different_ids_are_different_things() -> None:
    """An element is not taken for another one because the rest of it is alike."""
    operations = _exact([{"id": 1, "x": "same text"}], [{"id": 2, "x": "same text"}])
    assert [operation["op"] for operation in operations] == ["remove", "add"]


def test_numbers_in_vectors_keep_their_places() -> None:
    """A position or a colour changes number by number, it is not rearranged."""
    assert _exact({"p": [0, 5, 5]}, {"p": [5, 5, 0]}) == [
        {"op": "replace", "path": "/p/0", "value": 5, "old": 0},
        {"op": "replace", "path": "/p/2", "value": 0, "old": 5},
    ]


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b'{"a": 1, "a": 1}', "given twice"),
        (b'{"a": NaN}', "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[1e400]", "too large"),
        (b"[1e-400]", "double"),
        (b"[0.12345678901234567890123]", "double"),
        (b"[" + b"9" * 5000 + b"]", "digits"),
        (b"[1." + b"0" * 5000 + b"]", "digits"),
        (b"[-0]", "-0"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a": "\xff"}', "byte 7 is not valid UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (rb'["\ud800"]', "half a character"),
        (b"", "not valid JSON"),
        (b"{} {}", "line 1, column 4"),
        (b"[" * 100_000 + b"]" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested deeper"),
        (b"[" * 300 + b"]" * 300, "nested deeper"),
        (b"[" + b"1," * 1_000_001 + b"1]", "more than 1,000,000 values"),
    ],
)
def test_what_cannot_be_read_without_loss_is_not_touched(data: bytes, word: str) -> None:
    """The caller is told why a document must be compared as bytes or text."""
    result = parse_document(data)
    assert isinstance(result, Unstructured)
    assert word in result.reason
    assert word in fields(b"{}", data).fallback
    assert fields(data, b"{}").operations == ()


@pytest.mark.parametrize(
    "data",
    [
        b"[123456789012345678901234567890]",
        b"[1.50, 1E5, 0.10000000000000001]",
        rb'["\ud83d\ude00 \u0041"]',
        b"\r\n[1]\r\n",
    ],
)
def test_unusual_but_lossless_documents_are_read(data: bytes) -> None:
    """Big integers, other spellings of numbers, escapes and CRLF are no reason to give up."""
    result = parse_document(data)
    assert isinstance(result, ParsedDocument)
    assert same(result.value, json.loads(data))


@unhurried
@given(st.binary(max_size=60))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    """No bytes raise; a document that is read is what `json` reads."""
    result = parse_document(data)
    if isinstance(result, ParsedDocument):
        assert same(result.value, json.loads(data))


def test_differently_written_documents_have_no_changed_fields() -> None:
    """Spaces and the order of keys are no change of a field, and no reason to fall back."""
    result = fields(b'{"a": 1, "b": [2]}', b'{\r\n  "b": [ 2 ],\r\n  "a": 1 }\n')
    assert result.operations == ()
    assert result.fallback == ""


def test_deep_values_are_refused_not_crashed_on() -> None:
    """Nesting that Python could not walk is an error of ours that names the limit."""
    deep: Any = 1
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(LimitExceeded, match="nesting of a document exceeds the limit of 200"):
        diff_values(deep, 1)


def _shuffled(count: int) -> tuple[list[Any], list[Any]]:
    rng = random.Random(1)
    old = [{"id": n, "text": f"t{n}", "size": [n, 1]} for n in range(count)]
    new = copy.deepcopy(old)
    rng.shuffle(new)
    for element in new[::7]:
        element["text"] += "!"
    return old, new


def _no_ids(count: int) -> tuple[list[Any], list[Any]]:
    rng = random.Random(2)
    old = [{"text": f"line {n} of the story", "n": n % 5} for n in range(count)]
    new = copy.deepcopy(old)
    rng.shuffle(new)
    for element in new[::3]:
        element["n"] = -1
    return old, new


def _bits(count: int) -> tuple[list[Any], list[Any]]:
    rng = random.Random(3)
    return [rng.randrange(2) for _ in range(count)], [rng.randrange(2) for _ in range(count - 1)]


def _nothing_in_common(count: int) -> tuple[list[Any], list[Any]]:
    return [{"a": f"x{n} y"} for n in range(count)], [{"a": f"u{n} v"} for n in range(count)]


@pytest.mark.parametrize("count", [4_000, pytest.param(20_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", [_shuffled, _no_ids, _bits, _nothing_in_common])
def test_twenty_thousand_elements_take_seconds(make: Any, count: int) -> None:
    """Huge lists, however they changed, are compared exactly and in seconds."""
    old, new = make(count)
    start = time.process_time()
    operations = diff_values(old, new)
    assert count < 20_000 or time.process_time() - start < 10
    assert same(apply_patch(old, operations), new)


def test_memory_is_bounded() -> None:
    """Lists without anything in common need no table of all pairs."""
    old, new = _nothing_in_common(1_500)
    tracemalloc.start()
    diff_values(old, new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


@pytest.mark.parametrize("count", [110_000, pytest.param(450_000, marks=pytest.mark.slow)])
def test_lists_beyond_all_measure_are_exact(count: int) -> None:
    """A list of half a million numbers is compared by its ends, exactly and in seconds."""
    old, new = [*range(count), "x"], ["y", *range(count), "x"]
    start = time.process_time()
    assert [(o.op, o.path) for o in diff_values(old, new)] == [("add", "/0")]
    operations = diff_values(old, [1, *new[:500], *new[501:]])
    assert count < 450_000 or time.process_time() - start < 20
    assert same(apply_patch(old, operations), [1, *new[:500], *new[501:]])


@pytest.mark.slow
def test_ten_megabytes_take_seconds() -> None:
    """A 10 MB document is read and compared in seconds."""
    old = {"scenes": [{"id": n, "script": f"word {n} " * 40, "parts": [n, {"x": n}]} for n in range(25_000)]}
    new = copy.deepcopy(old)
    new["scenes"][20_000]["parts"][1]["x"] = -1
    new["scenes"].insert(0, new["scenes"].pop())
    before, after = json.dumps(old).encode(), json.dumps(new).encode()
    assert len(before) > 10_000_000
    start = time.process_time()
    found = fields(before, after).operations
    assert time.process_time() - start < 10
    assert [(operation.op, operation.path) for operation in found] == [
        ("move", "/scenes/0"),
        ("replace", "/scenes/20001/parts/1/x"),
    ]


@given(st.lists(st.integers(0, 4), max_size=14), st.lists(st.integers(0, 4), max_size=14), st.integers(0, 60))
@settings(deadline=None, max_examples=200)
def test_common_pairs_are_common_and_increasing(old: list[int], new: list[int], steps: int) -> None:
    """Whatever effort is left, the pairs are equal elements in order on both sides."""
    pairs = common_pairs(old, new, WorkBudget(steps))
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            best[i + 1][j + 1] = best[i][j] + 1 if one == other else max(best[i][j + 1], best[i + 1][j])
    if steps == 60 and len(old) + len(new) < 7:
        assert len(pairs) == best[-1][-1]
