"""Hosts that only a project's settings name: no key, token or agent is used there before the person agreed."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import InvalidUrl, RemoteDenied, RemoteUntrusted
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.remotes.connect import Surroundings, open_named
from aura_vcs.sync.remotes.trusted_hosts import TrustedHosts, check_line, host_of
from aura_vcs.sync.remotes.url import parse_address

from .machines import machine
from .test_sync_commands import Person

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIASECRET",
    "AWS_SECRET_ACCESS_KEY": "SECRET",
    "AWS_SESSION_TOKEN": "SECRET-TOKEN",
    "AWS_REGION": "us-east-1",
    "AZURE_STORAGE_SAS_KEY": "sv=2022&sig=SECRET-SAS",
    "AURA_PASSPHRASE": "SECRET PASSPHRASE",
}


class Listener:
    """A server that keeps every request line and header, and answers 404."""

    def __init__(self, onward: str = "") -> None:
        self.heard: list[str] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append(f"{self.requestline}\n{self.headers}")
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(307 if onward else 404)
                if onward:
                    self.send_header("Location", f"{onward}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 (http.server looks for these)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who waits for credentials."""
    made = Listener()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("bucket", ["s3://films/x?", "az://films/x?account=anna&"])
def test_a_service_that_sends_on_to_another_host_gets_no_token(anna: Person, listener: Listener, bucket: str) -> None:
    """Whoever is agreed to cannot hand temporary keys or signed addresses on, not even by an open redirect."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    onward = Listener(listener.endpoint.replace("127.0.0.1", "localhost"))
    said = anna.aura("clone", f"{bucket}endpoint={onward.endpoint}", "copy", code=92)
    assert "sends requests on to http://localhost" in said
    assert not any("SECRET" in request for request in onward.heard + listener.heard)
    onward.server.shutdown()
    onward.server.server_close()


@pytest.fixture
def anna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Anna, with a project and keys in her environment."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AURA_HOME", str(tmp_path / "home"))
    person = Person(tmp_path / "anna", "anna")
    person.aura("init")
    person.save("tides", "First")
    return person


def plant(person: Person, url: str, **config: object) -> None:
    """Write a remote into the project's settings, as somebody else would."""
    (person.folder / ".aura" / "config.json").write_text(json.dumps({"remotes": {"origin": {"url": url, **config}}}))


COMMANDS = (
    ("fetch",),
    ("push",),
    ("pull",),
    ("sync",),
    ("remote", "show"),
    ("remote", "check"),
    ("locks",),
    ("lock", "brief.json"),
    ("offload", "--dry-run"),
    ("fsck", "--remote", "origin"),
    ("gc", "--remote", "origin", "--dry-run"),
    ("repair", "--to", "origin", "--dry-run"),
)


@pytest.mark.parametrize(
    "url", ["s3://films/x?endpoint={}", "az://films/x?account=acct&endpoint={}", "gs://films/x?endpoint={}"]
)
def test_no_command_sends_credentials_to_a_host_that_only_the_project_names(
    anna: Person, listener: Listener, url: str
) -> None:
    """Nothing at all is sent; the error names the host and the command that agrees to it."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    plant(anna, url.format(listener.endpoint))
    for words in COMMANDS:
        said = anna.aura(*words, code=103)
        assert listener.endpoint in said, words
        assert "aura remote trust origin" in said
        assert "SECRET" not in said
    error = anna.json("fetch", code=103)["error"]
    assert error["code"] == "remote_untrusted"
    assert listener.heard == []


def test_ssh_is_not_started_for_a_host_that_only_the_project_names(
    anna: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent would sign in there. Agreed to, it is started, and told nothing that it does not need."""
    fake = tmp_path / "fake-ssh"
    fake.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment; exit 255\n")
    fake.chmod(0o755)
    monkeypatch.setenv("AURA_SSH", str(fake))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    plant(anna, "ssh://studio/srv/film.aura")
    assert "ssh://studio" in anna.aura("fetch", code=103)
    assert not (tmp_path / "environment").exists()
    anna.aura("remote", "trust", "origin")
    anna.aura("fetch", code=91)
    told = (tmp_path / "environment").read_text()
    assert "SSH_AUTH_SOCK=/agent" in told
    assert "HOME=" in told
    assert "SECRET" not in told


def test_agreement_holds_for_one_host_and_can_be_taken_back(anna: Person, listener: Listener, tmp_path: Path) -> None:
    """It is kept in the person's studio; another port or kind is asked about again."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    plant(anna, f"s3://films/x?endpoint={listener.endpoint}")
    assert anna.json("remote", "list")["remotes"][0]["trusted"] is False
    assert "not used on this machine yet" in anna.aura("remote", "list")
    assert anna.json("remote", "trust", "origin") == {
        "remote": "origin",
        "host": f"s3+{listener.endpoint}",
        "trusted": True,
    }
    assert (tmp_path / "home" / "trusted_hosts.json").stat().st_mode & 0o077 == 0
    assert not [path for path in anna.folder.rglob("*") if path.is_file() and b"s3+http" in path.read_bytes()]
    anna.aura("fetch", code=93)
    assert any("SECRET-TOKEN" in request for request in listener.heard)
    plant(anna, f"s3://other/y?endpoint={listener.endpoint}")
    anna.aura("fetch", code=93)
    plant(anna, f"az://films/x?account=acct&endpoint={listener.endpoint}")
    anna.aura("fetch", code=103)
    plant(anna, "s3://films/x?endpoint=http://127.0.0.1:9")
    anna.aura("fetch", code=103)
    plant(anna, f"s3://films/x?endpoint={listener.endpoint}")
    anna.aura("remote", "trust", "origin", "--no")
    anna.aura("fetch", code=103)


def test_what_the_person_typed_is_agreed_to(anna: Person, moto: str) -> None:
    """`remote add` and `clone` need no further word; a copy of the project elsewhere does."""
    url = f"s3://films/{anna.folder.parent.name}?endpoint={moto}"
    anna.aura("remote", "add", "origin", url)
    anna.aura("push")
    assert anna.json("remote", "list")["remotes"][0]["trusted"] is True
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AURA_HOME", str(anna.folder.parent / "another home"))
        anna.aura("fetch", code=103)
        Person(anna.folder.parent / "bert", "bert").aura("clone", url, "film")
        anna.aura("fetch")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 91), ("n\n", 103)])
def test_on_a_terminal_the_person_is_asked_once(anna: Person, answer: str, code: int) -> None:
    """The question names host and remote; yes is kept."""
    plant(anna, "ssh://studio.invalid/srv/film.aura")
    run = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()", "fetch"]
    env = {**os.environ, "AURA_SSH": "false"}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(run, cwd=anna.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, answer.encode())
    said = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break
        if not data:
            break
        said += data
    os.close(ours)
    assert process.wait(30) == code, said
    assert b"Use ssh://studio.invalid from now on?" in said
    assert anna.json("remote", "list")["remotes"][0]["trusted"] is (code == 91)


@pytest.mark.parametrize("endpoint", ["http://nas:9000", "http://127.0.0.1.example.org", "http://10.0.0.7"])
def test_no_bucket_is_reached_by_plain_http_beyond_this_machine(anna: Person, endpoint: str) -> None:
    """Not even where the person typed it."""
    url = f"s3://films/x?endpoint={endpoint}"
    assert "plain http" in anna.aura("remote", "add", "origin", url, code=92)
    assert "plain http" in anna.aura("clone", url, "copy", code=92)
    plant(anna, url)
    assert "plain http" in anna.aura("remote", "trust", "origin", code=92)
    assert "plain http" in anna.aura("fetch", code=92)
    for loopback in ("http://127.0.0.1:9000", "http://localhost", "https://nas:9000"):
        check_line(parse_address(f"s3://films/x?endpoint={loopback}"))
    with pytest.raises(RemoteDenied):
        check_line(parse_address(url))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("/mnt/nas/film", ""),
        ("https://example.org/film", ""),
        ("ssh://anna@Studio/srv/film", "ssh://studio"),
        ("studio:film", "ssh://studio"),
        ("ssh://studio:2222/film", "ssh://studio:2222"),
        ("s3://films/x", "s3+https://amazonaws.com"),
        ("s3://films/x?region=eu-1", "s3+https://amazonaws.com"),
        ("s3://films/x?endpoint=https://S3.example.org:443/path", "s3+https://s3.example.org"),
        ("s3://films/x?endpoint=http://127.0.0.1:9000", "s3+http://127.0.0.1:9000"),
        ("gs://films", "gs+https://storage.googleapis.com"),
        ("az://films/x?account=studio", "az+https://studio.blob.core.windows.net"),
    ],
)
def test_hosts(url: str, host: str) -> None:
    """What is agreed to: scheme, host and port, and for buckets their kind."""
    assert host_of(parse_address(url)) == host


def test_a_windows_share_and_an_encrypted_web_place_are_hosts_too() -> None:
    """Windows signs in to shares; a passphrase is looked for where a place is encrypted."""
    share = parse_address("/x").__class__("folder", r"\\Evil\share\film", r"\\Evil\share\film")
    assert host_of(share, windows=True) == "smb://evil"
    assert host_of(share, windows=False) == ""
    assert host_of(parse_address("https://example.org/film"), sealed=True) == "https://example.org"


@pytest.mark.parametrize(
    "url",
    [
        "s3://films/x?region=evil.org/",
        "s3://films/x?region=evil.org",
        "az://films/x?account=evil.org/",
        "az://films/x?account=evil.org",
        "s3://films/x?endpoint=https://example.org:99999",
        "s3://films/x?endpoint=https://example.org:443:80",
        "s3://films/x?path_style=maybe",
        "s3://films/x?endpoint=https://a.org&endpoint=https://b.org",
    ],
)
def test_no_parameter_makes_another_host(url: str) -> None:
    """Region and account are put into the name of a host."""
    with pytest.raises(InvalidUrl):
        parse_address(url)


def test_a_program_without_consent_gets_nothing(tmp_path: Path) -> None:
    """The library asks nobody, and so sends nothing."""
    repo: Repository = machine(tmp_path / "anna", "anna")
    config = RemoteConfig("ssh://studio/film")
    set_remote(repo, "origin", config)
    with pytest.raises(RemoteUntrusted) as caught:
        open_named(repo, "origin", config)
    assert caught.value.host == "ssh://studio"
    asked: list[tuple[str, str]] = []
    consent: Callable[[str, str], None] = lambda name, host: asked.append((name, host))  # noqa: E731
    with pytest.raises(Exception, match="studio"):
        open_named(repo, "origin", config, surroundings=Surroundings(("false",), consent=consent))
    assert asked == [("origin", "ssh://studio")]


def test_looking_at_agreements_makes_nothing(tmp_path: Path) -> None:
    """A studio that was never used stays unused."""
    agreements = TrustedHosts(str(tmp_path / "home"))
    assert not agreements.is_trusted("ssh://studio")
    assert agreements.is_trusted("")
    assert agreements.remove("ssh://studio") is False
    agreements.add("")
    assert not (tmp_path / "home").exists()
