"""Encodes a film: composed frames and mixed sound into one file. Only imported in the rendering process."""

import time
from collections.abc import Callable, Hashable, Iterator
from fractions import Fraction
from typing import Any

import av
import av.codec
from PIL import Image

from aura_vcs.errors.documents import EncoderMissing
from aura_vcs.project.render.audio_mix import mixed_frames
from aura_vcs.project.render.captions import caption
from aura_vcs.project.render.decode import RATE_HZ
from aura_vcs.project.render.frames import ShotPainter, transition
from aura_vcs.project.render.job import RenderJob, WorkerReport
from aura_vcs.project.render.presets import ExportPreset

_SPEEDS = {
    "libx264": {"Draft": "ultrafast", "Good": "veryfast", "High": "fast", "Maximum": "slow"},
    "libx265": {"Draft": "ultrafast", "Good": "veryfast", "High": "fast", "Maximum": "medium"},
    "libvpx-vp9": {"Draft": "8", "Good": "5", "High": "4", "Maximum": "2"},
}
_THREADS = 8
"""The same on every machine: what H.264 encoders write depends on the number."""
_BT709 = 1
_LIMITED_RANGE = 1
_REPORT_SECONDS = 0.2
_MUXERS = {
    "mp3": "mp3",
    "mp4": "mp4",
    "mov": "mov",
    "webm": "webm",
    "mkv": "matroska",
    "wav": "wav",
    "m4a": "ipod",
}

Send = Callable[[WorkerReport], None]


def render(job: RenderJob, send: Send) -> None:
    """Write `job.output` and report on the way; the file is complete when this returns.

    Raises:
        EncoderMissing: FFmpeg has no encoder or container of that name.
        MediaUnreadable: a file of the film cannot be decoded.
    """
    _require_encoders(job.preset)
    counter = _Counter(send)
    announce = counter.at
    with av.open(job.output, "w", format=_MUXERS[job.preset.container], container_options=_muxing(job)) as container:
        if job.title:
            container.metadata["title"] = job.title
        video = _video_stream(container, job.preset) if job.preset.video_codec else None
        sound = _SoundTrack(container, job, announce)
        if video is None:
            for until in range(RATE_HZ, job.samples + RATE_HZ, RATE_HZ):
                counter.add(sound.encode(until))
        else:
            for number, frame in enumerate(_frames(job, announce), start=1):
                container.mux(video.encode(frame))
                sound.encode(number * RATE_HZ // job.preset.frame_rate)
                counter.add(1)
            container.mux(video.encode(None))
        sound.finish(job.samples)
    counter.flush()


def _require_encoders(preset: ExportPreset) -> None:
    for name in (preset.video_codec, preset.audio_codec):
        if name is None:
            continue
        try:
            av.codec.Codec(name, "w")
        except (av.codec.codec.UnknownCodecError, ValueError) as error:
            raise EncoderMissing(preset.name, name) from error


def _muxing(job: RenderJob) -> dict[str, str]:
    options = {"fflags": "+bitexact"}  # no library versions in the file: the same film, the same bytes
    if job.preset.container in ("mp4", "mov"):
        options["movflags"] = "+faststart"
    return options


def _video_stream(container: Any, preset: ExportPreset) -> Any:
    codec = preset.video_codec or ""
    stream = container.add_stream(codec, rate=Fraction(preset.frame_rate))
    stream.width, stream.height = preset.width, preset.height
    stream.pix_fmt = preset.pixel_format
    context = stream.codec_context
    context.bit_rate = preset.video_bitrate_k * 1000
    context.thread_count = _THREADS
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED_RANGE
    speed = _SPEEDS.get(codec, {}).get(preset.quality, "")
    stream.options = {
        "libx264": {"preset": speed},
        "libx265": {"preset": speed, "x265-params": f"log-level=error:pools={_THREADS}"},
        "libvpx-vp9": {
            "deadline": "realtime" if preset.quality == "Draft" else "good",
            "cpu-used": speed,
            "row-mt": "1",
        },
        "prores_ks": {"profile": "hq", "vendor": "apl0"},
    }.get(codec, {})
    if codec == "libx265" and preset.container in ("mp4", "mov"):
        context.codec_tag = "hvc1"  # without it Apple's players show a black picture
    return stream


def _audio_stream(container: Any, preset: ExportPreset) -> Any:
    stream = container.add_stream(preset.audio_codec, rate=preset.sample_rate_hz, layout="stereo")
    if not preset.audio_codec.startswith("pcm_"):
        stream.codec_context.bit_rate = preset.audio_bitrate_k * 1000
    if preset.audio_codec == "aac" and preset.quality == "Draft":
        stream.options = {"aac_coder": "fast"}  # the default takes longer than the picture of a draft
    return stream


class _SoundTrack:
    """The sound of the file, encoded as far as the picture is."""

    def __init__(self, container: Any, job: RenderJob, announce: Callable[[str, str], None]) -> None:
        self._container = container
        self._stream = _audio_stream(container, job.preset)
        self._frames = mixed_frames(job.lanes, job.samples, announce)
        self._done = 0

    def encode(self, until: int) -> int:
        """Encode at least up to sample `until`, while there is sound; how many samples were encoded."""
        before = self._done
        while self._done < until:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._done += frame.samples
            self._container.mux(self._stream.encode(frame))
        return self._done - before

    def finish(self, samples: int) -> None:
        """Encode what is left of `samples` and what the encoder held back."""
        self.encode(samples)
        self._container.mux(self._stream.encode(None))


def _frames(job: RenderJob, announce: Callable[[str, str], None]) -> Iterator[Any]:
    """Yield every frame of the film, converted for the encoder. A repeated picture is converted once."""
    preset = job.preset
    captions = _Captions(job)
    shown: tuple[Hashable, Any] | None = None
    for number, (key, image) in enumerate(_pictures(job, announce)):
        caption_key, drawn = captions.on(number, image)
        if shown is None or shown[0] != (key, caption_key):
            shown = ((key, caption_key), _converted(drawn(), preset))
        frame = shown[1]
        frame.pts, frame.time_base = number, Fraction(1, preset.frame_rate)
        yield frame


def _pictures(job: RenderJob, announce: Callable[[str, str], None]) -> Iterator[tuple[Hashable, Image.Image]]:
    """Yield every picture of the film without subtitles, each with a key that equal ones share."""
    size = (job.preset.width, job.preset.height)
    before = Image.new("RGB", size)
    for shot in job.shots:
        announce(shot.label, "")
        painter = ShotPainter(shot, size, job.preset.frame_rate)
        image = before
        for number in range(shot.frames):
            key, image = painter.frame(number)
            if shot.transition != "None" and number < shot.transition_frames:
                progress = (number + 1) / (shot.transition_frames + 1)
                yield (key, number), transition(shot.transition, before, image, progress)
            else:
                yield key, image
        before = image


class _Captions:
    """Draws the subtitle of the moment."""

    def __init__(self, job: RenderJob) -> None:
        self._size = (job.preset.width, job.preset.height)
        self._style = job.style
        self._cues = list(job.cues)
        self._drawn: tuple[int, Any] | None = None

    def on(self, number: int, image: Image.Image) -> tuple[int | None, Callable[[], Image.Image]]:
        """Return a key of the caption at frame `number`, None for none, and a function that draws it on the picture."""
        while self._cues and self._cues[0].end_frame <= number:
            self._cues.pop(0)
        if not self._cues or self._cues[0].start_frame > number:
            return None, lambda: image
        cue = self._cues[0]
        number_of_cue = len(self._cues)
        if self._drawn is None or self._drawn[0] != number_of_cue:
            self._drawn = (number_of_cue, caption(cue.text, self._size, self._style))
        overlay, place = self._drawn[1]

        def draw() -> Image.Image:
            result = image.copy()
            result.paste(overlay, place, overlay)
            return result

        return number_of_cue, draw


def _converted(image: Image.Image, preset: ExportPreset) -> Any:
    frame = av.VideoFrame.from_image(image)
    return frame.reformat(
        format=preset.pixel_format,
        dst_colorspace="ITU709",
        dst_color_range="MPEG",
        dst_color_primaries=_BT709,
        dst_color_trc=_BT709,
    )


class _Counter:
    """Reports progress a few times a second, not for every frame."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._count = 0
        self._sent = time.monotonic()

    def at(self, label: str, name: str) -> None:
        self._send(WorkerReport("at", label=label, name=name))

    def add(self, amount: int) -> None:
        self._count += amount
        if time.monotonic() - self._sent > _REPORT_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._count:
            self._send(WorkerReport("frames", count=self._count))
        self._count, self._sent = 0, time.monotonic()
