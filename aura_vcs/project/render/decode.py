"""Opens people's media files for decoding. Only imported in the process that `media_process` starts.

FFmpeg guesses a file's format by its content, and some formats are programs: a playlist called
`clip.mp4` may name other files or addresses. Only plain containers are opened, and only files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
import av.error
from PIL import Image, ImageOps, UnidentifiedImageError

from aura_vcs.errors import MediaUnreadable
from aura_vcs.formats.media.wav_png import HeaderFacts

MAX_PIXELS = 100_000_000
"""Pictures and frames with more are refused: 100 megapixels take 400 MB."""
RATE_HZ = 48_000
"""Sound is decoded to this rate, two channels, 16 bits."""

_CONTAINERS = "mov,matroska,avi,wav,mp3,aac,flac,ogg,aiff,mpeg,mpegts,mxf,asf,w64,caf"
_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_BYTES_PER_SAMPLE = 4
_TOLERANT: Any = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
"""Titles and the like may be in any encoding; from PyAV 19 on it asks no more."""

Image.MAX_IMAGE_PIXELS = None  # `open_picture` checks the size itself, as an error, not a warning


@contextmanager
def _opened(path: str, name: str) -> Iterator[Any]:
    """Yield an open input container; what FFmpeg says becomes `MediaUnreadable`."""
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", "r", container_options=options, **_TOLERANT) as container:
            yield container
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaUnreadable(name, _reason(error)) from error


def open_picture(path: str, name: str) -> Image.Image:
    """Open the picture, upright, as RGB or RGBA.

    Raises:
        MediaUnreadable: it is damaged, too large, or of a kind that is not read.
    """
    try:
        with Image.open(path, formats=_PICTURES) as image:
            if image.width * image.height > MAX_PIXELS:
                raise MediaUnreadable(name, f"{image.width}x{image.height} pixels are more than {MAX_PIXELS:,}")
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError) as error:
        raise MediaUnreadable(name, _reason(error)) from error


def clip_frames(path: str, name: str) -> Iterator[tuple[float, Any]]:
    """Yield the clip's frames with their times in seconds, the first at 0.

    Raises:
        MediaUnreadable: it has no picture, is damaged, or its frames are too large.
    """
    with _opened(path, name) as container:
        if not container.streams.video:
            raise MediaUnreadable(name, "it has no video stream")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        first: float | None = None
        for number, frame in enumerate(container.decode(stream)):
            if frame.width * frame.height > MAX_PIXELS:
                raise MediaUnreadable(name, f"frames of {frame.width}x{frame.height} pixels are too large")
            at = frame.time if frame.pts is not None and frame.time is not None else float(number / rate)
            first = at if first is None else first
            yield at - first, frame


def sound_bytes(path: str, name: str) -> Iterator[bytes]:
    """Yield the sound as interleaved 16-bit stereo at `RATE_HZ`, in pieces.

    Raises:
        MediaUnreadable: it has no sound or is damaged.
    """
    with _opened(path, name) as container:
        if not container.streams.audio:
            raise MediaUnreadable(name, "it has no audio stream")
        resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE_HZ)
        for frame in container.decode(container.streams.audio[0]):
            frame.pts = None  # gaps in broken time stamps are not silence
            for piece in resampler.resample(frame):
                yield _samples(piece)
        for piece in resampler.resample(None):
            yield _samples(piece)


def _samples(frame: Any) -> bytes:
    return bytes(frame.planes[0])[: frame.samples * _BYTES_PER_SAMPLE]


def probe(path: str, name: str) -> HeaderFacts:
    """Read what a picture, sound or clip is, without decoding more than its start.

    Raises:
        MediaUnreadable: it is neither, or damaged.
    """
    try:
        with Image.open(path, formats=_PICTURES) as image:
            kind = (image.format or "").lower()
            return HeaderFacts(kind, width=image.width, height=image.height, video_codec=kind)
    except (OSError, ValueError, SyntaxError):
        return _probe_container(path, name)


def _probe_container(path: str, name: str) -> HeaderFacts:
    with _opened(path, name) as container:
        video = next((s for s in container.streams.video if s.codec_context is not None), None)
        audio = next((s for s in container.streams.audio if s.codec_context is not None), None)
        if video is None and audio is None:
            raise MediaUnreadable(name, "it has neither picture nor sound")
        length = container.duration / av.time_base if container.duration is not None else None
        rate = (video.average_rate or video.guessed_rate) if video else None
        return HeaderFacts(
            container.format.name.split(",")[0],
            duration_seconds=round(length, 6) if length is not None else None,
            width=video.width if video else None,
            height=video.height if video else None,
            frame_rate=round(float(rate), 4) if rate else None,
            video_codec=video.codec_context.name if video else None,
            audio_codec=audio.codec_context.name if audio else None,
            sample_rate_hz=audio.rate if audio else None,
            channels=audio.channels if audio else None,
        )


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"it is not a picture of a known kind ({', '.join(_PICTURES)})"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, (av.error.InvalidDataError, av.error.ArgumentError)):
        return "the data is damaged, or of a kind that is not read"
    return str(text).splitlines()[0][:200]
