"""Having the disk begin while more is being written, so that the sync at the end finds little left to do."""

from threading import Thread

from aura_vcs.storage.system_calls import FileCalls

EARLY_BYTES = 32 << 20
"""After so many bytes the disk begins with them."""


class BackgroundSync:
    """Syncs an open file from time to time, on another thread. It promises nothing: the caller syncs at the end.

    `wait_current` or `wait` comes before the file is closed.
    """

    def __init__(self, calls: FileCalls, fd: int) -> None:
        self._calls = calls
        self._fd = fd
        self._bytes = 0
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def wrote(self, count: int) -> None:
        """Count bytes that were written; start a sync where it is time for one and none is under way."""
        self._bytes += count
        if self._bytes < EARLY_BYTES or (self._thread is not None and self._thread.is_alive()):
            return
        self.wait_current()
        self._bytes = 0
        self._thread = Thread(target=self._sync, daemon=True)
        self._thread.start()

    def wait_current(self) -> None:
        """Wait for the sync under way.

        Raises:
            OSError: one failed. The system tells that once, and a later sync would not know of it.
        """
        self.wait()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Wait for the sync under way, however it ends."""
        if self._thread is not None:
            self._thread.join()

    def _sync(self) -> None:
        try:
            self._calls.fsync(self._fd)
        except BaseException as error:
            self._error = error
