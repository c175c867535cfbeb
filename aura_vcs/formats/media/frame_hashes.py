"""The 64 bits that stay alike when a frame is re-encoded: which of two cells above each other is brighter."""

from aura_vcs.formats.media.index_entry import GRID


def frame_hashes(luma: bytes) -> list[int]:
    """Return the hash of every frame, of the small pictures of their brightness."""
    import numpy as np

    cells = np.frombuffer(luma, np.uint8).reshape(-1, 9, 4, 8, GRID[0] // 8).mean((2, 4))
    bits = (cells[:, :-1] > cells[:, 1:]).reshape(-1, 64)
    return [int.from_bytes(row.tobytes(), "big") for row in np.packbits(bits, axis=1)]
