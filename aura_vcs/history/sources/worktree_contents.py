"""The person's files, as they are now, as one side of a comparison."""

from typing import BinaryIO

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.comparison import CONTENT_LIMIT, COPY_BYTES
from aura_vcs.model import Entry
from aura_vcs.worktree.scan.scan import Scan
from aura_vcs.worktree.worktree import Worktree


class WorktreeContents:
    """The worktree's side, as it is now; a scan says what is a file."""

    def __init__(self, worktree: Worktree, scan: Scan) -> None:
        self._worktree = worktree
        self._scan = scan

    def read(self, path: str, _entry: Entry) -> bytes | None:
        """See Contents. What cannot be read now is like what is too large: that it differs is all that is said."""
        try:
            return self._worktree.read(path, self._scan, CONTENT_LIMIT)
        except FileUnreadable:
            return None

    def open(self, path: str, _entry: Entry) -> BinaryIO:
        """See Contents."""
        return self._worktree.open(path, self._scan)

    def copy(self, path: str, entry: Entry, target: BinaryIO) -> None:
        """See Contents. At most the bytes it had when the folder was looked at: a file may grow for ever."""
        left = entry.size
        with self._worktree.open(path, self._scan) as file:
            while left > 0 and (data := file.read(min(left, COPY_BYTES))):
                target.write(data)
                left -= len(data)
