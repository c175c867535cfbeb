"""Where a path leads that an editor wrote into its project file. Nothing is opened, and no link is followed.

What is written may be anything: a URL, a path of another system, one that leaves the project, or nonsense. Files of
the project are known by their names; outside of it there is only a look at whether something has the name.
"""

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from aura_vcs.layout import is_own_folder
from aura_vcs.storage.own_folders import is_link

State = Literal["found", "missing", "link", "not_looked_at", "unusable"]
Place = Literal["project", "outside", "elsewhere"]

PATH_LIMIT = 4096
"""Characters of a path; a longer one leads nowhere on any system."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/]*)(.*)", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_NUMBERED = re.compile(r"%0?\d{0,2}[du]")
_QUERY = re.compile(r"\?(begin|begin:|filmstrip|multi|cv2)[=:].*", re.DOTALL)
_NETWORK = ("/net/", "/afs/", "/misc/")
"""Where a look at a name makes the system ask another machine."""


class ResolvedPath(Struct, frozen=True):
    """Where a path leads: `path` is from the project's folder, or absolute outside of it, "" where it leads nowhere.

    `size` is the bytes of the file, -1 where there is none. `reason` says why a path is not looked at, or unusable.
    """

    place: Place
    state: State
    path: str = ""
    size: int = -1
    reason: str = ""


class PathResolver:
    """Finds paths of one project folder; `sizes` are its regular files, by their paths from the folder."""

    def __init__(self, root: str, sizes: Mapping[str, int]) -> None:
        self._root = os.path.abspath(root)
        self._roots = {self._root, os.path.realpath(root)}
        self._sizes = sizes
        self._folders: dict[str, list[str]] | None = None

    def resolve(self, written: str, folder: str, base: str = "") -> ResolvedPath:
        """Return where `written` leads, seen from `folder` of the project.

        `base` is what relative paths go from as the file says; it counts where the file's own folder has nothing:
        editors write it anew when a project was moved.
        """
        reason = _unusable(written)
        if reason:
            return ResolvedPath("elsewhere", "unusable", reason=reason)
        path, reason = _local_path(written)
        if reason:
            return ResolvedPath("elsewhere", "not_looked_at", reason=reason)
        found = [self._look(one, folder) for one in _spellings(path)]
        if base and _is_rooted(base) and not _is_rooted(path) and not _unusable(base):
            inner, away = _local_path(base)
            found += [] if away else [self._look(posixpath.join(inner, one), folder) for one in _spellings(path)]
        return next((one for one in found if one.state in ("found", "link")), found[0])

    def files(self, found: ResolvedPath) -> list[str]:
        """List the files of the folder that a path means: one, the numbered pictures of a series, or none."""
        if found.place != "project" or not found.path:
            return []
        return [found.path] if found.path in self._sizes else self._several(found.path)

    def _look(self, path: str, folder: str) -> ResolvedPath:
        whole = path if _is_rooted(path) else posixpath.join(self._root, folder, path)
        whole = os.path.normpath(whole)
        for root in self._roots:
            if whole.startswith(root + os.sep):
                return self._inside(whole[len(root) + 1 :].replace(os.sep, "/"))
        return _outside(whole)

    def _inside(self, path: str) -> ResolvedPath:
        if any(is_own_folder(part) for part in path.split("/")):
            return ResolvedPath("elsewhere", "unusable", reason="it points into the project's own storage")
        if path in self._sizes:
            return ResolvedPath("project", "found", path, self._sizes[path])
        several = self._several(path)
        if several:
            return ResolvedPath("project", "found", path, sum(self._sizes[name] for name in several))
        return ResolvedPath("project", "link" if self._is_behind_link(path) else "missing", path)

    def _several(self, path: str) -> list[str]:
        """List the files that one path means: numbered pictures (`%04d.png`, `.all.png`), or a folder of a camera."""
        folder, _, name = path.rpartition("/")
        if (pattern := series_pattern(name)) is not None:
            return [one for one in self._files_in(folder) if pattern.fullmatch(one.rpartition("/")[2])]
        name = _QUERY.sub("", name)
        if name != path.rpartition("/")[2]:
            whole = f"{folder}/{name}" if folder else name
            return [whole] if whole in self._sizes else []
        return self._files_in(path)

    def _files_in(self, folder: str) -> list[str]:
        if self._folders is None:
            self._folders = {}
            for one in self._sizes:
                self._folders.setdefault(one.rpartition("/")[0], []).append(one)
        return self._folders.get(folder, [])

    def _is_behind_link(self, path: str) -> bool:
        here = self._root
        for part in path.split("/"):
            here = os.path.join(here, part)
            try:
                if is_link(os.lstat(here)):
                    return True
            except (OSError, ValueError):
                return False
        return False


def plain_spellings(written: str) -> list[str]:
    """List what a path may say, of this system or another, with `/`: as written, then without the escapes of URLs."""
    path, _ = _without_scheme(written)
    return list(dict.fromkeys(one.replace("\\", "/").rstrip("/") for one in _spellings(path or written)))


def series_pattern(name: str) -> re.Pattern[str] | None:
    """Return what matches the names of numbered pictures that one name means; None where it means one file."""
    name = _QUERY.sub("", name)
    if name.startswith(".all."):
        return re.compile(".*" + re.escape(name[4:]), re.DOTALL)
    if _NUMBERED.search(name):
        return re.compile(r"\d+".join(map(re.escape, _NUMBERED.split(name))))
    return None


def is_foreign(written: str) -> bool:
    """Tell whether a path is one that only another system can have."""
    return bool(_DRIVE.match(written)) and os.name != "nt"


def _unusable(written: str) -> str:
    if "\0" in written:
        return "it contains a NUL"
    if len(written) > PATH_LIMIT:
        return f"it is longer than {PATH_LIMIT:,} characters"
    return "" if written.strip() else "it is empty"


def _local_path(written: str) -> tuple[str, str]:
    """Return a path of this machine, or why there is none to look for."""
    path, reason = _without_scheme(written)
    if not reason and "\0" in path:
        reason = "it contains a NUL"
    elif not reason and is_foreign(path):
        reason = "it is a path of Windows"
    elif not reason and (path.startswith(("\\\\", "//")) or path.startswith(_NETWORK)):
        reason = "it is on another machine"
    return ("", reason) if reason else (path, "")


def _without_scheme(written: str) -> tuple[str, str]:
    """Return the path in a URL of a file, what is written where it is not a URL, or why neither."""
    match = _URL.fullmatch(written)
    scheme, host, rest = match.groups() if match is not None else ("", "", "")
    if not scheme and written.startswith("file:/"):
        scheme, rest = "file", written[5:]
    if not scheme:
        return written, "it is not a path of a file" if written.startswith(("data:", "file:")) else ""
    if scheme.lower() != "file":
        return "", "it is an address in the network"
    if host.lower() not in ("", "localhost", "."):
        return "", "it is on another machine"
    path = unquote(rest, errors="surrogateescape")
    return path[1:] if _DRIVE.match(path[1:]) else path, ""


def _spellings(path: str) -> Iterator[str]:
    r"""Yield a path as written, then with `/` for the `\` of Windows, then without the escapes of URLs."""
    yield path
    if "\\" in path:
        yield path.replace("\\", "/")
    plain = unquote(path, errors="surrogateescape")
    if plain != path and "\0" not in plain and not plain.startswith("//"):
        yield plain


def _is_rooted(path: str) -> bool:
    return path.startswith("/") or os.path.isabs(path)


def _outside(path: str) -> ResolvedPath:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return ResolvedPath("outside", "missing", path)
    return ResolvedPath("outside", "link" if is_link(found) else "found", path, found.st_size)
