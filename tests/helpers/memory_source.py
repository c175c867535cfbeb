"""A source of content in memory."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.model import Entry


class MemorySource:
    """Files held in a dictionary of name to bytes; see ContentSource."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def names(self) -> Sequence[str]:
        """List the names, sorted."""
        return sorted(self._files)

    def open(self, path: str, _entry: Entry | None = None) -> BinaryIO:
        """Open the bytes under `path` for reading."""
        if path not in self._files:
            raise FileUnreadable(path, "there is no such file")
        return io.BytesIO(self._files[path])

    def pieces(self, path: str, entry: Entry | None = None) -> Iterator[bytes]:
        """Yield the bytes, at once."""
        with self.open(path, entry) as file:
            yield file.read()

    def read(self, path: str, entry: Entry) -> bytes | None:
        """Read the bytes."""
        with self.open(path, entry) as file:
            return file.read()
