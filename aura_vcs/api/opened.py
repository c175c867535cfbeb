"""A project that a program holds open: each call sees what others did, and gets over a damaged index."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypedDict, TypeVar, Unpack

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.reporting import NO_CALL, Call, Listener, Reporter
from aura_vcs.errors import AuraError, InputError, Interrupted
from aura_vcs.errors.input import NotAProject
from aura_vcs.errors.studio import UnknownSetting
from aura_vcs.history.commit import project_path
from aura_vcs.history.init import start_project
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.locks import WAIT_SECONDS
from aura_vcs.maintenance.explain import explain
from aura_vcs.project.editor_litter import ignore_editor_litter
from aura_vcs.repository.find_project import Trust, check_owner, find_root
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.index_recovery import heal
from aura_vcs.repository.replicas import author_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.studio.listing import drop_project, follow_project
from aura_vcs.studio.new_project import apply_template, template_for
from aura_vcs.studio.project_configuration import OpenStudio, configured_value
from aura_vcs.studio.studio import Studio
from aura_vcs.sync.offload.evict import keep_house
from aura_vcs.sync.offload.fetch_content import LazyFetcher, enable_lazy_fetch
from aura_vcs.sync.remotes.link import Link, connected, open_link
from aura_vcs.sync.state.cache import RemoteCache

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
StrPath = str | os.PathLike[str]


class Options(TypedDict, total=False):
    """How a project is opened.

    `author` is recorded with what is done (default: the account's name). `progress` is told about every call.
    `wait_seconds` is how long a call waits for another command in the project. `cache` is a folder on a local disk
    for the index of a project on a network disk. `trusted` are projects of other accounts that may be used.
    `credentials` give access to the remotes, from which offloaded content is fetched when it is read. With
    `keep_house`, a commit, amendment or autosave also frees what is due, at most once a day, unless the person has
    turned that off: see `Project.keep_house`. `session` marks everything as done in one session of a program;
    `Project.undo_session` takes that back.
    """

    author: str | None
    progress: Listener | None
    wait_seconds: float
    cache: StrPath | None
    trusted: tuple[StrPath, ...]
    credentials: Credentials | None
    keep_house: bool
    session: str | None


class Opened:
    """A project's repository, opened when it is first needed, and anew after an error that broke it."""

    def __init__(self, root: StrPath, **options: Unpack[Options]) -> None:
        self.root = Path(os.path.abspath(root))
        self.reporter = Reporter(options.get("progress"))
        self.credentials = options.get("credentials") or Credentials()
        self._options = options
        self._repo: Repository | None = None
        self._content: LazyFetcher | None = None
        check_owner(str(self.root), _trust(options))

    @property
    def repo(self) -> Repository:
        """The library's own object. What it has is not promised to stay as it is."""
        if self._repo is None:
            try:
                self._repo = self._open()
            except Exception as error:
                if not heal(str(self.root), error, None):
                    raise
                self._repo = self._open()
            self._content = enable_lazy_fetch(self._repo, self.connect)
        return self._repo

    def _open(self) -> Repository:
        repo = Repository(str(self.root), **repository_options(self._options, self.reporter))
        repo.session = self._options.get("session")
        return repo

    def run(
        self,
        call: Call,
        function: Callable[Concatenate[Repository, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function of the library on the project as it is now, also by what other processes did.

        A damaged index is thrown away, and the function runs once more, unless it has recorded something.
        """
        with self.reporter.listening(call):
            recorded: int | None = None
            try:
                self.repo.refresh()
                recorded = sum(self.repo.logs.sizes().values())
                done = function(self.repo, *args, **kwargs)
                self._follow(recorded)
                return done
            except BaseException as error:
                if isinstance(error, AuraError) and not isinstance(error, Interrupted) and error.__cause__ is None:
                    found = explain(self.repo, error)
                    if found is error:
                        raise
                    raise found from error
                self.close()  # what it holds in memory may be half done
                if not (isinstance(error, Exception) and heal(str(self.root), error, recorded)):
                    raise
            self.repo.refresh()
            return function(self.repo, *args, **kwargs)

    def _follow(self, recorded: int) -> None:
        """Let the studio's list know of a project in which something was done."""
        home = self.credentials.home
        if home is None or self._repo is None or sum(self._repo.logs.sizes().values()) in (recorded, 0):
            return  # nothing was done, or the project was purged
        try:
            follow_project(self._repo, os.path.abspath(home), self.studio)
        except (AuraError, OSError) as error:
            why = error.message if isinstance(error, AuraError) else error
            self.reporter.note(f"The studio's list could not be brought up to date: {why}")

    def run_at(
        self,
        call: Call,
        remote: str | None,
        function: Callable[Concatenate[Repository, RemoteStorage, RemoteCache, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function of the library on the project and one of its remotes, by name."""

        return self.run_linked(
            call, remote, lambda repo, link: function(repo, link.remote, link.cache, *args, **kwargs)
        )

    def run_linked(self, call: Call, remote: str | None, function: Callable[[Repository, Link], R]) -> R:
        """Call a function on the project and all that is known of one of its remotes, by name."""

        def linked(repo: Repository) -> R:
            with connected(repo, remote, self.credentials._surroundings(), self.credentials._ask_with) as link:
                return function(repo, link)

        return self.run(call, linked)

    def run_with_content(
        self,
        call: Call,
        function: Callable[Concatenate[Repository, LazyFetcher, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function on the project and what fetches offloaded content."""

        def with_content(repo: Repository) -> R:
            assert self._content is not None
            return function(repo, self._content, *args, **kwargs)

        return self.run(call, with_content)

    def finish(
        self,
        call: Call,
        function: Callable[Concatenate[Repository, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function after which the project is no more, let go of it, and take it off the studio's list."""
        try:
            done = self.run(call, function, *args, **kwargs)
        finally:
            self.close()
        if self.known_studio is not None:
            drop_project(str(self.root), self.known_studio)
        return done

    def studio(self) -> Studio:
        """Open the person's studio.

        Raises:
            InputError: the credentials name none.
        """
        return open_studio(self.credentials.home, self._options.get("author"))

    @property
    def known_studio(self) -> OpenStudio | None:
        """What opens the person's studio, if the credentials name one."""
        return None if self.credentials.home is None else self.studio

    def keep_house(self) -> None:
        """Free what is due after something was saved, where the program and the person want that."""
        if not self._options.get("keep_house"):
            return
        try:
            if not configured_value(self.repo, self.known_studio, "maintenance.auto"):
                return
            unwrap = self.unwraps(self.repo)
        except AuraError as error:  # what was to be done is done
            self.reporter.note(f"Nothing is freed by itself: {error.message}")
            return
        self.run(NO_CALL, keep_house, unwrap=unwrap)

    def unwraps(self, repo: Repository) -> bool:
        """Tell whether gzip and ZIP files are to be stored as what is in them, as it is configured."""
        return bool(configured_value(repo, self.known_studio, "maintenance.unwrap"))

    def expire_days(self, repo: Repository) -> float:
        """After how many days an edit of now can no longer be undone, as it is configured; 0 is never."""
        return float(configured_value(repo, self.known_studio, "actions.expire_days"))

    def connect(self, name: str) -> RemoteStorage:
        """Open a remote of the project by its name."""
        return open_link(self.repo, name, self.credentials._surroundings(), self.credentials._ask_with).remote

    def close(self) -> None:
        """Let go of every file and connection; the next call opens the project again."""
        content, self._content = self._content, None
        repo, self._repo = self._repo, None
        if content is not None:
            content.close()
        if repo is not None:
            repo.close()


def open_studio(home: StrPath | None, user: str | None) -> Studio:
    """Open a studio's folder; looking creates nothing.

    Raises:
        InputError: none is named.
    """
    if home is None:
        raise InputError(
            "No studio is named: that is where a person's templates and settings are",
            hint="Give `Credentials(home=…)`, or take them `from_environment`.",
        )
    return Studio(os.path.abspath(home), user=author_name(user))


def find(path: StrPath, *, create: bool, search: bool, **options: Unpack[Options]) -> Opened:
    """Open the project at `path`; see `aura_vcs.open`."""
    try:
        root = find_root(os.fspath(path)) if search else _exactly(path)
    except NotAProject:
        if not create:
            raise
        return start(path, **options)
    return Opened(root, **options)


def start(
    path: StrPath,
    title: str | None = None,
    template: str | None = None,
    topic: str | None = None,
    **options: Unpack[Options],
) -> Opened:
    """Make the folder a project; see `aura_vcs.init`."""
    folder, author = os.path.abspath(path), options.get("author")
    if template is None:
        with start_project(folder, title=title, author=author) as (repo, _):
            return _with_litter_ignored(repo, Opened(folder, **options))
    with open_studio((options.get("credentials") or Credentials()).home, author) as studio:
        chosen = template_for(studio, folder, template)
        with start_project(folder, title=title, author=author) as (repo, started):
            apply_template(studio, repo, chosen, started.title or "", topic)
            return _with_litter_ignored(repo, Opened(folder, **options))


def _with_litter_ignored(repo: Repository, opened: Opened) -> Opened:
    """Leave out of versions what the editors of a new project make again, and tell the program's listener."""
    found = ignore_editor_litter(repo)
    if found.patterns:
        opened.reporter.note(f"Added to {IGNORE_FILE}: {', '.join(found.patterns)}")
    elif found.problem:
        opened.reporter.note(found.problem)
    return opened


class Part:
    """Part of what a program sees of a project that it holds open."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened


def has(find: Callable[[K], object], name: K) -> bool:
    """Say whether a collection finds something under a name."""
    try:
        find(name)
    except (InputError, UnknownSetting):
        return False
    return True


def project_paths(repo: Repository, paths: Iterable[StrPath]) -> list[str]:
    """Return paths as versions have them. Relative ones count from the project's folder.

    Raises:
        InputError: one is outside the project.
    """
    return [project_path(repo, os.fspath(path), repo.root) for path in paths]


class RepositoryOptions(TypedDict):
    """The same, as the library has them."""

    author: str | None
    progress: Reporter
    lock_seconds: float
    index_folder: str | None


def repository_options(options: Options, reporter: Reporter) -> RepositoryOptions:
    """Convert the library's options to those with which the project is opened."""
    cache = options.get("cache")
    return {
        "author": options.get("author"),
        "progress": reporter,
        "lock_seconds": options.get("wait_seconds", WAIT_SECONDS),
        "index_folder": None if cache is None else os.fspath(cache),
    }


def _exactly(path: StrPath) -> str:
    root = os.path.abspath(path)
    if not is_project(root):
        raise NotAProject(root)
    return root


def _trust(options: Options) -> Trust:
    trusted = {os.path.realpath(path) for path in options.get("trusted", ())}
    return Trust(is_safe=lambda root: os.path.realpath(root) in trusted)
