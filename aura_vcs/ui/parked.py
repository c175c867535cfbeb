"""Files that are left open between two pieces that a player asks for."""

import threading
from collections import OrderedDict
from typing import Protocol

MOST = 4
"""So many files of a project are left open; each holds one of the lanes for media."""
Key = tuple[str, str]


class Releasable(Protocol):
    """Something that holds a file open."""

    def release(self) -> None:
        """Let go of it."""


class ParkedStreams:
    """Open files by what they are of; those that were left longest ago go first. For any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._files: OrderedDict[Key, Releasable] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._files)

    def take(self, key: Key) -> Releasable | None:
        """Return a file that nobody uses now; None where there is none."""
        with self._lock:
            return self._files.pop(key, None)

    def leave(self, key: Key, file: Releasable) -> None:
        """Leave a file for the next who wants it."""
        with self._lock:
            going = [self._files.pop(key)] if key in self._files else []
            self._files[key] = file
            while len(self._files) > self._most:
                going.append(self._files.popitem(last=False)[1])
        for other in going:
            other.release()

    def close(self) -> None:
        """Let go of every file."""
        with self._lock:
            going = list(self._files.values())
            self._files.clear()
        for file in going:
            file.release()
