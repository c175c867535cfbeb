"""Media as editors have it and browsers do not play it."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy
from PIL import Image

from tests.ui.story import clip_for_broadcast

FILM = "assets/phone.mp4"
BROADCAST = "assets/take.mxf"
WAVE = "assets/dictated.wav"
STILL = "assets/still.tif"
BROKEN = "assets/broken.mxf"
FRAMES = "renders/shot.{:04d}.dpx"


def encode(path: Path, codec: str, frames: int, *, sound: str | None = None) -> None:
    """Write a film in a form of one's choice."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 320, 180, "yuv420p", Fraction(1, 25)
        stream.codec_tag = "hvc1" if codec == "libx265" else stream.codec_tag
        voice: Any = out.add_stream(sound, rate=48_000) if sound else None
        for n in range(frames):
            for packet in stream.encode(av.VideoFrame.from_image(Image.new("RGB", (320, 180), (n, 40, 90)))):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
        if voice is not None:
            heard = av.AudioFrame.from_ndarray(numpy.zeros((1, 48_000), "float32"), format="fltp", layout="mono")
            heard.sample_rate = 48_000
            for frame in (heard, None):
                for packet in voice.encode(frame):
                    out.mux(packet)


def _dictated(path: Path) -> None:
    """Write a second of sound in a form that only old recorders write."""
    with av.open(str(path), "w", format="wav") as out:
        stream: Any = out.add_stream("adpcm_ima_wav", rate=11_025, layout="mono")
        samples = (9_000 * numpy.sin(numpy.arange(11_025) * 0.2)).astype("int16").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 11_025
        for one in (frame, None):
            for packet in stream.encode(one):
                out.mux(packet)


def write_takes(root: Path) -> None:
    for folder in ("assets", "renders"):
        (root / folder).mkdir(parents=True)
    encode(root / FILM, "libx265" if "libx265" in av.codecs_available else "mpeg4", 50, sound="aac")
    clip_for_broadcast(root / BROADCAST)
    _dictated(root / WAVE)
    Image.new("RGB", (640, 360), (200, 40, 40)).save(root / STILL)
    (root / BROKEN).write_bytes(b"not a film" * 100)
    for n in [*range(1, 8), *range(9, 14)]:
        with av.open(str(root / FRAMES.format(n)), "w", format="image2") as out:
            stream: Any = out.add_stream("dpx", rate=25)
            stream.width, stream.height, stream.pix_fmt = 160, 90, "rgb24"
            for packet in stream.encode(av.VideoFrame.from_image(Image.new("RGB", (160, 90), (n * 10, 0, 0)))):
                out.mux(packet)
