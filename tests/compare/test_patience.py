"""Patience diff: what it matches is equal, in order, and what a person would match."""

import random
import time
from itertools import pairwise

import pytest
from aura_vcs.formats.patience import ROUNDS, Run, equal_runs
from hypothesis import given, strategies as st

TEXTS = st.lists(st.sampled_from("abcdefgh"), max_size=30)


def _longest_common(old: list[str], new: list[str]) -> int:
    """Return how many items the longest common subsequence has, by the textbook's table."""
    row = [0] * (len(new) + 1)
    for item in old:
        above = row
        row = [0]
        for n, other in enumerate(new):
            row.append(above[n] + 1 if item == other else max(row[n], above[n + 1]))
    return row[-1]


def _matched(runs: list[Run]) -> int:
    return sum(length for _, _, length in runs)


@given(TEXTS, TEXTS)
def test_runs_are_equal_in_order_and_as_long_as_they_go(old: list[str], new: list[str]) -> None:
    """Every run holds equal items, comes after the one before in both, and ends where they differ."""
    runs = equal_runs(old, new)
    for at, there, length in runs:
        assert length > 0
        assert old[at : at + length] == new[there : there + length]
    for (at, there, length), (next_at, next_there, _) in pairwise(runs):
        assert next_at >= at + length
        assert next_there >= there + length
        assert (next_at, next_there) != (at + length, there + length)
    assert _matched(runs) <= _longest_common(old, new)


@given(st.lists(st.integers(0, 1000), unique=True, max_size=30), st.randoms(use_true_random=False))
def test_items_that_occur_once_are_matched_as_often_as_possible(old: list[int], rng: random.Random) -> None:
    """Where every item is unique, patience finds a longest common subsequence."""
    new = [*rng.sample(old, rng.randint(0, len(old))), 2000, 2001]
    assert _matched(equal_runs(old, new)) == _longest_common([*map(str, old)], [*map(str, new)])


@given(TEXTS, TEXTS, TEXTS)
def test_equal_ends_are_matched_around_a_change(head: list[str], tail: list[str], change: list[str]) -> None:
    """What stands before and after an insertion is matched: nothing in it is said to have changed."""
    whole = head + tail
    assert equal_runs(whole, whole) == ([(0, 0, len(whole))] if whole else [])
    assert equal_runs(whole, []) == equal_runs([], whole) == []
    inserted = [f"new {n}" for n in range(len(change) + 1)]
    assert _matched(equal_runs(whole, head + inserted + tail)) == len(whole)


@pytest.mark.parametrize(
    ("old", "new", "runs"),
    [
        ("{ a ; } { b ; }", "{ a ; } { c ; } { b ; }", [(0, 0, 5), (5, 9, 3)]),
        ("x a b c", "a b c x", [(1, 0, 3)]),
        ("a b a b", "b a b a", []),
        ("a b a b", "a b b a", [(0, 0, 2), (2, 3, 1)]),
        ("1 2 _ 3", "2 1 _ 3", [(0, 1, 1), (2, 2, 2)]),
    ],
)
def test_what_is_matched(old: str, new: str, runs: list[Run]) -> None:
    """Samples that say which of several answers it is; diffs that people have seen stay as they were."""
    assert equal_runs(old.split(), new.split()) == runs


def test_texts_made_to_be_slow_are_bounded() -> None:
    """Gaps in gaps in gaps, each one line shorter: looked at a hundred times, then matched from the ends."""
    depth = 6_000
    # 2 1 3 2 4 3 …: an item occurs once as soon as the one before it is matched, and not before that.
    old = [item for n in range(1, depth) for item in (n + 1, n)] + [depth, depth]
    new = [item for n in range(1, depth) for item in (n + 1, n, -n)] + [depth, depth]
    start = time.process_time()
    runs = equal_runs(old, new)
    assert time.process_time() - start < 5
    assert ROUNDS < _matched(runs) < len(old) / 10
