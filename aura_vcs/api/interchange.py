"""Histories and files that other programs keep: in and out."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, Unpack

from aura_vcs.api.opened import Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import VersionLike, name_of, time_text
from aura_vcs.errors.remotes import RemoteUntrusted
from aura_vcs.interchange import export_otio, export_version, folder_import, folder_plan, git_export, git_import
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT
from aura_vcs.interchange.git_refs import GitImported, ImportedRef as _Ref
from aura_vcs.interchange.lfs_server import AgreeTo
from aura_vcs.plain_text import format_time, parse_time
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
    """What an import did: `versions` are new here, `known` were here. `left` names at most 1000 of `left_count`."""

    place: str
    versions: int
    known: int
    branches: tuple[ImportedRef, ...]
    tags: tuple[ImportedRef, ...]
    left: tuple[LeftOut, ...]
    left_count: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GitExport:
    """What an export to git wrote; `original` commits are those that came from git. `left` says what could not go."""

    path: Path
    commits: int
    original: int
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    lfs_files: int
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportedVersion:
    """The files of a version that were written, and the bytes of their content."""

    path: Path
    number: int
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ExportedTimeline:
    """A timeline that was written, and the number of its media; `missing` are those that the version does not have."""

    path: Path
    number: int
    media: int
    missing: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """A version to be made from a folder, ZIP or single file in the folder of copies; `path` is that file's name."""

    source: str
    kind: Literal["folder", "zip", "file"]
    date: datetime
    name: str
    path: Path | None


@dataclass(frozen=True, slots=True)
class FolderPlan:
    """The versions that a folder of copies would become, in their order; `left` are names that would become none."""

    folder: Path
    versions: tuple[PlannedCopy, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderImport:
    """What an import did: `versions` are new, `known` had come before, `same` had the same files as the one before."""

    versions: int
    known: int
    same: int
    branch: str | None
    left: tuple[LeftOut, ...]
    left_count: int


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
        lfs_hosts: Sequence[str] = (),
        environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
        **call: Unpack[Call],
    ) -> GitImport:
        """Bring the history of a git repository here, from a folder or an address; repeated, only what is new.

        Content of Git LFS comes from `lfs/objects`, and from the server that the repository names if its host is one of
        `lfs_hosts`, as `https://github.com`. `environment` is what git gets: `PATH` to find it, `HOME` and
        `SSH_AUTH_SOCK` for hosts over SSH.

        Raises:
            NotAGitRepository, GitUnavailable, GitDamaged. RemoteUntrusted: it names another host for Git LFS.
            RemoteDenied, RemoteUnreachable: of Git LFS.
        """
        agree = _agree_to(frozenset(lfs_hosts)) if lfs_hosts else None
        return self._opened.run(
            call, _import_git, os.fspath(place), tuple(branches), tuple(tags), time_text(since), lfs, agree, environment
        )

    def export_otio(self, version: VersionLike, target: StrPath, **call: Unpack[Call]) -> ExportedTimeline:
        """Write the timeline of a version to a new `FILE.otio`, or with its media to `FILE.otioz`.

        Raises:
            TargetExists, UnknownVersion. InputError: the version has no timeline.
        """
        return self._opened.run(call, _export_otio, name_of(version), os.path.abspath(target))

    def plan_folder(self, folder: StrPath) -> FolderPlan:
        """Say which versions the copies in a folder would become, in order; change that before `import_folder`."""
        return self._opened.run(NO_CALL, _plan_folder, os.path.abspath(folder))

    def import_folder(self, plan: FolderPlan | StrPath, **call: Unpack[Call]) -> FolderImport:
        """Make versions of copies (folders, ZIP files or single files), as a plan says, or of all copies in a folder.

        Raises:
            InputError: there is no such folder.
        """
        return self._opened.run(call, _import_folder, plan if isinstance(plan, FolderPlan) else os.path.abspath(plan))

    def plan_import_git(
        self,
        place: StrPath,
        *,
        branches: Sequence[str] = ("*",),
        tags: Sequence[str] = ("*",),
        since: datetime | None = None,
        environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
        **call: Unpack[Call],
    ) -> GitImport:
        """Say what `import_git` would bring; changes nothing. Refs that would be new or move have no version yet.

        Raises:
            NotAGitRepository, GitUnavailable, GitDamaged.
        """
        return self._opened.run(
            call, _plan_import_git, os.fspath(place), tuple(branches), tuple(tags), time_text(since), environment
        )

    def export_git(
        self,
        folder: StrPath,
        *,
        lfs_over: int | None = None,
        all_versions: bool = False,
        environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
        **call: Unpack[Call],
    ) -> GitExport:
        """Write branches and tags, with their history, into a new git repository; the same commits each time.

        Raises:
            TargetExists, GitUnavailable.
        """
        return self._opened.run(call, _export_git, os.path.abspath(folder), lfs_over, all_versions, environment)

    def export_version(
        self, version: VersionLike, target: StrPath, paths: Sequence[StrPath] = (), **call: Unpack[Call]
    ) -> ExportedVersion:
        """Write the files of a version to a new folder, `FILE.zip` or `FILE.tar.zst`; paths as in the project.

        Raises:
            TargetExists, UnknownVersion, UnknownName.
        """
        return self._opened.run(call, _export_version, name_of(version), os.path.abspath(target), tuple(paths))


def _export_otio(repo: Repository, version: str, target: str) -> ExportedTimeline:
    done = export_otio.export_otio(repo, version, target)
    return ExportedTimeline(Path(done.path), done.number, done.media, tuple(map(Path, done.missing)))


def _plan_folder(repo: Repository, folder: str) -> FolderPlan:
    found = folder_plan.plan_folder(folder, project=repo.root)
    copies = tuple(
        PlannedCopy(copy.source, copy.kind, parse_time(copy.date), copy.name, Path(copy.path) if copy.path else None)
        for copy in found.versions
    )
    return FolderPlan(Path(found.folder), copies, found.left)


def _import_folder(repo: Repository, plan: FolderPlan | str) -> FolderImport:
    if isinstance(plan, str):
        wanted = folder_plan.plan_folder(plan, project=repo.root)
    else:
        copies = tuple(
            folder_plan.PlannedCopy(
                copy.source,
                copy.kind,
                format_time(copy.date),
                copy.name,
                copy.path.as_posix() if copy.path is not None else "",
            )
            for copy in plan.versions
        )
        wanted = folder_plan.checked_plan(folder_plan.FolderPlan(str(plan.folder), copies), "the plan")
    done = folder_import.import_folder(repo, wanted)
    left = tuple(LeftOut(one.what, one.reason) for one in done.left)
    return FolderImport(done.versions, done.known, done.same, done.branch, left, done.left_count)


def _export_git(
    repo: Repository, folder: str, lfs_over: int | None, all_versions: bool, environment: Mapping[str, str]
) -> GitExport:
    done = git_export.export_git(
        repo, folder, lfs_over=lfs_over, all_versions=all_versions, environment=environment
    )  # fmt: skip
    return GitExport(
        Path(done.path), done.commits, done.original, done.branches, done.tags, done.lfs_files, done.left
    )  # fmt: skip


def _export_version(repo: Repository, version: str, target: str, paths: tuple[StrPath, ...]) -> ExportedVersion:
    done = export_version.export_version(repo, version, target, project_paths(repo, paths))
    return ExportedVersion(Path(done.path), done.number, done.files, done.size_bytes)


def _import_git(
    repo: Repository,
    place: str,
    branches: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    lfs: bool,
    agree: AgreeTo | None,
    environment: Mapping[str, str],
) -> GitImport:
    done = git_import.import_git(
        repo, place, request=git_import.GitImportRequest(branches, tags, since, lfs, agree), environment=environment
    )
    return _git_import(done)


def _agree_to(hosts: frozenset[str]) -> AgreeTo:
    def agree(host: str) -> None:
        if host not in hosts:
            hint = "If you know that host, name it in `lfs_hosts`."
            raise RemoteUntrusted("Git LFS", host, named_by="the repository names", hint=hint)

    return agree


def _plan_import_git(
    repo: Repository,
    place: str,
    branches: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    environment: Mapping[str, str],
) -> GitImport:
    return _git_import(
        git_import.plan_import_git(
            repo, place, request=git_import.GitImportRequest(branches, tags, since), environment=environment
        )
    )


def _git_import(done: GitImported) -> GitImport:
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
