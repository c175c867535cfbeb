"""Projects of editors are read into one model, whichever editor wrote them; real ones, and one cut in every format."""

import time
from pathlib import Path

import pytest
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Timeline
from aura_vcs.formats.timeline.project_file import read_project
from msgspec import structs

from tests.editors import projects
from tests.editors.projects import Item, samples

CUT = {
    "V1": [Item("clips/sea.mp4", 10, 50), Item("clips/boat.mp4", 0, 75, gap=25), Item("clips/sea.mp4", 100, 30)],
    "A1": [Item("clips/wind.wav", 5, 100)],
}
FORMATS = {
    "kdenlive": (projects.kdenlive, "trip.kdenlive"),
    "shotcut": (projects.shotcut, "trip.mlt"),
    "openshot": (projects.openshot, "trip.osp"),
    "xmeml": (projects.xmeml, "trip.xml"),
    "reaper": (projects.reaper, "trip.rpp"),
    "premiere": (projects.premiere, "trip.prproj"),
    "resolve": (projects.resolve, "trip.drp"),
    "": (projects.otio, "trip.otio"),
}
NO_PROJECTS = {
    "Hello-Malta__main.00.mlt": "a program in another language",
    "fcpxml-cutlass__templates_one_wiki.02.fcpxml": "a template",
    "fcpxml-cutlass__templates_time_slide.04.fcpxml": "a template",
}
"""Files beside the project whose ending promises more than they are."""


def read(path: str, data: bytes) -> Timeline:
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_one_cut_reads_alike_in_every_format(name: str) -> None:
    """Tracks, clips, places, lengths, points in the media and names come out the same."""
    write, path = FORMATS[name]
    found = read(path, write(CUT))
    assert found.format == name
    tracks = {track.name: track for track in found.tracks}
    assert [clip.name for clip in tracks["V1"].clips] == ["sea.mp4", "boat.mp4", "sea.mp4"] if "V1" in tracks else True
    video = next(track for track in found.tracks if any("boat" in clip.name for clip in track.clips))
    frames = [
        (round(clip.start * 25 / TICKS_PER_SECOND), round(clip.duration * 25 / TICKS_PER_SECOND), clip.source_start)
        for clip in video.clips
    ]
    assert frames == [(0, 50, 4_000_000), (75, 75, 0), (150, 30, 40_000_000)]
    assert found.duration == 180 * TICKS_PER_SECOND // 25
    if name:
        written = {reference.path.removeprefix("/").removeprefix("Volumes/") for reference in found.media}
        assert written == {"clips/sea.mp4", "clips/boat.mp4", "clips/wind.wav"}
        assert all(
            found.media[clip.reference].path.endswith(clip.name) for track in found.tracks for clip in track.clips
        )


@pytest.mark.parametrize("write", [projects.fcpxml, projects.edl])
def test_formats_of_one_track_read_alike(write: object) -> None:
    """A storyline and an edit list have the pictures of the cut."""
    data = write({"V1": CUT["V1"]})  # type: ignore[operator]
    found = read("trip", data)
    frames = [
        (round(c.start * 25 / 10**7), round(c.duration * 25 / 10**7), c.source_start) for c in found.tracks[0].clips
    ]
    assert frames == [(0, 50, 4_000_000), (75, 75, 0), (150, 30, 40_000_000)]
    assert [clip.name for clip in found.tracks[0].clips] == ["sea.mp4", "boat.mp4", "sea.mp4"]


def test_a_bundle_reads_as_what_is_in_it() -> None:
    """`.otioz` is a zip file with a timeline."""
    assert read("trip.otioz", projects.otioz(CUT)) == read("trip.otio", projects.otio(CUT))


@pytest.mark.parametrize("version", [f"1.{n}" for n in range(8, 14)])
def test_versions_of_final_cut_read_alike(version: str) -> None:
    """Nothing depends on the version that is written."""
    sides = [read("x.fcpxml", projects.fcpxml(CUT, number)) for number in (version, "1.10")]
    clips = [[structs.replace(clip, pointer="") for track in side.tracks for clip in track.clips] for side in sides]
    assert clips[0] == clips[1]
    assert len(clips[0]) == 3


REAL = samples("kdenlive", "mlt", "osp", "fcpxml", "edl", "rpp", "prproj")


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[-40:])
def test_every_real_project_is_read(path: Path) -> None:
    """Each in a moment; the media's places are where it says, and clips play what they refer to."""
    data = path.read_bytes()
    start = time.process_time()
    found = read_project(path.name, data)
    assert time.process_time() - start < 1
    if isinstance(found, Unstructured):
        assert path.name in NO_PROJECTS or "stored Python object" in found.reason, found.reason
        return
    for track in found.tracks:
        for clip in track.clips:
            assert clip.duration >= 0
            assert -1 <= clip.reference < len(found.media)
    if path.suffix == ".prproj":
        return  # the places are those in the content
    for reference in found.media:
        if reference.end:
            written = data[reference.start : reference.end].decode()
            assert reference.path.rpartition("/")[2].replace("&", "&amp;")[:8] in written.replace("%20", " ")


def test_a_reference_says_where_it_stands_in_the_file() -> None:
    """So that it can be written anew, whatever stands in front of it."""
    data = projects.kdenlive(CUT).replace(b"clips/sea.mp4<", b"2.5:clips/sea.mp4<")
    data = data.replace(b"avformat-novalidate", b"timewarp")
    found = read("x.kdenlive", data)
    sea = next(reference for reference in found.media if reference.path == "clips/sea.mp4")
    assert data[sea.start : sea.end] == b"clips/sea.mp4"
    assert (sea.prefix, sea.kind, sea.is_absolute, sea.identity) == ("2.5:", "file", False, "{clips/sea.mp4}")
    assert found.tracks[0].clips[0].speed == 2.5


def test_an_aaf_is_read_with_its_library(tmp_path: Path) -> None:
    """Tracks, clips, media and order; without the library, the reason says what to install."""
    aaf2 = pytest.importorskip("aaf2")
    with aaf2.open(str(tmp_path / "trip.aaf"), "w") as file:
        tape = file.create.SourceMob("tape")
        file.content.mobs.append(tape)
        tape.create_tape_slots("sea tape", 25, 25)
        master = file.create.MasterMob("sea.mov")
        file.content.mobs.append(master)
        shot = master.create_picture_slot("25")
        shot.segment = tape.create_source_clip(slot_id=1, length=500)
        cut = file.create.CompositionMob("Trip")
        cut.usage = "Usage_TopLevel"
        file.content.mobs.append(cut)
        track = cut.create_picture_slot("25")
        track.segment.components.append(master.create_source_clip(slot_id=shot.slot_id, start=10, length=50))
        track.segment.components.append(file.create.Filler("picture", 25))
        track.segment.components.append(master.create_source_clip(slot_id=shot.slot_id, start=100, length=30))
    found = read("trip.aaf", (tmp_path / "trip.aaf").read_bytes())
    assert [(c.name, c.start, c.duration, c.source_start) for c in found.tracks[0].clips] == [
        ("sea.mov", 0, 20_000_000, 4_000_000),
        ("sea.mov", 30_000_000, 12_000_000, 40_000_000),
    ]
    assert found.rate == (25, 1)
