"""Google's and Azure's buckets on the wire: where requests go, how they are signed, what they demand.

Both have emulators that the contract runs over. That of Google's store does not take the requests
that Google documents (`PUT` with `x-goog-if-generation-match`) as they come (see `google_front`):
these tests look at the requests themselves.
"""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import InvalidUrl, RemoteDenied, RemoteError
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address

from .servers import AZURE_ACCOUNT, AZURE_KEY, write_google_account

pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")


class Cloud:
    """A server that notes requests, and gives each the next answer: a code, and headers."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            """Notes and answers."""

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                given = {name.lower(): value for name, value in self.headers.items()}
                cloud.requests.append((self.command, self.path, given))
                code, headers = cloud.answers.pop(0)
                self.send_response(code)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _answer  # noqa: N815 (names of http.server)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """The server, running."""
    made = Cloud()
    thread = Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def google(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteStorage:
    """A bucket of Google's, with an account from the environment that needs no sign-in."""
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(write_google_account(tmp_path)))
    return open_remote(parse_address(f"gs://films/solar/one?endpoint={cloud.endpoint}"))


@pytest.fixture
def azure(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> RemoteStorage:
    """A container of Azure's, with the account's key from the environment."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", AZURE_KEY)
    return open_remote(
        parse_address(f"az://films/solar/one?account={AZURE_ACCOUNT}&endpoint={cloud.endpoint}/{AZURE_ACCOUNT}")
    )


def plain(path: str) -> str:
    """A path as it is meant."""
    return unquote(path)


def test_google_is_asked_by_generation(google: RemoteStorage, cloud: Cloud) -> None:
    """Creating demands generation 0, swapping the one that was seen; 412 is a state that moved."""
    told = {"ETag": '"x"', "x-goog-generation": "17", "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}
    cloud.answers = [(200, told), (200, {**told, "x-goog-generation": "18"}), (412, {})]
    token = google.swap("manifest.json", b"1", None)
    google.swap("manifest.json", b"2", token)
    with pytest.raises(RefMoved):
        google.swap("manifest.json", b"3", token)
    assert [(verb, plain(path)) for verb, path, _ in cloud.requests] == [("PUT", "/films/solar/one/manifest.json")] * 3
    assert [headers["x-goog-if-generation-match"] for *_, headers in cloud.requests] == ["0", "17", "17"]


def test_azure_is_asked_by_etag_and_signed(azure: RemoteStorage, cloud: Cloud) -> None:
    """Creating demands that nothing is there, swapping the ETag that was seen; requests are signed."""
    told = {"ETag": '"0x1"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}
    cloud.answers = [(201, told), (201, {**told, "ETag": '"0x2"'}), (412, {})]
    token = azure.swap("manifest.json", b"1", None)
    azure.swap("manifest.json", b"2", token)
    with pytest.raises(RefMoved):
        azure.swap("manifest.json", b"3", token)
    first, *requests = cloud.requests
    assert (first[0], plain(first[1])) == (
        "GET",
        f"/{AZURE_ACCOUNT}/films/",
    )
    assert not {"authorization", "x-ms-date"} & first[2].keys()
    paths = [(verb, plain(path)) for verb, path, _ in requests]
    assert paths == [("PUT", f"/{AZURE_ACCOUNT}/films/solar/one/manifest.json")] * 3
    headers = [headers for *_, headers in requests]
    assert [h.get("if-none-match") or h.get("if-match") for h in headers] == ["*", '"0x1"', '"0x1"']
    assert all(h["authorization"].startswith(f"SharedKey {AZURE_ACCOUNT}:") for h in headers)


@pytest.mark.parametrize("kind", ["google", "azure"])
def test_what_is_absent_and_what_is_forbidden(request: pytest.FixtureRequest, cloud: Cloud, kind: str) -> None:
    """404 is a file that is not there, 403 says that rights are missing."""
    remote = request.getfixturevalue(kind)
    cloud.answers = [(404, {}), (404, {}), (403, {})]
    with pytest.raises(FileNotFoundError):
        remote.load("manifest.json")
    assert remote.size("manifest.json") is None
    with pytest.raises(RemoteDenied):
        remote.load("manifest.json")


def test_credentials_do_not_come_from_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in an address is refused and not repeated; without any the error is one line."""
    for url in ("az://films/x?account=me&account_key=c2VjcmV0", "gs://films/x?service_account_key=c2VjcmV0"):
        with pytest.raises(InvalidUrl) as caught:
            parse_address(url)
        assert "c2VjcmV0" not in caught.value.message
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RemoteError) as failed:
        open_remote(parse_address("az://films/x"))
    assert "\n" not in failed.value.message
