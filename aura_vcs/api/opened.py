"""A project that a program holds open: each call sees what others did, and gets over a damaged index."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypedDict, TypeVar, Unpack

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.reporting import Listener, Reporter
from aura_vcs.errors import AuraError, Interrupted
from aura_vcs.errors.input import NotAProject
from aura_vcs.history.init import start_project
from aura_vcs.history.lookup.select_files import choose
from aura_vcs.locks import WAIT_SECONDS
from aura_vcs.maintenance.explain import explain
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.index_recovery import heal
from aura_vcs.repository.ownership import Trust, check_owner
from aura_vcs.repository.repository import Repository, find_root
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.offload.fetch_content import Brought, Content, attach, fetch_content, plan_content
from aura_vcs.sync.remotes.link import connected, open_link
from aura_vcs.sync.state.cache import Known

P = ParamSpec("P")
R = TypeVar("R")
StrPath = str | os.PathLike[str]


class Options(TypedDict, total=False):
    """How a project is opened.

    `author` goes into what is recorded, without it the account's name. `progress` hears of every call.
    `wait_seconds` is how long a call waits for another command of the project. `cache` is a folder on a
    local disk for the index of a project on a network disk. `trusted` are projects of other accounts that
    may be used. `credentials` let the project in to its remotes: where offloaded content is read, it is
    fetched from there.
    """

    author: str | None
    progress: Listener | None
    wait_seconds: float
    cache: StrPath | None
    trusted: tuple[StrPath, ...]
    credentials: Credentials | None


class Opened:
    """A project's repository, opened when it is first needed, and anew after an error that broke it."""

    def __init__(self, root: StrPath, **options: Unpack[Options]) -> None:
        self.root = Path(os.path.abspath(root))
        self.reporter = Reporter(options.get("progress"))
        self.credentials = options.get("credentials") or Credentials()
        self._options = options
        self._repo: Repository | None = None
        self._content: Content | None = None
        check_owner(str(self.root), _trust(options))

    @property
    def repo(self) -> Repository:
        """The library's own object. What it has is not promised to stay as it is."""
        if self._repo is None:
            self._repo = Repository(str(self.root), **repository_options(self._options, self.reporter))
            self._content = attach(self._repo, self._connect)
        return self._repo

    def run(
        self,
        progress: Listener | None,
        function: Callable[Concatenate[Repository, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function of the library on the project as it is now, also by what other processes did.

        A damaged index is thrown away, and the function runs once more, unless it has recorded something.
        """
        with self.reporter.listening(progress):
            recorded: int | None = None
            try:
                self.repo.refresh()
                recorded = sum(self.repo.logs.sizes().values())
                return function(self.repo, *args, **kwargs)
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

    def run_at(
        self,
        progress: Listener | None,
        remote: str | None,
        function: Callable[Concatenate[Repository, RemoteStorage, Known, P], R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call a function of the library on the project and one of its remotes, by name."""

        def linked(repo: Repository) -> R:
            with connected(repo, remote, self.credentials.surroundings(), self.credentials.ask_with) as link:
                return function(repo, link.remote, link.known, *args, **kwargs)

        return self.run(progress, linked)

    def bring_back(self, repo: Repository, versions: Sequence[str]) -> Brought:
        """Fetch the content of versions that is not here."""
        assert self._content is not None
        return fetch_content(self._content, plan_content(repo, choose(repo, versions)))

    def _connect(self, name: str) -> RemoteStorage:
        return open_link(self.repo, name, self.credentials.surroundings(), self.credentials.ask_with).remote

    def close(self) -> None:
        """Let go of every file and connection; the next call opens the project again."""
        content, self._content = self._content, None
        repo, self._repo = self._repo, None
        if content is not None:
            content.close()
        if repo is not None:
            repo.close()


def find(path: StrPath, *, create: bool, search: bool, **options: Unpack[Options]) -> Opened:
    """Open the project at `path`; see `aura_vcs.open`."""
    try:
        root = find_root(os.fspath(path)) if search else _exactly(path)
    except NotAProject:
        if not create:
            raise
        return start(path, None, **options)
    return Opened(root, **options)


def start(path: StrPath, title: str | None, **options: Unpack[Options]) -> Opened:
    """Make the folder a project; see `aura_vcs.init`."""
    with start_project(os.fspath(path), title=title, author=options.get("author")) as (repo, _):
        root = repo.root
    return Opened(root, **options)


class RepositoryOptions(TypedDict):
    """The same, as the library has them."""

    author: str | None
    progress: Reporter
    lock_seconds: float
    index_folder: str | None


def repository_options(options: Options, reporter: Reporter) -> RepositoryOptions:
    """How the library opens the project."""
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
