"""Projects whose rendering stopped and can be gone on with."""

import msgspec

from aura_vcs.project.documents.state import ProjectState, project_state
from aura_vcs.project.records.checkpoint_store import is_interrupted, latest_checkpoint
from aura_vcs.project.records.checkpoints import RenderCheckpoint
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.projects import ProjectFilter, list_projects
from aura_vcs.studio.studio import Studio

LISTED_LIMIT = 1000
"""Projects of each status that are looked at."""


class InterruptedProject(msgspec.Struct, frozen=True):
    """A project that can be gone on with, and the newest checkpoint that is valid."""

    path: str
    state: ProjectState
    checkpoint: RenderCheckpoint | None


def unfinished_folders(studio: Studio) -> list[str]:
    """Return the folders of listed projects that are being made or failed, as far as they are there."""
    return [
        entry.path
        for status in ("InProgress", "Failed")
        for entry in list_projects(studio, ProjectFilter(status=status, limit=LISTED_LIMIT))
        if entry.location == "here"
    ]


def find_interrupted(repo: Repository) -> InterruptedProject | None:
    """Look whether work can be gone on with in a project."""
    if not is_interrupted(repo):
        return None
    return InterruptedProject(repo.root, project_state(repo), latest_checkpoint(repo))
