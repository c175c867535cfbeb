"""A page that is being served, and requests to it as a program sends them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aura_vcs.api.credentials import Credentials
from aura_vcs.ui.server import PageServer
from aura_vcs.ui.site import Settings, key_of

from tests.ui.browser import ARGUMENTS, CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Answer:
    """What came back."""

    def __init__(self, response: HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class ServedPage:
    """The page of one project, or of a list of projects, and how a program speaks to it."""

    def __init__(self, server: PageServer, root: Path | None) -> None:
        self.server = server
        self.access = server.access
        self.port = server.access.port
        self.base = "" if root is None else f"/p/{key_of(str(root))}"

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:
        """Send a request with these headers and no others but Host."""
        given = {"Host": f"127.0.0.1:{self.port}", **(headers or {})}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            return Answer(connection.getresponse())

    @property
    def cookie(self) -> dict[str, str]:
        """What a browser that was let in sends with each request."""
        return {"Cookie": f"{self.access.cookie}={self.access.session}"}

    @property
    def form(self) -> dict[str, str]:
        """What our own pages send with a change."""
        return {**self.cookie, "Origin": f"http://127.0.0.1:{self.port}", "X-Aura-Token": self.access.form_token}

    def get(self, path: str, **headers: str) -> Answer:
        """Look at a page, or at a file, as a browser that was let in."""
        return self.send("GET", self.base + path, {**self.cookie, **headers})

    def ask(self, name: str) -> Any:
        """Ask for JSON, as a program with the token."""
        answer = self.send("GET", f"/api{self.base}/{name}", {"Authorization": f"Bearer {self.access.token}"})
        assert answer.status == 200, answer.text
        return answer.json

    def do(self, name: str, /, **values: Any) -> Answer:
        """Do something, as our own pages do."""
        return self.send("POST", f"/api{self.base}/{name}", self.form, values)


@contextmanager
def serve(
    root: Path | None, home: Path, *, read_only: bool = False, author: str | None = "Ada", wait_seconds: float = 10.0
) -> Iterator[ServedPage]:
    """Serve the page in a thread of its own."""
    settings = Settings(
        root=None if root is None else str(root),
        author=author,
        credentials=Credentials(home=home),
        cache=str(home),
        worker_environment={},
        wait_seconds=wait_seconds,
    )
    server = PageServer(settings, read_only=read_only)
    is_ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(lambda _: is_ready.set(),), daemon=True)
    thread.start()
    assert is_ready.wait(30)
    try:
        yield ServedPage(server, root)
    finally:
        server.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """One browser for all tests of a module."""
    from playwright.sync_api import sync_playwright  # where there is no Chromium, nobody asks for it

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A person's studio and caches."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
