"""What editors do to a cut, and the words for it: on OpenTimelineIO files as editors write them."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from aura_vcs.compare.timeline.diff import diff_timeline_files

from tests.compare.timelines import OTIO_SAMPLES, as_bytes, otio, otio_clip, otio_gap

needs_samples = pytest.mark.skipif(not OTIO_SAMPLES.is_dir(), reason=f"{OTIO_SAMPLES} is not here")
Edit = Callable[[list[Any]], object]


def _lines(old: Any, new: Any) -> tuple[str, ...]:
    return diff_timeline_files(as_bytes(old), as_bytes(new)).lines


def _three() -> dict[str, Any]:
    return otio([otio_clip("sun"), otio_clip("earth", 10, 6), otio_clip("mars")])


def _children(timeline: Any, track: int = 0) -> list[Any]:
    children: list[Any] = timeline["tracks"]["children"][track]["children"]
    return children


def _longer(clip: Any, frames: int, *, head: bool = False) -> None:
    clip["source_range"]["duration"]["value"] += frames
    if head:
        clip["source_range"]["start_time"]["value"] -= frames


def test_a_clip_cut_in_two_is_split() -> None:
    """What plays on behind the cut is not a new clip, and the first half was not trimmed."""
    new = _three()
    _children(new)[1:2] = [otio_clip("earth", 10, 4), otio_clip("earth", 14, 2)]
    found = diff_timeline_files(as_bytes(_three()), as_bytes(new))
    assert found.lines == ("earth was split in two (4.0 s and 2.0 s)",)
    assert [(c.kind, c.new_pointer) for c in found.changes] == [("split", "/tracks/children/0/children/2")]


def test_halves_that_do_not_make_the_whole_are_no_split() -> None:
    """With a piece lost between them it is a trimmed clip and a new one."""
    new = _three()
    _children(new)[1:2] = [otio_clip("earth", 10, 3), otio_clip("earth", 14, 2)]
    assert _lines(_three(), new) == (
        "earth was trimmed from 6.0 s to 3.0 s",
        "earth was added before mars (2.0 s)",
        "mars starts 1.0 s earlier",
        "The whole is 1.0 s shorter (14.0 s → 13.0 s)",
    )


def test_a_rolled_cut_is_two_lines() -> None:
    """That the second clip begins elsewhere follows from its new beginning."""
    new = _three()
    _longer(_children(new)[0], 12)
    _longer(_children(new)[1], -12, head=True)
    assert _lines(_three(), new) == (
        "sun was extended from 4.0 s to 4.5 s",
        "earth was trimmed from 6.0 s to 5.5 s at its beginning",
    )


def test_media_in_another_folder_is_one_line() -> None:
    """Relinking a whole cut changes every clip, and is one thing."""
    new = _three()
    for clip in _children(new):
        reference = clip["media_references"]["DEFAULT_MEDIA"]
        reference["target_url"] = reference["target_url"].replace("file:///", "file:///Volumes/B/")
    old = _three()
    assert _lines(old, new) == ("The media of 3 clips: file:// → file:///Volumes/B",)
    _children(new)[1:] = _children(_three())[1:]
    assert _lines(old, new) == ("sun had its media taken from another place (file:// → file:///Volumes/B)",)


def test_switching_a_clip_off_and_on() -> None:
    """`enabled` is said as editors say it."""
    new = _three()
    _children(new)[0]["enabled"] = False
    assert _lines(_three(), new) == ("sun was switched off",)
    assert _lines(new, _three()) == ("sun was switched on",)


def test_one_clip_gone_and_another_of_its_name_there() -> None:
    """They are two sentences, although both stand in the same place."""
    old, new = otio([otio_clip("a", 0, 4)]), otio([otio_clip("a", 40, 3)])
    assert _lines(old, new)[:2] == ("a was removed (4.0 s)", "a was added to 0.0 s (3.0 s)")


def test_a_renamed_timeline_and_its_start() -> None:
    """What the timeline itself says is told too."""
    new = _three() | {"name": "cut 2"}
    new["global_start_time"] = {"OTIO_SCHEMA": "RationalTime.1", "rate": 24, "value": 86_400}
    assert _lines(_three(), new) == ('Timeline: name: "cut" → "cut 2"', 'Timeline: start: null → "1 h 0 min 0.0 s"')


def test_a_gap_that_keeps_the_rest_in_place() -> None:
    """A trim that a gap makes up for moves nothing."""
    old, new = otio([otio_clip("a"), otio_gap(1), otio_clip("b")]), otio([otio_clip("a"), otio_gap(2), otio_clip("b")])
    _longer(_children(new)[0], -24)
    assert _lines(old, new) == ("a was trimmed from 4.0 s to 3.0 s",)


def _to_other_track(tracks: list[Any]) -> None:
    tracks[0]["children"].append(tracks[1]["children"].pop(1))


@needs_samples
@pytest.mark.parametrize(
    ("name", "edit", "lines"),
    [
        (
            "screening_example.otio",
            lambda tracks: _longer(tracks[0]["children"][2], -8),
            [
                "ZZ100_503A (LAY1) was trimmed from 1.167 s to 0.833 s",
                "Everything after ZZ100_503A (LAY1) starts 0.333 s earlier (6 clips)",
            ],
        ),
        (
            "screening_example.otio",
            lambda tracks: tracks[0]["children"].insert(0, tracks[0]["children"].pop()),
            [
                "ZZ100_510B (LAY1) was moved before ZZ100_501 (LAY3)",
                "Everything from ZZ100_501 (LAY3) on starts 10.708 s later (8 clips)",
            ],
        ),
        (
            "multitrack.otio",
            _to_other_track,
            [
                "t-hawk (loop)-HD.mp4 was moved to track Sequence, after brokchrd (loop)-HD.mp4",
                "The whole is 20.0 s longer (2 min 16.75 s → 2 min 36.75 s)",
            ],
        ),
        ("multitrack.otio", lambda tracks: tracks.pop(), ["Track Sequence 3 was removed with 1 clip"]),
        (
            "simple_cut.otio",
            lambda tracks: tracks[0]["children"].pop(1),
            [
                "Clip-002 was removed (0.25 s)",
                "Everything after Clip-001 starts 0.25 s earlier (2 clips)",
                "The whole is 0.25 s shorter (0.792 s → 0.542 s)",
            ],
        ),
        (
            "transition.otio",
            lambda tracks: tracks[0]["children"][2]["in_offset"].update(value=4),
            ["Clip-003 had its transition changed (SMPTE_Dissolve 0.208 s → SMPTE_Dissolve 0.292 s)"],
        ),
        (
            "clip_example.otio",
            lambda tracks: tracks[0]["children"][2].update(transition_type="Custom_Wipe"),
            ["Clip-001 had its closing transition changed (SMPTE_Dissolve 0.125 s → Custom_Wipe 0.125 s)"],
        ),
    ],
)
def test_edits_of_real_files(name: str, edit: Edit, lines: list[str]) -> None:
    """Each edit of a file that an editor wrote is told in its own few words."""
    old = json.loads((OTIO_SAMPLES / name).read_bytes())
    new = copy.deepcopy(old)
    edit(new["tracks"]["children"])
    assert list(_lines(old, new)) == lines
