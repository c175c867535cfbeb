"""A version's content as a source of documents and media: read from the store, not from the folder."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.ids import ObjectId
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository

MOST_FILES = 1_000_000


class VersionSource:
    """The files of one tree; see content.ContentSource. Links are left out, as in a folder."""

    def __init__(self, repo: Repository, tree: ObjectId) -> None:
        self._repo, self._tree = repo, tree

    def names(self) -> Sequence[str]:
        """List every file, sorted."""
        found = []
        for path, entry in self._repo.trees.walk(self._tree):
            if entry.kind is EntryKind.FILE:
                found.append(path)
            if len(found) > MOST_FILES:
                raise LimitExceeded("The number of files of a version", MOST_FILES)
        return sorted(found)

    def open(self, path: str) -> BinaryIO:
        """Open one file; its bytes are verified at its end.

        Raises:
            FileUnreadable: the version has no such file.
            ObjectMissing, ObjectCorrupt: while it is read.
        """
        reason = unsafe_reason(path)
        entry = None if reason else self._repo.trees.entry(self._tree, path)
        if entry is None or entry.kind is not EntryKind.FILE:
            raise FileUnreadable(path, reason or "the version has no such file")
        raw: Any = _Pieces(self._repo.store.stream(entry.id))
        return io.BufferedReader(raw)


class _Pieces(io.RawIOBase):
    """A stream over pieces of bytes; forward only."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left: memoryview = memoryview(b"")

    def readable(self) -> bool:
        """Report that the stream is readable."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read the next bytes, at most as many as fit."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
