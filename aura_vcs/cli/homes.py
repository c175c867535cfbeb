"""Where the person's own things lie, as the environment says."""

import os
import sys

from aura_vcs.storage.owners import foreign_owner, my_name


def studio_folder() -> str:
    """Return where the person's studio lies: AURA_HOME, or the system's folder for a program's data.

    Raises:
        ForeignOwner: it is somebody else's, who could have put settings there.
    """
    folder = _given_folder()
    owner = foreign_owner(os.path.realpath(folder), sudo_uid=sudo_uid(), root_too=True)
    if owner is not None:
        from aura_vcs.errors.input import ForeignOwner

        raise ForeignOwner(folder, owner, my_name(), "Set AURA_HOME to a folder of your own.")
    return folder


def sudo_uid() -> int | None:
    """Return the account that called `sudo`, if that is how this runs."""
    given = os.environ.get("SUDO_UID", "")
    return int(given) if given.isdecimal() and len(given) < 12 else None


def _given_folder() -> str:
    given = os.environ.get("AURA_HOME")
    if given:
        return os.path.abspath(given)
    system: str = sys.platform
    if system == "linux":  # as platformdirs has it, without the time it takes to import
        base = os.environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
        return os.path.join(base, "aura_vcs")
    from platformdirs import user_data_dir

    return user_data_dir("aura_vcs", appauthor=False)
