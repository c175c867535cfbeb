"""What something is said about: a file, a version, or a place in a file."""

from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.values import Version
from aura_vcs.repository.repository import Repository

Where = Version | StrPath
"""A `Version`, a `Path` in the project, or a text: `v3`, `cut.mp4`, `v3:cut.mp4`, and for notes `cut.mp4@0:12-0:15`."""


def where_text(repo: Repository, where: Where) -> str:
    """Return what the library calls a file, version or place; of a `Path` nothing is taken for a version or place.

    Raises:
        InputError: a path is outside the project.
    """
    if isinstance(where, Version):
        return where.id
    return where if isinstance(where, str) else project_paths(repo, [where])[0]
