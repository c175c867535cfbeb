"""Projects of other accounts that the person called safe: the setting `safe.projects`."""

import os

from aura_vcs.studio.configuration import get_configuration
from aura_vcs.studio.studio import Studio

SAFE_PROJECTS = "safe.projects"
_ALL = "*"


def is_safe(studio: Studio, root: str) -> bool:
    """Return whether the person uses the project in a folder, whoever owns it.

    An entry is the folder, or one above it with `/*`, or `*` for all; links on the way to it are followed.
    """
    real_path = os.path.realpath(root)
    return any(_covers(entry, real_path) for entry in get_configuration(studio, SAFE_PROJECTS).value)


def _covers(entry: str, real_path: str) -> bool:
    if entry == _ALL:
        return True
    folder = os.path.realpath(entry.removesuffix(f"{os.sep}{_ALL}"))
    if entry.endswith(f"{os.sep}{_ALL}"):
        return real_path.startswith(folder.rstrip(os.sep) + os.sep)
    return real_path == folder
