"""The code lengths and codes of a deflate block (RFC 1951), chosen as zlib chooses them.

After zlib's `trees.c`, copyright 1995-2022 Jean-loup Gailly, and altered. The notice is in `deflate`. What is
decided here is part of the format of packs and never changes: see `pinned`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

END_BLOCK: Final = 256
LITERALS: Final = 286
DISTANCES: Final = 30
MAX_BITS: Final = 15
_MAX_LENGTH_BITS = 7
_LENGTH_EXTRA: Final = (*(0,) * 8, *(1,) * 4, *(2,) * 4, *(3,) * 4, *(4,) * 4, *(5,) * 4, 0)
_DISTANCE_EXTRA: Final = tuple(max(0, code // 2 - 1) for code in range(DISTANCES))
LITERAL_EXTRA: Final = (0,) * (END_BLOCK + 1) + _LENGTH_EXTRA
"""How many bits follow each code of literals and lengths."""
DISTANCE_EXTRA: Final = _DISTANCE_EXTRA
LENGTHS_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
FIXED_LITERALS: Final = (*(8,) * 144, *(9,) * 112, *(7,) * 24, *(8,) * 8)
FIXED_DISTANCES: Final = (5,) * DISTANCES
_REPEAT, _ZEROS, _MANY_ZEROS = 16, 17, 18


def bits(value: int, count: int) -> str:
    """Write a number in `count` bits, the lowest first, as they come in the stream."""
    return f"{value:0{count}b}"[::-1] if count else ""


@cache
def length_codes() -> tuple[tuple[int, str], ...]:
    """Map a match's length, less 3, to its code and the bits that follow it."""
    found = [
        (END_BLOCK + 1 + code, bits(rest, extra))
        for code, extra in enumerate(_LENGTH_EXTRA[:-1])
        for rest in range(1 << extra)
    ]
    return (*found[:255], (LITERALS - 1, ""))


@cache
def distance_codes() -> tuple[int, ...]:
    """Map a match's distance, less 1, to its code."""
    return tuple(code for code, extra in enumerate(_DISTANCE_EXTRA) for _ in range(1 << extra))


@cache
def first_distances() -> tuple[int, ...]:
    """Return the smallest distance, less 1, of each code."""
    return tuple(sum(1 << extra for extra in _DISTANCE_EXTRA[:code]) for code in range(DISTANCES))


def code_lengths(counts: Sequence[int], most: int = MAX_BITS) -> list[int]:
    """Return how many bits each code has, by how often it is used; none has more than `most`, unused ones have 0.

    At least two have some. Of codes that are used equally often, which is longer depends on where zlib's heap
    happens to have them: this goes through the same steps.
    """
    frequency = list(counts)
    heap = _Heap(frequency)
    highest = max(heap.nodes, default=-1)
    while len(heap.nodes) < 2:
        highest, forced = (highest + 1, highest + 1) if highest < 2 else (highest, 0)
        frequency[forced] = 1
        heap.nodes.append(forced)
    parents, order = heap.merge()
    return _limited(parents, order, len(counts), most)


class _Heap:
    """The heap in which zlib merges the rarest nodes: by frequency, then depth; ties lie as its steps leave them."""

    def __init__(self, frequency: list[int]) -> None:
        self._frequency = frequency
        self._depth = [0] * len(frequency)
        self.nodes = [code for code, count in enumerate(frequency) if count]

    def merge(self) -> tuple[dict[int, int], list[int]]:
        """Merge all nodes to one; returns each node's parent, and the nodes in the order of their removal."""
        nodes, parents, order = self.nodes, dict[int, int](), list[int]()
        for at in range(len(nodes) // 2 - 1, -1, -1):
            self._sink(at)
        while len(nodes) >= 2:
            least = nodes[0]
            nodes[0] = nodes[-1]
            nodes.pop()
            self._sink(0)
            second = nodes[0]
            order += (least, second)
            merged = len(self._frequency)
            self._frequency.append(self._frequency[least] + self._frequency[second])
            self._depth.append(max(self._depth[least], self._depth[second]) + 1)
            parents[least] = parents[second] = merged
            nodes[0] = merged
            self._sink(0)
        return parents, order

    def _sink(self, at: int) -> None:
        nodes, frequency, depth = self.nodes, self._frequency, self._depth
        moved, size = nodes[at], len(nodes)
        key = frequency[moved], depth[moved]
        while (child := 2 * at + 1) < size:
            chosen = nodes[child]
            if child + 1 < size:
                other = nodes[child + 1]
                if (frequency[other], depth[other]) <= (frequency[chosen], depth[chosen]):
                    child, chosen = child + 1, other
            if key <= (frequency[chosen], depth[chosen]):
                break
            nodes[at] = chosen
            at = child
        nodes[at] = moved


def _limited(parents: dict[int, int], order: Sequence[int], size: int, most: int) -> list[int]:
    """Return the codes' lengths in the tree, shortened where they are longer than `most`."""
    length = {max(parents.values()): 0}
    per_length, overflow = [0] * (most + 1), 0
    for node in reversed(order):
        count = length[parents[node]] + 1
        if count > most:
            count, overflow = most, overflow + 1
        length[node] = count
        if node < size:
            per_length[count] += 1
    while overflow > 0:
        count = most - 1
        while not per_length[count]:
            count -= 1
        per_length[count] -= 1
        per_length[count + 1] += 2
        per_length[most] -= 1
        overflow -= 2
        if overflow <= 0:
            leaves = iter([node for node in order if node < size])
            for count in range(most, 0, -1):
                for _ in range(per_length[count]):
                    length[next(leaves)] = count
    return [length.get(code, 0) for code in range(size)]


def codes(lengths: Sequence[int]) -> list[str]:
    """Return the bits of each code, as they come in the stream."""
    per_length = [0] * (MAX_BITS + 1)
    for count in lengths:
        per_length[count] += 1
    per_length[0], following, code = 0, [0] * (MAX_BITS + 1), 0
    for count in range(1, MAX_BITS + 1):
        code = (code + per_length[count - 1]) << 1
        following[count] = code
    found = []
    for count in lengths:
        found.append(f"{following[count]:0{count}b}" if count else "")
        following[count] += 1
    return found


def runs(lengths: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Yield the codes, with the bits that follow each, by which a block says the lengths of its codes."""
    before, count = -1, 0
    least, most = (3, 138) if not lengths[0] else (4, 7)
    for current, following in zip(lengths, (*lengths[1:], -1), strict=True):
        count += 1
        if count < most and current == following:
            continue
        if count < least:
            yield from ((current, ""),) * count
        elif current:
            if current != before:
                yield current, ""
                count -= 1
            yield _REPEAT, bits(count - 3, 2)
        elif count <= 10:
            yield _ZEROS, bits(count - 3, 3)
        else:
            yield _MANY_ZEROS, bits(count - 11, 7)
        count, before = 0, current
        least, most = (3, 138) if not following else (3, 6) if current == following else (4, 7)


def encoded_lengths(literals: Sequence[int], distances: Sequence[int]) -> str:
    """Return the bits by which a block says the lengths of its codes, all that is behind its three first ones."""
    literal_count = max(code for code, count in enumerate(literals) if count) + 1
    distance_count = max(code for code, count in enumerate(distances) if count) + 1
    lengths_of_codes = [*runs(literals[:literal_count]), *runs(distances[:distance_count])]
    counts = [0] * len(LENGTHS_ORDER)
    for code, _ in lengths_of_codes:
        counts[code] += 1
    lengths = code_lengths(counts, _MAX_LENGTH_BITS)
    sent = max((at for at, code in enumerate(LENGTHS_ORDER) if lengths[code]), default=0)
    sent = max(sent, 3) + 1
    written = codes(lengths)
    head = bits(literal_count - 257, 5) + bits(distance_count - 1, 5) + bits(sent - 4, 4)
    head += "".join(bits(lengths[code], 3) for code in LENGTHS_ORDER[:sent])
    return head + "".join(written[code] + extra for code, extra in lengths_of_codes)
