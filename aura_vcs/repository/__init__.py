"""One project, opened: the parts put together."""

from aura_vcs.repository.repository import Repository

__all__ = ["Repository"]
