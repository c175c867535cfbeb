"""What media files tell: by their headers alone, and looked into by a process of its own."""

import io
import os
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare import media_probe
from aura_vcs.compare.media_headers import read_header
from aura_vcs.compare.media_model import Limits, MediaFacts
from aura_vcs.compare.media_probe import diff_headers, diff_media, probe_media, read_media_header
from aura_vcs.compare.media_source import READS_LIMIT, MediaHeader
from aura_vcs.compare.media_words import describe
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from hypothesis import given
from hypothesis import strategies as st

from tests.compare.json_values import unhurried
from tests.compare.media_files import film, picture, png, wav

needs_media = pytest.mark.skipif(not media_probe.can_look_into(), reason="the extra 'media' is not installed")


def _header(data: bytes) -> MediaHeader | None:
    return read_header(io.BytesIO(data))


JPEG = bytes.fromhex("ffd8 ffe0 0004 0000 ffc0 000b 08 0010 0020 01 011100 ffd9")
WEBP = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (359).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (png(640, 360), "picture, png, 640×360"),
        (b"GIF89a" + bytes([64, 1, 240, 0]) + b"\0" * 9, "picture, gif, 320×240"),
        (JPEG, "picture, jpeg, 32×16"),
        (WEBP, "picture, webp, 640×360"),
        (wav(1.5), "sound, wav, 1.5 s, 8,000 Hz"),
        (b"\xff\xfb\x90\x00" + b"\0" * 16_000, "sound, mp3, 1.0 s, 44,100 Hz"),
    ],
)
def test_headers_tell_without_any_codec(data: bytes, text: str) -> None:
    """Kind, format, size, length and rate of the usual formats."""
    header = _header(data)
    assert header is not None
    assert describe(header) == text


@pytest.mark.parametrize("data", [b"", b"text", b"\0" * 100, b"RIFF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8"])
def test_what_is_no_media_is_none(data: bytes) -> None:
    """Nothing is guessed from too little."""
    assert _header(data) is None


STARTS = [
    png(),
    JPEG,
    WEBP,
    wav(0.01),
    b"\0\0\0\x18ftypisom\0\0\0\0isommp42\0\0\0\0moov",
    b"\x1a\x45\xdf\xa3\x84\x42\x82\x80",
    b"OggS" + b"\0" * 24 + b"\x01vorbis",
    b"ID3\x04\0\0\0\0\0\x05hello\xff\xfb\x90\0",
    b"fLaC\0\0\0\x22",
]


@unhurried
@given(st.sampled_from(STARTS), st.binary(max_size=200), st.integers(0, 60), st.integers(0, 60))
def test_hostile_headers_neither_raise_nor_cost(start: bytes, junk: bytes, at: int, cut: int) -> None:
    """Whatever bytes follow or replace a header, the answer is a header or None, after few reads."""
    source = _Counting(start[:at] + junk + start[min(len(start), at + cut) :])
    header = read_header(source)
    assert header is None or header.kind in ("picture", "sound", "video")
    assert source.reads <= READS_LIMIT


class _Counting(io.BytesIO):
    """Counts what is asked of it."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        assert size is not None
        assert 0 <= size <= 65_536
        return super().read(size)


def test_endless_boxes_and_chunks_end() -> None:
    """Files made of a million tiny boxes, markers or chunks cost no more than the limit."""
    for data in (
        b"\0\0\0\x08free" * 200_000,
        b"\xff\xd8" + b"\xff\xe0\0\x02" * 200_000,
        b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 200_000,
        b"\0\0\0\x08moov" + b"\0\0\0\0trak" * 100_000,
    ):
        source = _Counting(data)
        read_header(source)
        assert source.reads <= READS_LIMIT


def test_headers_alone_make_a_difference() -> None:
    """Without the extra, size, length and format are still compared, and new files described."""
    assert diff_headers(_header(png(4, 3)), _header(png(8, 6))).lines == ("size: 4×3 → 8×6",)
    assert diff_headers(_header(wav(1)), _header(wav(2.5))).lines == ("length: 1.0 s → 2.5 s",)
    assert diff_headers(None, _header(png())).lines == ("picture, png, 4×3",)
    assert diff_headers(_header(png()), None).lines == ("picture, png, 4×3",)
    assert diff_headers(None, None).lines == ()


def test_without_the_extra_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names what to install."""
    monkeypatch.setattr("aura_vcs.compare.media_probe.find_spec", lambda name: None)
    with pytest.raises(ExtraMissing) as caught:
        probe_media(tmp_path / "x.png")
    assert caught.value.hint == "Install it with: pip install 'aura-vcs[media]'"


@needs_media
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif"])
def test_headers_agree_with_pillow(tmp_path: Path, suffix: str) -> None:
    """Size and format are those Pillow finds in the files it writes itself."""
    path = picture(tmp_path / f"p{suffix}", size=(123, 77))
    header = read_media_header(path)
    assert header is not None
    looked = probe_media(path).header
    assert (header.format, header.width, header.height) == (looked.format, 123, 77)


@needs_media
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_headers_agree_with_ffmpeg(tmp_path: Path, suffix: str) -> None:
    """Size, length and frame rate are those FFmpeg finds."""
    path = film(tmp_path / f"v{suffix}", [(10, 20, 30), (200, 90, 30)])
    header, looked = read_media_header(path), probe_media(path).header
    assert header is not None
    assert (header.kind, header.width, header.height) == ("video", 64, 36)
    assert (looked.kind, looked.format, looked.width) == ("video", header.format, 64)
    assert header.seconds == pytest.approx(2.0, abs=0.11)
    assert looked.seconds == pytest.approx(2.0, abs=0.11)
    assert looked.frames_per_second == 10
    assert header.codecs
    if suffix in (".mp4", ".mov"):
        assert header.frames_per_second == pytest.approx(10, abs=0.5)


@needs_media
def test_pictures_are_compared_by_how_they_look(tmp_path: Path) -> None:
    """Recompressed: nearly the same; with something new in it: different; shown on request."""
    old = picture(tmp_path / "a.png")
    again = picture(tmp_path / "b.jpg")
    spot = picture(tmp_path / "c.png", spot=True)
    near, far = diff_media(old, again), diff_media(old, spot, picture="heat_map", thumbnails=1)
    assert near.distance is not None
    assert far.distance is not None
    assert near.distance < 0.02 < far.distance
    assert "format: png → jpeg" in near.lines
    assert far.lines[-1].startswith("looks ")
    assert far.picture.startswith(b"\x89PNG")
    assert far.new is not None
    assert far.new.thumbnails[0].startswith(b"\x89PNG")
    assert diff_media(old, spot, picture="side_by_side").picture.startswith(b"\x89PNG")
    assert diff_media(old, old).distance == 0


@needs_media
def test_sounds_are_compared_by_level_and_place(tmp_path: Path) -> None:
    """Half as loud: 6 dB; silent in the middle: told where; loudness by EBU R 128."""
    (tmp_path / "a.wav").write_bytes(wav(3, rate=16_000))
    (tmp_path / "b.wav").write_bytes(wav(3, rate=16_000, volume=0.25))
    (tmp_path / "c.wav").write_bytes(wav(3, rate=16_000, quiet=(1.0, 2.0)))
    softer = diff_media(tmp_path / "a.wav", tmp_path / "b.wav")
    assert softer.old is not None
    assert softer.new is not None
    assert softer.old.peak_db == pytest.approx(-6.0, abs=0.2)
    assert softer.new.peak_db == pytest.approx(-12.0, abs=0.2)
    if softer.old.loudness_lufs is not None and softer.new.loudness_lufs is not None:
        assert softer.old.loudness_lufs - softer.new.loudness_lufs == pytest.approx(6.0, abs=0.3)
    assert max(softer.old.envelope) == pytest.approx(50, abs=1)
    silent = diff_media(tmp_path / "a.wav", tmp_path / "c.wav")
    ((start, end),) = silent.sounds
    assert (start, end) == (pytest.approx(1.0, abs=0.1), pytest.approx(2.0, abs=0.1))
    assert any(line.startswith("the sound differs from 1") for line in silent.lines)


@needs_media
def test_videos_are_compared_by_scene(tmp_path: Path) -> None:
    """Another picture in the middle second is found, and thumbnails show both."""
    colours = [(0, 0, 90), (20, 90, 0), (40, 0, 0)]
    old = film(tmp_path / "a.mp4", colours)
    new = film(tmp_path / "b.mp4", [colours[0], (48, 200, 200), colours[2]])
    found = diff_media(old, new, thumbnails=4)
    ((start, end),) = found.scenes
    assert 0.7 <= start <= 1.2
    assert 1.7 <= end <= 2.2
    assert found.new is not None
    assert len(found.new.thumbnails) == 4
    assert diff_media(old, old).scenes == ()


@needs_media
def test_hostile_files_are_told_not_crashed_on(tmp_path: Path) -> None:
    """Damaged, cut off, lying and playlist files end in our error, with the file's name."""
    good = film(tmp_path / "good.mp4", [(1, 2, 3)]).read_bytes()
    cases: dict[str, Any] = {
        "cut.mp4": good[: len(good) // 3],
        "noise.mp4": good[:40] + os.urandom(2_000),
        "lie.png": png(1, 1)[:16] + b"\x7f\xff\xff\xff" * 2 + png(1, 1)[24:],
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "list.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "empty.wav": b"",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaUnreadable, match=f"{name} cannot be decoded: "):
            probe_media(tmp_path / name)


@needs_media
def test_time_and_memory_are_limited(tmp_path: Path) -> None:
    """A file that takes too long or too much is given up, and the process is gone."""
    (tmp_path / "a.wav").write_bytes(wav(1))
    with pytest.raises(MediaUnreadable, match=r"took more than 0\.01 s"):
        probe_media(tmp_path / "a.wav", limits=Limits(clock_seconds=0.01))
    big = picture(tmp_path / "big.png", size=(400, 400))
    with pytest.raises(MediaUnreadable, match=r"400×400 pixels|claims more pixels"):
        probe_media(big, limits=Limits(pixels=1_000))
    with pytest.raises(MediaUnreadable):
        probe_media(big, limits=Limits(memory_bytes=25 * 2**20))


@needs_media
def test_long_sounds_are_looked_at_from_the_beginning(tmp_path: Path) -> None:
    """Past the limit the rest is left out, and the answer says so."""
    (tmp_path / "a.wav").write_bytes(wav(3))
    facts = probe_media(tmp_path / "a.wav", limits=Limits(sound_seconds=1.0))
    assert facts.partial
    assert isinstance(facts, MediaFacts)
    assert facts.header.seconds == pytest.approx(3.0)


@needs_media
def test_the_worker_inherits_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process sees only the environment it is given, and no module from the current folder."""
    seen: list[dict[str, str]] = []
    original = media_probe.subprocess.Popen

    def watch(*args: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return original(*args, **options)

    monkeypatch.setenv("AURA_SECRET", "hunter2")
    monkeypatch.setattr(media_probe.subprocess, "Popen", watch)
    (tmp_path / "av.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "a.wav").write_bytes(wav(0.2))
    monkeypatch.chdir(tmp_path)
    assert probe_media(Path("a.wav"), environment={"SYSTEMROOT": "C:\\Windows"}).header.kind == "sound"
    assert seen == [{"SYSTEMROOT": "C:\\Windows"}]
