"""Looking at new media while nobody works: a process beside `aura autosave --watch`, ended when files change."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator

from aura_vcs.layout import AURA

IDLE_SECONDS = 60.0
"""So long nothing has changed before media are looked at."""


class IdleIndexer:
    """Starts `aura media index --auto` when files have changed and then rest; never two at once."""

    def __init__(self, root: str, *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._root = root
        self._ours = os.path.join(root, AURA)
        self._idle_seconds = idle_seconds
        self._last = time.monotonic()
        self._is_due = True
        self._process: subprocess.Popen[bytes] | None = None

    def follow(self, rounds: Iterable[list[str]]) -> Iterator[list[str]]:
        """Pass rounds of changed paths on, and look at media between them; the process ends with the rounds."""
        try:
            for paths in rounds:
                self._tick(any(not path.startswith(self._ours) for path in paths))
                yield paths
        finally:
            self._stop()

    def _tick(self, has_changed: bool) -> None:
        if has_changed:
            self._last, self._is_due = time.monotonic(), True
            self._stop()
        elif self._process is not None:
            if self._process.poll() is not None:
                self._process = None
        elif self._is_due and time.monotonic() - self._last >= self._idle_seconds:
            self._is_due = False
            # -P: nothing of the person's folder is taken for a module of Python.
            command = [sys.executable, "-P", "-m", "aura_vcs", "-C", os.path.realpath(self._root)]
            null = subprocess.DEVNULL
            self._process = subprocess.Popen(
                [*command, "media", "index", "--auto"], stdin=null, stdout=null, stderr=null
            )

    def _stop(self) -> None:
        """End the process, if one is at work; what it finished is kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
