"""Where content comes from by its path: a version, the person's folder, a file anywhere.

Whoever checks, renders or compares asks only for names and bytes, so a version can be rendered
without touching the person's folder.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

from aura_vcs.errors.integrity import LinkedPath, UnsafePath
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.layout import is_own_folder
from aura_vcs.model import Entry, EntryKind
from aura_vcs.storage.plain_files import open_below

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
