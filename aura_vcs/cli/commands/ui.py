"""`aura ui`."""

import os
import sys
import webbrowser
from contextlib import suppress
from importlib.util import find_spec

import click

from aura_vcs.api.credentials import Credentials
from aura_vcs.cli.options import HELP, Count, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong
from aura_vcs.cli.remote_environment import worker_environment
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.cli.shared.watcher import start_watcher_unless_off
from aura_vcs.errors import ExtraMissing, Interrupted
from aura_vcs.errors.input import NotAProject
from aura_vcs.repository.find_project import check_owner, find_root


@click.command("ui", context_settings=HELP, epilog=examples("aura ui", "aura ui --read-only --no-browser --port 8765"))
@click.option(
    "--port", metavar="NUMBER", type=Count(0, 65_535), default=0, help="Listen on this port instead of a free one"
)
@click.option("--no-browser", is_flag=True, help="Only print the address")
@click.option("--read-only", is_flag=True, help="Nothing can be changed from the page")
@json_option
@pass_session
def ui_command(session: Session, *, port: int, no_browser: bool, read_only: bool) -> None:
    """Look at the history as a page in the browser

    Shows the project that you are in; elsewhere, every project on your list. Only this machine can reach the page, and
    only someone who has the address that is printed. Ctrl-C ends it.
    """
    if missing := [name for name in ("jinja2", "starlette", "uvicorn") if find_spec(name) is None]:
        raise ExtraMissing(f"The page ({', '.join(missing)})", "ui")
    from aura_vcs.ui.server import PageServer
    from aura_vcs.ui.site import Settings

    settings = Settings(
        root=_root(session),
        author=session.author_name(),
        credentials=Credentials.from_environment(os.environ),
        cache=session.cache_folder(),
        worker_environment=worker_environment(),
        wait_seconds=session.options().get("lock_seconds"),
    )
    if settings.root is not None:
        _prepare(session, read_only=read_only)
    server = PageServer(settings, port=port, read_only=read_only)
    with suppress(KeyboardInterrupt, Interrupted):  # which is how it ends
        server.run(_Greeting(session.console, None if no_browser else server.access.opening_address))


def _prepare(session: Session, *, read_only: bool) -> None:
    """Open the project once: an index that has to be made anew says so here, before anybody waits for a page."""
    with session.open() as repo:
        if not read_only:
            start_watcher_unless_off(repo)


def _root(session: Session) -> str | None:
    """Return the project that the folder is in, None for none: then the list of projects is shown.

    Raises:
        ForeignOwner: it is somebody else's.
    """
    with suppress(NotAProject):
        root = find_root(session.folder)
        check_owner(root, session.trust())
        return root
    return None


class _Greeting:
    """Prints the address when the page can be opened, and opens it."""

    def __init__(self, console: Console, opened: str | None) -> None:
        self._console = console
        self._opened = opened

    def __call__(self, address: str) -> None:
        """Say where the page is."""
        if self._console.as_json:
            self._console.data({"address": address})
        else:
            self._greet(address)
        sys.stdout.flush()
        if self._opened is not None:
            webbrowser.open(self._opened)

    def _greet(self, address: str) -> None:
        self._console.line("The history is at ", strong(address))
        self._console.line(faint("Only this machine can reach it. Ctrl-C ends it."))
