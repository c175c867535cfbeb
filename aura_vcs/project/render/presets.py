"""The export presets of the studio: where a video goes decides how it is encoded."""

import difflib
from typing import Literal

import msgspec

from aura_vcs.errors.input import UnknownName
from aura_vcs.project.documents.models import Aspect, RenderDocument

PROJECT_PRESET = "project"
"""Instead of a preset's name: as the version's own render.json says."""
Quality = Literal["Draft", "Good", "High", "Maximum"]
Platform = Literal["YouTube", "Instagram", "TikTok", "Facebook", "Twitter", "LinkedIn", "Generic"]


class ExportPreset(msgspec.Struct, frozen=True, kw_only=True):
    """How an export is encoded. Bit rates are in 1000 bit/s; codecs are FFmpeg's encoder names.

    Without `video_codec` it is sound alone, and size, frame rate and pixel format mean nothing.
    """

    name: str
    description: str
    platform: Platform = "Generic"
    container: str = "mp4"
    video_codec: str | None = "libx264"
    audio_codec: str = "aac"
    width: int = 1920
    height: int = 1080
    frame_rate: int = 30
    video_bitrate_k: int = 5000
    audio_bitrate_k: int = 192
    sample_rate_hz: int = 48000
    pixel_format: str = "yuv420p"
    aspect: Aspect = "Widescreen16x9"
    quality: Quality = "High"
    max_duration_seconds: float | None = None

    @property
    def extension(self) -> str:
        """The usual end of a file name, with its dot."""
        return f".{self.container}"


PRESETS: tuple[ExportPreset, ...] = (
    ExportPreset(
        name="YouTube 1080p",
        description="Standard HD quality for YouTube",
        platform="YouTube",
        video_bitrate_k=8000,
    ),
    ExportPreset(
        name="YouTube 4K",
        description="Ultra HD quality for YouTube, H.265",
        platform="YouTube",
        video_codec="libx265",
        width=3840,
        height=2160,
        video_bitrate_k=20000,
    ),
    ExportPreset(
        name="Instagram Feed",
        description="Square, for posts in the Instagram feed",
        platform="Instagram",
        width=1080,
        height=1080,
        aspect="Square1x1",
    ),
    ExportPreset(
        name="Instagram Story",
        description="Vertical, for Instagram stories",
        platform="Instagram",
        width=1080,
        height=1920,
        aspect="Vertical9x16",
        max_duration_seconds=60,
    ),
    ExportPreset(
        name="TikTok",
        description="Vertical, up to ten minutes",
        platform="TikTok",
        width=1080,
        height=1920,
        aspect="Vertical9x16",
        max_duration_seconds=600,
    ),
    ExportPreset(
        name="Facebook",
        description="HD for Facebook posts",
        platform="Facebook",
        width=1280,
        height=720,
        video_bitrate_k=4000,
        quality="Good",
        max_duration_seconds=240 * 60,
    ),
    ExportPreset(
        name="Twitter",
        description="HD for Twitter/X posts, up to 140 seconds",
        platform="Twitter",
        width=1280,
        height=720,
        quality="Good",
        max_duration_seconds=140,
    ),
    ExportPreset(
        name="LinkedIn",
        description="Full HD for LinkedIn posts, up to ten minutes",
        platform="LinkedIn",
        max_duration_seconds=600,
    ),
    ExportPreset(
        name="Email/Web",
        description="Small enough for mail and embedding",
        width=854,
        height=480,
        video_bitrate_k=2000,
        audio_bitrate_k=128,
        quality="Good",
    ),
    ExportPreset(
        name="Draft Preview",
        description="Encoded as fast as possible, for looking at an edit",
        width=1280,
        height=720,
        video_bitrate_k=3000,
        audio_bitrate_k=128,
        quality="Draft",
    ),
    ExportPreset(
        name="Master Archive",
        description="H.265 at high quality, to keep",
        video_codec="libx265",
        video_bitrate_k=15000,
        audio_bitrate_k=256,
        quality="Maximum",
    ),
    ExportPreset(
        name="WebM VP9",
        description="Open formats for the web",
        container="webm",
        video_codec="libvpx-vp9",
        audio_codec="libopus",
        video_bitrate_k=6000,
        audio_bitrate_k=128,
    ),
    ExportPreset(
        name="ProRes 422 HQ",
        description="For further editing; large files",
        container="mov",
        video_codec="prores_ks",
        audio_codec="pcm_s16le",
        video_bitrate_k=220000,
        audio_bitrate_k=1536,
        pixel_format="yuv422p10le",
        quality="Maximum",
    ),
    ExportPreset(
        name="Podcast Audio",
        description="The sound alone, as MP3",
        container="mp3",
        video_codec=None,
        audio_codec="libmp3lame",
        width=0,
        height=0,
        frame_rate=0,
        video_bitrate_k=0,
        audio_bitrate_k=128,
        pixel_format="",
        quality="Good",
    ),
)


ASPECT_WORDS: dict[Aspect, str] = {"Widescreen16x9": "16:9", "Vertical9x16": "9:16", "Square1x1": "1:1"}
_VIDEO_CODECS = {
    "h264": "libx264",
    "avc": "libx264",
    "x264": "libx264",
    "h265": "libx265",
    "hevc": "libx265",
    "x265": "libx265",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
}


def project_preset(render: RenderDocument) -> ExportPreset:
    """Build the preset that a project's own render.json describes.

    `codec` may be a common name (H264, HEVC, VP9, ProRes) or an FFmpeg encoder's. `quality_level`
    0 to 100 becomes the nearest of the four qualities; frame rates are rounded to whole ones.
    """
    codec = _VIDEO_CODECS.get(_plain(render.codec), render.codec)
    container = render.container.lower().lstrip(".")
    audio = {"webm": "libopus", "mov": "pcm_s16le" if codec == "prores_ks" else "aac"}.get(container, "aac")
    level = 75 if render.quality_level is None else render.quality_level
    width, height = render.resolution.width, render.resolution.height
    return ExportPreset(
        name="Project",
        description="As render.json says",
        container=container,
        video_codec=codec,
        audio_codec=audio,
        width=width,
        height=height,
        frame_rate=max(1, round(render.fps)),
        video_bitrate_k=render.video_bitrate_k or 5000,
        audio_bitrate_k=render.audio_bitrate_k or 192,
        pixel_format="yuv422p10le" if codec == "prores_ks" else "yuv420p",
        aspect=aspect_of(width, height),
        quality="Draft" if level < 25 else "Good" if level < 60 else "High" if level < 90 else "Maximum",
    )


def preset_notes(preset: ExportPreset, *, seconds: float | None, aspect: Aspect | None) -> tuple[str, ...]:
    """Say in words what of a film the preset does not take as it is: its length, its shape."""
    notes = []
    most = preset.max_duration_seconds
    if most is not None and seconds is not None and seconds > most + 0.01:
        notes.append(f"The film lasts {seconds:.1f} s, and {preset.name} takes at most {most:g} s")
    if preset.video_codec is not None and aspect is not None and aspect != preset.aspect:
        wanted, given = ASPECT_WORDS[preset.aspect], ASPECT_WORDS[aspect]
        notes.append(f"The film is {given}, and {preset.name} is {wanted}: pictures are fitted into {wanted}")
    return tuple(notes)


def aspect_of(width: int, height: int) -> Aspect:
    """Return the shape that a picture of that size has, of the three that there are."""
    return "Square1x1" if width == height else "Widescreen16x9" if width > height else "Vertical9x16"


def find_preset(name: str) -> ExportPreset:
    """Find the preset of that name; case, blanks and punctuation do not matter, nor does a clear beginning.

    Raises:
        UnknownName: no preset, or more than one, is called so; near names are suggested.
    """
    wanted = _plain(name)
    by_name = {_plain(preset.name): preset for preset in PRESETS}
    if wanted in by_name:
        return by_name[wanted]
    matches = [preset for plain, preset in by_name.items() if wanted and plain.startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    near = [by_name[plain] for plain in difflib.get_close_matches(wanted, list(by_name), 3, 0.5)]
    names = [preset.name for preset in matches or near or PRESETS]
    raise UnknownName("export preset", name, names)


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
