"""Listening to every sample of a sound, once, in order. Only the process that decodes calls this.

Loudness is that of EBU R 128 (FFmpeg's filter). The levels by which two sounds are compared are those of six
bands of frequencies of all channels mixed, in steps of 10 ms: they stay alike when a sound is re-encoded.
"""

import math
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zlib import crc32

from blake3 import blake3

from aura_vcs.formats.media.findings import AudioFacts
from aura_vcs.formats.media.index_entry import BAND_SECONDS, BANDS
from aura_vcs.media.codec_names import codec_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BAND_RATE = 16_000
"""Samples per second of what the bands are taken from."""
EDGES_HZ = (50, 250, 500, 1_000, 2_000, 4_000, 8_000)
WINDOW = 320
LEAD = 80
"""Samples of silence before the sound: so a step is in the middle of its window."""
HOP = round(BAND_RATE * BAND_SECONDS)
FLOOR_DB = -120.0
STEPS_PER_DB = 2
ZOOM = 8
"""Each waveform has steps so many times as long as the one before."""
ZOOMS = 3
WAVES_PER_SECOND = 100
BLOCK_SECONDS = 4.0
"""So much is heard at a time."""
LOUDEST_SILENCE = 10 ** (-120 / 20)
CHANNELS_LIMIT = 64
FULL_SCALE = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}


class AudioIndexer:
    """Takes the packets and frames of a stream, in order; `facts` and `sections` are what was found.

    Raises:
        ValueError: it has more channels than anybody listens to.
    """

    def __init__(self, stream: Any) -> None:
        import av
        import numpy as np

        self._stream = stream
        self._rate = stream.rate or 48_000
        self._channels = stream.channels or 1
        if self._channels > CHANNELS_LIMIT:
            raise ValueError(f"it has {self._channels} channels of sound")
        self._digest = blake3(bytes(stream.codec_context.extradata or b""))
        self._samples_digest = blake3()
        self._channel_digests = [(blake3(), blake3()) for _ in range(self._channels)]
        self._bytes = 0
        self._samples = 0
        self._start: float | None = None
        self._waiting: list[NDArray[np.float64]] = []
        self._waiting_samples = 0
        self._step = max(1, round(self._rate / WAVES_PER_SECOND))
        self._left: NDArray[np.float64] | None = None
        self._hashes = array("I")
        self._lows: list[NDArray[np.int16]] = []
        self._peaks = [0.0] * self._channels
        self._mixer = av.AudioResampler(format="flt", layout="mono", rate=BAND_RATE)
        self._mixed: NDArray[np.float32] = np.zeros(LEAD, np.float32)
        self._bands: list[bytes] = []
        self._loudness = _LoudnessMeter(stream, self._rate)

    @property
    def end(self) -> float:
        """How much was heard, in seconds."""
        return self._samples / self._rate

    def take_packet(self, packet: Any) -> None:
        """Take in what is encoded."""
        if packet.size:
            self._digest.update(memoryview(packet))
            self._bytes += packet.size

    def take(self, frame: Any) -> None:
        """Listen to a frame."""
        if self._start is None:
            self._start = float(frame.time or 0.0)
        if frame.sample_rate != self._rate or frame.layout.nb_channels != self._channels:
            raise ValueError("it changes its channels or its rate on the way")
        self._waiting.append(_samples(frame))
        self._waiting_samples += frame.samples
        self._loudness.take(frame)
        frame.pts = None
        self._mix(self._mixer.resample(frame))
        if self._waiting_samples >= BLOCK_SECONDS * self._rate:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        import numpy as np

        block = np.concatenate(self._waiting, axis=1)
        self._waiting, self._waiting_samples = [], 0
        self._samples += block.shape[1]
        self._samples_digest.update(memoryview(np.ascontiguousarray(block.T)).cast("B"))
        for samples, (digest, inverted) in zip(block, self._channel_digests, strict=True):
            digest.update(memoryview(samples + 0.0).cast("B"))  # -0.0 is 0.0
            inverted.update(memoryview(0.0 - samples).cast("B"))
        peaks = np.abs(block).max(axis=1).tolist()
        self._peaks = [max(pair) for pair in zip(self._peaks, peaks, strict=True)]
        self._wave(block, is_end=False)

    def _wave(self, block: "NDArray[np.float64]", *, is_end: bool) -> None:
        """Find the lowest and highest sample of each step."""
        import numpy as np

        if self._left is not None:
            block = np.concatenate([self._left, block], axis=1)
        count = block.shape[1] // self._step
        steps = block[:, : count * self._step].reshape(self._channels, count, self._step)
        self._left = block[:, count * self._step :]
        for n in range(count):
            self._hashes.append(crc32(np.ascontiguousarray(steps[:, n])))
        found = [(steps.min(2), steps.max(2))] if count else []
        if is_end and self._left.shape[1]:
            self._hashes.append(crc32(np.ascontiguousarray(self._left)))
            found.append((self._left.min(1, keepdims=True), self._left.max(1, keepdims=True)))
        for lows, highs in found:
            pairs = np.stack([lows, highs], axis=2)
            self._lows.append(np.clip(np.rint(pairs * 32_767), -32_767, 32_767).astype(np.int16))

    def _mix(self, parts: list[Any]) -> None:
        """Measure the bands of what comes out mixed and resampled."""
        import numpy as np

        fresh = [part.to_ndarray().reshape(-1) for part in parts]
        data = np.concatenate([self._mixed, *fresh])
        count = (len(data) - WINDOW) // HOP + 1
        if count < 100:  # few at a time would cost much
            self._mixed = data
            return
        self._bands.append(_band_levels(data, count))
        self._mixed = data[count * HOP :]

    def close(self) -> None:
        """End the sound."""
        import numpy as np

        self._flush()
        if self._left is not None:
            self._wave(np.zeros((self._channels, 0)), is_end=True)
        self._mix(self._mixer.resample(None))
        left = self._mixed
        steps = math.ceil(self.end / BAND_SECONDS) - sum(len(part) for part in self._bands) // BANDS
        if steps > 0:
            padded: NDArray[np.float32] = np.zeros((steps - 1) * HOP + WINDOW, np.float32)
            padded[: min(len(left), len(padded))] = left[: len(padded)]
            self._bands.append(_band_levels(padded, steps))
        self._loudness.close()

    def facts(self) -> AudioFacts:
        """Return what was found, after `close`."""
        context = self._stream.codec_context
        seconds = self.end
        return AudioFacts(
            codec=codec_name(context),
            rate=self._rate,
            channels=self._channels,
            samples=self._samples,
            start=round(self._start or 0.0, 6),
            seconds=round(seconds, 6),
            digest=self._digest.hexdigest(),
            samples_digest=self._samples_digest.hexdigest(),
            layout=self._stream.layout.name,
            bits=_bits(context),
            bits_per_second=round(8 * self._bytes / seconds) if seconds > 0 else None,
            peaks_db=tuple(_decibels(peak) for peak in self._peaks),
            loudness_lufs=self._loudness.value,
            channel_digests=tuple((one.hexdigest(), other.hexdigest()) for one, other in self._channel_digests),
        )

    def wave_steps(self) -> tuple[float, ...]:
        """Return how long the steps of each waveform are, in seconds."""
        return tuple(self._step * ZOOM**n / self._rate for n in range(ZOOMS))

    def sections(self) -> dict[str, bytes]:
        """Return the parts of the entry, after `close`."""
        import numpy as np

        found = {"bands": b"".join(self._bands), "samples": self._hashes.tobytes()}
        if not self._lows:
            return found
        wave = np.concatenate(self._lows, axis=1)
        for zoom in range(ZOOMS):
            found[f"wave-{zoom}"] = wave.tobytes()
            count = -(-wave.shape[1] // ZOOM)
            padded = np.pad(wave, ((0, 0), (0, count * ZOOM - wave.shape[1]), (0, 0)), mode="edge")
            groups = padded.reshape(self._channels, count, ZOOM, 2)
            wave = np.stack([groups[..., 0].min(2), groups[..., 1].max(2)], axis=2)
        return found


def _samples(frame: Any) -> "NDArray[np.float64]":
    """Return the samples of a frame as channels × samples, full scale ±1."""
    import numpy as np

    data = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        data = data.reshape(-1, channels).T
    kind = data.dtype.str[1:]
    if kind not in FULL_SCALE:
        return data.astype(np.float64)
    scaled = data.astype(np.float64) / FULL_SCALE[kind]
    return scaled - 1.0 if kind == "u1" else scaled


def _band_levels(data: "NDArray[np.float32]", count: int) -> bytes:
    """Measure the bands of `count` windows, HOP apart."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(data, WINDOW)[: count * HOP : HOP][:count]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    edges = [edge * WINDOW // BAND_RATE for edge in EDGES_HZ]
    sums = np.stack([power[:, low:high].sum(1) for low, high in pairwise(edges)], axis=1)
    levels = 10 * np.log10(sums / (WINDOW * WINDOW / 8) + 10 ** (FLOOR_DB / 10))
    found: bytes = np.clip(np.rint((levels - FLOOR_DB) * STEPS_PER_DB), 0, 255).astype(np.uint8).tobytes()
    return found


def _decibels(share: float) -> float | None:
    return round(20 * math.log10(share), 2) if share > LOUDEST_SILENCE else None


def _bits(context: Any) -> int:
    name = context.name
    if name.startswith("pcm_"):
        digits = "".join(c for c in name.split("_")[1] if c.isdigit())
        return int(digits) if digits else 16
    return int(context.format.bits) if context.format is not None else 16


class _LoudnessMeter:
    """Integrated loudness; None where the sound is too short or too quiet to have one."""

    def __init__(self, stream: Any, rate: int) -> None:
        import av

        self._graph: Any = av.filter.Graph()
        layout = stream.layout.name
        self._resampler = av.AudioResampler(format="flt", layout=stream.layout, rate=rate, frame_size=rate)
        source = self._graph.add_abuffer(sample_rate=rate, format="flt", layout=layout)
        meter = self._graph.add("ebur128", "metadata=1:framelog=quiet")
        source.link_to(meter)
        meter.link_to(self._graph.add("abuffersink"))
        self._graph.configure()
        self.value: float | None = None

    def take(self, frame: Any) -> None:
        frame.pts = None
        self._push(self._resampler.resample(frame))

    def close(self) -> None:
        self._push([*self._resampler.resample(None), None])

    def _push(self, parts: list[Any]) -> None:
        import av

        for part in parts:
            self._graph.push(part)
            while True:
                try:
                    measured = self._graph.pull()
                except (av.error.BlockingIOError, av.error.EOFError):
                    break
                value = float(measured.metadata.get("lavfi.r128.I", "-70"))
                if math.isfinite(value) and value > -70:
                    self.value = round(value, 2)
