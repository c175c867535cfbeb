"""How a file is read does not decide where it is cut."""

import random

import pytest
from aura_vcs.objects.chunking import AVERAGE_BYTES, MAXIMUM_BYTES, MINIMUM_BYTES, Cutter
from pyfastcdc import FastCDC

DATA = random.Random("feeding").randbytes(3 << 20) + bytes(1 << 20) + random.Random("end").randbytes(700_001)


@pytest.mark.parametrize("seed", range(6))
def test_chunks_are_those_of_the_whole(seed):
    """Fed in pieces of any size, the chunks are those of the whole file, and hold all of it."""
    choices = random.Random(seed)
    cutter, chunks, start = Cutter(), [], 0
    while start < len(DATA):
        size = choices.choice((1, 100, MINIMUM_BYTES, 70_000, MAXIMUM_BYTES, MAXIMUM_BYTES + 1, 1 << 20))
        chunks += cutter.feed(DATA[start : start + size])
        start += size
    chunks += cutter.finish()
    whole = FastCDC(avg_size=AVERAGE_BYTES, min_size=MINIMUM_BYTES, max_size=MAXIMUM_BYTES).cut_buf(DATA)
    assert [len(chunk) for chunk in chunks] == [chunk.length for chunk in whole]
    assert b"".join(chunks) == DATA
