"""What a video project is, where its making stands, and what is wrong with it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self, Unpack

from aura_vcs.api.contents import Assets, Scenes
from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Opened, Part, StrPath
from aura_vcs.api.records import Checkpoints, Exports
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import VersionLike, moment, name_of, path_or_none, paths_of
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.project import purge as purge_room
from aura_vcs.project.agents_page import write_agents_page
from aura_vcs.project.documents import problems
from aura_vcs.project.documents.check import check_project
from aura_vcs.project.documents.load import plain_document
from aura_vcs.project.documents.state import delete_project, undelete_project
from aura_vcs.project.duplicate import duplicate
from aura_vcs.project.media import references
from aura_vcs.project.media.check import media_problems
from aura_vcs.project.media.known_problems import known_media_problems
from aura_vcs.project.scenes.set_values import set_values
from aura_vcs.project.summary import ProjectFacts, read_facts
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """One thing that is wrong with the documents or media: `pointer` is a JSON pointer into `file`.

    With an error, that place of the document is meaningless; a warning is probably not what its author wants.
    `expected` says what would be right there, or is "".
    """

    file: Path
    pointer: str
    severity: Literal["error", "warning"]
    message: str
    expected: str

    @classmethod
    def _of(cls, found: problems.DocumentProblem) -> Self:
        """Take over a finding."""
        return cls(Path(found.file), found.pointer, found.severity, found.message, found.expected)


@dataclass(frozen=True, slots=True)
class NamedMedia:
    """Something that the project file of an editor plays, and where that is.

    `written` is the path in the file. `resolved` is relative to the project's folder, absolute outside it, and None
    if the path leads nowhere. For "not_looked_at" and "unusable" there is a `reason`. `size_bytes` is None if
    nothing was found. `in_version` tells whether HEAD's version has it, `is_ignored` whether versions leave it out,
    `near` a file of the project with the same name, for what was not found.
    """

    written: str
    kind: str
    """`file`, `proxy` (a smaller copy, which is made again) or `data` (a mask, a table of colours, a font)."""
    resolved: Path | None
    place: Literal["project", "outside", "elsewhere"]
    state: Literal["found", "missing", "link", "not_looked_at", "unusable"]
    size_bytes: int | None
    is_absolute: bool
    in_version: bool
    is_ignored: bool
    near: Path | None
    reason: str

    @classmethod
    def _of(cls, found: references.NamedMedia) -> Self:
        """Take over what was found."""
        return cls(
            found.path,
            found.kind,
            path_or_none(found.resolved or None),
            found.place,
            found.state,
            None if found.size < 0 else found.size,
            found.is_absolute,
            found.in_version,
            found.is_ignored,
            path_or_none(found.near or None),
            found.reason,
        )


@dataclass(frozen=True, slots=True)
class ProjectMedia:
    """A project file of an editor and what it names; `problem` says why it could not be read, or is ""."""

    file: Path
    format: str
    media: tuple[NamedMedia, ...]
    problem: str

    @classmethod
    def _of(cls, found: references.ProjectMedia) -> Self:
        """Take over a list."""
        return cls(Path(found.file), found.format, tuple(map(NamedMedia._of, found.media)), found.problem)


@dataclass(frozen=True, slots=True)
class ProjectInfo:
    """What a project is, and how far it has come; times are None if nothing is recorded."""

    id: str
    path: Path
    title: str
    description: str
    category: str | None
    tags: tuple[str, ...]
    template_id: str | None
    duration_seconds: float | None
    status: str
    """`Draft`, `InProgress`, `Completed`, `Failed` or `Cancelled`."""
    current_stage: str | None
    current_wizard_step: int
    progress_percent: float
    job_id: str | None
    error_message: str | None
    output_file: Path | None
    last_autosave_at: datetime | None
    completed_at: datetime | None
    deleted_at: datetime | None
    created_at: datetime | None
    created_by: str | None
    updated_at: datetime | None
    modified_by: str | None

    @classmethod
    def _of(cls, path: Path, facts: ProjectFacts) -> Self:
        """Take over what the files say."""
        state = facts.state
        return cls(
            id=facts.project,
            path=path,
            title=facts.title,
            description=facts.description,
            category=facts.category,
            tags=facts.tags,
            template_id=facts.template_id,
            duration_seconds=facts.duration_seconds,
            status=state.status,
            current_stage=state.current_stage,
            current_wizard_step=state.current_wizard_step,
            progress_percent=state.progress_percent,
            job_id=state.job_id,
            error_message=state.error_message,
            output_file=path_or_none(facts.output_file_path),
            last_autosave_at=moment(state.last_auto_save_at),
            completed_at=moment(state.completed_at),
            deleted_at=moment(state.deleted_at),
            created_at=moment(facts.created_at),
            created_by=facts.created_by,
            updated_at=moment(facts.updated_at),
            modified_by=facts.modified_by,
        )


@dataclass(frozen=True, slots=True)
class ValuesSet:
    """What setting fields did: whether anything has changed, and notes for the person."""

    is_changed: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProjectPurgePlan:
    """What a purge deletes: versions, `files` of the folder, and all of `.aura`; `bytes` counts both."""

    versions: int
    files: tuple[Path, ...]
    bytes: int
    _plan: purge_room.ProjectPurge


class MakingMethods(Part):
    """The video: its documents, scenes, media, checkpoints and exports."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self.scenes = Scenes(opened)
        self.assets = Assets(opened)
        self.checkpoints = Checkpoints(opened)
        self.exports = Exports(opened)

    def write_agents_page(self) -> bool:
        """Write `AGENTS.md`, a short page for agents; False if a file of that name exists."""
        return self._opened.run(NO_CALL, write_agents_page)

    def info(self) -> ProjectInfo:
        """Say what the project is and how far it has come."""
        return self._opened.run(NO_CALL, _info)

    def document(self, name: str) -> Json:
        """Return a document of the folder (`brief`, `plan`, `voice`, `render` …) as JSON; None if there is none."""
        return self._opened.run(NO_CALL, _document, name)

    def set(self, values: Mapping[str, str]) -> ValuesSet:
        """Set fields by their names, as one step of undo; each text is read as the field's type.

        `title`, `description`, `category` and `tags` are project.json's; `brief.tone` names a document and a place in
        it; `status`, `current_stage`, `progress_percent`, `job_id` and `error_message` say how far it has come.

        Raises:
            UnknownField, InvalidValue: nothing was changed.
        """
        return self._opened.run(NO_CALL, _set, values, self._opened)

    def check(self) -> tuple[DocumentProblem, ...]:
        """Say whether documents and media of the folder fit together, including media that projects of editors name.

        Nothing of this prevents a commit.
        """
        return self._opened.run(NO_CALL, _check)

    def media(self) -> tuple[ProjectMedia, ...]:
        """List what the project files of editors in the folder name, and where that is.

        Nothing outside the project is read, no link is followed, and files that versions leave out are not looked at.
        """
        return self._opened.run(NO_CALL, _media)

    def duplicate(
        self,
        folder: StrPath,
        version: VersionLike | None = None,
        *,
        title: str | None = None,
        with_history: bool = True,
        **call: Unpack[Call],
    ) -> Path:
        """Make an independent project with an id of its own; returns its folder.

        It has all branches and tags and continues from HEAD; with a `version`, it continues from that, and has only
        what led to it. Without `with_history` it begins with one version.

        Raises:
            TargetExists, UnknownVersion, ObjectPurged.
        """
        named = None if version is None else name_of(version)
        return self._opened.run(call, _duplicate, os.path.abspath(folder), named, title, with_history)

    def delete(self) -> None:
        """Hide the project from every list; nothing of it is removed.

        Raises:
            ProjectDeleted: it is deleted already.
        """
        self._opened.run(NO_CALL, delete_project)

    def undelete(self) -> None:
        """Show a deleted project again.

        Raises:
            ProjectDeleted: it is not deleted.
        """
        self._opened.run(NO_CALL, undelete_project)

    def plan_purge(self, *, keep_files: bool = False) -> ProjectPurgePlan:
        """Say what would be deleted if a deleted project were removed for good; changes nothing.

        Raises:
            ProjectDeleted: the project is not deleted.
        """
        return self._opened.run(NO_CALL, _purge_plan, keep_files)

    def purge(self, plan: ProjectPurgePlan, **call: Unpack[Call]) -> tuple[Path, ...]:
        """Remove a deleted project for good, as planned; returns files that were left. Nothing brings it back.

        Raises:
            PlanStale: the project was brought back meanwhile.
        """
        return self._opened.finish(call, _purge, plan)


def _info(repo: Repository) -> ProjectInfo:
    facts = read_facts(repo.root, project=repo.format.project)
    assert facts is not None  # it is a project: it is open
    return ProjectInfo._of(Path(repo.root), facts)


def _document(repo: Repository, name: str) -> Json:
    found: Json = plain_document(FolderSource(repo.root), f"{name}.json")
    return found


def _check(repo: Repository) -> tuple[DocumentProblem, ...]:
    documents = check_project(FolderSource(repo.root))
    found = (*documents, *media_problems(references.list_media(repo)), *known_media_problems(repo))
    return tuple(map(DocumentProblem._of, found))


def _media(repo: Repository) -> tuple[ProjectMedia, ...]:
    return tuple(map(ProjectMedia._of, references.list_media(repo)))


def _set(repo: Repository, values: Mapping[str, str], opened: Opened) -> ValuesSet:
    done = set_values(repo, values, expire_days=opened.expire_days(repo))
    return ValuesSet(done.is_changed, done.notes)


def _purge_plan(repo: Repository, keep_files: bool) -> ProjectPurgePlan:
    plan = purge_room.plan_project_purge(repo, keep_files=keep_files)
    return ProjectPurgePlan(plan.versions, paths_of(seen.path for seen in plan.files), plan.bytes, plan)


def _purge(repo: Repository, plan: ProjectPurgePlan) -> tuple[Path, ...]:
    return paths_of(purge_room.execute_project_purge(repo, plan._plan))


def _duplicate(repo: Repository, folder: str, version: str | None, title: str | None, with_history: bool) -> Path:
    return Path(duplicate(repo, folder, version=version, title=title, with_history=with_history).path)
