"""Mixes narration, music and effects into one stream of sound. Only imported in the rendering process.

Each lane is read in step with the film, block by block: memory does not grow with its length.
"""

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any

import av
import av.error
import av.filter

from aura_vcs.errors import MediaUnreadable
from aura_vcs.project.render.decode import RATE_HZ, sound_bytes
from aura_vcs.project.render.job import Lane, Sound

BLOCK_SAMPLES = 4800
_SAMPLE_BYTES = 4
_SHORT_BYTES = RATE_HZ * _SAMPLE_BYTES
"""Sounds of less than a second are repeated from memory."""

Announce = Callable[[str, str], None]
"""Told the label and the name of a file when it is opened."""


def mixed_frames(lanes: tuple[Lane, ...], samples: int, announce: Announce) -> Iterator[Any]:
    """Yield the whole sound as 16-bit stereo frames with time stamps, exactly `samples` long."""
    done = 0
    for data in _mixed(lanes, samples, announce):
        take = min(len(data) // _SAMPLE_BYTES, samples - done)
        if take <= 0:
            return
        yield _frame(data[: take * _SAMPLE_BYTES], done)
        done += take


def _mixed(lanes: tuple[Lane, ...], samples: int, announce: Announce) -> Iterator[bytes]:
    readers = [_LaneReader(lane, announce) for lane in lanes]
    if not readers:
        yield from _silence(samples)
    elif len(readers) == 1 and lanes[0].gain == 1:
        for start in range(0, samples, BLOCK_SAMPLES):
            yield readers[0].read(min(BLOCK_SAMPLES, samples - start))
    else:
        yield from _through_graph(readers, samples)


def _through_graph(readers: "list[_LaneReader]", samples: int) -> Iterator[bytes]:
    graph, sources, sink = _graph([reader.lane.gain for reader in readers])
    for start in range(0, samples, BLOCK_SAMPLES):
        count = min(BLOCK_SAMPLES, samples - start)
        for reader, source in zip(readers, sources, strict=True):
            source.push(_frame(reader.read(count), start))
        yield from _pulled(sink)
    for source in sources:
        source.push(None)
    yield from _pulled(sink)
    yield from _silence(BLOCK_SAMPLES)  # if the mixer kept a few samples to itself
    del graph


def _graph(gains: list[float]) -> tuple[Any, list[Any], Any]:
    """Build a mixer: one source per lane, each at its volume, one sink of 16-bit stereo."""
    graph = av.filter.Graph()
    mixer = graph.add("amix", f"inputs={len(gains)}:normalize=0:duration=longest") if len(gains) > 1 else None
    sources = []
    for number, gain in enumerate(gains):
        source = graph.add_abuffer(sample_rate=RATE_HZ, format="s16", layout="stereo", name=f"lane{number}")
        volume = graph.add("volume", f"{gain:.4f}")
        source.link_to(volume)
        if mixer is not None:
            volume.link_to(mixer, 0, number)
        sources.append(source)
        last = mixer or volume
    limit = graph.add("aformat", f"sample_fmts=s16:channel_layouts=stereo:sample_rates={RATE_HZ}")
    sink = graph.add("abuffersink")
    last.link_to(limit)
    limit.link_to(sink)
    graph.configure()
    return graph, sources, sink


def _pulled(sink: Any) -> Iterator[bytes]:
    while True:
        try:
            frame = sink.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield bytes(frame.planes[0])[: frame.samples * _SAMPLE_BYTES]


def _silence(samples: int) -> Iterator[bytes]:
    for start in range(0, samples, BLOCK_SAMPLES):
        yield bytes(min(BLOCK_SAMPLES, samples - start) * _SAMPLE_BYTES)


def _frame(data: bytes, start: int) -> Any:
    frame = av.AudioFrame(format="s16", layout="stereo", samples=len(data) // _SAMPLE_BYTES)
    frame.planes[0].update(data)
    frame.sample_rate = RATE_HZ
    frame.pts = start
    return frame


class _LaneReader:
    """Reads a lane from its start, a number of samples at a time, silence where nothing sounds."""

    def __init__(self, lane: Lane, announce: Announce) -> None:
        self.lane = lane
        self._announce = announce
        self._at = 0
        self._waiting = list(reversed(lane.sounds))
        self._sound: _SoundReader | None = None

    def read(self, samples: int) -> bytes:
        pieces = []
        while samples > 0:
            piece = self._piece(samples)
            pieces.append(piece)
            samples -= len(piece) // _SAMPLE_BYTES
            self._at += len(piece) // _SAMPLE_BYTES
        return b"".join(pieces)

    def _piece(self, samples: int) -> bytes:
        """Read up to `samples` of what comes next: a sound, or the silence before it."""
        if self._sound is None and self._waiting and self._waiting[-1].start_sample <= self._at:
            sound = self._waiting.pop()
            self._announce(sound.label, sound.name)
            self._sound = _SoundReader(sound)
        if self._sound is not None:
            piece = self._sound.read(samples)
            if piece:
                return piece
            self._sound = None
            return self._piece(samples)
        if self._waiting:
            samples = min(samples, self._waiting[-1].start_sample - self._at)
        return bytes(samples * _SAMPLE_BYTES)


class _SoundReader:
    """One sound, repeated if it loops, for exactly as long as its place on the lane."""

    def __init__(self, sound: Sound) -> None:
        self.sound = sound
        self._left = sound.samples
        self._buffer = b""
        self._source: Iterator[bytes] | None = sound_bytes(sound.path, sound.name)
        self._heard = 0
        self._short = b""

    def read(self, samples: int) -> bytes:
        """Read up to `samples`; empty when its time is over."""
        samples = min(samples, self._left)
        wanted = samples * _SAMPLE_BYTES
        while len(self._buffer) < wanted and self._source is not None:
            piece = next(self._source, None)
            if piece is not None:
                self._heard += len(piece)
                self._buffer += piece
                if self.sound.loop and self._heard <= _SHORT_BYTES:
                    self._short += piece
            elif not self._heard:
                raise MediaUnreadable(self.sound.name, "there is no sound in it")
            else:
                self._source = self._again() if self.sound.loop else None
        data, self._buffer = self._buffer[:wanted], self._buffer[wanted:]
        self._left -= samples
        return data.ljust(wanted, b"\0")

    def _again(self) -> Iterator[bytes]:
        """Start the sound once more; a short one from memory: it may have a single sample."""
        if self._heard > _SHORT_BYTES:
            return sound_bytes(self.sound.path, self.sound.name)
        return repeat(self._short * (_SHORT_BYTES // len(self._short)))
