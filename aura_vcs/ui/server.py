"""Runs the page: a socket on the loopback interface, the server, and the browser."""

import asyncio
import logging
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn
from starlette.concurrency import run_in_threadpool

from aura_vcs.errors import InputError
from aura_vcs.ui.access import HOSTS, Access
from aura_vcs.ui.application import make_application
from aura_vcs.ui.pages.history import first_look
from aura_vcs.ui.site import Settings, Site
from aura_vcs.ui.templating import compile_templates

GRACE_SECONDS = 2
BACKLOG = 128
TURN_SECONDS = 0.001
"""A thread that computes, as one that reads the texts of all versions, gives way so often to one that answers."""


class PageServer:
    """Serves the page on a port of the loopback interface, 0 for a free one. Nothing is written anywhere.

    What a job is doing when it ends is cancelled; where it is killed, that is what a killed command leaves: the next
    one finishes it.

    Raises:
        InputError: the port is taken.
    """

    def __init__(self, settings: Settings, *, port: int = 0, read_only: bool = False) -> None:
        self._listening = _listen(port)
        self.access = Access.make(self._listening.getsockname()[1], read_only=read_only)
        self.site = Site(settings, self.access)
        config = uvicorn.Config(
            make_application(self.site),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ws="none",
        )
        logging.getLogger("uvicorn.error").addFilter(_is_ours)
        self._server = _Server(config, self.site)

    def run(self, ready: Callable[[str], None]) -> None:
        """Serve until `stop`, Ctrl-C or SIGTERM; `ready` gets the address when it can be opened."""
        self._server.when_ready = lambda: ready(self.access.address)
        first = threading.Thread(target=first_look, args=(self.site,), name="aura-ui-first", daemon=True)
        first.start()
        compile_templates()
        self._listening.listen(BACKLOG)
        turns = sys.getswitchinterval()
        sys.setswitchinterval(TURN_SECONDS)
        try:
            asyncio.run(self._server.serve(sockets=[self._listening]))
        finally:
            sys.setswitchinterval(turns)
            first.join()
            self.site.close()
            self._listening.close()

    def stop(self) -> None:
        """End it, from any thread."""
        self._server.should_exit = True


def _is_ours(record: logging.LogRecord) -> bool:
    """Keep what a stranger sends to the port from the person's terminal; it was answered with 400."""
    return not record.getMessage().startswith("Invalid HTTP request")


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOSTS[0], port))
    except (OSError, OverflowError) as error:
        listening.close()
        hint = "Leave `--port` out, and a free one is taken."
        raise InputError(f"Nothing can listen on port {port} of this machine", hint=hint) from error
    return listening


class _Server(uvicorn.Server):
    """Says when it is ready, and ends the streams of events before it waits for open requests."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site
        self.when_ready: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        await run_in_threadpool(compile_templates)  # whose answer is there; what runs threads is imported by the first
        self.when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._site.end_streams()
        await super().shutdown(sockets)
