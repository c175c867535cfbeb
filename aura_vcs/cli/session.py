"""What every command starts with: where the project is, who works, and how to talk.

The only place that reads the environment for the library: `AURA_AUTHOR` names the author,
`AURA_LOCK_SECONDS` how long to wait for another command, `AURA_HOME` where the studio lies.
"""

import os
import sys
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

import click

from aura_vcs.cli.homes import studio_folder, sudo_uid
from aura_vcs.cli.output.console import Console, clean_input
from aura_vcs.errors import AuraError
from aura_vcs.layout import FORMAT

if TYPE_CHECKING:
    from aura_vcs.cli.fetch_on_demand import FetchOnDemand
    from aura_vcs.ids import ObjectId
    from aura_vcs.repository.find_project import Trust
    from aura_vcs.repository.repository import Repository
    from aura_vcs.studio.studio import Studio
    from aura_vcs.worktree.scan.prefetch import LookAhead

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


class FetchWhenMissing:
    """Fetches offloaded content when a command reads it; most projects have all they need, and import nothing."""

    def __init__(self, repo: "Repository", console: Console) -> None:
        self._of = repo, console
        self._made: FetchOnDemand | None = None

    def made(self) -> "FetchOnDemand":
        """Build what fetches, once."""
        if self._made is None:
            from aura_vcs.cli.fetch_on_demand import FetchOnDemand

            self._made = FetchOnDemand(*self._of)
        return self._made

    def __call__(self, blobs: "Mapping[ObjectId, str]") -> None:
        """Bring the content of blobs; see FetchOnDemand."""
        self.made()(blobs)

    def close(self) -> None:
        """Let go of connections."""
        if self._made is not None:
            self._made.close()


class Session:
    """One run of `aura`."""

    def __init__(
        self, *, folder: str = ".", author: str | None = None, console: Console | None = None, traceback: bool = False
    ) -> None:
        self.folder = folder
        self.author = author
        self.console = console or Console()
        self.traceback = traceback
        self.ahead: LookAhead | None = None
        """A look at the project's files that has begun already; the first project opened has it."""
        self.whole_help = False
        """Whether the list of commands is shown with all of them."""
        self.is_process = False
        """Whether this is the command `aura` in a process of its own, which may leave others behind."""
        self.on_demand: FetchWhenMissing | None = None
        """What brings offloaded content to the project opened last."""
        self.recorded: int | None = None
        """Bytes of the operation logs when the project was opened."""

    def options(self) -> dict[str, Any]:
        """Build the options with which a project is opened."""
        from aura_vcs.cli.output.progress_bar import ProgressMeter

        options: dict[str, Any] = {
            "author": self.author_name,
            "progress": ProgressMeter(self.console),
            "index_folder": os.path.join(self.cache_folder(), "indexes"),
        }
        seconds = os.environ.get("AURA_LOCK_SECONDS", "")
        if seconds.isdecimal():
            options["lock_seconds"] = float(seconds)
        return options

    def author_name(self) -> str | None:
        """Return who works here, as --author, AURA_AUTHOR or the configuration say; None: the account's name."""
        given = self.author if self.author is not None else os.environ.get("AURA_AUTHOR") or self.configured_name()
        name = "".join(c for c in clean_input(given) if c.isprintable()).strip()
        return name or None

    def studio_folder(self) -> str:
        """Return the person's studio folder: AURA_HOME, or the system's folder for a program's data.

        Raises:
            ForeignOwner: it is somebody else's, who could have put settings there.
        """
        return studio_folder()

    def listing_folder(self) -> str | None:
        """Return the studio folder to tell of what was done; None, with a warning, where it is somebody else's.

        What was to be done is done by then, and is no failure.
        """
        try:
            return self.studio_folder()
        except AuraError as error:
            self.console.warn("the studio's list could not be brought up to date: ", error.message)
            self.console.note(error.hint)
            return None

    def cache_folder(self) -> str:
        """Return the folder for what can be made again: in AURA_HOME, or the system's folder for a program's caches."""
        given = os.environ.get("AURA_HOME")
        if given:
            return os.path.abspath(given)
        system: str = sys.platform
        if system == "linux":
            base = os.environ.get("XDG_CACHE_HOME", "").strip() or os.path.expanduser("~/.cache")
            return os.path.join(base, "aura_vcs")
        from platformdirs import user_cache_dir

        return user_cache_dir("aura_vcs", appauthor=False)

    def studio(self) -> "Studio":
        """Open the person's studio; looking creates nothing."""
        from aura_vcs.cli.output.progress_bar import ProgressMeter
        from aura_vcs.repository.replicas import user_name
        from aura_vcs.studio.studio import Studio

        name = self.author_name() or user_name()
        return Studio(self.studio_folder(), user=name, progress=ProgressMeter(self.console))

    def configured_name(self) -> str:
        """Return the name that the person gave, and behind it `<MAIL>` where there is one; "" where nobody asked."""
        try:
            folder = self.studio_folder()
        except AuraError:
            return ""  # `aura config list` says whose it is
        if not os.path.isfile(os.path.join(folder, "config.json")):
            return ""
        from aura_vcs.cli.configured_name import configured_name  # of whom only the account is known has no file

        return configured_name(folder)

    def trust(self) -> "Trust":
        """Say which projects of other accounts the person uses."""
        from aura_vcs.repository.find_project import Trust

        return Trust(sudo_uid(), self._is_safe)

    def _is_safe(self, root: str) -> bool:
        from aura_vcs.studio.safe_projects import is_safe

        with self.studio() as studio:
            return is_safe(studio, root)

    def open(self, *, preview: bool = False) -> "Repository":
        """Open the project that the folder is in; as a `preview` for a dry run, which changes nothing.

        Raises:
            NotAProject, ForeignOwner, FormatUnsupported.
        """
        from aura_vcs.repository.repository import Repository

        ahead, self.ahead = self.ahead, None
        repo = Repository.open(self.folder, ahead=ahead, trust=self.trust(), preview=preview, **self.options())
        self.on_demand = FetchWhenMissing(repo, self.console)
        repo.files.set_fetch(self.on_demand)
        if repo.has_moved and not preview:
            self._print_origin(repo)
        return repo

    def _print_origin(self, repo: "Repository") -> None:
        """Say, once, that the folder is a copy of a project that is still where it was."""
        from aura_vcs.repository.listed_mark import original_of

        original = original_of(repo)
        if original is not None:
            self.console.note(f"This folder is a copy of {original}: both are one project, as on two machines.")
            self.console.note("`aura sync` can go between them; `aura project duplicate DIR` makes a film of its own.")


pass_session = click.make_pass_decorator(Session, ensure=True)


def current_session() -> Session:
    """Return the session of the running command."""
    return click.get_current_context().ensure_object(Session)


def pass_repository(function: "Callable[Concatenate[Repository, Console, P], R]") -> "Callable[P, R]":
    """Give a command, or a part of one, the project and the console, and close the project after it."""

    @pass_session
    def with_repository(session: Session, /, *args: Any, **kwargs: Any) -> R:
        try:
            return _run(session, function, *args, **kwargs)
        except Exception as error:
            from aura_vcs.cli.error_context import heal

            if _only_plans(kwargs) or not heal(session.folder, error, session.recorded):
                raise
        return _run(session, function, *args, **kwargs)

    return cast("Callable[P, R]", update_wrapper(with_repository, function))


def _only_plans(options: dict[str, Any]) -> bool:
    """Say whether a command was asked for its plan alone: with `--dry-run`, or without `--execute`."""
    return bool(options.get("dry_run")) or options.get("is_executed") is False


def _run(session: Session, function: "Callable[..., R]", *args: Any, **kwargs: Any) -> R:
    with session.open(preview=_only_plans(kwargs)) as repo:
        session.recorded = sum(repo.logs.sizes().values())
        try:
            done = function(repo, session.console, *args, **kwargs)
            _follow(session, repo)
            return done
        except AuraError as error:
            from aura_vcs.cli.error_context import explained

            found = explained(repo, session.folder, error)
            if found is error:
                raise
            raise found from error
        finally:
            if session.on_demand is not None:
                session.on_demand.close()


def _follow(session: Session, repo: "Repository") -> None:
    """Enter a project in which something was done and that the studio's list does not know; see studio.listing."""
    if sum(repo.logs.sizes().values()) == session.recorded or repo.storage.stat(FORMAT) is None:
        return  # nothing was done, or the project was purged
    from aura_vcs.repository.listed_mark import is_listed

    home = session.listing_folder()
    if home is None or is_listed(repo, home):
        return
    from aura_vcs.cli.configured_name import enter_project  # most commands find their project listed

    enter_project(repo.root, home, session.studio, session.console)


def pass_studio(function: F) -> F:
    """Give a command the person's studio and the console, and close the studio after it."""

    @pass_session
    def with_studio(session: Session, /, *args: Any, **kwargs: Any) -> Any:
        with session.studio() as studio:
            return function(studio, session.console, *args, **kwargs)

    return update_wrapper(with_studio, function)  # type: ignore[return-value]


def project_paths(repo: "Repository", paths: tuple[str, ...]) -> list[str]:
    """Convert paths as they were typed to the form that versions have.

    Raises:
        InputError: one is outside the project.
    """
    if not paths:
        return []
    from aura_vcs.history.commit import project_path

    folder = click.get_current_context().find_object(Session)
    return [project_path(repo, path, folder.folder if folder is not None else ".") for path in paths]
