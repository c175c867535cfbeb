"""Render checkpoints: how far a stage came, durably, in milliseconds, from any thread.

A save writes the data (an object, stored once) and then one small record; it takes no lock that
a commit holds for long, and touches neither index nor operation log. What a record needs is safe
from collection as long as the record is there. A writer keeps its newest KEPT records of a stage.
"""

import os
import threading
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_json, encode_compact
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import IntegrityError, UnsafePath
from aura_vcs.errors.studio import NothingToRecover
from aura_vcs.history.file_edits import edit_files
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.index.entities import checkpoints_statement
from aura_vcs.locks import ProcessLocks
from aura_vcs.model import Inverse, Kind, RefChange
from aura_vcs.objects.loose import LooseObjects
from aura_vcs.operation_log import checkpoint_change
from aura_vcs.plain_text import format_time, now, parse_time
from aura_vcs.project.documents.state import ProjectState, project_state, set_state
from aura_vcs.project.records.checkpoints import (
    CheckpointRequest,
    RenderCheckpoint,
    create_checkpoint,
    invalidated,
    progress_percent,
    stage_named,
    words_for,
)
from aura_vcs.project.records.files import indexed, put_record, with_prefix
from aura_vcs.refs.refs import CHECKPOINT_FIELDS
from aura_vcs.repository.find_project import project_storage
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.storage.plain_files import open_below

MAX_CHECKPOINTS = 10
MAX_CHECKPOINTS_OF_PROJECT = 200
"""Records of all processes, jobs and stages together."""
DATA_LIMIT = 16 << 20
"""Bytes of JSON in one checkpoint."""
KEEP_LIMIT = 64 << 20
"""Bytes of an output file that a checkpoint can hold itself."""


def checkpoint_file(checkpoint: RenderCheckpoint) -> str:
    """Return the place of a checkpoint's record in the store: names sort by time."""
    moment = "".join(c for c in checkpoint.checkpoint_time if c.isalnum())
    return f"{layout.CHECKPOINTS}/{moment}-{checkpoint.id}.json"


class CheckpointWriter:
    """Saves checkpoints of one project; safe to use from several threads at once.

    Needs the project's folder only, so a renderer keeps one and calls it in its loop.
    """

    def __init__(self, root: str, project: str, *, author: str = "", job_id: str | None = None) -> None:
        self._root, self._project, self._author, self._job = root, project, author, job_id
        self._storage = project_storage(root)
        self._loose = LooseObjects(self._storage)
        self._locks = ProcessLocks(self._storage, layout.LOCKS)
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
    ) -> RenderCheckpoint:
        """Record how far a stage came; when it returns, it is on disk.

        `data` is whatever JSON the renderer needs to go on. `output` names a file of the project;
        with `keep_output` its content (at most KEEP_LIMIT bytes) is stored too, so that `recover`
        can bring it back.

        Raises:
            InputError, InvalidValue: no stage, counts that cannot be, a path outside the project.
            StorageError: it is not recorded.
        """
        name = stage_named(stage)
        create_checkpoint(
            self._project, CheckpointRequest(name, now=now(), completed_scenes=completed, total_scenes=total)
        )
        with self._locks.shared("objects"):
            blob = self.put_data(data)
            path, size, content = self._output(output, keep=keep_output)
            with self._mutex:
                at = self._time()
            made = create_checkpoint(
                self._project,
                CheckpointRequest(name, now=at, completed_scenes=completed, total_scenes=total, output_file_path=path),
            )
            made = msgspec.structs.replace(
                made, data=blob, output=content, output_size=size, job_id=self._job, created_by=self._author or None,
                updated_at=at, modified_by=self._author or None,
            )  # fmt: skip
            put_record(self._storage, checkpoint_file(made), made)
        self._forget_old(made)
        return made

    def _time(self) -> str:
        """Return the time, later than that of any checkpoint saved here before."""
        at = now()
        if at <= self._last_time:  # the clock was set back, or does not tick so fast
            at = format_time(parse_time(self._last_time) + timedelta(microseconds=1))
        self._last_time = at
        return at

    def put_data(self, data: Any) -> ObjectId | None:
        """Store the JSON that a checkpoint holds; None for none. The caller holds the `objects` lock.

        Raises:
            InputError: it is not JSON, or too large.
        """
        if data is None:
            return None
        try:
            encoded = encode_compact(data)
        except (TypeError, ValueError, RecursionError, UnicodeEncodeError) as error:
            raise InputError(f"The checkpoint's data is not JSON: {error}") from error
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
            raise InputError(f"The output {output!r} is not a file of the project: {reason}")
        try:
            with open(open_below(self._root, path), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if not keep:
                    return path, size, None
                if size > KEEP_LIMIT:
                    raise InputError(f"{path} has {size:,} bytes; a checkpoint keeps at most {KEEP_LIMIT:,}")
                content = file.read(KEEP_LIMIT + 1)
        except UnsafePath as error:
            raise InputError(f"The output {output!r} is not a file of the project: {error.reason}") from error
        except OSError:
            return path, None, None  # not written yet: the name is still worth knowing
        return path, len(content), self._put(content)

    def _forget_old(self, made: RenderCheckpoint) -> None:
        with self._mutex:
            written = self._written.setdefault(made.stage_name, deque())
            written.append(checkpoint_file(made))
            old = [written.popleft() for _ in range(len(written) - MAX_CHECKPOINTS)]
        names = self._storage.list(layout.CHECKPOINTS)
        old += [f"{layout.CHECKPOINTS}/{name}" for name in names[: max(0, len(names) - MAX_CHECKPOINTS_OF_PROJECT)]]
        for path in old:
            self._storage.delete(path)


class Recovered(msgspec.Struct, frozen=True):
    """What `recover` resumes from: the checkpoint, its data, and the output that was brought back.

    `skipped` says why newer checkpoints could not be used.
    """

    checkpoint: RenderCheckpoint
    data: Any
    restored: str | None
    skipped: tuple[str, ...]
    state: ProjectState


def writer_for(repo: Repository, job_id: str | None = None) -> CheckpointWriter:
    """Build a writer for this project, under its author's name."""
    return CheckpointWriter(repo.root, repo.format.project, author=repo.author, job_id=job_id)


def list_checkpoints(
    repo: Repository, *, stage: str | None = None, valid: bool | None = True, limit: int = -1
) -> list[RenderCheckpoint]:
    """List checkpoints, newest first; `valid` None lists invalid ones too.

    Raises:
        InvalidValue: there is no such stage.
    """
    name = stage_named(stage) if stage is not None else None
    entities = indexed(repo, "checkpoints", layout.CHECKPOINTS, RenderCheckpoint, _columns)
    statement, values = checkpoints_statement(stage=name, valid=valid, limit=limit)
    return [decode_json(row, RenderCheckpoint) for row in entities.records(statement, values)]


def latest_checkpoint(repo: Repository, stage: str | None = None) -> RenderCheckpoint | None:
    """Return the newest valid checkpoint, of a stage or of any; None if there is none."""
    found = list_checkpoints(repo, stage=stage, limit=1)
    return found[0] if found else None


def find_checkpoint(repo: Repository, prefix: str) -> RenderCheckpoint:
    """Find the checkpoint whose id begins with `prefix`.

    Raises:
        UnknownName: none does, or several.
    """
    return with_prefix(list_checkpoints(repo, valid=None), prefix, "checkpoint", "aura checkpoint list --all")


def checkpoint_data(repo: Repository, checkpoint: RenderCheckpoint) -> Any:
    """Read the JSON that the renderer saved; None if it saved none.

    Raises:
        ObjectMissing, ObjectCorrupt.
    """
    return None if checkpoint.data is None else msgspec.json.decode(repo.store.read(checkpoint.data))


def invalidate(repo: Repository, checkpoint: RenderCheckpoint, reason: str = "") -> RenderCheckpoint:
    """Say that nothing is to be resumed from a checkpoint; it stays listed among all.

    An action that undo takes back.

    Raises:
        UnknownName: its writer has dropped it meanwhile.
    """
    done = _invalidate(repo, [checkpoint], reason)
    if not done:
        raise UnknownName("checkpoint", checkpoint.id, hint="Only the newest of a stage are kept.")
    return done[0]


def invalidate_all(repo: Repository, *, stage: str | None = None, reason: str = "") -> int:
    """Invalidate every valid checkpoint, or those of a stage, as one action; returns how many there were."""
    return len(_invalidate(repo, list_checkpoints(repo, stage=stage), reason))


def _invalidate(repo: Repository, checkpoints: Sequence[RenderCheckpoint], reason: str) -> list[RenderCheckpoint]:
    done: list[RenderCheckpoint] = []
    refs: dict[str, RefChange] = {}
    with repo.transaction() as transaction:
        for item in checkpoints:
            name = checkpoint_file(item).removeprefix(f"{layout.CHECKPOINTS}/").removesuffix(".json")
            before = repo.refs.checkpoint(name)
            if before is None:
                continue  # its writer has saved newer ones and dropped it
            changed = invalidated(item, reason, now=transaction.at, by=repo.author)
            done.append(changed)
            changes = {field: getattr(changed, field) for field in CHECKPOINT_FIELDS}
            refs.update([checkpoint_change(name, before, changes)])
        if refs:
            what = f"checkpoint {words_for(done[0])}" if len(done) == 1 else f"{len(done)} checkpoints"
            said = f"Invalidated {what}" + (f" ({reason[:100]})" if reason else "")
            inverse = Inverse("checkpoint.revalidate")
            transaction.record(Draft("checkpoint.invalidate", said, refs, inverse=inverse))
    return done


def is_interrupted(repo: Repository) -> bool:
    """Tell whether work can be resumed: the project is neither done nor deleted, and a checkpoint is valid."""
    state = project_state(repo)
    return state.status in {"InProgress", "Failed"} and not state.is_deleted and latest_checkpoint(repo) is not None


def recover(repo: Repository, *, stage: str | None = None) -> Recovered:
    """Resume from the checkpoint that `plan_recovery` finds.

    The project is InProgress again in that stage, as far as it had come; an output file that is
    gone or was cut off is restored if the checkpoint kept it. What stood in its place is kept by
    undo.

    Raises:
        NothingToRecover: no checkpoint can be used; says why of each.
    """
    checkpoint, skipped = plan_recovery(repo, stage=stage)
    if checkpoint is None:
        raise NothingToRecover(repo.root, skipped[:5])
    restored = _restore_output(repo, checkpoint)
    values: dict[str, Any] = {
        "status": "InProgress",
        "progress_percent": round(progress_percent(checkpoint), 1),
        "error_message": None,
        "current_stage": checkpoint.stage_name,
    }
    if checkpoint.job_id is not None:
        values["job_id"] = checkpoint.job_id
    set_state(repo, values)
    return Recovered(checkpoint, checkpoint_data(repo, checkpoint), restored, tuple(skipped), project_state(repo))


def plan_recovery(repo: Repository, *, stage: str | None = None) -> tuple[RenderCheckpoint | None, list[str]]:
    """Find the newest valid checkpoint whose data and output are there or can be brought back, and why newer
    ones cannot be used. Changes nothing.
    """
    skipped: list[str] = []
    for checkpoint in list_checkpoints(repo, stage=stage):
        reason = _unusable(repo, checkpoint)
        if not reason:
            return checkpoint, skipped
        skipped.append(f"{checkpoint.id[:8]} ({checkpoint.completed_scenes}/{checkpoint.total_scenes}): {reason}")
    return None, skipped


def _unusable(repo: Repository, checkpoint: RenderCheckpoint) -> str:
    """Explain why nothing can be resumed from it; empty if it can."""
    if checkpoint.data is not None and not _is_intact(repo, checkpoint.data):
        return "its data is missing or damaged"
    if checkpoint.output_size is None or checkpoint.output_file_path is None:
        return ""
    if reason := unsafe_reason(checkpoint.output_file_path):
        return f"its output is not a file of the project: {reason}"
    if _size_of(repo, checkpoint.output_file_path) == checkpoint.output_size:
        return ""
    if checkpoint.output is None or not _is_intact(repo, checkpoint.output):
        return f"{checkpoint.output_file_path} is not as it was then, and was not kept"
    return ""


def _is_intact(repo: Repository, object_id: ObjectId) -> bool:
    try:
        repo.store.verify(object_id, Kind.BLOB)
    except IntegrityError:
        return False
    return True


def _restore_output(repo: Repository, checkpoint: RenderCheckpoint) -> str | None:
    path = checkpoint.output_file_path
    if path is None or checkpoint.output is None or checkpoint.output_size is None or unsafe_reason(path):
        return None
    if _size_of(repo, path) == checkpoint.output_size:
        return None
    content = repo.store.read(checkpoint.output)
    edit_files(repo, {path: content}, draft=Draft("checkpoint.recover", f"Brought {path} back"))
    return path


def _size_of(repo: Repository, path: str) -> int | None:
    """Return the size in bytes of a project file, None where there is none; nothing behind a link is one."""
    try:
        with open(open_below(repo.root, path), "rb") as file:
            return os.fstat(file.fileno()).st_size
    except (OSError, UnsafePath):
        return None


def _columns(record: RenderCheckpoint) -> dict[str, Any]:
    return {
        "stage": record.stage_name,
        "job": record.job_id,
        "time": record.checkpoint_time,
        "valid": record.is_valid,
    }
