"""Media facts: headers, the probing process, and what it refuses."""

import json
import random
import struct
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors import MediaUnreadable
from aura_vcs.errors.documents import ExportFailed
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.formats.media.wav_png import HeaderFacts
from aura_vcs.formats.subtitles import parse_subtitles, script_cues
from aura_vcs.project.documents.timeline import Subtitles
from aura_vcs.project.render.job import ProbeJob, WorkerRequest
from aura_vcs.project.render.presets import find_preset
from aura_vcs.project.render.probe import probe_file, probe_media
from aura_vcs.project.render.process import run_worker
from aura_vcs.project.render.render import RenderRequest, render_export
from msgspec.structs import replace

from tests.helpers.memory_source import MemorySource
from tests.project.conftest import SOLAR_SYSTEM

av = pytest.importorskip("av")
ImageFont = pytest.importorskip("PIL.ImageFont")
caption = pytest.importorskip("aura_vcs.project.render.captions").caption
CLIP = "assets/video/orbits.mp4"


def test_a_clip_is_looked_into(solar_files: dict[str, bytes]) -> None:
    """Duration, size, rate and codec of an MP4, through the process."""
    assert probe_media(MemorySource(solar_files), CLIP) == HeaderFacts(
        "mov", duration_seconds=4.0, width=320, height=180, frame_rate=15.0, video_codec="h264"
    )


def test_header_and_process_agree() -> None:
    """What the standard library reads of WAV and PNG is what FFmpeg and Pillow say."""
    for name in ("assets/audio/020-the-sun.wav", "assets/images/020-the-sun.png"):
        source = MemorySource({name: (SOLAR_SYSTEM / name).read_bytes()})
        assert probe_media(source, name) == probe_file(SOLAR_SYSTEM / name, name)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged, or of a kind"),
        (b"hello", "damaged, or of a kind"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "damaged, or of a kind"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "damaged, or of a kind"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi\n", "damaged, or of a kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "damaged, or of a kind"),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 200, ""),
    ],
)
def test_what_is_no_media_is_refused(data: bytes, reason: str) -> None:
    """Text, playlists and broken containers are named as unreadable, and nothing they name is opened."""
    with pytest.raises(MediaUnreadable, match=f"x\\.mp4 cannot be decoded: .*{reason}"):
        probe_media(MemorySource({"x.mp4": data}), "x.mp4")


def test_a_playlist_opens_nothing_beside_it(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """FFmpeg by itself would play the neighbour that this list names; the process does not."""
    (tmp_path / "secret.mp4").write_bytes(solar_files[CLIP])
    playlist = tmp_path / "clip.mp4"
    playlist.write_text("ffconcat version 1.0\nfile 'secret.mp4'\n")
    with av.open(str(playlist)) as container:
        assert container.streams.video[0].width == 320
    with pytest.raises(MediaUnreadable, match="of a kind that is not read"):
        probe_file(playlist, "clip.mp4")


def _mutated(data: bytes, seed: int) -> bytes:
    """The file with a few bytes overwritten, a piece cut out, or its end missing."""
    chance = random.Random(seed)
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(min(len(made), 4096))
        made[at] = chance.choice([0, 0xFF, 0x7F, chance.randrange(256)])
    if chance.random() < 0.3:
        del made[chance.randrange(len(made)) :]
    return bytes(made)


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(n, marks=pytest.mark.slow) for n in range(4, 100))])
def test_damaged_media_never_harms_the_caller(solar_files: dict[str, bytes], tmp_path: Path, seed: int) -> None:
    """A film with damaged files is a whole film or an error that names one of them, never more."""
    names = [CLIP, "assets/images/020-the-sun.png", "assets/audio/020-the-sun.wav"]
    damaged = names[seed % 3]
    scene = {"id": "a", "index": 0, "duration_seconds": 1, "audio_file_path": names[2]}
    scene["image_file_path"] = CLIP if damaged == CLIP else names[1]
    files = {name: solar_files[name] for name in names} | {"scenes/a.json": json.dumps(scene).encode()}
    files[damaged] = _mutated(files[damaged], seed)
    small = replace(find_preset("draft"), width=160, height=90, frame_rate=10, video_bitrate_k=200)
    try:
        result = render_export(MemorySource(files), small, tmp_path / "x.mp4", request=RenderRequest(stall_seconds=20))
    except ExportFailed as error:
        found: object = error.message
    else:
        found = result.frames
    assert found == 10 or damaged in str(found)


def test_a_missing_file_is_not_damaged_media() -> None:
    """Absent and broken are different errors."""
    with pytest.raises(FileUnreadable):
        probe_media(MemorySource({}), "x.mp4")


def test_a_clip_held_upright_is_shown_upright(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A telephone's turn in the file's header turns the picture: a wide clip fills a tall frame."""
    clip = bytearray(solar_files[CLIP])
    at = clip.index(b"tkhd") + 4 + 40
    one = 0x10000
    assert struct.unpack_from(">i", clip, at)[0] == one
    struct.pack_into(">9i", clip, at, 0, one, 0, -one, 0, 0, 180 * one, 0, 0x40000000)
    scene = {"id": "a", "index": 0, "image_file_path": CLIP, "duration_seconds": 1}
    source = MemorySource({"scenes/a.json": json.dumps(scene).encode(), CLIP: bytes(clip)})
    tall = replace(find_preset("draft"), width=180, height=320, frame_rate=10, video_bitrate_k=400)
    render_export(source, tall, tmp_path / "x.mp4")
    with av.open(str(tmp_path / "x.mp4")) as container:
        picture = next(container.decode(video=0)).to_image().convert("L")
    assert picture.getpixel((90, 160)) > 120, "the Sun is in the middle"
    lit = [y for y in range(320) if max(picture.crop((0, y, 180, y + 1)).tobytes()) > 60]
    assert lit[0] < 60
    assert lit[-1] > 260


def test_subtitle_files_are_read_as_they_come() -> None:
    """SubRip and WebVTT, CRLF, byte order mark, tags, Latin-1; what is not a cue is passed over."""
    srt = "\ufeff1\r\n00:00:01,500 --> 00:00:02,000\r\n<i>Hello</i>\r\nthere\r\n\r\nnoise\r\n".encode()
    assert parse_subtitles(srt) == [(1.5, 2.0, "Hello there")]
    vtt = b"WEBVTT\n\n00:01.000 --> 00:02.000 align:start\nHi\n\n01:00:00.000 --> 00:00:01.000\nnever\n"
    assert parse_subtitles(vtt) == [(1.0, 2.0, "Hi")]
    assert parse_subtitles(b"00:00:00,000 --> 00:00:01,000\nd\xe9j\xe0\n")[0].text == "déjà"
    assert parse_subtitles(b"\0" * 1000 + b"-->" * 1000) == []
    cues = script_cues("One. Two three!  Four?", 10, 20)
    assert [cue.text for cue in cues] == ["One.", "Two three!", "Four?"]
    assert (cues[0].start, cues[-1].end) == (10, 30)
    assert script_cues("  ", 0, 1) == []


def test_subtitles_have_the_letters_of_their_script() -> None:
    """Where Pillow's own font lacks letters, a font of the system that has them is taken."""
    from aura_vcs.project.documents.timeline import Subtitles

    try:
        ImageFont.truetype("DejaVuSans.ttf", 20)
    except OSError:
        pytest.skip("this system has no DejaVu Sans")
    drawn = {caption(letter, (640, 360), Subtitles())[0].tobytes() for letter in "ЖЩΩ∑"}
    assert len(drawn) == 4


@pytest.mark.parametrize("font_size", [4, 24, 400])
@pytest.mark.parametrize("size", [(320, 180), (180, 320), (16, 16)])
def test_subtitles_stay_in_the_frame(font_size: float, size: tuple[int, int]) -> None:
    """Words without end and letters without measure give a box no larger than the frame."""
    image, (left, top) = caption("x" * 300 + " y" * 200, size, Subtitles(font_size=font_size))
    assert 0 <= left <= left + image.width <= size[0]
    assert 0 <= top < size[1]
    assert image.height <= size[1]


def test_the_process_inherits_no_secrets(
    solar_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever takes a decoder over finds no keys in its environment, of a look as of an export."""
    seen: list[dict[str, str]] = []
    original = subprocess.Popen

    def watch(*args: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return original(*args, **options)

    monkeypatch.setenv("AURA_PASSPHRASE", "secret")
    monkeypatch.setattr(subprocess, "Popen", watch)
    probe_media(MemorySource(solar_files), CLIP, environment={"SYSTEMROOT": "C:\\Windows"})
    job = ProbeJob(str(tmp_path), "x", 1 << 30, 5)
    with closing(run_worker(WorkerRequest(probe=job), stall_seconds=20)) as reports:
        assert list(reports)
    assert seen == [{"SYSTEMROOT": "C:\\Windows"}, {}]
