"""Files that are numbered are frames of one thing, and what became of it is told frame by frame."""

import pytest
from aura_vcs.compare.media.sequence import FrameChange, compare_sequences
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.formats.media.sequences import (
    FrameSequence,
    find_sequences,
    frame_name,
    frames_words,
    moved_sequences,
    spans,
)

AT = "render/shot."


def files(*numbers: int, prefix: str = "render/shot.", suffix: str = ".exr", width: int = 4) -> list[str]:
    """Paths of frames."""
    return [f"{prefix}{number:0{width}}{suffix}" for number in numbers]


@pytest.mark.parametrize(
    ("paths", "patterns"),
    [
        (files(*range(1, 241)), ["render/shot.[0001-0240].exr"]),
        (files(1, 2, 5), ["render/shot.[0001-0005].exr"]),
        (files(1, 2), []),
        (files(*range(1, 4), width=1), []),
        (files(*range(1, 12), width=1), ["render/shot.[1-11].exr"]),
        (files(*range(1001, 1004), width=1), ["render/shot.[1001-1003].exr"]),
        (files(*range(9_998, 10_003)), ["render/shot.[9998-10002].exr"]),
        ([*files(1, 2, 3), *files(4, 5, 6, suffix=".png")], [f"{AT}[0001-0003].exr", f"{AT}[0004-0006].png"]),
        (files(1, 2, 3, suffix=".mov"), []),
        (["a/0001.dpx", "a/0002.dpx", "a/0003.dpx", "b/0004.dpx"], ["a/[0001-0003].dpx"]),
        ([*files(1, 2, 3), *files(900, 901, 902)], ["render/shot.[0001-0003].exr", "render/shot.[0900-0902].exr"]),
        (["IMG_20260101123456789.png", "IMG_20260101123456790.png", "IMG_20260101123456791.png"], []),
        (["clip.png", "sky.jpg", "2.png"], []),
    ],
)  # fmt: skip
def test_what_is_a_sequence(paths: list[str], patterns: list[str]) -> None:
    """Three pictures or more whose names differ by a number of three digits, ten where it is shorter."""
    found = find_sequences(reversed(paths))
    assert sorted(one.pattern for one in found) == patterns
    for one in found:
        assert {one.path(number) for number in one.numbers} <= set(paths)


def test_missing_numbers_and_words() -> None:
    """Gaps are known by their first and last number; frames are named as people do."""
    (one,) = find_sequences(files(1, 2, 5, 6, 9))
    assert one.missing == ((3, 4), (7, 8))
    assert spans([1, 2, 3, 7]) == [(1, 3), (7, 7)]
    assert frames_words([(7, 7)]) == "frame 7"
    assert frames_words([(1, 3), (5, 5), (7, 9)]) == "frames 1 to 3, 5 and 7 to 9"
    assert frame_name("a/shot.0012.exr") is not None
    assert frame_name("a/shot.exr") is None


def test_a_whole_sequence_that_is_called_otherwise() -> None:
    """All of it goes from one prefix to another; two that become one are none."""
    pairs = dict(zip(files(1, 2, 3, prefix="b/x_"), files(1, 2, 3), strict=True))
    ((old, new),) = moved_sequences(pairs)
    assert (old.pattern, new.pattern) == ("render/shot.[0001-0003].exr", "b/x_[0001-0003].exr")
    assert moved_sequences({"b/x_0001.exr": "a/1.exr", "b/x_0002.exr": "a/2.exr"}) == []


def sequence(*numbers: int) -> FrameSequence:
    """Frames of one sequence."""
    (found,) = find_sequences(files(*numbers))
    return found


def looked(distance: float, box: tuple[float, float, float, float] | None = None, *lines: str) -> MediaDiff:
    """A frame that was compared."""
    words = f"looks {distance}"
    return MediaDiff(None, None, (*lines, words), distance=distance, box=box, decoded=True)


def test_frames_that_differ_came_and_went() -> None:
    """Stretches of frames, with how much and where; what is missing now is told."""
    box = (0.1, 0.8, 0.3, 0.9)
    changes = {n: FrameChange("a", "b", looked(0.01 * n, box)) for n in range(12, 15)}
    changes[20] = FrameChange("a", "b", looked(0.3))
    changes[21] = FrameChange("a", "b", looked(0.0))
    changes[22] = FrameChange("a", "b")
    changes |= {23: FrameChange("a", ""), 31: FrameChange("", "b"), 32: FrameChange("", "c")}
    new = [n for n in range(1, 33) if n != 23]
    found = compare_sequences(sequence(*range(1, 31)), sequence(*new), changes)
    assert found.lines == (
        "frames 12 to 14 differ, in the lower left (10% to 30% across, 80% to 90% down) (up to 14%)",
        "frame 20 differs (30%)",
        "frame 21 looks the same",
        "frame 22 has other content",
        "frame 23 was removed",
        "frames 31 to 32 were added",
        "frame 23 is missing",
    )  # fmt: skip
    assert [(one.kind, one.first, one.last) for one in found.stretches][:2] == [
        ("differs", 12, 14),
        ("differs", 20, 20),
    ]


def test_frames_that_are_numbered_anew() -> None:
    """Two frames put in at the beginning: the rest is what it was, by its content."""
    ids = {n: f"id{n}" for n in range(1, 41)}
    changes = {n: FrameChange(ids.get(n, ""), ids.get(n - 2, f"new{n}")) for n in range(1, 43)}
    found = compare_sequences(sequence(*range(1, 41)), sequence(*range(1, 43)), changes)
    assert found.lines == ("frames 1 to 2 have other content", "frames 3 to 42 are frames 1 to 40 before")
    assert found.stretches[1].was == 1


def test_what_is_so_of_frames_besides() -> None:
    """Another size is said once, with the frames that have it; why frames were not looked into, too."""
    line = "size: 1920×1080 → 2048×1152"
    changes = {n: FrameChange("a", "b", looked(0.2, None, line)) for n in (3, 4, 8)}
    changes[9] = FrameChange("a", "b", MediaDiff(None, None, (), problem="it is damaged"))
    found = compare_sequences(sequence(*range(1, 11)), sequence(*range(1, 11)), changes)
    assert found.lines[0] == f"{line}: frames 3 to 4 and 8"
    assert found.lines[-1] == "not looked into: it is damaged: frame 9"


def test_one_that_came_says_what_is_missing() -> None:
    """There is nothing to compare it with."""
    assert compare_sequences(None, sequence(1, 2, 4), {}).lines == ("frame 3 is missing",)
    assert compare_sequences(sequence(1, 2, 3), None, {}).lines == ()
