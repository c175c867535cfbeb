"""What an encoder leaves beside a change is no change; what a person did is one, however faint."""

import pytest
from aura_vcs.compare.media.drift import FAINT, ONE_SIDED, PLAIN, SAME, faint_beside_changes, kinds_of_frames

WIDTH = 2304
OLD = bytes([100]) * WIDTH
DRIFT = bytes([100, 103, 97, 101, 99, 100, 100, 100]) * (WIDTH // 8)
BRIGHTER = bytes([102]) * WIDTH
BOX = bytes([200]) * 23 + OLD[23:]


def test_frames_are_told_apart() -> None:
    """A box of one percent is plain, two levels more everywhere are a person's, up here and down there an encoder's."""
    new = [OLD, DRIFT, BRIGHTER, *[BOX] * 3, OLD]
    old = OLD * len(new)
    joined = b"".join(new)
    apart = bytes(abs(one - other) for one, other in zip(old, joined, strict=True))
    assert kinds_of_frames(old, joined, apart, WIDTH, (7, 26), 3) == [SAME, FAINT, ONE_SIDED, *[PLAIN] * 3, SAME]


@pytest.mark.parametrize(
    ("kinds", "numbers", "expected"),
    [
        ([SAME, PLAIN, PLAIN, FAINT, FAINT, SAME, FAINT], range(7), {3, 4}),
        ([FAINT, FAINT, SAME], range(3), set()),
        ([PLAIN, FAINT, PLAIN, ONE_SIDED, FAINT], range(5), {4}),
        ([SAME, FAINT, FAINT, SAME], [0, 9, 10, 11], {1, 2}),
        ([SAME, ONE_SIDED, SAME], [0, 9, 10], set()),
    ],
)
def test_only_what_adjoins_a_change_is_left_out(kinds: list[int], numbers: list[int], expected: set[int]) -> None:
    """Faint differences alone are told; beside a change, or frames of another picture, they are its traces."""
    assert faint_beside_changes([kinds, [SAME] * len(kinds)], numbers) == expected
