"""Scenes are added, changed, removed and moved; files and timeline stay in step, other bytes stay."""

import difflib
import json
from collections.abc import Callable
from typing import Any

import pytest
from aura_vcs.errors.documents import InvalidValue, UnknownField
from aura_vcs.errors.input import UnknownName
from aura_vcs.project.documents.check import check_project
from aura_vcs.project.documents.set_field import edit_document
from aura_vcs.project.scenes.scenes import (
    SceneChanges,
    add_scene,
    find_scene,
    list_scenes,
    move_scene,
    remove_scene,
    set_scene,
)
from hypothesis import given, settings, strategies as st

from tests.helpers.memory_source import MemorySource
from tests.project.conftest import RELAXED

Changed = Callable[..., MemorySource]


def _after(files: dict[str, bytes], changes: SceneChanges) -> dict[str, bytes]:
    kept = {name: data for name, data in files.items() if name not in changes.delete}
    return {**kept, **changes.write}


def _headings(files: dict[str, bytes]) -> list[str]:
    return [scene.document.heading for scene in list_scenes(MemorySource(files))]


def _changed_lines(old: bytes, new: bytes) -> list[str]:
    lines = difflib.ndiff(old.decode().splitlines(), new.decode().splitlines())
    return [line for line in lines if line[:2] in ("+ ", "- ")]


def test_a_scene_is_found_by_what_people_call_it(changed: Changed) -> None:
    """Index, file name, stem, id and the start of an id; a wrong name lists the right ones."""
    scenes = list_scenes(changed())
    earth = scenes[3]
    for name in ("3", "scenes/040-earth.json", "040-earth", earth.document.id):
        assert find_scene(scenes, name) is earth
    with pytest.raises(UnknownName) as caught:
        find_scene(scenes, "moon")
    assert "040-earth" in caught.value.hint
    with pytest.raises(UnknownName, match="scene") as caught:
        find_scene(scenes, earth.document.id[:8])
    assert "both go by it" in caught.value.hint


def test_setting_a_heading_changes_two_lines(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """One line of the scene's file and one of the timeline differ; nothing else is written."""
    changes = set_scene(changed(), "040-earth", {"heading": "Home"})
    assert set(changes.write) == {"scenes/040-earth.json", "timeline.json"}
    assert changes.delete == changes.notes == ()
    for name, data in changes.write.items():
        lines = _changed_lines(solar_files[name], data)
        assert [line.split(":")[1].strip(' ",') for line in lines] == ["Earth", "Home"], name


def test_setting_what_is_there_writes_nothing(changed: Changed) -> None:
    """An equal value is not a change."""
    assert set_scene(changed(), "3", {"heading": "Earth", "duration_seconds": 7.5}).write == {}


def test_a_longer_scene_moves_the_later_ones(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """Its picture stays as long as the scene, later starts and the project's duration follow."""
    changes = set_scene(changed(), "040-earth", {"duration_seconds": 9})
    files = _after(solar_files, changes)
    timeline = json.loads(files["timeline.json"])
    assert timeline["scenes"][3]["duration"] == "00:00:09.0000000"
    assert timeline["scenes"][3]["visual_assets"][0]["duration"] == "00:00:09.0000000"
    assert timeline["scenes"][4]["start"] == "00:00:32.0000000"
    assert timeline["scenes"][2] == json.loads(solar_files["timeline.json"])["scenes"][2]
    assert json.loads(files["project.json"])["duration_seconds"] == 77.5
    assert {p.file for p in check_project(MemorySource(files))} == set()


def test_a_new_picture_reaches_the_timeline(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """The timeline's layer that showed the old picture shows the new one; the clip above it stays."""
    changes = set_scene(changed(), "020-the-sun", {"image_file_path": "assets/images/050-mars.png"})
    assets = json.loads(changes.write["timeline.json"])["scenes"][1]["visual_assets"]
    assert [asset["file_path"] for asset in assets] == [
        "assets/images/050-mars.png",
        "assets/video/orbits.mp4",
    ]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"duration_seconds": "long"}, InvalidValue, "'long' is not a duration"),
        ({"heading": "x" * 501}, InvalidValue, "out of range"),
        ({"image_file_path": "../x.png"}, InvalidValue, "'..'"),
        ({"headng": "x"}, UnknownField, "nothing at /headng"),
        ({"index": 4}, InvalidValue, "by moving it"),
        ({"id": "x"}, InvalidValue, "keeps its id"),
    ],
)
def test_values_that_a_scene_cannot_have(
    changed: Changed, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Nothing is written, and the message names field and reason."""
    with pytest.raises(error, match=message):
        set_scene(changed(), "040-earth", values)


def test_adding_a_scene_in_the_middle(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """Its file sorts between its neighbours, later scenes move down, and the project still holds together."""
    values = {
        "heading": "The Moon!",
        "script_text": "Here people have walked.",
        "audio_file_path": "assets/audio/040-earth.wav",
        "image_file_path": "assets/images/040-earth.png",
        "duration_seconds": 7.5,
    }
    changes = add_scene(changed(), values, at=4, scene_id="moon-1")
    assert "scenes/045-the-moon.json" in changes.write
    files = _after(solar_files, changes)
    assert _headings(files)[3:6] == ["Earth", "The Moon!", "Mars"]
    assert {p.file for p in check_project(MemorySource(files))} == {"plan.json"}
    assert json.loads(files["timeline.json"])["scenes"][4]["duration"] == "00:00:07.5000000"


def test_adding_at_the_end_and_to_nothing(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """Without a place a scene comes last; a project without scenes gets its first."""
    changes = add_scene(changed(), {"heading": "Credits"})
    assert "scenes/110-credits.json" in changes.write
    first = add_scene(MemorySource({}), {"heading": "Ö!"}, scene_id="a")
    assert list(first.write) == ["scenes/010-scene.json"]
    with pytest.raises(InvalidValue, match="no index 11"):
        add_scene(changed(), {}, at=11)


def test_a_new_file_never_takes_the_place_of_another() -> None:
    """A taken name, also in other case, gets a number."""
    source = MemorySource({"scenes/010-SCENE.json": b'{"id": "a"}'})
    names = list(add_scene(source, {}, at=0).write)
    assert "scenes/005-scene.json" in names
    source = MemorySource({"scenes/x.json": b'{"id": "a", "index": 0}', "scenes/020-Scene.json": b"not json"})
    assert list(add_scene(source, {}).write) == ["scenes/020-scene-2.json"]


def test_removing_a_scene(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """Its file goes, its media stays, the later scenes move up."""
    changes = remove_scene(changed(), "040-earth")
    assert changes.delete == ("scenes/040-earth.json",)
    files = _after(solar_files, changes)
    assert "Earth" not in _headings(files)
    assert {p.file for p in check_project(MemorySource(files))} == {"plan.json"}
    assert json.loads(files["timeline.json"])["scenes"][3]["start"] == "00:00:23.0000000"


@settings(RELAXED, max_examples=8)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3))
def test_moves_are_list_moves(solar_files: dict[str, bytes], moves: list[tuple[int, int]]) -> None:
    """After any moves the files have the order a list would have, and the check finds nothing wrong."""
    files, expected = dict(solar_files), _headings(solar_files)
    for start, to in moves:
        files = _after(files, move_scene(MemorySource(files), str(start), to))
        expected.insert(to, expected.pop(start))
    assert _headings(files) == expected
    placed = json.loads(files["timeline.json"])["scenes"]
    assert [scene["heading"] for scene in placed] == expected
    assert all(problem.pointer.endswith("transition_duration") for problem in check_project(MemorySource(files)))


def test_moving_there_and_back_restores_every_byte(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """A move undone by a move leaves no trace in any file."""
    there = _after(solar_files, move_scene(changed(), "040-earth", 8))
    assert there != solar_files
    assert _after(there, move_scene(MemorySource(there), "040-earth", 3)) == solar_files


@pytest.mark.parametrize("timeline", [b"{", b"[]", b'{"scenes": [{"index": 5, "duration": 1}]}', b'{"scenes": 7}'])
def test_a_timeline_out_of_step_is_left_alone(changed: Changed, timeline: bytes) -> None:
    """The scene files change, the timeline does not, and a note says so."""
    changes = move_scene(changed(files={"timeline.json": timeline}), "0", 1)
    assert set(changes.write) == {"scenes/010-opening.json", "scenes/020-the-sun.json"}
    assert changes.notes[0].startswith("timeline.json was left alone")


def test_editing_a_document_checks_the_field(solar_files: dict[str, bytes]) -> None:
    """`voice.json /rate` takes a number in range and nothing else; other mistakes do not stand in the way."""
    data = solar_files["voice.json"].replace(b'"Natural"', b'"natural"')
    assert edit_document(data, "voice.json", "/rate", 1.2) == data.replace(b'"rate": 1.0', b'"rate": 1.2')
    with pytest.raises(InvalidValue) as caught:
        edit_document(data, "voice.json", "/rate", 9)
    assert caught.value.hint == "Expected: a number from 0.1 to 5."
    with pytest.raises(UnknownField) as missing:
        edit_document(data, "voice.json", "/speed", 1)
    assert "voice_name, rate, pitch, pause" in missing.value.hint
    assert b'"speed": 1' in edit_document(data, "voice.json", "/speed", 1, allow_new=True)
    with pytest.raises(InvalidValue):
        edit_document(data, "voice.json", "", [1])
    with pytest.raises(InvalidValue, match="/tags/3: this is a number"):
        edit_document(solar_files["project.json"], "project.json", "/tags/-", 7)
