"""Odd files that people have: more tracks, channels that changed places, covers, timecodes, files that are cut off."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.media.entries import compare_entries
from aura_vcs.formats.media.index_entry import MediaEntry, read_entry
from aura_vcs.media.build_entries import FileToIndex, build_entries

from tests.media.clips import melody, remux, scenery, write_film
from tests.media.conftest import Maker, Shelf

SIZE = (256, 144)


def _plain(path: Path) -> object:
    return write_film(path, (scenery(n, SIZE) for n in range(50)), melody(2, channels=2), options={"g": "10"})


def _together(*names: str, timecode: str = "", cover: bool = False) -> Maker:
    """Put the first streams of several files into one: pictures and sound of the first, the sound of the others."""

    def make(path: Path) -> None:
        import av

        files = [av.open(str(path.parent / f"odd-{name}")) for name in names]
        with av.open(str(path), "w") as target:
            chosen = [
                (file, stream)
                for n, file in enumerate(files)
                for stream in file.streams
                if n == 0 or stream.type == "audio"
            ]
            made = {id(stream): target.add_stream_from_template(stream) for _, stream in chosen}
            if timecode:
                target.streams.video[0].metadata["timecode"] = timecode
            if cover:
                image = target.add_stream("png", rate=1)
                image.width, image.height, image.pix_fmt = *SIZE, "rgb24"
                image.disposition = av.stream.Disposition.attached_pic
                frame = av.VideoFrame.from_image(scenery(0, SIZE, 3))
            for file, stream in chosen:
                file.seek(0)
                for packet in file.demux(stream):
                    if packet.dts is not None:
                        packet.stream = made[id(stream)]
                        target.mux(packet)
            if cover:
                target.mux(image.encode(frame))
        for file in files:
            file.close()

    return make


def _sound(
    change: Callable[[Any], Any] = lambda samples: samples, codec: str = "pcm_s16le", rate: int = 48_000
) -> Maker:
    def make(path: Path) -> object:
        import numpy as np

        left, right = melody(2, seed=1)[0], melody(2, seed=2)[0]
        return write_film(path, (), change(np.stack([left, right]) * 0.5), sound_codec=codec, sound_rate=rate)

    return make


def _resampled(path: Path) -> object:
    import numpy as np

    both = np.stack([melody(2, 44_100, seed=seed)[0] for seed in (1, 2)]) * 0.5
    return write_film(path, (), both, sound_codec="pcm_s16le", sound_rate=44_100)


MAKERS: dict[str, Maker] = {
    "plain.mp4": _plain,
    "one.m4a": lambda path: write_film(path, (), melody(2, seed=5)),
    "other.m4a": lambda path: write_film(path, (), melody(2, seed=6)),
    "two.mkv": _together("plain.mp4", "one.m4a"),
    "two-other.mkv": _together("plain.mp4", "other.m4a"),
    "one-track.mkv": _together("plain.mp4"),
    "timecode.mov": _together("plain.mp4", timecode="01:00:00:00"),
    "no-timecode.mov": _together("plain.mp4"),
    "cover.mp4": _together("plain.mp4", cover=True),
    "a.wav": _sound(),
    "swapped.wav": _sound(lambda samples: samples[::-1]),
    "turned.wav": _sound(lambda samples: -samples),
    "one-turned.wav": _sound(lambda samples: samples * [[1.0], [-1.0]]),
    "swapped.mp3": _sound(lambda samples: samples[::-1], "libmp3lame"),
    "resampled.wav": _resampled,
    "late-index.mkv": lambda path: remux(path.parent / "odd-plain.mp4", path),
}


@pytest.fixture(scope="module")
def shelf(make_shelf: Callable[[dict[str, Maker]], Shelf]) -> Shelf:
    """All of them that are whole."""
    return make_shelf({f"odd-{name}": maker for name, maker in MAKERS.items()})


def said(shelf: Shelf, old: str, new: str) -> Sequence[str]:
    """Compare two."""
    return compare_entries(shelf[f"odd-{old}"], shelf[f"odd-{new}"]).lines


def test_a_second_track_of_sound_that_was_replaced(shelf: Shelf) -> None:
    """It is not looked into, but nothing is called the same because of that."""
    assert said(shelf, "two.mkv", "two-other.mkv") == ("track 2 of the sound has other content",)
    assert said(shelf, "one-track.mkv", "two.mkv")[-1] == "sound: 1 track → 2 tracks"


def test_channels_that_changed_places_or_sign(shelf: Shelf) -> None:
    """Everybody hears that; the mean of both channels is what it was."""
    places = "channels of the sound changed places: 1 is 2 before, 2 is 1 before"
    assert said(shelf, "a.wav", "swapped.wav") == (places,)
    assert said(shelf, "a.wav", "swapped.mp3")[-1] == places
    assert said(shelf, "a.wav", "turned.wav") == ("the polarity of the sound is inverted",)
    assert said(shelf, "a.wav", "one-turned.wav") == ("the polarity of channel 2 is inverted",)


def test_a_sound_of_another_rate(shelf: Shelf) -> None:
    """It is the same sound."""
    lines = said(shelf, "a.wav", "resampled.wav")
    assert lines[0] == "sample rate: 48,000 Hz → 44,100 Hz"
    assert lines[1].startswith("the same sound, re-encoded")
    assert len(lines) == 2


def test_covers_and_timecodes_are_no_pictures(shelf: Shelf) -> None:
    """What is seen and heard is the same."""
    for old, new in (("no-timecode.mov", "timecode.mov"), ("plain.mp4", "cover.mp4")):
        assert said(shelf, old, new) == ("looks and sounds the same",)


@pytest.mark.parametrize(("name", "is_kept"), [("plain.mp4", False), ("late-index.mkv", True), ("a.wav", True)])
def test_files_that_are_cut_off(shelf: Shelf, tmp_path: Path, name: str, is_kept: bool) -> None:
    """A recording that still grows, or that was copied in part: what is there is compared, or the reason is said."""
    path = tmp_path / name
    data = shelf.path(f"odd-{name}").read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with path.open("rb") as file:
        ((_, made),) = build_entries([FileToIndex(file, "a", name)])
    assert isinstance(made, bytes)
    entry: MediaEntry = read_entry(made, "a")
    if not is_kept:
        assert entry.head.problem.startswith("it is damaged")
        return
    lines = compare_entries(shelf[f"odd-{name}"], entry).lines
    assert any("cut from the end" in line for line in lines), lines
    assert not any("looks" in line or "the same" in line for line in lines), lines
