"""Version control for video projects.

    from aura_vcs import Repository
    from aura_vcs.history.commit import commit

    with Repository.open("my-video") as repo:
        done = commit(repo, "First cut")

What the command line does is a function over a `Repository`: `history` has commit, checkout,
restore, log, branches, tags, undo; `maintenance` gc, fsck and the storage report; `compare` diffs.
Nothing here prints or exits; errors are children of `AuraError`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aura_vcs.errors import AuraError
    from aura_vcs.repository.repository import Repository

__all__ = ["AuraError", "Repository"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: a command that needs less starts sooner."""
    if name == "AuraError":
        from aura_vcs.errors import AuraError

        return AuraError
    if name == "Repository":
        from aura_vcs.repository.repository import Repository

        return Repository
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
