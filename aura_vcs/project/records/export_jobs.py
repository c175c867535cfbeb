"""Exports: videos rendered from the content of one exact version, and the record of each.

The states and what may follow which are in `exports`; here they are stored. The process
that renders holds a lock of the operating system: a job whose process died is told by that.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.codec import decode_json
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.documents import ExportCancelled
from aura_vcs.errors.input import LockBusy, UnknownName
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.names.revisions import check_content
from aura_vcs.history.recording.unversioned_output import leave_unversioned
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.entities import exports_statement
from aura_vcs.index.queries import describe_numbered
from aura_vcs.index.records import VersionRecord
from aura_vcs.plain_text import is_text, now, readable_name
from aura_vcs.progress import Progress
from aura_vcs.project.documents.load import ProjectView, load_project
from aura_vcs.project.documents.models import Aspect
from aura_vcs.project.documents.state import note_output
from aura_vcs.project.records.export_paths import check_output, forget_output, remember_output
from aura_vcs.project.records.exports import (
    ExportRecord,
    ExportStatus,
    advanced,
    completed,
    failed,
    queue_export,
    retried,
    started,
)
from aura_vcs.project.records.files import indexed, load_record, put_record, with_prefix
from aura_vcs.project.render.job import ExportResult
from aura_vcs.project.render.plan import film_seconds
from aura_vcs.project.render.presets import (
    PROJECT_PRESET,
    ExportPreset,
    aspect_of,
    find_preset,
    preset_notes,
    project_preset,
)
from aura_vcs.project.render.render import RenderRequest, part_path, render_export
from aura_vcs.repository.repository import Repository

DEFAULT_PRESET = "YouTube 1080p"
"""How a version without a render.json is encoded."""
STEP_PERCENT = 5
"""How often a running job's record is written."""
CANCELLED = "Cancelled"
_BLOCK = 1 << 20
_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What a job's folder is called; nothing else in RENDERS is ours to sweep."""


def export_path(job: ExportRecord) -> str:
    """Return the record's place in the store."""
    return f"{layout.EXPORTS}/{job.id}.json"


def choose_preset(repo: Repository, version: VersionRecord, name: str) -> ExportPreset:
    """Return the preset of that name; for "project" what the version's own render.json says.

    A version without a render.json has DEFAULT_PRESET for that.

    Raises:
        UnknownName: there is no such preset. ObjectPurged: the version's content was freed.
    """
    if name.strip().lower() != PROJECT_PRESET:
        return find_preset(name)
    check_content(repo, version)
    render = load_project(StoredSource(repo, version.tree)).render
    return find_preset(DEFAULT_PRESET) if render is None else project_preset(render)


def describe_source(repo: Repository, job: ExportRecord) -> str:
    """Say what an export was rendered from: a version, called as it is now, or the file that another program says."""
    if job.version_number is None:
        return job.rendered
    return describe_numbered(repo.queries, VersionId(ObjectId(job.input_file)), job.version_number)


def add_export(repo: Repository, version: VersionRecord, preset: ExportPreset, output: str) -> ExportRecord:
    """Record a job for one version; nothing is rendered yet. Its notes say what the preset does not take as it is.

    Raises:
        ObjectPurged: the version's content was freed. InputError: the file's name is not UTF-8.
    """
    check_content(repo, version)
    if not is_text(os.path.abspath(output)):
        raise InputError(
            f"{readable_name(output)} cannot be recorded: its path is not UTF-8", hint="Give another name."
        )
    made = queue_export(version.id, preset, os.path.abspath(output), now=now())
    source = StoredSource(repo, version.tree)
    view = load_project(source)
    notes = preset_notes(preset, seconds=film_seconds(view, source), aspect=_aspect(view))
    remember_output(repo, made)
    return _put(
        repo,
        msgspec.structs.replace(made, version_number=version.number, created_by=repo.author, notes=notes),
    )


def _aspect(view: ProjectView) -> Aspect | None:
    """Choose the aspect that the documents give the film: render.json's size, else what the brief asks for."""
    if view.render is not None:
        return aspect_of(view.render.resolution.width, view.render.resolution.height)
    return view.brief.aspect if view.brief is not None else None


def run_export(
    repo: Repository,
    job: ExportRecord,
    *,
    overwrite: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
    environment: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> ExportRecord:
    """Render a queued job. The worktree is neither read nor touched.

    `environment` is all that the process which decodes gets of one.

    The record follows the states; whatever goes wrong is in it as `error_message`, and raised.

    Raises:
        InvalidTransition: the job is not Queued.
        LockBusy: another process renders it.
        InputError: the record, which came from another machine, leads out of the project.
        ExportFailed, ExportCancelled, ExtraMissing, EncoderMissing: see `render_export`.
    """
    _sweep(repo)
    check_output(repo, job)
    with repo.locks.exclusive(_lock(job), wait_seconds=1):
        running = _put(repo, started(load_export(repo, job.id), now=now()))
        try:
            result = _render(repo, running, overwrite, cancelled, environment, progress or repo.progress)
        except BaseException as error:
            _fail(repo, running, error)
            raise
        finally:
            repo.storage.delete(_cancel_file(job.id))
        done = msgspec.structs.replace(completed(running, result, now=now()), output_id=_hash(running.output_file))
        done = _put(repo, done)
    forget_output(repo, done)
    note_output(repo, done.output_file)
    leave_unversioned(repo, done.output_file)
    return done


def cancel_export(repo: Repository, job: ExportRecord) -> ExportRecord:
    """Ask the process that renders the job to stop; a queued one fails at once.

    Raises:
        InvalidTransition: it is over already.
    """
    ended = failed(job, CANCELLED, now=now())
    repo.storage.put(_cancel_file(job.id), b"")
    if is_running(repo, job):
        return job
    repo.storage.delete(_cancel_file(job.id))
    return _put(repo, ended)


def retry_export(repo: Repository, job: ExportRecord) -> ExportRecord:
    """Queue a failed job again: the same version, preset and output.

    Raises:
        InvalidTransition: the job is not Failed. InputError: another program made it, from no version.
    """
    if job.version_number is None:
        raise InputError(
            f"The export {job.id[:8]} was made by another program, from {job.input_file}",
            hint="Render a version instead: `aura export run VERSION`.",
        )
    return _put(repo, retried(job, now=now()))


def list_exports(
    repo: Repository,
    *,
    status: ExportStatus | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int = -1,
    offset: int = 0,
) -> list[ExportRecord]:
    """List exports, newest first; times in RFC 3339. Jobs whose process died are Failed, and recorded so."""
    _sweep(repo)
    entities = indexed(repo, "exports", layout.EXPORTS, ExportRecord, _columns)
    for row in entities.records(*exports_statement(status="InProgress")):
        _bury(repo, decode_json(row, ExportRecord))
    entities = indexed(repo, "exports", layout.EXPORTS, ExportRecord, _columns)
    statement, values = exports_statement(status=status, since=since, until=until, limit=limit, offset=offset)
    return [decode_json(row, ExportRecord) for row in entities.records(statement, values)]


def find_export(repo: Repository, prefix: str) -> ExportRecord:
    """Find the export whose id begins with `prefix`, or the newest for "last".

    Raises:
        UnknownName: none does, or several.
    """
    known = list_exports(repo)
    if prefix == "last" and known:
        return known[0]
    return with_prefix(known, prefix, "export", "aura export list")


def load_export(repo: Repository, job_id: str) -> ExportRecord:
    """Read the job's record as it is on disk now.

    Raises:
        UnknownName: there is none.
    """
    found = load_record(repo.storage, f"{layout.EXPORTS}/{job_id}.json", ExportRecord)
    if found is None:
        raise UnknownName("export", job_id)
    return found


def is_running(repo: Repository, job: ExportRecord) -> bool:
    """Tell whether a process of this machine renders the job now."""
    try:
        with repo.locks.exclusive(_lock(job), wait_seconds=0):
            return False
    except LockBusy:
        return True


def _render(
    repo: Repository,
    job: ExportRecord,
    overwrite: bool,
    cancelled: Callable[[], bool],
    environment: Mapping[str, str] | None,
    progress: Progress,
) -> ExportResult:
    version = repo.queries.version(VersionId(ObjectId(job.input_file)))
    if version is None:
        raise UnknownName("version", job.input_file[:12])
    check_content(repo, version)
    marker = _cancel_file(job.id)
    with _scratch(repo, job) as scratch:
        return render_export(
            StoredSource(repo, version.tree),
            job.preset or find_preset(job.preset_name),
            Path(job.output_file),
            request=RenderRequest(
                overwrite=overwrite,
                cancelled=lambda: cancelled() or repo.storage.stat(marker) is not None,
                scratch=scratch,
                token=_token(job.id),
                environment=environment,
            ),
            progress=_Recorder(repo, job, progress),
        )


@contextmanager
def _scratch(repo: Repository, job: ExportRecord) -> Iterator[Path]:
    """Yield an empty folder in the project for as long as the job is rendered."""
    name = f"{layout.RENDERS}/{job.id}"
    repo.storage.discard_folder(name)
    repo.storage.make_folder(name)
    try:
        yield Path(repo.storage.path(name))
    finally:
        repo.storage.discard_folder(name)


def _fail(repo: Repository, job: ExportRecord, error: BaseException) -> None:
    if isinstance(error, ExportCancelled | KeyboardInterrupt):
        message = CANCELLED
    else:
        message = error.message if isinstance(error, AuraError) else f"{type(error).__name__}: {error}"
    try:
        _put(repo, failed(load_export(repo, job.id), message, now=now()))
    except AuraError:
        return  # the first error is the one to tell; the record is Failed when its lock is seen free


def _put(repo: Repository, job: ExportRecord) -> ExportRecord:
    """Store a job's record as it is from now on."""
    stored = msgspec.structs.replace(job, updated_at=now(), modified_by=repo.author)
    put_record(repo.storage, export_path(stored), stored)
    return stored


def _bury(repo: Repository, job: ExportRecord) -> None:
    """Mark a job in progress as failed if its process has ended."""
    try:
        with repo.locks.exclusive(_lock(job), wait_seconds=0):
            current = load_export(repo, job.id)
            if current.status == "InProgress":
                message = "The process that rendered it ended without a word"
                _put(repo, failed(current, message, now=now()))
    except LockBusy:
        return


def _sweep(repo: Repository) -> None:
    """Remove what killed processes left: copies of media, and the beginning of a film."""
    for job_id in filter(_JOB_ID.fullmatch, repo.storage.list(layout.RENDERS)):
        try:
            with repo.locks.exclusive(_lock_name(job_id), wait_seconds=0):
                job = load_record(repo.storage, f"{layout.EXPORTS}/{job_id}.json", ExportRecord)
                with suppress(OSError):  # somebody else's folder by now, or a disk that went away
                    if job is not None:
                        part_path(Path(job.output_file), _token(job_id)).unlink(missing_ok=True)
                repo.storage.discard_folder(f"{layout.RENDERS}/{job_id}")
        except LockBusy:
            continue


def _hash(path: str) -> str:
    hasher = blake3()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                hasher.update(block)
    except OSError as error:
        raise FileUnreadable(path, error.strerror or str(error)) from error
    return hasher.hexdigest()


def _lock(job: ExportRecord) -> str:
    return _lock_name(job.id)


def _lock_name(job_id: str) -> str:
    return f"export-{job_id}"


def _token(job_id: str) -> str:
    return job_id[:8]


def _cancel_file(job_id: str) -> str:
    return f"{layout.LOCAL}/cancel-{job_id}"


def _columns(record: ExportRecord) -> dict[str, object]:
    return {"status": record.status, "created_at": record.created_at}


class _Recorder:
    """Passes progress on, and writes it into the record every STEP_PERCENT."""

    def __init__(self, repo: Repository, job: ExportRecord, progress: Progress) -> None:
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
            _put(self._repo, advanced(self._job, round(percent, 1)))
        self._progress.advance(amount)

    def finish(self) -> None:
        """See Progress."""
        self._progress.finish()

    def note(self, message: str) -> None:
        """See Progress."""
        self._progress.note(message)
