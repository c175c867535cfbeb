"""What the parent tells the process that decodes and encodes: plain data, sent as JSON.

Times are counted in whole frames of the video and whole samples of the sound, from the start of
the film: nothing drifts, and both ends compute the same lengths.
"""

from typing import Literal

import msgspec

from aura_vcs.formats.media.wav_png import HeaderFacts
from aura_vcs.project.documents.timeline import Effects, Position, Subtitles, Transition
from aura_vcs.project.render.presets import ExportPreset


class Layer(msgspec.Struct, frozen=True):
    """A picture or clip in a shot; frames count from the shot's start, `end_frame` is exclusive."""

    path: str
    """The copy that is decoded."""
    name: str
    """What the project calls it, for messages."""
    kind: Literal["Image", "Video"]
    start_frame: int
    end_frame: int
    position: Position = Position()
    opacity: float = 1.0
    effects: Effects = Effects()


class Shot(msgspec.Struct, frozen=True):
    """One scene's stretch of the film. Lower layers come first."""

    label: str
    frames: int
    layers: tuple[Layer, ...]
    transition: Transition = "None"
    transition_frames: int = 0
    """The transition happens in the first frames of this shot, over the last picture of the one before."""


class Sound(msgspec.Struct, frozen=True):
    """A stretch of sound on a lane, cut off after `samples`, silent if it ends before."""

    path: str
    name: str
    label: str
    start_sample: int
    samples: int
    loop: bool = False


class Lane(msgspec.Struct, frozen=True):
    """Sounds that do not overlap, in order, all at one volume."""

    sounds: tuple[Sound, ...]
    gain: float = 1.0


class Cue(msgspec.Struct, frozen=True):
    """One subtitle, from `start_frame` up to but not including `end_frame` of the film."""

    start_frame: int
    end_frame: int
    text: str


class RenderJob(msgspec.Struct, frozen=True):
    """Everything that the rendering process needs to know."""

    output: str
    preset: ExportPreset
    shots: tuple[Shot, ...]
    lanes: tuple[Lane, ...]
    cues: tuple[Cue, ...]
    style: Subtitles
    frames: int
    samples: int
    memory_bytes: int
    title: str = ""


class ProbeJob(msgspec.Struct, frozen=True):
    """Look into one file and say what it is."""

    path: str
    name: str
    memory_bytes: int
    cpu_seconds: int


class WorkerRequest(msgspec.Struct, frozen=True):
    """Exactly one of the two."""

    render: RenderJob | None = None
    probe: ProbeJob | None = None


class WorkerReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the process says, one JSON object per line.

    `at`: it begins with `label` (a scene) or `name` (a file); `frames`: so many more are encoded;
    `failed`: the end, with `error` and `detail`; `rendered` and `probed`: the end, all went well.
    """

    kind: Literal["at", "frames", "failed", "rendered", "probed"]
    label: str = ""
    name: str = ""
    count: int = 0
    error: Literal["", "media", "encoder", "render"] = ""
    detail: str = ""
    facts: HeaderFacts | None = None
    size_bytes: int = 0


class ExportResult(msgspec.Struct, frozen=True):
    """What was made; `resolution` is "1920x1080", empty for sound alone."""

    output_file: str
    preset_name: str
    platform: str
    file_size: int
    duration_seconds: float
    frames: int
    resolution: str
    codec: str
    notes: tuple[str, ...] = ()
