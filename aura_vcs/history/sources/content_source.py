"""Where the documents and media of a project come from: a version, a folder, or memory.

Whoever checks or renders asks only for names and bytes, so a version can be rendered without
touching the person's folder.
"""

import io
import os
import stat
from collections.abc import Mapping, Sequence
from typing import BinaryIO, Protocol

from aura_vcs.errors.integrity import LinkedPath, UnsafePath
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.layout import is_own_folder
from aura_vcs.storage.plain_files import open_below


class ContentSource(Protocol):
    """Files by name. Names are paths from the project folder, with `/` between parts."""

    def names(self) -> Sequence[str]:
        """List every file, in any order."""

    def open(self, path: str) -> BinaryIO:
        """Open one file at its start; the caller closes it.

        Raises:
            FileUnreadable: there is no such file, or it cannot be read.
            AuraError: the content is missing or damaged where it is stored.
        """


class MemorySource:
    """Files held in a dictionary of name to bytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def names(self) -> Sequence[str]:
        """List the names, sorted."""
        return sorted(self._files)

    def open(self, path: str) -> BinaryIO:
        """Open the bytes under `path` for reading."""
        if path not in self._files:
            raise FileUnreadable(path, "there is no such file")
        return io.BytesIO(self._files[path])


class FolderSource:
    """Files below a folder on disk. Symbolic links are not followed; `.aura` is not looked into."""

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

    def open(self, path: str) -> BinaryIO:
        """Open the file; a path that leaves the folder, also through a link, is refused."""
        reason = unsafe_reason(path)
        if reason:
            raise FileUnreadable(path, reason)
        try:
            return open(open_below(self._root, path), "rb")
        except LinkedPath as error:
            raise FileUnreadable(path, "it is, or lies behind, a symbolic link") from error
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise FileUnreadable(path, "there is no such file") from error
        except (OSError, ValueError, UnsafePath) as error:
            raise FileUnreadable(path, getattr(error, "strerror", None) or str(error)) from error


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
