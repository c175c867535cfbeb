"""The cells that a film and a part of it have in common: as exact as the part is known."""

import pytest
from aura_vcs.compare.media.regions import FULL
from aura_vcs.formats.media.findings import Box
from aura_vcs.formats.media.index_entry import GRID


def _plane(part: Box, around: Box = FULL) -> bytes:
    """Average a smooth picture of which a part is shown, in a part of the frame; around that it is black."""
    np = pytest.importorskip("numpy")
    fine = 20
    size = GRID[0] * fine, GRID[1] * fine
    across, down = ((np.arange(count) + 0.5) / count for count in size)
    inside = [
        (at - low) / (high - low) for at, low, high in ((across, around[0], around[2]), (down, around[1], around[3]))
    ]
    x, y = (low + share * (high - low) for share, low, high in zip(inside, part[:2], part[2:], strict=True))
    shown = 120 + 60 * np.sin(9 * x)[None] * np.cos(7 * y)[:, None] + 40 * np.sin(25 * x)[None]
    seen = [(share >= 0) & (share <= 1) for share in inside]
    shown = np.where(seen[1][:, None] & seen[0][None], shown, 0)
    cells = shown.reshape(GRID[1], fine, GRID[0], fine).mean((1, 3))
    found: bytes = np.rint(cells).astype(np.uint8).tobytes()
    return found


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(
    ("part", "inside", "has_bars", "most"),
    [
        ((0.117, 0.083, 0.871, 0.94), FULL, False, 2),
        ((0.3, 0.25, 0.75, 0.7), FULL, False, 2),
        (FULL, (0.0, 0.131, 1.0, 0.869), True, 3),
        ((0.07, 0.0, 0.93, 1.0), (0.0, 0.11, 1.0, 0.89), True, 3),
    ],
)
def test_both_have_the_same_in_common_cells(part: Box, inside: Box, has_bars: bool, most: int, is_turned: bool) -> None:
    """Within two levels or three, whichever version shows the part, and at bars too."""
    np = pytest.importorskip("numpy")
    from aura_vcs.compare.media.shared_cells import shared_cells

    planes, parts = (_plane(FULL), _plane(part, inside)), (part, inside)
    if is_turned:
        planes, parts = (planes[1], planes[0]), (parts[1], parts[0])
    found = shared_cells(planes, GRID, parts, has_bars=has_bars)
    assert found is not None
    old, new = (np.frombuffer(plane, np.uint8).astype(int) for plane in (found.old, found.new))
    assert len(old) == len(new) == found.grid[0] * found.grid[1]
    assert abs(old - new).max() <= most
    assert found.grid[0] >= GRID[0] * (part[2] - part[0]) * (inside[2] - inside[0]) - 2
    left, top, right, bottom = found.extent
    assert min(left, top) > -0.02
    assert max(right, bottom) < 1.02
    assert (right - left) * (bottom - top) > 0.85


def test_a_sliver_has_no_common_cells() -> None:
    """There is nothing to compare by then."""
    pytest.importorskip("numpy")
    from aura_vcs.compare.media.shared_cells import shared_cells

    plane = bytes(GRID[0] * GRID[1])
    assert shared_cells((plane, plane), GRID, ((0.0, 0.0, 0.02, 1.0), FULL), has_bars=False) is None
