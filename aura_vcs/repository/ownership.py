"""Whose project is used: one's own, and those of others that the person called safe."""

import os
from collections.abc import Callable

from aura_vcs import layout
from aura_vcs.errors.input import ForeignOwner
from aura_vcs.storage.owners import foreign_owner, my_name


class Trust:
    """Which projects of other accounts may be used.

    `sudo_uid` is the account that called `sudo`, where this is root; `is_safe` is asked about a folder.
    """

    def __init__(self, sudo_uid: int | None = None, is_safe: Callable[[str], bool] = lambda _: False) -> None:
        self.sudo_uid, self.is_safe = sudo_uid, is_safe


def check_owner(root: str, trust: Trust) -> None:
    """Refuse a project of another account that nobody called safe.

    Raises:
        ForeignOwner.
    """
    owner = foreign_owner(os.path.join(root, layout.AURA), sudo_uid=trust.sudo_uid)
    if owner is not None and not trust.is_safe(root):
        import shlex

        hint = f"If you trust whoever can write there, say so: `aura config set safe.projects {shlex.quote(root)}`."
        raise ForeignOwner(root, owner, my_name(), hint)
