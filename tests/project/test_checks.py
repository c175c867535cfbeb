"""`check_project` names everything that is wrong, and raises nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.formats.timeline.durations import format_duration, parse_duration
from aura_vcs.project.documents.check import check_project
from aura_vcs.project.documents.load import load_project
from aura_vcs.project.documents.problems import DocumentProblem
from hypothesis import given, strategies as st

from tests.helpers.memory_source import MemorySource
from tests.project.conftest import RELAXED

Changed = Callable[..., MemorySource]
SUN = "scenes/020-the-sun.json"
EARTH = "scenes/040-earth.json"


def _only(problems: tuple[DocumentProblem, ...]) -> DocumentProblem:
    assert len(problems) == 1, problems
    return problems[0]


def test_the_fixture_has_no_problems(changed: Changed) -> None:
    """A consistent project gives an empty list."""
    assert check_project(changed()) == ()


@pytest.mark.parametrize(
    ("file", "pointer", "value", "message", "expected"),
    [
        (
            "project.json",
            "/title",
            "x" * 501,
            "out of range",
            "text that is not empty, at most 500",
        ),
        ("project.json", "/title", 7, "this is a number", "text that is not empty, at most 500"),
        ("project.json", "/description", "x" * 2001, "out of range", "text, at most 2000 characters"),
        ("project.json", "/tags", "space", "this is text", "a list"),
        (
            "project.json",
            "/tags/1",
            None,
            "this is nothing",
            "text that is not empty",
        ),
        ("project.json", "/created_at", "yesterday", "is not a time", "a time such as 2026-11-23T06:30:00Z"),
        ("brief.json", "/aspect", "Widescreen", "did you mean", "one of Square1x1, "),
        ("brief.json", "/llm_parameters/temperature", 3, "3 is out of range", "a number from 0 to 2"),
        ("brief.json", "/llm_parameters/top_k", 1.5, "not a whole number", "a whole number from 0"),
        ("brief.json", "/prompt_modifiers", [], "this is a list", "an object"),
        ("plan.json", "/target_duration", "76s", "'76s' is not a duration", "seconds from 0"),
        ("plan.json", "/target_duration", -1, "-1 is not a duration", "seconds from 0"),
        (
            "voice.json",
            "/pause",
            "natural",
            "did you mean 'Natural'",
            "one of Dramatic, ",
        ),
        ("voice.json", "/rate", "1.0", "this is text", "a number from 0.1 to 5"),
        ("render.json", "/resolution/width", 0, "0 is out of range", "a whole number from 16 to 16,384"),
        ("render.json", "/enable_scene_cut", 1, "this is a number", "true or false"),
        ("render.json", "/fps", True, "this is true or false", "a number from 1 to 240"),
        ("timeline.json", "/scenes/3/transition_type", "Wipe", "not one of", "one of CrossFade, Fade, None"),
        ("timeline.json", "/subtitles/font_color", "white", "not a colour", "a colour such as #FFFFFF"),
        (
            "timeline.json",
            "/scenes/1/visual_assets/1/opacity",
            2,
            "2 is out of range",
            "a number from 0 to 1",
        ),
        ("timeline.json", "/background_music_path", "../x.wav", "'..'", "a path from"),
        (
            "timeline.json",
            "/background_music_path",
            "C:\\x.wav",
            "backslash",
            "a path from",
        ),
        (SUN, "/image_file_path", "/etc/passwd", "absolute", "a path from"),
        (SUN, "/image_file_path", "https://x.org/a.png", "URL", "a path from"),
        (SUN, "/image_file_path", ".aura/format.json", "own storage", "a path from"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(
    changed: Changed, file: str, pointer: str, value: Any, message: str, expected: str
) -> None:
    """File, JSON pointer, what is there and what is expected, and nothing else is blamed."""
    problems = [p for p in check_project(changed({(file, pointer): value})) if p.severity == "error"]
    problem = _only(tuple(problems))
    assert (problem.file, problem.pointer) == (file, pointer)
    assert message in problem.message
    assert problem.expected.startswith(expected)


def test_all_wrong_fields_are_listed_at_once(changed: Changed) -> None:
    """A second mistake is not hidden by the first, also inside lists and nested objects."""
    wrong = {
        ("voice.json", "/rate"): "fast",
        ("voice.json", "/pause"): "Never",
        ("voice.json", "/voice_name"): "",
        ("timeline.json", "/scenes/0/index"): "first",
        ("timeline.json", "/scenes/9/visual_assets/0/position/width"): 0,
    }
    found = {(p.file, p.pointer) for p in check_project(changed(wrong)) if p.severity == "error"}
    assert set(wrong) <= found


def test_a_missing_field_that_was_misspelt_is_recognised(changed: Changed) -> None:
    """`titel` is told from an unknown field when `title` is missing; unknown fields alone are fine."""
    document = b'{"id": "a", "titel": "Planets", "my_own_field": {"x": [1]}}'
    problem = _only(check_project(MemorySource({"project.json": document})))
    assert problem.pointer == "/title"
    assert problem.message == "title is missing (is 'titel' meant to be it?)"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("assets/images/020-the-son.png", "a file of the project"),
        ("assets/Images/020-The-Sun.png", "a file of the project; there is assets/images/020-the-sun.png"),
        ("images/020-the-sun.png", "a file of the project; there is assets/images/020-the-sun.png"),
    ],
)
def test_media_that_does_not_exist(changed: Changed, path: str, near: str) -> None:
    """A reference to nothing is an error; a file of that name elsewhere or in other case is shown."""
    problem = _only(check_project(changed({(SUN, "/image_file_path"): path})))
    assert problem == DocumentProblem(SUN, "/image_file_path", "error", f"{path} does not exist", near)


def test_media_of_the_wrong_kind_or_temporary(changed: Changed) -> None:
    """A picture where a sound belongs is a warning; so is a file that versions leave out."""
    problem = _only(check_project(changed({("project.json", "/thumbnail_path"): "assets/video/orbits.mp4"})))
    assert problem.message == "assets/video/orbits.mp4 is a clip"
    assert problem.expected == "a picture"
    source = changed({(SUN, "/image_file_path"): "assets/tmp/x.png"}, {"assets/tmp/x.png": b""})
    assert "temporary" in _only(check_project(source)).message


def test_scenes_without_sound_or_picture(changed: Changed) -> None:
    """What neither the scene nor the timeline has is missing; what one of them has is not."""
    assert check_project(changed({(SUN, "/image_file_path"): None})) == ()
    silent = {(SUN, "/audio_file_path"): "", ("timeline.json", "/scenes/1/narration_audio_path"): None}
    assert _only(check_project(changed(silent))).message == "the scene has no narration"
    blind = {(SUN, "/image_file_path"): None, ("timeline.json", "/scenes/1/visual_assets"): []}
    assert _only(check_project(changed(blind))).message == "the scene has no picture"


def test_two_scenes_with_one_id_or_one_index(changed: Changed, solar_files: dict[str, bytes]) -> None:
    """A copied scene file is found out: same id, same index."""
    source = changed(files={"scenes/045-earth copy.json": solar_files[EARTH]})
    errors = [p for p in check_project(source) if p.severity == "error"]
    assert [(p.file, p.pointer) for p in errors] == [
        ("scenes/045-earth copy.json", "/id"),
        ("scenes/045-earth copy.json", "/index"),
    ]
    assert f"that of {EARTH} too" in errors[0].message


def test_a_gap_in_the_indices(changed: Changed) -> None:
    """Taking a scene's file away leaves a hole that is named, and the timeline is out of step."""
    messages = [p.message for p in check_project(changed(files={EARTH: None}))]
    assert "no scene has the index 3" in messages
    assert "the timeline has 10 scenes, the project 9" in messages


@pytest.mark.parametrize(
    ("file", "pointer", "value", "where"),
    [
        (EARTH, "/duration_seconds", 9.5, "/scenes/3/duration"),
        ("timeline.json", "/scenes/3/start", "00:00:23.5", "/scenes/3/start"),
        ("timeline.json", "/scenes/3/start", 22, "/scenes/3/start"),
        ("project.json", "/duration_seconds", 80, "/duration_seconds"),
        ("plan.json", "/target_duration", 90, "/target_duration"),
        ("timeline.json", "/scenes/1/transition_duration", 9, "/scenes/1/transition_duration"),
        ("timeline.json", "/scenes/1/visual_assets/1/duration", 6, "/scenes/1/visual_assets/1/duration"),
    ],
)
def test_durations_that_do_not_add_up(changed: Changed, file: str, pointer: str, value: Any, where: str) -> None:
    """Each disagreement about time is a warning at the place where it can be put right."""
    problems = check_project(changed({(file, pointer): value}))
    assert where in {problem.pointer for problem in problems}
    assert {problem.severity for problem in problems} == {"warning"}


def test_narration_that_outlasts_its_scene(changed: Changed) -> None:
    """The WAV's own length is compared with the scene's."""
    values = {(SUN, "/duration_seconds"): 6.5, ("timeline.json", "/scenes/1/duration"): 6.5}
    problems = check_project(changed(values))
    assert any("narration lasts 7.00 s" in p.message and p.file == SUN for p in problems)


def test_the_plan_and_the_number_of_scenes(changed: Changed) -> None:
    """ceil(duration / density) within the bounds, unless a number is set."""
    values = {("plan.json", "/target_scene_count"): None, ("plan.json", "/density"): "Balanced"}
    problem = _only(check_project(changed(values)))
    assert problem.message == "the plan makes 8 scenes, there are 10"
    assert check_project(changed({("plan.json", "/target_scene_count"): None})) == ()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"voice_name": }', "not valid JSON: expected a value (line 1, column 16)"),
        (b"", "the text ends too early"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b"[" * 5000, "too large"),
        (b"[1, 2]", "this is a list"),
        (b'{"voice_name": "a", "voice_name": "b"}', "more than once"),
        (b'{"voice_name": "a", "rate": NaN}', "not JSON"),
        (b'{"voice_name": "\\ud800"}', "surrogate"),
        (b'{"voice_name": "a", "rate": ' + b"9" * 5000 + b"}", "out of range"),
    ],
)
def test_documents_that_are_hardly_json(changed: Changed, data: bytes, message: str) -> None:
    """Broken, deep, double and endless things are reported and do not stop the rest of the check."""
    source = changed({("plan.json", "/pacing"): "Slow"}, {"voice.json": data})
    problems = check_project(source)
    assert any(p.file == "voice.json" and message in p.message for p in problems), problems
    assert any(p.file == "plan.json" for p in problems)


class _Failing(MemorySource):
    def open(self, path: str) -> Any:
        """A reader, except of what a bad disk holds."""
        if path in ("voice.json", "assets/audio/020-the-sun.wav"):
            raise FileUnreadable(path, "Input/output error")
        return super().open(path)


def test_a_file_that_cannot_be_read_is_a_problem(solar_files: dict[str, bytes]) -> None:
    """An unreadable document or sound is listed like any other mistake."""
    found = [(p.file, p.pointer) for p in check_project(_Failing(solar_files))]
    assert found == [(SUN, "/audio_file_path"), ("voice.json", "")]


def test_a_flood_of_problems_is_cut_off() -> None:
    """Thousands of mistakes give two hundred lines, the first ones first, and the number of the rest."""
    document = json.dumps({"scenes": [{"index": 0}] * 5000}).encode()
    problems = [p for p in check_project(MemorySource({"timeline.json": document})) if p.file == "timeline.json"]
    assert len(problems) == 201
    assert problems[-1].message.endswith("more problems are not listed")
    places = [int(p.pointer.split("/")[2]) for p in problems[:-1]]
    assert places == sorted(places)
    assert places[-1] > 10


def test_an_empty_project(changed: Changed) -> None:
    """Without any document only project.json is missed."""
    assert _only(check_project(MemorySource({}))).file == "project.json"


def test_an_otio_timeline_names_media_too(changed: Changed) -> None:
    """References inside OpenTimelineIO documents are looked up."""
    clip = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": "assets/video/gone.mp4"}
    otio = json.dumps({"OTIO_SCHEMA": "Timeline.1", "tracks": {"children": [{"media_reference": clip}]}}).encode()
    source = changed(files={"timeline.json": None, "timeline.otio": otio})
    problem = _only(check_project(source))
    assert problem.pointer == "/tracks/children/0/media_reference/target_url"


KEYS = """id title index scenes duration start visual_assets position target_duration density tags
resolution subtitles duration_seconds audio_file_path file_path transition_type fps min_scene_count"""
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["assets/images/020-the-sun.png", "00:00:01", "Fade", "Dense", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS.split()), inner, max_size=5),
    max_leaves=15,
)
BYTES = JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=30)
NAMES = """project.json brief.json plan.json voice.json render.json timeline.json timeline.otio
scenes/1.json scenes/2.json"""


@RELAXED
@given(st.dictionaries(st.sampled_from(NAMES.split()), BYTES, max_size=5))
def test_no_document_makes_the_check_raise(files: dict[str, bytes]) -> None:
    """Whatever stands in the documents, the result is a list of problems with a file and a message."""
    for problem in check_project(MemorySource(files)):
        assert problem.file
        assert problem.message


def test_views_have_what_the_documents_say(changed: Changed) -> None:
    """The typed views carry the values, durations in seconds."""
    view = load_project(changed())
    assert view.timeline is not None
    assert view.timeline.scenes[1].start == 7.0
    assert view.timeline.scenes[1].visual_assets is not None
    assert view.timeline.scenes[1].visual_assets[1].duration == 4.0
    assert view.plan is not None
    assert (view.plan.target_duration, view.plan.scene_count()) == (76.0, 10)
    assert [scene.document.index for scene in view.scenes] == list(range(10))
    assert view.brief is not None
    assert view.brief.prompt_modifiers is not None
    assert "example_style" in view.brief.prompt_modifiers


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:07.5000000", 7.5),
        ("1.02:00:00", 93600.0),
        ("100:00:00", 360000.0),
        (8, 8.0),
        (0.04, 0.04),
        ("00:60:00", None),
        ("7.5", None),
        ("-00:00:01", None),
        ("٠٠:٠٠:٠١", None),
        (True, None),
        (1e300, None),
        (10**400, None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_durations_are_read_in_both_spellings(text: Any, seconds: float | None) -> None:
    """Seconds and clock strings; nonsense is None, not an exception."""
    assert parse_duration(text) == seconds


@RELAXED
@given(st.floats(0, 360000))
def test_durations_survive_their_spelling(seconds: float) -> None:
    """What is written as hh:mm:ss.fffffff is read as the same time to a ten-millionth of a second."""
    back = parse_duration(format_duration(seconds))
    assert back is not None
    assert abs(back - seconds) <= 1e-7
