"""Media that project files of editors name: found again, collected into the project, and what nothing uses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.opened import Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import path_or_none, paths_of
from aura_vcs.project.media import collect as collecting, relink as relinking
from aura_vcs.project.media.unused import find_unused
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class LostMedia:
    """One path in a project file that is to be rewritten, or whose file is to be brought back.

    `found` is where the file is, or None; then `reason` says why, and `choices` are the candidates. `by` says how
    it was found: "content", "checksum", "name and size", "name", "version" (it comes back from that `version`) or
    "path" (it exists, but its path is absolute). `new` is what the project file will have, "" if its path stays.
    """

    file: Path
    written: str
    found: Path | None
    by: str
    version: str
    new: str
    choices: tuple[Path, ...]
    reason: str

    @classmethod
    def _of(cls, one: relinking.Relink) -> Self:
        """Take over one line of a plan."""
        found = path_or_none(one.found or None)
        return cls(
            Path(one.file), one.path, found, one.by or "", one.version, one.new, paths_of(one.choices), one.reason
        )


@dataclass(frozen=True, slots=True)
class RelinkPlan:
    """What relinking would do."""

    media: tuple[LostMedia, ...]
    _plan: tuple[relinking.Relink, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Relinked:
    """What relinking did; `skipped` are files that another program wrote meanwhile."""

    written: tuple[Path, ...]
    restored: tuple[Path, ...]
    skipped: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class OutsideMedia:
    """A file outside the project that project files name, and where its copy goes.

    With a `reason` it stays where it is.
    """

    outside: Path
    target: Path
    size_bytes: int
    files: tuple[Path, ...]
    reason: str

    @classmethod
    def _of(cls, one: collecting.Collect) -> Self:
        """Take over one line of a plan."""
        files = paths_of(dict.fromkeys(file for file, _, _ in one.names))
        return cls(Path(one.outside), Path(one.target), one.size, files, one.reason)


@dataclass(frozen=True, slots=True)
class CollectPlan:
    """What collecting would do."""

    media: tuple[OutsideMedia, ...]
    _plan: tuple[collecting.Collect, ...] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CollectedMedia:
    """What collecting did; `size_bytes` counts the copies."""

    copied: tuple[Path, ...]
    written: tuple[Path, ...]
    skipped: tuple[Path, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class UnusedMedia:
    """Media of the folder that no timeline uses, with their bytes; `unread` are unreadable project files."""

    files: tuple[tuple[Path, int], ...]
    projects: int
    unread: tuple[Path, ...]


class LinkingMethods(Part):
    """What a project does with the media that its project files name."""

    def plan_relink(self, *files: StrPath) -> RelinkPlan:
        """Look for missing media of all project files, or of these `files`, in the folder and in its versions."""
        return self._opened.run(NO_CALL, _plan_relink, files)

    def relink(self, plan: RelinkPlan, **call: Unpack[Call]) -> Relinked:
        """Write the paths of a plan into the project files, and bring files back from versions; undo takes it back.

        Raises:
            InputError: a project file was changed since, or cannot be written like that; nothing was changed.
            ObjectOffloaded: what comes from a version is at a remote that cannot be asked now.
        """
        return self._opened.run(call, _relink, plan)

    def plan_collect(self, *, to: StrPath = collecting.FOLDER) -> CollectPlan:
        """List the media outside the project that its project files name; copies go into the folder `to`."""
        return self._opened.run(NO_CALL, _plan_collect, to)

    def collect(self, plan: CollectPlan, **call: Unpack[Call]) -> CollectedMedia:
        """Copy the files of a plan into the project and write their new paths; undo takes it back.

        Raises:
            FileUnreadable: a file cannot be read; nothing was changed. InputError: something is in the place of a
            copy, or a project file cannot be written like that.
        """
        return self._opened.run(call, _collect, plan)

    def unused_media(self) -> UnusedMedia:
        """List pictures, sound and video of the folder that no timeline uses."""
        return self._opened.run(NO_CALL, _unused)


def _plan_relink(repo: Repository, files: Sequence[StrPath]) -> RelinkPlan:
    plan = relinking.plan_relink(repo, project_paths(repo, files) if files else ())
    return RelinkPlan(tuple(map(LostMedia._of, plan)), plan)


def _relink(repo: Repository, plan: RelinkPlan) -> Relinked:
    done = relinking.relink(repo, plan._plan)
    return Relinked(paths_of(done.written), paths_of(done.restored), paths_of(done.skipped))


def _plan_collect(repo: Repository, to: StrPath) -> CollectPlan:
    (folder,) = project_paths(repo, [to])
    plan = collecting.plan_collect(repo, folder=folder)
    return CollectPlan(tuple(map(OutsideMedia._of, plan)), plan)


def _collect(repo: Repository, plan: CollectPlan) -> CollectedMedia:
    done = collecting.collect(repo, plan._plan)
    return CollectedMedia(paths_of(done.copied), paths_of(done.written), paths_of(done.skipped), done.size)


def _unused(repo: Repository) -> UnusedMedia:
    found = find_unused(repo)
    return UnusedMedia(tuple((Path(path), size) for path, size in found.files), found.projects, paths_of(found.unread))
