"""Whether content compresses, decided by sampling: zstd on video costs time and saves nothing."""

import threading

import zstandard

LEVEL = 3
SAMPLE_BYTES = 16 << 10
WORTH_IT = 0.9
"""Compressed to more than this share of its size, content is kept raw."""

_local = threading.local()


def compressor() -> zstandard.ZstdCompressor:
    """A compressor for this thread; contexts are expensive to make and not safe to share."""
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=True)
    found: zstandard.ZstdCompressor = _local.compressor
    return found


def decompressor() -> zstandard.ZstdDecompressor:
    """A decompressor for this thread."""
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor()
    found: zstandard.ZstdDecompressor = _local.decompressor
    return found


def is_compressible(data: bytes | memoryview) -> bool:
    """Whether samples from the beginning, middle and end of `data` compress enough to be worth it."""
    size = len(data)
    if size < 64:
        return False
    if size <= 3 * SAMPLE_BYTES:
        sample = bytes(data)
    else:
        middle = size // 2
        sample = b"".join(bytes(data[start : start + SAMPLE_BYTES]) for start in (0, middle, size - SAMPLE_BYTES))
    return len(compressor().compress(sample)) < WORTH_IT * len(sample)
