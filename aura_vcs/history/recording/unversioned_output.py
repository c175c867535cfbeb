"""Files that a command made from versions and that landed in the project's folder: no version takes them in."""

import os
from contextlib import suppress

from aura_vcs import layout
from aura_vcs.errors.integrity import StorageError
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.exported_files import with_output


def leave_unversioned(repo: Repository, output: str) -> None:
    """Remember a file that was just written, if it lies in the project's folder; see `exported_files`."""
    path = os.path.relpath(os.path.realpath(output), os.path.realpath(repo.root)).replace(os.sep, "/")
    if path != ".." and not path.startswith("../"):
        with suppress(OSError, StorageError):  # it was moved away already, or nothing can be written here
            repo.storage.put(layout.OUTPUTS, with_output(repo.root, path))
