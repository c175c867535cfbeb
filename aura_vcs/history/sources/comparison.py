"""Where the content of a comparison's two sides comes from: the store, or the worktree."""

import io
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import BinaryIO, Protocol, cast

from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.ids import ObjectId
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import DOCUMENT_LIMIT
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.objects.store import ObjectStore

CONTENT_LIMIT = 16 << 20
"""Bytes of the largest file whose content is compared as a whole; of media only parts are read."""
COPY_BYTES = 1 << 20


class Contents(Protocol):
    """One side of a comparison: what lies at a path."""

    def read(self, path: str, entry: Entry, /) -> bytes | None:
        """Read all of a file, None above CONTENT_LIMIT; of a link its target.

        Raises:
            IntegrityError: it is not here any more, or damaged. FileUnreadable.
        """

    def open(self, path: str, entry: Entry, /) -> BinaryIO:
        """Open a file of any size, for reading here and there without reading the whole.

        Raises:
            IntegrityError: it is not here any more, or damaged. FileUnreadable. LimitExceeded.
            ObjectOffloaded: it is at a remote that does not answer.
        """

    def copy(self, path: str, entry: Entry, target: BinaryIO, /) -> None:
        """Write a file to `target`, piece by piece; stored content is verified when this returns.

        Raises:
            IntegrityError: it is not here any more, or damaged. FileUnreadable.
            OSError: `target` cannot be written.
        """


class StoredContents:
    """A version's side."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def read(self, _path: str, entry: Entry) -> bytes | None:
        """See Contents."""
        return self._store.read(entry.id) if entry.size <= CONTENT_LIMIT else None

    def open(self, path: str, entry: Entry) -> BinaryIO:
        """See Contents. Of a large file that is kept whole only the parts that are read are looked at."""
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

    def copy(self, _path: str, entry: Entry, target: BinaryIO) -> None:
        """See Contents."""
        for piece in self._store.stream(entry.id):
            target.write(piece)


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
