"""Locks of the operating system on open files: whoever dies lets go by dying."""

import os

if os.name == "nt":
    import msvcrt

    def try_lock(fd: int, *, shared: bool) -> bool:  # noqa: ARG001 (Windows has no shared byte locks here)
        """Take the lock if it is free; closing the file lets go."""
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Take the lock if it is free; closing the file lets go."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
