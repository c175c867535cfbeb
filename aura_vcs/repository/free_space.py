"""Whether there is room on the disk for the little that freeing space needs: a line in the log, labels."""

import os

from aura_vcs.storage.mounts import can_grow

NEEDED_BYTES = 4 << 20


def is_nearly_full(folder: str) -> bool:
    """Tell whether less than NEEDED_BYTES are free on the disk with the folder, or for this person there.

    False where the system does not tell.
    """
    try:
        found = os.statvfs(folder) if hasattr(os, "statvfs") else None
    except OSError:
        return False
    if found is not None and found.f_bavail * found.f_frsize < NEEDED_BYTES:
        return True
    return not can_grow(folder, NEEDED_BYTES)
