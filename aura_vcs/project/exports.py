"""Exports: videos rendered from the content of one exact version, and the record of each.

A job goes Queued → InProgress → Completed or Failed, never back; `retry` is a new job of the same
version and preset. The record names the version by its id, the preset with all its numbers and
the bytes that came out (BLAKE3), so that an export can be made again and compared. The process
that renders holds a lock of the operating system: a job whose process died is told by that.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import now, parse_time
from aura_vcs.errors import (
    AuraError,
    ExportCancelled,
    FileUnreadable,
    InvalidTransition,
    LockBusy,
    UnknownName,
)
from aura_vcs.history.going import check_content
from aura_vcs.ids import VersionId, new_uuid
from aura_vcs.index.entities import exports_statement
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.progress import Progress
from aura_vcs.project.presets import ExportPreset
from aura_vcs.project.records import indexed, load_record, put_record
from aura_vcs.project.render import ExportResult, render_export
from aura_vcs.project.stored import TreeSource
from aura_vcs.repository.repository import Repository

ExportStatus = Literal["Queued", "InProgress", "Completed", "Failed"]
_NEXT: dict[str, tuple[ExportStatus, ...]] = {
    "Queued": ("InProgress", "Failed"),
    "InProgress": ("Completed", "Failed"),
    "Completed": (),
    "Failed": (),
}
STEP_PERCENT = 5
"""How often a running job's record is written."""
CANCELLED = "Cancelled"
_BLOCK = 1 << 20


class Export(msgspec.Struct, frozen=True):
    """DOMAIN's ExportHistory. `progress` is in percent, `output_id` the BLAKE3 of the finished file.

    `input_file` says which version, for a person; `retry_of` is the job that this one repeats.
    """

    id: str
    version: VersionId
    input_file: str
    output_file: str
    preset_name: str
    preset: ExportPreset
    status: ExportStatus
    progress: float
    created_at: str
    created_by: str
    platform: str
    resolution: str
    codec: str
    started_at: str | None = None
    completed_at: str | None = None
    error_message: str | None = None
    file_size: int | None = None
    duration_seconds: float | None = None
    output_id: str | None = None
    notes: tuple[str, ...] = ()
    retry_of: str | None = None
    updated_at: str | None = None

    @property
    def path(self) -> str:
        """The record's place in the store."""
        return f"{layout.EXPORTS}/{self.id}.json"


def queue_export(
    repo: Repository, version: VersionRecord, preset: ExportPreset, output: str, *, retry_of: str | None = None
) -> Export:
    """Record a job for one version; nothing is rendered yet.

    Raises:
        ObjectPurged: the version's content was freed.
    """
    check_content(version)
    video = preset.video_codec is not None
    made = Export(
        id=new_uuid(), version=version.id, input_file=f"v{version.number} {version.name}",
        output_file=os.path.abspath(output), preset_name=preset.name, preset=preset, status="Queued", progress=0.0,
        created_at=now(), created_by=repo.author, platform=preset.platform,
        resolution=f"{preset.width}x{preset.height}" if video else "", codec=preset.video_codec or preset.audio_codec,
        retry_of=retry_of,
    )  # fmt: skip
    put_record(repo.storage, made.path, made)
    return made


def run_export(
    repo: Repository,
    job: Export,
    *,
    overwrite: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Progress | None = None,
) -> Export:
    """Render a queued job. The work folder is neither read nor touched.

    The record follows the states; whatever goes wrong is in it as `error_message`, and raised.

    Raises:
        InvalidTransition: the job is not Queued.
        LockBusy: another process renders it.
        ExportFailed, ExportCancelled, ExtraMissing, EncoderMissing: see `render_export`.
    """
    with repo.locks.exclusive(_lock(job), wait_seconds=0):
        running = _moved(repo, load_export(repo, job.id), "InProgress", started_at=now())
        try:
            result = _render(repo, running, overwrite, cancelled, progress or repo.progress)
        except BaseException as error:
            _fail(repo, running, error)
            raise
        finally:
            repo.storage.delete(_cancel_file(job.id))
        return _finished(repo, running, result)


def cancel_export(repo: Repository, job: Export) -> Export:
    """Ask the process that renders the job to stop; a queued one fails at once.

    Raises:
        InvalidTransition: it is over already.
    """
    if not _NEXT[job.status]:
        raise InvalidTransition(f"Export {job.id[:8]}", job.status, CANCELLED, ())
    repo.storage.put(_cancel_file(job.id), b"")
    if is_running(repo, job):
        return job
    failed = _moved(repo, job, "Failed", completed_at=now(), error_message=CANCELLED)
    repo.storage.delete(_cancel_file(job.id))
    return failed


def retry_export(repo: Repository, job: Export) -> Export:
    """Queue the same version, preset and output again.

    Raises:
        InvalidTransition: the job is not Failed.
        UnknownName: its version is not here any more.
    """
    if job.status != "Failed":
        raise InvalidTransition(f"Export {job.id[:8]}", job.status, "Queued", _NEXT[job.status])
    version = Queries(repo.index).version(job.version)
    if version is None:
        raise UnknownName("version", job.version[:12])
    return queue_export(repo, version, job.preset, job.output_file, retry_of=job.id)


def list_exports(
    repo: Repository, *, status: ExportStatus | None = None, limit: int = -1, offset: int = 0
) -> list[Export]:
    """Exports, newest first. Jobs whose process died are Failed, and recorded so."""
    entities = indexed(repo, "exports", layout.EXPORTS, Export, _columns)
    for row in entities.records(*exports_statement(status="InProgress")):
        _bury(repo, msgspec.json.decode(row, type=Export))
    entities = indexed(repo, "exports", layout.EXPORTS, Export, _columns)
    statement, values = exports_statement(status=status, limit=limit, offset=offset)
    return [msgspec.json.decode(row, type=Export) for row in entities.records(statement, values)]


def find_export(repo: Repository, prefix: str) -> Export:
    """The export whose id begins so, or the newest for "last".

    Raises:
        UnknownName: none does, or several.
    """
    known = list_exports(repo)
    if prefix == "last" and known:
        return known[0]
    found = [job for job in known if prefix and job.id.startswith(prefix.lower())]
    if len(found) != 1:
        hint = "Give more digits of the id." if found else "`aura export list` shows them."
        raise UnknownName("export", prefix, hint=hint)
    return found[0]


def load_export(repo: Repository, job_id: str) -> Export:
    """The job's record as it is on disk now.

    Raises:
        UnknownName: there is none.
    """
    found = load_record(repo.storage, f"{layout.EXPORTS}/{job_id}.json", Export)
    if found is None:
        raise UnknownName("export", job_id)
    return found


def is_running(repo: Repository, job: Export) -> bool:
    """Whether a process of this machine renders the job now."""
    try:
        with repo.locks.exclusive(_lock(job), wait_seconds=0):
            return False
    except LockBusy:
        return True


def _render(
    repo: Repository, job: Export, overwrite: bool, cancelled: Callable[[], bool], progress: Progress
) -> ExportResult:
    version = Queries(repo.index).version(job.version)
    if version is None:
        raise UnknownName("version", job.version[:12])
    check_content(version)
    marker = repo.storage.path(_cancel_file(job.id))
    return render_export(
        TreeSource(repo, version.tree),
        job.preset,
        Path(job.output_file),
        overwrite=overwrite,
        cancelled=lambda: cancelled() or os.path.exists(marker),
        progress=_Recorder(repo, job, progress),
    )


def _finished(repo: Repository, job: Export, result: ExportResult) -> Export:
    return _moved(
        repo, job, "Completed", completed_at=now(), progress=100.0, file_size=result.file_size,
        duration_seconds=result.duration_seconds, resolution=result.resolution, codec=result.codec,
        output_id=_hash(job.output_file), notes=result.notes,
    )  # fmt: skip


def _fail(repo: Repository, job: Export, error: BaseException) -> None:
    if isinstance(error, ExportCancelled | KeyboardInterrupt):
        message = CANCELLED
    else:
        message = error.message if isinstance(error, AuraError) else f"{type(error).__name__}: {error}"
    try:
        _moved(repo, load_export(repo, job.id), "Failed", completed_at=now(), error_message=message[:4000])
    except AuraError:
        return  # the first error is the one to tell; the record is Failed when its lock is seen free


def _moved(repo: Repository, job: Export, status: ExportStatus, **changes: object) -> Export:
    if status not in _NEXT[job.status]:
        raise InvalidTransition(f"Export {job.id[:8]}", job.status, status, _NEXT[job.status])
    changed = msgspec.structs.replace(job, status=status, updated_at=now(), **changes)
    put_record(repo.storage, changed.path, changed)
    return changed


def _bury(repo: Repository, job: Export) -> None:
    """A job in progress whose process has gone has failed."""
    try:
        with repo.locks.exclusive(_lock(job), wait_seconds=0):
            current = load_export(repo, job.id)
            if current.status == "InProgress":
                message = "The process that rendered it ended without a word"
                _moved(repo, current, "Failed", completed_at=now(), error_message=message)
    except LockBusy:
        return


def _hash(path: str) -> str:
    hasher = blake3()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                hasher.update(block)
    except OSError as error:
        raise FileUnreadable(path, error.strerror or str(error)) from error
    return hasher.hexdigest()


def _lock(job: Export) -> str:
    return f"export-{job.id}"


def _cancel_file(job_id: str) -> str:
    return f"{layout.LOCAL}/cancel-{job_id}"


def _columns(record: Export) -> dict[str, object]:
    return {"status": record.status, "created_at": record.created_at}


def seconds_taken(job: Export) -> float | None:
    """How long the rendering took; None if it is not over."""
    if job.started_at is None or job.completed_at is None:
        return None
    return (parse_time(job.completed_at) - parse_time(job.started_at)).total_seconds()


class _Recorder:
    """Passes progress on, and writes it into the record every STEP_PERCENT."""

    def __init__(self, repo: Repository, job: Export, progress: Progress) -> None:
        self._repo, self._job, self._progress = repo, job, progress
        self._total, self._done, self._written = 0, 0, 0.0

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """See Progress."""
        self._total, self._done = total or 0, 0
        self._progress.start(phase, total, unit)

    def advance(self, amount: int) -> None:
        """See Progress."""
        self._done += amount
        percent = min(99.0, 100.0 * self._done / self._total) if self._total else 0.0
        if percent >= self._written + STEP_PERCENT:
            self._written = percent
            record = msgspec.structs.replace(self._job, progress=round(percent, 1), updated_at=now())
            put_record(self._repo.storage, record.path, record)
        self._progress.advance(amount)

    def finish(self) -> None:
        """See Progress."""
        self._progress.finish()

    def note(self, message: str) -> None:
        """See Progress."""
        self._progress.note(message)
