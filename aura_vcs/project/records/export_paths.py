"""Where an export may be written: in the project, or where somebody on this machine said.

Records of exports travel with the project's folder. One that came from elsewhere must not have a film
written over, or beside, whatever its writer names.
"""

import os
from contextlib import suppress

from aura_vcs import layout
from aura_vcs.errors import InputError
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.own_folders import OwnFolders


def remember_output(repo: Repository, job: ExportRecord) -> None:
    """Keep, on this machine, where a job that was queued here is to be written."""
    repo.storage.put(_queued_file(job), os.fsencode(job.output_file))


def forget_output(repo: Repository, job: ExportRecord) -> None:
    """Let go of what is kept of a job that is done."""
    repo.storage.delete(_queued_file(job))


def check_output(repo: Repository, job: ExportRecord) -> None:
    """Refuse to write where only a record says so: it may have come with the folder, from somebody.

    Raises:
        InputError.
    """
    path = os.path.relpath(job.output_file, repo.root).replace(os.sep, "/")
    if not path.startswith("../") and not os.path.isabs(path):
        if reason := unsafe_reason(path):
            raise InputError(f"The export {job.id[:8]} cannot be written to {path!r}: {reason}")
        folders = OwnFolders(repo.root)
        try:
            with suppress(FileNotFoundError, NotADirectoryError), folders.at(path):
                return
        finally:
            folders.close()
        return
    try:
        here = repo.storage.read(_queued_file(job)) == os.fsencode(job.output_file)
    except FileNotFoundError:
        here = False
    if not here:
        hint = "Queue it here: `aura export run --queue -o FILE`, with the file that you want."
        raise InputError(
            f"The export {job.id[:8]} was not queued on this machine, and its file {job.output_file} lies outside of "
            "the project",
            hint=hint,
        )


def _queued_file(job: ExportRecord) -> str:
    return f"{layout.QUEUED}/{job.id}"
