"""What changed in a timeline, in plain words."""

import copy
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.timeline.diff import TimelineDiff, diff_timeline_files
from aura_vcs.formats.timeline.model import Clip, Timeline, read_time, seconds_to_ticks, spoken, write_time
from aura_vcs.formats.timeline.project_file import read_project
from hypothesis import given, strategies as st

from tests.compare.json_values import DOCUMENTS, unhurried
from tests.compare.timelines import (
    OTIO_SAMPLES,
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

SAMPLES = sorted(OTIO_SAMPLES.glob("*.otio")) or [
    pytest.param(None, marks=pytest.mark.skip(f"{OTIO_SAMPLES} is not here"))
]


def _diff(old: Any, new: Any) -> TimelineDiff:
    found = diff_timeline_files(as_bytes(old), as_bytes(new))
    assert not found.fallback
    return found


def _kinds(found: TimelineDiff) -> list[str]:
    return [change.kind for change in found.changes]


def test_the_sentence_of_the_goal() -> None:
    """Trimmed, moved and its picture replaced: one sentence, and the rest is one ripple."""
    new = planets()
    venus = new.pop(2)
    set_seconds(venus, 4.5)
    venus["visual_assets"][0]["file_path"] = "assets/venus-2.png"
    new.insert(1, venus)
    assert _diff(studio(planets()), studio(new)).lines == (
        "Scene 3 was trimmed from 6.0 s to 4.5 s, moved before scene 2, "
        "and its picture replaced (venus.png → venus-2.png)",
        'Scene 2 "Mercury" starts 4.5 s later',
        "Everything after scene 2 starts 1.5 s earlier (3 scenes)",
        "The whole is 1.5 s shorter (36.0 s → 34.5 s)",
    )


def test_one_trim_ripples_in_one_line() -> None:
    """Fifty scenes that follow are one line, not fifty."""
    old = [scene(f"Part{n}") for n in range(51)]
    new = copy.deepcopy(old)
    set_seconds(new[0], 4.5)
    assert _diff(studio(old), studio(new)).lines == (
        "Scene 1 was trimmed from 6.0 s to 4.5 s",
        "Everything after scene 1 starts 1.5 s earlier (50 scenes)",
        "The whole is 1.5 s shorter (5 min 6.0 s → 5 min 4.5 s)",
    )


def test_one_moved_scene_is_one_change() -> None:
    """The last scene moved to the front: no other scene counts as moved."""
    old = planets()
    found = _diff(studio(old), studio([old[-1], *old[:-1]]))
    assert _kinds(found).count("moved") == 1
    assert found.lines[0] == "Scene 6 was moved before scene 1"


def test_added_and_removed_scenes() -> None:
    """New and lost scenes are named; a new one is not taken for the lost one."""
    old = planets()
    new = [*old[:3], *old[4:], scene("Pluto", 3.0)]
    assert _diff(studio(old), studio(new)).lines == (
        'Scene 4 "Earth" was removed (6.0 s)',
        'Scene "Pluto" was added as scene 6 (3.0 s)',
        "Everything after scene 3 starts 6.0 s earlier (2 scenes)",
        "The whole is 3.0 s shorter (36.0 s → 33.0 s)",
    )


def test_everything_of_a_scene_is_told() -> None:
    """Script, narration, heading, transition, effects, assets and other fields."""
    new = planets()
    mars = new[4]
    mars["heading"] = "The red planet"
    mars["transition_type"] = "wipe"
    mars["narration_audio_path"] = "assets/mars-take2.wav"
    mars["visual_assets"][0]["effects"]["brightness"] = 1.2
    mars["visual_assets"][0]["opacity"] = 0.5
    mars["visual_assets"].append({"id": "new", "type": "video", "file_path": "assets/dust.mp4"})
    mars["mood"] = "warm"
    new[0]["script"] += " It shines."
    found = _diff(studio(planets()), studio(new, background_music_path="assets/brave.mp3"))
    assert {"renamed", "transition", "media", "effect", "detail", "part_added", "text", "setting"} <= set(_kinds(found))
    assert found.lines[0].startswith('Scene 1 had its script edited: "')
    assert found.lines[1].startswith('Scene 5 was renamed from "Mars" to "The red planet", its narration replaced')
    assert 'Timeline: background_music_path: "assets/calm.mp3" → "assets/brave.mp3"' in found.lines


def test_many_changes_are_counted() -> None:
    """A reworked timeline has a short summary, and every change in the details."""
    old = [scene(f"Part{n}") for n in range(60)]
    new = [scene(f"Part{n}", 3.0) for n in range(0, 60, 2)] + [scene(f"New{n}") for n in range(20)]
    found = _diff(studio(old), studio(new))
    assert len(found.lines) <= 12
    assert found.lines[:3] == (
        "20 scenes were added",
        "30 scenes were removed",
        "30 scenes were trimmed or extended",
    )
    assert _kinds(found).count("trimmed") == 30


def test_values_are_told_where_they_are_short() -> None:
    """An effect turned up, a picture moved: from what to what, not only that it changed."""
    new = planets()
    picture = new[0]["visual_assets"][0]
    picture["effects"]["brightness"] = 1.3
    picture["position"] = {"x": 20, "y": 0, "width": 60}
    old = planets()
    old[0]["visual_assets"][0]["position"] = {"x": 0, "y": 0, "width": 100}
    (line,) = _diff(studio(old), studio(new)).lines
    assert 'its effect "brightness" changed (1.0 → 1.3)' in line
    assert "its position changed (width: 100 → 60, x: 0 → 20)" in line or "(x: 0 → 20, width: 100 → 60)" in line


def test_fields_without_a_value_are_no_change() -> None:
    """A newer program that writes `"color": null` to every clip changed nothing that anybody did."""
    old, new = otio([otio_clip("a"), otio_clip("b")]), otio([otio_clip("a"), otio_clip("b")])
    for clip in new["tracks"]["children"][0]["children"]:
        clip["color"] = None
    found = _diff(old, new)
    assert (found.changes, found.lines) == ((), ())
    new["tracks"]["children"][0]["children"][0]["color"] = "RED"
    assert _diff(old, new).lines == ("a had its color added",)


def test_a_clip_with_many_changes_is_told_in_full_where_all_is_asked_for() -> None:
    """The summary counts what is too much; where more lines are wanted, everything is told."""
    new = planets()
    for key in "abcdefg":
        new[0][f"own_{key}"] = 1
    short = _diff(studio(planets()), studio(new))
    assert "more changes made to it" in short.lines[0]
    assert not short.is_complete
    full = diff_timeline_files(as_bytes(studio(planets())), as_bytes(studio(new)), limit=100)
    assert "its own g added" in full.lines[0]
    assert full.is_complete


def test_otio_clips_are_matched_by_media_and_source_point() -> None:
    """The same shot cut twice is told apart by where it begins; trims name the end that changed."""
    old = otio([otio_clip("a", 0), otio_clip("a", 10), otio_clip("b", 0), otio_clip("c", 0)])
    new = otio([otio_clip("a", 10), otio_clip("a", 0), otio_clip("b", 1, 3), otio_clip("c", 2), otio_clip("d")])
    found = _diff(old, new)
    assert sorted(_kinds(found)) == ["added", "moved", "ripple", "ripple", "slipped", "trimmed"]
    assert "b was trimmed from 4.0 s to 3.0 s at its beginning" in found.lines
    assert "c was slipped to begin 2.0 s later in its media" in found.lines
    assert "d was added after c (4.0 s)" in found.lines


def test_a_clip_that_changed_tracks_is_moved() -> None:
    """From video 1 to video 2 is one move, not a loss and a find."""
    shot = otio_clip("b")
    old = otio([otio_clip("a"), shot, otio_clip("c")], [otio_clip("m")], [otio_clip("x")])
    new = otio([otio_clip("a"), otio_clip("c")], [otio_clip("m")], [otio_clip("x"), shot])
    found = _diff(old, new)
    assert "b was moved to track V2, after x" in found.lines
    assert sorted(_kinds(found)) == ["moved", "ripple"]


def test_retimes_effects_markers_and_replaced_media() -> None:
    """Speed, effects, markers, names and the file behind a clip."""
    warp = {"OTIO_SCHEMA": "LinearTimeWarp.1", "name": "", "effect_name": "", "time_scalar": 2.0}
    blur = {"OTIO_SCHEMA": "Effect.1", "name": "blur", "effect_name": "Blur"}
    marker = {"OTIO_SCHEMA": "Marker.2", "name": "check", "marked_range": otio_range(0, 1)}
    old = otio([otio_clip("a"), otio_clip("b"), otio_clip("c", name="shot")])
    new = otio(
        [
            otio_clip("a", effects=[warp]),
            otio_clip("b", effects=[blur], markers=[marker]),
            otio_clip("d", name="shot"),
        ]
    )
    assert _diff(old, new).lines == (
        "a was retimed from 100 % speed to 200 % speed",
        'b had its effect "blur" added and its marker "check" added',
        "shot had its media replaced (c.mov → d.mov)",
    )


def test_a_changed_gap_is_a_shift_and_a_ripple() -> None:
    """Only the clip behind the gap was shifted by hand; the others followed."""
    clips = [otio_clip(name) for name in "abcde"]
    old = otio([*clips[:2], otio_gap(1), *clips[2:]])
    new = otio([*clips[:2], otio_gap(2.5), *clips[2:]])
    found = _diff(old, new)
    assert found.lines[:2] == (
        "c was shifted to start 1.5 s later",
        "Everything after c starts 1.5 s later (2 clips)",
    )


def test_the_same_ripple_on_all_tracks_is_one_line() -> None:
    """Picture and sound cut together shift together."""
    old = otio([otio_clip(n) for n in "abc"], [otio_clip(n) for n in "xyz"])
    new = otio(
        [otio_clip("a", 0, 3), otio_clip("b"), otio_clip("c")],
        [otio_clip("x", 0, 3), otio_clip("y"), otio_clip("z")],
    )
    found = _diff(old, new)
    ripple = [change for change in found.changes if change.kind == "ripple"]
    assert [(change.after, change.amount) for change in ripple] == [(-1.0, 4)]


def test_tracks_come_go_and_change_names() -> None:
    """A renamed track keeps its clips; a new or lost one is one line."""
    old = otio([otio_clip("a")], [otio_clip("x"), otio_clip("y")], [otio_clip("t")])
    new = copy.deepcopy(old)
    tracks = new["tracks"]["children"]
    tracks[1]["name"] = "Music"
    del tracks[2]
    tracks.insert(0, otio([otio_clip("n")])["tracks"]["children"][0])
    tracks[0]["name"] = "Titles"
    found = _diff(old, new)
    assert set(found.lines) >= {
        "Track V2 was removed with 1 clip",
        "Track Titles was added with 1 clip",
        "Track A1 was renamed to Music",
    }
    assert len(found.changes) == 3


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: Path(path).name if path else "none")
def test_times_agree_with_the_library(sample: Path) -> None:
    """Starts, lengths and source points are those OpenTimelineIO itself computes."""
    library = pytest.importorskip("opentimelineio", reason="opentimelineio, a part of the extra dev, is not installed")
    ours = read_project(sample.name, sample.read_bytes())
    assert isinstance(ours, Timeline)
    try:
        theirs = library.adapters.read_from_file(str(sample))
    except library.exceptions.UnsupportedSchemaError as error:
        pytest.skip(f"the installed OpenTimelineIO cannot read it: {error}")
    assert len(ours.tracks) == len(theirs.tracks)
    for track, other in zip(ours.tracks, theirs.tracks, strict=True):
        clips = [item for item in other if isinstance(item, library.schema.Clip | library.schema.Stack)]
        assert [clip.name for clip in track.clips] == [item.name for item in clips]
        for clip, item in zip(track.clips, clips, strict=True):
            place = item.range_in_parent()
            sum_of_roundings = clip.number + 2
            assert abs(clip.start - seconds_to_ticks(place.start_time.to_seconds())) <= sum_of_roundings
            assert clip.duration == seconds_to_ticks(place.duration.to_seconds())
            assert clip.source_start == seconds_to_ticks(item.trimmed_range().start_time.to_seconds())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: Path(path).name if path else "none")
def test_real_files_without_and_with_edits(sample: Path) -> None:
    """A file as editors write it has no changes against itself, and one for a renamed clip."""
    data = sample.read_bytes()
    assert diff_timeline_files(data, data).changes == ()
    document = json.loads(data)
    track = document["tracks"]["children"][0]["children"]
    clip = next(child for child in track if child["OTIO_SCHEMA"].startswith("Clip"))
    clip["name"] = "A NEW NAME"
    found = diff_timeline_files(data, as_bytes(document))
    assert [change.kind for change in found.changes] == ["renamed"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("00:00:04.5000000", 4.5),
        ("01:02:03", 3723.0),
        ("1.00:00:00", 86400.0),
        ("-00:00:01.25", -1.25),
        (4, 4.0),
        (4.25, 4.25),
    ],
)
def test_times_in_every_spelling(written: Any, seconds: float) -> None:
    """Clock texts, whole and broken seconds are read and written back in their own spelling."""
    ticks = read_time(written)
    assert ticks == seconds_to_ticks(seconds)
    if written != "1.00:00:00":
        assert write_time(ticks, written) == written


@pytest.mark.parametrize("odd", [None, True, "4.5 s", "", "00:00", [], {}, "٠٠:٠٠:٠٠", "::", "-"])
def test_what_is_no_time_is_none(odd: Any) -> None:
    """Nothing is guessed from other values."""
    assert read_time(odd) is None


def test_lengths_are_spoken() -> None:
    """Seconds alone when short, minutes and hours when long."""
    assert [spoken(seconds_to_ticks(s)) for s in (0, 4.5, 1.2345, 63.25, 3602)] == [
        "0.0 s",
        "4.5 s",
        "1.234 s",
        "1 min 3.25 s",
        "1 h 0 min 2.0 s",
    ]


def _mutate(value: Any, rng: random.Random, junk: Any) -> Any:
    """The document with one random part replaced by junk."""
    if rng.random() < 0.12 or not isinstance(value, dict | list) or not value:
        return junk
    if isinstance(value, dict):
        key = rng.choice(sorted(value))
        return {**value, key: _mutate(value[key], rng, junk)}
    n = rng.randrange(len(value))
    return [*value[:n], _mutate(value[n], rng, junk), *value[n + 1 :]]


@unhurried
@given(st.randoms(use_true_random=False), DOCUMENTS, st.booleans())
def test_hostile_timelines_get_an_answer(rng: random.Random, junk: Any, as_otio: bool) -> None:
    """Whatever stands in the wrong place, comparing neither raises nor forgets that something changed."""
    old = otio([otio_clip("a"), otio_gap(1), otio_clip("b")], [otio_clip("x")]) if as_otio else studio(planets())
    new = _mutate(old, rng, junk)
    found = diff_timeline_files(as_bytes(old), as_bytes(new))
    back = diff_timeline_files(as_bytes(new), as_bytes(old))
    assert bool(found.fallback) == bool(back.fallback)
    assert len(found.lines) <= 12
    if not found.fallback and found.old != found.new:
        assert found.changes or _only_gaps_differ(found.old, found.new)


def _only_gaps_differ(old: Timeline | None, new: Timeline | None) -> bool:
    """Times below half a millisecond, and trailing gaps, are no change anybody made."""

    def rough(clip: Clip) -> Any:
        times = (clip.start // 10**5, clip.duration // 10**5, (clip.source_start or 0) // 10**5)
        return times, clip.name, clip.media, clip.text

    assert old is not None
    assert new is not None
    return [[rough(c) for c in t.clips] for t in old.tracks] == [[rough(c) for c in t.clips] for t in new.tracks]


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_thousands_of_markers_and_effects_take_seconds(count: int) -> None:
    """One clip with 20,000 markers, half of them changed, is not a trap."""
    markers = [{"OTIO_SCHEMA": "Marker.2", "name": f"m{n % 3}", "at": n} for n in range(count)]
    changed = [{**marker, "at": -marker["at"]} if marker["at"] % 2 else marker for marker in markers]
    start = time.process_time()
    found = _diff(otio([otio_clip("a", markers=markers)]), otio([otio_clip("a", markers=changed[:-1])]))
    assert count < 20_000 or time.process_time() - start < 5
    assert _kinds(found) == ["marker"] * (count // 2)
    assert len(found.lines[0]) < 1_000


@pytest.mark.parametrize("count", [800, pytest.param(5_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", ["shuffled", "trimmed", "same media", "no names", "tracks"])
def test_thousands_of_clips_take_seconds(shape: str, count: int) -> None:
    """Whatever happened to 5,000 clips, the comparison is done in seconds."""
    rng = random.Random(7)
    old = [otio_clip(f"m{n}", n % 7, 2 + n % 3) for n in range(count)]
    if shape == "same media":
        old = [otio_clip("m", rng.randrange(50), 2) for _ in range(count)]
    if shape == "no names":
        old = [otio_gap(1) | {"OTIO_SCHEMA": "Clip.1"} for _ in range(count)]
    new = copy.deepcopy(old)
    if shape != "trimmed":
        rng.shuffle(new)
    for clip in new[::3]:
        clip["source_range"]["duration"]["value"] += 12
    tracks = ([old], [new])
    if shape == "tracks":
        tracks = ([[clip] for clip in old], [[clip] for clip in new])
    before, after = as_bytes(otio(*tracks[0])), as_bytes(otio(*tracks[1]))
    start = time.process_time()
    found = diff_timeline_files(before, after)
    assert count < 5_000 or time.process_time() - start < 10
    assert len(found.lines) <= 12
    assert found.changes
