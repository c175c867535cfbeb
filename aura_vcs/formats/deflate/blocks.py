"""Writing the blocks of a deflate stream, each in the form in which zlib writes it; see `pinned`."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from aura_vcs.formats.deflate.trees import (
    DISTANCE_EXTRA,
    DISTANCES,
    END_BLOCK,
    FIXED_DISTANCES,
    FIXED_LITERALS,
    LITERAL_EXTRA,
    LITERALS,
    bits,
    code_lengths,
    codes,
    distance_codes,
    encoded_lengths,
    first_distances,
    length_codes,
)

_STORED, _FIXED, _OWN = 0, 1, 2


class BlockWriter:
    """Gathers literals and matches, at most `most` in a block, and writes them."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data = data
        self._most = most
        self._lengths: list[int] = []
        """Of each match its length less 3; of a literal -1 less its byte."""
        self._distances: list[int] = []
        """Of each match its distance less 1."""
        self._start = 0
        self._bits = ""
        """Fewer than eight, which wait for the next block."""

    @property
    def is_full(self) -> bool:
        """Whether the block ends here."""
        return len(self._lengths) >= self._most

    def add_literal(self, byte: int) -> None:
        """Add a byte as it is."""
        self._lengths.append(-1 - byte)

    def add_match(self, distance: int, length: int) -> None:
        """Add bytes that were there before."""
        self._lengths.append(length - 3)
        self._distances.append(distance - 1)

    def end_block(self, end: int, window: int, *, last: bool = False) -> bytes:
        """Write the block, which reaches up to `end` in the data; returns the bytes that are complete.

        A block that began before `window` cannot be stored as it is any more.
        """
        literals, distances = self._counts()
        literal_lengths, distance_lengths = code_lengths(literals), code_lengths(distances)
        lengths = encoded_lengths(literal_lengths, distance_lengths)
        own = (_cost(literals, literal_lengths, distances, distance_lengths) + len(lengths) + 3 + 7) >> 3
        fixed = (_cost(literals, FIXED_LITERALS, distances, FIXED_DISTANCES) + 3 + 7) >> 3
        stored = self._data[self._start : end]
        if len(stored) + 4 <= min(own, fixed) and self._start >= window:
            written = self._written_stored(stored, last=last)
        elif fixed <= own:
            written = self._bits + bits(last | _FIXED << 1, 3) + self._body(FIXED_LITERALS, FIXED_DISTANCES)
        else:
            written = self._bits + bits(last | _OWN << 1, 3) + lengths + self._body(literal_lengths, distance_lengths)
        self._lengths.clear()
        self._distances.clear()
        self._start = end
        whole = len(written) if last else len(written) // 8 * 8
        self._bits = written[whole:]
        return int(written[:whole][::-1] or "0", 2).to_bytes((whole + 7) // 8, "little")

    def _counts(self) -> tuple[list[int], list[int]]:
        """Count how often each code is used."""
        literals, distances = [0] * LITERALS, [0] * DISTANCES
        by_length, literals[END_BLOCK] = length_codes(), 1
        for value, count in Counter(self._lengths).items():
            literals[-1 - value if value < 0 else by_length[value][0]] += count
        by_distance = distance_codes()
        for value, count in Counter(self._distances).items():
            distances[by_distance[value]] += count
        return literals, distances

    def _written_stored(self, stored: bytes, *, last: bool) -> str:
        head = self._bits + bits(int(last), 3)
        head += "0" * (-len(head) % 8)
        size = len(stored)
        return head + bits(size, 16) + bits(size ^ 0xFFFF, 16) + bits(int.from_bytes(stored, "little"), 8 * size)

    def _body(self, literal_lengths: Sequence[int], distance_lengths: Sequence[int]) -> str:
        """Return the bits of all literals and matches, and of the block's end."""
        literal, distance = codes(literal_lengths), codes(distance_lengths)
        lengths = [literal[code] + extra for code, extra in length_codes()]
        by_distance, first = distance_codes(), first_distances()
        written: list[str] = []
        distances = iter(self._distances)
        for value in self._lengths:
            if value < 0:
                written.append(literal[-1 - value])
                continue
            written.append(lengths[value])
            back = next(distances)
            code = by_distance[back]
            written += (distance[code], bits(back - first[code], DISTANCE_EXTRA[code]))
        written.append(literal[END_BLOCK])
        return "".join(written)


def _cost(
    literals: Sequence[int], literal_lengths: Sequence[int], distances: Sequence[int], distance_lengths: Sequence[int]
) -> int:
    """Return the bits that all literals and matches take, with what follows their codes."""
    by_literal = zip(literals, literal_lengths, LITERAL_EXTRA, strict=False)
    by_distance = zip(distances, distance_lengths, DISTANCE_EXTRA, strict=True)
    return sum(count * (size + extra) for count, size, extra in chain(by_literal, by_distance))
