"""Which project a folder is in, and whose: one's own are used, and those of others that the person called safe."""

import os
from collections.abc import Callable

from aura_vcs import layout
from aura_vcs.errors.input import ForeignOwner, NotAProject
from aura_vcs.errors.integrity import StorageDenied
from aura_vcs.repository.format_file import is_project
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.owners import foreign_owner, my_name
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls


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


def project_storage(root: str, calls: FileCalls = REAL_CALLS, kind: type[LocalStorage] = LocalStorage) -> LocalStorage:
    """Open the store of the project in a folder; its `.aura` is not a link."""
    aura = os.path.join(root, layout.AURA)
    return kind(aura, temporary=layout.TEMPORARY, aside=layout.DAMAGED, calls=calls, follow_root=False)


def find_root(path: str) -> str:
    """Find the project folder that `path` is or is in.

    Raises:
        NotAProject: there is none.
        StorageDenied: there may be one, but nobody lets us look into its `.aura`.
    """
    start = os.path.abspath(path)
    folder = start
    while True:
        if is_project(folder):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            _check_closed(start)
            raise NotAProject(start)
        folder = parent


def _check_closed(folder: str) -> None:
    """Refuse a folder whose `.aura` is there and cannot be looked into: it is not for us to say what is in it."""
    aura = os.path.join(folder, layout.AURA)
    if os.path.isdir(aura) and not os.access(aura, os.R_OK | os.X_OK):
        raise StorageDenied("look into", aura, "Permission denied")
