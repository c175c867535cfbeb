"""Removing the temporary files that killed processes have left."""

import re
import stat
import time
from collections.abc import Container
from contextlib import suppress

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.storage.local import LocalStorage

STALE_SECONDS = 24 * 3600
"""A temporary file that nobody wrote to for so long belongs to nobody."""
UPLOADS = r"\d+-[0-9a-f]{16}"
"""What uploads are called until they have their names."""


def sweep_temporary(
    storage: LocalStorage,
    *,
    older_than_seconds: float = STALE_SECONDS,
    made: str = UPLOADS,
    folders: Container[str] = (),
) -> int:
    """Remove forgotten temporary files; returns how many.

    Only what has a name that we give: of files such as `made` fits, of folders one of `folders`.
    """
    limit_ns = time.time_ns() - int(older_than_seconds * 1e9)
    removed = 0
    for name in storage.list(storage.temporary):
        path = f"{storage.temporary}/{name}"
        is_file = re.fullmatch(made, name) is not None
        if not is_file and name not in folders:
            continue
        with suppress(LinkedPath):
            found = storage.look(path)
            if found is None or found.st_mtime_ns >= limit_ns or stat.S_ISDIR(found.st_mode) == is_file:
                continue
            if is_file:
                storage.delete(path)
            else:
                storage.discard_folder(path)
            removed += 1
    return removed
