"""Small media files that the tests of this folder make themselves."""

import io
import math
import struct
import wave
import zlib
from pathlib import Path


def png(width: int = 4, height: int = 3) -> bytes:
    """A grey PNG, without any library."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def wav(seconds: float = 1.0, *, volume: float = 0.5, rate: int = 8_000, quiet: tuple[float, float] = (0, 0)) -> bytes:
    """A tone as a mono WAV file; between the `quiet` times it is silent."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        samples = (
            0 if quiet[0] <= n / rate < quiet[1] else int(32_767 * volume * math.sin(n * 0.4))
            for n in range(int(seconds * rate))
        )
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def picture(path: Path, *, size: tuple[int, int] = (160, 90), spot: bool = False, shade: int = 0) -> Path:
    """A colourful picture in the format of the suffix; `spot` puts something into it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size)
    pixels = [
        (min(255, x * 255 // size[0] + shade), y * 255 // size[1], (x + y) % 256)
        for y in range(size[1])
        for x in range(size[0])
    ]
    image.putdata(pixels)
    if spot:
        ImageDraw.Draw(image).rectangle((20, 20, 60, 60), fill=(255, 0, 0))
    image.save(path)
    return path


def film(path: Path, colours: list[tuple[int, int, int]], *, size: tuple[int, int] = (64, 36)) -> Path:
    """A video of one second for each colour at 10 frames per second; stripes tell colours apart."""
    import av
    from PIL import Image, ImageDraw

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx" if path.suffix == ".webm" else "libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.gop_size = 10
        for colour in colours:
            image = Image.new("RGB", size, colour)
            ImageDraw.Draw(image).rectangle((colour[0] % 50, 4, colour[0] % 50 + 12, 30), fill=(255, 255, 255))
            for _ in range(10):
                for packet in stream.encode(av.VideoFrame.from_image(image)):
                    container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path
