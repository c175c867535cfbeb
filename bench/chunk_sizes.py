"""How large chunks should be on average: what is found again, what it costs to remember, how fast it is.

`python -m bench.chunk_sizes` prints the table of docs/decisions/chunk-size.md.
"""

import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aura_vcs.ids import ObjectId
from aura_vcs.index.schema import PAGE_BYTES, TABLES
from aura_vcs.model import Kind
from aura_vcs.objects.chunking import encode_chunk_list
from aura_vcs.objects.packs.format import CODEC_RAW, Frame, PackEntry, encode_footer
from blake3 import blake3
from pyfastcdc import FastCDC

from bench.data import cut_wav, insert_at_head, media_blocks, move_moov_to_front, write_media, write_mp4, write_wav

SIZES_KIB = (16, 32, 64, 128, 256)
FILM_BYTES = 128 << 20
SOUND_SECONDS = 300
VIDEO_FRAMES = 240
FRAME_CHUNKS = 8
"""Chunks that share a frame of a pack, about."""


def main() -> None:
    """Make the pairs, cut them at every size, print the table."""
    with tempfile.TemporaryDirectory(prefix="aura-chunks-") as folder:
        pairs = dict(_pairs(folder))
        print(_head(pairs))
        for size in SIZES_KIB:
            print(_line(size, pairs))


def _pairs(folder: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Media before and after something that people do to it."""

    def path(name: str) -> str:
        return os.path.join(folder, name)

    write_mp4(path("camera.mp4"), FILM_BYTES, "film")
    move_moov_to_front(path("camera.mp4"), path("web.mp4"))
    yield f"MP4 of {FILM_BYTES >> 20} MiB, moov to the front", (path("camera.mp4"), path("web.mp4"))
    write_wav(path("take.wav"), SOUND_SECONDS, "sound")
    cut_wav(path("take.wav"), path("cut.wav"), SOUND_SECONDS / 3, 2)
    yield f"WAV of {SOUND_SECONDS} s, 2 s cut", (path("take.wav"), path("cut.wav"))
    for name in ("clip.bin", "longer.bin"):
        write_media(path(name), FILM_BYTES, "clip")
    insert_at_head(path("longer.bin"), 100, "insert")
    yield f"100 bytes before {FILM_BYTES >> 20} MiB", (path("clip.bin"), path("longer.bin"))
    if _encode_and_remux(path("film.mp4"), path("film.mkv")):
        average = os.path.getsize(path("film.mp4")) // VIDEO_FRAMES >> 10
        yield f"MP4 re-muxed to MKV ({average} KiB a picture)", (path("film.mp4"), path("film.mkv"))


def _encode_and_remux(film: str, copy: str) -> bool:
    """A real film of noise, and the same packets in another container; needs the extra `media`."""
    try:
        import av
    except ImportError:
        return False
    choices = random.Random("film")
    width, height = 640, 360
    with av.open(film, "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.bit_rate = 14_000_000
        still = choices.randbytes(width * height)
        for number in range(VIDEO_FRAMES):
            frame = av.VideoFrame(width, height, "yuv420p")
            shift = number * 977 % len(still)
            for plane in frame.planes:
                data = still[shift:] + still[:shift]
                plane.update((data * 2)[: plane.buffer_size])
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(film) as source, av.open(copy, "w") as target:
        old = source.streams.video[0]
        new = target.add_stream_from_template(old)
        for packet in source.demux(old):
            if packet.dts is not None:
                packet.stream = new
                target.mux(packet)
    return True


def cut(data: bytes, size_kib: int) -> list[tuple[str, int]]:
    """Id and length of every chunk, with the bounds in the proportions that the store uses."""
    average = size_kib << 10
    cutter = FastCDC(avg_size=average, min_size=average // 4, max_size=average * 4)
    chunks, start = [], 0
    for chunk in cutter.cut_buf(data):
        chunks.append((blake3(data[start : start + chunk.length]).hexdigest(), chunk.length))
        start += chunk.length
    return chunks


def _head(pairs: dict[str, tuple[str, str]]) -> str:
    names = ["average", *pairs, "chunks per GiB", "kept about them per GiB: pack / index", "cut and hashed, one core"]
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _line(size_kib: int, pairs: dict[str, tuple[str, str]]) -> str:
    cells = [f"{size_kib} KiB"]
    for old, new in pairs.values():
        cells.append(f"{100 * new_share(Path(old).read_bytes(), Path(new).read_bytes(), size_kib):.3f} %")
    data = b"".join(media_blocks(FILM_BYTES, "speed"))
    seconds, chunks = [], []
    for _ in range(3):
        start = time.perf_counter()
        chunks = cut(data, size_kib)
        seconds.append(time.perf_counter() - start)
    per_gib = (1 << 30) / len(data)
    cells.append(f"{len(chunks) * per_gib:,.0f}")
    cells.append(f"{_pack_bytes(chunks) * per_gib / 1e6:.2f} MB / {_index_bytes(chunks) * per_gib / 1e6:.2f} MB")
    cells.append(f"{len(data) / min(seconds) / 1e9:.2f} GB/s")
    return f"| {' | '.join(cells)} |"


def new_share(old: bytes, new: bytes, size_kib: int) -> float:
    """The share of `new` that is in chunks which `old` does not have."""
    known = {chunk for chunk, _ in cut(old, size_kib)}
    return sum(length for chunk, length in dict(cut(new, size_kib)).items() if chunk not in known) / len(new)


def _pack_bytes(chunks: list[tuple[str, int]]) -> int:
    """The blob's list of chunks, and the footer that says where they lie."""
    entries, frames, offset = [], [], 0
    for number, (chunk, length) in enumerate(chunks):
        entries.append(PackEntry(ObjectId(chunk), Kind.CHUNK, number // FRAME_CHUNKS, offset % (1 << 20), length))
        offset += length
    frames = [Frame(0, FRAME_CHUNKS * length, FRAME_CHUNKS * length, CODEC_RAW) for _, length in chunks[::FRAME_CHUNKS]]
    listed = encode_chunk_list([(ObjectId(chunk), length) for chunk, length in chunks])
    return len(listed) + len(encode_footer(frames, entries)[1])


def _index_bytes(chunks: list[tuple[str, int]]) -> int:
    """What their rows add to the index."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
    connection.executescript(TABLES)
    before = connection.execute("PRAGMA page_count").fetchone()[0]
    columns = [row[1] for row in connection.execute("PRAGMA table_info(objects)")]
    known = {
        "created_at": "2026-11-23T08:00:00.000000Z",
        "last_referenced_at": "2026-11-23T08:00:00.000000Z",
        "kind": 4,
        "content_type": None,
        "refcount": 1,
        "pack": 1,
        "chunked": False,
    }
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT OR IGNORE INTO objects ({', '.join(columns)}) VALUES ({marks})",
        [
            [bytes.fromhex(chunk) if name == "id" else known.get(name, length) for name in columns]
            for chunk, length in sorted(chunks)
        ],
    )
    after = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    return int(after - before) * PAGE_BYTES


if __name__ == "__main__":
    main()
