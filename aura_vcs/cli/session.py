"""What every command starts with: where the project is, who works, and how to talk.

The only place that reads the environment for the library: `AURA_AUTHOR` names the author,
`AURA_LOCK_SECONDS` how long to wait for another command.
"""

import os
from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aura_vcs.cli.console import Console
from aura_vcs.cli.escaping import clean_input
from aura_vcs.errors import AuraError, ObjectCorrupt, ObjectMissing

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

F = TypeVar("F", bound=Callable[..., Any])

AUTHOR_LIMIT = 200
AFFECTED_SHOWN = 20


class Session:
    """One run of `aura`."""

    def __init__(
        self, *, folder: str = ".", author: str | None = None, console: Console | None = None, traceback: bool = False
    ) -> None:
        self.folder = folder
        self.author = author
        self.console = console or Console()
        self.traceback = traceback

    def options(self) -> dict[str, Any]:
        """How a project is opened."""
        from aura_vcs.cli.meter import Meter

        options: dict[str, Any] = {"author": self.author_name(), "progress": Meter(self.console)}
        seconds = os.environ.get("AURA_LOCK_SECONDS", "")
        if seconds.isdecimal():
            options["lock_seconds"] = float(seconds)
        return options

    def author_name(self) -> str | None:
        """Who works here, as --author or AURA_AUTHOR say; None leaves it to the account's name."""
        given = self.author if self.author is not None else os.environ.get("AURA_AUTHOR", "")
        name = "".join(c for c in clean_input(given) if c.isprintable()).strip()
        return name[:AUTHOR_LIMIT] or None

    def open(self) -> "Repository":
        """Open the project that the folder is in.

        Raises:
            NotAProject, FormatUnsupported.
        """
        from aura_vcs.repository.repository import Repository

        return Repository.open(self.folder, **self.options())


pass_session = click.make_pass_decorator(Session, ensure=True)


def pass_repository(function: F) -> F:
    """Give a command the project and the console, and close the project after it."""

    @pass_session
    def with_repository(session: Session, /, *args: Any, **kwargs: Any) -> Any:
        with session.open() as repo:
            try:
                return function(repo, session.console, *args, **kwargs)
            except (ObjectMissing, ObjectCorrupt) as error:
                error.hint = f"{_affected(repo, error)}{error.hint}"
                raise

    return update_wrapper(with_repository, function)  # type: ignore[return-value]


def _affected(repo: "Repository", error: ObjectMissing | ObjectCorrupt) -> str:
    """Which versions hold what is missing or damaged, as the first words of a hint."""
    from aura_vcs.cli.words import joined
    from aura_vcs.ids import ObjectId
    from aura_vcs.upkeep.walk import affected_versions

    try:
        found = affected_versions(repo, [ObjectId(error.object_id)])
    except AuraError:
        return ""  # the first error is the one to tell
    numbers = [number for listed in found.values() for number in listed]
    return f"It is part of {joined(f'v{number}' for number in numbers[:AFFECTED_SHOWN])}. " if numbers else ""


def project_paths(repo: "Repository", paths: tuple[str, ...]) -> list[str]:
    """Paths as they were typed, in the form in which versions have them.

    Raises:
        InputError: one lies outside the project.
    """
    if not paths:
        return []
    from aura_vcs.history.commit import project_path

    folder = click.get_current_context().find_object(Session)
    return [project_path(repo, path, folder.folder if folder is not None else ".") for path in paths]
