"""The person's studio: their projects, templates and settings, wherever the projects lie."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from aura_vcs.api.making import ProjectInfo
from aura_vcs.api.opened import StrPath, has, open_studio
from aura_vcs.api.operations import Action
from aura_vcs.api.provenance import Cost, CostKey
from aura_vcs.api.records import Checkpoint
from aura_vcs.api.settings import StudioSettings
from aura_vcs.api.templates import Templates
from aura_vcs.api.values import moment, time_text
from aura_vcs.errors import AuraError
from aura_vcs.index.records import ActionFilter
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository
from aura_vcs.studio import setup as setup_room, studio as studio_room
from aura_vcs.studio.costs import costs_of_all
from aura_vcs.studio.interrupted import InterruptedProject, find_interrupted, unfinished_folders
from aura_vcs.studio.projects import (
    ProjectEntry,
    ProjectFilter,
    add_project,
    find_project,
    forget_project,
    list_projects,
    scan_folder,
)
from aura_vcs.studio.undo import ListedAction, StudioUndone, list_actions, redo_studio, undo_studio

Open = Callable[[], studio_room.Studio]


@dataclass(frozen=True, slots=True)
class ListedProject:
    """A project of the list; `is_missing` if its folder is no longer a project."""

    path: Path
    is_missing: bool
    info: ProjectInfo

    @classmethod
    def _of(cls, entry: ProjectEntry) -> Self:
        """Take over an entry."""
        path = Path(entry.path)
        return cls(path, entry.location == "missing", ProjectInfo._of(path, entry.facts))


@dataclass(frozen=True, slots=True)
class InterruptedWork:
    """A project whose rendering stopped, with the newest checkpoint to continue from."""

    path: Path
    status: str
    checkpoint: Checkpoint | None

    @classmethod
    def _of(cls, found: InterruptedProject) -> Self:
        """Take over a finding."""
        checkpoint = None if found.checkpoint is None else Checkpoint._of(found.checkpoint)
        return cls(Path(found.path), found.state.status, checkpoint)


@dataclass(frozen=True, slots=True)
class StudioUndo:
    """What was taken back in the studio, or done again; `passed_over` says why later actions were not."""

    description: str
    actions: tuple[str, ...]
    passed_over: tuple[str, ...]

    @classmethod
    def _of(cls, done: StudioUndone) -> Self:
        """Take over what was done."""
        return cls(done.description, tuple(action.id for action in done.actions), done.passed_over)


@dataclass(frozen=True, slots=True)
class SetupState:
    """How far the setup questions are answered: the name and text of the next one, "" if none is left."""

    is_completed: bool
    next_step: str
    next_question: str
    completed_at: datetime | None

    @classmethod
    def _of(cls, found: setup_room.UserSetup) -> Self:
        """Take over a record."""
        left = found.next_step
        step, question = ("", "") if left is None else (left.name, left.question)
        return cls(found.completed, step, question, moment(found.completed_at))


class ListedProjects:
    """The person's list of projects, newest first; name one by its folder, the beginning of its id, or its title."""

    def __init__(self, studio: Open) -> None:
        self._studio = studio

    def __iter__(self) -> Iterator[ListedProject]:
        return iter(self.list())

    def __getitem__(self, project: StrPath) -> ListedProject:
        with self._studio() as studio:
            return ListedProject._of(find_project(studio, os.fspath(project)))

    def __contains__(self, name: StrPath) -> bool:
        return has(self.__getitem__, name)

    def scan(self, folder: StrPath) -> list[ListedProject]:
        """Put every project below a folder on the list; finds moved ones again."""
        with self._studio() as studio:
            return list(map(ListedProject._of, scan_folder(studio, os.path.abspath(folder))))

    def list(
        self,
        *,
        status: str | None = None,
        category: str | None = None,
        job_id: str | None = None,
        deleted: bool = False,
        sort: Literal["updated", "created", "title", "status"] = "updated",
        limit: int = 50,
        offset: int = 0,
    ) -> list[ListedProject]:
        """List a page of projects, each as its folder is now."""
        wanted = ProjectFilter(status, category, job_id, deleted, sort, limit, offset)
        with self._studio() as studio:
            return list(map(ListedProject._of, list_projects(studio, wanted)))

    def add(self, folder: StrPath) -> ListedProject:
        """Put a project on the list, or bring its entry up to date.

        Raises:
            NotAProject: the folder is not a project.
        """
        with self._studio() as studio:
            return ListedProject._of(add_project(studio, os.path.abspath(folder)))

    def forget(self, project: StrPath) -> None:
        """Take a project off the list; its folder stays as it is."""
        with self._studio() as studio:
            forget_project(studio, find_project(studio, os.fspath(project)))


class Setup:
    """The setup questions: `identity`, `output`, `ffmpeg` and `tier`."""

    def __init__(self, studio: Open) -> None:
        self._studio = studio

    @property
    def state(self) -> SetupState:
        """How far they are answered."""
        with self._studio() as studio:
            return SetupState._of(setup_room.setup_state(studio))

    def suggestion(self, step: str, *, home: StrPath, search_path: str | None = None) -> str | None:
        """Return the most likely answer; `search_path` is a list of folders as in `PATH`, to look for FFmpeg."""
        with self._studio() as studio:
            user = studio.folder.user
        wanted = setup_room.find_step(step)
        return setup_room.suggestion(wanted, user=user, home=os.fspath(home), search_path=search_path)

    def answer(self, step: str, text: str | None) -> SetupState:
        """Answer a question; None skips it.

        Raises:
            UnknownName: there is no such step. SettingInvalid, InputError: the answer cannot be.
        """
        with self._studio() as studio:
            return SetupState._of(setup_room.answer(studio, setup_room.find_step(step), text))

    def start_over(self) -> SetupState:
        """Ask everything again; what is configured stays until it is answered again."""
        with self._studio() as studio:
            return SetupState._of(setup_room.start_over(studio))


class Studio:
    """A person's studio in the folder `home`; `aura.studio_home` says which one the command uses.

    `user` is recorded with what is done (default: the account's name). Looking creates nothing.
    """

    def __init__(self, home: StrPath, *, user: str | None = None) -> None:
        self.home = Path(os.path.abspath(home))
        self._user = user
        self.projects = ListedProjects(self._open)
        self.templates = Templates(self._open)
        self.settings = StudioSettings(self._open)
        self.setup = Setup(self._open)

    def __repr__(self) -> str:
        return f"<aura_vcs.Studio {str(self.home)!r}>"

    def _open(self) -> studio_room.Studio:
        return open_studio(self.home, self._user)

    def actions(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        type: str | None = None,  # noqa: A002  # as the action calls it
        user: str | None = None,
        status: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        correlation_id: str | None = None,
    ) -> list[Action]:
        """List a page of what was done to settings, templates and the list of projects, newest first."""
        wanted = ActionFilter(
            type=type,
            user=user,
            status=status,
            since=time_text(since),
            until=time_text(until),
            correlation_id=correlation_id,
        )
        with self._open() as studio:
            found = list_actions(studio, wanted)
        return [_action(item) for item in found[offset : offset + limit]]

    def undo(self) -> StudioUndo:
        """Take back the last thing that was done here.

        Raises:
            NothingToUndo, OperationExpired. EditedSince: what it changed was changed again since.
        """
        with self._open() as studio:
            return StudioUndo._of(undo_studio(studio))

    def redo(self) -> StudioUndo:
        """Redo what was undone last.

        Raises:
            NothingToUndo, EditedSince.
        """
        with self._open() as studio:
            return StudioUndo._of(redo_studio(studio))

    def interrupted(self) -> list[InterruptedWork]:
        """List projects of the list whose rendering stopped; one that cannot be opened is skipped."""
        with self._open() as studio:
            folders = unfinished_folders(studio)
        return [InterruptedWork._of(found) for found in map(_looked_at, folders) if found is not None]

    def costs(self, by: CostKey = "model") -> list[Cost]:
        """Add up what files cost in all projects of the list; one that cannot be opened is skipped."""
        with self._open() as studio:
            return list(map(Cost._of, costs_of_all(studio, by)[0]))


def _looked_at(folder: str) -> InterruptedProject | None:
    with suppress(AuraError), Repository.open(folder) as repo:
        return find_interrupted(repo)
    return None


def _action(item: ListedAction) -> Action:
    action = item.action
    return Action(
        action.id,
        action.type,
        action.description,
        action.user,
        parse_time(action.time),
        item.status,
        item.can_be_undone,
        moment(item.undone_at),
        item.undone_by,
        moment(action.expires_at),
        action.correlation_id,
        None,
    )
