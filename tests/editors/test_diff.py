"""What changed in the project of an editor, in words; what changes by looking at it is one line."""

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from aura_vcs.history.diff.file_diff import DETAIL_LINES, diff_file

from tests.editors import projects
from tests.editors.projects import Cut, Item

CUT = {
    "V1": [Item("sea.mp4", 10, 50), Item("boat.mp4", 0, 75, gap=25), Item("gull.mp4")],
    "A1": [Item("wind.wav", 0, 150)],
}
WRITERS = {
    "trip.kdenlive": projects.kdenlive,
    "trip.mlt": projects.shotcut,
    "trip.osp": projects.openshot,
    "trip.xml": projects.xmeml,
    "trip.prproj": projects.premiere,
    "trip.rpp": projects.reaper,
}


def lines(path: str, old: bytes, new: bytes) -> tuple[str, ...]:
    found = diff_file(path, old, new)
    assert found.kind == "timeline", found
    return found.lines


@pytest.mark.parametrize("path", WRITERS)
def test_an_added_clip_is_one_line_in_every_editor(path: str) -> None:
    """With the track and the timecode of where it is."""
    write = WRITERS[path]
    new: Cut = {**CUT, "V1": [*CUT["V1"], Item("dune.mp4", 5, 30)]}
    old = write(CUT) if path != "trip.osp" else projects.openshot(CUT)
    found = lines(path, old, write(new))
    track = "track 1" if path == "trip.drp" else "V1"
    assert found[0] == f"dune.mp4 was added on {track} at 00:00:08:00 (1.2 s)"
    assert len(found) == 2, found
    assert found[1] == "The whole is 1.2 s longer (8.0 s → 9.2 s)"


@pytest.mark.parametrize("path", [path for path in WRITERS if path != "trip.prproj"])
def test_a_trim_at_the_end_is_a_trim(path: str) -> None:
    """The clip behind it moves up, which is one line more."""
    new: Cut = {**CUT, "V1": [Item("sea.mp4", 10, 40), *CUT["V1"][1:]]}
    found = lines(path, WRITERS[path](CUT), WRITERS[path](new))
    assert found[0] == "sea.mp4 was trimmed from 2.0 s to 1.6 s"
    assert found[1] == "Everything after sea.mp4 starts 0.4 s earlier (2 clips)"


def test_an_effect_is_told_with_what_changed_in_it() -> None:
    """Which parameter, from what to what."""
    sides = [
        {**CUT, "V1": [Item("sea.mp4", 10, 50, effects=(("volume", "level", value),)), *CUT["V1"][1:]]}
        for value in ("0", "-6")
    ]
    for path in ("trip.kdenlive", "trip.mlt", "trip.osp"):
        found = lines(path, *(WRITERS[path](side) for side in sides))
        assert found == ('sea.mp4 had its effect "volume" changed (level: "0" → "-6")',)


def test_ids_that_were_given_anew_are_no_change() -> None:
    """Kdenlive numbers its media at every save."""
    old = projects.kdenlive(CUT)
    new = projects.kdenlive(CUT, order=["wind.wav", "sea.mp4", "gull.mp4", "boat.mp4"])
    assert old != new
    assert lines("trip.kdenlive", old, new) == ("Nothing in the timeline changed, only how the file is written",)


def test_commas_for_points_are_no_change() -> None:
    """One person's computer writes `00:00:03,380`, the other's `00:00:03.380`."""
    found = lines("trip.kdenlive", projects.kdenlive(CUT), projects.kdenlive(CUT, comma=True))
    assert found == ("Nothing in the timeline changed; besides: version of the editor",)


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        (
            "a.kdenlive",
            projects.kdenlive(CUT),
            projects.kdenlive(CUT, settings={"position": "99", "zoom": "3"}),
            "playhead, zoom",
        ),
        ("a.osp", projects.openshot(CUT), projects.openshot(CUT, playhead_position=8, scale=1.0), "playhead, zoom"),
        (
            "a.rpp",
            projects.reaper(CUT),
            projects.reaper(CUT, saved=1_800_000_000, playhead="9"),
            "playhead, time of saving",
        ),
        ("a.prproj", projects.premiere(CUT), projects.premiere(CUT, playhead=7), "window, playhead and views"),
    ],
    ids=["kdenlive", "osp", "rpp", "prproj"],
)
def test_what_changes_by_looking_is_one_line(path: str, old: bytes, new: bytes, words: str) -> None:
    """Nothing in the timeline changed."""
    assert lines(path, old, new) == (f"Nothing in the timeline changed; besides: {words}",)


def test_numbers_that_were_rounded_anew_are_no_change() -> None:
    """OpenShot: 2.2083333333333335 becomes 2.208333333333333."""
    old = projects.openshot(CUT).replace(b'"position": 3.0', b'"position": 2.2083333333333335')
    new = old.replace(b"2.2083333333333335", b"2.208333333333333")
    assert old != new
    assert diff_file("a.osp", old, new).timeline is not None
    assert diff_file("a.osp", old, new).timeline.changes == ()  # type: ignore[union-attr]


def test_everything_is_shown_where_it_is_asked_for() -> None:
    """With every change wanted, the text of the file too."""
    old, new = projects.kdenlive(CUT), projects.kdenlive(CUT, settings={"position": "99"})
    assert diff_file("a.kdenlive", old, new).text is None
    assert diff_file("a.kdenlive", old, new, limit=DETAIL_LINES).text is not None


def test_a_clip_of_one_name_on_two_tracks_is_told_apart() -> None:
    """Two sentences that read alike would be one riddle."""
    old: Cut = {"V1": [Item("sea.mp4", 0, 50)], "V2": [Item("sea.mp4", 0, 50)]}
    new: Cut = {"V1": [Item("sea.mp4", 0, 40)], "V2": [Item("sea.mp4", 0, 40)]}
    for path in ("a.kdenlive", "a.mlt", "a.osp"):
        write = WRITERS["trip" + path[1:]]
        found = lines(path, write(old), write(new))
        assert found[:2] == (
            "sea.mp4 on V1 was trimmed from 2.0 s to 1.6 s",
            "sea.mp4 on V2 was trimmed from 2.0 s to 1.6 s",
        )


def test_a_clip_in_the_undo_list_is_no_clip() -> None:
    """OpenShot keeps what was deleted in its history: it was removed, not moved."""
    old = projects.openshot(CUT)
    value = json.loads(old)
    gone = value["clips"].pop(2)
    value["history"] = {"undo": [{"type": "delete", "value": gone}], "redo": []}
    found = lines("a.osp", old, json.dumps(value).encode())
    assert found[0] == "gull.mp4 was removed from V1 at 00:00:06:00 (2.0 s)"


def test_json_of_another_name_is_compared_as_json() -> None:
    """What it is, is seen from its content."""
    found = diff_file("scene.theme", b'{"a": 1}', b'{"a": 2}')
    assert (found.kind, found.lines) == ("fields", ("a: 1 → 2",))


def test_a_project_that_cannot_be_read_says_why() -> None:
    """And its lines are compared as text."""
    found = diff_file("a.osp", b"(iclasses.project\np1\n", b"(iclasses.project\np2\n")
    assert "never" in found.lines[0] or "could run anything" in found.lines[0]
    assert found.text is not None


def test_two_large_projects_are_compared_in_two_seconds() -> None:
    """50,000 lines each, of which a clip was trimmed."""
    cut: Cut = {f"V{n}": [Item(f"take{m % 40}.mp4", m, 20 + m % 7) for m in range(1_500)] for n in range(11)}
    old = projects.kdenlive(cut)
    cut["V3"][700] = Item("take1.mp4", 3, 99)
    new = projects.kdenlive(cut)
    assert old.count(b"\n") > 45_000
    start = time.process_time()
    found = diff_file("a.kdenlive", old, new)
    assert time.process_time() - start < 4, "twice what is promised: the machine may be busy"
    assert found.timeline is not None
    assert found.timeline.changes


def test_real_versions_are_told_in_few_lines() -> None:
    """Where real saves lie beside the project: never a dump, whatever happened between them."""
    found = projects.samples("kdenlive", "rpp", "edl", "fcpxml")
    by_name: dict[str, list[Path]] = {}
    for path in found:
        by_name.setdefault(path.name.split(".")[0], []).append(path)
    pairs = [(a, b) for paths in by_name.values() for a, b in pairwise(paths)]
    for old, new in pairs:
        told = diff_file(old.name, old.read_bytes(), new.read_bytes())
        if old.read_bytes() != new.read_bytes():
            assert told.kind == "timeline"
            assert 1 <= len(told.lines) <= 13
