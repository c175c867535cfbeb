"""Where the person's own things lie, as the environment says."""

import os
import sys


def studio_folder() -> str:
    """Return where the person's studio lies: AURA_HOME, or the system's folder for a program's data."""
    given = os.environ.get("AURA_HOME")
    if given:
        return os.path.abspath(given)
    system: str = sys.platform
    if system == "linux":  # as platformdirs has it, without the time it takes to import
        base = os.environ.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
        return os.path.join(base, "aura_vcs")
    from platformdirs import user_data_dir

    return user_data_dir("aura_vcs", appauthor=False)
