"""Where content comes from by its path: a version or any stored entry, the person's folder, a file anywhere.

Whoever checks, renders or compares asks only for names and bytes, so a version can be rendered
without touching the person's folder.
"""

import io
import os
import stat
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from aura_vcs.errors.integrity import LimitExceeded, LinkedPath, UnsafePath
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.ids import ObjectId
from aura_vcs.layout import is_own_folder
from aura_vcs.model import Entry, EntryKind
from aura_vcs.objects.base import DOCUMENT_LIMIT, EMPTY_TREE_ID
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.storage.plain_files import open_below

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

CONTENT_LIMIT = 16 << 20
"""Bytes of the largest file whose content is compared as a whole; of media only parts are read."""
COPY_BYTES = 1 << 20


class ContentSource(Protocol):
    """Files by path, with `/` between parts. Whoever has a file's entry gives it, and it is not looked for again.

    What is offloaded is fetched. Everything raises FileUnreadable where there is no such file or nobody may read
    it, and an IntegrityError where content is missing, purged, damaged, or at a remote that does not answer.
    """

    def names(self) -> Sequence[str]:
        """List every file, in any order; links are none."""

    def open(self, path: str, entry: Entry | None = None, /) -> BinaryIO:
        """Open a file of any size, for reading here and there without reading the whole; the caller closes it.

        Raises:
            LimitExceeded: it is large, and stored so that it can only be read from its beginning.
        """

    def pieces(self, path: str, entry: Entry | None = None, /) -> Iterator[bytes]:
        """Yield a file from its beginning; stored content is verified when this has ended."""

    def read(self, path: str, entry: Entry, /) -> bytes | None:
        """Read all of a file, None above CONTENT_LIMIT; of a link its target."""


class FolderSource:
    """Files below a folder on disk, as they are now. Symbolic links are not followed; `.aura` is not looked into."""

    def __init__(self, root: "str | os.PathLike[str]") -> None:
        self._root = os.fspath(root)

    def names(self) -> Sequence[str]:
        """List the names of regular files, sorted."""
        found: list[str] = []
        for folder, folders, files in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not is_own_folder(name))
            inside = os.path.relpath(folder, self._root).replace(os.sep, "/")
            above = "" if inside == "." else f"{inside}/"
            found += (f"{above}{name}" for name in files if _is_file(os.path.join(folder, name)))
        return sorted(found)

    def open(self, path: str, entry: Entry | None = None) -> BinaryIO:
        """Open the file; a path that leaves the folder, also through a link, is refused.

        Without an entry, the path may be anybody's: what names no file on some system names none.
        """
        reason = unsafe_reason(path) if entry is None else ""
        if reason:
            raise FileUnreadable(path, reason)
        try:
            return open(open_below(self._root, path), "rb")
        except LinkedPath as error:
            raise FileUnreadable(path, "it is a symbolic link, or inside one") from error
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise FileUnreadable(path, "there is no such file", error.errno or 0) from error
        except (OSError, ValueError, UnsafePath) as error:
            number = (error.errno or 0) if isinstance(error, OSError) else 0
            raise FileUnreadable(path, getattr(error, "strerror", None) or str(error), number) from error

    def pieces(self, path: str, entry: Entry | None = None) -> Iterator[bytes]:
        """See ContentSource. At most the bytes that the entry has: a file may grow for ever."""
        with self.open(path, entry) as file:
            yield from file_pieces(file, entry)

    def read(self, path: str, entry: Entry) -> bytes | None:
        """See ContentSource. What cannot be read now is like what is too large: that it differs is all that is said."""
        if entry.size > CONTENT_LIMIT:
            return None
        try:
            if entry.kind is EntryKind.SYMLINK:
                return os.fsencode(os.readlink(os.path.join(self._root, path)))
            with self.open(path, entry) as file:
                return file.read(CONTENT_LIMIT)
        except (FileUnreadable, OSError):
            return None


def file_pieces(file: BinaryIO, entry: Entry | None) -> Iterator[bytes]:
    """Yield an open file piece by piece, at most the bytes that its entry has."""
    left = entry.size if entry is not None else None
    while data := file.read(COPY_BYTES if left is None else min(left, COPY_BYTES)):
        yield data
        if left is not None:
            left -= len(data)


def _is_file(path: str) -> bool:
    """Tell whether it is a regular file, as well as can be seen."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def unsafe_reason(path: str) -> str:
    """Explain why `path` cannot name a file of the project; empty if it can.

    Absolute paths, drives, URLs, backslashes, `..`, empty parts and NUL are refused on every
    system, so that a project means the same everywhere.
    """
    parts = path.split("/")
    rules = (
        (not path or "\0" in path, "it is empty or contains a NUL"),
        ("\\" in path, "it has a backslash; paths in documents use '/'"),
        (
            "://" in path or path.startswith(("file:", "data:")),
            "it is a URL; media must be a file of the project",
        ),
        (
            path.startswith("/") or path[1:2] == ":",
            "it is an absolute path; paths start at the project folder",
        ),
        (any(part in ("", ".", "..") for part in parts), "it has an empty part, '.' or '..'"),
        (any(part and is_own_folder(part) for part in parts), "it points into the project's own storage"),
    )
    return next((reason for broken, reason in rules if broken), "")


MOST_FILES = 1_000_000


class StoredSource:
    """The files of one tree, read from the store; without one, those whose entries are given."""

    def __init__(self, repo: "Repository", tree: ObjectId = EMPTY_TREE_ID) -> None:
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
