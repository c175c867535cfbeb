"""What both sides of a conflict did to a media file, for lists of conflicts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aura_vcs.cli.remote_environment import worker_environment
from aura_vcs.history.diff.media_findings import has_media_name

if TYPE_CHECKING:
    from aura_vcs.history.merging.conflicts import OpenConflict
    from aura_vcs.history.merging.media_changes import MediaSides
    from aura_vcs.repository.repository import Repository


def conflict_media(repo: "Repository", conflicts: "Sequence[OpenConflict]") -> "dict[str, MediaSides]":
    """Look, for some seconds, at what became of media files that both sides changed; by the ids of conflicts."""
    if not any(item.tree is not None and has_media_name(item.path) for item in conflicts):
        return {}
    from aura_vcs.history.merging.media_changes import media_changes

    return media_changes(repo, conflicts, environment=worker_environment())


def known_media(repo: "Repository", conflicts: "Sequence[OpenConflict]") -> "dict[str, MediaSides]":
    """Return what the media index knows of such files; nothing is looked at."""
    if not any(item.tree is not None and has_media_name(item.path) for item in conflicts):
        return {}
    from aura_vcs.history.diff.media_diff import KNOWN
    from aura_vcs.history.merging.media_changes import media_changes

    return media_changes(repo, conflicts, budget=KNOWN)
