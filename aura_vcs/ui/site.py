"""What one run of the server knows: who may look, which projects there are, and what is going on in them."""

import asyncio
import os
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec
from blake3 import blake3
from starlette.requests import Request

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import Options, open_studio
from aura_vcs.api.studio import Studio
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.studio.studio import Studio as OpenStudio
from aura_vcs.ui.access import Access
from aura_vcs.ui.events import Events
from aura_vcs.ui.jobs import Jobs
from aura_vcs.ui.long_looks import LongLooks
from aura_vcs.ui.looks import Looker
from aura_vcs.ui.proxies import Proxies
from aura_vcs.ui.workspace import Workspace

KEY_LENGTH = 10
MOST_FIELDS = 1_000
"""So many words may stand behind the `?`."""
STOP_SECONDS = 5.0
"""So long what is being done may take to end when the server is stopped."""


class Settings(msgspec.Struct, frozen=True):
    """What the command line says: `root` is the project that is shown, None for the person's list of projects.

    `worker_environment` is what processes that decode media may know; `cache` the folder of indexes and derived media.
    """

    root: str | None
    author: str | None
    credentials: Credentials
    cache: str
    worker_environment: Mapping[str, str]
    wait_seconds: float | None = None


class Site:
    """The projects that are shown, by their keys. Used in the server's own thread, but for what a workspace runs."""

    def __init__(self, settings: Settings, access: Access) -> None:
        self.settings = settings
        self.access = access
        self._workspaces: dict[str, Workspace] = {}
        self._events: dict[str, Events] = {}
        self._jobs: dict[str, Jobs] = {}
        self._lookers: dict[str, Looker] = {}
        self._proxies: dict[str, Proxies] = {}
        self._long_looks: dict[str, LongLooks] = {}
        if settings.root is not None:
            self._add(settings.root, trusted=(settings.root,))  # whose it is was looked at before

    @property
    def only(self) -> Workspace | None:
        """The project, where one alone is shown."""
        return None if self.settings.root is None else self._workspaces[key_of(self.settings.root)]

    def studio(self) -> Studio:
        """Return the person's studio.

        Raises:
            InputError: nobody knows where it is.
        """
        if self.settings.credentials.home is None:
            raise InputError("No studio is known: that is where your list of projects is")
        return Studio(self.settings.credentials.home, user=self.settings.author)

    def open_studio(self) -> OpenStudio:
        """Open the studio's folder, for what the front door has no method for."""
        return open_studio(self.settings.credentials.home, self.settings.author)

    def workspace(self, request: Request) -> Workspace:
        """Return the project that an address is about.

        Raises:
            UnknownName: none has that key. ForeignOwner: it belongs to somebody else.
        """
        key = request.path_params["key"]
        if key not in self._workspaces and self.settings.root is None:
            for listed in self.studio().projects.list(limit=10_000):
                if not listed.is_missing and key_of(str(listed.path)) == key:
                    self._add(str(listed.path))
        if key not in self._workspaces:
            raise UnknownName("project", key, hint="The list of projects has those that can be shown.")
        return self._workspaces[key]

    def events(self, workspace: Workspace) -> Events:
        """Return what passes on the events of a project."""
        if workspace.key not in self._events:
            self._events[workspace.key] = Events(workspace, asyncio.get_running_loop())
        return self._events[workspace.key]

    def jobs(self, workspace: Workspace) -> Jobs:
        """Return what is being done to a project."""
        if workspace.key not in self._jobs:
            self._jobs[workspace.key] = Jobs(workspace, self.events(workspace))
        return self._jobs[workspace.key]

    def looker(self, workspace: Workspace) -> Looker:
        """Return what looks at media files of a project."""
        if workspace.key not in self._lookers:
            environment = self.settings.worker_environment
            self._lookers[workspace.key] = Looker(workspace, self.events(workspace), environment)
        return self._lookers[workspace.key]

    def proxies(self, workspace: Workspace) -> Proxies:
        """Return what makes media of a project playable."""
        if workspace.key not in self._proxies:
            self._proxies[workspace.key] = Proxies(workspace, self.settings.worker_environment)
        return self._proxies[workspace.key]

    def long_looks(self, workspace: Workspace) -> LongLooks:
        """Return what looks at a project for long."""
        if workspace.key not in self._long_looks:
            self._long_looks[workspace.key] = LongLooks(workspace)
        return self._long_looks[workspace.key]

    def end_streams(self) -> None:
        """End the streams of events, so that the server can."""
        for events in self._events.values():
            events.close()

    def close(self) -> None:
        """Cancel what is being done, and let go of every project."""
        for looker in self._lookers.values():
            looker.stop()
        for proxies in self._proxies.values():
            proxies.stop()
        for looks in self._long_looks.values():
            looks.stop(STOP_SECONDS)
        for jobs in self._jobs.values():
            jobs.stop(STOP_SECONDS)
        for workspace in self._workspaces.values():
            workspace.close()

    def _add(self, root: str, trusted: tuple[str, ...] = ()) -> None:
        settings = self.settings
        options = Options(
            author=settings.author,
            credentials=settings.credentials,
            cache=os.path.join(settings.cache, "indexes"),
            trusted=trusted,
        )
        if settings.wait_seconds is not None:
            options["wait_seconds"] = settings.wait_seconds
        key = key_of(root)
        self._workspaces[key] = Workspace(key, root, options)


def key_of(root: str) -> str:
    """Return a project's name in addresses: the same as long as it lies in that folder."""
    return blake3(os.path.realpath(root).encode("utf-8", "surrogateescape")).hexdigest()[:KEY_LENGTH]


def site_of(request: Request) -> Site:
    """Return the site that a request is about."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site


def path_after(request: Request, mark: str) -> str:
    """Return the project's path at the end of an address, behind `mark`; bytes that are not UTF-8 stay what they are.

    Raises:
        InputError: it is no path in a project.
    """
    raw = bytes(request.scope["raw_path"]).partition(b"?")[0]
    return checked_path(unquote_to_bytes(raw.partition(mark.encode())[2]).decode("utf-8", "surrogateescape"))


def checked_path(path: str) -> str:
    """Refuse what cannot be a path in a project, before anything looks for it.

    Raises:
        InputError.
    """
    plain = path.strip("/")
    if "\0" in plain or any(part in {".", "..", ".aura"} for part in plain.split("/")):
        raise InputError("That is no path in a project", hint="Go there by the links of the page.")
    return plain


def query_of(request: Request) -> dict[str, str]:
    """Return what stands behind the `?`; of a word that is there twice, the last."""
    return dict(_fields(request))


def paths_of_query(request: Request) -> list[str]:
    """Return every `path` behind the `?`."""
    return [checked_path(value) for name, value in _fields(request) if name == "path"]


def _fields(request: Request) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            request.url.query, keep_blank_values=True, errors="surrogateescape", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise InputError("The address asks for too much at once", hint="Ask for less.") from error


def number_of(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a number behind the `?`, within its bounds.

    Raises:
        InputError: it is none.
    """
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9 or int(text) > most:
        raise InputError(f"{name} is a number up to {most:,}", hint="Correct the address.")
    return int(text)
