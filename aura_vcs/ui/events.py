"""What happens to a project, passed on to every page that shows it as server-sent events.

While a page listens, a thread follows the operation logs (which grow with what any process, terminal or sync tool does)
and another the folder's files. Both end soon after the last page.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from aura_vcs.api.reporting import CancelToken
from aura_vcs.cli.output.console import to_json
from aura_vcs.errors import AuraError
from aura_vcs.layout import AURA
from aura_vcs.ui.workspace import Workspace

LOOK_SECONDS = 0.15
"""So often the operation logs are looked at."""
QUIET_MS = 200
"""Changes of files that come within this time are one event."""
PULSE_SECONDS = 20.0
"""After so long without a word, a line keeps the connection open."""
LINGER_SECONDS = 5.0
"""So long after the last page both go on: from one page to the next, nobody listens for a moment."""
WAITING = 200
"""So many events may wait for one page; one that does not read them any more is dropped."""


class _Stop:
    """Ends both followers."""

    def __init__(self) -> None:
        self.token = CancelToken()
        self.event = threading.Event()

    def set(self) -> None:
        """End them at their next look."""
        self.token.cancel()
        self.event.set()


class Events:
    """Passes on events of one project. `send` may be called from any thread."""

    def __init__(self, workspace: Workspace, loop: asyncio.AbstractEventLoop) -> None:
        self._workspace = workspace
        self._loop = loop
        self._pages: set[asyncio.Queue[str | None]] = set()
        self._stop: _Stop | None = None

    def send(self, kind: str, value: Any) -> None:
        """Pass on an event."""
        data = "".join(f"data: {line}\n" for line in to_json(value).splitlines())
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._put, f"event: {kind}\n{data}\n")

    async def listen(self, *, is_behind: bool = False) -> AsyncIterator[str]:
        """Yield events as the browser reads them, until the server ends or the page goes.

        A page that `is_behind` was made before the last thing was recorded, and is told so at once.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue(WAITING)
        self._pages.add(queue)
        if self._stop is None:
            self._follow()
        try:
            yield "retry: 1000\n\n"
            if is_behind:
                yield "event: operation\ndata: {}\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), PULSE_SECONDS)
                except TimeoutError:
                    event = ": still here\n\n"
                if event is None:
                    return
                yield event
        finally:
            self._pages.discard(queue)
            self._loop.call_later(LINGER_SECONDS, self._unfollow_if_alone)

    def close(self) -> None:
        """End every stream. Called in the server's own thread."""
        self._unfollow()
        for queue in self._pages:
            with suppress(asyncio.QueueFull):
                queue.put_nowait(None)

    def _put(self, event: str) -> None:
        for queue in list(self._pages):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._pages.discard(queue)

    def _follow(self) -> None:
        self._stop = _Stop()
        for follower in (self._follow_operations, self._follow_files):
            threading.Thread(target=follower, args=(self._stop,), name="aura-ui-follow", daemon=True).start()

    def _unfollow_if_alone(self) -> None:
        if not self._pages:
            self._unfollow()

    def _unfollow(self) -> None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _follow_operations(self, stop: _Stop) -> None:
        with suppress(AuraError, OSError), self._workspace.own_lane() as lane:
            for done in lane.project.watch(interval=LOOK_SECONDS, stop=stop.token):
                shown = {"id": done.id, "type": done.type, "description": done.description, "user": done.user}
                self.send("operation", shown)

    def _follow_files(self, stop: _Stop) -> None:
        from watchfiles import watch  # takes long to import

        own = os.path.join(self._workspace.root, AURA)
        rounds = watch(
            self._workspace.root,
            watch_filter=None,
            stop_event=stop.event,
            debounce=QUIET_MS,
            step=QUIET_MS // 4,
            rust_timeout=500,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        with suppress(OSError, RuntimeError):
            is_first = True
            for found in rounds:
                if stop.event.is_set():
                    return
                if is_first or any(not path.startswith(own) for _, path in found):
                    self.send("files", {"changed": True})  # at first too: files may have changed before this began
                is_first = False
