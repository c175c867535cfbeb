"""Plans a film from its documents: which picture, sound and text at which frame. Decodes nothing.

The timeline decides; what a timeline scene leaves out, the scene file of the same index adds. A
project without timeline.json is the scenes in order, each for its own duration. What the documents
get wrong about the film is an error here, with the scene: a video must not lack a scene because
of a typing mistake.
"""

from collections.abc import Callable

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.documents import ExportFailed
from aura_vcs.formats.media.wav_png import read_header
from aura_vcs.formats.subtitles import MAX_BYTES, TimedText, parse_subtitles, script_cues
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.project.documents.assets import asset_type
from aura_vcs.project.documents.load import OTIO_NAME, SCENES_FOLDER, TIMELINE_NAME, ProjectView, SceneFile
from aura_vcs.project.documents.timeline import Effects, Position, Subtitles, TimelineScene, VisualAsset
from aura_vcs.project.render.job import Cue, Lane, Layer, Shot, Sound
from aura_vcs.project.render.presets import ExportPreset

RATE_HZ = 48_000
MUSIC_GAIN = 0.18
"""Music beside a voice: about 15 dB lower."""
MUSIC_ALONE_GAIN = 0.8
DEFAULT_TRANSITION_SECONDS = 0.5
MAX_SECONDS = 12 * 3600.0
_CHECK = "`aura project check` lists everything that is wrong with the documents."

Fetch = Callable[[str, str], str]
"""Called with a media file's name in the project and the scene that needs it; gives the path of a copy."""


class FilmPlan(msgspec.Struct, frozen=True):
    """A film, ready to be rendered."""

    shots: tuple[Shot, ...]
    lanes: tuple[Lane, ...]
    cues: tuple[Cue, ...]
    style: Subtitles
    frames: int
    samples: int
    notes: tuple[str, ...]

    def seconds(self, rate: int) -> float:
        """Return the film's length in seconds at `rate` frames a second."""
        return self.frames / rate


def plan_film(view: ProjectView, source: ContentSource, preset: ExportPreset, fetch: Fetch) -> FilmPlan:
    """Lay the project out in frames and samples for `preset`.

    Raises:
        ExportFailed: no scenes, a scene without length, media that does not exist, a document that
            is wrong, or a film longer than the preset takes; names the scene.
    """
    _refuse_problems(view)
    scenes = _scenes(view, source)
    if not scenes:
        raise ExportFailed("there are no scenes to render", hint="Add one with `aura scene add`.")
    total = sum(scene.duration for _, scene in scenes)
    _check_length(total, preset)
    planner = _Planner(view, preset, fetch)
    if view.timeline is None and OTIO_NAME in view.names:
        planner.notes.append(f"{OTIO_NAME} is not followed; the scenes come one after the other")
    for label, scene in scenes:
        planner.add(label, scene)
    timeline = view.timeline
    if timeline and timeline.background_music_path:
        planner.music(timeline.background_music_path)
    style = (timeline.subtitles if timeline else None) or Subtitles()
    return planner.film(style, _cues(view, source, style, scenes))


def film_seconds(view: ProjectView, source: ContentSource) -> float | None:
    """Return how long the film lasts; None where the documents do not say, which `plan_film` refuses."""
    try:
        return sum(scene.duration for _, scene in _scenes(view, source)) or None
    except AuraError:
        return None


def _refuse_problems(view: ProjectView) -> None:
    """Field errors of the documents that make the film."""
    deciding = TIMELINE_NAME if TIMELINE_NAME in view.names else f"{SCENES_FOLDER}/"
    for problem in view.problems:
        if problem.severity == "error" and problem.file.startswith(deciding):
            place = f" at {problem.pointer}" if problem.pointer else ""
            raise ExportFailed(f"{problem.file}{place}: {problem.message}", hint=_CHECK)


def _scenes(view: ProjectView, source: ContentSource) -> list[tuple[str, TimelineScene]]:
    """List the film's scenes with a name for messages; what the timeline leaves out is filled in."""
    files = {scene.document.index: scene for scene in reversed(view.scenes)}
    if view.timeline is None:
        return [(_label(scene.document.index, scene), _from_file(scene, source)) for scene in view.scenes]
    found = []
    for scene in view.timeline.scenes:
        file = files.get(scene.index)
        label = _label(scene.index, file, scene.heading)
        if not scene.duration:
            raise ExportFailed("it lasts no time", scene=label, hint="Give it a duration in timeline.json.")
        if file is not None:
            scene = _filled(scene, file)  # noqa: PLW2901 - the same scene, completed
        found.append((label, scene))
    return found


def _filled(scene: TimelineScene, file: SceneFile) -> TimelineScene:
    picture = file.document.image_file_path
    visuals = scene.visual_assets or ([VisualAsset(file_path=picture)] if picture else [])
    narration = scene.narration_audio_path or file.document.audio_file_path
    script = scene.script or file.document.script_text
    return msgspec.structs.replace(scene, visual_assets=visuals, narration_audio_path=narration, script=script)


def _from_file(scene: SceneFile, source: ContentSource) -> TimelineScene:
    """Build a scene that no timeline places: as long as it says, or as its narration."""
    document = scene.document
    duration = document.duration_seconds or 0.0
    if not duration and document.audio_file_path:
        try:
            with source.open(document.audio_file_path) as stream:
                facts = read_header(stream)
        except AuraError:
            facts = None
        duration = (facts.duration_seconds if facts else None) or 0.0
    if not duration:
        hint = f"Give it duration_seconds in {scene.name}."
        raise ExportFailed("it lasts no time", scene=_label(document.index, scene), hint=hint)
    return _filled(TimelineScene(index=document.index, heading=document.heading, duration=duration), scene)


def _label(index: int, file: SceneFile | None, heading: str = "") -> str:
    heading = heading or (file.document.heading if file else "")
    named = f" “{heading}”" if heading else f" ({file.name})" if file else ""
    return f"Scene {index}{named}"


def _check_length(total: float, preset: ExportPreset) -> None:
    if total > MAX_SECONDS:
        raise ExportFailed(f"the film would last {total / 3600:,.1f} hours", hint=_CHECK)
    most = preset.max_duration_seconds
    if most is not None and total > most + 0.01:
        reason = f"the film lasts {total:.1f} s, {preset.name} takes at most {most:g} s"
        raise ExportFailed(reason, hint="Shorten it, or choose another preset.")


def _cues(
    view: ProjectView, source: ContentSource, style: Subtitles, scenes: list[tuple[str, TimelineScene]]
) -> list[TimedText]:
    if not style.enabled:
        return []
    if style.file_path:
        if style.file_path not in view.names:
            raise ExportFailed(f"the subtitles {style.file_path} do not exist", hint=_CHECK)
        with source.open(style.file_path) as stream:
            return parse_subtitles(stream.read(MAX_BYTES))
    cues: list[TimedText] = []
    now = 0.0
    for _, scene in scenes:
        cues += script_cues(scene.script, now, scene.duration)
        now += scene.duration
    return cues


class _Planner:
    """Puts scenes one after the other."""

    def __init__(self, view: ProjectView, preset: ExportPreset, fetch: Fetch) -> None:
        self._view, self._fetch = view, fetch
        self._rate = preset.frame_rate or 25
        self._sound_only = preset.video_codec is None
        self._now = 0.0
        self._shots: list[Shot] = []
        self._narration: list[Sound] = []
        self._effects: list[tuple[float, Sound]] = []
        self._music: str = ""
        self.notes: list[str] = []

    def add(self, label: str, scene: TimelineScene) -> None:
        start, end = self._now, self._now + scene.duration
        if scene.narration_audio_path:
            self._narration.append(self._sound(scene.narration_audio_path, label, start, end))
        layers = []
        visuals = sorted(scene.visual_assets or [], key=lambda asset: asset.z_index)
        for asset in visuals:
            until = min(end, start + asset.start + asset.duration) if asset.duration is not None else end
            if asset.type == "Audio" or asset_type(asset.file_path) == "Audio":
                sound = self._sound(asset.file_path, label, start + asset.start, until)
                self._effects.append((asset.opacity, sound))
            elif not self._sound_only:
                layers.append(self._layer(asset, label, start, until))
        if not layers and not self._sound_only:
            self.notes.append(f"{label} has no picture and stays black")
        kind = scene.transition_type or "None"
        wanted = scene.transition_duration if scene.transition_duration is not None else DEFAULT_TRANSITION_SECONDS
        frames = self._frame(end) - self._frame(start)
        length = 0 if kind == "None" else min(frames, round(wanted * self._rate))
        self._shots.append(Shot(label, frames, tuple(layers), kind, length))
        self._now = end

    def music(self, path: str) -> None:
        self._music = path

    def film(self, style: Subtitles, cues: list[TimedText]) -> FilmPlan:
        frames = self._frame(self._now)
        if not frames:
            raise ExportFailed(f"the film lasts {self._now:g} s, less than one frame", hint=_CHECK)
        samples = round(self._now * RATE_HZ) if self._sound_only else frames * RATE_HZ // self._rate
        lanes = [Lane(tuple(self._narration))] if self._narration else []
        lanes += _lanes(self._effects)
        if self._music:
            music = Sound(self._copy(self._music, "The music"), self._music, "The music", 0, samples, loop=True)
            lanes.append(Lane((music,), MUSIC_GAIN if lanes else MUSIC_ALONE_GAIN))
        timed = [Cue(self._frame(cue.start), self._frame(cue.end), cue.text) for cue in cues]
        seen = tuple(cue for cue in timed if cue.end_frame > cue.start_frame and cue.start_frame < frames)
        return FilmPlan(tuple(self._shots), tuple(lanes), seen, style, frames, samples, tuple(self.notes))

    def _frame(self, seconds: float) -> int:
        return round(seconds * self._rate)

    def _sound(self, path: str, label: str, start: float, end: float) -> Sound:
        first, last = round(start * RATE_HZ), round(end * RATE_HZ)
        return Sound(self._copy(path, label), path, label, first, max(0, last - first))

    def _layer(self, asset: VisualAsset, label: str, start: float, until: float) -> Layer:
        base = self._frame(start)
        kind = asset_type(asset.file_path)
        return Layer(
            self._copy(asset.file_path, label),
            asset.file_path,
            "Video" if kind == "Video" or (kind != "Image" and asset.type == "Video") else "Image",
            self._frame(start + asset.start) - base,
            self._frame(until) - base,
            asset.position or Position(),
            asset.opacity,
            asset.effects or Effects(),
        )

    def _copy(self, path: str, label: str) -> str:
        if path not in self._view.names:
            raise ExportFailed(f"{path} does not exist", scene=label, hint=_CHECK)
        return self._fetch(path, label)


def _lanes(effects: list[tuple[float, Sound]]) -> list[Lane]:
    """Put sounds of equal volume that do not overlap into shared lanes."""
    lanes: list[tuple[float, list[Sound]]] = []
    for gain, sound in sorted(effects, key=lambda effect: effect[1].start_sample):
        for loud, sounds in lanes:
            if loud == gain and sounds[-1].start_sample + sounds[-1].samples <= sound.start_sample:
                sounds.append(sound)
                break
        else:
            lanes.append((gain, [sound]))
    return [Lane(tuple(sounds), gain) for gain, sounds in lanes]
