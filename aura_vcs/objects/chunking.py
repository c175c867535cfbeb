"""Cutting large files where their content says so (FastCDC, by pyfastcdc).

Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage
Systems", IEEE TPDS 2020. Bytes inserted anywhere move only the boundaries near them, so the
rest of a file is found again. Boundaries are no part of any identity: they may change with a
later aura_vcs, and what was stored before stays readable. docs/decisions/ has the measurements
behind the sizes.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence

from aura_vcs.errors.integrity import ObjectMalformed
from aura_vcs.ids import Bytes, ObjectId

LARGE_BYTES = 1 << 20
"""Files from this size on are cut."""
AVERAGE_BYTES = 64 << 10
MINIMUM_BYTES = 16 << 10
MAXIMUM_BYTES = 256 << 10

_ITEM = struct.Struct("<32sI")


class Cutter:
    """Cuts a stream that is fed to it piece by piece."""

    def __init__(self) -> None:
        from pyfastcdc import FastCDC  # slow to import, and only large files are cut

        self._cdc = FastCDC(avg_size=AVERAGE_BYTES, min_size=MINIMUM_BYTES, max_size=MAXIMUM_BYTES)
        self._rest: bytes | memoryview = b""

    def feed(self, block: Bytes) -> list[memoryview]:
        """Return the chunks that are complete now; what may still grow waits for the next call."""
        data = memoryview(block)
        chunks: list[memoryview] = []
        if len(self._rest):
            if len(block) < MAXIMUM_BYTES:
                data = memoryview(b"".join((self._rest, block)))
            else:
                data = self._complete_rest(data, chunks)
        start = 0
        for length in [chunk.length for chunk in self._cdc.cut_buf(data)][:-1]:
            chunks.append(data[start : start + length])
            start += length
        self._rest = data[start:]
        return chunks

    def _complete_rest(self, block: memoryview, chunks: list[memoryview]) -> memoryview:
        """Cut the chunk that began before the block; only what it can extend into is joined to the rest."""
        near = memoryview(b"".join((self._rest, block[:MAXIMUM_BYTES])))
        length = next(iter(self._cdc.cut_buf(near))).length
        chunks.append(near[:length])
        reached = length - len(self._rest)
        return block[reached:] if reached >= 0 else memoryview(b"".join((near[length:], block[MAXIMUM_BYTES:])))

    def finish(self) -> list[memoryview]:
        """Return the last chunk, if any."""
        return [memoryview(self._rest)] if len(self._rest) else []


Stretches = Sequence[tuple[int, int]]
"""Where in a file something lies: beginnings and ends in bytes, in their order."""


def cutter_for(stretches: Stretches) -> "Cutter | StretchCutter":
    """Return a cutter for a file in which these are chunks of their own."""
    return StretchCutter(stretches) if stretches else Cutter()


class StretchCutter:
    """Cuts a stream so that some stretches of it, which do not overlap, are chunks of their own.

    What lies between two of them is cut by itself. A stretch is held in memory until it is complete.
    """

    def __init__(self, stretches: Sequence[tuple[int, int]]) -> None:
        self._stretches = list(reversed(stretches))
        self._at = 0
        self._held: list[memoryview] = []
        self._between = Cutter()

    def feed(self, block: bytes) -> list[memoryview]:
        """Return the chunks that are complete now, as `Cutter.feed`."""
        data, chunks = memoryview(block), list[memoryview]()
        while data:
            start, end = self._stretches[-1] if self._stretches else (self._at + len(data), 0)
            is_inside = start <= self._at
            piece = data[: (end if is_inside else start) - self._at]
            data = data[len(piece) :]
            self._at += len(piece)
            if is_inside:
                self._held.append(piece)
                if self._at == end:
                    chunks += self._held_chunk()
                    self._stretches.pop()
            else:
                chunks += self._between.feed(piece)
                if self._at == start and self._stretches:
                    chunks += self._between.finish()
                    self._between = Cutter()
        return chunks

    def finish(self) -> list[memoryview]:
        """Return the last chunk, if any; of a stretch that ends too early, what there is of it."""
        return [*self._between.finish(), *self._held_chunk()]

    def _held_chunk(self) -> list[memoryview]:
        held, self._held = self._held, []
        return [memoryview(b"".join(held))] if held else []


def cut(data: bytes) -> list[memoryview]:
    """Cut content that is in memory."""
    cutter = Cutter()
    return [*cutter.feed(data), *cutter.finish()]


def encode_chunk_list(chunks: Iterable[tuple[ObjectId, int]]) -> bytes:
    """Encode the list of a blob's chunks as packs store it: id and length of each."""
    return b"".join([_ITEM.pack(bytes.fromhex(chunk), length) for chunk, length in chunks])


def decode_chunk_list(data: bytes, object_id: ObjectId) -> Iterator[tuple[ObjectId, int]]:
    """Yield ids and lengths of a blob's chunks.

    Raises:
        ObjectMalformed: the list is cut off or claims an impossible chunk.
    """
    if len(data) % _ITEM.size:
        raise ObjectMalformed("The chunk list of", object_id, "it is cut off")
    for digest, length in _ITEM.iter_unpack(data):
        yield ObjectId(digest.hex()), length
