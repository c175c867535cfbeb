"""What is measured on: the same bytes on every machine, from seeds.

Media does not compress and does not repeat; documents do both, as real ones do.
"""

import json
import os
import random
import struct
from collections.abc import Iterator

from blake3 import blake3

BLOCK_BYTES = 4 << 20
POOL_BYTES = 16 << 20
WORD_TEXT = (
    "scene voice planet orbit light slow camera narration music caption picture render timeline opening closing "
    "warm calm playful audience topic goal tone language pace style number unit metre kilometre hour dust ring "
    "moon star storm cloud shadow colour bright dark near far left right first second third between under above"
)
WORDS = tuple(WORD_TEXT.split(" "))


def media_blocks(size: int, seed: str) -> Iterator[bytes]:
    """`size` bytes that neither compress nor repeat.

    Two windows of one pool of random bytes, at places from the seed, joined by exclusive or: as
    quick as the disk, where a generator for every byte would not be.
    """
    pool = blake3(b"aura bench media").digest(length=POOL_BYTES)
    places = random.Random(seed)
    last = POOL_BYTES - BLOCK_BYTES
    while size > 0:
        count = min(size, BLOCK_BYTES)
        first, second = (places.randrange(last) for _ in range(2))
        one = int.from_bytes(pool[first : first + count], "little")
        other = int.from_bytes(pool[second : second + count], "little")
        yield (one ^ other).to_bytes(count, "little")
        size -= count


def write_media(path: str, size: int, seed: str) -> None:
    """A file of media."""
    with open(path, "wb") as file:
        for block in media_blocks(size, seed):
            file.write(block)


def write_small_files(folder: str, count: int, seed: str) -> list[str]:
    """`count` documents of 2 to 4 KB, a hundred to a folder, twenty of those to one above; their paths."""
    choices = random.Random(seed)
    paths = []
    for number in range(count):
        inside = os.path.join(folder, f"part-{number // 2000:03}", f"shot-{number // 100 % 20:02}")
        if number % 100 == 0:
            os.makedirs(inside)
        path = os.path.join(inside, f"{number:06}.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_document(choices, number))
        paths.append(path)
    return paths


def _document(choices: random.Random, number: int) -> str:
    words = choices.choices(WORDS, k=choices.randrange(240, 520))
    lines = [" ".join(words[start : start + 12]) for start in range(0, len(words), 12)]
    value = {"id": f"{number:032x}", "index": number, "take": choices.randrange(10**9), "script": lines}
    return json.dumps(value, indent=1)


def edit_small_files(paths: list[str], count: int, seed: str) -> None:
    """Change one field in `count` of the documents."""
    choices = random.Random(seed)
    for path in choices.sample(paths, count):
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
        value["take"] = choices.randrange(10**9)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)


def insert_at_head(path: str, count: int, seed: str) -> None:
    """Put new bytes in front of a file, as one writer would: into a new file that replaces it."""
    temporary = f"{path}.part"
    with open(path, "rb") as source, open(temporary, "wb") as target:
        target.write(random.Random(seed).randbytes(count))
        _copy(source.fileno(), target, os.fstat(source.fileno()).st_size)
    os.replace(temporary, path)


def _copy(source: int, target: object, count: int) -> None:
    assert hasattr(target, "write")
    while count > 0 and (block := os.read(source, min(count, BLOCK_BYTES))):
        target.write(block)
        count -= len(block)


SAMPLE_BYTES = 32 << 10


def write_mp4(path: str, size: int, seed: str) -> None:
    """A film as a camera leaves it: `ftyp`, the samples in `mdat`, and `moov` with their places at the end."""
    with open(path, "wb") as file:
        file.write(_FTYP + struct.pack(">I4sQ", 1, b"mdat", 16 + size))
        for block in media_blocks(size, seed):
            file.write(block)
        file.write(_moov(size, len(_FTYP) + 16))


def move_moov_to_front(source: str, target: str) -> None:
    """The same film made ready for the web: `moov` before `mdat`, and every place in it corrected."""
    with open(source, "rb") as old, open(target, "wb") as new:
        old.seek(len(_FTYP) + 8)
        size = struct.unpack(">Q", old.read(8))[0] - 16
        length = len(_moov(size, 0))
        new.write(_FTYP + _moov(size, len(_FTYP) + length + 16) + struct.pack(">I4sQ", 1, b"mdat", 16 + size))
        _copy(old.fileno(), new, 0)
        os.lseek(old.fileno(), len(_FTYP) + 16, os.SEEK_SET)
        _copy(old.fileno(), new, size)


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(data), name) + data


_FTYP = _box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")


def _moov(size: int, start: int) -> bytes:
    """Sizes and places of samples of SAMPLE_BYTES each, in the boxes in which a film has them."""
    count = size // SAMPLE_BYTES
    sizes = struct.pack(">III", 0, 0, count) + struct.pack(f">{count}I", *([SAMPLE_BYTES] * count))
    places = struct.pack(">II", 0, count) + struct.pack(
        f">{count}Q", *range(start, start + count * SAMPLE_BYTES, SAMPLE_BYTES)
    )
    table = _box(b"stbl", _box(b"stsz", sizes) + _box(b"co64", places))
    return _box(b"moov", _box(b"trak", _box(b"mdia", _box(b"minf", table))))


RATE = 48_000
FRAME_BYTES = 4
"""16 bits, two channels."""


def write_wav(path: str, seconds: float, seed: str) -> None:
    """Noise at a quarter of the full level."""
    size = int(seconds * RATE) * FRAME_BYTES
    quieter = bytes(
        (value >> 2) - (32 if value & 128 else 0) & 255 if value & 128 else value >> 2 for value in range(256)
    )
    with open(path, "wb") as file:
        file.write(wav_header(size))
        for block in media_blocks(size, seed):
            samples = bytearray(block)
            samples[1::2] = block[1::2].translate(quieter)
            file.write(samples)


def cut_wav(source: str, target: str, at_seconds: float, cut_seconds: float) -> None:
    """The same sound without a piece from its middle."""
    first = int(at_seconds * RATE) * FRAME_BYTES
    gone = int(cut_seconds * RATE) * FRAME_BYTES
    size = os.path.getsize(source) - len(wav_header(0))
    with open(source, "rb", buffering=0) as old, open(target, "wb") as new:
        new.write(wav_header(size - gone))
        old.seek(len(wav_header(0)))
        _copy(old.fileno(), new, first)
        old.seek(gone, os.SEEK_CUR)
        _copy(old.fileno(), new, size - first - gone)


def wav_header(size: int, *, rate: int = RATE, channels: int = 2) -> bytes:
    """RIFF, `fmt ` and `data` of 16-bit PCM with `size` bytes of samples."""
    frame = 2 * channels
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * frame, frame, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE") + form + struct.pack("<4sI", b"data", size)
