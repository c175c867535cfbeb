"""A remote's folder behind a web server: clone and pull, never write."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteDenied, RemoteError, RemoteMismatch
from aura_vcs.storage.remotes.web import HttpRemote
from aura_vcs.sync.pull import pull
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.manifest import pack_name

from .machines import clone, files, folder_remote, known, machine, manifest, save, write
from .test_push_pull import media


class Handler(SimpleHTTPRequestHandler):
    """A plain file server; `ranges` says whether it heeds ranges, `answer` a code for everything."""

    ranges = True
    answer = 0

    def do_GET(self) -> None:
        """Files, or parts of them."""
        if self.answer:
            self.send_error(self.answer)
            return
        asked = self.headers.get("Range") if self.ranges else None
        path = Path(self.translate_path(self.path))
        if asked is None or not path.is_file():
            super().do_GET()
            return
        first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        data = path.read_bytes()
        if first >= len(data):
            self.send_error(416)
            return
        part = data[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: Any) -> None:
        """Silence."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A web server over tmp_path."""
    Handler.ranges, Handler.answer = True, 0
    made = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_published_folder_is_cloned_and_pulled(server: str, tmp_path: Path, ranges: bool) -> None:
    """With a server that heeds ranges, and with one that does not."""
    Handler.ranges = ranges
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "take.wav", media(1_500_000))
    save(anna, "brief.json", '{"topic": "tides"}')
    origin = folder_remote(tmp_path / "film.aura", anna)
    push(anna, origin, known(anna))
    remote = open_remote(parse_address(f"{server}/film.aura"))
    bert = clone(tmp_path / "bert", "bert", remote)
    assert files(bert) == files(anna)
    save(anna, "brief.json", '{"topic": "moons"}')
    push(anna, origin, known(anna))
    pull(bert, remote, known(bert))
    assert files(bert) == files(anna)
    save(bert, "brief.json", '{"topic": "mine"}')
    with pytest.raises(RemoteError, match="only read, nothing can be sent"):
        push(bert, remote, known(bert))


def test_ranges_and_absence(server: str, tmp_path: Path) -> None:
    """Parts, ends and absent files are as with every remote."""
    (tmp_path / "records").mkdir()
    (tmp_path / "records/a").write_bytes(b"0123456789")
    for ranges in (True, False):
        Handler.ranges = ranges
        remote = HttpRemote(server)
        assert remote.read_range("records/a", 3, 4) == b"3456"
        assert remote.read_range("records/a", 8, 40) == b"89"
        assert remote.read_range("records/a", 5, 0) == b""
        assert remote.size("records/a") == 10
        assert remote.size("records/b") is None
        with pytest.raises(FileNotFoundError):
            remote.load("records/b")
        with pytest.raises(FileNotFoundError):
            remote.read_range("records/b", 0, 1)


def test_other_answers_are_told(server: str, tmp_path: Path) -> None:
    """No project, no permission, a damaged pack: each is one clear error."""
    with pytest.raises(RemoteMismatch):
        pull(machine(tmp_path / "x", "x"), HttpRemote(server), known(machine(tmp_path / "y", "y")))
    Handler.answer = 403
    with pytest.raises(RemoteDenied, match="403"):
        HttpRemote(server).load("manifest.json")
    Handler.answer = 0
    anna = machine(tmp_path / "anna", "anna")
    save(anna, "brief.json", '{"topic": "tides"}')
    origin = folder_remote(tmp_path / "film.aura", anna)
    push(anna, origin, known(anna))
    (Path(origin.root) / pack_name(manifest(origin).packs[0])).write_bytes(b"gone wrong")
    with pytest.raises(RemoteCorrupt):
        clone(tmp_path / "bert", "bert", HttpRemote(f"{server}/film.aura"))
