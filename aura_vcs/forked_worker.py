"""A worker process for work that two cores do in half the time.

It is a copy of this one, does one thing, writes what it found into a pipe, and ends. What it does
must also be possible without it: where no worker process can be, or it died, the first one does
the work itself.
"""

import _signal as signal  # type: ignore[import-not-found]  # without the enums, which take long to make
import os
import sys
from collections.abc import Callable


class ForkedWorker:
    """The process `pid`, which writes into the pipe `fd`."""

    def __init__(self, pid: int, fd: int) -> None:
        self.pid = pid
        self.fd = fd

    def stop(self) -> None:
        """End it now, whatever it was doing, and close the pipe."""
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def ended(self) -> bool:
        """Wait for its end; whether it did all it should. The pipe is the caller's to close before."""
        return os.waitpid(self.pid, 0)[1] == 0


def fork_worker(work: Callable[[int], None]) -> ForkedWorker | None:
    """Run `work` in a copy of this process, with the pipe it writes to; None where that must not be.

    A process that has threads is not copied: one of them may hold a lock just now. Locks on files stay
    held until both processes have ended. `work` must not use what cannot be shared, like a database.
    """
    if sys.platform != "linux" or _has_threads() or len(os.sched_getaffinity(0)) < 2:
        return None
    try:
        reading, writing = os.pipe()
        pid = os.fork()
    except OSError:
        return None
    if pid:
        os.close(writing)
        return ForkedWorker(pid, reading)
    status = 1
    try:
        os.close(reading)
        work(writing)
        status = 0
    except BaseException:  # nobody is there to tell; the first process meets the same, and says so
        status = 1
    finally:
        os._exit(status)


def _has_threads() -> bool:
    threading = sys.modules.get("threading")  # importing it would be all that it is imported for here
    return threading is not None and threading.active_count() > 1


def send(fd: int, data: bytes) -> None:
    """Write all of it into the pipe."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
