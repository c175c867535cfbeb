"""Histories and files that other programs keep: in and out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, Unpack

from aura_vcs.api.opened import Part, StrPath
from aura_vcs.api.reporting import Call
from aura_vcs.api.values import time_text
from aura_vcs.interchange import git_import
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT
from aura_vcs.interchange.git_refs import ImportedRef as _Ref
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class ImportedRef:
    """A branch or tag of git, what it is called here, the id of its version, and whether it is new or has moved."""

    git_name: str
    name: str
    version: str
    changed: bool

    @classmethod
    def _of(cls, ref: _Ref) -> Self:
        """Take over what the library says."""
        return cls(ref.git_name, ref.name, ref.version, ref.changed)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A path, branch or tag that could not be taken, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class GitImport:
    """What an import did: `versions` are new here, `known` were. `left` names at most 1000 of `left_count`."""

    place: str
    versions: int
    known: int
    branches: tuple[ImportedRef, ...]
    tags: tuple[ImportedRef, ...]
    left: tuple[LeftOut, ...]
    left_count: int
    notes: tuple[str, ...]


class InterchangeMethods(Part):
    """Ways in and out."""

    def import_git(
        self,
        place: StrPath,
        *,
        branches: Sequence[str] = ("*",),
        tags: Sequence[str] = ("*",),
        since: datetime | None = None,
        lfs: bool = True,
        environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
        **call: Unpack[Call],
    ) -> GitImport:
        """Bring the history of a git repository here, of a folder or of an address; again, only what is new.

        `environment` is what git gets: `PATH` to find it, `HOME` and `SSH_AUTH_SOCK` for hosts over SSH.

        Raises:
            NotAGitRepository, GitUnavailable, GitDamaged.
        """
        return self._opened.run(
            call, _import_git, os.fspath(place), tuple(branches), tuple(tags), time_text(since), lfs, environment
        )


def _import_git(
    repo: Repository,
    place: str,
    branches: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    lfs: bool,
    environment: Mapping[str, str],
) -> GitImport:
    done = git_import.import_git(
        repo, place, branches=branches, tags=tags, since=since, lfs=lfs, environment=environment
    )  # fmt: skip
    return GitImport(
        done.place,
        done.versions,
        done.known,
        tuple(map(ImportedRef._of, done.branches)),
        tuple(map(ImportedRef._of, done.tags)),
        tuple(LeftOut(left.what, left.reason) for left in done.left),
        done.left_count,
        done.notes,
    )
