"""Where a person's studio lies, as an environment says. Whoever calls reads the environment."""

import os
import sys
from collections.abc import Mapping


def studio_home(environment: Mapping[str, str]) -> str:
    """Return AURA_HOME, or the system's folder for a program's data."""
    given = environment.get("AURA_HOME")
    if given:
        return os.path.abspath(given)
    system: str = sys.platform
    if system == "linux":  # as platformdirs has it, without the time it takes to import
        base = environment.get("XDG_DATA_HOME", "").strip() or os.path.expanduser("~/.local/share")
        return os.path.join(base, "aura_vcs")
    from platformdirs import user_data_dir

    return user_data_dir("aura_vcs", appauthor=False)
