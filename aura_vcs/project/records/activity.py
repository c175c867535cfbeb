"""What programs record without an action: checkpoint saves and exports, told like actions.

Nothing of it is taken back: a checkpoint is superseded by the next one or invalidated (which is an
action), an export makes a file that versions do not hold. So neither is in the operation log, and
a renderer never waits for one. docs/decisions/checkpoints-beside-the-log.md says why.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from aura_vcs.history.names.operation_words import RECORDED_TYPES, list_actions
from aura_vcs.index.records import EVERY_ACTION, ActionFilter, ActionRecord
from aura_vcs.layout import EXPORTS, REFS
from aura_vcs.project.records.checkpoint_store import checkpoint_file, list_checkpoints
from aura_vcs.project.records.checkpoints import RenderCheckpoint, words_for
from aura_vcs.project.records.export_jobs import describe_source, list_exports
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.repository.repository import Repository


class Activity(msgspec.Struct, frozen=True):
    """One thing that was recorded; the fields are those of an action, as far as there is such a thing."""

    id: str
    type: str
    description: str
    user: str
    time: str
    status: Literal["Applied", "Failed"]
    affected_resource_ids: tuple[str, ...]
    payload: dict[str, Any]
    correlation_id: str | None = None
    error_message: str | None = None


def list_activity(
    repo: Repository, wanted: ActionFilter = EVERY_ACTION, *, limit: int = 50, offset: int = 0, everything: bool = False
) -> list[ActionRecord | Activity]:
    """Return a page of what was done, newest first; with `everything` what else was recorded too.

    A type that is not one of actions says so by itself.
    """
    if not (everything or wanted.type in RECORDED_TYPES):
        return [*list_actions(repo, wanted, limit=limit, offset=offset)]
    actions = list_actions(repo, wanted, limit=limit + offset)
    both: list[ActionRecord | Activity] = [*actions, *list_records(repo, wanted, limit=limit + offset)]
    return sorted(both, key=lambda item: item.time, reverse=True)[offset : offset + limit]


def list_records(repo: Repository, wanted: ActionFilter, *, limit: int = 50) -> list[Activity]:
    """List the newest `limit` records, newest first; a job's id counts as correlation id."""
    found = [item for item in _all(repo) if wanted.matches(item, item.status)]
    return sorted(found, key=lambda item: item.time, reverse=True)[:limit]


def _all(repo: Repository) -> Iterator[Activity]:
    yield from map(_checkpoint, list_checkpoints(repo, valid=None))
    yield from (_export(repo, job) for job in list_exports(repo))


def _checkpoint(item: RenderCheckpoint) -> Activity:
    payload = {
        "stage_name": item.stage_name, "completed_scenes": item.completed_scenes, "total_scenes": item.total_scenes,
        "output_file_path": item.output_file_path, "is_valid": item.is_valid,
    }  # fmt: skip
    place = checkpoint_file(item).removeprefix(f"{REFS}/").removesuffix(".json")
    said = f"Saved checkpoint {words_for(item)}"
    user = item.created_by or ""
    time = item.checkpoint_time
    return Activity(item.id, "checkpoint.save", said, user, time, "Applied", (place,), payload, item.job_id)


def _export(repo: Repository, job: ExportRecord) -> Activity:
    verb = {"Queued": "Queued", "InProgress": "Started", "Failed": "Failed", "Completed": "Made"}[job.status]
    said = f"{verb} export of {describe_source(repo, job)} as {job.preset_name}"
    payload = {
        "status": job.status, "progress": job.progress, "version": job.input_file, "output_file": job.output_file,
        "preset_name": job.preset_name,
    }  # fmt: skip
    place = f"{EXPORTS}/{job.id}".removeprefix(f"{REFS}/")
    status: Literal["Applied", "Failed"] = "Failed" if job.status == "Failed" else "Applied"
    user = job.created_by or ""
    return Activity(
        job.id, "export.run", said, user, job.created_at, status, (place,), payload, error_message=job.error_message
    )
