"""Decoding a video or sound file forward, once, into an entry of the media index. Only the process calls this.

The file is opened as the format that it looks like and through a file object: a playlist cannot make FFmpeg open
other files or the network.
"""

import errno
from collections.abc import Callable
from typing import Any, BinaryIO

from blake3 import blake3

from aura_vcs.formats.media.findings import DecodeLimits, TrackFacts
from aura_vcs.formats.media.index_entry import EntryHead, encode_entry
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.media.codec_names import codec_name
from aura_vcs.media.index_audio import AudioIndexer
from aura_vcs.media.index_video import FRAMES_LIMIT, VideoIndexer

DEMUXERS = {
    "mp4": "mov",
    "mov": "mov",
    "m4a": "mov",
    "mkv": "matroska",
    "webm": "matroska",
    "avi": "avi",
    "mxf": "mxf",
    "wav": "wav",
    "rf64": "wav",
    "w64": "w64",
    "aiff": "aiff",
    "flac": "flac",
    "mp3": "mp3",
    "aac": "aac",
    "ogg": "ogg",
}
OTHERS = ("video", "audio", "subtitle")
"""Kinds of streams of which people notice one that changed, besides the first of pictures and sound."""
READ_BYTES = 1 << 20
REPORT_SECONDS = 0.5
"""So much of the file passes between two reports."""
MACHINE_ERRORS = frozenset({errno.ENOMEM, errno.EAGAIN, errno.EINTR, errno.EIO, errno.EMFILE, errno.ENFILE})
"""What a decoder answers where memory, threads or the disk failed it, whatever the file is like."""
Report = Callable[[float, float], None]
"""Is called with how many seconds of how many have been looked at."""


def index_film(
    file: BinaryIO, header: MediaHeader, content: str, threads: int, limits: DecodeLimits, report: Report
) -> bytes:
    """Build the entry of a video or sound.

    Raises:
        ValueError: why it is not looked into, beginning with "it".
        OSError, and whatever a decoder raises: it is damaged.
    """
    import av

    options = {"protocol_whitelist": "", "enable_drefs": "0"}
    with av.open(file, format=DEMUXERS[header.format], options=options, buffer_size=READ_BYTES) as container:
        streams = container.streams
        video = next((s for s in streams.video if s.codec_context and not _is_cover(s)), None)
        sound = next((s for s in streams.audio if s.codec_context), None)
        unknown = [s for s in streams if s.type in ("video", "audio") and not s.codec_context]
        if video is None and sound is None:
            name = f" ({_codec_name(unknown[0])})" if unknown else ""
            raise ValueError(f"it has no picture or sound of a kind that can be decoded{name}")
        if video is not None and video.width * video.height > limits.pixels:
            raise ValueError(f"it has {video.width}×{video.height} pixels")
        seconds = max(0.0, (container.duration or 0) / 1e6) or header.seconds or 0.0
        others = [s for s in streams if s not in (video, sound) and s.type in OTHERS and not _is_cover(s)]
        pass_ = _Pass(container, (video, sound, others), seconds, threads)
        pass_.run(report)
        return pass_.entry(content, header)


def is_of_the_machine(error: BaseException) -> bool:
    """Tell whether the machine is at fault, not the file: another attempt may do better."""
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in MACHINE_ERRORS


def _is_cover(stream: Any) -> bool:
    """Tell whether a stream is the picture on a sound's cover."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _codec_of(stream: Any) -> str:
    return codec_name(stream.codec_context) if stream.codec_context else _codec_name(stream)


def _codec_name(stream: Any) -> str:
    return str(getattr(stream, "codec_tag", "") or "no name")


class _Pass:
    """One way through a file."""

    def __init__(self, container: Any, chosen: tuple[Any, Any, list[Any]], seconds: float, threads: int) -> None:
        self._container = container
        video, sound, others = chosen
        self._others = {stream.index: (stream, blake3()) for stream in others}
        self._seconds = seconds
        self._streams = [stream for stream in (video, sound) if stream is not None]
        if video is not None:
            video.thread_type = "AUTO"
            video.codec_context.thread_count = threads
        self._video = VideoIndexer(video, seconds) if video is not None else None
        self._sound = AudioIndexer(sound) if sound is not None else None
        self._partial = ""

    def run(self, report: Report) -> None:
        """Decode all of it."""
        reported = 0.0
        for packet in self._container.demux([*self._streams, *(stream for stream, _ in self._others.values())]):
            if packet.stream.index in self._others:
                self._others[packet.stream.index][1].update(memoryview(packet) if packet.size else b"")
                continue
            indexer = self._video if packet.stream.type == "video" else self._sound
            assert indexer is not None
            indexer.take_packet(packet)
            for frame in self._decoded(packet):
                indexer.take(frame)
            if indexer.end - reported >= REPORT_SECONDS:
                reported = indexer.end
                report(reported, self._seconds)
            if self._video is not None and self._video.frames >= FRAMES_LIMIT:
                self._partial = f"only the first {FRAMES_LIMIT:,} frames were looked at"
                break
        if self._sound is not None:
            self._sound.close()

    def _decoded(self, packet: Any) -> list[Any]:
        """Decode a packet; one that is damaged is left out, and told.

        Raises:
            FFmpegError: this machine could not, which says nothing about the packet.
        """
        from av.error import FFmpegError

        try:
            found: list[Any] = packet.decode()
        except FFmpegError as error:
            if is_of_the_machine(error):
                raise
            self._partial = "a part of it is damaged and could not be decoded"
            return []
        return found

    def entry(self, content: str, header: MediaHeader) -> bytes:
        """Return the entry for what was found.

        Raises:
            ValueError: there was nothing.
        """
        video = self._video.facts() if self._video is not None and self._video.frames else None
        sound = self._sound.facts() if self._sound is not None and self._sound.end else None
        if video is None and sound is None:
            raise ValueError("it is damaged: there is no frame and no sample that can be decoded")
        sections: dict[str, bytes] = {}
        if video is not None and self._video is not None:
            sections |= self._video.sections()
        if sound is not None and self._sound is not None:
            sections |= self._sound.sections()
        lengths = [part.start + part.seconds for part in (video, sound) if part is not None]
        exact = MediaHeader(
            "video" if video is not None else "sound",
            header.format,
            width=video.width if video is not None else None,
            height=video.height if video is not None else None,
            seconds=self._seconds or max(lengths),
            rate=sound.rate if sound is not None else None,
            channels=sound.channels if sound is not None else None,
            frames_per_second=round(video.frames_per_second, 3) if video and video.frames_per_second else None,
            codecs=tuple(part.codec for part in (video, sound) if part is not None),
        )
        head = EntryHead(
            content,
            exact,
            video=video,
            sound=sound,
            strip=self._video.strip_facts() if self._video is not None else None,
            wave_steps=self._sound.wave_steps() if sound is not None and self._sound is not None else (),
            partial=self._partial,
            tracks=tuple(
                TrackFacts(stream.type, _codec_of(stream), digest.hexdigest())
                for stream, digest in self._others.values()
            ),
        )
        return encode_entry(head, sections)
