"""Looking at every frame of a video, once, in order. Only the process that decodes calls this."""

import io
from array import array
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from aura_vcs.formats.media.findings import VideoFacts
from aura_vcs.formats.media.frame_hashes import frame_hashes
from aura_vcs.formats.media.index_entry import GRID, LUMA_BYTES, StripFacts
from aura_vcs.media.codec_names import codec_name
from aura_vcs.media.grids import FrameGrids, format_has_alpha

if TYPE_CHECKING:
    from PIL.Image import Image

STRIP_FRAMES = 16
STRIP_SIZE = (240, 136)
POSTER_SIZE = (640, 480)
FRAMES_LIMIT = 400_000
"""Frames of one video that are looked at: over four hours at 25 a second, and as much as fits into the memory."""
BLOCK = 256
"""Frames that are looked at together."""
CUT_LEVELS = 18.0
"""From this mean difference of brightness between two frames on, a scene may begin."""
CUT_STANDS_OUT = 2.5
"""So many times the differences around it a cut is."""


class VideoIndexer:
    """Takes the packets and frames of a stream, in order; `facts` and `sections` are what was found."""

    def __init__(self, stream: Any, seconds: float) -> None:
        self._stream = stream
        self._digest = blake3(bytes(stream.codec_context.extradata or b""))
        self._times = array("q")
        self._lasts: dict[int, int] = {}
        self._luma: list[bytes] = []
        self._colour: list[bytes] = []
        self._alpha: list[bytes] = []
        self._packed = {"luma": bytearray(), "colour": bytearray(), "alpha": bytearray()}
        self._hashes = array("Q")
        self._steps = array("f")
        self._before = b""
        self._bytes = 0
        self._interlaced = 0
        self._last: Any = None
        self._pictures = _Pictures(seconds, stream)

    @property
    def frames(self) -> int:
        """How many frames were looked at."""
        return len(self._times)

    @property
    def end(self) -> float:
        """The time of the last frame, in seconds."""
        return self._times[-1] / 1e6 if self._times else 0.0

    def take_packet(self, packet: Any) -> None:
        """Take in what is encoded."""
        if packet.size:
            self._digest.update(memoryview(packet))
            self._bytes += packet.size

    def take(self, frame: Any) -> None:
        """Look at a frame."""
        at = frame.time
        moment = round(float(at) * 1e6) if at is not None else (self._times[-1] + 40_000 if self._times else 0)
        self._times.append(moment)
        grids = FrameGrids(frame)
        self._luma.append(grids.luma)
        self._colour.append(grids.colour)
        if grids.alpha:
            self._alpha.append(grids.alpha)
        self._interlaced += bool(frame.interlaced_frame)
        self._last = frame
        self._pictures.take(frame, moment / 1e6, grids.luma)
        if len(self._luma) == BLOCK:
            self._flush()

    def _flush(self) -> None:
        """Compute what is made of many frames at once."""
        if not self._luma:
            return
        import numpy as np

        data = b"".join(self._luma)
        grids = np.frombuffer(data, np.uint8).reshape(-1, GRID[1], GRID[0])
        self._hashes.extend(frame_hashes(data))
        before = np.frombuffer(self._before or self._luma[0], np.uint8).reshape(1, GRID[1], GRID[0])
        line = np.concatenate([before, grids]).astype(np.int16)
        self._steps.extend(np.abs(np.diff(line, axis=0)).mean((1, 2)).tolist())
        self._before = self._luma[-1]
        self._packed["luma"] += data
        self._packed["colour"] += b"".join(self._colour)
        self._packed["alpha"] += b"".join(self._alpha)
        self._luma, self._colour, self._alpha = [], [], []

    def facts(self) -> VideoFacts:
        """Return what was found, at the end."""
        self._flush()
        stream, context = self._stream, self._stream.codec_context
        times = self._times
        steps = [after - before for before, after in pairwise(times)]
        typical = sorted(steps)[len(steps) // 2] if steps else 0
        rate = stream.average_rate or stream.guessed_rate
        last = _duration(self._last) or typical / 1e6 or (float(1 / rate) if rate else 0.0)
        seconds = (times[-1] - times[0]) / 1e6 + last if times else 0.0
        measured = len(times) / seconds if seconds > 0 else None
        name = getattr(context, "pix_fmt", None) or ""
        aspect = stream.sample_aspect_ratio or Fraction(1)
        return VideoFacts(
            codec=codec_name(context),
            width=context.width,
            height=context.height,
            frames=len(times),
            start=times[0] / 1e6 if times else 0.0,
            seconds=round(seconds, 6),
            digest=self._digest.hexdigest(),
            pixel_format=name,
            bits=_depth(self._last),
            rotation=int(getattr(self._last, "rotation", 0) or 0) if self._last is not None else 0,
            frames_per_second=round(measured, 4) if measured else None,
            is_variable=_is_variable(steps, typical),
            is_interlaced=self._interlaced > len(times) / 2,
            has_alpha=format_has_alpha(name) and name != "pal8",
            aspect=float(aspect) if aspect else 1.0,
            bits_per_second=round(8 * self._bytes / seconds) if seconds > 0 else None,
            cuts=scene_cuts(self._steps),
        )

    def sections(self) -> dict[str, bytes]:
        """Return the parts of the entry, after `facts`."""
        found = {
            "times": self._times.tobytes(),
            "hashes": self._hashes.tobytes(),
            **{name: bytes(data) for name, data in self._packed.items() if data},
            "poster": self._pictures.poster(),
            "strip": self._pictures.strip(),
        }
        return {name: data for name, data in found.items() if data}

    def strip_facts(self) -> StripFacts | None:
        """Return which frames the strip shows."""
        return self._pictures.strip_facts()


def _duration(frame: Any) -> float:
    duration, base = getattr(frame, "duration", None), getattr(frame, "time_base", None)
    return float(duration * base) if duration and base else 0.0


def _depth(frame: Any) -> int:
    return max((part.bits for part in frame.format.components), default=8) if frame is not None else 8


def _is_variable(steps: list[int], typical: int) -> bool:
    """Tell whether frames last differently long: by more than a clock that ticks in milliseconds makes of it."""
    odd = sum(abs(step - typical) > max(1_500, 0.1 * typical) for step in steps)
    return odd > max(1, 0.02 * len(steps))


def scene_cuts(steps: Sequence[float]) -> tuple[int, ...]:
    """Find the frames that a scene begins with: more of the picture changes there than around it."""
    found = []
    for n, step in enumerate(steps):
        if n and step > CUT_LEVELS:
            around = [*steps[max(1, n - 6) : n], *steps[n + 1 : n + 7]]
            if step > CUT_STANDS_OUT * (sum(around) / len(around) if around else 0.0):
                found.append(n)
    return tuple(found[:100_000])


class _Pictures:
    """The frames that a person sees: some, evenly spread, for a strip, and one that stands for the video."""

    def __init__(self, seconds: float, stream: Any) -> None:
        self._every = max(seconds, 0.04) / STRIP_FRAMES
        self._next = self._every / 2
        self._shown: list[tuple[float, Image]] = []
        self._poster: Image | None = None
        self._contrast = -1.0
        self._start: float | None = None
        self._aspect = float(stream.sample_aspect_ratio or 1) or 1.0
        self._known = seconds > 0

    def take(self, frame: Any, at: float, luma: bytes) -> None:
        """Keep a frame, if its moment has come."""
        if self._start is None:
            self._start = at
        if self._shown and at - self._start < self._next:
            return
        if self._shown:
            self._next += self._every
        self._shown.append((at, self._small(frame, STRIP_SIZE)))
        if len(self._shown) >= 2 * STRIP_FRAMES:  # it is longer than it said
            self._shown = self._shown[::2]
            self._every *= 2
        contrast = contrast_of(luma)
        if self._poster is None or contrast > 1.2 * self._contrast:
            self._poster, self._contrast = self._small(frame, POSTER_SIZE), contrast

    def _small(self, frame: Any, room: tuple[int, int]) -> "Image":
        turn = int(getattr(frame, "rotation", 0) or 0)
        wide, high = max(1.0, frame.width * self._aspect), float(max(1, frame.height))
        box = (room[1], room[0]) if turn % 180 else room
        scale = min(1.0, box[0] / wide, box[1] / high)
        size = max(2, round(wide * scale)), max(2, round(high * scale))
        small = frame.reformat(size[0], size[1], "rgb24", interpolation="AREA").to_image()
        picture: Image = small.rotate(turn, expand=True) if turn else small
        return picture

    def poster(self) -> bytes:
        """Return the JPEG file of the poster frame."""
        return as_jpeg(self._poster) if self._poster is not None else b""

    def strip(self) -> bytes:
        """Return the JPEG file of the strip."""
        from PIL import Image

        if not self._shown:
            return b""
        wide, high = self._shown[0][1].size
        sheet = Image.new("RGB", (wide * len(self._shown), high))
        for n, (_, picture) in enumerate(self._shown):
            sheet.paste(picture, (n * wide, 0))
        return as_jpeg(sheet)

    def strip_facts(self) -> StripFacts | None:
        """Return what the strip shows."""
        if not self._shown:
            return None
        wide, high = self._shown[0][1].size
        return StripFacts(wide, high, tuple(round(at, 4) for at, _ in self._shown))


def contrast_of(luma: bytes) -> float:
    """Return how much there is to see in a small picture of brightness."""
    mean = sum(luma) / LUMA_BYTES
    return sum(abs(level - mean) for level in luma[::7])


def as_jpeg(picture: "Image") -> bytes:
    """Encode a picture as the bytes of a JPEG file."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return out.getvalue()
