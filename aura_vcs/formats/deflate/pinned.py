"""Deflate exactly as zlib 1.2.11 to 1.3.1 writes it, by this program alone.

A stream that was taken apart must come back byte for byte on every machine and in every year, while what
is installed as "zlib" may be zlib-ng, Chromium's, Apple's or a later one, whose streams are as good and
different. So the algorithm is pinned here: its tables, its search for matches and where its blocks end
are part of the format of packs and **must never change**. It is slow (about 1 MB a second) and only needed
for the proof that a stream comes back, and where the installed library writes others.

After zlib's `deflate.c`, copyright 1995-2022 Jean-loup Gailly and Mark Adler, and altered:
deflate_fast and deflate_slow, all input at once, a window of 32 KiB, the default strategy. The notice is in `deflate`.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from aura_vcs.formats.deflate.blocks import BlockWriter

MIN_MATCH, MAX_MATCH = 3, 258
WINDOW_BYTES = 1 << 15
_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1
_FARTHEST = WINDOW_BYTES - _LOOKAHEAD
_TOO_FAR = 4096
"""A match of three bytes that is farther away than this is not worth it."""
_TIDY_BYTES = 8 * WINDOW_BYTES
"""So often what lies behind the window is forgotten."""
_BYTES_HASHED = 1 << 16
STEPS_PER_BYTE = 64
SPARE_STEPS = 1 << 20
"""So many places are looked at in search of matches, a byte and besides: text of projects needs one to four a byte."""


class _Effort(NamedTuple):
    """How hard a level looks: zlib's configuration table."""

    good: int
    lazy: int
    nice: int
    chain: int


_EFFORTS: Final = {
    1: _Effort(4, 4, 8, 4),
    2: _Effort(4, 5, 16, 8),
    3: _Effort(4, 6, 32, 32),
    4: _Effort(4, 4, 16, 16),
    5: _Effort(8, 16, 32, 32),
    6: _Effort(8, 16, 128, 128),
    7: _Effort(8, 32, 128, 256),
    8: _Effort(32, 128, 258, 1024),
    9: _Effort(32, 258, 258, 4096),
}
LEVELS: Final = frozenset(_EFFORTS)
FAST_LEVELS: Final = frozenset({1, 2, 3})
MEMORY_LEVELS: Final = frozenset(range(1, 10))


class TooMuchWork(ValueError):
    """Content made so that the search goes on and on; what is stored never is."""


def deflate(data: bytes, level: int, memory: int) -> Iterator[bytes]:
    """Yield the raw deflate stream that zlib writes of `data` at this level (1 to 9) and memLevel (1 to 9).

    Raises:
        TooMuchWork: the search looked at more than STEPS_PER_BYTES places a byte.
    """
    search = _Search(data, _EFFORTS[level], memory)
    return search.fast() if level in FAST_LEVELS else search.slow()


class _Search:
    """One pass over the data: where each match is looked for, and which one is taken."""

    def __init__(self, data: bytes, effort: _Effort, memory: int) -> None:
        self._data = data
        self._effort = effort
        self._hashes = _hashes(data, memory + 7)
        self._places: defaultdict[int, list[int]] = defaultdict(list)
        """Per hash the places that were entered, in their order."""
        self._blocks = BlockWriter(data, (1 << (memory + 6)) - 1)
        self._window = 0
        """Where the window begins: nothing at that very place is ever found."""
        self._tidied = 0
        self._steps = STEPS_PER_BYTE * len(data) + SPARE_STEPS

    def fast(self) -> Iterator[bytes]:
        """Take the first match that is found at each place: levels 1 to 3."""
        data, size, places, hashes = self._data, len(self._data), self._places, self._hashes
        at, most_entered, blocks = 0, self._effort.lazy, self._blocks
        while at < size:
            self._move_window(at)
            length = 0
            if size - at >= MIN_MATCH:
                found = places[hashes[at]]
                length, match = self._longest(at, found, MIN_MATCH - 1) if found else (0, 0)
                found.append(at)
            if length >= MIN_MATCH:
                blocks.add_match(at - match, length)
                if length <= most_entered and size - at - length >= MIN_MATCH:
                    self._enter(at + 1, at + length)
                at += length
            else:
                blocks.add_literal(data[at])
                at += 1
            if blocks.is_full:
                yield blocks.end_block(at, self._window)
        yield blocks.end_block(size, self._window, last=True)

    def slow(self) -> Iterator[bytes]:
        """Take a match only if there is no longer one at the next place: levels 4 to 9."""
        data, size, places, hashes = self._data, len(self._data), self._places, self._hashes
        at, length, match, is_waiting, blocks, lazy = 0, MIN_MATCH - 1, 0, False, self._blocks, self._effort.lazy
        while at < size:
            self._move_window(at)
            before, before_match, length = length, match, MIN_MATCH - 1
            if size - at >= MIN_MATCH:
                found = places[hashes[at]]
                if found and before < lazy:
                    length, match = self._longest(at, found, before)
                    if length == MIN_MATCH and at - match > _TOO_FAR:
                        length = MIN_MATCH - 1
                found.append(at)
            if before >= MIN_MATCH and length <= before:
                blocks.add_match(at - 1 - before_match, before)
                end = at - 1 + before
                self._enter(at + 1, end)
                at, length, is_waiting = end, MIN_MATCH - 1, False
                if blocks.is_full:
                    yield blocks.end_block(at, self._window)
                continue
            if is_waiting:
                blocks.add_literal(data[at - 1])
                if blocks.is_full:
                    yield blocks.end_block(at, self._window)
            is_waiting = True
            at += 1
        if is_waiting:
            blocks.add_literal(data[size - 1])
        yield blocks.end_block(size, self._window, last=True)

    def _enter(self, start: int, end: int) -> None:
        """Enter the places of a match, so that later ones find them."""
        places, hashes = self._places, self._hashes
        for place in range(start, min(end, len(hashes))):
            places[hashes[place]].append(place)

    def _longest(self, at: int, places: list[int], before: int) -> tuple[int, int]:
        """Find the longest match that is longer than `before`, the nearest of these; its length, and where it is.

        Without one, the length is not above `before`.
        """
        data, effort = self._data, self._effort
        most = min(MAX_MATCH, len(data) - at)
        nice = min(effort.nice, most)
        chain = effort.chain >> 2 if before >= effort.good else effort.chain
        nearest = places[-1]
        if before >= most or nearest == self._window or at - nearest > _FARTHEST:
            return MIN_MATCH - 1, 0
        looked_at = places[: -1 - chain : -1]
        bottom = max(at - _FARTHEST, self._window)
        if looked_at[-1] <= bottom:
            looked_at = places[max(bisect_left(places, bottom + 1), len(places) - chain) :][::-1] or [nearest]
        best, found = before, 0
        wanted, last = data[at : at + best + 1], data[at + best]
        for place in looked_at:
            if data[place + best] == last and data.startswith(wanted, place):
                best, found = _common(data, place, at, best + 1, most), place
                if best >= nice:
                    break
                wanted, last = data[at : at + best + 1], data[at + best]
        self._steps -= looked_at.index(found) + 1 if best >= nice else len(looked_at)
        if self._steps < 0:
            raise TooMuchWork("a stream takes too much work to write again")
        return (best, found) if best > before else (MIN_MATCH - 1, 0)

    def _move_window(self, at: int) -> None:
        """Move the window on where zlib does."""
        end = min(len(self._data), self._window + 2 * WINDOW_BYTES)
        if end - at < _LOOKAHEAD and at - self._window >= WINDOW_BYTES + _FARTHEST:
            self._window += WINDOW_BYTES
            if self._window - self._tidied >= _TIDY_BYTES:
                self._tidied = self._window
                for places in self._places.values():
                    del places[: bisect_left(places, self._window)]


def _common(data: bytes, first: int, second: int, known: int, most: int) -> int:
    """Return how many bytes are alike at two places, `most` at most; `known` are."""
    one, other = data[first + known : first + most], data[second + known : second + most]
    if one == other:
        return most
    different = int.from_bytes(one, "little") ^ int.from_bytes(other, "little")
    return known + ((different & -different).bit_length() - 1) // 8


def _hashes(data: bytes, count: int) -> "array[int]":
    """Return the hash, in `count` bits, of the three bytes at each place."""
    shift, mask = (count + MIN_MATCH - 1) // MIN_MATCH, (1 << count) - 1
    twice = 2 * shift
    found = array("H")
    for start in range(0, len(data) - 2, _BYTES_HASHED):
        end = min(start + _BYTES_HASHED, len(data) - 2)
        triples = zip(data[start:end], data[start + 1 : end + 1], data[start + 2 : end + 2], strict=True)
        found.extend([(a << twice ^ b << shift ^ c) & mask for a, b, c in triples])
    return found
