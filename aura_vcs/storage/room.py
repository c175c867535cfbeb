"""Whether files can grow in a folder: what a disk has free says nothing of a quota, or of a limit of the process."""

import errno
import os

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a system answers where there is no room: on the disk, for this person, for a file of that size."""

PROBE_BYTES = 1 << 20
"""So much is tried where SQLite could not write and does not say why."""


def can_grow(folder: str, size: int = PROBE_BYTES) -> bool:
    """Tell whether a file of `size` bytes can be made in the folder, as the system reports; nothing is left of it."""
    import tempfile  # only where it begins to be full

    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        return error.errno not in FULL
    return True
