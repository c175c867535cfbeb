"""A project that a program works with; each method is what the command of its name does."""

from pathlib import Path
from typing import Self

from aura_vcs.api.branches import Branches, Tags
from aura_vcs.api.debugging import Debug
from aura_vcs.api.derived import DerivedFiles
from aura_vcs.api.history import HistoryMethods
from aura_vcs.api.interchange import InterchangeMethods
from aura_vcs.api.linking import LinkingMethods
from aura_vcs.api.maintaining import MaintenanceMethods
from aura_vcs.api.making import MakingMethods
from aura_vcs.api.media import MediaIndex
from aura_vcs.api.merging import MergeMethods
from aura_vcs.api.notes import Notes
from aura_vcs.api.opened import Opened
from aura_vcs.api.operations import Operations
from aura_vcs.api.provenance import Provenances
from aura_vcs.api.remotes import Remotes
from aura_vcs.api.saving import SavingMethods
from aura_vcs.api.settings import ProjectSettings
from aura_vcs.api.syncing import SyncMethods
from aura_vcs.api.templates import Templates
from aura_vcs.repository.repository import Repository


class Project(
    HistoryMethods,
    MergeMethods,
    SavingMethods,
    SyncMethods,
    MaintenanceMethods,
    MakingMethods,
    LinkingMethods,
    InterchangeMethods,
):
    """A project folder under version control, as `aura.open`, `aura.init` and `aura.clone` return it.

    Use it from one thread at a time (`cancel` is for any thread), and close it, or use `with`. Each call sees what
    other processes did meanwhile. Methods that replace files first save what would be lost, and `undo` takes them
    back. Paths are relative to the project's folder. Methods that may take long take `progress` and `cancel`; see
    `Call`.
    """

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self.branches = Branches(opened)
        self.tags = Tags(opened)
        self.notes = Notes(opened)
        self.provenance = Provenances(opened)
        self.derived = DerivedFiles(opened)
        self.operations = Operations(opened)
        self.remotes = Remotes(opened)
        self.settings = ProjectSettings(opened)
        self.templates = Templates(opened.studio)
        self.media_index = MediaIndex(opened)
        self.debug = Debug(opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<aura_vcs.Project {str(self.path)!r}>"

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self._opened.root

    @property
    def id(self) -> str:
        """The project's id, the same in every copy."""
        return self.repository.format.project

    @property
    def author(self) -> str:
        """Who works here: the name that versions get."""
        return self._opened.repo.author

    @property
    def repository(self) -> Repository:
        """The library below, for what has no method here; it may change at any time."""
        return self._opened.repo

    def close(self) -> None:
        """Release every file and connection. A later call opens the project again."""
        self._opened.close()

    def cancel(self) -> None:
        """End the running call, from another thread; it raises `Interrupted`.

        `CancelToken` says what that leaves.
        """
        self._opened.reporter.cancel()
