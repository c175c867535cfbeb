"""zstd (RFC 8878), with limits; and the frames of packs that were used last."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, BinaryIO, Literal

from aura_vcs.ids import Bytes

if TYPE_CHECKING:
    import zstandard


LEVEL = 3
THOROUGH_LEVEL = 12
"""For what is written once and read often."""
LEAST_WINDOW, LARGEST_WINDOW = 10, 29
"""Binary logarithms of how far back a match may lie."""
SAMPLE_BYTES = 16 << 10
WORTH_IT = 0.9
"""Compressed to more than this share of its size, content is kept raw."""
HARD = 0.5
"""What compresses to less than this needs no help."""
CLEARLY = 0.93
SHORT_BYTES = 64
READ_BYTES = 1 << 20
HEAD_BYTES = 18
"""So many bytes the head of a zstd frame has at most."""
Way = Literal["raw", "plain", "shuffled"]

_local = threading.local()


class NotDecodable(ValueError):
    """The bytes are no zstd frame of the length they should have."""


def import_library() -> None:
    """Have the library at hand before a copy of this process needs it too."""
    import zstandard  # noqa: F401


def compress(data: bytes, level: int = LEVEL) -> bytes:
    """Compress bytes to one frame that knows its length."""
    return _compressor(level).compress(data)


def compress_long(data: bytes, level: int = THOROUGH_LEVEL) -> bytes:
    """Compress bytes to one frame in which what is alike is found however far apart it lies, up to 512 MiB."""
    import zstandard

    window = min(max(len(data).bit_length(), LEAST_WINDOW), LARGEST_WINDOW)
    wanted = zstandard.ZstdCompressionParameters.from_level(level, source_size=len(data), window_log=window)
    return zstandard.ZstdCompressor(compression_params=wanted).compress(data)


def decompress(data: bytes, *, length: int | None = None, limit: int) -> bytes:
    """Decompress one frame, never more than `limit`: a bomb is refused before it is unpacked.

    Raises:
        NotDecodable: damaged, larger than `limit`, or not of `length` bytes.
    """
    import zstandard

    try:
        size = zstandard.frame_content_size(data)
        if size < 0 or size > limit or (length is not None and size != length):
            raise NotDecodable(f"its length is {size}, not {'at most ' if length is None else ''}{length or limit}")
        decompressor = getattr(_local, "decompressor", None) or _decompressor()
        return decompressor.decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise NotDecodable(str(error)) from error


def declared_length(file: BinaryIO) -> int | None:
    """Return how long a compressed file says that it is, None if it says nothing; it stands at its beginning after."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    length = _said_length(head)
    return length if length >= 0 else None


def content_length(head: bytes) -> int:
    """Return how many bytes a frame says that it holds, by its first HEAD_BYTES; 0 if it says nothing."""
    return max(0, _said_length(head))


def _said_length(head: bytes) -> int:
    import zstandard

    try:
        return zstandard.frame_content_size(head)
    except zstandard.ZstdError:
        return -1


def open_compressed(file: BinaryIO) -> BinaryIO:
    """Open the decoded bytes of a file as a stream, which closes the file."""
    import zstandard

    return zstandard.ZstdDecompressor().stream_reader(file, read_size=READ_BYTES, closefd=True)


def read_decoded(file: BinaryIO) -> bytes:
    """Read the next piece of a stream that may come from `open_compressed`.

    Raises:
        NotDecodable: it is damaged.
    """
    try:
        return file.read(READ_BYTES)
    except OSError:
        raise
    except Exception as error:
        if type(error).__name__ == "ZstdError":  # known by name: raw streams need no zstd library
            raise NotDecodable(str(error)) from error
        raise


def shuffled(data: Bytes) -> bytes:
    """Shuffle bytes: those at even places first, then those at odd ones.

    In 16-bit sound the high bytes change little from sample to sample: side by side they compress
    (docs/decisions/pcm-compression.md).
    """
    return bytes(data[0::2]) + bytes(data[1::2])


def unshuffled(data: bytes) -> bytes:
    """Undo `shuffled`."""
    even = (len(data) + 1) // 2
    whole = bytearray(len(data))
    whole[0::2], whole[1::2] = data[:even], data[even:]
    return bytes(whole)


def is_compressible(data: Bytes) -> bool:
    """Tell whether samples from the beginning, middle and end of `data` compress enough to be worth it."""
    return _share(_sample(data)) < WORTH_IT


def way_to_keep(data: Bytes) -> Way:
    """Choose by samples how `data` takes clearly less room."""
    sample = _sample(data)
    share = _share(sample)
    if share > HARD and _share(shuffled(sample)) < min(WORTH_IT, CLEARLY * share):
        return "shuffled"
    return "plain" if share < WORTH_IT else "raw"


def _sample(data: Bytes) -> bytes:
    """Take pieces of `data`, from even places."""
    size = len(data)
    if size <= 3 * SAMPLE_BYTES:
        return bytes(data)
    starts = (0, size // 4 * 2, (size - SAMPLE_BYTES) // 2 * 2)
    return b"".join([bytes(data[start : start + SAMPLE_BYTES]) for start in starts])


def _share(sample: bytes) -> float:
    """Return how much of the sample is left when it is compressed quickly; 1 for short ones: not worth it."""
    return len(compress(sample, 1)) / len(sample) if len(sample) >= SHORT_BYTES else 1.0


def _compressor(level: int) -> "zstandard.ZstdCompressor":
    """Return a compressor for this thread and level; contexts are expensive to make and not safe to share."""
    import zstandard

    if not hasattr(_local, "compressors"):
        _local.compressors = {}
    known: dict[int, zstandard.ZstdCompressor] = _local.compressors
    if level not in known:
        known[level] = zstandard.ZstdCompressor(level=level, write_checksum=False, write_content_size=True)
    return known[level]


def _decompressor() -> "zstandard.ZstdDecompressor":
    """Make this thread's decompressor."""
    import zstandard

    found = _local.decompressor = zstandard.ZstdDecompressor()
    return found


class FrameCache:
    """Keeps at most `limit` bytes of frames, by pack and number; the newest is kept however large it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0

    def get(self, pack: str, number: int) -> bytes | None:
        """Return the frame, if it is in the cache."""
        data = self._frames.get((pack, number))
        if data is not None:
            self._frames.move_to_end((pack, number))
        return data

    def put(self, pack: str, number: int, data: bytes) -> bytes:
        """Keep these bytes, and return them; what was used longest ago makes way."""
        self._bytes += len(data) - len(self._frames.pop((pack, number), b""))
        self._frames[pack, number] = data
        while self._bytes > self._limit and len(self._frames) > 1:
            self._bytes -= len(self._frames.popitem(last=False)[1])
        return data

    def forget(self, pack: str) -> None:
        """Keep nothing of the pack."""
        for key in [key for key in self._frames if key[0] == pack]:
            self._bytes -= len(self._frames.pop(key))

    def clear(self) -> None:
        """Keep nothing."""
        self._frames.clear()
        self._bytes = 0
