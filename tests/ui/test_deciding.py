"""What a merge left open in texts, pictures and sounds is decided on the page, also by writing something else."""

import re
import wave
from collections.abc import Iterator
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.ids import blob_id
from aura_vcs.ui.hand_edits import editable_text, edited_bytes
from hypothesis import given, strategies as st
from PIL import Image

from tests.helpers.project import write, write_project
from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve
from tests.ui.story import draw_clip

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

SCRIPT = "script.md"
LETTER = "letter.txt"
POSTER = "assets/poster.png"
VOICE = "assets/voice.wav"
FILM = "assets/orbits.mp4"
LINES = ["# Script", "", "Wide shot.", "A comet.", "", "The end.", ""]


def _script(third: str, end: str) -> str:
    return "\n".join([*LINES[:2], third, *LINES[3:5], end, ""])


def _still(path: Path, color: str) -> None:
    Image.new("RGB", (320, 180), color).save(path)


def _sound(path: Path, value: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 1, 8_000, 0, "NONE", ""))
        tone = bytes([90, 165] * 4_000)
        out.writeframes(tone + bytes([128] * 8_000) + tone + bytes([value, 255 - value] * 4_000) + tone)


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[ServedPage]:
    """A project whose branches changed the same line, a letter, a picture and a sound, merged."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    write(root, {SCRIPT: _script("Wide shot.", "The end."), LETTER: b"\xef\xbb\xbfDear\r\nall\r\n"})
    (root / "assets").mkdir(exist_ok=True)
    _still(root / POSTER, "gray")
    _sound(root / VOICE, 128)
    draw_clip(root / FILM, 0)
    with aura.init(root, author="Ada") as project:
        project.commit("First")
        project.branches.create("dark")
        project.checkout("dark")
        write(root, {SCRIPT: _script("Night, wide.", "The end."), LETTER: b"\xef\xbb\xbfDear\r\nnight\r\n"})
        _still(root / POSTER, "black")
        _sound(root / VOICE, 240)
        draw_clip(root / FILM, 1)
        project.commit("Dark")
        project.checkout("main")
        write(root, {SCRIPT: _script("Bright, close.", "The end?"), LETTER: b"\xef\xbb\xbfDear\r\nday\r\n"})
        _still(root / POSTER, "white")
        _sound(root / VOICE, 132)
        draw_clip(root / FILM, 2)
        project.commit("Bright")
        project.merge("dark", message="Both")
        assert {item.path.as_posix() for item in project.conflicts()} == {SCRIPT, LETTER, POSTER, VOICE, FILM}
    with serve(root, tmp_path / "home", author="Ada") as served:
        yield served


@pytest.fixture
def page(browser: Browser, apart: ServedPage) -> Iterator[Page]:
    """A window that was let in, at the decisions."""
    for window in open_window(browser, apart):
        window.goto(f"http://127.0.0.1:{apart.port}{apart.base}/merge")
        window.wait_for_selector("body[data-ready]")
        yield window


def _root(apart: ServedPage) -> Path:
    return Path(apart.server.site.settings.root or "")


def _open(page: Page, path: str) -> None:
    page.locator(".changed-files a", has_text=path).first.click()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".decision h2")).to_contain_text(path)


def _open_paths(apart: ServedPage) -> set[str]:
    with aura.open(_root(apart)) as project:
        return {item.path.as_posix() for item in project.conflicts()}


def test_a_text_is_written_by_hand(page: Page, apart: ServedPage) -> None:
    """Both sides stand above the field, which holds the whole file; the other side is put in, edited, and undone."""
    _open(page, SCRIPT)
    found = [one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert found == []
    expect(page.locator(".side").first).to_contain_text("Bright, close.")
    expect(page.locator(".side").last).to_contain_text("Night, wide.")
    field = page.locator("textarea[name=text]")
    assert field.input_value() == _script("Bright, close.", "The end?")
    page.get_by_role("button", name="Put in what").first.click()
    assert "Night, wide.\nBright, close." in field.input_value()
    field.fill(_script("Dusk, half close.", "The end?"))
    page.get_by_role("button", name="Use this text").click()
    expect(page.locator("h1")).to_contain_text("4 decisions left")
    assert (_root(apart) / SCRIPT).read_text() == _script("Dusk, half close.", "The end?")
    page.locator(".toast button").first.click()
    expect(page.locator("h1")).to_contain_text("5 decisions left")
    assert (_root(apart) / SCRIPT).read_text() == _script("Bright, close.", "The end?")


def test_ends_of_lines_and_marks_stay(page: Page, apart: ServedPage) -> None:
    """A field knows one end of lines; the file keeps its own, and its mark at the beginning."""
    _open(page, LETTER)
    page.fill("textarea[name=text]", "Dear\nday and night\n")
    page.get_by_role("button", name="Use this text").click()
    expect(page.locator("h1")).to_contain_text("4 decisions left")
    assert (_root(apart) / LETTER).read_bytes() == b"\xef\xbb\xbfDear\r\nday and night\r\n"


def test_what_was_changed_meanwhile_is_not_written_over(apart: ServedPage) -> None:
    """Whoever saved the file in an editor after the page was loaded is told to look again, and keeps their text."""
    path = _root(apart) / SCRIPT
    shown = blob_id(path.read_bytes())
    path.write_text("edited in a terminal\n")
    refused = apart.do("resolve/text", path=SCRIPT, text="mine\n", shown=shown)
    assert refused.status == 400
    assert "was changed since" in refused.json["error"]["message"]
    assert path.read_text() == "edited in a terminal\n"
    assert SCRIPT in _open_paths(apart)
    now = blob_id(path.read_bytes())
    assert apart.do("resolve/text", path=SCRIPT, text="both\n", shown=now).status == 200
    assert SCRIPT not in _open_paths(apart)
    assert apart.do("resolve/text", path=SCRIPT, text="x\n", shown=now).json["error"]["code"] == "conflict_unknown"
    assert apart.do("resolve/text", path=POSTER, text="x\n", shown=now).status == 400
    assert apart.do("undo").status == 200
    assert path.read_text() == "edited in a terminal\n"


def test_pictures_sounds_and_films_are_looked_at_together(page: Page, apart: ServedPage) -> None:
    """Both pictures under a wipe, both films in two players that stay together, both sounds drawn with what differs."""
    root = _root(apart)
    _open(page, POSTER)
    page.wait_for_function("() => [...document.querySelectorAll('.ab img')].every(one => one.naturalWidth === 320)")
    page.get_by_role("radio", name="Wipe").click()
    expect(page.locator(".ab-stage")).to_have_attribute("data-mode", "wipe")
    page.get_by_role("button", name=re.compile("Take .* from dark")).click()
    expect(page.locator("h1")).to_contain_text("4 decisions left")
    with Image.open(root / POSTER) as picture:
        assert picture.getpixel((5, 5)) == (0, 0, 0)
    _open(page, FILM)
    page.wait_for_selector("[data-ab=video][data-decoded]", timeout=60_000)
    expect(page.locator("[data-told]")).to_contain_text(re.compile("differ"))
    page.wait_for_function("() => [...document.querySelectorAll('.ab video')].every(one => one.readyState > 1)")
    page.locator("h2").first.click()
    for _ in range(3):
        page.keyboard.press(".")
    times = "() => [...document.querySelectorAll('.ab video')].map(one => one.currentTime)"
    page.wait_for_function(f"() => ({times})().every(at => Math.abs(at - 0.12) < 0.01)")
    page.get_by_role("button", name=re.compile("Take .* from dark")).click()
    expect(page.locator("h1")).to_contain_text("3 decisions left")
    _open(page, VOICE)
    page.wait_for_selector("[data-ab=sound][data-decoded]", timeout=60_000)
    assert page.locator(".wave polygon").count() == 2
    assert page.locator(".wave .differs").count() >= 2
    page.get_by_role("button", name="Keep both").click()
    expect(page.locator("h1")).to_contain_text("2 decisions left")
    assert len(list((root / "assets").glob("voice*.wav"))) == 2


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | st.sampled_from([b"a\r\nb\n", b"\r", b"a\n\r\n"])
)
def test_a_text_that_was_not_edited_has_its_bytes(data: bytes) -> None:
    """What a field is given comes back byte for byte, or is not given to a field."""
    text = editable_text(data)
    if text is not None:
        assert "\r\n" not in text
        assert edited_bytes(text, data) == data
        assert edited_bytes(text.replace("\n", "\r\n"), data) == data
