"""What is wrong with the documents of the work folder, for `status`: quick where nothing has changed.

A folder that equals its version has that version's problems; the index remembers them by the
version's tree, and may forget them at any time.
"""

import msgspec

from aura_vcs.codec import encode_compact
from aura_vcs.errors.asking import LockBusy
from aura_vcs.errors.stored import StorageError
from aura_vcs.history.status import Status
from aura_vcs.index.database import BUSY_SECONDS
from aura_vcs.index.entities import Entities
from aura_vcs.project.problems import Problem
from aura_vcs.repository.repository import Repository

CHECKED_FILES = 5000
"""A larger folder is only checked when `check_project` is asked for."""
REMEMBERED = 200
"""So many problems of a version are remembered; where there are more, the folder is checked each time."""
_KEY = "problems"


class Remembered(msgspec.Struct, frozen=True):
    """The problems of one tree."""

    tree: str
    problems: tuple[Problem, ...]


def folder_problems(repo: Repository, found: Status) -> tuple[Problem, ...] | None:
    """What `check_project` says of the folder that `found` describes; None where it is too large to look."""
    if found.files > CHECKED_FILES:
        return None
    tree = found.head.tree if found.head is not None and found.is_clean else None
    known = _remembered(repo) if tree is not None else None
    if known is not None and known.tree == tree:
        return known.problems
    from pathlib import Path

    from aura_vcs.project.checks import check_project  # a clean status needs none of it
    from aura_vcs.project.content import FolderSource

    problems = check_project(FolderSource(Path(repo.root)))
    if tree is not None and len(problems) <= REMEMBERED:
        _remember(repo, Remembered(tree, problems))
    return problems


def _remembered(repo: Repository) -> Remembered | None:
    text = Entities(repo.index).meta(_KEY)
    try:
        return None if text is None else msgspec.json.decode(text, type=Remembered)
    except msgspec.DecodeError:
        return None  # another aura_vcs's


def _remember(repo: Repository, known: Remembered) -> None:
    database = repo.index.database
    database.connection.execute("PRAGMA busy_timeout = 0")  # whoever writes the index now is not waited for
    try:
        with database.transaction() as connection:
            values = (_KEY, encode_compact(known).decode())
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
    except (StorageError, LockBusy):
        return  # a full or read-only disk, or a writer: it is found out again
    finally:
        database.connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
