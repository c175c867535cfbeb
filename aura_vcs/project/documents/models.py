"""What the documents of a project say, as typed views.

A view is for reading: it has the fields the data model knows, with their defaults. Documents are
changed through `json_edit`, so fields that no view knows stay where they are.
"""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aura_vcs.project.documents.field_types import (
    AudioPath,
    Count,
    Extra,
    ImagePath,
    Index,
    LongText,
    Percent,
    Pixels,
    Required,
    Script,
    Seconds,
    Share,
    ShortText,
    Time,
)

Status = Literal["Draft", "InProgress", "Completed", "Failed", "Cancelled"]
Stage = Literal["Script", "TTS", "Images", "Composition", "Render"]
STAGE_ALIASES: dict[str, Stage] = {
    "scriptgeneration": "Script",
    "voicegeneration": "TTS",
    "audiogeneration": "TTS",
    "visualgeneration": "Images",
    "imagegeneration": "Images",
    "videocomposition": "Composition",
    "rendering": "Render",
    "videorendering": "Render",
}
"""Stages as other programs call them, in lower case."""
Aspect = Literal["Widescreen16x9", "Vertical9x16", "Square1x1"]
Pacing = Literal["Chill", "Conversational", "Fast"]
Density = Literal["Sparse", "Balanced", "Dense"]
Pause = Literal["Natural", "Short", "Long", "Dramatic"]

SECONDS_PER_SCENE: dict[Density, int] = {"Sparse": 20, "Balanced": 12, "Dense": 8}
FEWEST_SCENES, MOST_SCENES = 3, 20


class ProjectDocument(msgspec.Struct, frozen=True):
    """project.json: what the project is."""

    id: Required = ""
    title: Required = ""
    description: LongText = ""
    category: ShortText | None = None
    tags: list[Annotated[str, Meta(min_length=1, max_length=100)]] = []
    template_id: ShortText | None = None
    thumbnail_path: ImagePath | None = None
    output_file_path: ShortText | None = None
    duration_seconds: Seconds | None = None
    status: Status | None = None
    current_wizard_step: Annotated[int, Meta(ge=0, le=3)] | None = None
    current_stage: Stage | None = None
    progress_percent: Percent | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    completed_at: Time | None = None
    created_by: ShortText | None = None
    modified_by: ShortText | None = None


class LlmParameters(msgspec.Struct, frozen=True):
    """How the script's writer is asked; other parameters pass through."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Share | None = None
    top_k: Count | None = None
    max_tokens: Count | None = None


class BriefDocument(msgspec.Struct, frozen=True):
    """brief.json: what the film is about, and for whom."""

    topic: Required = ""
    audience: ShortText | None = None
    goal: LongText | None = None
    tone: ShortText | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    aspect: Aspect = "Widescreen16x9"
    prompt_modifiers: Extra | None = None
    audience_profile: Extra | None = None
    rag_configuration: Extra | None = None
    llm_parameters: LlmParameters | None = None


class PlanDocument(msgspec.Struct, frozen=True):
    """plan.json: how long and how dense. `target_duration` is in seconds here."""

    target_duration: Seconds | None = None
    pacing: Pacing = "Conversational"
    density: Density = "Balanced"
    style: ShortText | None = None
    min_scene_count: Annotated[int, Meta(ge=1, le=1000)] | None = None
    max_scene_count: Annotated[int, Meta(ge=1, le=1000)] | None = None
    target_scene_count: Annotated[int, Meta(ge=1, le=1000)] | None = None
    refinement_config: Extra | None = None

    def scene_count(self) -> int | None:
        """Return how many scenes the plan asks for; None without a duration or a count.

        ceil(duration / (20 sparse, 12 balanced, 8 dense s)) clamped to 3 … 20, unless
        `target_scene_count` is set; `min_scene_count` and `max_scene_count` replace the clamps.
        """
        if self.target_scene_count is not None:
            return self.target_scene_count
        if self.target_duration is None:
            return None
        wanted = math.ceil(self.target_duration / SECONDS_PER_SCENE[self.density])
        lowest = FEWEST_SCENES if self.min_scene_count is None else self.min_scene_count
        highest = MOST_SCENES if self.max_scene_count is None else self.max_scene_count
        return max(lowest, min(wanted, highest))


class VoiceDocument(msgspec.Struct, frozen=True):
    """voice.json: who speaks, and how. `rate` 1.0 is the voice's own, `pitch` 0.0 likewise."""

    voice_name: Required = ""
    rate: Annotated[float, Meta(ge=0.1, le=5)] = 1.0
    pitch: Annotated[float, Meta(ge=-50, le=50)] = 0.0
    pause: Pause = "Natural"


class Resolution(msgspec.Struct, frozen=True):
    """A picture size in pixels."""

    width: Pixels = 1920
    height: Pixels = 1080


class RenderDocument(msgspec.Struct, frozen=True):
    """render.json: how the studio renders. Bit rates are in 1000 bit/s."""

    resolution: Resolution = Resolution()
    container: Annotated[str, Meta(min_length=1, max_length=20)] = "mp4"
    video_bitrate_k: Annotated[int, Meta(ge=1, le=2_000_000)] | None = None
    audio_bitrate_k: Annotated[int, Meta(ge=1, le=20_000)] | None = None
    fps: Annotated[float, Meta(ge=1, le=240)] = 30.0
    codec: Annotated[str, Meta(min_length=1, max_length=40)] = "H264"
    quality_level: Percent | None = None
    enable_scene_cut: bool = True


class SceneDocument(msgspec.Struct, frozen=True):
    """One file of `scenes/`. `index` counts from 0 in the order of the film."""

    id: Required = ""
    index: Index = 0
    heading: ShortText = ""
    script_text: Script = ""
    audio_file_path: AudioPath | None = None
    image_file_path: ImagePath | None = None
    duration_seconds: Seconds | None = None
    is_completed: bool | None = None
    created_at: Time | None = None

    @property
    def complete(self) -> bool:
        """Whether it has both narration and picture; derived."""
        return bool(self.audio_file_path) and bool(self.image_file_path)
