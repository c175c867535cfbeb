"""Whose a folder is, and where the person's own things lie: what is in somebody else's folder may do harm.

A `.aura` in a folder above (`/tmp/.aura`) would take in everybody's files, with settings that its owner
chose: git's CVE-2022-24765. So a project is used by its owner alone, or by whoever said that it is safe.
Windows has no such owners, and nothing is asked there.
"""

import os
import sys
from collections.abc import Mapping


def foreign_owner(path: str, *, sudo_uid: int | None = None, root_too: bool = False) -> str | None:
    """Return the name of the other account that owns what is at the path; None if it is one's own, or absent.

    For root in `sudo`, what belongs to the account that called it (`sudo_uid`) is its own, too. With
    `root_too`, what belongs to root is everybody's.
    """
    if not hasattr(os, "geteuid"):
        return None
    try:
        owner = os.lstat(path).st_uid
    except OSError:
        return None
    me = os.geteuid()
    if owner == me or (root_too and owner == 0) or (me == 0 and owner == sudo_uid):
        return None
    return account_name(owner)


def account_name(uid: int) -> str:
    """Return what an account is called, its number where it has no name here."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"account {uid}"


def my_name() -> str:
    """Return what the account is called that this runs as."""
    return account_name(os.geteuid())


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
