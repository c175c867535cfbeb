"""Render checkpoints: how far a stage came, durably, in milliseconds, from any thread.

A save writes the data (an object, stored once) and then one small record; it takes no lock that
a commit holds for long, and touches neither index nor operation log. What a record needs is safe
from collection as long as the record is there. A writer keeps its newest KEPT records of a stage.
"""

import os
import threading
from collections import deque
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from aura_vcs import layout
from aura_vcs.codec import encode_compact, format_time, now, parse_time
from aura_vcs.errors import InputError, IntegrityError, InvalidValue, NothingToRecover, UnknownName
from aura_vcs.history.edits import edit_files
from aura_vcs.ids import ObjectId, blob_id, new_uuid
from aura_vcs.index.entities import checkpoints_statement
from aura_vcs.locks import Locks
from aura_vcs.model import Kind
from aura_vcs.objects.loose import LooseObjects
from aura_vcs.project.content import unsafe_reason
from aura_vcs.project.records import indexed, put_record
from aura_vcs.project.state import ProjectState, project_state, set_state
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage

KEPT = 10
KEPT_OF_ALL = 200
"""Records of all processes, jobs and stages together."""
DATA_LIMIT = 16 << 20
"""Bytes of JSON in one checkpoint."""
KEEP_LIMIT = 64 << 20
"""Bytes of an output file that a checkpoint can hold itself."""

Scenes = Annotated[int, Meta(ge=0, le=1_000_000)]


class Checkpoint(msgspec.Struct, frozen=True):
    """DOMAIN's RenderCheckpoint.

    `data` is the object with the checkpoint's JSON. `output_file_path` is relative to the project;
    `output_size` is what the file had, and `output` the object with its content, if it was kept.
    """

    id: str
    project: str
    stage_name: str
    checkpoint_time: str
    completed_scenes: Scenes
    total_scenes: Scenes
    data: ObjectId | None = None
    output_file_path: str | None = None
    output_size: int | None = None
    output: ObjectId | None = None
    job_id: str | None = None
    is_valid: bool = True
    invalid_reason: str | None = None
    created_by: str = ""

    @property
    def file(self) -> str:
        """The record's file: names sort by time."""
        return f"{''.join(c for c in self.checkpoint_time if c.isalnum())}-{self.id}.json"


class CheckpointWriter:
    """Saves checkpoints of one project; safe to use from several threads at once.

    Needs the project's folder only, so a renderer keeps one and calls it in its loop.
    """

    def __init__(self, root: str, project: str, *, author: str = "", job_id: str | None = None) -> None:
        self._root, self._project, self._author, self._job = root, project, author, job_id
        self._storage = LocalStorage(os.path.join(root, layout.AURA), temporary=layout.TEMPORARY)
        self._loose = LooseObjects(self._storage)
        self._locks = Locks(os.path.join(self._storage.root, *layout.LOCKS.split("/")))
        self._mutex = threading.Lock()
        self._written: dict[str, deque[str]] = {}
        self._last_time = ""

    def save(
        self,
        stage: str,
        *,
        completed: int,
        total: int,
        data: Any = None,
        output: str | None = None,
        keep_output: bool = False,
    ) -> Checkpoint:
        """Record how far a stage came; when it returns, it is on disk.

        `data` is whatever JSON the renderer needs to go on. `output` names a file of the project;
        with `keep_output` its content (at most KEEP_LIMIT bytes) is stored too, so that `recover`
        can bring it back.

        Raises:
            InputError, InvalidValue: no stage, counts that cannot be, a path outside the project.
            StorageError: it is not recorded.
        """
        _check(stage, completed, total)
        with self._locks.shared("objects"):
            blob = self._put_data(data)
            path, size, content = self._output(output, keep=keep_output)
            with self._mutex:
                at = self._time()
            made = Checkpoint(
                id=new_uuid(), project=self._project, stage_name=stage, checkpoint_time=at, completed_scenes=completed,
                total_scenes=total, data=blob, output_file_path=path, output_size=size, output=content,
                job_id=self._job, created_by=self._author,
            )  # fmt: skip
            put_record(self._storage, f"{layout.CHECKPOINTS}/{made.file}", made)
        self._forget_old(made)
        return made

    def _time(self) -> str:
        """The time, later than that of any checkpoint saved here before."""
        at = now()
        if at <= self._last_time:  # the clock was set back, or does not tick so fast
            at = format_time(parse_time(self._last_time) + timedelta(microseconds=1))
        self._last_time = at
        return at

    def _put_data(self, data: Any) -> ObjectId | None:
        if data is None:
            return None
        try:
            encoded = encode_compact(data)
        except (TypeError, ValueError, RecursionError, UnicodeEncodeError) as error:
            raise InputError(f"The checkpoint's data is no JSON: {error}") from error
        if len(encoded) > DATA_LIMIT:
            raise InputError(f"The checkpoint's data has {len(encoded):,} bytes; {DATA_LIMIT:,} is the limit")
        return self._put(encoded)

    def _put(self, content: bytes) -> ObjectId:
        object_id = blob_id(content)
        found = self._loose.find(object_id)
        if found is None:
            self._loose.put(Kind.BLOB, content)
        else:
            self._storage.touch(found[0])
        return object_id

    def _output(self, output: str | None, *, keep: bool) -> tuple[str | None, int | None, ObjectId | None]:
        if output is None:
            return None, None, None
        path = output.replace(os.sep, "/")
        reason = unsafe_reason(path)
        if reason:
            raise InputError(f"The output {output!r} is no file of the project: {reason}")
        full = os.path.join(self._root, *path.split("/"))
        try:
            size = os.stat(full, follow_symlinks=False).st_size
            if not keep:
                return path, size, None
            if size > KEEP_LIMIT:
                raise InputError(f"{path} has {size:,} bytes; a checkpoint keeps at most {KEEP_LIMIT:,}")
            with open(full, "rb") as file:
                content = file.read(KEEP_LIMIT + 1)
        except OSError:
            return path, None, None  # not written yet: the name is still worth knowing
        return path, len(content), self._put(content)

    def _forget_old(self, made: Checkpoint) -> None:
        with self._mutex:
            written = self._written.setdefault(made.stage_name, deque())
            written.append(made.file)
            old = [written.popleft() for _ in range(len(written) - KEPT)]
        names = self._storage.list(layout.CHECKPOINTS)
        old += names[: max(0, len(names) - KEPT_OF_ALL)]
        for file in old:
            self._storage.delete(f"{layout.CHECKPOINTS}/{file}")


class Recovered(msgspec.Struct, frozen=True):
    """What `recover` resumes from: the checkpoint, its data, and the output that was brought back.

    `skipped` says why newer checkpoints could not be used.
    """

    checkpoint: Checkpoint
    data: Any
    restored: str | None
    skipped: tuple[str, ...]
    state: ProjectState


def writer_for(repo: Repository, job_id: str | None = None) -> CheckpointWriter:
    """A writer for this project, under its author's name."""
    return CheckpointWriter(repo.root, repo.format.project, author=repo.author, job_id=job_id)


def list_checkpoints(
    repo: Repository, *, stage: str | None = None, valid: bool | None = True, limit: int = -1
) -> list[Checkpoint]:
    """Checkpoints, newest first; `valid` None lists invalid ones too."""
    entities = indexed(repo, "checkpoints", layout.CHECKPOINTS, Checkpoint, _columns)
    statement, values = checkpoints_statement(stage=stage, valid=valid, limit=limit)
    return [msgspec.json.decode(row, type=Checkpoint) for row in entities.records(statement, values)]


def latest_checkpoint(repo: Repository, stage: str | None = None) -> Checkpoint | None:
    """The newest valid checkpoint, of a stage or of any."""
    found = list_checkpoints(repo, stage=stage, limit=1)
    return found[0] if found else None


def find_checkpoint(repo: Repository, prefix: str) -> Checkpoint:
    """The checkpoint whose id begins so.

    Raises:
        UnknownName: none does, or several.
    """
    found = [item for item in list_checkpoints(repo, valid=None) if prefix and item.id.startswith(prefix.lower())]
    if len(found) != 1:
        hint = "Give more digits of the id." if found else "`aura checkpoint list --all` shows them."
        raise UnknownName("checkpoint", prefix, hint=hint)
    return found[0]


def checkpoint_data(repo: Repository, checkpoint: Checkpoint) -> Any:
    """The JSON that the renderer saved; None if it saved none.

    Raises:
        ObjectMissing, ObjectCorrupt.
    """
    return None if checkpoint.data is None else msgspec.json.decode(repo.store.read(checkpoint.data))


def invalidate(repo: Repository, checkpoint: Checkpoint, reason: str = "") -> Checkpoint:
    """Say that nothing is to be resumed from a checkpoint; it stays listed among all."""
    changed = msgspec.structs.replace(checkpoint, is_valid=False, invalid_reason=reason[:500] or None)
    put_record(repo.storage, f"{layout.CHECKPOINTS}/{checkpoint.file}", changed)
    return changed


def invalidate_all(repo: Repository, *, stage: str | None = None, reason: str = "") -> int:
    """Invalidate every valid checkpoint, or those of a stage; returns how many there were."""
    found = list_checkpoints(repo, stage=stage)
    for checkpoint in found:
        invalidate(repo, checkpoint, reason)
    return len(found)


def is_interrupted(repo: Repository) -> bool:
    """Whether work can be resumed: the project is neither done nor deleted, and a checkpoint is valid."""
    state = project_state(repo)
    return state.status in {"InProgress", "Failed"} and not state.is_deleted and latest_checkpoint(repo) is not None


def recover(repo: Repository, *, stage: str | None = None) -> Recovered:
    """Resume from the newest valid checkpoint whose data and output are there or can be brought back.

    The project is InProgress again in that stage, as far as it had come; an output file that is
    gone or was cut off is restored if the checkpoint kept it. What stood in its place is kept by
    undo.

    Raises:
        NothingToRecover: no checkpoint can be used; says why of each.
    """
    skipped: list[str] = []
    for checkpoint in list_checkpoints(repo, stage=stage):
        reason = _unusable(repo, checkpoint)
        if reason:
            skipped.append(f"{checkpoint.id[:8]} ({checkpoint.completed_scenes}/{checkpoint.total_scenes}): {reason}")
            continue
        restored = _restore_output(repo, checkpoint)
        share = 100.0 * checkpoint.completed_scenes / checkpoint.total_scenes if checkpoint.total_scenes else 0.0
        values: dict[str, Any] = {"status": "InProgress", "progress_percent": round(share, 1), "error_message": None}
        if checkpoint.stage_name in {"Script", "TTS", "Images", "Composition", "Render"}:
            values["current_stage"] = checkpoint.stage_name
        if checkpoint.job_id is not None:
            values["job_id"] = checkpoint.job_id
        set_state(repo, values)
        data = checkpoint_data(repo, checkpoint)
        return Recovered(checkpoint, data, restored, tuple(skipped), project_state(repo))
    raise NothingToRecover(repo.root, skipped[:5])


def _unusable(repo: Repository, checkpoint: Checkpoint) -> str:
    """Why nothing can be resumed from it; empty if it can."""
    if checkpoint.data is not None and not _is_whole(repo, checkpoint.data):
        return "its data is missing or damaged"
    if checkpoint.output_size is None or checkpoint.output_file_path is None:
        return ""
    if _size_of(repo, checkpoint.output_file_path) == checkpoint.output_size:
        return ""
    if checkpoint.output is None or not _is_whole(repo, checkpoint.output):
        return f"{checkpoint.output_file_path} is not as it was then, and was not kept"
    return ""


def _is_whole(repo: Repository, object_id: ObjectId) -> bool:
    try:
        repo.store.verify(object_id, Kind.BLOB)
    except IntegrityError:
        return False
    return True


def _restore_output(repo: Repository, checkpoint: Checkpoint) -> str | None:
    path = checkpoint.output_file_path
    if path is None or checkpoint.output is None or checkpoint.output_size is None:
        return None
    if _size_of(repo, path) == checkpoint.output_size:
        return None
    content = repo.store.read(checkpoint.output)
    edit_files(repo, {path: content}, type_="checkpoint.recover", description=f"Brought {path} back")
    return path


def _size_of(repo: Repository, path: str) -> int | None:
    try:
        return os.stat(os.path.join(repo.root, *path.split("/")), follow_symlinks=False).st_size
    except OSError:
        return None


def _check(stage: str, completed: int, total: int) -> None:
    if not stage or len(stage) > 100 or not stage.isprintable():
        raise InputError(f"{stage!r} cannot be a stage", hint="For example Script, TTS, Images, Composition, Render.")
    if not 0 <= completed <= 1_000_000 or not 0 <= total <= 1_000_000 or completed > total:
        raise InvalidValue("checkpoint", "", f"{completed} of {total} scenes cannot be done", hint="0 to the total.")


def _columns(record: Checkpoint) -> dict[str, Any]:
    return {
        "stage": record.stage_name,
        "job": record.job_id,
        "time": record.checkpoint_time,
        "valid": record.is_valid,
    }
