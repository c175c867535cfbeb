"""What browsers cannot play is made playable, with progress, in the room that it may take; or it says why not."""

import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aura_vcs as aura
import av
import pytest
from aura_vcs.errors import ExtraMissing, MediaUnreadable
from aura_vcs.media import proxies as making
from aura_vcs.ui import proxies
from aura_vcs.ui.sequences import sequences_among

from tests.ui.conftest import ServedPage, serve
from tests.ui.takes import BROADCAST, BROKEN, FILM, FRAMES, STILL, WAVE, encode, write_takes


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A project with what editors have and browsers do not play."""
    folder = tmp_path_factory.mktemp("takes")
    root = folder / "film"
    write_takes(root)
    with aura.init(root, author="Ada") as project:
        project.commit("Takes")
    with serve(root, folder / "home") as served:
        yield served


def _root(takes: ServedPage) -> Path:
    return Path(takes.server.site.settings.root or "")


def _wait(takes: ServedPage, address: str) -> dict[str, Any]:
    """Ask until it is made or failed."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        found: dict[str, Any] = takes.get(f"/proxy/{address}").json
        if found["state"] not in ("waiting", "making"):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def _opened(data: bytes) -> Any:
    return av.open(BytesIO(data))


def test_proxies_are_films_of_the_same_length(takes: ServedPage) -> None:
    """A film keeps its length and its sound, in a form that can be sought in; the original is still what is saved."""
    assert takes.get(f"/look/proxy/v1/{FILM}").status == 404
    assert _wait(takes, f"v1/{FILM}")["state"] == "made"
    answer = takes.get(f"/look/proxy/v1/{FILM}")
    assert answer.headers["content-type"] == "video/mp4"
    with _opened(answer.body) as film:
        assert film.streams.video[0].codec_context.name == "h264"
        assert film.streams.audio[0].codec_context.name == "aac"
        assert float(film.streams.video[0].duration * film.streams.video[0].time_base) == pytest.approx(2.0, abs=0.1)
    assert takes.get(f"/raw/v1/{FILM}").body == (_root(takes) / FILM).read_bytes()


def test_files_of_the_folder_are_made_playable_too(takes: ServedPage) -> None:
    """A take that is in no version yet is played; made for the folder, it is there for the version that saves it."""
    assert _wait(takes, f"folder/{BROADCAST}")["state"] == "made"
    assert takes.get(f"/look/full/folder/{BROADCAST}").status == 200
    assert takes.get(f"/look/full/v1/{BROADCAST}").status == 200
    link = _root(takes) / "link.mxf"
    link.symlink_to(__file__)
    assert takes.get("/proxy/folder/link.mxf").status == 422
    link.unlink()


def test_a_sequence_is_a_film(takes: ServedPage) -> None:
    """Numbered pictures are one film in the order of their numbers, and say which are missing."""
    paths = [FRAMES.format(n) for n in (10, 9, 1, 2, 3, 4, 5, 6, 7, 11)]
    found = sequences_among([*paths, "renders/notes.txt", "renders/other.0001.dpx"])
    assert list(found) == ["renders/shot.[0001-0011].dpx"]
    sequence = found["renders/shot.[0001-0011].dpx"]
    assert (sequence.title, sequence.missing, sequence.paths[0]) == ("shot.[0001-0011].dpx", 1, FRAMES.format(1))
    assert _wait(takes, f"v1/{FRAMES.format(3)}?sequence=1")["state"] == "made"
    with _opened(takes.get(f"/look/sequence/v1/{FRAMES.format(1)}").body) as film:
        shades = [int(frame.to_ndarray(format="rgb24")[40, 40, 0]) for frame in film.decode(video=0)]
    assert len(shades) == 12
    assert shades == sorted(shades)
    assert takes.get(f"/proxy/v1/{STILL}?sequence=1").status == 400


def test_a_sequence_is_one_line_of_what_changed(takes: ServedPage) -> None:
    """On the page of a version and in comparisons; its frames are counted, and a click looks at the first."""
    for address in ("/v/v1", "/compare?old=&new=v1"):
        text = takes.get(address).body.decode()
        assert "shot.[0001-0013].dpx" in text
        assert ">12 files</span>" in text
        assert FRAMES.format(3) not in text


def test_what_cannot_be_made_playable_says_why(takes: ServedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file, a proxy that is too large, and a part that is not installed each have their words."""
    found = _wait(takes, f"v1/{BROKEN}")
    assert found["state"] == "failed"
    assert "broken.mxf cannot be decoded" in found["message"]
    assert takes.get("/proxy/v1/nothing.mxf").status == 404
    written: list[bytes] = []
    with (_root(takes) / FILM).open("rb") as file:
        with pytest.raises(MediaUnreadable, match="no room"):
            making.make_proxy(file, making.ProxyOrder(FILM, "video", 2_000), written.append)
        assert written == []
        monkeypatch.setattr(making, "can_look_into", lambda: False)
        with pytest.raises(ExtraMissing) as missing:
            making.make_proxy(file, making.ProxyOrder(FILM, "video", 1 << 20), written.append)
    assert "aura-vcs[media]" in missing.value.hint


def test_the_worker_says_how_far_it_is_and_can_be_stopped(takes: ServedPage) -> None:
    """Shares come while it works; whoever is told may end it, and nothing is left."""
    shares: list[float | None] = []
    order = making.ProxyOrder(FILM, "video", 1 << 30)
    with (_root(takes) / FILM).open("rb") as file:
        making.make_proxy(file, order, lambda _: None, shares.append)
        assert shares
        assert all(share is not None and 0 <= share <= 1 for share in shares)

        def stop(_: float | None) -> None:
            raise KeyError

        with pytest.raises(KeyError):
            making.make_proxy(file, order, lambda _: None, stop)


def test_the_worker_ends_with_whoever_asked(tmp_path: Path) -> None:
    """A server that is killed leaves no process that goes on decoding."""
    film = tmp_path / "long.mp4"
    encode(film, "mpeg4", 3_000)
    program = (
        "import os, sys; from aura_vcs.media.proxies import ProxyOrder, make_proxy\n"
        "def watch(share): print('share', flush=True)\n"
        f"with open({str(film)!r}, 'rb') as file:\n"
        "    make_proxy(file, ProxyOrder('long.mp4', 'video', 1 << 30), lambda _: None, watch)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"share\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.is_file():
            process.kill()
            pytest.skip("this system does not list the children of a process")
        worker = int(children.read_text().split()[0])
        process.kill()
    ends = time.monotonic() + 20
    while _runs(worker) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _runs(worker)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_server_goes_on_where_a_proxy_fails(takes: ServedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again later; what went to give room is made again."""
    monkeypatch.setattr(proxies, "PROXY_BYTES", 1_000)
    assert "no room" in _wait(takes, f"v1/{WAVE}")["message"]
    monkeypatch.undo()
    assert _wait(takes, f"v1/{WAVE}")["state"] == "failed"
    monkeypatch.setattr(proxies, "AGAIN_SECONDS", 0.0)
    assert takes.get(f"/proxy/v1/{WAVE}").json["state"] != "failed"
    monkeypatch.undo()
    assert _wait(takes, f"v1/{WAVE}")["state"] == "made"
    assert _wait(takes, f"v1/{STILL}")["state"] == "made"
    with aura.open(_root(takes)) as project:
        project.media_index.clear()
    assert takes.get(f"/look/full/v1/{STILL}").status == 404
    assert _wait(takes, f"v1/{STILL}")["state"] == "made"


def test_a_sequence_has_a_strip_and_a_frame_for_all(takes: ServedPage) -> None:
    """They are made in the background; until then the first frame stands for the whole, and nobody keeps that."""
    address = f"v1/{FRAMES.format(1)}?sequence=1"
    listed = takes.get("/v/v1/files/renders").text
    assert f"{FRAMES.format(1)}?sequence=1" in listed
    ends = time.monotonic() + 60
    while (strip := takes.get(f"/look/strip/{address}")).status == 404 and time.monotonic() < ends:
        time.sleep(0.1)
    assert strip.status == 200
    assert strip.headers["content-type"] == "image/jpeg"
    assert takes.get(f"/look/poster/{address}").headers["etag"].strip('"').startswith("poster-")
    assert strip.headers["etag"] != takes.get(f"/look/poster/{address.partition('?')[0]}").headers.get("etag")
    assert takes.get(f"/look/strip/v1/{STILL}?sequence=1").status == 400
