"""Who may ask the page for anything. Each rule has a test that fails without it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.cli.commands import ui as ui_command_module
from aura_vcs.cli.main import cli
from aura_vcs.errors import InputError
from aura_vcs.ui.access import HEADERS, Access
from aura_vcs.ui.actions.table import ACTIONS
from aura_vcs.ui.server import PageServer
from aura_vcs.ui.site import Settings
from aura_vcs.ui.templating import STATIC, read_static, url_path
from click.testing import CliRunner

from tests.helpers.project import look, write, write_project
from tests.ui.conftest import ServedPage, serve

HOSTILE = {
    "bad.html": "<script>alert(1)</script>",
    "bad.svg": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "bad.pdf": "%PDF-1.4",
    "picture.png": b"<html><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>.txt": "<script>alert(document.domain)</script>",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """The page of a small project with hostile names and content."""
    root = tmp_path_factory.mktemp("guarded") / "film"
    root.mkdir()
    write_project(root)
    write(root, HOSTILE)
    with aura.init(root, author="Ada <script>") as project:
        project.commit("<script>alert(1)</script>", description="<b>bold</b>")
    with serve(root, tmp_path_factory.mktemp("home")) as served:
        yield served


def test_only_this_machine_can_reach_it(page: ServedPage) -> None:
    """The socket is bound to the loopback interface."""
    assert page.server._listening.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_refused_with_a_way_out(page: ServedPage, home: Path) -> None:
    """The error names the port."""
    settings = Settings(None, None, aura.Credentials(home=home), str(home), {})
    with pytest.raises(InputError, match=str(page.port)) as caught:
        PageServer(settings, port=page.port)
    assert "--port" in caught.value.hint


def test_the_token_is_exchanged_for_a_strict_cookie(page: ServedPage) -> None:
    """The first address lets a browser in; the cookie is not sent by pages of other sites, nor read by scripts."""
    answer = page.send("GET", f"/?token={page.access.token}")
    assert answer.status == 200
    assert (
        answer.headers["set-cookie"] == f"{page.access.cookie}={page.access.session}; Path=/; HttpOnly; SameSite=Strict"
    )
    assert page.access.token not in answer.text
    assert page.send("GET", page.base, {"Cookie": answer.headers["set-cookie"].partition(";")[0]}).status == 200


def test_what_a_browser_is_started_with_lets_in_once(page: ServedPage) -> None:
    """Everybody on the machine can see how a program was started: the address is spent when the browser is there."""
    assert page.access.token not in page.access.opening_address
    ticket = page.access.opening_address.partition(f":{page.port}")[2]
    assert page.send("HEAD", ticket).status in (200, 405)
    assert page.send("GET", f"{page.base}?{ticket.partition('?')[2]}").status == 403
    first = page.send("GET", ticket)
    assert first.status == 200
    assert page.access.session in first.headers["set-cookie"]
    again = page.send("GET", ticket)
    assert again.status == 403
    assert "set-cookie" not in again.headers
    assert page.send("GET", f"/?token={page.access.token}").status == 200


@pytest.mark.parametrize("path", ["/", "/?token=", "/?ticket=", "/?token=wrong", "/projects", "/static/x/page.css"])
def test_without_token_or_cookie_nothing_is_answered(page: ServedPage, path: str) -> None:
    """Neither pages nor files of our own; and the page says what to do."""
    answer = page.send("GET", path)
    assert answer.status == 403
    assert "address that <code>aura ui</code> printed" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_token_in_another_address_is_no_token(page: ServedPage) -> None:
    """Only the first address takes it, so that it stands in no link and no log."""
    assert page.send("GET", f"{page.base}?token={page.access.token}").status == 403


@pytest.mark.parametrize("other", ['a="b; c', 'state={"x":"y z"}', "=;;", "caf\xe9=1", "x[1]=\\"])
def test_cookies_of_other_servers_do_not_lock_anybody_out(page: ServedPage, other: str) -> None:
    """Browsers send what any server of this machine has set; whatever it looks like, ours is found beside it."""
    ours = page.cookie["Cookie"]
    for both in (f"{other}; {ours}", f"{ours}; {other}"):
        assert page.send("GET", page.base, {"Cookie": both}).status == 200
    assert page.send("GET", page.base, {"Cookie": f"x{ours}; {other}"}).status == 403


def test_words_are_random_and_long() -> None:
    """Two runs share none of them."""
    one, other = (Access.make(1, read_only=False) for _ in range(2))
    words = [one.token, one.session, one.form_token, other.token, other.session, other.form_token]
    assert len(set(words)) == 6
    assert all(len(word) >= 43 for word in words)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}", ""]
)
def test_an_address_that_was_made_to_point_here_is_refused(page: ServedPage, host: str) -> None:
    """DNS rebinding: a name of somebody else's is in Host, also with the right cookie."""
    answer = page.send("GET", page.base, {**page.cookie, "Host": host.format(port=page.port)})
    assert answer.status in (400, 421)


def test_localhost_is_ours(page: ServedPage) -> None:
    """Both names of this machine are."""
    assert page.send("GET", page.base, {**page.cookie, "Host": f"localhost:{page.port}"}).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", None]
)
def test_a_change_from_another_origin_is_refused(page: ServedPage, origin: str | None) -> None:
    """CSRF: with the right cookie and even the right word."""
    headers = {name: value for name, value in page.form.items() if name != "Origin"}
    if origin is not None:
        headers["Origin"] = origin.format(port=page.port)
    answer = page.send("POST", f"/api{page.base}/tag", headers, {"name": "evil"})
    assert answer.status == 403
    assert page.ask("tag") == {"tags": []}


@pytest.mark.parametrize("word", ["", "wrong"])
def test_a_change_needs_the_word_of_our_pages(page: ServedPage, word: str) -> None:
    """A form of another page of this machine does not know it."""
    answer = page.send("POST", f"/api{page.base}/tag", {**page.form, "X-Aura-Token": word}, {"name": "evil"})
    assert answer.status == 403
    assert page.ask("tag") == {"tags": []}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_changes_are_posts(page: ServedPage, method: str) -> None:
    """Nothing else changes anything; no preflight is answered with a permission."""
    answer = page.send(method, f"/api{page.base}/tag", page.form, {"name": "evil"})
    assert answer.status == 405
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_get_changes_nothing(page: ServedPage) -> None:
    """What a link or a picture of another page could ask for is only ever a look."""
    before = page.ask("ops?limit=1000")
    for name in ("commit", "undo", "restore", "version/delete", "storage/free"):
        assert page.send("GET", f"/api{page.base}/{name}?name=x&version=v1", page.cookie).status in (404, 405)
    assert page.ask("ops?limit=1000") == before


def test_read_only_has_no_changes(tmp_path: Path, home: Path) -> None:
    """Neither by the page nor by a program with the token; the page has no buttons for them."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
    with serve(root, home, read_only=True) as page:
        before = look(root)
        answers = [page.do("undo"), page.do("commit", name="x")]
        answers.append(page.send("POST", f"/api{page.base}/undo", {"Authorization": f"Bearer {page.access.token}"}, {}))
        assert [answer.status for answer in answers] == [403] * 3
        assert look(root) == before
        assert "data-do=" not in page.get("").text
        assert "data-post=" not in page.get("/unsaved").text


def test_every_answer_forbids_what_pages_do_not_need(page: ServedPage) -> None:
    """Pages, JSON, our own files, content, refusals."""
    script = re.search(r"/static/[0-9a-f]+/page\.js", page.get("").text)
    assert script is not None
    answers = [
        page.get(""), page.get("/raw/v1/brief.json"), page.send("GET", "/"), page.get("/nowhere"),
        page.send("GET", f"/api{page.base}/status", page.cookie), page.send("GET", script.group(), page.cookie),
    ]  # fmt: skip
    for answer in answers:
        assert answer.headers.keys() >= HEADERS.keys()
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "picture.png"])
def test_content_never_runs_in_our_origin(page: ServedPage, name: str) -> None:
    """Pages, SVG, PDF and texts of the project go out as bytes to be saved, in a sandbox."""
    from urllib.parse import quote

    for version in ("v1", "folder"):
        answer = page.get(f"/raw/{version}/{quote(name)}")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox;")


def test_a_page_that_calls_itself_a_picture_stays_one(page: ServedPage) -> None:
    """Its type is that of its name, and browsers do not guess another one."""
    answer = page.get("/raw/v1/picture.png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox;")


@pytest.mark.parametrize(
    "path", ["", "/v/v1", "/v/v1/files/", "/compare?new=v1", "/operations", "/unsaved", "/search?q=script",
             "/v/v1/files/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.txt", "/film", "/merge", "/machines", "/space/map"],
)  # fmt: skip
def test_text_from_outside_is_escaped(page: ServedPage, path: str) -> None:
    """Names, authors, descriptions and content are shown, and do nothing."""
    answer = page.get(path)
    assert answer.status == 200, answer.text
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert all('src="/static/' in script for script in scripts), scripts
    assert not re.search(r"<img src=x|<b>bold", answer.text)
    assert "style=" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/raw/v1/../.aura/format.json", "/raw/v1/%2e%2e/secret", "/raw/folder/%2e%2e/home",
     "/raw/folder/.aura/format.json",
     "/raw/folder//etc/passwd", "/raw/v1/brief.json%00", "/look/full/folder/..%2f..%2fsecret", "/zip/v1/..%2f",
     "/v/v1/files/.aura", "/file/..%2f..%2fsecret", "/raw/nowhere/brief.json", "/raw/v99/brief.json"],
)  # fmt: skip
def test_paths_and_ids_are_validated(page: ServedPage, path: str) -> None:
    """What leads out of the project, into its storage, or nowhere gets a page that says so."""
    answer = page.get(path)
    assert answer.status in (400, 404, 422), answer.text
    assert "secret" not in answer.text.split("<h1>")[-1] or "no path" in answer.text
    assert b"root:" not in answer.body


def test_links_out_of_the_folder_are_not_followed(page: ServedPage, tmp_path: Path) -> None:
    """Neither a link nor a folder that is one."""
    root = Path(page.server.site.settings.root or "")
    (tmp_path / "secret.png").write_bytes(b"secret")
    for name in ("out.png", "out"):
        with suppress(FileNotFoundError):
            (root / name).unlink()
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "out").symlink_to(tmp_path)
    assert page.get("/raw/folder/out.png").status == 422
    assert page.get("/raw/folder/out/secret.png").status == 422


@pytest.mark.parametrize("name", ["tag", "commit", "restore", "nothing"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"name": 3}', b'{"unknown": true}', b"\xff", b"{" * 2_000_000, b"x" * 40_000_000]
)
def test_what_cannot_be_meant_is_refused(page: ServedPage, name: str, body: bytes) -> None:
    """With what is wrong and what to do."""
    answer = page.send("POST", f"/api{page.base}/{name}", page.form, body)
    assert answer.status == (413 if len(body) > 4 << 20 else 404 if name == "nothing" else 400)
    assert answer.json["error"].keys() >= {"code", "message", "hint"}
    assert answer.json["error"]["hint"]


ODD = (
    "a\r\nSet-Cookie: evil=1\r\n\r\n<script>.txt",
    'q"; filename="evil.exe',
    "caf\xe9 \u202e; x=\u05d0.html",
    "\udce9.pdf",
)
"""Names of files; the last is no text."""


@pytest.mark.parametrize("name", ODD)
def test_a_file_name_is_no_header(tmp_path: Path, home: Path, name: str) -> None:
    """Line ends, quotes, semicolons and bytes of a name stay inside the name that a file is saved under."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    (root / name).mkdir()
    (root / name / "inside.txt").write_text("x")
    (root / f"{name}.html").write_text("<script>alert(1)</script>")
    with aura.init(root, author="Ada") as project:
        project.commit("Odd")
    with serve(root, home) as page:
        written = url_path(name)
        plain = set(page.get("/raw/v1/brief.json?download").headers)
        paths = [f"/raw/v1/{written}.html", f"/raw/folder/{written}.html", f"/zip/v1/{written}"]
        for path in paths if name != ODD[-1] else paths[:2]:  # no ZIP holds bytes that are no text
            answer = page.get(path)
            assert answer.status == 200, answer.text
            assert set(answer.headers) <= plain | {"transfer-encoding"}
            saved = answer.headers["content-disposition"]
            assert re.fullmatch(r"attachment; filename\*=UTF-8''[A-Za-z0-9%._~-]+", saved), saved
            assert "set-cookie" not in answer.headers


def test_words_of_an_earlier_run_let_nobody_in(page: ServedPage, tmp_path: Path, home: Path) -> None:
    """Neither its token, nor its cookie, nor what its pages send; also where the same project has the same address."""
    root = Path(page.server.site.settings.root or "")
    with serve(root, home) as later:
        assert later.base == page.base
        old = {"Cookie": f"{later.access.cookie}={page.access.session}"}
        assert later.send("GET", later.base, old).status == 403
        assert later.send("GET", later.base, {"Authorization": f"Bearer {page.access.token}"}).status == 403
        assert later.send("GET", f"/?token={page.access.token}").status == 403
        stale = {**later.form, "X-Aura-Token": page.access.form_token}
        assert later.send("POST", f"/api{later.base}/tag", stale, {"name": "evil"}).status == 403


def test_clients_that_never_finish_hold_up_nobody(page: ServedPage) -> None:
    """Half a header, half a body, a header without end: who speaks properly is answered meanwhile."""
    host = f"Host: 127.0.0.1:{page.port}\r\n"
    whole = "".join(f"{key}: {value}\r\n" for key, value in page.form.items())
    body = f"POST /api{page.base}/tag HTTP/1.1\r\n{host}{whole}Content-Length: 1000\r\n\r\n{{"
    slow: list[socket.socket] = []
    try:
        for text in ["GET / HTTP/1.1\r\nHo", body] * 40:
            slow.append(socket.create_connection(("127.0.0.1", page.port), timeout=10))
            slow[-1].sendall(text.encode())
        assert page.get("").status == page.get("/unsaved").status == 200
        assert page.do("tag", name="meanwhile").status == 200
        assert page.do("tag/delete", name="meanwhile").status == 200
    finally:
        for one in slow:
            one.close()
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as endless, suppress(OSError):
        endless.sendall(f"GET / HTTP/1.1\r\n{host}X: ".encode() + b"x" * 4_000_000)
        assert endless.recv(100).startswith(b"HTTP/1.1 4")  # or it is cut off while it speaks
    assert page.get("").status == 200


def test_our_own_files_are_few_and_small() -> None:
    """All scripts together are below 100 kB; none of them asks another host for anything."""
    scripts = [name for name in STATIC if name.endswith(".js")]
    assert sum(len(read_static(name)) for name in scripts) < 100_000
    for name in STATIC:
        addresses = set(re.findall(rb"https?://[^\s\"')]+", read_static(name)))
        assert addresses <= {b"http://www.w3.org/2000/svg"}, name


def test_every_action_says_what_it_did() -> None:
    """The page has words of its own for each, made of its result; none is answered with "done" alone."""
    said = read_static("words.js").decode().partition("const said = {")[2].partition("\n  };")[0]
    named = set(re.findall(r"(?:^ {4}|, )'?([a-z/-]+)'?(?:: |,$)", said, re.MULTILINE))
    assert named == set(ACTIONS)


def test_what_a_stranger_sends_is_kept_from_the_terminal(page: ServedPage, caplog: pytest.LogCaptureFixture) -> None:
    """What is no HTTP gets an answer, and the person's terminal is not written to."""
    with socket.create_connection(("127.0.0.1", page.port), timeout=10) as strange:
        strange.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n")
        assert strange.recv(100).startswith(b"HTTP/1.1 400")
    assert "Invalid HTTP request" not in caplog.text


def test_a_killed_server_leaves_nothing_behind(tmp_path: Path) -> None:
    """The project is as it was; the next command needs no repair, and the page comes up again on the same port."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
    before = look(root)
    temporary = root / ".aura" / "local" / "tmp"
    environment = {**os.environ, "AURA_HOME": str(tmp_path / "home"), "AURA_AUTHOR": "Ada"}
    command = [sys.executable, "-m", "aura_vcs", "-C", str(root), "ui", "--no-browser"]
    process = subprocess.Popen([*command, "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", process.stdout.readline())
    assert found is not None
    port, token = int(found[1]), found[2]
    headers = {"Authorization": f"Bearer {token}"}
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/", headers=headers)
    target = connection.getresponse().headers["location"]
    connection.close()
    connection.request("GET", f"/api{target}/events", headers=headers)
    assert connection.getresponse().status == 200
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    connection.close()
    assert look(root) == before
    assert not temporary.is_dir() or not list(temporary.iterdir())
    again = subprocess.Popen([*command, "--port", str(port)], env=environment, stdout=subprocess.PIPE, text=True)
    assert again.stdout is not None
    assert str(port) in again.stdout.readline()
    started = time.monotonic()
    again.send_signal(signal.SIGTERM)
    assert again.wait(20) == 0
    assert time.monotonic() - started < 10
    for stream in (process.stdout, again.stdout):
        stream.close()


def test_without_the_part_that_it_needs_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it; nothing listens."""
    monkeypatch.setattr(ui_command_module, "find_spec", lambda name: None if name == "jinja2" else name)
    found = CliRunner().invoke(cli, ["-C", str(tmp_path), "ui", "--no-browser"], env={"AURA_HOME": str(tmp_path)})
    assert found.exit_code == 47
    assert "jinja2" in found.stderr
    assert "Install it with" in found.stderr
