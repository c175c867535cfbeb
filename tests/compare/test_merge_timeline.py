"""Joining timelines by clip, in both formats."""

import copy
import json
import random
import time
from typing import Any

import pytest
from aura_vcs.compare.merge.model import MergedDocument
from aura_vcs.compare.merge.timeline import merge_timeline, merge_timeline_values, resolve_timeline
from aura_vcs.compare.timeline.diff import diff_timeline_files
from aura_vcs.formats.jsondoc.values import same
from hypothesis import given, settings, strategies as st

from tests.compare.json_values import DOCUMENTS, unhurried
from tests.compare.timelines import (
    as_bytes,
    otio,
    otio_clip,
    otio_gap,
    otio_range,
    planets,
    scene,
    set_seconds,
    studio,
)


def _merge(base: Any, ours: Any, theirs: Any) -> MergedDocument:
    merged = merge_timeline(as_bytes(base), as_bytes(ours), as_bytes(theirs))
    assert not merged.fallback
    return merged


def _clean(base: Any, ours: Any, theirs: Any) -> Any:
    """The joined timeline, which must come out the same with the sides swapped."""
    merged, swapped = _merge(base, ours, theirs), _merge(base, theirs, ours)
    assert merged.conflicts == swapped.conflicts == ()
    assert same(json.loads(merged.data), json.loads(swapped.data))
    return json.loads(merged.data)


def test_scenes_edited_on_both_sides_join_by_meaning() -> None:
    """Trim and script here; move, picture, music and a new scene there: all apply, starts are laid anew."""
    ours, theirs = planets(), planets()
    set_seconds(ours[2], 4.5)
    ours[0]["script"] += " Bright."
    theirs.insert(0, theirs.pop(2))
    theirs[0]["visual_assets"][0]["file_path"] = "assets/venus-2.png"
    theirs.append(scene("Saturn", 3.0))
    value = _clean(studio(planets()), studio(ours), studio(theirs, background_music_path="b.mp3"))
    expected = copy.deepcopy(theirs)
    set_seconds(expected[0], 4.5)
    expected[1]["script"] += " Bright."
    assert same(value, studio(expected, background_music_path="b.mp3"))


def test_all_scenes_shifted_here_and_one_edited_there() -> None:
    """A title put in front moves every start; the other side's edit lands beside it."""
    base, shifted = studio(planets()), studio(planets())
    for each in shifted["scenes"]:
        each["start"] += 2.5
    edited = copy.deepcopy(base)
    edited["scenes"][1]["script"] = "Swift Mercury."
    value = _clean(base, shifted, edited)
    shifted["scenes"][1]["script"] = "Swift Mercury."
    assert same(value, shifted)


def test_both_trim_a_scene_differently() -> None:
    """One conflict per field, the document stays ours and valid, and deciding lays the scenes anew."""
    ours, theirs = planets(), planets()
    ours[1]["duration"], theirs[1]["duration"] = 4.5, 5.0
    merged = _merge(studio(planets()), studio(ours), studio(theirs))
    assert [conflict.pointer for conflict in merged.conflicts] == ["/scenes/1/duration"]
    assert same(json.loads(merged.data), studio(ours))
    decided = resolve_timeline(merged.data, merged.conflicts, "/scenes/1/duration", "theirs")
    assert same(json.loads(decided.data), studio(theirs))
    assert decided.conflicts == ()


def test_a_scene_removed_here_and_edited_there_stays_until_decided() -> None:
    """Deciding for the removal takes it out and closes the gap."""
    ours, theirs = planets(), planets()
    del ours[2]
    theirs[2]["script"] = "Another text altogether about the veiled planet."
    merged = _merge(studio(planets()), studio(ours), studio(theirs))
    assert [(conflict.kind, conflict.pointer) for conflict in merged.conflicts] == [("removed_by_ours", "/scenes/2")]
    assert same(json.loads(merged.data), studio(theirs))
    decided = resolve_timeline(merged.data, merged.conflicts, "", "ours")
    assert same(json.loads(decided.data), studio(ours))


def test_clock_times_keep_their_spelling() -> None:
    """`hh:mm:ss.fffffff` stays that, and untouched starts stay as they were written."""
    base = studio(planets())
    for n, each in enumerate(base["scenes"]):
        each["start"], each["duration"] = f"00:00:{6 * n:02d}.0000000", "00:00:06.0000000"
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours["scenes"][1]["duration"] = "00:00:04.5000000"
    for each in ours["scenes"][2:]:
        each["start"] = f"00:00:{int(each['start'][6:8]) - 2:02d}.5000000"
    theirs["scenes"][4]["script"] = "Dust storms."
    value = _clean(base, ours, theirs)
    assert [each["start"] for each in value["scenes"]] == [each["start"] for each in ours["scenes"]]


def test_an_asset_trimmed_at_both_ends() -> None:
    """One side lets a picture come later, the other lets it go earlier."""
    base, ours, theirs = planets(), planets(), planets()
    ours[0]["visual_assets"][0].update(start=1.0, duration=5.0)
    theirs[0]["visual_assets"][0].update(duration=4.5)
    value = _clean(studio(base), studio(ours), studio(theirs))
    asset = value["scenes"][0]["visual_assets"][0]
    assert (asset["start"], asset["duration"]) == (1.0, 3.5)


def test_a_clip_trimmed_at_both_ends() -> None:
    """The source range of an editor's clip joins by its two ends."""
    base = otio([otio_clip("a"), otio_clip("b", 2, 6), otio_clip("c")])
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours["tracks"]["children"][0]["children"][1]["source_range"] = otio_range(3, 5)
    theirs["tracks"]["children"][0]["children"][1]["source_range"] = otio_range(2, 4.5)
    value = _clean(base, ours, theirs)
    assert value["tracks"]["children"][0]["children"][1]["source_range"] == otio_range(3, 3.5)


def test_the_first_trims_of_an_untrimmed_clip() -> None:
    """A clip without a range of its own had its media's."""
    clip = otio_clip("a")
    clip["source_range"] = None
    clip["media_references"]["DEFAULT_MEDIA"]["available_range"] = otio_range(0, 10)
    base = otio([clip])
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours["tracks"]["children"][0]["children"][0]["source_range"] = otio_range(1, 9)
    theirs["tracks"]["children"][0]["children"][0]["source_range"] = otio_range(0, 8)
    value = _clean(base, ours, theirs)
    assert value["tracks"]["children"][0]["children"][0]["source_range"] == otio_range(1, 7)


def test_trimmed_here_and_moved_there() -> None:
    """Within a track and to another track: the clip is once in the result, moved and trimmed."""
    b = otio_clip("b")
    short = {**b, "source_range": otio_range(0, 2)}
    base = otio([otio_clip("a"), b, otio_clip("c")], [otio_clip("m")], [otio_clip("x")])
    trimmed = otio([otio_clip("a"), short, otio_clip("c")], [otio_clip("m")], [otio_clip("x")])
    moved = otio([b, otio_clip("a"), otio_clip("c")], [otio_clip("m")], [otio_clip("x")])
    lifted = otio([otio_clip("a"), otio_clip("c")], [otio_clip("m")], [otio_clip("x"), b])
    assert _clean(base, trimmed, moved) == otio(
        [short, otio_clip("a"), otio_clip("c")], [otio_clip("m")], [otio_clip("x")]
    )
    assert _clean(base, trimmed, lifted) == otio(
        [otio_clip("a"), otio_clip("c")], [otio_clip("m")], [otio_clip("x"), short]
    )
    assert _clean(base, lifted, lifted) == lifted


def test_a_clip_without_media_that_both_renamed_is_one_clip() -> None:
    """A clip whose media is missing is known by what it plays: two names for it are a question, not two clips."""

    def cut(name: str) -> dict[str, Any]:
        clips = [otio_clip(media, 10) for media in ("a", "b", "c")]
        for clip in clips:
            clip["media_references"] = {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "MissingReference.1"}}
        clips[1]["name"] = name
        clips[1]["source_range"]["start_time"]["value"] = 99
        return otio(clips)

    merged = _merge(cut("b"), cut("Ada's"), cut("Ben's"))
    names = [clip["name"] for clip in json.loads(merged.data)["tracks"]["children"][0]["children"]]
    assert names == ["a", "Ada's", "c"]
    assert [conflict.pointer for conflict in merged.conflicts] == ["/tracks/children/0/children/1/name"]
    one_sided = _merge(cut("b"), cut("Ada's"), cut("b"))
    assert one_sided.conflicts == ()


def test_moved_to_two_tracks_is_a_conflict_and_one_clip() -> None:
    """The clip stands once, at our place, and can be put at theirs."""
    b = otio_clip("b")
    rest = [otio_clip("a")], [otio_clip("m")], [otio_clip("x")], [otio_clip("n")], [otio_clip("y")]
    base = otio([otio_clip("a"), b], *rest[1:])
    ours = otio(rest[0], rest[1], [otio_clip("x"), b], *rest[3:])
    theirs = otio(*rest[:4], [otio_clip("y"), b])
    merged = _merge(base, ours, theirs)
    assert [conflict.kind for conflict in merged.conflicts] == ["moved"]
    assert same(json.loads(merged.data), ours)
    decided = resolve_timeline(merged.data, merged.conflicts, "", "theirs")
    assert same(json.loads(decided.data), theirs)


def test_overlapping_edits_of_a_deleted_track() -> None:
    """A track removed here with a clip edited there stays, whole, until somebody decides."""
    base = otio([otio_clip("a")], [otio_clip("m"), otio_clip("n")])
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    del ours["tracks"]["children"][1]
    theirs["tracks"]["children"][1]["children"][0]["source_range"] = otio_range(0, 1)
    merged = _merge(base, ours, theirs)
    assert [(conflict.kind, conflict.pointer) for conflict in merged.conflicts] == [
        ("removed_by_ours", "/tracks/children/1")
    ]
    assert same(json.loads(merged.data), theirs)


def test_missing_media_and_gaps_join() -> None:
    """Clips without media are known by name; a gap changed here does not mind a clip changed there."""
    missing = {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "MissingReference.1"}}
    clips = [otio_clip(name, media_references=missing) for name in "abc"]
    base = otio([clips[0], otio_gap(1), clips[1], otio_gap(2), clips[2]])
    ours = otio([clips[0], otio_gap(1.5), clips[1], otio_gap(2), clips[2]])
    short = {**clips[1], "source_range": otio_range(0, 1)}
    theirs = otio([clips[0], otio_gap(1), short, otio_gap(2), clips[2]])
    assert _clean(base, ours, theirs) == otio([clips[0], otio_gap(1.5), short, otio_gap(2), clips[2]])


def _edit_track(clips: list[Any], rng: random.Random, tag: str) -> list[Any]:
    """What an editor does to a track."""
    clips = copy.deepcopy(clips)
    for step in range(rng.randrange(1, 5)):
        n = rng.randrange(len(clips)) if clips else 0
        what = rng.randrange(5)
        if what == 0 or not clips:
            clips.insert(n, otio_clip(f"{tag}{step}"))
        elif what == 1:
            del clips[n]
        elif what == 2:
            clips.insert(rng.randrange(len(clips)), clips.pop(n))
        elif what == 3 and clips[n]["source_range"]["duration"]["value"] > 24:
            clips[n]["source_range"]["duration"]["value"] -= 6 * rng.randrange(1, 3)
        else:
            clips[n]["name"] = f"renamed {tag}{step}"
    return clips


def _media(document: Any) -> list[str]:
    return sorted(
        clip["media_references"]["DEFAULT_MEDIA"]["target_url"]
        for track in document["tracks"]["children"]
        for clip in track["children"]
    )


@unhurried
@given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_no_clip_is_lost_or_doubled(rng: random.Random, tracks: int) -> None:
    """A clip is gone only when a side removed it and the other left it alone, or is in a question; none is doubled."""
    _check_clips(rng, tracks)


@pytest.mark.slow
@given(st.randoms(use_true_random=False), st.integers(1, 3))
@settings(deadline=None, max_examples=1_500)
def test_no_clip_is_lost_or_doubled_at_length(rng: random.Random, tracks: int) -> None:
    """The same with thousands of examples."""
    _check_clips(rng, tracks)


def _check_clips(rng: random.Random, tracks: int) -> None:
    cut = [[otio_clip(f"m{t}{n}", n) for n in range(4)] for t in range(tracks)]
    sides = []
    for tag in ("o", "t"):
        edited = [_edit_track(track, rng, f"{tag}{n}") for n, track in enumerate(cut)]
        if tracks > 1 and edited[0] and rng.random() < 0.5:
            edited[1].insert(0, edited[0].pop())
        sides.append(otio(*edited))
    base, (ours, theirs) = otio(*cut), sides
    merged = merge_timeline_values(base, ours, theirs)
    result = _media(merged.value)
    assert len(result) == len(set(result))
    assert set(_media(ours)) & set(_media(theirs)) <= set(result)
    added = (set(_media(ours)) | set(_media(theirs))) - set(_media(base))
    asked = {media for media in added | set(_media(base)) if f"'{media}'" in repr(merged.conflicts)}
    assert added <= set(result) | asked
    assert set(result) <= set(_media(ours)) | set(_media(theirs))
    for one, other in ((ours, theirs), (theirs, ours)):
        for media in set(_media(base)) - set(_media(one)):
            assert media not in result or media in _media(other)
    assert same(merge_timeline_values(base, base, theirs).value, theirs)
    assert same(merge_timeline_values(base, theirs, base).value, theirs)
    swapped = merge_timeline_values(base, theirs, ours)
    assert set(_media(swapped.value)) ^ set(result) <= asked
    if not merged.conflicts:
        assert swapped.conflicts == ()
        assert same(swapped.value, merged.value)


@unhurried
@given(st.randoms(use_true_random=False), DOCUMENTS)
def test_hostile_timelines_join_or_say_why(rng: random.Random, junk: Any) -> None:
    """Junk in the wrong place neither raises nor is lost when only one side has it."""
    base = studio(planets()[:3])
    ours, theirs = copy.deepcopy(base), copy.deepcopy(base)
    ours["scenes"][rng.randrange(3)] = junk
    theirs["scenes"][rng.randrange(3)][rng.choice(["start", "duration", "index", "visual_assets"])] = junk
    for document in (ours, theirs):
        merged = merge_timeline(as_bytes(base), as_bytes(document), as_bytes(base))
        assert same(json.loads(merged.data), document)
    assert json.loads(merge_timeline(as_bytes(base), as_bytes(ours), as_bytes(theirs)).data)


@pytest.mark.parametrize("count", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_thousands_of_clips_join_in_seconds(count: int) -> None:
    """Both sides shuffle and trim a timeline of 5,000 clips."""
    rng = random.Random(9)
    clips = [otio_clip(f"m{n}", n % 7) for n in range(count)]
    ours, theirs = copy.deepcopy(clips), copy.deepcopy(clips)
    theirs.insert(0, theirs.pop(count - 9))
    for clip in ours[::3]:
        clip["source_range"]["duration"]["value"] -= 12
    rng.shuffle(ours)
    sides = [as_bytes(otio(side)) for side in (clips, ours, theirs)]
    start = time.process_time()
    merged = merge_timeline(*sides)
    assert count < 5_000 or time.process_time() - start < 15
    assert len(json.loads(merged.data)["tracks"]["children"][0]["children"]) == count
    assert diff_timeline_files(sides[0], merged.data).lines
