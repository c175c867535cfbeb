"""Known changes by chance, in films of many kinds and codecs: told is what was done, to within one frame."""

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aura_vcs.compare.media.entries import compare_entries
from aura_vcs.formats.media.findings import MediaDiff, MediaStretch
from aura_vcs.formats.media.index_entry import MediaEntry
from msgspec import Struct

from tests.helpers.sampling import SEED
from tests.media.clips import melody, write_film
from tests.media.conftest import Maker, Shelf
from tests.media.scenes import KINDS, SIZE, Box, Part, Scene, images, some_box, spotted

FRAMES = 100
CODECS: dict[str, tuple[str, dict[str, str], str, str]] = {
    "h264": ("libx264", {"preset": "veryfast"}, "yuv420p", "mp4"),
    "h264, small": ("libx264", {"crf": "28"}, "yuv420p", "mp4"),
    "h264, fine": ("libx264", {"crf": "18", "preset": "veryfast"}, "yuv420p", "mp4"),
    "hevc": ("libx265", {"x265-params": "log-level=none", "preset": "fast"}, "yuv420p", "mp4"),
    "vp9": ("libvpx-vp9", {"crf": "31", "b": "0", "cpu-used": "5", "deadline": "realtime"}, "yuv420p", "mkv"),
    "prores": ("prores_ks", {}, "yuv422p10le", "mov"),
    "mpeg2": ("mpeg2video", {"b": "3000000"}, "yuv420p", "mkv"),
    "mjpeg": ("mjpeg", {"q": "3"}, "yuvj420p", "avi"),
}
WHAT = {
    "spot": 45, "nothing": 12, "put in": 7, "cut out": 7, "moved": 5, "replaced": 5, "faster": 3, "scaled": 5,
    "cropped": 5, "spot, scaled": 10, "spot, cropped": 10, "louder": 3, "later": 3, "sound": 3,
}  # fmt: skip
SOUNDS = frozenset({"louder", "later", "sound"})


class Case(Struct, frozen=True):
    """A film, and what was done to it."""

    what: str
    kind: str
    seed: int
    codecs: tuple[str, str]
    start: int
    length: int
    box: Box
    style: str
    amount: float

    @classmethod
    def by_chance(cls, dice: random.Random) -> "Case":
        """Choose one."""
        kind, first = dice.choice(KINDS), dice.choice(sorted(CODECS))
        second = first if dice.random() < 0.5 else dice.choice(sorted(CODECS))
        what = dice.choices(list(WHAT), list(WHAT.values()))[0]
        styles = ["white", "lift", "text", "other", *([] if "dark" in kind else ["colour"])]
        length = dice.choice((3, 3, 4, 6, 10, 25)) if what != "moved" else 12
        start = dice.randrange(2, FRAMES - length - (22 if what == "moved" else 2))
        seed = dice.randrange(10**6)
        box, style, amount = some_box(dice), dice.choice(styles), dice.choice((-6, -3, -1.5, 2, 4))
        return cls(what, kind, seed, (first, second), start, length, box, style, amount)

    def pictures(self, *, is_new: bool) -> list[Any]:
        """Paint one side."""
        from PIL import Image

        scene, start, end = Scene(self.kind, self.seed), self.start, self.start + self.length
        every = list(range(FRAMES))
        if not is_new or self.what in ("nothing", "faster", *SOUNDS):
            return images(scene, every)
        if self.what == "spot":
            return images(spotted(scene, range(start, end), self.box, self.style), every)
        if self.what == "spot, scaled":
            changed = images(spotted(scene, range(start, end), self.box, self.style), every)
            return [one.resize(self._other_size, Image.Resampling.LANCZOS) for one in changed]
        if self.what == "spot, cropped":
            return images(spotted(Part(scene, self._part), range(start, end), self.box, self.style), every)
        if self.what in ("put in", "replaced"):
            other = images(Scene("ball", self.seed + 5), range(self.length))
            return (
                images(scene, every[:start]) + other + images(scene, every[start if self.what == "put in" else end :])
            )
        if self.what == "cut out":
            return images(scene, every[:start] + every[end:])
        if self.what == "moved":
            return images(scene, every[:start] + every[end : end + 20] + every[start:end] + every[end + 20 :])
        if self.what == "scaled":
            return [one.resize(self._other_size, Image.Resampling.LANCZOS) for one in images(scene, every)]
        return [one.crop(self._part) for one in images(scene, every)]

    @property
    def _other_size(self) -> tuple[int, int]:
        return (426, 240) if self.amount > 0 else (256, 144)

    @property
    def _part(self) -> Box:
        """Left, top, right, bottom of what is left of the picture, in pixels."""
        left, top = round(20 + 4 * abs(self.amount)) & ~1, round(12 + 3 * abs(self.amount)) & ~1
        return left, top, SIZE[0] - 8, SIZE[1] - 8

    def sound(self, *, is_new: bool) -> Any:
        """Make the sound of one side; None where there is none."""
        import numpy as np

        if self.what not in SOUNDS:
            return None
        sound = melody(FRAMES / 25, seed=self.seed) * 0.3
        if not is_new:
            return sound
        if self.what == "louder":
            return sound * 10 ** (self.amount / 20)
        if self.what == "later":
            return np.concatenate([melody(0.2, seed=9) * 0.01, sound], axis=1)[:, : sound.shape[1]]
        at = round(min(self.start, 80) / 25 * 48_000)
        sound[:, at : at + 19_200] = melody(0.4, seed=9)
        return sound

    def maker(self, side: int) -> Maker:
        """How one side is written."""
        codec, options, pixel_format, end = CODECS[self.codecs[side]]
        rate = 30 if side and self.what == "faster" else 25
        return lambda path: write_film(
            path, self.pictures(is_new=bool(side)), self.sound(is_new=bool(side)), codec=codec, options=options,
            pixel_format=pixel_format, rate=rate, sound_codec="aac" if end == "mp4" else "pcm_s16le",
        )  # fmt: skip

    def says(self, found: MediaDiff) -> bool:
        """Tell whether what is said is what was done."""
        video, sound = found.video, found.sound
        assert video is not None
        told, frames = video.stretches, (self.start, self.start + self.length - 1)
        is_unseen = self.what == "moved" and self.kind in ("static", "grain") and not told
        if is_unseen or self.what in ("nothing", "scaled", *SOUNDS):
            is_same = video.verdict in ("same", "identical")
            return is_same and (sound is None or self._says_sound(found))
        if self.what == "faster":
            return abs(video.speed - 1.2) < 0.001 and not told
        if self.what == "cropped":
            return video.crop is not None and not told
        if self.what == "spot, cropped" and video.crop is None:
            return False
        if len(told) != 1 or video.throughout is not None:
            return False
        (one,) = told
        stands = self.kind in ("static", "grain", "ball") or "fade" in self.kind
        if self.what == "moved":
            return one.kind == "moved" or ((stands or "dark" in self.kind) and one.kind == "changed")
        if self.what == "cut out" and stands:
            return one.kind == "removed" and one.last + 1 - one.first == self.length
        kind = {"put in": "inserted", "cut out": "removed"}.get(self.what, "changed")
        is_there = one.kind == kind and max(abs(one.first - frames[0]), abs(one.last - frames[1])) <= 1
        return is_there and ("spot" not in self.what or self._is_where(one))

    def _is_where(self, one: MediaStretch) -> bool:
        if one.box is None:
            return False
        left, top, wide, high = self.box
        edges = (left, top, left + wide, top + high)
        apart = [edge * SIZE[n % 2] - edges[n] for n, edge in enumerate(one.box)]
        short = max(apart[0], apart[1], -apart[2], -apart[3])
        least = 20 if self.style == "other" else 8  # which may be like what was there, in a part
        return short <= least and max(-apart[0], -apart[1], apart[2], apart[3]) <= 24

    def _says_sound(self, found: MediaDiff) -> bool:
        sound = found.sound
        assert sound is not None
        if self.what == "louder":
            return abs(sound.gain_db - self.amount) < 1 and not sound.stretches
        if self.what == "later":
            put_in = [one for one in sound.stretches if abs(one.end - one.start - 0.2) < 0.06]
            return bool(put_in) or abs(sound.offset - 0.2) < 0.06
        start = min(self.start, 80) / 25
        return any(abs(one.start - start) < 0.06 and abs(one.end - start - 0.4) < 0.06 for one in sound.stretches)


def _check(make_shelf: Callable[[dict[str, Maker]], Shelf], cases: Sequence[Case]) -> None:
    wrong = []
    for n, case in enumerate(cases):
        names = [f"chance-{id(cases)}-{n}-{side}.{CODECS[case.codecs[side]][3]}" for side in (0, 1)]
        shelf = make_shelf({name: case.maker(side) for side, name in enumerate(names)})
        found = compare_entries(shelf[names[0]], shelf[names[1]])
        if not case.says(found):
            wrong.append(f"{case}: {found.lines}")
        for name in names:
            os.unlink(shelf.path(name))
    assert not wrong, "\n".join([f"{len(wrong)} of {len(cases)}", *wrong])


def test_what_was_done_is_told(make_shelf: Callable[[dict[str, Maker]], Shelf]) -> None:
    """Other films, changes and codecs in every run."""
    dice = random.Random(SEED)
    _check(make_shelf, [Case.by_chance(dice) for _ in range(3)])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_what_was_done_is_told_in_a_long_sweep(make_shelf: Callable[[dict[str, Maker]], Shelf], part: int) -> None:
    """The same, many times."""
    dice = random.Random(f"long {SEED} {part}")
    _check(make_shelf, [Case.by_chance(dice) for _ in range(20)])


def _film(codec: str, pictures: Callable[[], list[Any]]) -> Maker:
    name, options, pixel_format, _ = CODECS[codec]
    return lambda path: write_film(path, pictures(), codec=name, options=options, pixel_format=pixel_format)


def _marked(scene: Scene, n: int) -> Any:
    """A word over the picture, a tenth as strong as it could be."""
    import numpy as np
    from PIL import Image, ImageDraw

    shown = Image.new("L", SIZE)
    ImageDraw.Draw(shown).text((200, 140), "PREVIEW COPY", fill=255)
    mark = np.asarray(shown)[..., None] / 255 * 0.1
    return scene(n) * (1 - mark) + 255 * mark


PAN, DARK, CUTS, GRAIN = Scene("pan", 11), Scene("dark", 3), Scene("cuts", 5), Scene("grain", 8)
FADE_IN = Scene("fade in", 8)
EVERY = range(FRAMES)
HARD: dict[str, Maker] = {
    "pan.mp4": _film("h264, fine", lambda: images(PAN, EVERY)),
    "spot.mp4": _film("h264, fine", lambda: images(spotted(PAN, range(20, 30), (6, 57, 31, 19), "white"), EVERY)),
    "mark.mp4": _film("h264", lambda: images(lambda n: _marked(PAN, n), EVERY)),
    "bright.mp4": _film("h264", lambda: images(lambda n: 1.06 * PAN(n), EVERY)),
    "cuts.mp4": _film("h264, fine", lambda: images(CUTS, EVERY)),
    "at-cut.avi": _film("mjpeg", lambda: images(spotted(CUTS, range(29, 35), (246, 120, 33, 35), "white"), EVERY)),
    "grain.mkv": _film("vp9", lambda: images(GRAIN, EVERY)),
    "grain-cut.mkv": _film("vp9", lambda: images(GRAIN, [*range(57), *range(60, FRAMES)])),
    "dark.mp4": _film("h264", lambda: images(DARK, EVERY)),
    "dark-part.mp4": _film("hevc", lambda: [one.crop((32, 18, 320, 180)) for one in images(DARK, EVERY)]),
    "fade-in.mkv": _film("mpeg2", lambda: images(FADE_IN, EVERY)),
    "fade-in-longer.mkv": _film(
        "mpeg2", lambda: images(FADE_IN, [0, 1]) + images(PAN, range(6)) + images(FADE_IN, range(2, FRAMES))
    ),
}


@pytest.fixture(scope="module")
def hard(make_shelf: Callable[[dict[str, Maker]], Shelf]) -> Callable[[str, str], MediaDiff]:
    """Compares two of them."""
    shelf = make_shelf({f"hard-{name}": maker for name, maker in HARD.items()})

    def entry(name: str) -> MediaEntry:
        return shelf[f"hard-{name}"]

    return lambda old, new: compare_entries(entry(old), entry(new))


def _told(found: MediaDiff) -> list[tuple[str, int, int]]:
    assert found.video is not None
    return [(one.kind, one.first, one.last) for one in found.video.stretches]


def test_a_spot_where_the_brightness_is_the_same_to_the_byte_and_the_colour_is_not(
    hard: Callable[[str, str], MediaDiff],
) -> None:
    """One encoder leaves more in the one than in the other."""
    assert _told(hard("pan.mp4", "spot.mp4")) == [("changed", 20, 29)]


def test_a_faint_mark_is_one_change(hard: Callable[[str, str], MediaDiff]) -> None:
    """All of it, throughout, and where it is."""
    found = hard("pan.mp4", "mark.mp4").video
    assert found is not None
    assert found.throughout == pytest.approx((200 / 320, 140 / 180, 275 / 320, 152 / 180), abs=0.04)
    assert not found.stretches


def test_a_grade_differs_throughout(hard: Callable[[str, str], MediaDiff]) -> None:
    """Six percent brighter is no other encoding."""
    assert hard("pan.mp4", "bright.mp4").lines[-1].startswith("the picture differs throughout")


def test_a_spot_beside_a_cut_begins_with_its_first_frame(hard: Callable[[str, str], MediaDiff]) -> None:
    """What the next scene has there is no reason to overlook it."""
    ((kind, first, last),) = _told(hard("cuts.mp4", "at-cut.avi"))
    assert (kind, first, last) == ("changed", pytest.approx(29, abs=1), pytest.approx(34, abs=1))


def test_a_cut_in_grain_that_stands_still(hard: Callable[[str, str], MediaDiff]) -> None:
    """Only the grain says which frames are gone."""
    ((kind, first, last),) = _told(hard("grain.mkv", "grain-cut.mkv"))
    assert (kind, first, last) == ("removed", pytest.approx(57, abs=1), pytest.approx(59, abs=1))


def test_a_part_of_a_dark_picture(hard: Callable[[str, str], MediaDiff]) -> None:
    """Its cells differ by little, and by much of what there is."""
    found = hard("dark.mp4", "dark-part.mp4").video
    assert found is not None
    assert found.crop == pytest.approx((0.1, 0.1, 1, 1), abs=0.02)


def test_frames_put_into_black(hard: Callable[[str, str], MediaDiff]) -> None:
    """The two black frames before them are the two before."""
    assert _told(hard("fade-in.mkv", "fade-in-longer.mkv")) == [("inserted", 2, 7)]
