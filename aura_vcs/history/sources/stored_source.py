"""Content as the project has stored it: the files of a version, or of any entry."""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, cast

from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.sources.content_source import CONTENT_LIMIT, unsafe_reason
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import DOCUMENT_LIMIT, EMPTY_TREE_ID
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.repository.repository import Repository

MOST_FILES = 1_000_000


class StoredSource:
    """The files of one tree, read from the store; without one, those whose entries are given."""

    def __init__(self, repo: Repository, tree: ObjectId = EMPTY_TREE_ID) -> None:
        self._store, self._trees, self._tree = repo.store, repo.trees, tree

    def names(self) -> Sequence[str]:
        """List every file, sorted.

        Raises:
            LimitExceeded: there are more than MOST_FILES.
        """
        found = []
        for path, entry in self._trees.walk(self._tree):
            if entry.kind is EntryKind.FILE:
                found.append(path)
            if len(found) > MOST_FILES:
                raise LimitExceeded("The number of files of a version", MOST_FILES)
        return sorted(found)

    def open(self, path: str, entry: Entry | None = None) -> BinaryIO:
        """See ContentSource. Of a large file that is kept whole only the parts that are read are looked at."""
        entry = entry or self._entry(path)
        if entry.size > CONTENT_LIMIT and (file := self._store.loose_blob(entry.id)) is not None:
            return file
        self._store.require({entry.id: path})
        place = self._store.location(entry.id)
        if place is not None and place.chunked:
            listed = decode_chunk_list(self._store.packs.read(place), entry.id)
            return cast("BinaryIO", io.BufferedReader(ChunkedFile(listed, self._store.read)))
        if entry.size > DOCUMENT_LIMIT:
            raise LimitExceeded(f"The size of {path}, which is stored compressed,", DOCUMENT_LIMIT)
        return io.BytesIO(self._store.read(entry.id))

    def pieces(self, path: str, entry: Entry | None = None) -> Iterator[bytes]:
        """See ContentSource."""
        return self._store.stream((entry or self._entry(path)).id)

    def read(self, _path: str, entry: Entry) -> bytes | None:
        """See ContentSource."""
        return self._store.read(entry.id) if entry.size <= CONTENT_LIMIT else None

    def _entry(self, path: str) -> Entry:
        reason = unsafe_reason(path)
        entry = None if reason else self._trees.entry(self._tree, path)
        if entry is None or not is_file(entry):
            raise FileUnreadable(path, reason or "the version has no such file")
        return entry


class ChunkedFile(io.RawIOBase):
    """A file that is kept in chunks, read where it is asked for: `listed` has their ids and lengths.

    Raises:
        what `read` raises, which returns a chunk's bytes, verified.
    """

    def __init__(self, listed: Iterable[tuple[ObjectId, int]], read: Callable[[ObjectId], bytes]) -> None:
        super().__init__()
        chunks = list(listed)
        self._read = read
        self._chunks = [chunk for chunk, _ in chunks]
        self._starts = list(accumulate((length for _, length in chunks), initial=0))
        self._position = 0
        self._last: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """Report that the stream is readable."""
        return True

    def seekable(self) -> bool:
        """Report that the stream is seekable."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.IOBase`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read at most to the end of the chunk that the position is in."""
        if self._position >= self._starts[-1]:
            return 0
        number = bisect_right(self._starts, self._position) - 1
        if number != self._last[0]:
            self._last = number, self._read(self._chunks[number])
        inside = self._position - self._starts[number]
        data = self._last[1][inside : inside + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def is_file(entry: Entry | None) -> bool:
    """Tell whether an entry is a regular file."""
    return entry is not None and entry.kind is EntryKind.FILE
