"""Whether a film was graded: brighter, darker, flatter or paler throughout, by more than encoders do.

A cell of two encodings is a little brighter here and darker there; the mean over cells that were as bright is nearly
the same. So that is compared: for some ranges of brightness and colour, in frames that are spread over the film.
"""

from collections.abc import Sequence

from aura_vcs.compare.media.layers import FilmLayer

FRAMES = 24
"""Frames that are looked at."""
RANGES = 8
LEAST_SHARE = 1 / 16
"""A range with fewer of a frame's cells says nothing."""
LEAST_LEVELS = 2.5
"""By so many levels the mean of a range differs in a film that was graded."""


def is_graded(layers: Sequence[FilmLayer], rough: int = 1) -> bool:
    """Tell whether brightness or colour differs throughout the film, in all of the picture or in its dark or light.

    It must differ by `rough` times as much where edges fall on other cells, and dark and light take of each other.
    """
    least = LEAST_LEVELS * rough
    return any(_is_graded(layer, least) for layer in layers if not layer.is_exact)


def _is_graded(layer: FilmLayer, least: float) -> bool:
    """Compare the means of each range of levels in most of the frames."""
    width, (wide, high) = layer.pictures.width, layer.pictures.grid
    cells = wide * high
    shifts: list[list[float]] = [[] for _ in range(RANGES * (width // cells))]
    numbers = range(0, len(layer.numbers), max(1, len(layer.numbers) // FRAMES))
    for n in numbers:
        old, new = layer.picked(n, n + 1)
        for part in range(width // cells):
            sums, counts = [0] * RANGES, [0] * RANGES
            at = part * cells
            for was, now in zip(old[at : at + cells], new[at : at + cells], strict=True):
                sums[was * RANGES // 256] += now - was
                counts[was * RANGES // 256] += 1
            for level, (total, count) in enumerate(zip(sums, counts, strict=True)):
                if count >= LEAST_SHARE * cells:
                    shifts[part * RANGES + level].append(total / count)
    return any(len(found) > len(numbers) / 2 and abs(sorted(found)[len(found) // 2]) >= least for found in shifts)
