"""What differs in frames that belong together: brightness, colour and opacity, each a layer, some frames at a time.

So a comparison of long films takes little more memory than what the media index has of them.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from aura_vcs.compare.media.drift import SAME, kind_of_frame, noise_limit
from aura_vcs.compare.media.planes import (
    beyond,
    counts,
    differences,
    lessened,
    lowered,
    lowest,
    over,
    percentile,
    picked,
    shares,
    sums,
)
from aura_vcs.compare.media.regions import FULL, Region, back, busiest
from aura_vcs.formats.media.findings import Box
from aura_vcs.formats.media.index_entry import LUMA_BYTES

EXACT_SHARE = 0.985
"""Where so many cells of most frames are equal to the byte, the rest was not re-encoded: every difference counts."""
EXACT_LEVELS = 1
LEAST_LEVELS = 7
"""In another encoding, a cell that differs by no more than this is the same, however quiet the rest is."""
COLOUR_LEVELS = 10
"""Likewise for the cells of colour, which encoders treat with less care."""
CUT_OUT = 2
"""So many times as much where a part of the picture is compared, of which cells lie a little elsewhere."""
MOST_LEVELS = 26
"""A cell that differs by more than this differs, however noisy the rest is."""
NOISE_FRAMES = 60
"""Frames by which the noise between two encodings is measured."""
NOISE_SHARE = 0.96
CELLS = 3
"""So many cells of a frame differ where it does, in another encoding."""
PLACE_SHARE = 0.4
"""Where more of the picture differs by much, all of it is another one."""
BLOCK = 1_024
"""Frames that are compared at once."""


class Pictures(Struct, frozen=True):
    """A layer of two films: `width` bytes for each frame, in the cells of `grid`, once or several times."""

    grid: tuple[int, int]
    width: int
    old: bytes
    new: bytes
    cuts: frozenset[int] = frozenset()
    """Frames of the old film that a scene begins with."""
    is_colour: bool = False
    extent: Box = FULL
    """Where the grid lies in what is compared."""
    ranges: tuple[bytes, bytes] = (b"", b"")
    """By how much the cells around each differ, in both films, where cells may lie a little elsewhere in one."""

    @property
    def cells_across(self) -> tuple[float, float]:
        """How many cells there would be across and down all that is compared."""
        left, top, right, bottom = self.extent
        return self.grid[0] / (right - left), self.grid[1] / (bottom - top)

    @property
    def weight(self) -> float:
        """How many cells of brightness of a whole picture a cell is."""
        return LUMA_BYTES / (self.grid[0] * self.grid[1])


class FilmLayer(Struct):
    """What differs in a layer: in how many cells of each pair of frames, in cells of brightness."""

    pictures: Pictures
    sources: Sequence[int]
    numbers: Sequence[int]
    is_exact: bool
    limit: int
    marked: list[int]
    kinds: list[int] = []
    """How each frame differs, where most are equal to the byte."""
    plain: list[int] = []
    """In how many cells, by more than an encoder's noise, where most are equal to the byte."""
    strengths: list[int] = []
    """By how many levels in all, beyond that noise."""
    plain_limit: int = 0

    @classmethod
    def of(
        cls,
        pictures: Pictures,
        sources: Sequence[int],
        numbers: Sequence[int],
        *,
        is_anew: bool = False,
    ) -> "FilmLayer | None":
        """Compare frames `sources` of the old film with `numbers` of the new one; None if they are equal in every byte.

        Where most is equal to the byte, every difference counts, unless `is_anew` says that other layers are not. Else
        two encodings are compared: a cell is the same as long as it is near what it was in the frame, the one before
        or the one behind.
        """
        width = pictures.width
        found = cls(pictures, sources, numbers, True, EXACT_LEVELS, [])
        step = max(1, len(numbers) // NOISE_FRAMES)
        samples = []
        for n in range(0, len(numbers), step):
            old, new = sources[n] * width, numbers[n] * width
            apart = differences(pictures.old[old : old + width], pictures.new[new : new + width], width)
            samples.append(lessened(apart, found._slack(n, n + 1), width))
        equal = sorted(sample.count(0) for sample in samples)
        weight = pictures.weight
        least = COLOUR_LEVELS if pictures.is_colour else LEAST_LEVELS
        cells = 1 if pictures.is_colour else max(1, round(CELLS / weight))
        if not is_anew and equal[len(equal) // 2] >= EXACT_SHARE * width:
            found.kinds = found._kinds((least, MOST_LEVELS), cells)
            cells = 1
        else:
            noise = sorted(percentile(sample, NOISE_SHARE) for sample in samples)[len(samples) // 2]
            found.is_exact = False
            found.limit = min(MOST_LEVELS, max(least * (CUT_OUT if pictures.ranges[0] else 1), 3 * noise + 3))
        is_equal = True
        for first, last in _blocks(0, len(numbers)):
            mask = found.mask(first, last)
            is_equal = is_equal and mask is None
            numbered = counts(mask, width) if mask else [0] * (last - first)
            found.marked += [round(count * weight) if count >= cells else 0 for count in numbered]
        return None if is_equal else found

    def region(self, first: int, last: int, *, is_plain: bool = False) -> Region | None:
        """Return where frames `first` to `last` (not included) differ, in more than a few of them.

        With `is_plain`, only what is beyond an encoder's noise counts.
        """
        width, (wide, high) = self.pictures.width, self.pictures.grid
        totals = [0.0] * width
        for start, end in _blocks(first, last):
            mask = self.mask(start, end, is_plain=is_plain)
            if mask:
                frames, pairs = end - start, zip(totals, shares(mask, width), strict=True)
                totals = [total + share * frames for total, share in pairs]
        parts = [totals[at : at + wide * high] for at in range(0, width, wide * high)]
        cells = [max(several) / (last - first) for several in zip(*parts, strict=True)]
        found = busiest(cells, self.pictures.grid, is_exact=self.is_exact and not is_plain)
        return structs.replace(found, box=back(found.box, self.pictures.extent)) if found is not None else None

    def mask(self, first: int, last: int, *, is_plain: bool = False) -> bytes | None:
        """Return 255 for what differs in some frames, else 0; None if they are equal in every byte."""
        width = self.pictures.width
        if self.is_exact and not is_plain:
            old, new = self.picked(first, last)
            return over(differences(old, new, width), width, self.limit) if old != new else None
        start, end = max(0, first - 1), min(len(self.numbers), last + 1)
        old, new = self.picked(start, end)
        if old == new:
            return None
        apart = lessened(beyond(old, new, width, self._cuts(start, end)), self._slack(start, end), width)
        found = over(apart, width, self.plain_limit if is_plain else self.limit)
        return found[(first - start) * width : (last - start) * width]

    def picked(self, first: int, last: int) -> tuple[bytes, bytes]:
        """Return both sides of some frames."""
        width = self.pictures.width
        return (
            picked(self.pictures.old, width, self.sources[first:last]),
            picked(self.pictures.new, width, self.numbers[first:last]),
        )

    def _slack(self, first: int, last: int) -> bytes:
        """Return by how much cells of some frames may differ because they lie a little elsewhere; empty: by nothing."""
        width, (old, new) = self.pictures.width, self.pictures.ranges
        if not old:
            return b""
        return lowest(picked(old, width, self.sources[first:last]), picked(new, width, self.numbers[first:last]), width)

    def _cuts(self, first: int, last: int) -> list[int]:
        """Return which of some frames, counted from the first of them, are not like the one before in the old film."""
        places, cuts = self.sources[first:last], self.pictures.cuts
        return [n for n in range(1, len(places)) if places[n] != places[n - 1] + 1 or places[n] in cuts]

    def _kinds(self, limits: tuple[int, int], cells: int) -> list[int]:
        """Say how each frame differs; `limits` are the levels that always, and that never, are an encoder's."""
        width, count = self.pictures.width, len(self.numbers)
        noise, touched = [], []
        for first, last in _blocks(0, count):
            old, new = self.picked(first, last)
            if old == new:
                continue
            apart = differences(old, new, width)
            touched.append((first, last))
            for at in range(0, len(apart), width):
                if apart.count(0, at, at + width) < width:
                    noise.append(percentile(apart[at : at + width], NOISE_SHARE))
        kinds, self.plain, self.strengths = [SAME] * count, [0] * count, [0] * count
        if not noise:
            return kinds
        limit = self.plain_limit = noise_limit(noise, limits)
        weight = self.pictures.weight
        for first, last in touched:
            start, end = max(0, first - 1), min(count, last + 1)
            old, new = self.picked(start, end)
            apart = beyond(old, new, width, self._cuts(start, end))
            plain, strengths = counts(over(apart, width, limit), width), sums(lowered(apart, width, limit), width)
            whole, was, now = sums(differences(old, new, width), width), sums(old, width), sums(new, width)
            for n in range(first, last):
                at = n - start
                self.plain[n], self.strengths[n] = round(plain[at] * weight), round(strengths[at] * weight)
                kinds[n] = kind_of_frame(whole[at], now[at] - was[at], is_plain=plain[at] >= cells, width=width)
        return kinds


def place_of(pictures: Pictures, sources: Sequence[int], numbers: Sequence[int]) -> Box | None:
    """Return where frames differ by much, one by one; None where that is most of the picture, or nothing is."""
    found = FilmLayer(pictures, sources, numbers, False, MOST_LEVELS, []).region(0, len(numbers))
    return found.box if found is not None and found.cells <= PLACE_SHARE * pictures.width else None


def _blocks(first: int, last: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last, BLOCK):
        yield start, min(last, start + BLOCK)
