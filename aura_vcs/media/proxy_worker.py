"""The process that makes what a browser can play of what it cannot: `python -m aura_vcs.media.proxy_worker`.

It gets open files under their numbers: what is to be decoded, and an empty one that it writes the proxy to, a JPEG file
or an MP4 with H.264 and AAC. To its standard output goes how far it is, a line of hundredths several times a second
("-" where nobody knows). Alone, without the caller's environment, with limits; exit code 3 where the file cannot be
decoded, 4 where the proxy would be larger than it may be, or the disk is full.
"""

import errno
import io
import os
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

import msgspec

from aura_vcs.media.limits import confine

ProxyKind = Literal["picture", "sound", "video", "sequence"]
WIDTH, HEIGHT = 1280, 720
"""A video is made at most as large."""
SIDE = 2_560
"""So is a picture's longer side."""
UNREADABLE = 3
NO_ROOM = 4
PIXELS = 120_000_000
REPORT_SECONDS = 0.25
SOUNDS_WAITING = 4_000
"""So many pieces of sound wait for a first picture; then the film has none."""
AS_SHOWN = {"apply_trc": "iec61966_2_1"}
"""EXR files have light as it is; screens want it brighter in the shadows. Other decoders know no such option."""
TURNS = {90: "transpose=cclock", -270: "transpose=cclock", -90: "transpose=clock", 270: "transpose=clock",
         180: "hflip,vflip", -180: "hflip,vflip"}  # fmt: skip
"""What turns a frame that says by how many degrees it lies, as telephones write them."""


class ProxyRequest(msgspec.Struct, frozen=True):
    """What is decoded, and what is to come out.

    Of a sequence, `file` is a pipe with pictures one after the other, which have the `sizes`, and each is shown for
    1 / `rate` of a second.
    """

    file: int
    target: int
    kind: ProxyKind
    memory_bytes: int
    cpu_seconds: int
    most_bytes: int
    sizes: tuple[int, ...] = ()
    rate: int = 25


def main() -> None:
    """Make one proxy."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=ProxyRequest)
    confine(memory_bytes=request.memory_bytes, cpu_seconds=request.cpu_seconds, file_bytes=request.most_bytes)
    make = {"picture": _picture, "sound": _film, "video": _film, "sequence": _sequence}[request.kind]
    try:
        with open(request.file, "rb", closefd=False) as media, open(request.target, "wb", closefd=False) as target:
            make(media, target, request)
    except Exception as error:  # whatever a decoder raises: the file is at fault
        is_full = getattr(error, "errno", None) in (errno.EFBIG, errno.ENOSPC, errno.EDQUOT)
        os._exit(NO_ROOM if is_full else UNREADABLE)


class _Reports:
    """Says how far it is. Ends the process where nobody listens any more: writing fails then."""

    def __init__(self) -> None:
        self._next = 0.0

    def at(self, share: float | None) -> None:
        """Say what share is done, if that was not said just now."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REPORT_SECONDS
            line = "-\n" if share is None else f"{100 * min(1.0, max(0.0, share)):.0f}\n"
            os.write(1, line.encode())


def _picture(media: Any, target: Any, _: ProxyRequest) -> None:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = PIXELS
    try:
        picture: Any = Image.open(media)
        picture.load()
    except OSError:
        media.seek(0)
        picture = _first_frame(media).to_image()
    picture = ImageOps.exif_transpose(picture).convert("RGB")
    picture.thumbnail((SIDE, SIDE))
    picture.save(target, "JPEG", quality=88)


def _first_frame(media: Any) -> Any:
    """Decode a picture as FFmpeg does, which knows more of them (DPX, EXR, 16 bits a colour)."""
    import av

    with av.open(media) as found:
        if found.streams.video[0].codec_context.name == "exr":
            found.streams.video[0].codec_context.options = AS_SHOWN
        return next(found.decode(video=0))


def _film(media: Any, target: Any, _: ProxyRequest) -> None:
    """Encode picture and sound anew, as far as there are."""
    import av

    with av.open(media) as found, av.open(target, "w", format="mp4") as out:
        video = found.streams.video[0] if found.streams.video else None
        sound = found.streams.audio[0] if found.streams.audio else None
        film = _Film(out, video, sound)
        whole = found.duration / av.time_base if found.duration else None
        begins = (found.start_time or 0) / av.time_base
        reports = _Reports()
        for frame in found.decode([stream for stream in (video, sound) if stream is not None]):
            film.take(frame, is_picture=isinstance(frame, av.VideoFrame))
            reports.at((frame.time - begins) / whole if whole and frame.time is not None else None)
        film.end()


class _Film:
    """Picture and sound that are encoded. No stream can be added once something was written, so sound waits."""

    def __init__(self, out: Any, video: Any, sound: Any) -> None:
        self._out = out
        self._video = video
        self._picture: Any = None
        self._sound = out.add_stream("aac", rate=48_000, layout="stereo") if sound is not None else None
        self._waiting: list[Any] = []
        self._is_waiting = video is not None and sound is not None
        self._upright = _Upright()

    def take(self, frame: Any, *, is_picture: bool) -> None:
        """Take the next frame of either."""
        if is_picture and (self._picture is not None or self._is_waiting or self._sound is None):
            upright = self._upright.turn(frame)
            if self._picture is None:
                rate = self._video.average_rate or 25
                self._picture = _video_output(self._out, upright, rate, self._video.time_base)
                self._go_on()
            self._write(self._picture, _fitted(upright, self._picture))
        elif not is_picture and self._is_waiting:
            self._waiting.append(frame)
            if len(self._waiting) > SOUNDS_WAITING:
                self._go_on()
        elif not is_picture:
            self._write(self._sound, frame)

    def end(self) -> None:
        """Write what is left."""
        self._go_on()
        for known in (self._picture, self._sound):
            if known is not None:
                self._write(known, None)

    def _go_on(self) -> None:
        self._is_waiting = False
        for frame in self._waiting:
            self._write(self._sound, frame)
        self._waiting = []

    def _write(self, known: Any, frame: Any) -> None:
        for packet in known.encode(frame):
            self._out.mux(packet)


def _sequence(media: Any, target: Any, request: ProxyRequest) -> None:
    """Make a film of pictures."""
    import av

    reports = _Reports()
    rate = Fraction(request.rate)
    with av.open(target, "w", format="mp4") as out:
        made: Any = None
        for number, frame in enumerate(_pictures(media, request.sizes)):
            if made is None:
                made = _video_output(out, frame, rate, 1 / rate)
            fitted = _fitted(frame, made)
            fitted.pts, fitted.time_base = number, 1 / rate
            for packet in made.encode(fitted):
                out.mux(packet)
            reports.at((number + 1) / len(request.sizes))
        if made is not None:
            for packet in made.encode():
                out.mux(packet)


def _pictures(media: Any, sizes: tuple[int, ...]) -> Iterator[Any]:
    for size in sizes:
        data = media.read(size)
        if len(data) < size:
            raise EOFError
        yield _first_frame(io.BytesIO(data))


class _Upright:
    """Turns frames as they are to be seen."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()

    def turn(self, frame: Any) -> Any:
        """Return a frame that stands upright."""
        turns = TURNS.get(int(getattr(frame, "rotation", 0) or 0))
        if turns is None:
            return frame
        import av

        shape = (frame.width, frame.height, frame.format.name)
        if self._graph is None or shape != self._shape:
            graph = av.filter.Graph()
            last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format.name,
                                    time_base=frame.time_base)  # fmt: skip
            for name, _, arguments in (one.partition("=") for one in turns.split(",")):
                following = graph.add(name, arguments or None)
                last.link_to(following)
                last = following
            last.link_to(graph.add("buffersink"))
            graph.configure()
            self._graph, self._shape = graph, shape
        self._graph.push(frame)
        return self._graph.pull()


def _fitted(frame: Any, target: Any) -> Any:
    """Make a frame as large as the proxy, and leave it to the encoder what kind of frame it becomes."""
    fitted = frame.reformat(width=target.width, height=target.height, format="yuv420p")
    fitted.pict_type = 0
    return fitted


def _video_output(out: Any, frame: Any, rate: Any, time_base: Any) -> Any:
    share = min(1.0, WIDTH / frame.width, HEIGHT / frame.height)
    made = out.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": "26", "g": "50"})
    made.width, made.height = (max(2, int(side * share) // 2 * 2) for side in (frame.width, frame.height))
    made.pix_fmt = "yuv420p"
    made.time_base = time_base
    return made


if __name__ == "__main__":
    main()
