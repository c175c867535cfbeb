"""What goes wrong while rendering: named with its scene, harmless, and nothing is left behind."""

import importlib.util
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import pack
from typing import Any

import msgspec
import pytest
from aura_vcs.errors import ExtraMissing
from aura_vcs.errors.documents import ExportCancelled, ExportFailed
from aura_vcs.project.render import process as media_process, render
from aura_vcs.project.render.presets import find_preset
from aura_vcs.project.render.render import RenderRequest, render_export

from tests.helpers.memory_source import MemorySource
from tests.project.films import CLIP, DRAFT, MUSIC, NARRATION, SUN, Recording, assert_no_children, short_film


@pytest.mark.parametrize(
    ("values", "files", "message", "scene"),
    [
        ({"/scenes/1/visual_assets/0/file_path": "assets/gone.png"}, {}, "assets/gone.png does not exist", 1),
        ({"/scenes/0/narration_audio_path": "assets/gone.wav"}, {}, "assets/gone.wav does not exist", 0),
        ({"/background_music_path": "assets/gone.wav"}, {}, "assets/gone.wav does not exist", None),
        ({"/scenes/0/duration": "long"}, {}, "'long' is not a duration", None),
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
    base = short_film(solar_files, values)
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
    source = short_film(solar_files, {"/scenes/0/visual_assets/0/file_path": CLIP}, seconds=3)
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
    base = short_film(solar_files)
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
        base = short_film(solar_files, {"/scenes/0/visual_assets/0/file_path": CLIP})
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
    assert render_export(short_film(solar_files), DRAFT, tmp_path / "x.mp4").frames == 12


def test_cancelling_leaves_nothing(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A render that is stopped while frames are written ends soon, with no file and no process."""
    counter = Recording()
    with pytest.raises(ExportCancelled, match="was cancelled"):
        render_export(
            MemorySource(solar_files),
            find_preset("YouTube 1080p"),
            tmp_path / "x.mp4",
            request=RenderRequest(cancelled=lambda: len(counter.phases) == 2 and counter.done > 0),
            progress=counter,
        )
    assert list(tmp_path.iterdir()) == []


def test_cancelling_while_media_is_collected(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A copy of large media is given up in the middle."""
    with pytest.raises(ExportCancelled):
        render_export(short_film(solar_files), DRAFT, tmp_path / "x.mp4", request=RenderRequest(cancelled=lambda: True))
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_frame(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Collecting counts bytes, rendering counts frames up to the total."""
    progress = Recording()
    render_export(short_film(solar_files), DRAFT, tmp_path / "x.mp4", progress=progress)
    assert progress.phases == [("collect media", None, "bytes"), ("render", 12, "frames")]
    assert (progress.done, progress.finished) == (12, 2)


def test_what_is_there_is_not_overwritten_by_accident(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """An existing file stays unless asked; also when an overwriting render fails."""
    output = tmp_path / "film.mp4"
    output.write_bytes(b"old")
    with pytest.raises(ExportFailed, match="exists already"):
        render_export(short_film(solar_files), DRAFT, output)
    with pytest.raises(ExportFailed, match="does not exist"):
        render_export(
            short_film(solar_files, {"/background_music_path": "x.wav"}),
            DRAFT,
            output,
            request=RenderRequest(overwrite=True),
        )
    assert output.read_bytes() == b"old"
    render_export(short_film(solar_files), DRAFT, output, request=RenderRequest(overwrite=True))
    assert output.stat().st_size > 1000
    with pytest.raises(ExportFailed, match="is a folder"):
        render_export(short_film(solar_files), DRAFT, tmp_path)
    with pytest.raises(ExportFailed, match="does not exist"):
        render_export(short_film(solar_files), DRAFT, tmp_path / "no" / "x.mp4")


def test_the_caller_may_publish(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The finished file is handed to the seam complete; what the seam leaves is cleaned away."""
    seen: list[tuple[int, Path]] = []
    result = render_export(
        short_film(solar_files),
        DRAFT,
        tmp_path / "x.mp4",
        request=RenderRequest(publish=lambda part, output: seen.append((part.stat().st_size, output))),
    )
    assert seen == [(result.file_size, tmp_path / "x.mp4")]
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_message_says_how_to_get_it(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback from an import, but the command that installs it."""
    real = importlib.util.find_spec
    monkeypatch.setattr("aura_vcs.media.build_entries.find_spec", lambda name: None if name == "av" else real(name))
    with pytest.raises(ExtraMissing, match="Rendering a video needs") as caught:
        render_export(short_film(solar_files), DRAFT, tmp_path / "x.mp4")
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
        render_export(short_film(solar_files), DRAFT, tmp_path / "x.mp4", request=RenderRequest(stall_seconds=1))
    assert list(tmp_path.iterdir()) == []


def test_memory_is_limited(solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film that needs more than it is allowed ends in an error that says so, not in a swapping machine."""
    monkeypatch.setattr(render, "BASE_MEMORY_BYTES", 400 * 1024**2)
    big = msgspec.structs.replace(DRAFT, width=3840, height=2160)
    monkeypatch.setattr(render, "MEMORY_BYTES_PER_PIXEL", 0)
    with pytest.raises(ExportFailed, match=r"memory|crashed|gave up|allocate"):
        render_export(short_film(solar_files), big, tmp_path / "x.mp4")


def test_music_of_a_single_sample_is_no_trap(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A loop that would have to begin 48,000 times a second is repeated from memory."""
    samples = solar_files[MUSIC][44 + 8000 : 44 + 8002]
    form = b"fmt \x10\0\0\0" + pack("<HHIIHH", 1, 1, 48000, 96000, 2, 16) + b"data" + pack("<I", 2) + samples
    wav = b"RIFF" + pack("<I", 4 + len(form)) + b"WAVE" + form
    base = short_film(solar_files, seconds=2)
    files = {name: base.open(name).read() for name in base.names()}
    assert render_export(MemorySource({**files, MUSIC: wav}), DRAFT, tmp_path / "x.mp4").frames == 40


def test_a_film_shorter_than_a_frame_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """No file without a picture is made."""
    with pytest.raises(ExportFailed, match="less than one frame"):
        render_export(short_film(solar_files, seconds=0.01), DRAFT, tmp_path / "x.mp4")


def test_a_child_that_reads_nothing_is_ended(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job larger than a pipe's buffer does not hang the parent when the child does."""
    real = subprocess.Popen

    def start(_command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", "import time; time.sleep(60)"], **options)

    monkeypatch.setattr(media_process.subprocess, "Popen", start)
    source = short_film(
        solar_files, {"/subtitles/enabled": True, "/scenes/0/script": "x" * 90_000, "/subtitles/file_path": None}
    )
    with pytest.raises(ExportFailed, match="longer than 1 s"):
        render_export(source, DRAFT, tmp_path / "x.mp4", request=RenderRequest(stall_seconds=1))


def test_an_error_in_the_callers_progress_ends_the_process(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Ctrl-C in the parent leaves neither a process nor a file."""

    class Stopped(Recording):
        def advance(self, amount: int) -> None:
            if len(self.phases) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        render_export(MemorySource(solar_files), DRAFT, tmp_path / "x.mp4", progress=Stopped())
    assert list(tmp_path.iterdir()) == []
    assert_no_children()
    assert caught.value is not None


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """Every test leaves no child behind."""
    yield
    assert_no_children()
