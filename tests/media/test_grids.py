"""Every cell of a frame's small picture is the mean of its own area, whatever the size of the frame."""

import pytest
from aura_vcs.formats.media.index_entry import GRID


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (854, 480), (426, 240), (66, 38), (64, 36), (32, 18)])
def test_a_cell_is_the_mean_of_its_area(size: tuple[int, int]) -> None:
    """Pixels on the border of two cells count for both in parts: a scaled film has the same in its cells."""
    av, np = pytest.importorskip("av"), pytest.importorskip("numpy")
    from aura_vcs.media.grids import FrameGrids

    pixels = np.random.default_rng(5).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(pixels, format="gray")
    frame.color_range = 2
    found = np.frombuffer(FrameGrids(frame).luma, np.uint8).reshape(GRID[1], GRID[0])

    def shares(count: int, cells: int):  # type: ignore[no-untyped-def]
        edges, at = np.arange(cells + 1) * count / cells, np.arange(count)[None]
        inside = np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at)
        return np.clip(inside, 0, None) * cells / count

    means = shares(size[1], GRID[1]) @ pixels @ shares(size[0], GRID[0]).T
    assert abs(found - means).max() < 0.51
