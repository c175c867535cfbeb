"""Locks of the operating system on open files: whoever dies lets go by dying."""

import os

if os.name == "nt":
    from aura_vcs.storage.windows_calls import handle_of, kernel, lock_file

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Take the lock if it is free; closing the file lets go."""
        return lock_file(handle_of(fd), kernel(), shared=shared)
else:
    import fcntl

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Take the lock if it is free; closing the file lets go."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
