"""What helps uncompressed audio: zstd as it is, or behind a filter that takes samples apart.

`python -m bench.pcm_filters` prints the table of docs/decisions/pcm-compression.md. Sizes are shares
of the raw samples, for chunks of the store's average size, since that is what is compressed.
"""

import io
import math
import random
import time
import wave
from array import array
from collections.abc import Callable
from itertools import accumulate

import zstandard

from bench.data import RATE
from bench.story import FIXTURE

CHUNK_BYTES = 64 << 10
FRAME_BYTES = 512 << 10
SECONDS = 20
LANES = CHUNK_BYTES // 2


def main() -> None:
    """Every filter over every sound."""
    sounds = {
        "fixture narration (8 kHz mono)": _fixture("audio/*.wav"),
        "fixture music (mono)": _fixture("music/*.wav"),
        "speech-like (48 kHz mono)": speech(channels=1),
        "speech-like (48 kHz stereo)": speech(channels=2),
        "noise at a quarter of full level": random.Random("noise").randbytes(4 << 20),
    }
    print("| samples | " + " | ".join([*FILTERS, "FLAC (to compare)"]) + " |")
    print("|---|" + "---|" * (len(FILTERS) + 1))
    for name, data in sounds.items():
        cells = [_cell(data, apply) for apply in FILTERS.values()]
        print(f"| {name}, {len(data) / 1e6:.1f} MB | {' | '.join(cells)} | {_flac(data)} |")
    data = sounds["speech-like (48 kHz stereo)"]
    print(f"\nUndoing them, one core: {_undo_speeds(data[: len(data) // CHUNK_BYTES * CHUNK_BYTES])}")


def _fixture(pattern: str) -> bytes:
    pieces = []
    for path in sorted((FIXTURE / "assets").glob(pattern)):
        with wave.open(str(path)) as file:
            pieces.append(file.readframes(file.getnframes()))
    return b"".join(pieces)


def speech(*, channels: int) -> bytes:
    """Something with a voice's spectrum: pulses through three resonances, syllables, pauses and room noise."""
    choices = random.Random("speech")
    formants = [(620, 60), (1180, 90), (2500, 150)]
    poles = [
        (2 * math.exp(-math.pi * w / RATE) * math.cos(2 * math.pi * f / RATE), -math.exp(-2 * math.pi * w / RATE))
        for f, w in formants
    ]
    state = [[0.0, 0.0] for _ in poles]
    phase, samples = 0.0, array("h")
    for number in range(RATE * SECONDS):
        second = number / RATE
        phase += (110 + 25 * math.sin(second * 2.1)) / RATE
        pulse, phase = (1.0, phase - 1) if phase >= 1 else (0.0, phase)
        loud = max(0.0, math.sin(second * math.pi * 3.3)) * (0.0 if second % 4 > 3.2 else 1.0)
        value = pulse * loud + choices.gauss(0, 0.0006)
        for (a, b), past in zip(poles, state, strict=True):
            value += a * past[0] + b * past[1]
            past[1], past[0] = past[0], value
            value *= 0.12
        left = max(-32768, min(32767, int(value * 60_000 + choices.gauss(0, 2))))
        samples.append(left)
        if channels == 2:
            samples.append(max(-32768, min(32767, left + int(choices.gauss(0, 3)))))
    return samples.tobytes()


def as_it_is(chunk: bytes) -> bytes:
    """No filter."""
    return chunk


def shuffle(chunk: bytes) -> bytes:
    """All low bytes, then all high ones, which change little."""
    return chunk[0::2] + chunk[1::2]


def delta(chunk: bytes, channels: int = 2) -> bytes:
    """Each sample less the one before it in its channel, then shuffled."""
    samples = array("h", chunk[: len(chunk) // 2 * 2])
    before = array("h", [0] * channels) + samples[:-channels]
    differences = array("H", [(a - b) & 0xFFFF for a, b in zip(samples, before, strict=True)])
    return shuffle(differences.tobytes())


def delta_mono(chunk: bytes) -> bytes:
    """The same for one channel."""
    return delta(chunk, 1)


def undo_shuffle(data: bytes) -> bytes:
    """The chunk that was shuffled."""
    chunk = bytearray(len(data))
    chunk[0::2], chunk[1::2] = data[: len(data) // 2], data[len(data) // 2 :]
    return bytes(chunk)


def undo_delta(data: bytes) -> bytes:
    """The chunk of one channel that `delta_mono` took apart."""
    differences = array("H", undo_shuffle(data))
    return array("H", [value & 0xFFFF for value in accumulate(differences)]).tobytes()


FILTERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd 3": as_it_is,
    "shuffle + zstd 3": shuffle,
    "delta 1 channel + shuffle + zstd 3": delta_mono,
    "delta 2 channels + shuffle + zstd 3": delta,
}


def _cell(data: bytes, apply: Callable[[bytes], bytes]) -> str:
    """The share that is left, and how fast filter and zstd were together."""
    compressor = zstandard.ZstdCompressor(level=3)
    stored = 0
    start = time.perf_counter()
    for at in range(0, len(data), FRAME_BYTES):
        frame = data[at : at + FRAME_BYTES]
        filtered = b"".join([apply(frame[n : n + CHUNK_BYTES]) for n in range(0, len(frame), CHUNK_BYTES)])
        stored += len(compressor.compress(filtered))
    seconds = time.perf_counter() - start
    return f"{100 * stored / len(data):.1f} % at {len(data) / seconds / 1e6:.0f} MB/s"


def _flac(data: bytes) -> str:
    """What an audio codec makes of it; needs the extra `media`."""
    try:
        import av
    except ImportError:
        return "no PyAV"
    target = io.BytesIO()
    with av.open(target, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE)
        stream.codec_context.layout = "mono"
        block = 4608
        for at in range(0, len(data) // 2, block):
            samples = data[2 * at : 2 * (at + block)]
            frame = av.AudioFrame("s16", "mono", len(samples) // 2)
            frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts = RATE, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return f"{100 * len(target.getvalue()) / len(data):.1f} %"


def _undo_speeds(data: bytes) -> str:
    words = []
    for name, do, undo in (("shuffle", shuffle, undo_shuffle), ("delta", delta_mono, undo_delta)):
        chunks = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
        filtered = [do(chunk) for chunk in chunks]
        start = time.perf_counter()
        back = [undo(chunk) for chunk in filtered]
        seconds = time.perf_counter() - start
        assert back == chunks
        words.append(f"{name} {len(data) / seconds / 1e6:.0f} MB/s")
    return ", ".join(words)


if __name__ == "__main__":
    main()
