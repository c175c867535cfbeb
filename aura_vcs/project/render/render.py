"""Renders a project's film to a video file, from any `ContentSource`, without touching its files.

The media of the film are copied to a scratch folder, a process of its own decodes and encodes
them there (`media_process` says why), and the finished file takes its name in one step: a half
video never lies under the name that was asked for.
"""

import secrets
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, nullcontext
from pathlib import Path

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.documents import EncoderMissing, ExportCancelled, ExportFailed
from aura_vcs.errors.integrity import ObjectOffloaded
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.progress import SILENT, Progress
from aura_vcs.project.documents.load import load_project
from aura_vcs.project.render.job import ExportResult, RenderJob, WorkerReport, WorkerRequest
from aura_vcs.project.render.plan import FilmPlan, plan_film
from aura_vcs.project.render.presets import ExportPreset
from aura_vcs.project.render.process import WorkerDied, copy_for_worker, require_media, run_worker
from aura_vcs.storage.system_calls import REAL_CALLS

STALL_SECONDS = 120.0
"""A render that encodes nothing for so long is ended."""
BASE_MEMORY_BYTES = 4 * 1024**3
MEMORY_BYTES_PER_PIXEL = 600
"""Encoders hold dozens of frames; H.265 in 4K is given 9 GB of address space."""
_CONTAINERS = ("mp4", "mov", "webm", "mp3", "mkv", "wav", "m4a")

Publish = Callable[[Path, Path], None]
"""Gives a finished file (first) its name (second), atomically."""


def _never() -> bool:
    return False


class RenderRequest(msgspec.Struct, frozen=True):
    """How a film is rendered.

    The folder `scratch` (which is there, and whose owner removes it; by default one in the system's temporary
    folder) holds a copy of the media meanwhile. `cancelled` is asked ten times a second. `token` makes the name of
    the unfinished file one of its own; `environment` is what the process gets that renders.
    """

    overwrite: bool = False
    cancelled: Callable[[], bool] = _never
    publish: Publish | None = None
    scratch: Path | None = None
    token: str = ""
    stall_seconds: float = STALL_SECONDS
    environment: Mapping[str, str] | None = None


DEFAULTS = RenderRequest()


def render_export(
    source: ContentSource,
    preset: ExportPreset,
    output: Path,
    *,
    request: RenderRequest = DEFAULTS,
    progress: Progress = SILENT,
) -> ExportResult:
    """Render the film of `source` as `preset` says, to `output`.

    Takes about as long as the encoder needs; memory does not grow with the film's length. Killed, it leaves the
    `scratch` folder's content and `part_path(output, token)`. The same content and preset
    give the same bytes on the same build of FFmpeg. Whatever goes wrong, and when it is cancelled, nothing is left
    beside or under `output`, and a file that is there stays.

    Raises:
        ExtraMissing: PyAV or Pillow is not installed.
        EncoderMissing: FFmpeg has no such encoder.
        ExportFailed: a scene cannot be rendered (its name is in `scene`), the output exists and
            `overwrite` is false, or its folder cannot be written to.
        ExportCancelled: `cancelled()` was true.
    """
    require_media("Rendering a video")
    _check_preset(preset)
    _check_output(output, request.overwrite)
    part = part_path(output, request.token or secrets.token_hex(4))
    scratch, cancelled = request.scratch, request.cancelled
    try:
        with nullcontext(scratch) if scratch else tempfile.TemporaryDirectory(prefix="aura-render-") as folder:
            fetch = _Fetcher(source, Path(folder), cancelled, output, progress)
            plan, job = _planned(source, preset, part, fetch, progress)
            reports = run_worker(
                WorkerRequest(render=job),
                stall_seconds=request.stall_seconds,
                cancelled=cancelled,
                environment=request.environment,
            )
            size = _run(reports, job, output, progress)
        _check_output(output, request.overwrite)
        (request.publish or _publish)(part, output)
    except OSError as error:
        raise ExportFailed(f"{output} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return _result(plan, preset, output, size)


def part_path(output: Path, token: str) -> Path:
    """Return the path to which a film is written before it is whole: hidden, beside what it will be."""
    return output.with_name(f".{output.name[:100]}.{token}.part")


def _planned(
    source: ContentSource, preset: ExportPreset, part: Path, fetch: "_Fetcher", progress: Progress
) -> tuple[FilmPlan, RenderJob]:
    """Read the documents and collect the media."""
    view = load_project(source)
    progress.start("collect media", None, "bytes")
    try:
        plan = plan_film(view, source, preset, fetch.copy)
    finally:
        progress.finish()
    for note in plan.notes:
        progress.note(note)
    return plan, _job(plan, preset, part, view.project.title if view.project else "")


def _check_preset(preset: ExportPreset) -> None:
    if preset.container not in _CONTAINERS:
        raise ExportFailed(f"the preset {preset.name!r} has the unknown container {preset.container!r}")
    if preset.video_codec is None:
        return
    sides = (preset.width, preset.height)
    if any(side % 2 or not 16 <= side <= 8192 for side in sides) or not 1 <= preset.frame_rate <= 240:
        size = f"{preset.width}x{preset.height} at {preset.frame_rate} frames a second"
        reason = f"the preset {preset.name!r} asks for {size}"
        raise ExportFailed(reason, hint="Sides are even numbers from 16 to 8192, frame rates 1 to 240.")


def _check_output(output: Path, overwrite: bool) -> None:
    if output.is_dir():
        raise ExportFailed(f"{output} is a folder", hint="Name a file in it.")
    if output.exists() and not overwrite:
        raise ExportFailed(f"{output} exists already", hint="Choose another name, or allow overwriting.")
    if not output.parent.is_dir():
        raise ExportFailed(f"the folder {output.parent} does not exist")


def _publish(part: Path, output: Path) -> None:
    """Rename, durably: after a power failure there is the whole film or none."""
    with part.open("r+b") as file:
        REAL_CALLS.fsync(file.fileno())
    REAL_CALLS.replace(str(part), str(output))
    REAL_CALLS.fsync_folder(str(output.absolute().parent))


class _Fetcher:
    """Copies media out of the source, each file once."""

    def __init__(
        self,
        source: ContentSource,
        folder: Path,
        cancelled: Callable[[], bool],
        output: Path,
        progress: Progress,
    ) -> None:
        self._source, self._folder, self._cancelled, self._output = source, folder, cancelled, output
        self._progress = progress
        self._copies: dict[str, str] = {}

    def copy(self, name: str, label: str) -> str:
        """Copy the file `name`; return the copy's path. `label` is the scene that needs it."""
        if name not in self._copies:
            number = len(self._copies)
            try:
                target = copy_for_worker(
                    self._source, name, self._folder, number, cancelled=self._cancelled, progress=self._progress
                )
            except ObjectOffloaded:
                raise  # nothing is wrong with the scene: its media are elsewhere
            except AuraError as error:
                raise ExportFailed(error.message, scene=label, hint=error.hint) from error
            except OSError as error:
                reason = f"{name} cannot be copied to {self._folder}: {error.strerror or error}"
                raise ExportFailed(reason, scene=label) from error
            if target is None:
                raise ExportCancelled(str(self._output))
            self._copies[name] = str(target)
        return self._copies[name]


def _job(plan: FilmPlan, preset: ExportPreset, part: Path, title: str) -> RenderJob:
    memory = BASE_MEMORY_BYTES + MEMORY_BYTES_PER_PIXEL * preset.width * preset.height
    return RenderJob(
        str(part.absolute()),
        preset,
        plan.shots,
        plan.lanes,
        plan.cues,
        plan.style,
        plan.frames,
        plan.samples,
        memory,
        title,
    )


def _run(process: Generator[WorkerReport], job: RenderJob, output: Path, progress: Progress) -> int:
    """Let the process render; the size of the file in bytes."""
    sound_only = job.preset.video_codec is None
    progress.start("render", job.samples if sound_only else job.frames, "samples" if sound_only else "frames")
    at = WorkerReport("at")
    try:
        with closing(process) as reports:
            for report in reports:
                if report.kind == "at":
                    at = report
                elif report.kind == "frames":
                    progress.advance(report.count)
                elif report.kind == "failed":
                    raise _failure(report, at, job)
                elif report.kind == "rendered":
                    return report.size_bytes
    except WorkerDied as error:
        place = f"while {at.name} was read: " if at.name else ""
        raise ExportFailed(f"{place}{error.reason}", scene=at.label) from error
    finally:
        progress.finish()
    raise ExportCancelled(str(output))


def _failure(report: WorkerReport, at: WorkerReport, job: RenderJob) -> AuraError:
    """Convert the process's last report to an error."""
    if report.error == "encoder":
        return EncoderMissing(job.preset.name, report.name)
    if report.error == "media":
        hint = "Open it in a player; if it does not play there either, replace it or restore an older version."
        scene = _scene_of(report.name, at, job)
        return ExportFailed(f"{report.name} cannot be decoded: {report.detail}", scene=scene, hint=hint)
    return ExportFailed(report.detail or "the encoder failed", scene=at.label)


def _scene_of(name: str, at: WorkerReport, job: RenderJob) -> str:
    """Find the scene that uses a file: the one at work, or the first that does."""
    users = [shot.label for shot in job.shots if any(layer.name == name for layer in shot.layers)]
    users += [sound.label for lane in job.lanes for sound in lane.sounds if sound.name == name]
    return at.label if at.label in users or not users else users[0]


def _result(plan: FilmPlan, preset: ExportPreset, output: Path, size: int) -> ExportResult:
    video = preset.video_codec is not None
    return ExportResult(
        output_file=str(output),
        preset_name=preset.name,
        platform=preset.platform,
        file_size=size,
        duration_seconds=plan.seconds(preset.frame_rate) if video else plan.samples / 48_000,
        frames=plan.frames if video else 0,
        resolution=f"{preset.width}x{preset.height}" if video else "",
        codec=preset.video_codec or preset.audio_codec,
        notes=plan.notes,
    )
