"""Small clips with known content, made once per run of the tests and shared by them."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw

SIZE = (320, 180)
RATE = 25
Paint = Callable[[int], Image.Image]
"""Paints frame n."""


def scenery(n: int, size: tuple[int, int] = SIZE, seed: int = 0) -> Image.Image:
    """A picture that moves: a gradient that drifts, and a ball."""
    wide, high = size
    base = Image.linear_gradient("L").resize(size)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    both = Image.new("L", (2 * wide, high))
    both.paste(across, (0, 0))
    both.paste(across.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (wide, 0))
    shifted = ImageChops.offset(both, -(3 * n + 57 * seed) % (2 * wide), 0).crop((0, 0, wide, high))
    picture = Image.merge("RGB", (base, shifted, Image.new("L", size, (40 * seed + 90) % 256)))
    draw = ImageDraw.Draw(picture)
    x = round(wide * (0.5 + 0.4 * math.sin(0.13 * n + seed)))
    y = round(high * (0.5 + 0.35 * math.cos(0.071 * n + 2 * seed)))
    r = high // 8
    draw.ellipse((x - r, y - r, x + r, y + r), fill=((seed * 83 + 250) % 256, 220, 40))
    return picture


def with_box(paint: Paint, frames: Iterable[int], box: tuple[int, int, int, int]) -> Paint:
    """Another painting with a white box in some frames."""
    chosen = frozenset(frames)

    def painted(n: int) -> Image.Image:
        picture = paint(n)
        if n in chosen:
            ImageDraw.Draw(picture).rectangle(box, fill=(255, 255, 255))
        return picture

    return painted


def melody(seconds: float, rate: int = 48_000, channels: int = 1, seed: int = 0) -> Any:
    """Samples from -1 to 1, channels × samples: other tones every 0.2 s, so that every moment is another one."""
    import numpy as np

    at = np.arange(round(seconds * rate)) / rate
    dice = np.random.default_rng(seed)
    step = np.floor(at / 0.2).astype(int)
    sound = np.zeros(len(at))
    for low, high in ((80, 400), (400, 1_500), (1_500, 5_000)):
        tone, level = dice.uniform(low, high, 200)[step], 10 ** dice.uniform(-2.5, -0.6, 200)[step]
        sound += level * np.sin(2 * np.pi * tone * at)
    return np.stack([sound * (1 - 0.3 * channel) for channel in range(channels)])


def write_film(
    path: Path,
    pictures: Sequence[Image.Image] | Iterator[Image.Image] = (),
    sound: Any = None,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pixel_format: str = "yuv420p",
    rate: int = RATE,
    sound_codec: str = "",
    sound_rate: int = 48_000,
    times: Sequence[int] | None = None,
    container_options: dict[str, str] | None = None,
    container: str | None = None,
) -> Path:
    """Write a video with or without sound, or a sound. `times` are those of the frames, in milliseconds."""
    import av
    import numpy as np

    with av.open(str(path), "w", format=container, options=container_options or {}) as target:
        video = heard = None
        pictures = iter(pictures)
        first = next(pictures, None)
        if first is not None:
            video = target.add_stream(codec, rate=rate, options=options or {})
            video.width, video.height, video.pix_fmt = *first.size, pixel_format
            if times is not None:
                from fractions import Fraction

                video.time_base = video.codec_context.time_base = Fraction(1, 1000)
        if sound is not None:
            heard = target.add_stream(sound_codec or "aac", rate=sound_rate)
            heard.layout = "mono" if sound.shape[0] == 1 else "stereo"
        number = 0
        while first is not None and video is not None:
            frame = av.VideoFrame.from_image(first)
            if times is not None:
                frame.pts, frame.time_base = times[number], video.time_base
            else:
                frame.pts = None
            target.mux(video.encode(frame))
            number += 1
            first = next(pictures, None)
        if video is not None:
            target.mux(video.encode(None))
        if heard is not None:
            data = np.ascontiguousarray(sound.T.reshape(1, -1), dtype=np.float32)
            whole = av.AudioFrame.from_ndarray(data, format="flt", layout=heard.layout.name)
            whole.rate = sound_rate
            resampler = av.AudioResampler(
                format=heard.format or "s16", layout=heard.layout, rate=sound_rate, frame_size=heard.frame_size or 1024
            )
            for part in [*resampler.resample(whole), *resampler.resample(None)]:
                target.mux(heard.encode(part))
            target.mux(heard.encode(None))
    return path


def remux(source: Path, target: Path, options: dict[str, str] | None = None) -> Path:
    """Copy the packets of a film into another container."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", options=options or {}) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    return target
