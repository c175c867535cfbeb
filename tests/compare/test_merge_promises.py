"""What is promised of every merge, with generated documents, timelines and projects."""

import copy
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.compare.merge.json_values import merge_values
from aura_vcs.compare.merge.timeline import merge_timeline, merge_timeline_values
from aura_vcs.formats.jsondoc.values import same, split_pointer
from hypothesis import given, settings, strategies as st
from msgspec import UNSET

from tests.compare.json_values import DOCUMENTS, SCALARS, unhurried
from tests.compare.timeline_edits import edit_studio
from tests.compare.timelines import as_bytes, planets, studio

ROOT = Path(__file__).parents[2]
KEYS = st.sampled_from(["a", "b", "c", "d"])
OBJECTS = st.recursive(
    st.dictionaries(KEYS, SCALARS, max_size=4),
    lambda inner: st.dictionaries(KEYS, st.one_of(SCALARS, inner), max_size=4),
    max_leaves=12,
)
"""Objects in objects, without lists: every value has an address that stays."""
Leaves = dict[tuple[str, ...], Any]


def _leaves(value: Any, at: tuple[str, ...] = ()) -> Leaves:
    if not isinstance(value, dict) or not value:
        return {at: value}
    return {place: leaf for key, inner in value.items() for place, leaf in _leaves(inner, (*at, key)).items()}


def _has(leaves: Leaves, place: tuple[str, ...], value: Any) -> bool:
    return place in leaves and same(leaves[place], value)


def _at_stake(conflicts: Any, side: str) -> Leaves:
    """What a side has at the places that are to be decided."""
    found: Leaves = {}
    for conflict in conflicts:
        if getattr(conflict, side) is not UNSET:
            found |= _leaves(getattr(conflict, side), split_pointer(conflict.pointer))
    return found


def _check_fields(base: Any, ours: Any, theirs: Any) -> None:
    merged = merge_values(base, ours, theirs)
    was, here, there = _leaves(base), _leaves(ours), _leaves(theirs)
    result = _leaves(merged.value)
    open_ours, open_theirs = _at_stake(merged.conflicts, "ours"), _at_stake(merged.conflicts, "theirs")
    for mine, other, waiting in ((here, there, open_ours), (there, here, open_theirs)):
        for place, value in mine.items():
            if _has(was, place, value):
                continue  # not touched: it may go, if the other side took it out
            emptied = value == {} and any(found[: len(place)] == place for found in (*result, *other))
            assert _has(result, place, value) or _has(waiting, place, value) or emptied, (place, value)
    for place, value in was.items():
        if _has(here, place, value) and _has(there, place, value):
            assert _has(result, place, value), place


@unhurried
@given(OBJECTS, OBJECTS, OBJECTS)
def test_no_field_disappears_unless_its_removal_was_the_change(base: Any, ours: Any, theirs: Any) -> None:
    """What a side wrote is in the result or in a conflict; what neither touched is in the result."""
    _check_fields(base, ours, theirs)


@pytest.mark.slow
@given(OBJECTS, OBJECTS, OBJECTS)
@settings(deadline=None, max_examples=3_000)
def test_no_field_disappears_at_length(base: Any, ours: Any, theirs: Any) -> None:
    """The same with thousands of examples."""
    _check_fields(base, ours, theirs)


@unhurried
@given(OBJECTS, OBJECTS, OBJECTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(base: Any, ours: Any, theirs: Any, rng: random.Random) -> None:
    """However a program wrote the sides' keys, the same fields and conflicts come out."""

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: shuffled(value[key]) for key in rng.sample(sorted(value), len(value))}

    merged = merge_values(base, ours, theirs)
    again = merge_values(*(shuffled(side) for side in (base, ours, theirs)))
    assert same(again.value, merged.value)
    assert sorted(c.pointer for c in again.conflicts) == sorted(c.pointer for c in merged.conflicts)


@unhurried
@given(DOCUMENTS, DOCUMENTS, st.sampled_from(["a.json", "timeline.json", "cut.otio", "a.md", "a.png"]))
def test_a_file_that_one_side_changed_is_that_file(base: Any, new: Any, name: str) -> None:
    """merge(a, a, b) = merge(a, b, a) = merge(a, b, b) = b, byte by byte, whatever kind of file it is."""
    old, changed = as_bytes(base), json.dumps(new, indent=1).encode()
    for ours, theirs in ((old, changed), (changed, old), (changed, changed)):
        merged = merge_file(name, old, ours, theirs)
        assert merged.data == changed
        assert (merged.conflicts, merged.text_conflicts) == ((), ())


def _headings(timeline: Any) -> list[str]:
    return [scene["heading"] for scene in timeline["scenes"]]


def _check_scenes(rng: random.Random) -> None:
    cut = planets()
    base = studio(cut)
    ours = studio(edit_studio(cut, rng, "o"), **({"background_music_path": "o.mp3"} if rng.random() < 0.3 else {}))
    theirs = studio(edit_studio(cut, rng, "t"), **({"background_music_path": "t.mp3"} if rng.random() < 0.3 else {}))
    merged = merge_timeline_values(base, ours, theirs)
    result = _headings(merged.value)
    assert len(result) == len(set(result))
    before = {scene["heading"]: scene for scene in cut}
    for one, other in ((ours, theirs), (theirs, ours)):
        for scene in one["scenes"]:
            name = scene["heading"]
            if name in result:
                continue
            assert name in before
            assert name not in _headings(other)
            placed = {"index": before[name]["index"], "start": before[name]["start"]}
            assert same({**scene, **placed}, before[name])
    at = 0.0
    for n, scene in enumerate(merged.value["scenes"]):
        assert (scene["index"], scene["start"]) == (n, pytest.approx(at))
        at += scene["duration"]
    for side in (ours, theirs):
        for three in ((base, base, side), (base, side, base), (base, side, side)):
            assert same(merge_timeline_values(*three).value, side)
    _check_sides(base, ours, theirs, merged)


def _asked(merged: Any) -> tuple[int, bool]:
    """How many places are asked about, and whether the order is: which scenes stand for it depends on whose is kept."""
    moved = [conflict for conflict in merged.conflicts if conflict.kind == "moved"]
    return len(merged.conflicts) - len(moved), bool(moved)


def _check_sides(base: Any, ours: Any, theirs: Any, merged: Any) -> None:
    """Each scene has what one side did to it, where the other left it alone."""
    found = {scene["heading"]: scene for scene in merged.value["scenes"]}
    sides = [{scene["heading"]: scene for scene in side["scenes"]} for side in (base, ours, theirs)]
    for name in sides[0].keys() & sides[1].keys() & sides[2].keys():
        was, here, there = (side[name] for side in sides)
        for key in ("script", "duration", "visual_assets"):
            if same(was[key], there[key]):
                assert same(found[name][key], here[key]), (name, key)
            elif same(was[key], here[key]):
                assert same(found[name][key], there[key]), (name, key)
    swapped = merge_timeline_values(base, theirs, ours)
    assert _asked(swapped) == _asked(merged)
    assert sorted(_headings(swapped.value)) == sorted(_headings(merged.value))
    if not merged.conflicts:
        assert same(swapped.value, merged.value)
    files = [as_bytes(copy.deepcopy(side)) for side in (base, ours, theirs)]
    assert merge_timeline(*files) == merge_timeline(*files)


@unhurried
@given(st.randoms(use_true_random=False))
def test_no_scene_is_lost_doubled_or_misplaced(rng: random.Random) -> None:
    """Whatever two people do to a timeline: every scene once, laid without gaps, with both sides' changes."""
    _check_scenes(rng)


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=3_000)
def test_no_scene_is_lost_at_length(rng: random.Random) -> None:
    """The same with thousands of examples."""
    _check_scenes(rng)


@pytest.mark.parametrize("count", [12, pytest.param(150, marks=pytest.mark.slow)])
def test_every_machine_joins_alike(count: int) -> None:
    """Processes that order their sets and dictionaries differently join to the same bytes and names."""
    digests = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.compare.merge_digest", str(count)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert len(digests.pop()) == 64
