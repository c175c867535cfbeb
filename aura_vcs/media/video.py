"""Looking into video and sound with PyAV (FFmpeg). Only the worker process calls this.

Files are opened as the formats they look like and through a file object: a playlist cannot make
FFmpeg open other files or the network.
"""

import math
import time
from typing import TYPE_CHECKING, Any

from aura_vcs.formats.media.findings import DecodeLimits, Stretches
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.media.intervals import stretches
from aura_vcs.media.loudness import Levels, LoudnessMeter
from aura_vcs.media.pictures import distance, thumbnail

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
SAMPLES = 96
"""Moments of a video that are looked at, if there is time."""
MOMENT_SECONDS = 0.25
"""Moments are never closer than this."""
APART = 0.08
"""From this distance on, two frames show something else."""
FRAMES_LIMIT = 300
"""Frames decoded to reach one moment."""


class Film:
    """An open video or sound file. What takes long stops when the process has used `ends` seconds.

    Raises:
        ValueError: it does not look like a format we open.
        OSError: FFmpeg cannot read it.
    """

    def __init__(self, path: str, limits: DecodeLimits, ends: float) -> None:
        import av

        self.limits = limits
        self.ends = ends
        self._file = open(path, "rb")  # noqa: SIM115  closed with the process
        header = read_header(self._file)
        if header is None or header.format not in DEMUXERS:
            raise ValueError("it is not a video or sound format that is looked into")
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
        """Read the header that the streams give, more exact than the file's own."""
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

    @property
    def seconds(self) -> float:
        """How long it is, as far as the file says."""
        return max(0.0, (self.container.duration or 0) / 1_000_000)

    def check_size(self) -> None:
        """Raise ValueError for a picture of more pixels than the limit."""
        if self.video is not None and self.video.width * self.video.height > self.limits.pixels:
            raise ValueError(f"it has {self.video.width}×{self.video.height} pixels")

    def frame_at(self, seconds: float) -> "Image | None":
        """Decode a small picture of the frame shown at a time, decoding at most a few seconds before it."""
        self.container.seek(int(seconds * 1_000_000), backward=True, any_frame=False)
        last = None
        for n, frame in enumerate(self.container.decode(self.video)):
            last = frame
            if frame.time is None or frame.time >= seconds - 1e-3 or n > FRAMES_LIMIT:
                break
        if last is None:
            return None
        picture: Image = last.to_image(width=320, height=max(2, 320 * last.height // max(1, last.width)))
        return picture

    def strip(self, count: int) -> list[bytes]:
        """Make up to `count` thumbnails, evenly spread, as many as there is time for."""
        if self.video is None or not count:
            return []
        self.check_size()
        moments = [self.seconds * (n + 0.5) / count for n in range(count)] if self.seconds else [0.0]
        shown = []
        for at in moments:
            if time.process_time() > self.ends:
                break
            frame = self.frame_at(at)
            if frame is not None:
                shown.append(thumbnail(frame))
        return shown

    def levels(self, *, banded: bool) -> Levels:
        """Measure peak, loudness and envelope of the first sound stream; the beginning only, if it is long."""
        if self.sound is None:
            return Levels()
        self.container.seek(0)
        meter = LoudnessMeter(self.sound, banded=banded)
        for frame in self.container.decode(self.sound):
            if meter.levels.seconds >= self.limits.sound_seconds or time.process_time() > self.ends:
                meter.levels.partial = True
                break
            meter.take(frame)
        meter.close()
        return meter.levels


def differing_scenes(old: Film, new: Film, lead: float) -> tuple[Stretches, bool]:
    """Find stretches in seconds where the pictures differ, and whether there was no time to look closely.

    Both are looked at in the same moments: first a few that are far apart, then those between.
    What only the new one has differs. It begins `lead` seconds before the old one.
    """
    for film in (old, new):
        film.check_size()
    count = max(1, min(SAMPLES, math.ceil(new.seconds / MOMENT_SECONDS)))
    moments = [new.seconds * (n + 0.5) / count for n in range(count)]
    seen: dict[float, bool] = {}
    late = False
    for at in _coarse_first(moments):
        late = late or time.process_time() > min(old.ends, new.ends)
        if not lead <= at <= old.seconds + lead:
            seen[at] = True
        elif not late:
            before, after = old.frame_at(at - lead), new.frame_at(at)
            seen[at] = before is None or after is None or distance(before, after) > APART
    return stretches(sorted(seen.items()), new.seconds), late


def _coarse_first(moments: list[float]) -> list[float]:
    """Order moments: every sixteenth, then every eighth …: wherever one stops, the whole was looked at."""
    order: dict[float, None] = {}
    for stride in (16, 8, 4, 2, 1):
        order.update(dict.fromkeys(moments[stride // 2 :: stride]))
    return list(order)
