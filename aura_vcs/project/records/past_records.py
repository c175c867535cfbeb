"""Checkpoints and exports that another program made: recorded with the id and the dates that they have there."""

from typing import Any

from msgspec.structs import replace

from aura_vcs.project.records.checkpoint_store import checkpoint_file, writer_for
from aura_vcs.project.records.checkpoints import RenderCheckpoint
from aura_vcs.project.records.export_jobs import export_path
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.project.records.files import put_record
from aura_vcs.repository.repository import Repository


def record_past_checkpoint(repo: Repository, checkpoint: RenderCheckpoint, data: Any = None) -> bool:
    """Record a checkpoint that another program made; False if it is here already. `data` is the JSON that it holds.

    It counts among the newest of its stage like any other: the next ones that are saved may take its place.

    Raises:
        InputError: the data is too large. StorageError: it is not recorded.
    """
    path = checkpoint_file(checkpoint)
    if repo.storage.stat(path) is not None:
        return False
    with repo.locks.shared("objects"):
        put_record(repo.storage, path, replace(checkpoint, data=writer_for(repo).put_data(data)))
    return True


def record_past_export(repo: Repository, record: ExportRecord) -> bool:
    """Record an export that another program made; False if it is here already.

    Its `input_file` is what that program rendered from: no version is known for it, and it cannot be made again.
    """
    if repo.storage.stat(export_path(record)) is not None:
        return False
    put_record(repo.storage, export_path(record), record)
    return True
