"""A project is rendered to a video that opens, lasts as long, and shows and sounds what it should."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest
from aura_vcs.project.render.job import ExportResult
from aura_vcs.project.render.render import render_export
from PIL import Image

from tests.helpers.memory_source import MemorySource
from tests.project.films import (
    CLIP,
    DRAFT,
    NARRATION,
    SUN,
    assert_no_children,
    difference,
    loudness_of,
    loudness_of_film,
    pictures_of,
    short_film,
)

Film = tuple[Path, ExportResult]


@pytest.fixture(scope="module")
def film(solar_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Film:
    """The fixture project, rendered once."""
    output = tmp_path_factory.mktemp("film") / "solar.mp4"
    return output, render_export(MemorySource(solar_files), DRAFT, output)


@pytest.fixture(scope="module")
def pictures(film: Film) -> list[Any]:
    """Every frame of the film as a picture."""
    return pictures_of(film[0])


def test_the_film_has_the_streams_of_its_preset(film: Film) -> None:
    """Codecs, resolution, frame rate, colours, and a duration within a frame."""
    path, result = film
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (320, 180, 10)
        assert (video.codec_context.pix_fmt, video.codec_context.colorspace) == ("yuv420p", 1)
        assert (audio.rate, audio.channels) == (48000, 2)
        assert abs(float(video.duration * video.time_base) - 76) <= 0.1
        assert abs(float(audio.duration * audio.time_base) - 76) <= 0.1
        assert video.frames == 760
    assert (result.duration_seconds, result.frames, result.resolution) == (76.0, 760, "320x180")
    assert (result.codec, result.platform, result.preset_name) == ("libx264", "Generic", "Draft Preview")
    assert result.file_size == path.stat().st_size
    assert [item.name for item in path.parent.iterdir()] == ["solar.mp4"]


def test_every_scene_shows_its_picture(film: Film, pictures: list[Any], solar_files: dict[str, bytes]) -> None:
    """In the middle of each scene the frame is that scene's picture and no other's."""
    sources, moments, now = [], [], 0.0
    for scene in json.loads(solar_files["timeline.json"])["scenes"]:
        picture = Image.open(io.BytesIO(solar_files[scene["visual_assets"][0]["file_path"]]))
        sources.append(picture.convert("RGB").resize((320, 180)))
        length = float(scene["duration"].split(":")[2])
        moments.append(int((now + length * 0.3) * 10))
        now += length
    for number, moment in enumerate(moments):
        differences = [difference(pictures[moment], source) for source in sources]
        assert min(differences) == differences[number] < 4, (number, differences)


def test_the_clip_plays_over_its_scene(pictures: list[Any], solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """From 3 to 7 s of the second scene the clip moves; before and after, the picture stands."""
    (tmp_path / "clip.mp4").write_bytes(solar_files[CLIP])
    clip = [picture.resize((320, 180)) for picture in pictures_of(tmp_path / "clip.mp4")]
    start = 70 + 30
    for second in (0, 1, 2, 3):
        assert difference(pictures[start + second * 10], clip[second * 15]) < 3
    assert difference(pictures[start + 5], pictures[start + 15]) > 0.2
    assert difference(pictures[start - 2], clip[0]) > 10
    assert difference(pictures[start + 41], clip[-1]) > 10


def test_transitions_blend_the_scenes(pictures: list[Any]) -> None:
    """A cross-fade is between both pictures, a fade passes through black, none is a cut."""
    before, middle, after = pictures[69], pictures[72], pictures[80]
    assert difference(middle, Image.blend(before, after, 0.5)) < 4
    assert difference(pictures[0], Image.new("RGB", (320, 180))) < 2
    mars = 305
    assert difference(pictures[mars - 1], pictures[mars]) > 10
    assert difference(pictures[mars], pictures[mars + 8]) < 2
    darkest = min(difference(pictures[n], Image.new("RGB", (320, 180))) for n in range(440, 445))
    assert darkest < 4


def test_subtitles_are_burned_in(pictures: list[Any]) -> None:
    """While a sentence is spoken there is bright text at the bottom, after the last one none."""

    def brightest(picture: Any) -> int:
        return max(picture.convert("L").crop((100, 160, 220, 176)).tobytes())

    assert brightest(pictures[12]) > 170
    assert brightest(pictures[66]) < 130


def test_narration_is_heard_over_quiet_music(film: Film) -> None:
    """While the voice speaks it is much louder than in the second after it, which is not silent."""
    loud = loudness_of(film[0])
    assert abs(len(loud) - 760) <= 2
    spoken, after = sorted(loud[2:58])[28], sorted(loud[62:69])[3]
    assert spoken > 4 * after
    assert after > 50


def test_without_a_timeline_the_scenes_follow_each_other(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Scene files alone make a film: each for its duration, or as long as its narration."""
    scenes = {
        "scenes/a.json": {"id": "a", "index": 1, "image_file_path": SUN, "duration_seconds": 0.5},
        "scenes/b.json": {"id": "b", "index": 0, "audio_file_path": NARRATION},
    }
    files = {name: json.dumps(value).encode() for name, value in scenes.items()}
    source = MemorySource({**files, SUN: solar_files[SUN], NARRATION: solar_files[NARRATION]})
    result = render_export(source, DRAFT, tmp_path / "x.mp4")
    assert result.frames == 75
    assert result.notes == ("Scene 0 (scenes/b.json) has no picture and stays black",)
    frames = pictures_of(tmp_path / "x.mp4")
    assert max(frames[50].convert("L").tobytes()) < 20
    assert max(frames[72].convert("L").tobytes()) > 150


def test_layers_have_place_opacity_and_effects(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A layer stands in its rectangle, whole, mixed by its opacity, with its filter."""
    layer = {
        "file_path": SUN,
        "position": {"x": 50, "y": 0, "width": 50, "height": 50},
        "opacity": 0.5,
        "effects": {"filter": "Grayscale", "brightness": 1.2},
    }
    source = short_film(solar_files, {"/scenes/0/visual_assets": [layer]})
    render_export(source, DRAFT, tmp_path / "x.mp4")
    frame = pictures_of(tmp_path / "x.mp4")[2]
    red, green, blue = frame.getpixel((240, 47))
    assert 80 < red < 160
    assert max(red, green, blue) - min(red, green, blue) < 8
    assert max(frame.getpixel((80, 47))) < 12
    assert max(frame.getpixel((240, 140))) < 12


def test_a_vertical_film_shows_the_whole_picture(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A wide picture in an upright frame keeps its shape, with black above and below."""
    tall = msgspec.structs.replace(DRAFT, width=180, height=320)
    render_export(short_film(solar_files), tall, tmp_path / "x.mp4")
    frame = pictures_of(tmp_path / "x.mp4")[2]
    assert max(frame.getpixel((90, 30))) < 12
    assert max(frame.getpixel((90, 290))) < 12
    assert max(frame.getpixel((90, 162))) > 180


def test_music_goes_on_after_its_end(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Music shorter than the film is heard to the end, without narration nearly as loud as it is."""
    values = {"/scenes/0/narration_audio_path": None, "/scenes/1/narration_audio_path": None}
    source = short_film(solar_files, {**values, "/scenes/0/visual_assets": []}, seconds=10)
    loud = loudness_of_film(source, tmp_path / "x.mp3")
    assert min(max(loud[at : at + 20]) for at in range(0, 180, 20)) > 500


def test_sounds_in_scenes_are_mixed_in(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A sound among a scene's layers starts at its time, at its volume, beside the narration."""
    sound = {"type": "Audio", "file_path": NARRATION, "start": 0.5, "duration": 1}
    quiet = {"/scenes/0/narration_audio_path": None, "/scenes/1/narration_audio_path": None}
    values = {**quiet, "/background_music_path": None, "/scenes/0/visual_assets": [sound]}
    loud = loudness_of_film(short_film(solar_files, values, seconds=3), tmp_path / "a.mp3")
    assert max(loud[:4]) < 20
    assert max(loud[5:14]) > 2000
    assert max(loud[17:]) < 20
    values["/scenes/0/visual_assets"] = [{**sound, "opacity": 0.1}]
    softer = loudness_of_film(short_film(solar_files, values, seconds=3), tmp_path / "b.mp3")
    assert 0.05 < max(softer) / max(loud) < 0.2


def test_what_the_film_leaves_out_is_noted(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """An OpenTimelineIO file beside the scenes is not followed, and the result says so."""
    scene = {"id": "a", "index": 0, "image_file_path": SUN, "duration_seconds": 0.3}
    files = {"scenes/a.json": json.dumps(scene).encode(), "timeline.otio": b'{"OTIO_SCHEMA": "Timeline.1"}'}
    files["project.json"] = b'{"id": "p", "title": "Sun & Co"}'
    result = render_export(MemorySource({**files, SUN: solar_files[SUN]}), DRAFT, tmp_path / "x.mp4")
    assert result.notes == ("timeline.otio is not followed; the scenes come one after the other",)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert container.metadata["title"] == "Sun & Co"


def test_subtitles_come_from_the_script_without_a_file(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Without a subtitle file the script is shown, at the top, in its colours, also in Cyrillic."""
    style = {"enabled": True, "position": "Top", "font_color": "#00FF00", "background_opacity": 1, "font_size": 60}
    script = {"/scenes/0/script": "Солнце светит. Ярко.", "/scenes/1/script": ""}
    source = short_film(solar_files, {"/subtitles": style, **script})
    render_export(source, DRAFT, tmp_path / "x.mp4")
    frames = pictures_of(tmp_path / "x.mp4")

    def green(picture: Any) -> int:
        colours = picture.crop((0, 0, 320, 60)).getcolors(100_000)
        return sum(count for count, (red, full, blue) in colours if full > 150 and red < 120 and blue < 120)

    assert green(frames[1]) > 100
    assert green(frames[9]) == 0


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Every test leaves no child behind."""
    yield
    assert_no_children()
