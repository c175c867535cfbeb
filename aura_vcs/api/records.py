"""What programs record in a project: checkpoints of a render, and exports to video."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Part, StrPath, has, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.results import ExportPreset
from aura_vcs.api.values import VersionLike, moment, name_of, path_or_none, time_text
from aura_vcs.history.names.revisions import resolve
from aura_vcs.plain_text import parse_time
from aura_vcs.project.records.checkpoint_store import (
    checkpoint_data,
    find_checkpoint,
    invalidate,
    invalidate_all,
    latest_checkpoint,
    list_checkpoints,
    plan_recovery,
    recover,
    writer_for,
)
from aura_vcs.project.records.checkpoints import RenderCheckpoint
from aura_vcs.project.records.export_jobs import (
    add_export,
    cancel_export,
    choose_preset,
    find_export,
    list_exports,
    retry_export,
    run_export,
)
from aura_vcs.project.records.exports import ExportRecord, ExportStatus
from aura_vcs.project.render.presets import PRESETS
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stage of a render had come."""

    id: str
    stage: str
    time: datetime
    completed: int
    total: int
    output: Path | None
    is_valid: bool
    job_id: str | None
    invalid_reason: str | None

    @classmethod
    def _of(cls, found: RenderCheckpoint) -> Self:
        """Take over a record."""
        return cls(
            id=found.id,
            stage=found.stage_name,
            time=parse_time(found.checkpoint_time),
            completed=found.completed_scenes,
            total=found.total_scenes,
            output=path_or_none(found.output_file_path),
            is_valid=found.is_valid,
            job_id=found.job_id,
            invalid_reason=found.invalid_reason,
        )


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a render resumes from: a checkpoint, what the renderer saved in it, and the output that was restored.

    `skipped` says why newer checkpoints could not be used; `checkpoint` is None if none can.
    """

    checkpoint: Checkpoint | None
    data: Json
    restored: Path | None
    skipped: tuple[str, ...]


class Checkpoints(Part):
    """The checkpoints of a project, newest first; name one by the beginning of its id."""

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter(self.list())

    def __getitem__(self, checkpoint: str) -> Checkpoint:
        return self._opened.run(NO_CALL, _found, checkpoint)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(self, *, stage: str | None = None, valid: bool | None = True) -> list[Checkpoint]:
        """List checkpoints, newest first; with `valid=None` invalid ones too."""
        return self._opened.run(NO_CALL, _listed, stage, valid)

    def latest(self, *, stage: str | None = None) -> Checkpoint | None:
        """Return the newest valid checkpoint, of a stage or of any."""
        return self._opened.run(NO_CALL, _latest, stage)

    def save(
        self,
        stage: str,
        *,
        completed: int,
        total: int,
        data: Json = None,
        output: StrPath | None = None,
        keep_output: bool = False,
        job_id: str | None = None,
    ) -> Checkpoint:
        """Record how far a stage came (Script, TTS, Images, Composition, Render); it is on disk then.

        `data` is what is needed to continue. `output` is the file that is being made; with `keep_output` (up to 64
        MiB) it is stored too, and `recover` puts it back.

        Raises:
            InvalidValue: there is no such stage, or counts that cannot be. InputError. StorageError.
        """
        return self._opened.run(
            NO_CALL,
            _saved,
            stage,
            completed=completed,
            total=total,
            data=data,
            output=output,
            keep_output=keep_output,
            job_id=job_id,
        )

    def data(self, checkpoint: Checkpoint) -> Json:
        """Return what the renderer saved in it."""
        return self._opened.run(NO_CALL, _data, checkpoint.id)

    def invalidate(self, checkpoint: Checkpoint, reason: str = "") -> Checkpoint:
        """Mark it as invalid, so that nothing resumes from it; undo takes that back."""
        return self._opened.run(NO_CALL, _invalidate, checkpoint.id, reason)

    def invalidate_all(self, *, stage: str | None = None, reason: str = "") -> int:
        """Invalidate every valid checkpoint, or those of a stage, as one action; returns how many there were."""
        return self._opened.run(NO_CALL, invalidate_all, stage=stage, reason=reason)

    def plan_recovery(self, stage: str | None = None) -> Recovery:
        """Say what `recover` would continue from; changes nothing."""
        return self._opened.run(NO_CALL, _recovery_plan, stage)

    def recover(self, stage: str | None = None) -> Recovery:
        """Continue from the newest that can be used: an output that it kept is restored, and the project is InProgress.

        Raises:
            NothingToRecover: none can be used; says why for each.
        """
        return self._opened.run(NO_CALL, _recovered, stage)


@dataclass(frozen=True, slots=True)
class Export:
    """The export of a version to a video."""

    id: str
    status: str
    """`Queued`, `InProgress`, `Completed` or `Failed`."""
    percent: float
    preset: str
    output: Path
    created_at: datetime
    completed_at: datetime | None
    size: int | None
    duration_seconds: float | None
    error_message: str | None
    version: str
    """Id of the version that is rendered."""
    notes: tuple[str, ...]
    """What the preset changes about the film."""

    @classmethod
    def _of(cls, found: ExportRecord) -> Self:
        """Take over a record."""
        return cls(
            id=found.id,
            status=found.status,
            percent=found.progress,
            preset=found.preset_name,
            output=Path(found.output_file),
            created_at=parse_time(found.created_at),
            completed_at=moment(found.completed_at),
            size=found.file_size,
            duration_seconds=found.duration_seconds,
            error_message=found.error_message,
            version=found.input_file,
            notes=found.notes,
        )


class Exports(Part):
    """The exports of a project, newest first; name one by the beginning of its id, or as "last"."""

    @property
    def presets(self) -> tuple[ExportPreset, ...]:
        """How videos can be encoded."""
        return PRESETS

    def __iter__(self) -> Iterator[Export]:
        return iter(self.list())

    def __getitem__(self, export: str) -> Export:
        return self._opened.run(NO_CALL, _export, export)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(
        self,
        *,
        status: ExportStatus | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Export]:
        """List exports, newest first. Jobs whose process died are Failed."""
        return self._opened.run(NO_CALL, _exports, status, time_text(since), time_text(until), limit, offset)

    def add(self, output: StrPath, version: VersionLike = "HEAD", *, preset: str = "project") -> Export:
        """Record a job; `preset` "project" is what the version's own render.json says.

        Raises:
            UnknownName: there is no such preset. ObjectPurged.
        """
        return self._opened.run(NO_CALL, _export_added, name_of(version), preset, os.path.abspath(output))

    def run(self, export: Export, *, overwrite: bool = False, **call: Unpack[Call]) -> Export:
        """Render a queued job, from its version's content alone. If it is cancelled, no partial file is left.

        Raises:
            InvalidTransition: the job is not Queued. ExportFailed, ExportCancelled, ExtraMissing, EncoderMissing.
        """
        return self._opened.run(call, _run, export.id, overwrite)

    def retry(self, export: Export) -> Export:
        """Queue a failed job again: the same version, preset and output; `run` renders it."""
        return self._opened.run(NO_CALL, _retry, export.id)

    def cancel(self, export: Export) -> Export:
        """Stop a job, also one that another process renders."""
        return self._opened.run(NO_CALL, _cancel, export.id)


def _found(repo: Repository, prefix: str) -> Checkpoint:
    return Checkpoint._of(find_checkpoint(repo, prefix))


def _listed(repo: Repository, stage: str | None, valid: bool | None) -> list[Checkpoint]:
    return [Checkpoint._of(found) for found in list_checkpoints(repo, stage=stage, valid=valid)]


def _latest(repo: Repository, stage: str | None) -> Checkpoint | None:
    found = latest_checkpoint(repo, stage)
    return None if found is None else Checkpoint._of(found)


def _saved(
    repo: Repository,
    stage: str,
    *,
    completed: int,
    total: int,
    data: Json,
    output: StrPath | None,
    keep_output: bool,
    job_id: str | None,
) -> Checkpoint:
    path = None if output is None else project_paths(repo, [output])[0]
    made = writer_for(repo, job_id).save(
        stage, completed=completed, total=total, data=data, output=path, keep_output=keep_output
    )
    return Checkpoint._of(made)


def _data(repo: Repository, checkpoint: str) -> Json:
    found: Json = checkpoint_data(repo, find_checkpoint(repo, checkpoint))
    return found


def _invalidate(repo: Repository, checkpoint: str, reason: str) -> Checkpoint:
    return Checkpoint._of(invalidate(repo, find_checkpoint(repo, checkpoint), reason))


def _recovery_plan(repo: Repository, stage: str | None) -> Recovery:
    found, skipped = plan_recovery(repo, stage=stage)
    if found is None:
        return Recovery(None, None, None, tuple(skipped))
    return Recovery(Checkpoint._of(found), checkpoint_data(repo, found), None, tuple(skipped))


def _recovered(repo: Repository, stage: str | None) -> Recovery:
    done = recover(repo, stage=stage)
    return Recovery(Checkpoint._of(done.checkpoint), done.data, path_or_none(done.restored), done.skipped)


def _export(repo: Repository, prefix: str) -> Export:
    return Export._of(find_export(repo, prefix))


def _exports(
    repo: Repository, status: ExportStatus | None, since: str | None, until: str | None, limit: int | None, offset: int
) -> list[Export]:
    most = -1 if limit is None else limit
    return list(map(Export._of, list_exports(repo, status=status, since=since, until=until, limit=most, offset=offset)))


def _export_added(repo: Repository, version: str, preset: str, output: str) -> Export:
    record = resolve(repo, version)
    return Export._of(add_export(repo, record, choose_preset(repo, record, preset), output))


def _run(repo: Repository, export: str, overwrite: bool) -> Export:
    job = find_export(repo, export)
    return Export._of(run_export(repo, job, overwrite=overwrite, environment={}, progress=repo.progress))


def _retry(repo: Repository, export: str) -> Export:
    return Export._of(retry_export(repo, find_export(repo, export)))


def _cancel(repo: Repository, export: str) -> Export:
    return Export._of(cancel_export(repo, find_export(repo, export)))
