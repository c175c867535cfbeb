"""Formats that people have, and odd cases of them: each is looked at, or says why not and falls back to its header."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.media.entries import compare_entries
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.formats.media.index_entry import MediaEntry
from PIL import Image, ImageDraw

from tests.helpers.probing import read_media_header
from tests.media.clips import melody, remux, scenery, with_box, write_film
from tests.media.conftest import Shelf

SIZE = (256, 144)
FRAMES = 20


def small(count: int = FRAMES) -> Iterator[Any]:
    """Frames of a small film."""
    return (scenery(n, SIZE) for n in range(count))


def slow(n: int) -> Image.Image:
    """Frame n of a film in which a box moves by half a pixel a frame, before blurred stripes that hardly do."""
    picture = Image.new("RGB", (512, 288))
    draw = ImageDraw.Draw(picture)
    for k in range(12):
        draw.rectangle((48 * k - n // 2, 0, 48 * k + 23 - n // 2, 288), fill=(60 + 12 * k, 150 - 9 * k, 90))
    draw.rectangle((40 + n, 60 + n, 140 + n, 160 + n), fill=(250, 240, 230))
    return picture.resize(SIZE, Image.Resampling.BOX)


def _behind_a_gap(count: int) -> list[int]:
    """Return times as AVI files have them: a frame is missing behind the first."""
    return [0, *(40 * n for n in range(2, count + 1))]


FILMS: dict[str, dict[str, Any]] = {
    "h264.mp4": {},
    "b-frames.mp4": {"options": {"bf": "3", "g": "10"}},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le"},
    "alpha.mov": {"codec": "prores_ks", "pixel_format": "yuva444p10le", "options": {"profile": "4"}},
    "dnxhr.mov": {"codec": "dnxhd", "pixel_format": "yuv422p", "options": {"profile": "dnxhr_sq"}},
    "ten-bit.mkv": {"codec": "libx265", "pixel_format": "yuv420p10le", "options": {"x265-params": "log-level=none"}},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "dnxhd.mxf": {"codec": "dnxhd", "pixel_format": "yuv422p", "options": {"profile": "dnxhr_sq"}},
    "mpeg2.mxf": {"codec": "mpeg2video", "options": {"b": "2000000"}},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "options": {"q": "3"}},
    "lossless.mkv": {"codec": "ffv1"},
    "rgb.mov": {"codec": "qtrle", "pixel_format": "rgb24"},
    "interlaced.mkv": {"codec": "mpeg2video", "options": {"flags": "+ilme+ildct", "b": "4000000"}},
}


def _film(name: str) -> Callable[[Path], object]:
    return lambda path: write_film(path, small(), **FILMS[name])


def _with_box(name: str) -> Callable[[Path], object]:
    paint = with_box(lambda n: scenery(n, SIZE), range(8, 13), (32, 96, 70, 128))
    return lambda path: write_film(path, map(paint, range(FRAMES)), **FILMS[name])


SOUNDS = {
    "16.wav": "pcm_s16le",
    "24.wav": "pcm_s24le",
    "float.wav": "pcm_f32le",
    "rf64.wav": "pcm_s16le",
    "bwf.wav": "pcm_s24le",
    "64.wav": "pcm_f64le",
    "a.w64": "pcm_s16le",
    "a.aiff": "pcm_s16be",
    "a.flac": "flac",
    "a.mp3": "libmp3lame",
    "a.aac": "aac",
    "a.m4a": "aac",
    "a.opus": "libopus",
}


def _sound(name: str) -> Callable[[Path], object]:
    options = {"rf64.wav": {"rf64": "always"}, "bwf.wav": {"write_bext": "1"}}.get(name, {})
    return lambda path: write_film(path, (), melody(2), sound_codec=SOUNDS[name], container_options=options)


PILLOW = {"a.png": "RGB", "a.jpg": "RGB", "a.tiff": "RGB", "a.webp": "RGB", "a.bmp": "RGB", "alpha.png": "RGBA"}
FFMPEG = {
    "deep.png": ("png", "rgb48be", 16),
    "deep.tiff": ("tiff", "rgb48le", 16),
    "a.exr": ("exr", "gbrpf32le", 32),
    "a.dpx": ("dpx", "gbrp10be", 10),
}


def _picture(name: str) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        import av
        import numpy as np

        image = scenery(3, SIZE)
        if name in PILLOW:
            image.convert(PILLOW[name]).save(path)
            return
        codec, kind, _ = FFMPEG[name]
        frame = av.VideoFrame.from_image(image)
        if name == "a.exr":  # which has linear light
            light = np.asarray(image, dtype=np.float64) / 255
            linear = np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4)
            frame = av.VideoFrame.from_ndarray((linear * 65_535).astype(np.uint16), format="rgb48le")
        encoder = av.CodecContext.create(codec, "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *SIZE, kind, Fraction(1, 25)
        packets = [*encoder.encode(frame.reformat(format=kind)), *encoder.encode(None)]
        path.write_bytes(b"".join(bytes(packet) for packet in packets))

    return make


def _turned(data: bytes) -> bytes:
    """Put a quarter turn into the matrix of the track header."""
    matrix = data.index(b"tkhd") + 44
    quarter = [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000]
    return data[:matrix] + b"".join(value.to_bytes(4, "big", signed=True) for value in quarter) + data[matrix + 36 :]


def _edited(data: bytes) -> bytes:
    """Let the edit list begin four frames later."""
    entry, head = data.index(b"elst") + 12, data.index(b"mdhd")
    scale = int.from_bytes(data[head + 16 : head + 20], "big")
    start = int.from_bytes(data[entry + 4 : entry + 8], "big") + 4 * scale // 25
    return data[: entry + 4] + start.to_bytes(4, "big") + data[entry + 8 :]


TIMES = [n * 40 if n < 10 else 400 + (n - 10) * 90 for n in range(FRAMES)]
MAKERS: dict[str, Callable[[Path], object]] = {
    **{name: _film(name) for name in FILMS},
    **{f"box-{name}": _with_box(name) for name in FILMS},
    **{name: _sound(name) for name in SOUNDS},
    **{name: _picture(name) for name in (*PILLOW, *FFMPEG)},
    "vfr.mkv": lambda path: write_film(path, small(), times=TIMES),
    "double.mp4": lambda path: write_film(path, (scenery(n // 2, SIZE) for n in range(40)), rate=50),
    "fast.mp4": lambda path: write_film(path, small(), rate=30),
    "faster.mp4": lambda path: write_film(path, (slow(round(1.25 * n)) for n in range(48))),
    "slow.mp4": lambda path: write_film(path, map(slow, range(60))),
    "slow-24.mp4": lambda path: write_film(path, (slow(round(n * 25 / 24)) for n in range(56)), rate=24),
    "gap.mkv": lambda path: write_film(path, map(slow, range(60)), times=_behind_a_gap(60)),
    "gap-cut.mkv": lambda path: write_film(
        path, map(slow, [*range(12), *range(48, 60)]), codec="mjpeg", pixel_format="yuvj420p", times=_behind_a_gap(24)
    ),
    "even.mp4": lambda path: write_film(path, small(), melody(0.8)),
    "longer.mp4": lambda path: write_film(path, small(), melody(2.0)),
    "turned.mp4": lambda path: path.write_bytes(_turned((path.parent / "h264.mp4").read_bytes())),
    "edited.mp4": lambda path: path.write_bytes(_edited((path.parent / "h264.mp4").read_bytes())),
    "even.mkv": lambda path: remux(path.parent / "even.mp4", path),
    "a.psd": lambda path: path.write_bytes(b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\1\xe0\0\0\2\x80\0\x08\0\3" + bytes(40)),
}


@pytest.fixture(scope="module")
def shelf(make_shelf: Callable[[dict[str, Callable[[Path], object]]], Shelf]) -> Shelf:
    """All of them, made and looked at together."""
    return make_shelf(MAKERS)


def compared(shelf: Shelf, old: str, new: str) -> MediaDiff:
    """Compare two."""
    return compare_entries(shelf[old], shelf[new])


@pytest.mark.parametrize("name", sorted(FILMS))
def test_films_of_every_kind_have_the_same_pictures(shelf: Shelf, name: str) -> None:
    """Each codec and container is decoded to the last frame, its header agrees, and only the encoding differs."""
    header, facts = read_media_header(shelf.path(name)), shelf[name].head.video
    assert header is not None
    assert facts is not None
    assert (header.kind, header.width, header.height) == ("video", *SIZE)
    assert facts.frames == FRAMES
    found = compared(shelf, "lossless.mkv", name)
    assert found.video is not None
    assert found.video.verdict in ("same", "identical"), found.lines
    changed = compared(shelf, name, f"box-{name}").video
    assert changed is not None
    (stretch,) = changed.stretches
    assert (stretch.first, stretch.last) == (pytest.approx(8, abs=1), pytest.approx(12, abs=1))


def test_facts_of_odd_films(shelf: Shelf) -> None:
    """Alpha, ten bits and interlaced fields are known."""
    facts = {name: video for name in FILMS if (video := shelf[name].head.video) is not None}
    assert [name for name, video in facts.items() if video.has_alpha] == ["alpha.mov"]
    assert {name for name, video in facts.items() if video.bits >= 10} == {"prores.mov", "alpha.mov", "ten-bit.mkv"}
    assert [name for name, video in facts.items() if video.is_interlaced] == ["interlaced.mkv"]


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_of_every_kind_are_the_same(shelf: Shelf, name: str) -> None:
    """Each is decoded to the last sample, its header agrees, and only the encoding differs."""
    header, facts = read_media_header(shelf.path(name)), shelf[name].head.sound
    assert header is not None
    assert facts is not None
    assert (header.kind, header.rate, header.channels) == ("sound", 48_000, 1)
    assert facts.seconds == pytest.approx(2.0, abs=0.07)
    found = compared(shelf, "16.wav", name).sound
    assert found is not None
    assert found.verdict in ("same", "identical")
    assert not found.stretches


@pytest.mark.parametrize("name", [*PILLOW, *FFMPEG])
def test_pictures_of_every_kind_look_alike(shelf: Shelf, name: str) -> None:
    """Each is decoded with all its bits, its header agrees, and it looks nearly as the others."""
    header, facts = read_media_header(shelf.path(name)), shelf[name].head.picture
    assert header is not None
    assert facts is not None, shelf[name].head.problem
    assert (header.width, header.height) == (facts.width, facts.height) == SIZE
    assert shelf[name].poster().startswith(b"\xff\xd8\xff")
    found = compared(shelf, "a.png", name)
    assert found.distance is not None
    assert found.distance < 0.06, found.lines
    assert facts.bits == (8 if name in PILLOW else FFMPEG[name][2])


def test_what_cannot_be_decoded_says_so_and_has_its_header(shelf: Shelf) -> None:
    """A Photoshop file has its size; the reason names the kind."""
    header = read_media_header(shelf.path("a.psd"))
    assert header is not None
    assert (header.format, header.width, header.height) == ("psd", 640, 480)
    assert shelf["a.psd"].head.problem == "it is a psd file, of which only the size is read"


def test_variable_frame_rate(shelf: Shelf) -> None:
    """Frames that last differently long are known as that; the same ones at a constant rate are the same film."""
    facts = shelf["vfr.mkv"].head.video
    assert facts is not None
    assert facts.is_variable
    found = compared(shelf, "h264.mp4", "vfr.mkv")
    assert found.video is not None
    assert not found.video.stretches, found.lines
    assert "frame durations: constant → variable" in found.lines


def test_another_frame_rate_and_speed(shelf: Shelf) -> None:
    """Every frame twice is the same film; the same frames played faster are told with the factor."""
    found = compared(shelf, "h264.mp4", "double.mp4")
    assert found.video is not None
    assert (found.video.verdict, found.video.speed) == ("same", 1.0), found.lines
    assert "the same pictures at 1.2 times the speed" in compared(shelf, "h264.mp4", "fast.mp4").lines


def test_faster_at_the_same_rate(shelf: Shelf) -> None:
    """Where every fifth frame is left out, the film is played faster: it was not cut in many places."""
    found = compared(shelf, "slow.mp4", "faster.mp4").video
    assert found is not None
    assert (found.speed, found.stretches, found.throughout) == (1.25, (), None)
    back = compared(shelf, "faster.mp4", "slow.mp4").video
    assert back is not None
    assert (back.speed, back.stretches, back.throughout) == (0.8, (), None)


def test_frames_that_another_rate_rounds_to_the_next(shelf: Shelf) -> None:
    """The same film at 24 frames a second, of which some are those behind the moment, has the same pictures."""
    found = compared(shelf, "slow.mp4", "slow-24.mp4").video
    assert found is not None
    assert (found.verdict, found.speed, found.stretches) == ("same", 1.0, ())


def test_a_cut_in_short_films_that_begin_with_a_gap(shelf: Shelf) -> None:
    """The gap makes the mean rates differ by how long the films are; frames still follow each other as fast."""
    found = compared(shelf, "gap.mkv", "gap-cut.mkv").video
    assert found is not None
    (stretch,) = found.stretches
    assert (stretch.kind, stretch.first, stretch.last) == ("removed", 12, 47)


def test_codecs_have_their_own_names(shelf: Shelf) -> None:
    """Not those of the decoders that were used, such as `mp3float`."""
    sound = shelf["a.mp3"].head.sound
    assert sound is not None
    assert sound.codec == "mp3"


def test_rotation(shelf: Shelf) -> None:
    """A film that a player turns is told as turned, though every pixel is stored as before."""
    facts = shelf["turned.mp4"].head.video
    assert facts is not None
    assert facts.rotation in (90, -90)
    assert any(line.startswith("turned: 0° → ") for line in compared(shelf, "h264.mp4", "turned.mp4").lines)


def test_edit_lists(shelf: Shelf) -> None:
    """A film whose edit list leaves the first frames out is one from which they were cut."""
    found = compared(shelf, "h264.mp4", "edited.mp4")
    assert found.video is not None
    (stretch,) = found.video.stretches
    assert (stretch.kind, stretch.first, stretch.last) == ("removed", 0, 3), found.lines


def test_sound_longer_than_picture(shelf: Shelf) -> None:
    """Both lengths are known, and the longer sound is told as put after the end."""
    entry: MediaEntry = shelf["longer.mp4"]
    assert entry.head.video is not None
    assert entry.head.sound is not None
    assert entry.head.video.seconds == pytest.approx(0.8, abs=0.01)
    assert entry.head.sound.seconds == pytest.approx(2.0, abs=0.06)
    lines = compared(shelf, "even.mp4", "longer.mp4").lines
    assert any("of the sound put after the end" in line for line in lines), lines


def test_remux(shelf: Shelf) -> None:
    """The same packets in another container are the same in every pixel and sample, and nothing else is said."""
    found = compared(shelf, "even.mp4", "even.mkv")
    assert found.video is not None
    assert found.video.verdict == "identical"
    assert not any("differs" in line or "encoded" in line or "cut" in line for line in found.lines), found.lines
