"""Where the person's own things lie, as the environment says."""

import os

from aura_vcs.errors.input import ForeignOwner
from aura_vcs.storage.owners import foreign_owner, my_name, studio_home


def studio_folder() -> str:
    """Return where the person's studio lies: AURA_HOME, or the system's folder for a program's data.

    Raises:
        ForeignOwner: it is somebody else's, who could have put settings there.
    """
    folder = studio_home(os.environ)
    owner = foreign_owner(os.path.realpath(folder), sudo_uid=sudo_uid(), root_too=True)
    if owner is not None:
        raise ForeignOwner(folder, owner, my_name(), "Set AURA_HOME to a folder of your own.")
    return folder


def sudo_uid() -> int | None:
    """Return the account that called `sudo`, if that is how this runs."""
    given = os.environ.get("SUDO_UID", "")
    return int(given) if given.isdecimal() and len(given) < 12 else None
