"""What lies at a path of the project's folder, never behind a link."""

import os
import stat

from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.repository.repository import Repository


def look_at(repo: Repository, path: str) -> os.stat_result | None:
    """Look at what lies at a path of the folder; None where nothing does, or where a link is on the way to it.

    What lies behind a link is somewhere else, and not the project's.
    """
    if unsafe_reason(path):
        return None
    *folders, name = path.split("/")
    at = repo.root
    try:
        for folder in folders:
            at = os.path.join(at, folder)
            if not stat.S_ISDIR(os.lstat(at).st_mode):
                return None
        return os.lstat(os.path.join(at, name))
    except OSError:
        return None


def leads_to_folder(repo: Repository, path: str) -> bool:
    """Tell whether what is there of the folders on the way to a path are folders, and no links."""
    at = repo.root
    for folder in path.split("/")[:-1]:
        at = os.path.join(at, folder)
        if not os.path.lexists(at):
            return True
        if not stat.S_ISDIR(os.lstat(at).st_mode):
            return False
    return True
