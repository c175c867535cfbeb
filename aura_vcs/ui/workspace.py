"""A project as the page uses it: opened several times, because a project is used by one thread at a time.

Looking takes one of a few lanes and gives it back, so that a long look (what takes space) does not hold up a short
one. What changes something is a job with a lane of its own; between them and other commands the project's own locks
decide, as between two terminals.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool

from aura_vcs.api.opened import Opened, Options, find
from aura_vcs.api.project import Project
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.errors.worktree import ProjectGone
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.project_configuration import OpenStudio
from aura_vcs.sync.remotes.link import Link
from aura_vcs.ui.parked import ParkedStreams
from aura_vcs.ui.remembered import Remembered

P = ParamSpec("P")
R = TypeVar("R")
LISTINGS = 4
"""So many lists of versions are remembered, as long as nothing is recorded."""
LANES = 3
"""So many looks at one project run at the same time."""
MEDIA_LANES = 16
"""So many files of one project are sent at the same time; a browser asks for six."""

MEDIA_WAITING = 4
"""So many threads at most open files to be sent, or wait for a lane to; further requests wait without one."""


class ProjectLane:
    """A project that one thread uses: by its front door, or by the library below for what has no method there."""

    def __init__(self, root: str, options: Options) -> None:
        self._opened: Opened = find(root, create=False, search=False, **options)
        self.project = Project(self._opened)

    def run(self, function: Callable[Concatenate[Repository, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of the library on the project as it is now."""
        return self._opened.run(NO_CALL, function, *args, **kwargs)

    def run_reporting(
        self, call: Call, function: Callable[Concatenate[Repository, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Do the same with something that can take long: it says how far it is, and can be cancelled."""
        return self._opened.run(call, function, *args, **kwargs)

    def run_linked(self, call: Call, remote: str | None, function: Callable[[Repository, Link], R]) -> R:
        """Call a function on the project and one of its remotes."""
        return self._opened.run_linked(call, remote, function)

    @property
    def known_studio(self) -> OpenStudio | None:
        """What opens the person's studio, if it is known."""
        return self._opened.known_studio

    def close(self) -> None:
        """Let go of every file."""
        self._opened.close()


class Workspace:
    """One project that is shown. `key` is its name in addresses."""

    def __init__(self, key: str, root: str, options: Options) -> None:
        self.key = key
        self.root = root
        self.options = options
        self.remembered = Remembered()
        self.listings = Remembered(LISTINGS)
        self.parked = ParkedStreams()
        self._idle: list[ProjectLane] = []
        self._turns = threading.BoundedSemaphore(LANES)
        self._idle_media: list[ProjectLane] = []
        self._media_turns = threading.BoundedSemaphore(MEDIA_LANES)
        self._media_waiting: CapacityLimiter | None = None
        self._closed = False

    def lane(self) -> AbstractContextManager[ProjectLane]:
        """Lend a lane to this thread. One that an error broke is opened anew by itself.

        Raises:
            ProjectGone: the folder was moved, or its disk is not there; what is open still would answer for a while.
        """
        return self._lent(self._idle, self._turns)

    def media_lane(self) -> AbstractContextManager[ProjectLane]:
        """Lend a lane to a file that is sent. A player that stands still holds it, so looks have others."""
        return self._lent(self._idle_media, self._media_turns)

    @contextmanager
    def _lent(self, idle: list[ProjectLane], turns: threading.BoundedSemaphore) -> Iterator[ProjectLane]:
        self._check()
        with turns:
            lane = idle.pop() if idle else ProjectLane(self.root, self.options)
            try:
                yield lane
            finally:
                if self._closed:
                    lane.close()
                else:
                    idle.append(lane)

    @contextmanager
    def own_lane(self) -> Iterator[ProjectLane]:
        """Open a lane for a job, a stream or a follower, which would hold up others for long."""
        self._check()
        lane = ProjectLane(self.root, self.options)
        try:
            yield lane
        finally:
            lane.close()

    def _check(self) -> None:
        if not is_project(self.root):
            raise ProjectGone(self.root)

    async def use(self, function: Callable[[ProjectLane], R]) -> R:
        """Call a function of ours with a lane, in a thread of its own, and wait for what it returns."""

        def used() -> R:
            with self.lane() as lane:
                return function(lane)

        return await run_in_threadpool(used)

    async def ask(self, function: Callable[Concatenate[Repository, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of the library in a thread of its own, and wait for what it returns."""

        def asked() -> R:
            with self.lane() as lane:
                return lane.run(function, *args, **kwargs)

        return await run_in_threadpool(asked)

    async def wait_for_media(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function that takes a media lane, where it may wait for one without keeping looks from running."""
        if self._media_waiting is None:
            self._media_waiting = CapacityLimiter(MEDIA_WAITING)  # belongs to the loop that serves
        return await to_thread.run_sync(lambda: function(*args, **kwargs), limiter=self._media_waiting)

    async def call(self, function: Callable[Concatenate[Project, P], R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function of ours that uses the front door."""

        def called() -> R:
            with self.lane() as lane:
                return function(lane.project, *args, **kwargs)

        return await run_in_threadpool(called)

    def close(self) -> None:
        """Let go of the project."""
        self._closed = True
        self.parked.close()
        for idle in (self._idle, self._idle_media):
            while idle:
                idle.pop().close()
