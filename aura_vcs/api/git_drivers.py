"""For people who stay with git: our comparison and merge as its drivers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from aura_vcs.api.opened import StrPath
from aura_vcs.interchange import git_driver
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class GitMerge:
    """What a merge left in the file: the number of `conflicts` between markers, -1 if it could not be merged."""

    conflicts: int
    reason: str

    @classmethod
    def _of(cls, done: git_driver.DriverMerge) -> Self:
        """Take over what the library says."""
        return cls(done.conflicts, done.reason)


def install_git_driver(
    folder: StrPath = ".",
    *,
    program: str = "aura",
    words: bool = False,
    remove: bool = False,
    environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
) -> Path:
    """Set the drivers up in a git repository, or with `remove` take them out; returns its `.gitattributes`.

    `program` is the command that git is to run. With `words`, `git diff` shows our lines.

    Raises:
        InputError: it is in no repository. GitUnavailable.
    """
    where = os.path.abspath(folder)
    if remove:
        return Path(git_driver.remove(where, environment=environment))
    return Path(git_driver.install(where, program, environment=environment, words=words))


def merge_for_git(
    base: StrPath,
    ours: StrPath,
    theirs: StrPath,
    *,
    path: str | None = None,
    marker_size: int = git_driver.MARKER_SIZE,
    environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
) -> GitMerge:
    """Merge three files by meaning; the result, with git's markers around conflicts, is in `ours` afterwards.

    `path` is what the file is called in its repository.

    Raises:
        InputError: a file cannot be read or written.
    """
    result = os.path.abspath(ours)
    done = git_driver.merge_for_git(
        os.path.abspath(base), result, os.path.abspath(theirs), path or os.path.basename(result),
        marker_size=marker_size, environment=environment,
    )  # fmt: skip
    return GitMerge._of(done)


def text_for_git(file: StrPath) -> str:
    """Return a file as text that git can compare by line: a timeline as its tracks and clips, else as it stands.

    Raises:
        InputError: it cannot be read.
    """
    return git_driver.readable_text(os.path.abspath(file))
