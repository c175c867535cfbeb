"""What media files tell: by their headers alone, and looked into by a process of its own."""

import array
import io
import math
import os
import random
import subprocess
import wave
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.formats.media.describe import describe, diff_headers
from aura_vcs.formats.media.findings import DecodeLimits
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import READS_LIMIT, MediaHeader
from aura_vcs.media import build_entries as building
from aura_vcs.media.draw_pictures import draw_pictures
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried
from tests.compare.media_files import film, picture, png, wav
from tests.helpers.probing import diff_media, probe_media, read_media_header

needs_media = pytest.mark.skipif(not building.can_look_into(), reason="the extra 'media' is not installed")


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
    monkeypatch.setattr("aura_vcs.media.build_entries.find_spec", lambda name: None)
    with pytest.raises(ExtraMissing) as caught:
        probe_media(picture(tmp_path / "x.png"))
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
    near, far = diff_media(old, again), diff_media(old, spot, thumbnails=True)
    assert near.distance is not None
    assert far.distance is not None
    assert near.distance < 0.02 < far.distance
    assert "format: png → jpeg" in near.lines
    assert far.lines[-1].startswith("looks ")
    assert far.lines[-1].endswith("on the left (12% to 38% across, 22% to 68% down)")
    assert far.new is not None
    assert far.new.thumbnails[0].startswith(b"\xff\xd8\xff")
    assert draw_pictures(old, spot, "side_by_side").startswith(b"\x89PNG")
    assert draw_pictures(old, spot, "heat_map").startswith(b"\x89PNG")
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
    assert softer.sound is not None
    assert softer.sound.gain_db == pytest.approx(-6.0, abs=0.1)
    silent = diff_media(tmp_path / "a.wav", tmp_path / "c.wav")
    ((start, end),) = silent.sounds
    assert (start, end) == (pytest.approx(1.0, abs=0.02), pytest.approx(2.0, abs=0.02))
    assert "the sound differs from 1.00 s to 2.00 s" in silent.lines


@needs_media
def test_a_sound_that_lost_its_beginning_or_end_is_the_same_sound(tmp_path: Path) -> None:
    """What was cut off or put before is told as that; the rest is not called another sound."""
    rng = random.Random(4)
    tones = [rng.uniform(0.02, 0.9) for _ in range(30)]
    melody = [int(9_000 * math.sin(n * tones[n // 2_000])) for n in range(60_000)]  # 7.5 s at 8 kHz
    whole = _sound(tmp_path / "a.wav", melody)
    cases = {
        "1.0 s cut from the beginning": melody[8_000:],
        "1.5 s put before the beginning": [0] * 12_000 + melody,
        "2.0 s cut from the end": melody[:-16_000],
        "0.5 s put after the end": [*melody, *[0] * 4_000],
    }
    for words, samples in cases.items():
        assert diff_media(whole, _sound(tmp_path / "b.wav", samples)).lines[-1] == words
    other = _sound(tmp_path / "c.wav", melody[:20_000] + melody[45_000:60_000] + melody[35_000:])
    ((start, end),) = diff_media(whole, other).sounds
    assert (start, end) == (pytest.approx(2.5, abs=0.3), pytest.approx(4.4, abs=0.3))
    softer = diff_media(whole, _sound(tmp_path / "d.wav", [sample // 8 for sample in melody]))
    assert softer.sounds == ()
    assert softer.lines == ("the sound is 18.1 dB softer",)


def _sound(path: Path, samples: list[int]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(array.array("h", samples).tobytes())
    return path


@needs_media
def test_a_sound_that_was_encoded_again_is_the_same_sound(tmp_path: Path) -> None:
    """From WAV to FLAC, MP3 or AAC: other facts, but nothing is said to sound differently."""
    import av

    rng = random.Random(5)
    tones = [rng.uniform(0.02, 0.9) for _ in range(30)]
    whole = _sound(tmp_path / "a.wav", [int(9_000 * math.sin(n * tones[n // 2_000])) for n in range(40_000)])
    for name, codec in (("a.flac", "flac"), ("a.mp3", "libmp3lame"), ("a.m4a", "aac")):
        with av.open(str(whole)) as source, av.open(str(tmp_path / name), "w") as target:
            stream = target.add_stream(codec, rate=44_100)
            resampler = av.AudioResampler(format=stream.format or "s16", layout=stream.layout, rate=44_100)
            for frame in source.decode(audio=0):
                frame.pts = None
                for part in resampler.resample(frame):
                    target.mux(stream.encode(part))
            target.mux(stream.encode(None))
        found = diff_media(whole, tmp_path / name)
        assert found.lead == 0
        assert not any("the sound differs" in line for line in found.lines), (name, found.lines)


@needs_media
def test_one_pixel_is_not_the_same(tmp_path: Path) -> None:
    """Only equal pictures are said to look the same."""
    from PIL import Image

    old = picture(tmp_path / "a.png")
    with Image.open(old) as image:
        image.putpixel((3, 3), (255, 0, 255))
        image.save(tmp_path / "b.png")
        image.save(tmp_path / "c.png", compress_level=1)
    assert diff_media(old, tmp_path / "b.png").lines == (
        "looks nearly the same (0.1% different), in the upper left (2% to 2% across, 3% to 4% down)",
    )
    assert diff_media(tmp_path / "b.png", tmp_path / "c.png").lines == ("looks the same",)


@needs_media
def test_silence_and_very_short_sounds_have_words(tmp_path: Path) -> None:
    """A sound that fell silent has no peak; one too short to have a loudness does not invent one."""
    loud, silent = _sound(tmp_path / "a.wav", [8_000, -8_000] * 8_000), _sound(tmp_path / "b.wav", [0] * 16_000)
    assert diff_media(loud, silent).lines == ("peak: -12.2 dBFS → no sound", "the sound differs throughout")
    assert diff_media(silent, loud).lines[0] == "peak: no sound → -12.2 dBFS"
    short = [_sound(tmp_path / f"{n}.wav", [8_000 // n, -8_000 // n] * 400) for n in (1, 2)]
    assert diff_media(*short).lines == ("the sound is 6.0 dB softer",)


@needs_media
def test_another_kind_of_file_is_told_as_that(tmp_path: Path) -> None:
    """A picture that became a sound has nothing to compare."""
    (tmp_path / "a.wav").write_bytes(wav(1))
    found = diff_media(picture(tmp_path / "a.png"), tmp_path / "a.wav")
    assert found.lines == ("was: picture, png, 160×90", "is now: sound, wav, 1.0 s, 8,000 Hz, pcm_s16le")


@needs_media
def test_videos_of_another_length_are_compared_moment_by_moment(tmp_path: Path) -> None:
    """A video that lost its end is the same video up to there."""
    colours = [(0, 0, 90), (20, 90, 0), (40, 0, 0)]
    old, new = film(tmp_path / "a.mp4", colours), film(tmp_path / "b.mp4", colours[:2])
    assert diff_media(old, new).lines == ("length: 3.0 s → 2.0 s", "1.0 s cut from the end (frames 20 to 29 before)")
    assert diff_media(new, old).lines == ("length: 2.0 s → 3.0 s", "1.0 s put after the end (frames 20 to 29)")


@needs_media
def test_videos_are_compared_by_scene(tmp_path: Path) -> None:
    """Another picture in the middle second is found, and thumbnails show both."""
    colours = [(0, 0, 90), (20, 90, 0), (40, 0, 0)]
    old = film(tmp_path / "a.mp4", colours)
    new = film(tmp_path / "b.mp4", [colours[0], (48, 200, 200), colours[2]])
    found = diff_media(old, new, thumbnails=True)
    assert found.scenes == ((1.0, 2.0),)
    assert found.lines == ("the picture differs from 1.00 s to 2.00 s (frames 10 to 19)",)
    assert found.new is not None
    assert len(found.new.strip_times) >= 12
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
        probe_media(tmp_path / "a.wav", limits=DecodeLimits(clock_seconds=0.01))
    big = picture(tmp_path / "big.png", size=(400, 400))
    with pytest.raises(MediaUnreadable, match=r"400×400 pixels|claims more pixels"):
        probe_media(big, limits=DecodeLimits(pixels=1_000))
    with pytest.raises(MediaUnreadable):
        probe_media(big, limits=DecodeLimits(memory_bytes=25 * 2**20))


@needs_media
def test_the_worker_inherits_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process sees only the environment it is given, and no module from the current folder."""
    seen: list[dict[str, str]] = []
    original = subprocess.Popen

    def watch(*args: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return original(*args, **options)

    monkeypatch.setenv("AURA_SECRET", "hunter2")
    monkeypatch.setattr(subprocess, "Popen", watch)
    (tmp_path / "av.py").write_text("raise SystemExit('taken over')")
    (tmp_path / "a.wav").write_bytes(wav(0.2))
    monkeypatch.chdir(tmp_path)
    assert probe_media(Path("a.wav"), environment={"SYSTEMROOT": "C:\\Windows"}).header.kind == "sound"
    assert seen == [{"OPENBLAS_NUM_THREADS": "1", "SYSTEMROOT": "C:\\Windows"}]
