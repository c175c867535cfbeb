"""Render checkpoints: how far a pipeline came, so that it can go on there. Pure data and rules.

A renderer saves one after every scene; after a crash the newest valid one says where to go on.
Where they are stored is somebody else's business.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from aura_vcs.codec import decode_json
from aura_vcs.errors.documents import InvalidValue
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId, new_uuid
from aura_vcs.project.documents.models import STAGE_ALIASES, Stage
from aura_vcs.project.documents.validate import is_time

STAGES: tuple[Stage, ...] = ("Script", "TTS", "Images", "Composition", "Render")
"""The pipeline's stages in their order."""

_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class RenderCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far a stage of a project's pipeline came; `checkpoint_time` is UTC, RFC 3339.

    `output_file_path` is relative to the project. In the store, `data` is the object that holds
    `checkpoint_data`, `output` the one with the output's content, if it was kept, and
    `output_size` counts the bytes that the output had. `revision` counts how often it was
    invalidated or made valid again.
    """

    id: str
    project: str
    stage_name: Stage
    checkpoint_time: str
    completed_scenes: _Count = 0
    total_scenes: _Count = 0
    checkpoint_data: dict[str, Any] = {}
    output_file_path: str | None = None
    is_valid: bool = True
    job_id: str | None = None
    data: ObjectId | None = None
    output: ObjectId | None = None
    output_size: int | None = None
    invalid_reason: str | None = None
    revision: _Count = 0
    created_by: str | None = None
    updated_at: str | None = None
    modified_by: str | None = None


class CheckpointRequest(msgspec.Struct, frozen=True):
    """What a new checkpoint is to say; `now` is its time."""

    stage: str
    now: str
    completed_scenes: int = 0
    total_scenes: int = 0
    data: dict[str, Any] | None = None
    output_file_path: str | None = None
    checkpoint_id: str | None = None


def create_checkpoint(project: str, request: CheckpointRequest) -> RenderCheckpoint:
    """Build a new checkpoint, checked.

    Raises:
        InvalidValue: no such stage, counts that cannot be, no time, or data that is not JSON.
    """
    stage, completed_scenes, total_scenes = request.stage, request.completed_scenes, request.total_scenes
    wrong = (
        (stage not in STAGES, "/stage_name", f"{stage!r} is not a stage; there are {', '.join(STAGES)}"),
        (total_scenes < 0 or completed_scenes < 0, "/completed_scenes", "scenes are counted from 0"),
        (completed_scenes > total_scenes, "/completed_scenes", f"more than all {total_scenes} scenes"),
        (not is_time(request.now), "/checkpoint_time", f"{request.now!r} is not a time such as 2026-11-23T06:30:00Z"),
    )
    for broken, pointer, reason in wrong:
        if broken:
            raise InvalidValue("the checkpoint", pointer, reason)
    checkpoint = {
        "id": request.checkpoint_id or new_uuid(),
        "project": project,
        "stage_name": stage,
        "checkpoint_time": request.now,
        "completed_scenes": completed_scenes,
        "total_scenes": total_scenes,
        "checkpoint_data": request.data or {},
        "output_file_path": request.output_file_path,
    }
    try:
        return decode_checkpoint(msgspec.json.encode(checkpoint), "the checkpoint")
    except (TypeError, OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidValue("the checkpoint", "/checkpoint_data", f"it is not JSON: {error}") from error


def decode_checkpoint(data: bytes, file: str) -> RenderCheckpoint:
    """Decode the checkpoint that `file` holds.

    Raises:
        RecordCorrupt: it holds none.
    """
    try:
        return decode_json(data, RenderCheckpoint)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordCorrupt(file, str(error)) from error


def stage_named(text: str) -> Stage:
    """Find the stage of that name, in upper or lower case, or as the studio's database calls it.

    Raises:
        InvalidValue: there is none.
    """
    for stage in STAGES:
        if stage.lower() == text.lower():
            return stage
    if text.lower() in STAGE_ALIASES:
        return STAGE_ALIASES[text.lower()]
    raise InvalidValue("the checkpoint", "/stage_name", f"{text!r} is not a stage; there are {', '.join(STAGES)}")


def invalidated(
    checkpoint: RenderCheckpoint, reason: str = "", *, now: str | None = None, by: str | None = None
) -> RenderCheckpoint:
    """Mark the checkpoint as not to be resumed from; `now` and `by` say when that was decided, and by whom."""
    return msgspec.structs.replace(
        checkpoint, is_valid=False, invalid_reason=reason[:500] or None, revision=checkpoint.revision + 1,
        updated_at=now or checkpoint.updated_at, modified_by=by or checkpoint.modified_by,
    )  # fmt: skip


def words_for(checkpoint: RenderCheckpoint) -> str:
    """Describe in words how much is done: "Render 7/10"."""
    return f"{checkpoint.stage_name} {checkpoint.completed_scenes}/{checkpoint.total_scenes}"


def progress_percent(checkpoint: RenderCheckpoint) -> float:
    """Return how much of its stage is done, 0 to 100; a stage without scenes is done."""
    if not checkpoint.total_scenes:
        return 100.0
    return min(100.0, 100 * checkpoint.completed_scenes / checkpoint.total_scenes)
