"""Looking into video and sound with PyAV (FFmpeg). Only the worker process calls this.

Files are opened as the formats they look like and through a file object: a playlist cannot make
FFmpeg open other files or the network.
"""

import math
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aura_vcs.compare.media_headers import read_header
from aura_vcs.compare.media_model import ENVELOPE_SECONDS, Limits
from aura_vcs.compare.media_pictures import gradient_bits, thumbnail
from aura_vcs.compare.media_source import MediaHeader

if TYPE_CHECKING:
    from PIL.Image import Image

DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "m4a": "mov",
    "mkv": "matroska",
    "webm": "matroska",
    "wav": "wav",
    "flac": "flac",
    "mp3": "mp3",
    "ogg": "ogg",
}
Stretches = tuple[tuple[float, float], ...]
SAMPLES = 24
"""Frames of a video that are looked at, evenly spread."""


class Film:
    """An open video or sound file.

    Raises:
        ValueError: it does not look like a format we open.
        OSError: FFmpeg cannot read it.
    """

    def __init__(self, path: str, limits: Limits) -> None:
        import av

        self.limits = limits
        self._file = open(path, "rb")  # noqa: SIM115  closed with the process
        header = read_header(self._file)
        if header is None or header.format not in DEMUXERS:
            raise ValueError("it is no video or sound format that is looked into")
        self._file.seek(0)
        self._claimed = header
        options = {"protocol_whitelist": "", "enable_drefs": "0"}
        self.container: Any = av.open(self._file, format=DEMUXERS[header.format], options=options)
        streams = self.container.streams
        self.video: Any = next((s for s in streams.video if s.codec_context), None)
        self.sound: Any = next((s for s in streams.audio if s.codec_context), None)
        for stream in (self.video, self.sound):
            if stream is not None:
                stream.codec_context.thread_count = 1

    def header(self) -> MediaHeader:
        """What the streams say, more exact than the file's own header."""
        video, sound = self.video, self.sound
        duration = self.container.duration
        rate = video.average_rate if video is not None else None
        contexts = [stream.codec_context for stream in (video, sound) if stream is not None]
        return MediaHeader(
            "video" if video is not None else "sound",
            self._claimed.format,
            width=video.width or None if video is not None else None,
            height=video.height or None if video is not None else None,
            seconds=duration / 1_000_000 if duration else self._claimed.seconds,
            rate=sound.rate if sound is not None else None,
            channels=sound.channels if sound is not None else None,
            frames_per_second=round(float(rate), 3) if rate else None,
            codecs=tuple(context.name for context in contexts),
        )

    def frames(self, count: int = SAMPLES) -> Iterator[tuple[float, "Image"]]:
        """(seconds, picture) of up to `count` frames, evenly spread; nearest key frames."""
        if self.video is None:
            return
        if self.video.width * self.video.height > self.limits.pixels:
            raise ValueError(f"it has {self.video.width}×{self.video.height} pixels")
        length = (self.container.duration or 0) / 1_000_000
        for n in range(count):
            at = length * (n + 0.5) / count
            self.container.seek(int(at * 1_000_000), backward=True, any_frame=False)
            frame = self._first_after(at)
            if frame is not None:
                yield at, frame.to_image(width=320, height=max(2, 320 * frame.height // max(1, frame.width)))
            if not length:
                return

    def _first_after(self, at: float) -> Any:
        """The frame shown at a time, decoding at most a few seconds from the key frame before."""
        last = None
        for n, frame in enumerate(self.container.decode(self.video)):
            last = frame
            if frame.time is None or frame.time >= at - 1e-3 or n > 300:
                break
        return last

    def levels(self) -> "Levels":
        """Peak, loudness and envelope of the first sound stream."""
        levels = Levels()
        if self.sound is None:
            return levels
        self.container.seek(0)
        meter = _Meter(levels, self.sound)
        for frame in self.container.decode(self.sound):
            if levels.seconds >= self.limits.sound_seconds:
                levels.partial = True
                break
            meter.take(frame)
        meter.close()
        return levels


class Levels:
    """How loud a sound is: overall, and step by step (`ENVELOPE_SECONDS`), as shares of full scale."""

    def __init__(self) -> None:
        self.peaks: list[float] = []
        self.peak = 0.0
        self.loudness: float | None = None
        self.seconds = 0.0
        self.partial = False

    def envelope(self, points: int = 400) -> tuple[int, ...]:
        """At most `points` peaks from 0 to 100."""
        step = max(1, math.ceil(len(self.peaks) / points))
        runs = (self.peaks[n : n + step] for n in range(0, len(self.peaks), step))
        return tuple(min(100, round(max(run) * 100)) for run in runs)


class _Meter:
    """Feeds frames to FFmpeg's EBU R 128 meter and collects peaks."""

    def __init__(self, levels: Levels, stream: Any) -> None:
        import av

        self.levels = levels
        self.rate = stream.rate or 48_000
        self.channels = max(1, stream.channels)
        self._resampler = av.AudioResampler(format="s16", layout=stream.layout, rate=self.rate)
        self._rest: array[int] = array("h")
        self._step = max(2, int(self.rate * ENVELOPE_SECONDS) * self.channels)
        self._graph: Any = av.filter.Graph()
        source = self._graph.add_abuffer(sample_rate=self.rate, format="s16", layout=stream.layout.name)
        meter = self._graph.add("ebur128", "metadata=1:framelog=quiet")
        sink = self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()

    def take(self, frame: Any) -> None:
        frame.pts = None
        for part in self._resampler.resample(frame):
            count = part.samples * self.channels
            self._rest.frombytes(bytes(part.planes[0])[: count * 2])
            self.levels.seconds += part.samples / self.rate
            self._graph.push(part)
            self._drain()
        whole = len(self._rest) // self._step * self._step
        for n in range(0, whole, self._step):
            self._note(self._rest[n : n + self._step])
        del self._rest[:whole]

    def _note(self, samples: "array[int]") -> None:
        high, low = max(samples), min(samples)
        peak = max(high, -low) / 32_768
        self.levels.peaks.append(peak)
        self.levels.peak = max(self.levels.peak, peak)

    def _drain(self) -> None:
        import av

        while True:
            try:
                measured = self._graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            loudness = getattr(measured, "metadata", {}).get("lavfi.r128.I")
            if loudness is not None and float(loudness) > -70:
                self.levels.loudness = round(float(loudness), 1)

    def close(self) -> None:
        if self._rest:
            self._note(self._rest)
        self._graph.push(None)
        self._drain()


def differing_sound(old: Levels, new: Levels) -> Stretches:
    """Stretches in seconds where one is louder than the other by over 6 dB, and what only one has."""
    marks = []
    for n in range(max(len(old.peaks), len(new.peaks))):
        if n >= min(len(old.peaks), len(new.peaks)):
            marks.append(True)
            continue
        a, b = old.peaks[n], new.peaks[n]
        marks.append(abs(a - b) > 0.02 and max(a, b) > 2 * min(a, b))
    return stretches([(n * ENVELOPE_SECONDS, mark) for n, mark in enumerate(marks)], ENVELOPE_SECONDS)


def differing_scenes(old: Film, new: Film) -> tuple[tuple[tuple[float, float], ...], list[bytes], list[bytes]]:
    """Stretches in seconds where the pictures differ, and thumbnails of both."""
    before, after = list(old.frames()), list(new.frames())
    marks = []
    for n in range(max(len(before), len(after))):
        at = (after if n < len(after) else before)[n][0]
        if n >= min(len(before), len(after)):
            marks.append((at, True))
            continue
        bits = gradient_bits(before[n][1]) ^ gradient_bits(after[n][1])
        marks.append((at, bits.bit_count() > 12))
    step = marks[1][0] - marks[0][0] if len(marks) > 1 else 0.0
    found = stretches([(at - step / 2, mark) for at, mark in marks], step)
    return (
        found,
        [thumbnail(picture) for _, picture in before[::4]],
        [thumbnail(picture) for _, picture in after[::4]],
    )


def stretches(marks: list[tuple[float, bool]], step: float, limit: int = 20) -> Stretches:
    """Runs of marked steps as (start, end), close ones joined, the longest `limit` in order."""
    found: list[tuple[float, float]] = []
    for at, marked in marks:
        if not marked:
            continue
        if found and at - found[-1][1] <= 5 * step:
            found[-1] = (found[-1][0], at + step)
        else:
            found.append((at, at + step))
    longest = sorted(found, key=lambda run: run[0] - run[1])[:limit]
    return tuple((round(max(0.0, start), 2), round(end, 2)) for start, end in sorted(longest))
