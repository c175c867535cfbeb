"""What is known about a media file and about the difference of two, as plain data."""

from typing import Literal

from msgspec import Struct

from aura_vcs.formats.media.reader import MediaHeader

PictureKind = Literal["side_by_side", "heat_map"]
Stretches = tuple[tuple[float, float], ...]
"""(start, end) in seconds, in order."""

StretchKind = Literal["changed", "inserted", "removed", "moved"]
Verdict = Literal["identical", "same", "changed", "other"]
"""`identical`: every pixel or sample is, as hashes prove. `same`: each was compared, and no difference was found that
encoding does not make. `other`: hardly anything of one version is in the other."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of the picture, as shares of its width and height."""


class MediaStretch(Struct, frozen=True, omit_defaults=True):
    """A stretch of a film or sound that differs. Times in seconds, `start` to `end` of the new version.

    `kind` is "changed", "inserted", "removed" or "moved"; what was removed is at `start` in the new version, and
    `old_start` to `old_end` is where what was changed, removed or moved was before. `first` and `last` are frames of
    the new version (of the old one where something was removed), -1 for sounds. `box` is the part of the picture.
    """

    kind: StretchKind
    start: float
    end: float
    old_start: float = 0.0
    old_end: float = 0.0
    first: int = -1
    last: int = -1
    box: Box | None = None


Times = tuple[float, float, float, float]
"""Where a stretch begins and ends in the new version, and where in the old one; in seconds."""


def make_stretch(
    kind: StretchKind, times: Times, frames: tuple[int, int] = (-1, -1), box: Box | None = None
) -> MediaStretch:
    """Make a stretch; times are rounded to what frames and samples are told by."""
    start, end, old_start, old_end = (round(at, 4) for at in times)
    return MediaStretch(kind, start, end, old_start, old_end, frames[0], frames[1], box)


class VideoDiff(Struct, frozen=True, omit_defaults=True):
    """The pictures of two versions of a film compared, every frame of them.

    `speed` is how many times as fast the new one plays the same frames. `crop` is the part of the old picture that
    the new one shows, `inside` the part of the new picture that shows it, None where it is the whole; `has_bars` says
    that only black is around these parts. `throughout` is where something differs in nearly all frames.
    """

    verdict: Verdict
    frames: tuple[int, int]
    stretches: tuple[MediaStretch, ...] = ()
    speed: float = 1.0
    crop: Box | None = None
    inside: Box | None = None
    has_bars: bool = False
    throughout: Box | None = None


class AudioDiff(Struct, frozen=True, omit_defaults=True):
    """The sounds of two versions compared, every sample of them.

    `gain_db` is how much louder all of it became. `offset` is how many seconds later it is heard against the pictures.
    `is_faint` says that only samples tell the two apart: nobody hears it. `channels` are, where channels changed places
    or their sign, for each of them the number of what it was before, from 1 on, negative with the other sign.
    """

    verdict: Verdict
    stretches: tuple[MediaStretch, ...] = ()
    gain_db: float = 0.0
    offset: float = 0.0
    is_faint: bool = False
    channels: tuple[int, ...] = ()


class DecodeLimits(Struct, frozen=True):
    """What looking into files may cost.

    `seconds` are of the processor, so that a busy machine changes no answer; `clock_seconds` is
    when a process that hangs is ended. Memory is the address space of the process.
    """

    seconds: float = 30.0
    clock_seconds: float = 120.0
    memory_bytes: int = 3 * 2**30
    answer_bytes: int = 64 * 2**20
    pixels: int = 120_000_000


class VideoFacts(Struct, frozen=True, omit_defaults=True):
    """The first video stream. Sizes in pixels as stored; times in seconds of the file.

    `rotation` is how many degrees a player turns it counterclockwise. `is_variable` says that frames last
    differently long. `digest` is that of the stream's packets: where it is equal, every pixel is.
    `cuts` are the frames that a scene begins with.
    """

    codec: str
    width: int
    height: int
    frames: int
    start: float
    seconds: float
    digest: str
    pixel_format: str = ""
    bits: int = 8
    rotation: int = 0
    frames_per_second: float | None = None
    is_variable: bool = False
    is_interlaced: bool = False
    has_alpha: bool = False
    aspect: float = 1.0
    bits_per_second: int | None = None
    cuts: tuple[int, ...] = ()


class AudioFacts(Struct, frozen=True, omit_defaults=True):
    """The first sound stream. `peaks_db` are relative to full scale, one per channel; None is silence.

    `digest` is that of the packets, `samples_digest` that of the decoded samples: where it is equal, every sample is.
    `channel_digests` are those of the samples of each channel, and of these with the other sign.
    """

    codec: str
    rate: int
    channels: int
    samples: int
    start: float
    seconds: float
    digest: str
    samples_digest: str
    layout: str = ""
    bits: int = 16
    bits_per_second: int | None = None
    peaks_db: tuple[float | None, ...] = ()
    loudness_lufs: float | None = None
    channel_digests: tuple[tuple[str, str], ...] = ()


class TrackFacts(Struct, frozen=True):
    """A stream that is not looked into: a second sound, subtitles. `digest` is that of its packets."""

    kind: Literal["video", "audio", "subtitle"]
    codec: str
    digest: str


class PictureFacts(Struct, frozen=True, omit_defaults=True):
    """A still picture. `digest` is that of its pixels, `hash` 64 bits that stay alike when it is recompressed."""

    width: int
    height: int
    digest: str
    hash: int = 0
    bits: int = 8
    mode: str = ""
    has_alpha: bool = False


class SequenceFacts(Struct, frozen=True, omit_defaults=True):
    """A sequence of pictures. Frames are counted from 0 in their order, gaps left out.

    `missing` are the first and last numbers that no frame has, counted from the first frame's. `sizes` are width,
    height and how many frames have it. `cuts` are the frames that a scene begins with, `poster` is the one that stands
    for all. Of `damaged` frames nothing is known but why.
    """

    frames: int
    missing: tuple[tuple[int, int], ...] = ()
    sizes: tuple[tuple[int, int, int], ...] = ()
    cuts: tuple[int, ...] = ()
    poster: int = 0
    damaged: int = 0


class MediaFacts(Struct, frozen=True, omit_defaults=True):
    """A media file looked into.

    `peak_db` and `loudness_lufs` are relative to full scale (EBU R 128). `envelope` are peaks
    from 0 to 100, evenly spread over the sound. `thumbnails` has a JPEG file: a picture, or frames of a video side
    by side, shown at `strip_times`. `partial` says that not all of it was looked at. `tracks` are the other streams.
    """

    header: MediaHeader
    peak_db: float | None = None
    loudness_lufs: float | None = None
    envelope: tuple[int, ...] = ()
    thumbnails: tuple[bytes, ...] = ()
    strip_times: tuple[float, ...] = ()
    partial: bool = False
    video: VideoFacts | None = None
    sound: AudioFacts | None = None
    picture: PictureFacts | None = None
    tracks: tuple[TrackFacts, ...] = ()


class MediaDiff(Struct, frozen=True, omit_defaults=True):
    """Two versions of a media file compared.

    `distance` is 0 for pictures that look the same up to 1 for nothing in common. `scenes` and
    `sounds` are stretches in seconds of the new version where the pictures of a video or what is heard differ.
    `lead` is how many seconds were put before the beginning, negative for cut from it. `video` and `sound` say more of
    both; `box` is where a picture differs. `picture` is a PNG file, if asked for. `decoded` says that every frame and
    sample was compared, not headers alone, `problem` why it was not although it was tried.
    """

    old: MediaFacts | None
    new: MediaFacts | None
    lines: tuple[str, ...]
    distance: float | None = None
    scenes: Stretches = ()
    sounds: Stretches = ()
    lead: float = 0.0
    picture: bytes = b""
    decoded: bool = False
    problem: str = ""
    video: VideoDiff | None = None
    sound: AudioDiff | None = None
    box: Box | None = None


class MediaRequest(Struct, frozen=True):
    """What the process that draws is asked: two pictures, and how to show the difference."""

    paths: tuple[str, str]
    picture: PictureKind
    limits: DecodeLimits = DecodeLimits()


class MediaAnswer(Struct, frozen=True, omit_defaults=True):
    """What it answers: a PNG file, or why there is none."""

    picture: bytes = b""
    problem: str = ""
