"""The process that makes what a browser can play of what it cannot: `python -m aura_vcs.media.proxy_worker`.

It gets an open file under its number, and writes the proxy to its standard output while it makes it: a JPEG file, or an
MP4 in fragments with H.264 and AAC. Alone, without the caller's environment, with limits; exit code 3 where the file
cannot be decoded.
"""

import os
from typing import Any, Literal

import msgspec

from aura_vcs.media.limits import confine

WIDTH, HEIGHT = 1280, 720
"""A video is made at most as large."""
SIDE = 2_560
"""So is a picture's longer side."""
UNREADABLE = 3
PIXELS = 120_000_000


class ProxyRequest(msgspec.Struct, frozen=True):
    """Which file, and what is to come out."""

    file: int
    kind: Literal["picture", "sound", "video"]
    memory_bytes: int
    cpu_seconds: int


def main() -> None:
    """Make one proxy."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=ProxyRequest)
    confine(memory_bytes=request.memory_bytes, cpu_seconds=request.cpu_seconds, file_bytes=0)
    try:
        with open(request.file, "rb", closefd=False) as media:
            (_picture if request.kind == "picture" else _film)(media)
    except Exception:  # whatever a decoder raises: the file is at fault
        os._exit(UNREADABLE)


class _Output:
    """Standard output, for a muxer that must not seek."""

    def write(self, data: bytes) -> int:
        """Write all of it."""
        left = memoryview(data)
        while left:
            left = left[os.write(1, left) :]
        return len(data)


def _picture(media: Any) -> None:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        picture: Any = Image.open(media)
        picture.load()
    except OSError:
        media.seek(0)
        picture = _first_frame(media)
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    picture.save(_Output(), "JPEG", quality=88)


def _first_frame(media: Any) -> Any:
    """Decode a picture that only FFmpeg knows (DPX, EXR)."""
    import av

    with av.open(media) as found:
        return next(found.decode(video=0)).to_image()


def _film(media: Any) -> None:
    """Encode picture and sound anew, as far as there are."""
    import av

    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(media) as found, av.open(_Output(), "w", format="mp4", options=flags) as out:
        video = found.streams.video[0] if found.streams.video else None
        sound = found.streams.audio[0] if found.streams.audio else None
        outputs: dict[int, Any] = {}
        if video is not None:
            outputs[video.index] = _video_output(out, video)
        if sound is not None:
            outputs[sound.index] = out.add_stream("aac", rate=48_000, layout="stereo")
        for frame in found.decode([stream for stream in (video, sound) if stream is not None]):
            is_picture = isinstance(frame, av.VideoFrame)
            target = outputs[video.index if is_picture and video is not None else sound.index]  # type: ignore[union-attr]
            for packet in target.encode(_fitted(frame, target) if is_picture else frame):
                out.mux(packet)
        for target in outputs.values():
            for packet in target.encode():
                out.mux(packet)


def _fitted(frame: Any, target: Any) -> Any:
    """Make a frame as large as the proxy, and leave it to the encoder what kind of frame it becomes."""
    fitted = frame.reformat(width=target.width, height=target.height, format="yuv420p")
    fitted.pict_type = 0
    return fitted


def _video_output(out: Any, video: Any) -> Any:
    share = min(1.0, WIDTH / video.width, HEIGHT / video.height)
    rate = video.average_rate or 25
    made = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "26", "g": "50"})
    made.width, made.height = (max(2, int(side * share) // 2 * 2) for side in (video.width, video.height))
    made.pix_fmt = "yuv420p"
    made.time_base = video.time_base
    return made


if __name__ == "__main__":
    main()
