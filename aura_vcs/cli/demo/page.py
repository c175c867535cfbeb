"""The end of the tour: the page of the project that it worked on."""

import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from aura_vcs.cli.output.console import Console, faint, strong

NEEDED = ("jinja2", "starlette", "uvicorn")
READY_SECONDS = 20.0


def show_page(console: Console, scratch: Path, wait: Callable[[], None]) -> None:
    """Say where the page is, and serve it until `wait` returns, or raises. Without the extra `ui`, say nothing."""
    projects = sorted(scratch.glob("*/*/.aura"))
    if not projects or any(find_spec(name) is None for name in NEEDED):
        return
    from aura_vcs.api.credentials import Credentials
    from aura_vcs.ui.server import PageServer
    from aura_vcs.ui.site import Settings

    root = projects[0].parent
    home = root.parent / "studio"
    server = PageServer(Settings(str(root), "Ada", Credentials(home=home), str(home), {}))
    is_ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: is_ready.set(),), daemon=True)
    thread.start()
    try:
        if is_ready.wait(READY_SECONDS):
            console.line()
            console.line("The same history as a page: ", strong(server.access.address))
            console.line(faint("Of your own projects, `aura ui` opens it."))
            wait()
    finally:
        server.stop()
        thread.join(READY_SECONDS)
