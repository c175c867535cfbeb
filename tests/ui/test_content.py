"""Content for the browser: any part of a file from the store, archives that are made while they are sent."""

import io
import json
import os
import random
import re
import resource
import socket
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import aura_vcs as aura
import pytest
from aura_vcs import Repository
from aura_vcs.ui import media
from aura_vcs.ui.byte_ranges import OPEN_BYTES, ByteRange, parse_range
from aura_vcs.ui.parked import MOST
from aura_vcs.ui.workspace import MEDIA_LANES

from tests.helpers.project import write, write_project
from tests.ui.conftest import ServedPage, serve

LARGE = 24_000_000
"""Bytes of a file that is kept in chunks."""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedPage, bytes]]:
    """A page of a project with a large clip that is not in the folder any more."""
    folder = tmp_path_factory.mktemp("content")
    root = folder / "film"
    root.mkdir()
    write_project(root)
    clip = random.Random(5).randbytes(LARGE)
    write(root, {"assets/clip.mp4": clip, "assets/größe ±.txt": "x"})
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
        (root / "assets/clip.mp4").unlink()
        project.commit("Without the clip")
    with serve(root, folder / "home") as page:
        yield page, clip


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, ByteRange(0, 100, False)),
        ("bytes=0-9", ByteRange(0, 10, True)),
        ("bytes=90-200", ByteRange(90, 100, True)),
        ("bytes=-10", ByteRange(90, 100, True)),
        ("bytes=-1000", ByteRange(0, 100, True)),
        ("bytes=5-", ByteRange(5, 100, True)),
        ("bytes=100-", None),
        ("bytes=200-300", None),
        ("bytes=9-5", None),
        ("bytes=-0", None),
        ("bytes=-", ByteRange(0, 100, False)),
        ("bytes=0-1,5-6", ByteRange(0, 100, False)),
        ("pages=1-2", ByteRange(0, 100, False)),
        ("bytes=x-y", ByteRange(0, 100, False)),
        (f"bytes={'9' * 30}-", ByteRange(0, 100, False)),
    ],
)
def test_ranges_are_read_as_they_are_written(header: str | None, found: ByteRange | None) -> None:
    """What is no range gets all of it, what the file does not have gets none."""
    assert parse_range(header, 100) == found


def test_an_open_end_gets_what_a_player_needs_next() -> None:
    """The rest of a large file comes piece by piece."""
    assert parse_range("bytes=1000-", 1 << 40) == ByteRange(1000, 1000 + OPEN_BYTES, True)


def _files(page: ServedPage) -> set[Path]:
    """All that lies in the project's folder but the index."""
    root = Path(page.server.site.settings.root or "")
    return {path for path in root.rglob("*") if not path.name.startswith("index.sqlite")}


def test_any_part_of_a_stored_file(stored: tuple[ServedPage, bytes]) -> None:
    """The same bytes, from wherever; nothing of it is written to the disk."""
    page, clip = stored
    before = _files(page)
    for start, end in ((0, 1), (0, 10_000), (7_777_777, 9_000_000), (LARGE - 5, LARGE), (65_530, 65_540)):
        answer = page.get("/raw/v1/assets/clip.mp4", Range=f"bytes={start}-{end - 1}")
        assert answer.status == 206
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{LARGE}"
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.body == clip[start:end]
    assert page.get("/raw/v1/assets/clip.mp4").body == clip
    assert page.get("/raw/v1/assets/clip.mp4", Range=f"bytes={LARGE}-").status == 416
    assert _files(page) == before


def test_what_is_known_is_not_sent_again(stored: tuple[ServedPage, bytes]) -> None:
    """Content under a version's id never changes: browsers keep it; under a name they ask again."""
    page, _ = stored
    version = page.ask("show?version=v1")["version"]["id"]
    answer = page.get(f"/raw/{version}/brief.json")
    assert "immutable" in answer.headers["cache-control"]
    assert page.get("/raw/v1/brief.json").headers["cache-control"] == "no-cache"
    assert page.get("/raw/v1/brief.json", **{"If-None-Match": answer.headers["etag"]}).status == 304


def test_a_reader_who_goes_holds_nothing_up(stored: tuple[ServedPage, bytes]) -> None:
    """More players than there are lanes ask for all of a file and leave."""
    page, _ = stored
    for _ in range(20):
        with closing(HTTPConnection("127.0.0.1", page.port, timeout=30)) as connection:
            connection.request("GET", f"{page.base}/raw/v1/assets/clip.mp4", headers=page.cookie)
            assert connection.getresponse().read(10)
    assert page.get("/raw/v1/brief.json").status == 200


def test_reading_a_large_file_needs_little_memory(stored: tuple[ServedPage, bytes]) -> None:
    """The server is this process: the most memory it ever had hardly grows."""
    page, _ = stored
    page.get("/raw/v1/assets/clip.mp4", Range="bytes=0-9")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with closing(HTTPConnection("127.0.0.1", page.port, timeout=30)) as connection:
        connection.request("GET", f"{page.base}/raw/v1/assets/clip.mp4", headers=page.cookie)
        answer = connection.getresponse()
        while answer.read(100_000):
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 12_000


@pytest.mark.parametrize("folder", ["", "assets", "scenes/"])
def test_a_folder_comes_as_a_zip(stored: tuple[ServedPage, bytes], folder: str) -> None:
    """With every file as the version has it."""
    page, clip = stored
    answer = page.get(f"/zip/v1/{folder}")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].endswith("-v1.zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if not name.endswith("/")]
        assert all(name.startswith(folder) for name in names)
        if folder != "scenes/":
            assert archive.read("assets/clip.mp4") == clip
    assert page.get("/zip/v1/nowhere").status == 404


def test_names_of_any_letters(stored: tuple[ServedPage, bytes]) -> None:
    """Also bytes that are not text, where the disk takes them."""
    page, _ = stored
    root = Path(page.server.site.settings.root or "")
    assert page.get("/raw/v1/assets/gr%C3%B6%C3%9Fe%20%C2%B1.txt").body == b"x"
    odd = os.fsencode(root) + b"/odd \xff.txt"
    with open(odd, "wb") as file:
        file.write(b"odd")
    with aura.open(root, author="Ada") as project:
        number = project.commit("Odd").version
    assert page.get(f"/raw/{number}/odd%20%FF.txt").body == b"odd"
    assert page.get(f"/v/{number}/files/odd%20%FF.txt").status == 200


def test_a_large_file_is_found_once_for_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A player that jumps about gets the right bytes, also two at once; and few files are left open."""
    root = tmp_path / "film"
    root.mkdir()
    clips = {f"clip-{n}.mp4": random.Random(n).randbytes(3_000_000) for n in range(6)}
    write(root, dict(clips))
    with aura.init(root, author="Ada") as project:
        made = project.commit("Clips").version
        assert made is not None
    monkeypatch.setattr(media, "PARKED_BYTES", 2_000_000)
    opened: list[str] = []
    find = media.open_content

    def counted(repo: Repository, version: str, path: str) -> media.OpenContent:
        opened.append(path)
        return find(repo, version, path)

    monkeypatch.setattr(media, "open_content", counted)
    with serve(root, tmp_path / "home") as page:
        for at in (0, 2_000_000, 5, 1_234_567):
            answer = page.get(f"/raw/{made.id}/clip-0.mp4", Range=f"bytes={at}-{at + 999}")
            assert answer.body == clips["clip-0.mp4"][at : at + 1000]
        assert opened == ["clip-0.mp4"]
        for name, data in clips.items():
            assert page.get(f"/raw/{made.id}/{name}").body == data
        only = page.server.site.only
        assert only is not None
        assert len(only.parked) == MOST


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
def test_names_that_are_no_text_are_looked_at_compared_and_restored(tmp_path: Path) -> None:
    """Bytes that are not UTF-8, and line breaks: every view has them, and what is done goes to that very file."""
    root, names = tmp_path / "film", [b"caf\xe9.txt", b"two\nlines.txt", b"\xff.png"]
    root.mkdir()
    with aura.init(root, author="Ada") as project:
        project.commit("Empty")
        for name in names:
            (root / os.fsdecode(name)).write_bytes(b"one")
        version = project.commit("Odd names").version.id
    with serve(root, tmp_path / "home") as page:
        for name in map(quote, names):
            for address in ("/file/", "/v/v2/files/", "/raw/v2/", "/compare?old=v1&new=v2&path="):
                assert page.get(address + name).status == 200, address + name
        shown = page.get(f"/v/v2/files/{quote(names[0])}").text
        assert f"/raw/{version}/{quote(names[0])}?download" in shown
        buttons = [json.loads(unescape(text)) for text in re.findall(r"data-with='([^']*)'", shown)]
        given = next(button for button in buttons if "paths" in button)
        (root / os.fsdecode(names[0])).unlink()
        assert page.do("restore", **given).status == 200
        assert (root / os.fsdecode(names[0])).read_bytes() == b"one"
        assert page.get(f"/glance?v={version}").json[version]["picture"] == "%FF.png"


def test_readers_who_stand_still_do_not_hold_up_the_pages(stored: tuple[ServedPage, bytes]) -> None:
    """Whoever asks for more files at once than are sent waits; the views answer meanwhile."""
    page, _ = stored
    workspace = page.server.site.only
    assert workspace is not None
    with ExitStack() as held:
        for _ in range(MEDIA_LANES):
            held.enter_context(workspace.media_lane())
        asked = f"GET {page.base}/raw/v1/brief.json HTTP/1.1\r\nHost: 127.0.0.1:{page.port}\r\nCookie: {{}}\r\n\r\n"
        waiting = [held.enter_context(closing(socket.create_connection(("127.0.0.1", page.port)))) for _ in range(50)]
        for connection in waiting:
            connection.sendall(asked.format(page.cookie["Cookie"]).encode())
        assert page.get("/v/v1").status == 200
