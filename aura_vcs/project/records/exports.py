"""Export jobs: what was rendered from which version, and how it went. Pure data and rules.

    Queued ──▶ InProgress ──▶ Completed
       │            │
       └──▶ Failed ◀┘     retry: Failed ──▶ Queued

A cancelled export is Failed with a message that says so. Times are given by the caller, in UTC.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aura_vcs.errors import AuraError
from aura_vcs.errors.documents import InvalidTransition
from aura_vcs.ids import new_uuid
from aura_vcs.project.render.job import ExportResult
from aura_vcs.project.render.presets import ExportPreset

ExportStatus = Literal["Queued", "InProgress", "Completed", "Failed"]
_NEXT: dict[ExportStatus, tuple[ExportStatus, ...]] = {
    "Queued": ("InProgress", "Failed"),
    "InProgress": ("Completed", "Failed"),
    "Completed": (),
    "Failed": ("Queued",),
}
MAX_MESSAGE = 2000


class ExportRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the export history. `input_file` names the version that was rendered, by its id.

    Another program's export, which was imported, has no `version_number`, and its `input_file` is a path.

    `preset` has all numbers of the preset and `output_id` the BLAKE3 of the finished file, so that
    the export can be made again and compared.
    """

    id: str
    input_file: str
    output_file: str
    preset_name: str
    status: ExportStatus = "Queued"
    progress: Annotated[float, Meta(ge=0, le=100)] = 0.0
    created_at: str
    started_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None
    file_size: Annotated[int, Meta(ge=0)] | None = None
    duration_seconds: Annotated[float, Meta(ge=0)] | None = None
    platform: str | None = None
    resolution: str | None = None
    codec: str | None = None
    preset: ExportPreset | None = None
    version_number: int | None = None
    output_id: str | None = None
    notes: tuple[str, ...] = ()
    attempts: int = 0
    created_by: str | None = None
    updated_at: str | None = None
    modified_by: str | None = None

    @property
    def rendered(self) -> str:
        """What was rendered, in words: a version, or the file that another program says."""
        if self.version_number is not None:
            return f"v{self.version_number}"
        return self.input_file.replace("\\", "/").rpartition("/")[2] or "a film"


def queue_export(
    version_id: str, preset: ExportPreset, output_file: str, *, now: str, export_id: str | None = None
) -> ExportRecord:
    """Build a job that waits."""
    return ExportRecord(
        id=export_id or new_uuid(),
        input_file=version_id,
        output_file=output_file,
        preset_name=preset.name,
        created_at=now,
        platform=preset.platform,
        resolution=f"{preset.width}x{preset.height}" if preset.video_codec else None,
        codec=preset.video_codec or preset.audio_codec,
        preset=preset,
    )


def started(record: ExportRecord, *, now: str) -> ExportRecord:
    """Mark the job as in progress.

    Raises:
        InvalidTransition: it does not wait.
    """
    return _moved(record, "InProgress", started_at=now, progress=0.0, attempts=record.attempts + 1)


def advanced(record: ExportRecord, percent: float) -> ExportRecord:
    """Note the job's progress; it never goes back and never beyond 100.

    Raises:
        InvalidTransition: it is not at work.
    """
    if record.status != "InProgress":
        raise InvalidTransition(_name(record), record.status, "InProgress", _NEXT[record.status])
    return msgspec.structs.replace(record, progress=max(record.progress, min(100.0, max(0.0, percent))))


def completed(record: ExportRecord, result: ExportResult, *, now: str) -> ExportRecord:
    """Mark the job as done, with what was made.

    Raises:
        InvalidTransition: it is not at work.
    """
    return _moved(
        record,
        "Completed",
        completed_at=now,
        progress=100.0,
        output_file=result.output_file,
        file_size=result.file_size,
        duration_seconds=result.duration_seconds,
        resolution=result.resolution or None,
        codec=result.codec,
        notes=(*record.notes, *result.notes),
    )


def failed(record: ExportRecord, error: AuraError | str, *, now: str) -> ExportRecord:
    """Mark the job as failed, with the reason in words.

    Raises:
        InvalidTransition: it is done, or has failed before.
    """
    message = error.message if isinstance(error, AuraError) else error
    return _moved(record, "Failed", completed_at=now, error_message=message[:MAX_MESSAGE])


def retried(record: ExportRecord, *, now: str) -> ExportRecord:
    """Queue the failed job again, with the same id, version and preset.

    Raises:
        InvalidTransition: it has not failed.
    """
    return _moved(
        record, "Queued", created_at=now, started_at=None, completed_at=None, error_message=None, progress=0.0
    )


def _moved(record: ExportRecord, status: ExportStatus, **changes: object) -> ExportRecord:
    if status not in _NEXT[record.status]:
        raise InvalidTransition(_name(record), record.status, status, _NEXT[record.status])
    return msgspec.structs.replace(record, status=status, **changes)


def _name(record: ExportRecord) -> str:
    return f"The export {record.id[:8]} to {record.output_file}"
