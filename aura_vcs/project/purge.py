"""Removing a project for good: a plan, then the deed, in an order that can be interrupted.

The project must have been deleted (hidden) before. Its files go first, what makes the folder a
project goes last: whatever interrupts it, the same command goes on where it stopped.
"""

import os
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from aura_vcs import layout
from aura_vcs.errors.input import PlanStale
from aura_vcs.errors.studio import ProjectDeleted
from aura_vcs.index.queries import VersionFilter
from aura_vcs.project.documents.folder_index import IndexedFile, files_of
from aura_vcs.project.documents.state import project_state
from aura_vcs.repository.repository import Repository

_LAST = (layout.FORMAT,)


class ProjectPurge(msgspec.Struct, frozen=True):
    """What goes: `files` of the worktree, and everything in `.aura`; `bytes` counts both."""

    versions: int
    files: tuple[IndexedFile, ...]
    bytes: int


def plan_project_purge(repo: Repository, *, keep_files: bool = False) -> ProjectPurge:
    """List what a purge would remove. Changes nothing.

    Raises:
        ProjectDeleted: the project is not deleted.
    """
    if not project_state(repo).is_deleted:
        raise ProjectDeleted(
            "The project is not deleted; only a deleted one is purged", hint="First run `aura project delete`."
        )
    files = () if keep_files else tuple(sorted(files_of(repo.root), key=lambda seen: seen.path))
    stored = sum(size for _, size in _stored_files(repo, ""))
    versions = len(repo.queries.all_versions(VersionFilter(deleted=True)))
    return ProjectPurge(versions, files, stored + sum(seen.size for seen in files))


def execute_project_purge(repo: Repository, plan: ProjectPurge) -> tuple[str, ...]:
    """Remove what the plan names, and close the project; returns files that were left.

    A file that was written since it was planned, and everything that is not a plain file, stays.
    Folders that are empty then go as well, but for the project's own.

    Raises:
        PlanStale: the project was brought back meanwhile.
    """
    with repo.locks.exclusive("worktree"), repo.locks.exclusive("objects"):
        if not project_state(repo).is_deleted:
            raise PlanStale("The project was brought back since the plan was made")
        here = {seen.path: seen for seen in files_of(repo.root)}
        left = []
        for seen in plan.files:
            if seen.path in here and not repo.worktree.discard(seen.path, seen.size, seen.mtime_ns):
                left.append(seen.path)
        for folder in _folders_of(plan.files):
            repo.worktree.discard_folder(folder)
        repo.close()
        names = [name for name, _ in _stored_files(repo, "")]
        for name in sorted(names, key=lambda name: (name in _LAST, name)):
            if not name.startswith(f"{layout.LOCKS}/"):
                repo.storage.delete(name)
    repo.storage.delete_many(name for name, _ in _stored_files(repo, ""))
    _remove_store_folders(repo.storage.root)
    return tuple(left)


def _folders_of(files: Iterable[IndexedFile]) -> list[str]:
    """List the folders in which files lie, inner ones first."""
    found = set[str]()
    for seen in files:
        folder = seen.path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(found, key=lambda folder: (-folder.count("/"), folder))


def _remove_store_folders(root: str) -> None:
    """Remove the empty folders of the store; one in which something lies stays."""
    for place, _, _ in os.walk(root, topdown=False):
        with suppress(OSError):
            os.rmdir(place)


def _stored_files(repo: Repository, folder: str) -> list[tuple[str, int]]:
    """List files of the store and their sizes in bytes; links are files of no size."""
    return list(repo.storage.walk(folder))
