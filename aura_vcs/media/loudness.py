"""How loud a sound is, moment by moment and band by band, by FFmpeg's filters. Only the worker calls this.

Peaks and loudness are those of the sound as it is. Where two sounds differ is told by the level
of a few bands of frequencies in steps of a tenth of a second, of both mixed down to one channel: that
stays alike when a sound is encoded again, and not when it is another one.
"""

import math
from collections.abc import Iterable
from statistics import median
from typing import Any

from aura_vcs.formats.media.findings import Stretches
from aura_vcs.media.intervals import stretches

STEP_SECONDS = 0.1
SHORTEST_SECONDS = 0.01
ENVELOPE_POINTS = 400
"""Peaks that are handed on for a drawing; short sounds are measured in steps short enough for that."""
BAND_RATE = 16_000
"""Samples per second of what the bands are taken from."""
BANDS = ("lowpass=f=250:p=2", "bandpass=f=600:t=o:w=1.5", "bandpass=f=1800:t=o:w=1.5", "highpass=f=3500:p=2")
SILENCE_DB = -120.0
"""Nothing at all."""
FLOOR_DB = -50.0
"""Quieter than this is silence: two silences do not differ."""
DROWNED_DB = 20.0
"""A band that is so much weaker than the strongest is not heard."""
APART_DB = 6.0
"""From this difference of a band on, a step of the sound counts as another one."""


class Levels:
    """What was measured: peaks as shares of full scale, levels of the bands in dB, one per step."""

    def __init__(self) -> None:
        self.peaks: list[float] = []
        self.bands: list[list[float]] = [[] for _ in BANDS]
        self.loudness: float | None = None
        self.seconds = 0.0
        self.partial = False

    @property
    def peak(self) -> float:
        """The highest peak."""
        return max(self.peaks, default=0.0)

    def envelope(self, points: int = ENVELOPE_POINTS) -> tuple[int, ...]:
        """Return at most `points` peaks from 0 to 100."""
        step = max(1, math.ceil(len(self.peaks) / points))
        runs = (self.peaks[n : n + step] for n in range(0, len(self.peaks), step))
        return tuple(min(100, round(max(run) * 100)) for run in runs)


class LoudnessMeter:
    """Takes decoded frames of a stream and fills in `Levels`."""

    def __init__(self, stream: Any, *, banded: bool) -> None:
        import av

        self.levels = Levels()
        rate = stream.rate or 48_000
        self._rate = rate
        length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        seconds = min(STEP_SECONDS, max(SHORTEST_SECONDS, length / ENVELOPE_POINTS))
        step = max(1, round(rate * seconds))  # frames as long as a step: few of them, and in time
        self._plain = av.AudioResampler(format="flt", layout=stream.layout, rate=rate, frame_size=step)
        layout = stream.layout.name
        peaks = "astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=Peak_level"
        self._chains = [
            (_Chain(peaks, rate, layout, "lavfi.astats.Overall.Peak_level"), self._note_peak),
            (_Chain("ebur128=metadata=1:framelog=quiet", rate, layout, "lavfi.r128.I"), self._note_loudness),
        ]
        step = round(BAND_RATE * STEP_SECONDS)
        self._mixed = av.AudioResampler(format="flt", layout="mono", rate=BAND_RATE, frame_size=step)
        level = "astats=metadata=1:reset=1:measure_perchannel=none:measure_overall=RMS_level"
        self._bands = [
            _Chain(f"{band},{level}", BAND_RATE, "mono", "lavfi.astats.Overall.RMS_level")
            for band in (BANDS if banded else ())
        ]

    def take(self, frame: Any) -> None:
        """Measure one frame of the stream, in order."""
        frame.pts = None
        self.levels.seconds += frame.samples / self._rate
        for part in self._plain.resample(frame):
            for chain, note in self._chains:
                note(chain.push(part))
        if self._bands:
            self._note_bands(self._mixed.resample(frame))

    def close(self) -> None:
        """End the stream."""
        for part in self._plain.resample(None):
            for chain, note in self._chains:
                note(chain.push(part))
        for chain, note in self._chains:
            note(chain.push(None))
        if self._bands:
            self._note_bands([*self._mixed.resample(None), None])

    def _note_peak(self, values: Iterable[float]) -> None:
        self.levels.peaks += [min(1.0, 10 ** (value / 20)) if value > SILENCE_DB else 0.0 for value in values]

    def _note_loudness(self, values: Iterable[float]) -> None:
        for value in values:
            if value > -70:
                self.levels.loudness = round(value, 1)

    def _note_bands(self, parts: Iterable[Any]) -> None:
        for part in parts:
            for chain, levels in zip(self._bands, self.levels.bands, strict=False):
                levels += [max(FLOOR_DB, value) for value in chain.push(part)]


class _Chain:
    """Filters one after another, and one number that they find out about each frame."""

    def __init__(self, filters: str, rate: int, layout: str, key: str) -> None:
        import av

        self._key = key
        self._graph: Any = av.filter.Graph()
        last = self._graph.add_abuffer(sample_rate=rate, format="flt", layout=layout)
        for part in filters.split(","):
            name, _, options = part.partition("=")
            added = self._graph.add(name, options)
            last.link_to(added)
            last = added
        last.link_to(self._graph.add("abuffersink"))
        self._graph.configure()

    def push(self, frame: Any) -> list[float]:
        """Push one more frame in and return what it finds out; None ends the sound."""
        import av

        self._graph.push(frame)
        found: list[float] = []
        while True:
            try:
                measured = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return found
            value = measured.metadata.get(self._key)
            if value is not None:
                number = float(value)
                found.append(number if math.isfinite(number) else SILENCE_DB)


def differing_sounds(old: Levels, new: Levels) -> tuple[Stretches, float]:
    """Find where one sound is another one than before, in seconds of the new one, and its lead.

    The lead is how many seconds were put before the beginning (negative: cut from it), when the
    two agree by their ends rather than by their beginnings. What is only louder or softer
    throughout does not differ.
    """
    bands = list(zip(old.bands, new.bands, strict=True))
    if old.partial or new.partial:
        heard = min(len(old.bands[0]), len(new.bands[0]))
        bands = [(one[:heard], other[:heard]) for one, other in bands]
    before, after = (len(band) for band in bands[0])
    lead = after - before
    marks, aligned = _marks(bands, 0), _marks(bands, lead)
    apart, apart_by_ends = sum(marks[:before]), sum(aligned[max(0, lead) :])
    if not (lead and apart > 0.2 * len(marks) and apart_by_ends < 0.5 * apart):
        lead, aligned = 0, marks
    moments = [((n + 0.5) * STEP_SECONDS, mark) for n, mark in enumerate(aligned)]
    return stretches(moments, len(aligned) * STEP_SECONDS), round(lead * STEP_SECONDS, 2)


def _marks(bands: list[tuple[list[float], list[float]]], lead: int) -> list[bool]:
    """Mark the steps of the new sound that differ; what it has before the beginning or behind the end does.

    A step counts as alike when it lies between its neighbours of the other sound: encoders shift
    a sound by some hundredths of a second. Bands that are drowned by another one do not count.
    """
    if lead:
        bands = [(old[-lead:] if lead < 0 else [FLOOR_DB] * lead + old, new) for old, new in bands]
    count = min(len(band) for pair in bands for band in pair)
    gain = _gain(bands, count)
    quiet = FLOOR_DB + abs(gain)
    loudest = [max(quiet, *(max(old[n], new[n] - gain) - DROWNED_DB for old, new in bands)) for n in range(count)]
    apart = [False] * count
    for old, new in bands:
        one = [max(level, floor) for level, floor in zip(old, loudest, strict=False)]
        other = [max(level - gain, floor) for level, floor in zip(new, loudest, strict=False)]
        for n in range(count):
            apart[n] = apart[n] or _is_beyond(one[n], other, n) or _is_beyond(other[n], one, n)
    only = max(0, min(lead, count))
    return [True] * only + apart[only:] + [True] * (len(bands[0][1]) - count)


def _is_beyond(level: float, others: list[float], n: int) -> bool:
    near = others[max(0, n - 1) : n + 2]
    return level > max(near) + APART_DB or level < min(near) - APART_DB


def _gain(bands: list[tuple[list[float], list[float]]], count: int) -> float:
    """Return how much louder all of it became, in dB: what most moments agree about."""
    heard = [new[n] - old[n] for old, new in bands for n in range(count) if min(old[n], new[n]) > FLOOR_DB + 10]
    return median(heard) if heard else 0.0
