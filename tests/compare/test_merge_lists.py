"""Lists of documents that both sides rearranged: by the ids of elements, whatever counts them."""

import itertools
import json
import random
from typing import Any

import pytest
from aura_vcs.compare.diff.sequences import always_increasing, inversions, longest_increasing
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.compare.merge.json_values import merge_values
from aura_vcs.compare.merge.resolve_json import resolve_value
from aura_vcs.formats.jsondoc.values import same
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried


def _rows(names: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": name, "text": f"row {name}", **fields} for name in names]


def _names(value: Any) -> str:
    return "".join(row["id"] for row in value)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "wanted"),
    [
        ("abcdef", "bacdef", "abcdfe", "bacdfe"),
        ("abcdef", "bcdaef", "abcdef", "bcdaef"),
        ("abcdef", "fabcde", "abdcef", "fabdce"),
        ("abcdef", "bacdef", "bacdef", "bacdef"),
        ("abcd", "dabc", "bcda", "dbca"),
        ("abcd", "cabd", "acdb", "cadb"),
        ("abcdef", "abcdefn", "fabcde", "fabcden"),
    ],
)
def test_moves_that_do_not_meet_are_both_made(base: str, ours: str, theirs: str, wanted: str) -> None:
    """Either way round, and nothing is asked."""
    for sides in itertools.permutations((ours, theirs)):
        merged = merge_values(_rows(base), *map(_rows, sides))
        assert (_names(merged.value), merged.conflicts) == (wanted, ())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("bacd", "acbd"), ("abdc", "dabc"), ("bcda", "bacd"), ("dcba", "badc")],
)
def test_moves_that_contradict_each_other_are_asked(ours: str, theirs: str) -> None:
    """The list is as ours has it or has both, and every answer is that side's order."""
    for mine, others in itertools.permutations((ours, theirs)):
        merged = merge_values(_rows("abcd"), _rows(mine), _rows(others))
        assert merged.conflicts
        assert {conflict.kind for conflict in merged.conflicts} == {"moved"}
        taken = resolve_value(merged.value, merged.conflicts, "", "theirs")
        kept = resolve_value(merged.value, merged.conflicts, "", "ours")
        assert (_names(taken.value), _names(kept.value)) == (others, mine)


def test_moved_here_and_removed_there_stays() -> None:
    """The question is about that element; taking theirs removes it."""
    for sides in itertools.permutations(("cab", "ab")):
        merged = merge_values(_rows("abc"), *map(_rows, sides))
        (conflict,) = merged.conflicts
        assert _names(merged.value) == "cab"
        assert (conflict.kind.startswith("removed_by"), conflict.pointer) == (True, "/0")
        side = "theirs" if conflict.kind == "removed_by_theirs" else "ours"
        assert _names(resolve_value(merged.value, merged.conflicts, "", side).value) == "ab"


def _counted(names: str, first: int = 0, **fields: Any) -> list[dict[str, Any]]:
    return [{**row, "index": n} for n, row in enumerate(_rows(names, **fields), first)]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [("nabc", "abcm", "nabcm"), ("nabc", "abmc", "nabmc"), ("bc", "abcm", "bcm"), ("bac", "abcm", "bacm")],
)
def test_numbers_that_count_are_no_question(ours: str, theirs: str, wanted: str, first: int) -> None:
    """`index` follows from the order: both sides renumbered, and every number is there once."""
    for sides in itertools.permutations((ours, theirs)):
        merged = merge_values(_counted("abc", first), *(_counted(side, first) for side in sides))
        assert (_names(merged.value), merged.conflicts) == (wanted, ())
        assert [row["index"] for row in merged.value] == list(range(first, first + len(wanted)))


def test_a_question_about_a_counted_element_has_its_number() -> None:
    """Removed here, edited there: what stays has the number of its place, in the question too."""
    edited = _counted("abc")
    edited[1]["text"] = "edited"
    merged = merge_values(_counted("abc"), _counted("nac"), edited)
    (conflict,) = merged.conflicts
    place = int(conflict.pointer[1:])
    assert [row["index"] for row in merged.value] == list(range(len(merged.value)))
    assert conflict.theirs["index"] == place  # type: ignore[index,call-overload]


def test_checkpoints_and_assets_follow_their_ids() -> None:
    """Any list of objects with an id, in any document: sorted anew here, edited there."""
    for key in ("id", "uuid", "guid", "key"):
        base = {"assets": [{key: name, "n": 0} for name in "abc"]}
        turned = {"assets": base["assets"][::-1]}
        edited = json.loads(json.dumps(base))
        edited["assets"][0]["n"] = 7
        merged = merge_file("x.json", *(json.dumps(side).encode() for side in (base, turned, edited)))
        assert json.loads(merged.data or b"")["assets"][2] == {key: "a", "n": 7}


def test_an_id_that_is_there_twice_already_stays_so() -> None:
    """A document with two elements of one id merges where neither side made it worse."""
    base = [{"id": "a", "n": 0}, {"id": "a", "n": 1}, {"id": "b", "n": 2}]
    ours = [*base, {"id": "c", "n": 3}]
    theirs = [*base[:2], {"id": "b", "n": 9}]
    merged = merge_file("x.json", *(json.dumps(side).encode() for side in (base, ours, theirs)))
    assert json.loads(merged.data or b"") == [*base[:2], {"id": "b", "n": 9}, {"id": "c", "n": 3}]


@unhurried
@given(st.randoms(use_true_random=False), st.integers(2, 8))
def test_the_result_has_exactly_what_either_side_turned_or_asks(rng: random.Random, size: int) -> None:
    """Two random orders: every pair stands as a side turned it, every element is there once, or it is a question."""
    base = "abcdefgh"[:size]
    sides = []
    for _ in range(2):
        names = list(base)
        for _ in range(rng.randrange(1, 3)):
            names.insert(rng.randrange(size), names.pop(rng.randrange(size)))
        sides.append("".join(names))
    for mine, others in itertools.permutations(sides):
        merged = merge_values(_rows(base), _rows(mine), _rows(others))
        result = _names(merged.value)
        assert sorted(result) == list(base)
        asked = {merged.value[int(conflict.pointer[1:])]["id"] for conflict in merged.conflicts}
        for a, b in itertools.combinations(base, 2):
            if a in asked or b in asked:
                continue
            turned = any(side.index(a) > side.index(b) for side in (mine, others))
            assert (result.index(a) > result.index(b)) == turned, (base, mine, others, result, asked)
        taken = resolve_value(merged.value, merged.conflicts, "", "theirs") if asked else None
        assert taken is None or sorted(_names(taken.value)) == list(base)
        swapped = merge_values(_rows(base), _rows(others), _rows(mine))
        assert bool(swapped.conflicts) == bool(merged.conflicts)
        assert merged.conflicts or same(swapped.value, merged.value)


@given(st.permutations(range(7)))
def test_what_stays_whoever_tells_it(order: list[int]) -> None:
    """An element always stays if every longest run has it; pairs in the wrong order are counted at both."""
    longest = len(longest_increasing(order))
    runs = [set(run) for run in itertools.combinations(range(7), longest) if _is_rising([order[n] for n in run])]
    assert always_increasing(order) == set.intersection(*runs)
    wrong = [sum((order[n] > order[m]) == (n < m) for m in range(7) if m != n) for n in range(7)]
    assert inversions(order) == wrong


def _is_rising(numbers: list[int]) -> bool:
    return all(a < b for a, b in itertools.pairwise(numbers))
