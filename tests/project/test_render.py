"""A project is rendered to a video that opens, lasts as long, and shows and sounds what it should."""

import array
import importlib.util
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import pack
from typing import Any

import msgspec
import pytest
from aura_vcs.errors import EncoderMissing, ExportCancelled, ExportFailed, ExtraMissing, UnknownName
from aura_vcs.project import media_process
from aura_vcs.project.content import MemorySource
from aura_vcs.project.documents import RenderDocument, Resolution
from aura_vcs.project.json_edit import set_value
from aura_vcs.project.presets import PRESETS, ExportPreset, find_preset, project_preset
from aura_vcs.project.render import ExportResult, render_export

av = pytest.importorskip("av")
Image = pytest.importorskip("PIL.Image")
ImageChops = pytest.importorskip("PIL.ImageChops")
ImageStat = pytest.importorskip("PIL.ImageStat")
Film = tuple[Path, ExportResult]

Changed = Callable[..., MemorySource]
DRAFT = msgspec.structs.replace(find_preset("Draft Preview"), width=320, height=180, frame_rate=10, video_bitrate_k=400)
SUN, MUSIC, CLIP = "assets/images/020-the-sun.png", "assets/music/slow-orbit.wav", "assets/video/orbits.mp4"
NARRATION = "assets/audio/020-the-sun.wav"


@pytest.fixture(scope="module")
def film(solar_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Film:
    """The fixture project, rendered once."""
    output = tmp_path_factory.mktemp("film") / "solar.mp4"
    return output, render_export(MemorySource(solar_files), DRAFT, output)


@pytest.fixture(scope="module")
def pictures(film: Film) -> list[Any]:
    """Every frame of the film as a picture."""
    return _pictures(film[0])


def _pictures(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def _difference(one: Any, other: Any) -> float:
    """Mean difference of two pictures per channel, 0 to 255, of the part without subtitles."""
    box = (0, 0, one.width, one.height * 3 // 4)
    both = ImageChops.difference(one.convert("RGB").crop(box), other.convert("RGB").crop(box))
    return sum(ImageStat.Stat(both).mean) / 3


def _loudness(path: Path) -> list[float]:
    """Mean loudness of each tenth of a second, 0 to 32768."""
    samples = array.array("h")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
    return [sum(map(abs, samples[at : at + 800])) / 800 for at in range(0, len(samples) - 800, 800)]


def _short(
    solar_files: dict[str, bytes], values: dict[str, Any] | None = None, *, seconds: float = 0.6
) -> MemorySource:
    """Two scenes of `seconds` each, without subtitles; `values` are set in timeline.json."""
    timeline = json.loads(solar_files["timeline.json"])
    timeline["scenes"] = timeline["scenes"][1:3]
    for index, scene in enumerate(timeline["scenes"]):
        scene.update(index=index, start=index * seconds, duration=seconds, transition_type="None")
        scene["visual_assets"] = scene["visual_assets"][:1]
        del scene["visual_assets"][0]["duration"]
    timeline["subtitles"]["enabled"] = False
    data = json.dumps(timeline).encode()
    for pointer, value in (values or {}).items():
        data = set_value(data, pointer, value)
    kept = {name: content for name, content in solar_files.items() if not name.startswith("scenes/")}
    return MemorySource({**kept, "timeline.json": data})


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
    import io

    sources, moments, now = [], [], 0.0
    for scene in json.loads(solar_files["timeline.json"])["scenes"]:
        picture = Image.open(io.BytesIO(solar_files[scene["visual_assets"][0]["file_path"]]))
        sources.append(picture.convert("RGB").resize((320, 180)))
        length = float(scene["duration"].split(":")[2])
        moments.append(int((now + length * 0.3) * 10))
        now += length
    for number, moment in enumerate(moments):
        differences = [_difference(pictures[moment], source) for source in sources]
        assert min(differences) == differences[number] < 4, (number, differences)


def test_the_clip_plays_over_its_scene(pictures: list[Any], solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """From 3 to 7 s of the second scene the clip moves; before and after, the picture stands."""
    (tmp_path / "clip.mp4").write_bytes(solar_files[CLIP])
    clip = [picture.resize((320, 180)) for picture in _pictures(tmp_path / "clip.mp4")]
    start = 70 + 30
    for second in (0, 1, 2, 3):
        assert _difference(pictures[start + second * 10], clip[second * 15]) < 3
    assert _difference(pictures[start + 5], pictures[start + 15]) > 0.2
    assert _difference(pictures[start - 2], clip[0]) > 10
    assert _difference(pictures[start + 41], clip[-1]) > 10


def test_transitions_blend_the_scenes(pictures: list[Any]) -> None:
    """A cross-fade is between both pictures, a fade passes through black, none is a cut."""
    before, middle, after = pictures[69], pictures[72], pictures[80]
    assert _difference(middle, Image.blend(before, after, 0.5)) < 4
    assert _difference(pictures[0], Image.new("RGB", (320, 180))) < 2
    mars = 305
    assert _difference(pictures[mars - 1], pictures[mars]) > 10
    assert _difference(pictures[mars], pictures[mars + 8]) < 2
    darkest = min(_difference(pictures[n], Image.new("RGB", (320, 180))) for n in range(440, 445))
    assert darkest < 4


def test_subtitles_are_burned_in(pictures: list[Any]) -> None:
    """While a sentence is spoken there is bright text at the bottom, after the last one none."""

    def brightest(picture: Any) -> int:
        return max(picture.convert("L").crop((100, 160, 220, 176)).tobytes())

    assert brightest(pictures[12]) > 170
    assert brightest(pictures[66]) < 130


def test_narration_is_heard_over_quiet_music(film: Film) -> None:
    """While the voice speaks it is much louder than in the second after it, which is not silent."""
    loud = _loudness(film[0])
    assert abs(len(loud) - 760) <= 2
    spoken, after = sorted(loud[2:58])[28], sorted(loud[62:69])[3]
    assert spoken > 4 * after
    assert after > 50


@pytest.mark.parametrize(
    ("preset", "video", "audio", "pixels"),
    [
        ("WebM VP9", "vp9", "opus", "yuv420p"),
        ("ProRes 422 HQ", "prores", "pcm_s16le", "yuv422p10le"),
        ("Master Archive", "hevc", "aac", "yuv420p"),
        ("Instagram Story", "h264", "aac", "yuv420p"),
    ],
)
def test_other_codecs(
    solar_files: dict[str, bytes], tmp_path: Path, preset: str, video: str, audio: str, pixels: str
) -> None:
    """Each family of presets makes a file of its codec, container and length, at a small size."""
    chosen = find_preset(preset)
    small = msgspec.structs.replace(chosen, width=chosen.width // 12 * 2, height=chosen.height // 12 * 2)
    output = tmp_path / f"film{chosen.extension}"
    render_export(_short(solar_files), small, output)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, container.streams.audio[0].codec_context.name) == (video, audio)
        assert stream.codec_context.pix_fmt == pixels
        assert (stream.width, stream.height) == (small.width, small.height)
        assert sum(1 for _ in container.decode(stream)) == 36
        assert chosen.container in container.format.name


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_renders_at_its_full_size(
    solar_files: dict[str, bytes], tmp_path: Path, preset: ExportPreset
) -> None:
    """Each preset as it is, 4K too, within the memory that its size is given."""
    output = tmp_path / f"film{preset.extension}"
    result = render_export(_short(solar_files), preset, output)
    with av.open(str(output)) as container:
        assert abs(container.duration / 1e6 - 1.2) < 0.1
        sizes = [f"{stream.width}x{stream.height}" for stream in container.streams.video]
        assert sizes == ([result.resolution] if result.resolution else [])


def test_a_podcast_is_the_sound_alone(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Audio only: no picture is needed or opened, the length is the film's."""
    source = _short(solar_files, {"/scenes/0/visual_assets": []}, seconds=1.3)
    output = tmp_path / "podcast.mp3"
    result = render_export(source, find_preset("podcast"), output)
    with av.open(str(output)) as container:
        assert not container.streams.video
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
        length = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    assert abs(length - 2.6) < 0.06
    assert (result.duration_seconds, result.resolution, result.codec) == (2.6, "", "libmp3lame")
    assert max(_loudness(output)) > 1000


def test_the_same_content_gives_the_same_bytes(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A render can be repeated."""
    for name in ("a.mp4", "b.mp4"):
        render_export(_short(solar_files), DRAFT, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


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
    frames = _pictures(tmp_path / "x.mp4")
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
    source = _short(solar_files, {"/scenes/0/visual_assets": [layer]})
    render_export(source, DRAFT, tmp_path / "x.mp4")
    frame = _pictures(tmp_path / "x.mp4")[2]
    red, green, blue = frame.getpixel((240, 47))
    assert 80 < red < 160
    assert max(red, green, blue) - min(red, green, blue) < 8
    assert max(frame.getpixel((80, 47))) < 12
    assert max(frame.getpixel((240, 140))) < 12


def test_a_vertical_film_shows_the_whole_picture(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A wide picture in an upright frame keeps its shape, with black above and below."""
    tall = msgspec.structs.replace(DRAFT, width=180, height=320)
    render_export(_short(solar_files), tall, tmp_path / "x.mp4")
    frame = _pictures(tmp_path / "x.mp4")[2]
    assert max(frame.getpixel((90, 30))) < 12
    assert max(frame.getpixel((90, 290))) < 12
    assert max(frame.getpixel((90, 162))) > 180


@pytest.mark.parametrize(
    ("values", "files", "message", "scene"),
    [
        ({"/scenes/1/visual_assets/0/file_path": "assets/gone.png"}, {}, "assets/gone.png does not exist", 1),
        ({"/scenes/0/narration_audio_path": "assets/gone.wav"}, {}, "assets/gone.wav does not exist", 0),
        ({"/background_music_path": "assets/gone.wav"}, {}, "assets/gone.wav does not exist", None),
        ({"/scenes/0/duration": "long"}, {}, "'long' is no duration", None),
        ({"/scenes/1/duration": 0}, {}, "it lasts no time", 1),
        ({"/scenes": []}, {}, "there are no scenes", None),
        ({"/scenes/0/duration": 90000}, {}, "would last 25.0 hours", None),
        ({}, {SUN: b"\x89PNG\r\n\x1a\nnonsense"}, f"{SUN} cannot be decoded", 0),
        ({}, {NARRATION: b"RIFF" + bytes(100)}, f"{NARRATION} cannot be decoded", 0),
        (
            {"/scenes/1/visual_assets/0/file_path": CLIP},
            {CLIP: b"\0\0\0\x18ftypm"},
            "cannot be decoded",
            1,
        ),
        ({"/scenes/1/visual_assets/0/file_path": CLIP}, {CLIP: b""}, "cannot be decoded", 1),
        ({}, {"timeline.json": b"{"}, "not valid JSON", None),
    ],
)
def test_what_is_wrong_is_named_with_its_scene(
    solar_files: dict[str, bytes],
    tmp_path: Path,
    values: dict[str, Any],
    files: dict[str, bytes],
    message: str,
    scene: int | None,
) -> None:
    """The message names scene and file; nothing is left beside the output."""
    base = _short(solar_files, values)
    content = {name: base.open(name).read() for name in base.names()}
    with pytest.raises(ExportFailed) as caught:
        render_export(MemorySource({**content, **files}), DRAFT, tmp_path / "x.mp4")
    assert message in caught.value.message
    names = {0: "Scene 0 “The Sun”", 1: "Scene 1 “Mercury and Venus”"}
    if scene is not None:
        assert caught.value.scene == names[scene]
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_breaks_off_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Damage in the middle of a clip ends the render with its name, not with a film that lacks a part."""
    clip = bytearray(solar_files[CLIP])
    clip[3000:9000] = bytes(6000)
    source = _short(solar_files, {"/scenes/0/visual_assets/0/file_path": CLIP}, seconds=3)
    files = {name: source.open(name).read() for name in source.names()}
    with pytest.raises(ExportFailed, match=CLIP) as caught:
        render_export(MemorySource({**files, CLIP: bytes(clip)}), DRAFT, tmp_path / "x.mp4")
    assert caught.value.scene == "Scene 0 “The Sun”"
    assert list(tmp_path.iterdir()) == []


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_a_picture_bomb_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A small file that unpacks to 400 megapixels is not unpacked."""
    bomb = _png(20_000, 20_000)
    assert len(bomb) < 100_000
    base = _short(solar_files)
    files = {name: base.open(name).read() for name in base.names()}
    with pytest.raises(ExportFailed, match="20000x20000 pixels are more than"):
        render_export(MemorySource({**files, SUN: bomb}), DRAFT, tmp_path / "x.mp4")


@pytest.mark.parametrize("name", [CLIP, NARRATION])
def test_a_playlist_that_calls_itself_a_clip_is_refused(
    solar_files: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    """FFmpeg's playlists name other files; none is followed, whatever the file is called."""
    secret = tmp_path / "secret.wav"
    secret.write_bytes(solar_files[NARRATION])
    for playlist in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
    ):
        base = _short(solar_files, {"/scenes/0/visual_assets/0/file_path": CLIP})
        files = {path: base.open(path).read() for path in base.names()}
        with pytest.raises(ExportFailed, match="cannot be decoded"):
            render_export(MemorySource({**files, name: playlist.encode()}), DRAFT, tmp_path / "x.mp4")


def test_nothing_is_imported_from_the_current_folder(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project folder with an `av.py` or an `aura_vcs` in it does not get to run it."""
    (tmp_path / "aura_vcs").mkdir()
    for name in ("av.py", "json.py", "aura_vcs/__init__.py"):
        (tmp_path / name).write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert render_export(_short(solar_files), DRAFT, tmp_path / "x.mp4").frames == 12


def test_cancelling_leaves_nothing(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A render that is stopped while frames are written ends soon, with no file and no process."""
    counter = _Recording()
    with pytest.raises(ExportCancelled, match="was cancelled"):
        render_export(
            MemorySource(solar_files),
            find_preset("YouTube 1080p"),
            tmp_path / "x.mp4",
            cancelled=lambda: len(counter.phases) == 2 and counter.done > 0,
            progress=counter,
        )
    assert list(tmp_path.iterdir()) == []


class _Recording:
    def __init__(self) -> None:
        self.phases: list[tuple[str, int | None, str]] = []
        self.done = 0
        self.finished = 0

    def start(self, phase: str, total: int | None, unit: str) -> None:
        self.done = 0
        self.phases.append((phase, total, unit))

    def advance(self, amount: int) -> None:
        self.done += amount

    def finish(self) -> None:
        self.finished += 1

    def note(self, message: str) -> None:
        raise AssertionError(message)


def test_cancelling_while_media_is_collected(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A copy of large media is given up in the middle."""
    with pytest.raises(ExportCancelled):
        render_export(_short(solar_files), DRAFT, tmp_path / "x.mp4", cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_frame(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Collecting counts bytes, rendering counts frames up to the total."""
    progress = _Recording()
    render_export(_short(solar_files), DRAFT, tmp_path / "x.mp4", progress=progress)
    assert progress.phases == [("collect media", None, "bytes"), ("render", 12, "frames")]
    assert (progress.done, progress.finished) == (12, 2)


def test_what_is_there_is_not_overwritten_by_accident(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """An existing file stays unless asked; also when an overwriting render fails."""
    output = tmp_path / "film.mp4"
    output.write_bytes(b"old")
    with pytest.raises(ExportFailed, match="exists already"):
        render_export(_short(solar_files), DRAFT, output)
    with pytest.raises(ExportFailed, match="does not exist"):
        render_export(_short(solar_files, {"/background_music_path": "x.wav"}), DRAFT, output, overwrite=True)
    assert output.read_bytes() == b"old"
    render_export(_short(solar_files), DRAFT, output, overwrite=True)
    assert output.stat().st_size > 1000
    with pytest.raises(ExportFailed, match="is a folder"):
        render_export(_short(solar_files), DRAFT, tmp_path)
    with pytest.raises(ExportFailed, match="does not exist"):
        render_export(_short(solar_files), DRAFT, tmp_path / "no" / "x.mp4")


def test_the_caller_may_publish(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The finished file is handed to the seam complete; what the seam leaves is cleaned away."""
    seen: list[tuple[int, Path]] = []
    result = render_export(
        _short(solar_files),
        DRAFT,
        tmp_path / "x.mp4",
        publish=lambda part, output: seen.append((part.stat().st_size, output)),
    )
    assert seen == [(result.file_size, tmp_path / "x.mp4")]
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_is_not_there_is_named(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The message names preset and encoder."""
    preset = msgspec.structs.replace(DRAFT, video_codec="libnothing")
    with pytest.raises(EncoderMissing, match="'Draft Preview' needs the encoder libnothing"):
        render_export(_short(solar_files), preset, tmp_path / "x.mp4")


def test_a_preset_that_no_encoder_takes_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Odd sides and unknown containers are found before anything starts."""
    for change in ({"width": 321}, {"height": 0}, {"frame_rate": 0}, {"container": "exe"}):
        with pytest.raises(ExportFailed, match="Draft Preview"):
            render_export(_short(solar_files), msgspec.structs.replace(DRAFT, **change), tmp_path / "x.mp4")


def test_a_film_that_is_too_long_for_the_platform(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The preset's longest duration is checked before the first frame."""
    with pytest.raises(ExportFailed, match=r"lasts 76\.0 s, Instagram Story takes at most 60 s"):
        render_export(MemorySource(solar_files), find_preset("Instagram Story"), tmp_path / "x.mp4")


def test_without_the_extra_the_message_says_how_to_get_it(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback from an import, but the command that installs it."""
    real = importlib.util.find_spec
    monkeypatch.setattr(media_process.importlib.util, "find_spec", lambda name: None if name == "av" else real(name))
    with pytest.raises(ExtraMissing, match="Rendering a video needs") as caught:
        render_export(_short(solar_files), DRAFT, tmp_path / "x.mp4")
    assert caught.value.hint == "Install it with: pip install 'aura-vcs[media]'"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "longer than 1 s"),
        ("import os; os.kill(os.getpid(), 11)", r"crashed \(signal 11\)"),
        ("raise SystemExit(3)", "exit code 3"),
        ("import os; os.write(1, b'{]\\n' * 9)", "nonsense"),
        ("import os; os.write(1, b'x' * 10**6)", "nonsense"),
    ],
)
def test_a_decoder_that_hangs_or_crashes_is_an_error(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, reason: str
) -> None:
    """The process is ended and its end is told; the parent goes on."""
    real = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        assert command[:2] == [sys.executable, "-P"]
        return real([sys.executable, "-c", program], **options)

    monkeypatch.setattr(media_process.subprocess, "Popen", start)
    with pytest.raises(ExportFailed, match=reason):
        render_export(_short(solar_files), DRAFT, tmp_path / "x.mp4", stall_seconds=1)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_limited(solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film that needs more than it is allowed ends in an error that says so, not in a swapping machine."""
    from aura_vcs.project import render

    monkeypatch.setattr(render, "BASE_MEMORY_BYTES", 400 * 1024**2)
    big = msgspec.structs.replace(DRAFT, width=3840, height=2160)
    monkeypatch.setattr(render, "MEMORY_BYTES_PER_PIXEL", 0)
    with pytest.raises(ExportFailed, match=r"memory|crashed|gave up|allocate"):
        render_export(_short(solar_files), big, tmp_path / "x.mp4")


def test_music_of_a_single_sample_is_no_trap(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A loop that would have to begin 48,000 times a second is repeated from memory."""
    samples = solar_files[MUSIC][44 + 8000 : 44 + 8002]
    form = b"fmt \x10\0\0\0" + pack("<HHIIHH", 1, 1, 48000, 96000, 2, 16) + b"data" + pack("<I", 2) + samples
    wav = b"RIFF" + pack("<I", 4 + len(form)) + b"WAVE" + form
    base = _short(solar_files, seconds=2)
    files = {name: base.open(name).read() for name in base.names()}
    assert render_export(MemorySource({**files, MUSIC: wav}), DRAFT, tmp_path / "x.mp4").frames == 40


def test_music_goes_on_after_its_end(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Music shorter than the film is heard to the end, without narration nearly as loud as it is."""
    values = {"/scenes/0/narration_audio_path": None, "/scenes/1/narration_audio_path": None}
    source = _short(solar_files, {**values, "/scenes/0/visual_assets": []}, seconds=10)
    loud = _loudness_of(source, tmp_path / "x.mp3")
    assert min(max(loud[at : at + 20]) for at in range(0, 180, 20)) > 500


def _loudness_of(source: MemorySource, path: Path) -> list[float]:
    render_export(source, find_preset("podcast"), path)
    return _loudness(path)


def test_sounds_in_scenes_are_mixed_in(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A sound among a scene's layers starts at its time, at its volume, beside the narration."""
    sound = {"type": "Audio", "file_path": NARRATION, "start": 0.5, "duration": 1}
    quiet = {"/scenes/0/narration_audio_path": None, "/scenes/1/narration_audio_path": None}
    values = {**quiet, "/background_music_path": None, "/scenes/0/visual_assets": [sound]}
    loud = _loudness_of(_short(solar_files, values, seconds=3), tmp_path / "a.mp3")
    assert max(loud[:4]) < 20
    assert max(loud[5:14]) > 2000
    assert max(loud[17:]) < 20
    values["/scenes/0/visual_assets"] = [{**sound, "opacity": 0.1}]
    softer = _loudness_of(_short(solar_files, values, seconds=3), tmp_path / "b.mp3")
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


def test_a_film_shorter_than_a_frame_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """No file without a picture is made."""
    with pytest.raises(ExportFailed, match="less than one frame"):
        render_export(_short(solar_files, seconds=0.01), DRAFT, tmp_path / "x.mp4")


def test_subtitles_come_from_the_script_without_a_file(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Without a subtitle file the script is shown, at the top, in its colours, also in Cyrillic."""
    style = {"enabled": True, "position": "Top", "font_color": "#00FF00", "background_opacity": 1, "font_size": 60}
    script = {"/scenes/0/script": "Солнце светит. Ярко.", "/scenes/1/script": ""}
    source = _short(solar_files, {"/subtitles": style, **script})
    render_export(source, DRAFT, tmp_path / "x.mp4")
    frames = _pictures(tmp_path / "x.mp4")

    def green(picture: Any) -> int:
        colours = picture.crop((0, 0, 320, 60)).getcolors(100_000)
        return sum(count for count, (red, full, blue) in colours if full > 150 and red < 120 and blue < 120)

    assert green(frames[1]) > 100
    assert green(frames[9]) == 0


def test_a_child_that_reads_nothing_is_ended(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job larger than a pipe's buffer does not hang the parent when the child does."""
    real = subprocess.Popen

    def start(_command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", "import time; time.sleep(60)"], **options)

    monkeypatch.setattr(media_process.subprocess, "Popen", start)
    source = _short(
        solar_files, {"/subtitles/enabled": True, "/scenes/0/script": "x" * 90_000, "/subtitles/file_path": None}
    )
    with pytest.raises(ExportFailed, match="longer than 1 s"):
        render_export(source, DRAFT, tmp_path / "x.mp4", stall_seconds=1)


def test_an_error_in_the_callers_progress_ends_the_process(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Ctrl-C in the parent leaves neither a process nor a file."""

    class Stopped(_Recording):
        def advance(self, amount: int) -> None:
            if len(self.phases) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        render_export(MemorySource(solar_files), DRAFT, tmp_path / "x.mp4", progress=Stopped())
    assert list(tmp_path.iterdir()) == []
    _assert_no_children()
    assert caught.value is not None


def test_the_projects_own_settings_are_a_preset(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """render.json's names become encoders, its level a quality, its size an aspect."""
    preset = project_preset(RenderDocument())
    assert (preset.video_codec, preset.width, preset.frame_rate, preset.quality) == ("libx264", 1920, 30, "High")
    web = project_preset(RenderDocument(Resolution(160, 160), "WebM", 500, 64, 10, "VP9", 10))
    assert (web.video_codec, web.audio_codec, web.aspect, web.quality) == (
        "libvpx-vp9",
        "libopus",
        "Square1x1",
        "Draft",
    )
    render_export(_short(solar_files), web, tmp_path / "x.webm")
    assert _pictures(tmp_path / "x.webm")[3].size == (160, 160)


def test_presets_are_found_by_what_people_type() -> None:
    """Case, blanks and a clear beginning do not matter; an unclear one lists what it could be."""
    assert find_preset("youtube-1080P").name == "YouTube 1080p"
    assert find_preset("tiktok").name == "TikTok"
    assert find_preset("prores").name == "ProRes 422 HQ"
    with pytest.raises(UnknownName) as caught:
        find_preset("youtube")
    assert caught.value.near == ("YouTube 1080p", "YouTube 4K")
    with pytest.raises(UnknownName) as missing:
        find_preset("instagram stori")
    assert "Instagram Story" in missing.value.near


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_complete(preset: ExportPreset) -> None:
    """Every preset has an encoder here, an aspect that its size has, and sensible numbers."""
    av.codec.Codec(preset.audio_codec, "w")
    assert preset.description
    assert preset.audio_bitrate_k >= 128
    if preset.video_codec is None:
        return
    av.codec.Codec(preset.video_codec, "w")
    aspects = {"Widescreen16x9": 16 / 9, "Vertical9x16": 9 / 16, "Square1x1": 1.0}
    assert abs(preset.width / preset.height - aspects[preset.aspect]) < 0.01
    assert preset.video_bitrate_k >= 2000
    assert preset.frame_rate == 30


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Every test leaves no child behind."""
    yield
    _assert_no_children()


def _assert_no_children() -> None:
    children = Path("/proc/self/task")
    if children.is_dir():
        ours = [p.read_text().split() for p in children.glob("*/children")]
        names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pids in ours for pid in pids if pid]
        assert not any(b"media_worker" in name for name in names)
