"""What programs record in a project: checkpoints of a render, and exports to video."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from aura_vcs.api.opened import Opened, StrPath
from aura_vcs.api.reporting import Listener
from aura_vcs.api.values import VersionLike, moment, path_or_none
from aura_vcs.api.versions import name_of, project_paths
from aura_vcs.codec import parse_time
from aura_vcs.history.names.revisions import resolve
from aura_vcs.project.records.checkpoint_store import (
    checkpoint_data,
    find_checkpoint,
    invalidate,
    list_checkpoints,
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
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.repository.repository import Repository

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What a renderer keeps in a checkpoint."""


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

    @classmethod
    def of(cls, found: RenderCheckpoint) -> Self:
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
        )


class Checkpoints:
    """The valid checkpoints of a project, newest first."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Checkpoint]:
        return iter(self.list())

    def list(self, *, stage: str | None = None, valid: bool | None = True) -> list[Checkpoint]:
        """List checkpoints, newest first; with `valid=None` invalid ones too."""
        return [Checkpoint.of(found) for found in self._opened.run(None, list_checkpoints, stage=stage, valid=valid)]

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
        """Record how far a stage came (Script, TTS, Images, Composition, Render); it is on disk then."""
        path = None if output is None else project_paths(self._opened, [output])[0]
        made = self._opened.run(None, writer_for, job_id).save(
            stage, completed=completed, total=total, data=data, output=path, keep_output=keep_output
        )
        return Checkpoint.of(made)

    def data(self, checkpoint: Checkpoint) -> Json:
        """What the renderer kept in it."""
        return self._opened.run(None, _data, checkpoint.id)

    def invalidate(self, checkpoint: Checkpoint, reason: str = "") -> Checkpoint:
        """Say that nothing is to be resumed from it."""
        return Checkpoint.of(self._opened.run(None, _invalidated, checkpoint.id, reason))

    def recover(self, stage: str | None = None) -> Checkpoint:
        """Go on from the newest that can be used; an output that it kept is put back."""
        return Checkpoint.of(self._opened.run(None, recover, stage=stage).checkpoint)


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

    @classmethod
    def of(cls, found: ExportRecord) -> Self:
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
        )


class Exports:
    """The exports of a project, newest first."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Export]:
        return map(Export.of, self._opened.run(None, list_exports))

    def __getitem__(self, export: str) -> Export:
        return Export.of(self._opened.run(None, find_export, export))

    def add(self, output: StrPath, version: VersionLike = "HEAD", *, preset: str = "project") -> Export:
        """Record a job; `preset` "project" is what the version's own render.json says."""
        return Export.of(self._opened.run(None, _added, name_of(version), preset, os.path.abspath(output)))

    def run(self, export: Export, *, overwrite: bool = False, progress: Listener | None = None) -> Export:
        """Render a queued job, from its version's content alone."""
        return Export.of(self._opened.run(progress, _run, export.id, overwrite))

    def retry(self, export: Export) -> Export:
        """Queue a failed job again."""
        return Export.of(self._opened.run(None, _retried, export.id))

    def cancel(self, export: Export) -> Export:
        """Stop a job, also one that another process renders."""
        return Export.of(self._opened.run(None, _cancelled, export.id))


def _data(repo: Repository, checkpoint: str) -> Json:
    found: Json = checkpoint_data(repo, find_checkpoint(repo, checkpoint))
    return found


def _invalidated(repo: Repository, checkpoint: str, reason: str) -> RenderCheckpoint:
    return invalidate(repo, find_checkpoint(repo, checkpoint), reason)


def _added(repo: Repository, version: str, preset: str, output: str) -> ExportRecord:
    record = resolve(repo, version)
    return add_export(repo, record, choose_preset(repo, record, preset), output)


def _run(repo: Repository, export: str, overwrite: bool) -> ExportRecord:
    return run_export(repo, find_export(repo, export), overwrite=overwrite, environment={}, progress=repo.progress)


def _retried(repo: Repository, export: str) -> ExportRecord:
    return retry_export(repo, find_export(repo, export))


def _cancelled(repo: Repository, export: str) -> ExportRecord:
    return cancel_export(repo, find_export(repo, export))
