"""What is wrong with the documents of the worktree, for `status`: quick where nothing has changed.

A folder that equals its version has that version's problems, as far as files are in it; of those that
documents name and no version has, because a rule ignores them, it is remembered how they were. The
index keeps this by the version's tree, and may forget it at any time.
"""

import os
import stat
import time
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from aura_vcs.codec import decode_json, encode_compact
from aura_vcs.errors.input import LockBusy
from aura_vcs.errors.integrity import StorageError
from aura_vcs.history.status import Status
from aura_vcs.index.database import BUSY_SECONDS
from aura_vcs.layout import is_own_folder
from aura_vcs.project.documents.problems import DocumentProblem
from aura_vcs.repository.repository import Repository

CHECKED_FILES = 5000
"""A larger folder is only checked when `check_project` is asked for."""
REMEMBERED = 200
"""So many problems of a version are remembered; where there are more, the folder is checked each time."""
FOLDERS = ("", "scenes")
"""Where documents lie: one that no version has may come or go."""
TICK_NS = 2_000_000_000
"""No disk dates files more coarsely."""
_KEY = "problems"
MISSING = "missing media"
Remembered = TypeVar("Remembered", bound=msgspec.Struct)


class CachedMissing(msgspec.Struct, frozen=True):
    """What project files of editors in one tree lack, how many of them there are, and stamps of files not in it."""

    tree: str
    projects: int
    missing: dict[str, int]
    outside: dict[str, str]


class CachedCheck(msgspec.Struct, frozen=True):
    """The problems of one tree ("" for a folder that equals none), and how the files were that are not in it.

    `every` are stamps of all files that count, of the tree too, where those tell whether one changed since: then the
    problems are those of any folder in which they are the same. {} where they do not tell.
    """

    tree: str
    problems: tuple[DocumentProblem, ...]
    outside: dict[str, str]
    every: dict[str, str] = {}


def folder_problems(repo: Repository, found: Status) -> tuple[DocumentProblem, ...] | None:
    """Check the documents of the folder that `found` describes; None where it is too large to look."""
    if found.files > CHECKED_FILES:
        return None
    tree = found.head.tree if found.head is not None and found.is_clean else None
    known = read_remembered(repo, _KEY, CachedCheck)
    if known is not None and _holds(repo, known, tree):
        return known.problems
    from aura_vcs.history.sources.content_source import FolderSource
    from aura_vcs.project.documents.check import check_and_name  # a clean status needs none of it

    began_ns = time.time_ns()
    problems, named = check_and_name(FolderSource(repo.root))
    if len(problems) <= REMEMBERED:
        outside = [] if tree is None else [path for path in named if repo.trees.entry(tree, path) is None]
        every = _lasting_stamps(repo, named, problems, began_ns)
        if every or (tree is not None and len(outside) <= REMEMBERED):
            remember(repo, _KEY, CachedCheck(tree or "", problems, stamps_of(repo, [*FOLDERS, *outside]), every))
    return problems


def _holds(repo: Repository, known: CachedCheck, tree: str | None) -> bool:
    if known.tree == tree and known.outside == stamps_of(repo, known.outside):
        return True
    return bool(known.every) and known.every == stamps_of(repo, known.every)


def _lasting_stamps(
    repo: Repository, named: tuple[str, ...], problems: tuple[DocumentProblem, ...], began_ns: int
) -> dict[str, str]:
    """Stamp all files that count for the problems; {} where a change may leave the stamps as they are.

    A file that changed shortly before it was read may change again within the same tick of the disk's clock. Where
    something named is missing, any other file may be the one that was meant.
    """
    if len(named) > REMEMBERED or any(problem.severity == "error" for problem in problems):
        return {}
    every = stamps_of(repo, [*FOLDERS, *named])
    youngest = max((int(part) for stamp in every.values() if stamp for part in stamp.split(".")[:2]), default=0)
    return every if youngest < began_ns - TICK_NS else {}


def remembered_missing(repo: Repository, found: Status) -> CachedMissing | None:
    """Return what is remembered of the media that the tree of `found` lacks; None where that is of another one."""
    if found.head is None or found.files > CHECKED_FILES:
        return CachedMissing("", 0, {}, {})
    known = read_remembered(repo, MISSING, CachedMissing)
    if known is None or known.tree != found.head.tree or known.outside != stamps_of(repo, known.outside):
        return None
    return known


def has_editors_projects(repo: Repository, found: Status) -> bool:
    """Tell whether a file's name allows that it is an editor's project; where none does, that is remembered."""
    from aura_vcs.formats.timeline.endings import may_name_media  # only where the version or the folder is another

    for _, folders, names in os.walk(repo.root):
        folders[:] = [name for name in folders if not is_own_folder(name)]
        if any(map(may_name_media, names)):
            return True
    if found.is_clean and found.head is not None:
        remember(repo, MISSING, CachedMissing(found.head.tree, 0, {}, {}))
    return False


def stamps_of(repo: Repository, paths: Iterable[str]) -> dict[str, str]:
    """Stamp files: a stamp differs after its file was changed, added or deleted."""
    return {path: _stamp(os.path.join(repo.root, *path.split("/"))) for path in paths}


def _stamp(path: str) -> str:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return ""
    return f"{found.st_mtime_ns}.{found.st_ctime_ns}.{0 if stat.S_ISDIR(found.st_mode) else found.st_size}"


def read_remembered(repo: Repository, key: str, kind: type[Remembered]) -> Remembered | None:
    """Return what the index remembers under a key; None for nothing, or what another aura_vcs wrote."""
    text = repo.index.database.meta(key)
    try:
        return None if text is None else decode_json(text, kind)
    except msgspec.DecodeError:
        return None  # another aura_vcs's


def remember(repo: Repository, key: str, known: msgspec.Struct) -> None:
    """Let the index remember something, where nobody writes it and the disk lets us."""
    database = repo.index.database
    database.connection.execute("PRAGMA busy_timeout = 0")  # whoever writes the index now is not waited for
    try:
        with database.transaction() as connection:
            values = (key, encode_compact(known).decode())
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
    except (StorageError, LockBusy):
        return  # a full or read-only disk, or a writer: it is found out again
    finally:
        database.connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
