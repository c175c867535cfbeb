"""What timeline.json says. Durations are seconds in these views, however the file spells them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aura_vcs.project.documents.field_types import (
    AudioPath,
    Colour,
    Factor,
    Index,
    RequiredSeconds,
    Script,
    Seconds,
    Share,
    ShortText,
    SubtitlePath,
    VisualPath,
)

Transition = Literal["None", "Fade", "CrossFade"]
SubtitlePosition = Literal["Top", "Middle", "Bottom"]


class Position(msgspec.Struct, frozen=True):
    """A rectangle in percent of the frame, from its top left corner."""

    x: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    y: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    width: Annotated[float, Meta(gt=0, le=200)] = 100.0
    height: Annotated[float, Meta(gt=0, le=200)] = 100.0


class Effects(msgspec.Struct, frozen=True):
    """Factors of brightness, contrast and saturation (1 changes nothing) and a filter's name."""

    brightness: Factor = 1.0
    contrast: Factor = 1.0
    saturation: Factor = 1.0
    filter: ShortText | None = None


class VisualAsset(msgspec.Struct, frozen=True):
    """A picture or clip in a scene; `start` counts from the scene's start, so scenes can move.

    Without `duration` it stays until the scene ends. Higher `z_index` covers lower. Of a clip the
    pictures are shown; sound comes from narration, music and assets of type Audio.
    """

    id: ShortText = ""
    type: Literal["Image", "Video", "Audio"] = "Image"
    file_path: VisualPath = ""
    start: Seconds = 0.0
    duration: Seconds | None = None
    position: Position | None = None
    z_index: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    opacity: Share = 1.0
    effects: Effects | None = None


class TimelineScene(msgspec.Struct, frozen=True):
    """A scene's place in the film; `transition_type` is how the film comes to it from the one before."""

    index: Index = 0
    heading: ShortText = ""
    script: Script = ""
    start: Seconds | None = None
    duration: RequiredSeconds = 0.0
    narration_audio_path: AudioPath | None = None
    visual_assets: list[VisualAsset] | None = None
    transition_type: Transition | None = None
    transition_duration: Seconds | None = None


class Subtitles(msgspec.Struct, frozen=True):
    """Whether and how subtitles are burned in. `font_size` is in pixels of a 1280x720 frame."""

    enabled: bool = False
    file_path: SubtitlePath | None = None
    position: SubtitlePosition = "Bottom"
    font_size: Annotated[float, Meta(ge=4, le=400)] = 24.0
    font_color: Colour = "#FFFFFF"
    background_color: Colour = "#000000"
    background_opacity: Share = 0.7


class TimelineDocument(msgspec.Struct, frozen=True):
    """timeline.json: the film from start to end."""

    scenes: list[TimelineScene] = []
    background_music_path: AudioPath | None = None
    subtitles: Subtitles | None = None
