"""What was done to a film or a sound is told to the frame: where, how long, in which part of the picture, and what."""

import os
import random
from array import array
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.media.entries import compare_entries
from aura_vcs.compare.media.film import compare_films
from aura_vcs.formats.media.findings import MediaDiff, VideoFacts
from aura_vcs.formats.media.index_entry import GRID, LUMA_BYTES, EntryHead, MediaEntry, encode_entry, read_entry
from PIL import Image

from tests.helpers.sampling import SEED
from tests.media.clips import SIZE, melody, scenery, with_box, write_film
from tests.media.conftest import Shelf

FRAMES = 100
ENCODERS: dict[str, tuple[str, dict[str, str], str]] = {
    "fine": ("libx264", {"crf": "18"}, "mp4"),
    "usual": ("libx264", {}, "mp4"),
    "small": ("libx264", {"crf": "28"}, "mp4"),
    "hevc": ("libx265", {"x265-params": "log-level=none"}, "mp4"),
    "mpeg4": ("mpeg4", {"b": "900000"}, "mp4"),
    "vp9": ("libvpx-vp9", {}, "webm"),
}
Maker = Callable[[Path], object]


def film(pictures: Sequence[Any] | Any, encoder: str = "usual", sound: Any = None) -> Maker:
    """How a film is made of pictures."""
    codec, options, _ = ENCODERS[encoder]
    sound_codec = "libopus" if encoder == "vp9" else "aac"
    return lambda path: write_film(path, pictures, sound, codec=codec, options=options, sound_codec=sound_codec)


def frames(*parts: tuple[int, int] | tuple[int, int, int]) -> Any:
    """Frames of the scenery: from … to, and of which seed."""
    return chain.from_iterable(
        (scenery(n, SIZE, part[2] if len(part) > 2 else 0) for n in range(part[0], part[1])) for part in parts
    )


def tone(*parts: tuple[float, float] | tuple[float, float, int]) -> Any:
    """Parts of the melody, in seconds, and of which seed."""
    import numpy as np

    whole = {seed: melody(4, seed=seed) for seed in {part[2] if len(part) > 2 else 0 for part in parts}}
    cut = [
        whole[part[2] if len(part) > 2 else 0][:, round(part[0] * 48_000) : round(part[1] * 48_000)] for part in parts
    ]
    return np.concatenate(cut, axis=1)


def _sound(samples: Callable[[], Any], codec: str = "pcm_s16le") -> Maker:
    return lambda path: write_film(path, (), samples(), sound_codec=codec)


def _two_channels() -> Any:
    """Other sounds on the left than on the right, that are much as loud at the same times."""
    import numpy as np

    return np.concatenate([tone((0, 4)), 0.7 * tone((0, 4)) + 0.12 * tone((0, 4, 5))]) * 0.4


def _clicked() -> Any:
    sound = tone((0, 4))
    sound[:, 96_000:96_010] *= -1
    return sound


def faded(n: int) -> Image.Image:
    """The scenery, with a fade to black over the last twenty frames."""
    picture = scenery(n)
    return picture if n < 80 else Image.blend(picture, Image.new("RGB", picture.size), (n - 79) / 20)


EDITS: dict[str, Maker] = {
    "base.mp4": film(frames((0, FRAMES)), sound=tone((0, 4))),
    "cut.mp4": film(frames((0, 40), (65, FRAMES)), sound=tone((0, 1.6), (2.6, 4))),
    "begin.mp4": film(frames((25, FRAMES)), sound=tone((1, 4))),
    "end.mp4": film(frames((0, 80)), sound=tone((0, 3.2))),
    "put-in.mp4": film(frames((0, 50), (0, 15, 3), (50, FRAMES)), sound=tone((0, 2), (0, 0.6, 5), (2, 4))),
    "replaced.mp4": film(frames((0, 40), (0, 15, 3), (55, FRAMES)), sound=tone((0, 1.6), (0, 0.6, 5), (2.2, 4))),
    "moved.mp4": film(frames((0, 20), (50, 90), (20, 50), (90, FRAMES)), sound=tone((0, 4))),
    "twice.mp4": film(frames((0, 20), (30, 60), (75, FRAMES)), sound=tone((0, 4))),
    "late.mp4": film(frames((0, FRAMES)), sound=tone((0, 0.2, 9), (0, 3.8))),
    "louder.mp4": film(frames((0, FRAMES)), sound=tone((0, 4)) * 0.5),
    "logo.mp4": film(map(with_box(scenery, range(FRAMES), (280, 10, 310, 30)), range(FRAMES)), sound=tone((0, 4))),
    "mark.mp4": film(map(with_box(scenery, range(30, 70), (60, 150, 75, 156)), range(FRAMES)), "hevc"),
    "faded.mp4": film((faded(n) for n in range(FRAMES)), sound=tone((0, 4))),
    "scaled.mp4": film((scenery(n).resize((240, 136)) for n in range(FRAMES)), "fine"),
    **{f"again-{name}.{end}": film(frames((0, FRAMES)), name) for name, (_, _, end) in ENCODERS.items()},
    "a.wav": _sound(lambda: tone((0, 4))),
    "cut.wav": _sound(lambda: tone((0, 1), (2, 4))),
    "moved.wav": _sound(lambda: tone((1, 2), (0, 1), (2, 4))),
    "other.mp3": _sound(lambda: tone((0, 2), (0, 0.5, 7), (2.5, 4)), "libmp3lame"),
    "click.wav": _sound(_clicked),
    "stereo.wav": _sound(_two_channels),
    "mixed.wav": _sound(lambda: _two_channels().sum(0, keepdims=True) * 0.5**0.5),
    "stereo.m4a": _sound(_two_channels, "aac"),
    "swapped.m4a": _sound(lambda: _two_channels()[::-1], "aac"),
    "again.mp3": _sound(lambda: tone((0, 4)), "libmp3lame"),
    "again.m4a": _sound(lambda: tone((0, 4)), "aac"),
}


@pytest.fixture(scope="module")
def shelf(make_shelf: Callable[[dict[str, Maker]], Shelf]) -> Shelf:
    """All of them, made and looked at together."""
    return make_shelf({f"changes-{name}": make for name, make in EDITS.items()})


def compared(shelf: Shelf, name: str, old: str = "base.mp4") -> MediaDiff:
    """Compare one with the first."""
    return compare_entries(shelf[f"changes-{old}"], shelf[f"changes-{name}"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cut.mp4", "1.0 s cut out at 1.60 s (frames 40 to 64 before)"),
        ("begin.mp4", "1.0 s cut from the beginning (frames 0 to 24 before)"),
        ("end.mp4", "0.8 s cut from the end (frames 80 to 99 before)"),
        ("put-in.mp4", "0.6 s put in at 2.00 s (frames 50 to 64)"),
    ],
)
def test_a_cut_in_picture_and_sound_is_one_line(shelf: Shelf, name: str, words: str) -> None:
    """It is told once, to the frame, and the rest is not called another film."""
    lines = compared(shelf, name).lines
    assert lines[-1] == words
    assert [line for line in lines if "differs" in line] == []


def test_a_stretch_of_another_picture_and_sound(shelf: Shelf) -> None:
    """0.6 s of another film: from which frame to which, and in the sound to a few hundredths."""
    found = compared(shelf, "replaced.mp4")
    assert "the picture differs from 1.60 s to 2.20 s (frames 40 to 54)" in found.lines
    ((start, end),) = found.sounds
    assert (start, end) == (pytest.approx(1.6, abs=0.05), pytest.approx(2.2, abs=0.05))


def test_what_was_moved_is_told_as_that(shelf: Shelf) -> None:
    """The shorter part is the one that moved."""
    assert (
        "2.40 s to 3.60 s (frames 60 to 89) of the picture: moved here from 0.80 s"
        in compared(shelf, "moved.mp4").lines
    )


def test_a_small_mark_that_lasts_in_a_film_that_was_encoded_anew(shelf: Shelf) -> None:
    """A fifth of a percent of the picture for 1.6 s: which frames, and where."""
    (found,) = compared(shelf, "mark.mp4").video.stretches  # type: ignore[union-attr]
    assert abs(found.first - 30) <= 1
    assert abs(found.last - 69) <= 1
    assert found.box is not None
    left, top, right, bottom = found.box
    assert 0.12 < left < right < 0.3
    assert 0.75 < top < bottom < 0.95


def test_a_fade_is_one_line(shelf: Shelf) -> None:
    """It begins with little, and ends with another picture."""
    told = [line for line in compared(shelf, "faded.mp4").lines if "the picture" in line]
    assert len(told) == 1
    assert "(frames 8" in told[0]
    assert "to 99)" in told[0]


def test_two_cuts_are_two_lines(shelf: Shelf) -> None:
    """Each at its place in the new film."""
    lines = compared(shelf, "twice.mp4").lines
    assert "0.4 s of the picture cut out at 0.80 s (frames 20 to 29 before)" in lines
    assert "0.6 s of the picture cut out at 2.00 s (frames 60 to 74 before)" in lines


def test_sound_that_comes_later(shelf: Shelf) -> None:
    """The pictures are the same; by how much the sound was moved is told."""
    found = compared(shelf, "late.mp4")
    assert found.video is not None
    assert found.video.verdict in ("same", "identical")
    assert found.lines[-2:] == ("0.2 s of the sound put before the beginning", "0.2 s of the sound cut from the end")


def test_louder_and_softer(shelf: Shelf) -> None:
    """By so many decibels, and nothing differs otherwise."""
    found = compared(shelf, "louder.mp4")
    assert found.sound is not None
    assert found.sound.gain_db == pytest.approx(-6.0, abs=0.3)
    assert found.lines[-1].startswith("the sound is 6.")
    assert not any("differs" in line for line in found.lines)


def test_a_logo_throughout(shelf: Shelf) -> None:
    """Where it is, once, not a hundred times."""
    line = next(line for line in compared(shelf, "logo.mp4").lines if "picture differs" in line)
    assert line.startswith("the picture differs throughout, in the upper right (8")


def test_scaled_is_the_same_picture(shelf: Shelf) -> None:
    """Another resolution, the same film."""
    found = compared(shelf, "scaled.mp4")
    assert found.video is not None
    assert found.video.verdict == "same"
    assert "resolution: 320×180 → 240×136" in found.lines


@pytest.mark.parametrize("name", ENCODERS)
def test_a_transcode_is_the_same_film_encoded_anew(shelf: Shelf, name: str) -> None:
    """At ordinary quality nothing differs, and the codecs are told."""
    found = compared(shelf, f"again-{name}.{ENCODERS[name][2]}")
    assert found.video is not None
    assert found.video.verdict in ("same", "identical"), found.lines
    assert any(line.startswith("the same pictures, re-encoded: h264 ") for line in found.lines) or name == "usual"


def test_sounds(shelf: Shelf) -> None:
    """Cut, moved, another for a while, a click of a fifth of a millisecond, re-encoded."""
    assert compared(shelf, "cut.wav", "a.wav").lines[-1] in ("1.0 s cut out at 1.00 s", "1.0 s cut out at 0.99 s")
    moved = compared(shelf, "moved.wav", "a.wav").sound
    assert moved is not None
    assert [stretch.kind for stretch in moved.stretches] == ["moved"]
    other = compared(shelf, "other.mp3", "a.wav").sound
    assert other is not None
    (stretch,) = other.stretches
    assert (stretch.start, stretch.end) == (pytest.approx(2.0, abs=0.05), pytest.approx(2.5, abs=0.05))
    click = compared(shelf, "click.wav", "a.wav")
    assert click.lines == ("the sound differs from 2.00 s to 2.01 s, by less than anybody hears",)
    for name in ("again.mp3", "again.m4a"):
        line = compared(shelf, name, "a.wav").lines[-1]
        assert line.startswith("the same sound, re-encoded: pcm_s16le 768 kbit/s → "), line


def test_channels_that_were_mixed_or_changed_places(shelf: Shelf) -> None:
    """A stereo sound as mono has the same mix; that channels changed places is heard in what was re-encoded, too."""
    lines = compared(shelf, "mixed.wav", "stereo.wav").lines
    assert lines[0] == "channels: stereo → mono"
    assert lines[-1] == "the same sound, mixed to mono: pcm_s16le 1.54 Mbit/s → pcm_s16le 768 kbit/s"
    sound = compared(shelf, "swapped.m4a", "stereo.m4a").sound
    assert sound is not None
    assert sound.channels == (2, 1)


def _entry(codec: str, shown: bytearray, *, is_new: bool) -> MediaEntry:
    """What the index would have of a film without colours whose frames have this brightness."""
    video = VideoFacts(codec, 320, 180, FRAMES, 0.0, 4.0, str(is_new), frames_per_second=25.0)
    return read_entry(encode_entry(EntryHead("a", video=video), {
        "luma": bytes(shown),
        "times": array("q", [40_000 * n for n in range(FRAMES)]).tobytes(),
        "hashes": array("Q", [n * 0x9E3779B97F4A7C15 % 2**64 for n in range(FRAMES)]).tobytes(),
    }), "a")  # fmt: skip


def test_what_an_encoder_does_behind_a_change_is_no_change() -> None:
    """A film equal to the byte up to a change, and written anew from there on by a level or two: told is the change."""
    dice = random.Random(7)
    still = bytes(dice.randrange(40, 200) for _ in range(LUMA_BYTES))

    def side(codec: str, *, is_new: bool) -> MediaEntry:
        shown = bytearray(still * FRAMES)
        for n in range(62, FRAMES) if is_new else ():
            for cell in range(LUMA_BYTES):
                shown[n * LUMA_BYTES + cell] += (0, 1, 2, -2)[(cell * 7 + n) % 4]
            for row in range(10, 15) if n < 65 else ():
                at = n * LUMA_BYTES + row * GRID[0]
                shown[at + 20 : at + 28] = b"\xff" * 8
        return _entry(codec, shown, is_new=is_new)

    told = compare_films(side("h264", is_new=False), side("h264", is_new=True)).stretches
    assert [(one.first, one.last) for one in told] == [(62, 64)]
    alone = compare_films(side("ffv1", is_new=False), side("ffv1", is_new=True)).stretches
    assert [(one.first, one.last) for one in alone] == [(62, 99)]


def test_what_encoders_do_otherwise_in_every_run_is_no_change() -> None:
    """A few cells by two levels, others in each of three frames: nothing, where frames are predicted from others."""

    def side(codec: str, *, is_new: bool) -> MediaEntry:
        shown = bytearray(b"\x64" * (LUMA_BYTES * FRAMES))
        for n in (1, 2, 3) if is_new else ():
            for cell in range(6):
                shown[n * LUMA_BYTES + 211 * n + 97 * cell] += 2 if cell % 2 else -2
        return _entry(codec, shown, is_new=is_new)

    assert compare_films(side("h264", is_new=False), side("h264", is_new=True)).verdict == "same"
    assert compare_films(side("ffv1", is_new=False), side("ffv1", is_new=True)).verdict == "changed"


def _sweep(count: int) -> list[tuple[int, int, tuple[int, int, int, int], str]]:
    """Changes by chance: first frame, how many, where, and which encoder."""
    dice = random.Random(SEED)
    found = []
    for _ in range(count):
        area = dice.choice((0.01, 0.015, 0.03)) * SIZE[0] * SIZE[1]
        wide = max(8, round((area * dice.uniform(0.4, 2.5)) ** 0.5))
        high = max(6, -(-round(area) // wide))
        x, y = dice.randrange(SIZE[0] - wide), dice.randrange(SIZE[1] - high)
        length = dice.choice((3, 3, 4, 8, 25))
        start = dice.randrange(1, FRAMES - length - 1)
        found.append((start, length, (x, y, x + wide - 1, y + high - 1), dice.choice(sorted(ENCODERS))))
    return found


def _check(make_shelf: Callable[[dict[str, Maker]], Shelf], shelf: Shelf, count: int) -> None:
    cases = _sweep(count)
    makers = {
        f"sweep-{SEED}-{n}.{ENCODERS[encoder][2]}": film(
            map(with_box(scenery, range(start, start + length), box), range(FRAMES)), encoder
        )
        for n, (start, length, box, encoder) in enumerate(cases)
    }
    swept = make_shelf(makers)
    for name, (start, length, box, encoder) in zip(makers, cases, strict=True):
        found = compare_entries(shelf["changes-base.mp4"], swept[name]).video
        os.unlink(swept.path(name))
        assert found is not None
        told = f"{encoder}, frames {start} to {start + length - 1}, {box}: {found.stretches}"
        assert len(found.stretches) == 1, told
        (stretch,) = found.stretches
        assert abs(stretch.first - start) <= 1, told
        assert abs(stretch.last - (start + length - 1)) <= 1, told
        assert stretch.box is not None, told
        left, top, right, bottom = stretch.box
        apart = (left * SIZE[0] - box[0], box[2] - right * SIZE[0], top * SIZE[1] - box[1], box[3] - bottom * SIZE[1])
        assert max(apart) <= 6, told


def test_every_small_change_is_found(make_shelf: Callable[[dict[str, Maker]], Shelf], shelf: Shelf) -> None:
    """One percent of the picture for three frames, anywhere, in any codec: to within one frame, and where."""
    _check(make_shelf, shelf, 4)


@pytest.mark.slow
def test_every_small_change_is_found_in_a_long_sweep(
    make_shelf: Callable[[dict[str, Maker]], Shelf], shelf: Shelf
) -> None:
    """The same, many times."""
    _check(make_shelf, shelf, 60)
