"""Content of Git LFS from a server: only where the person agreed, only what hashes to its name."""

import base64
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.cli.main import cli
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteDenied, RemoteError, RemoteUnreachable, RemoteUntrusted
from aura_vcs.interchange.git_import import GitImportRequest, import_git
from aura_vcs.interchange.git_refs import GitImported
from aura_vcs.interchange.lfs_server import checked_endpoint, endpoint_of
from aura_vcs.repository.repository import Repository
from click.testing import CliRunner

from tests.interchange.repositories import ENVIRONMENT, commit, git, start

LARGE = os.urandom(3 << 20)


class LfsService(ThreadingHTTPServer):
    """Speaks the batch API on a port of its own; `content` by SHA-256, `broken` are cut off half-way."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.login: str | None = None
        self.elsewhere = ""
        """Put in front of the addresses of content."""
        self.asked: list[str] = []
        self.host = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: LfsService

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, code: int, data: bytes, cut: int = 0) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) - cut])

    def do_POST(self) -> None:
        service = self.server
        service.asked.append(f"POST {self.path} {self.headers.get('Authorization')}")
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if service.login is not None and self.headers.get("Authorization") != service.login:
            self._answer(401, b"")
            return
        objects = []
        for one in question["objects"]:
            found: dict[str, object] = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] in service.content:
                href = f"{service.elsewhere or service.host}/content/{one['oid']}"
                found["actions"] = {"download": {"href": href, "header": {"X-Key": "given"}}}
            else:
                found["error"] = {"code": 404, "message": "Not found"}
            objects.append(found)
        self._answer(200, json.dumps({"transfer": "basic", "objects": objects}).encode())

    def do_GET(self) -> None:
        oid = self.path.rpartition("/")[2]
        self.server.asked.append(f"GET {self.headers.get('X-Key')}")
        self._answer(200, self.server.content[oid], cut=100 if oid in self.server.broken else 0)


@pytest.fixture
def service() -> Iterator[LfsService]:
    """A running server."""
    with LfsService() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """An empty project."""
    (tmp_path / "project").mkdir()
    with Repository.init(str(tmp_path / "project"), author="Tess") as repo:
        yield repo


def pointer(data: bytes) -> str:
    """What git has in place of content."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid_of(data)}\nsize {len(data)}\n"


def oid_of(data: bytes) -> str:
    """What Git LFS calls it."""
    return hashlib.sha256(data).hexdigest()


def source(folder: Path, service: LfsService, *contents: bytes) -> Path:
    """A repository with pointers `0.mov`, `1.mov`, … whose content the server has."""
    start(folder)
    files = {f"{at}.mov": pointer(data) for at, data in enumerate(contents)}
    commit(folder, "Media", {".lfsconfig": f"[lfs]\n\turl = {service.host}/film/lfs\n", **files})
    service.content |= {oid_of(data): data for data in contents}
    return folder


def bring(repo: Repository, place: Path, agree: Callable[[str], None] | None, **more: str) -> GitImported:
    """Import, with that answer to the question about the host."""
    return import_git(
        repo, str(place), request=GitImportRequest(lfs_consent=agree), environment={**ENVIRONMENT, **more}
    )


def test_content_is_fetched_where_the_person_agreed(tmp_path: Path, repo: Repository, service: LfsService) -> None:
    """Small and large; each once, with the headers that the server wants; what it does not have is named."""
    place = source(tmp_path / "film", service, b"small", LARGE, b"gone", b"right")
    del service.content[oid_of(b"gone")]
    service.content[oid_of(b"right")] = b"wrong"
    agreed: list[str] = []
    done = bring(repo, place, agreed.append)
    root = Path(repo.root)
    assert agreed == [service.host]
    assert (root / "0.mov").read_bytes() == b"small"
    assert (root / "1.mov").read_bytes() == LARGE
    assert (root / "2.mov").read_text() == pointer(b"gone")
    assert (root / "3.mov").read_text() == pointer(b"right")
    assert {left.what: left.reason.split(": ")[1].split(";")[0] for left in done.left} == {
        "2.mov": f"{service.host} does not have its content",
        "3.mov": "its content does not hash to its name",
    }
    assert service.asked == ["POST /film/lfs/objects/batch None", *["GET given"] * 3]


def test_nothing_is_sent_without_consent(tmp_path: Path, repo: Repository, service: LfsService) -> None:
    """Where it was not asked for, pointers come; where it was refused, nothing."""
    place = source(tmp_path / "film", service, b"small")

    def refuse(host: str) -> None:
        raise RemoteUntrusted("Git LFS", host, named_by="the repository names")

    with pytest.raises(RemoteUntrusted, match="the repository names"):
        bring(repo, place, refuse)
    assert repo.head().version is None
    done = bring(repo, place, None)
    assert done.left_count == 1
    assert service.asked == []


def test_a_line_that_breaks_ends_the_import(tmp_path: Path, repo: Repository, service: LfsService) -> None:
    """Run again, it takes the content: no pointer was recorded in its place."""
    place = source(tmp_path / "film", service, b"first", LARGE)
    for data in (LARGE, b"first" * 100):
        service.broken = {oid_of(data)}
        commit(place, "More", {"more.mov": pointer(data)})
        service.content[oid_of(data)] = data
        with pytest.raises(RemoteUnreachable):
            bring(repo, place, lambda _: None)
    service.broken = set()
    assert bring(repo, place, lambda _: None).versions == 3
    assert (Path(repo.root) / "1.mov").read_bytes() == LARGE


def test_passwords_come_from_git(tmp_path: Path, repo: Repository, service: LfsService) -> None:
    """From the person's own helper, after the server asked; without one, it is said. The repository's is not run."""
    service.login = "Basic " + base64.b64encode(b"mara:secret").decode()
    place = source(tmp_path / "film", service, b"small")
    trap = tmp_path / "trap"
    git(place, "config", "credential.helper", f"!touch {trap}; false")
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(RemoteDenied, match="no name and password"):
        bring(repo, place, lambda _: None, HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))
    helper = f"!f() {{ cat > {home}/asked; echo username=mara; echo password=secret; }}; f"
    git(home, "config", "--file", str(home / ".gitconfig"), "credential.helper", helper)
    bring(repo, place, lambda _: None, HOME=str(home), GIT_CONFIG_GLOBAL=str(home / ".gitconfig"))
    assert (Path(repo.root) / "0.mov").read_bytes() == b"small"
    assert f"host=127.0.0.1:{service.server_port}" in (home / "asked").read_text()
    assert not trap.exists()


def test_addresses_that_a_server_gives_are_checked(tmp_path: Path, repo: Repository, service: LfsService) -> None:
    """Only those of the web are opened."""
    place = source(tmp_path / "film", service, b"small")
    service.elsewhere = f"file://{tmp_path}"
    with pytest.raises(RemoteCorrupt):
        bring(repo, place, lambda _: None)
    service.elsewhere = "http://127.0.0.1:1"
    with pytest.raises(RemoteError):
        bring(repo, place, lambda _: None)


def test_the_command_and_programs_name_hosts(tmp_path: Path, service: LfsService) -> None:
    """Without a terminal nobody can be asked: `--lfs` says how to agree, and only the host that is named counts."""
    place = source(tmp_path / "film", service, b"small")
    environment = {"HOME": str(tmp_path), "AURA_AUTHOR": "Ada", "PATH": ENVIRONMENT["PATH"]}
    with aura.init(tmp_path / "project") as project:
        for hosts in (["https://127.0.0.1"], [f"{service.host}0"]):
            with pytest.raises(RemoteUntrusted):
                project.import_git(place, lfs_hosts=hosts, environment=ENVIRONMENT)
    runner, words = CliRunner(env=environment), ["-C", str(tmp_path / "project"), "import", "git", str(place)]
    refused = runner.invoke(cli, [*words, "--lfs"])
    assert refused.exit_code == 103
    assert f"--lfs-host {service.host}" in refused.stderr
    assert service.asked == []
    assert runner.invoke(cli, [*words, "--lfs", "--lfs-host", service.host]).exit_code == 0
    assert (tmp_path / "project/0.mov").read_bytes() == b"small"
    with aura.init(tmp_path / "other") as other:
        assert other.import_git(place, lfs_hosts=[service.host], environment=ENVIRONMENT).left_count == 0


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("https://github.com/mara/film", "https://github.com/mara/film.git/info/lfs"),
        ("https://mara:hunter2@github.com:443/mara/film.git/", "https://github.com/mara/film.git/info/lfs"),
        ("git@github.com:mara/film.git", "https://github.com/mara/film.git/info/lfs"),
        ("ssh://git@example.com:2222/film", "https://example.com/film.git/info/lfs"),
        ("/srv/film.git", None),
        ("../film", None),
        ("C:/film", None),
        ("file:///srv/film.git", None),
        ("ext::sh -c evil", None),
        ("https://example.com/a\nhost=other", None),
    ],
)
def test_the_server_of_an_address(address: str, endpoint: str | None) -> None:
    """As Git LFS finds it; names and passwords in an address are not taken along."""
    assert endpoint_of(address) == endpoint
    assert checked_endpoint("https://a@[::1]:8443/x/") == "https://[::1]:8443/x"
