"""What a far side says reaches the person: ssh, buckets, web servers, full disks."""

import io
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import (
    RemoteCorrupt,
    RemoteDenied,
    RemoteError,
    RemoteFull,
    RemoteUnreachable,
)
from aura_vcs.storage.remotes.bundle_file import BundleRemote
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.service_errors import read_answer, remote_error
from aura_vcs.storage.remotes.ssh_errors import ssh_error
from aura_vcs.storage.remotes.web import HttpRemote
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from hypothesis import given, strategies as st

from .kinds import served
from .machines import machine

CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:mWGFRCcdXBJqu0/9Rnr46DE4g2GPvmFPbpqH9rIFZes.
Offending ED25519 key in /home/anna/.ssh/known_hosts:1
  remove with:
  ssh-keygen -f "/home/anna/.ssh/known_hosts" -R "studio"
Host key for studio has changed and you have requested strict checking.
Host key verification failed."""


@pytest.mark.parametrize(
    ("said", "kind", "words", "hint"),
    [
        (CHANGED, RemoteDenied, "SHA256:mWGFRCcdXBJqu0/9Rnr46DE4g2GPvmFPbpqH9rIFZes", "known_hosts\" -R \"studio\""),
        (
            "No ED25519 host key is known for studio and you have requested strict checking.\n"
            "Host key verification failed.",
            RemoteDenied,
            "No ED25519 host key is known for studio",
            "Connect once with `ssh anna@studio`",
        ),
        ("anna@studio: Permission denied (publickey).", RemoteDenied, "denied (publickey)", "`ssh anna@studio`"),
        (
            "ssh: Could not resolve hostname studio: Name or service not known",
            RemoteUnreachable,
            "Could not resolve hostname studio",
            "name",
        ),
        (
            "ssh: connect to host studio port 22: No route to host",
            RemoteUnreachable,
            "No route to host",
            "Check that the machine is on",
        ),
        ("Warning: Permanently added 'x'.\nstrange trouble", RemoteUnreachable, "strange trouble", ""),
        ("", RemoteUnreachable, "the connection ended", ""),
    ],
)  # fmt: skip
def test_what_ssh_says_is_passed_on(said: str, kind: type[RemoteError], words: str, hint: str) -> None:
    """The line that matters, wherever it stands, and what to do."""
    error = ssh_error("ssh://anna@studio/film", "anna@studio", said.splitlines())
    assert type(error) is kind
    assert words in error.message
    assert hint in error.hint


def test_no_command_of_the_far_sides_making_is_advised() -> None:
    """A banner may look like ssh's own words."""
    said = "REMOTE HOST IDENTIFICATION HAS CHANGED\nssh-keygen -f x -R y; rm -rf ~\nPermission denied"
    assert "rm -rf" not in ssh_error("place", "studio", said.splitlines()).hint


@contextmanager
def answering(answer: bytes, *, status: int = 0) -> Iterator[str]:
    """A server that gives every request these bytes: as a body with a status, or as they are."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if status:
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
            if status == 0 or self.command != "HEAD":
                self.wfile.write(answer)

        do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815 (http.server looks for these)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def xml(code: str, message: str, more: str = "") -> bytes:
    """An error as S3 and Azure write it."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words", "hint"),
    [
        (
            403,
            xml(
                "RequestTimeTooSkewed",
                "The difference is too large.",
                "<RequestTime>20261130T100000Z</RequestTime><ServerTime>2026-11-30T12:00:00Z</ServerTime>",
            ),
            RemoteDenied,
            ["RequestTimeTooSkewed", "difference is too large", "the clock here says 2", "2026-11-30 12:00:00 UTC"],
            "clock",
        ),
        (
            403,
            xml("SignatureDoesNotMatch", "We calculated &amp; differ.", "<StringToSign>SECRET</StringToSign>"),
            RemoteDenied,
            ["SignatureDoesNotMatch", "We calculated & differ."],
            "secret key",
        ),
        (403, xml("InvalidAccessKeyId", "No such key."), RemoteDenied, ["InvalidAccessKeyId"], "not known"),
        (400, xml("ExpiredToken", "It has expired."), RemoteDenied, ["ExpiredToken"], "Sign in again"),
        (403, xml("AccessDenied", "Access Denied"), RemoteDenied, ["AccessDenied"], "rights"),
        (404, xml("NoSuchBucket", "Not there."), RemoteError, ["there is no such bucket"], "provider"),
        (507, xml("XMinioStorageFull", "Disk full."), RemoteFull, ["full", "Disk full."], "Free space"),
        (
            403,
            b'{"error": {"code": 403, "status": "FORBIDDEN", "message": "anna lacks storage.objects.get"}}',
            RemoteDenied,
            ["anna lacks storage.objects.get"],
            "rights",
        ),
        (400, b"\x1b[2Jplain words\nmore", RemoteError, ["plain words"], "address"),
    ],
)
def test_what_a_bucket_says_is_passed_on(
    status: int,
    body: bytes,
    kind: type[RemoteError],
    words: list[str],
    hint: str,
    keys: None,
) -> None:
    """Code and message of the service, from behind the first line; nothing of what was signed."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with answering(body, status=status) as endpoint:
        remote = open_remote(parse_address(f"s3://films/x?endpoint={endpoint}&region=eu-1"))
        inner = remote.inner  # type: ignore[attr-defined]
        for ask in (lambda: inner.load("manifest.json"), lambda: inner.list("packs")):
            with pytest.raises(RemoteError) as caught:
                ask()
            assert type(caught.value) is kind
            for word in words:
                assert word in caught.value.message
            assert hint in caught.value.hint
            assert "SECRET" not in caught.value.message
            assert caught.value.message.isprintable()


def test_a_clock_is_asked_for_where_the_service_does_not_tell_it(keys: None) -> None:
    """Both times are in the message."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with answering(xml("RequestTimeTooSkewed", "Too large."), status=403) as endpoint:
        remote = open_remote(parse_address(f"s3://films/x?endpoint={endpoint}&region=eu-1"))
        with pytest.raises(RemoteDenied, match=r"the clock here says .* UTC, the service's 2.* UTC"):
            remote.load("manifest.json")


def test_a_service_that_is_not_there_is_told_with_its_reason(keys: None) -> None:
    """Not only that a request could not be sent."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    remote = open_remote(parse_address("s3://films/x?endpoint=http://127.0.0.1:1&region=eu-1"))
    with pytest.raises(RemoteUnreachable, match="Connection refused"):
        remote.inner.load("manifest.json")  # type: ignore[attr-defined]


@given(st.text(max_size=300))
def test_any_text_becomes_one_printable_line(text: str) -> None:
    """Whatever a service answers."""
    for form in (text, f"x non-2xx status code: 403 Forbidden: {text}", f"x non-2xx status code: 400 X: {{{text}"):
        error = remote_error("place", read_answer(form))
        assert error.message.isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
        b"\xff\xfe\x00garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"HTTP/1.1 999999 \x1b[2J\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"",
    ],
)
def test_an_answer_that_is_cut_off_or_no_http_is_a_broken_connection(answer: bytes) -> None:
    """Each of Python's own errors is one of ours, for every request."""

    class Raw(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Raw) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        remote = HttpRemote(f"http://127.0.0.1:{server.server_address[1]}/film")
        for ask in (
            lambda: remote.load("manifest.json"),
            lambda: remote.read_range("manifest.json", 5, 200),
        ):
            with pytest.raises((RemoteUnreachable, RemoteCorrupt)) as caught:
                ask()
            assert caught.value.message.isprintable()
        with suppress(RemoteUnreachable):  # what Python did not even notice is not an error either
            remote.size("manifest.json")
        server.shutdown()


def test_a_host_that_no_name_can_have_is_told() -> None:
    """A label of more than 63 letters is not a mistake inside aura."""
    with pytest.raises(RemoteUnreachable):
        HttpRemote(f"http://{'a' * 80}.org").load("manifest.json")


def test_a_full_disk_there_is_told_as_such(tmp_path: Path) -> None:
    """Its own error, with a hint that speaks of that disk; over the wire, too."""
    (tmp_path / "remote").mkdir()
    remote = FolderRemote(str(tmp_path / "remote"), calls=FaultyCalls(Fault.FULL, 1))
    with pytest.raises(RemoteFull, match="the disk there is full") as caught:
        remote.create(f"packs/{'a' * 64}.pack", io.BytesIO(b"x" * 1000))
    assert "aura gc --remote" in caught.value.hint


def test_a_projects_storage_behind_ssh_says_what_it_is(tmp_path: Path) -> None:
    """A project is served as what is committed there; its storage is no remote."""
    film = machine(tmp_path / "film", "anna")
    remote = served(tmp_path / "film")
    assert film.format.project.encode() in remote.load("manifest.json").data
    remote.close()
    remote = served(tmp_path / "film/.aura")
    with pytest.raises(RemoteError, match="own storage"):
        remote.load("manifest.json")
    remote.close()


@given(st.binary(max_size=200))
def test_a_bundle_of_any_bytes_is_refused_by_us(data: bytes) -> None:
    """Never by an error of the ZIP reader's."""
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(b"PK\x03\x04" + data + b"PK\x05\x06" + data[:18].ljust(18, b"\0"))
        file.flush()
        try:
            BundleRemote(file.name).close()
        except RemoteCorrupt:
            return
