"""In Chromium: what it cannot play is made playable while somebody waits."""

import json
import re
from collections.abc import Iterator

import aura_vcs as aura
import pytest

from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve
from tests.ui.takes import BROKEN, FILM, STILL, WAVE, write_takes

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect


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


@pytest.fixture
def page(browser: Browser, takes: ServedPage) -> Iterator[Page]:
    """A window that was let in."""
    yield from open_window(browser, takes)


def _go(page: Page, takes: ServedPage, path: str) -> None:
    page.goto(f"http://127.0.0.1:{takes.port}{takes.base}{path}")
    page.wait_for_selector("body[data-ready]")


def test_what_this_browser_cannot_play(page: Page, takes: ServedPage) -> None:
    """The page waits, says how far it is in hundredths, and plays; a damaged file says so in its place."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            body = {"state": "making", "percent": 42, "message": "", "hint": ""}
            route.fulfill(body=json.dumps(body), content_type="application/json")
        else:
            route.continue_()

    page.route(re.compile("/proxy/"), answer)
    _go(page, takes, f"/v/v1/files/{FILM}")
    expect(page.locator(".making")).to_contain_text("42 %")
    page.wait_for_function("() => document.querySelector('video').videoWidth === 320", timeout=60_000)
    expect(page.locator(".making")).to_have_count(0)
    page.evaluate("() => { const video = document.querySelector('video'); video.muted = true; return video.play(); }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    assert page.evaluate("() => document.querySelector('video').duration") == pytest.approx(2.0, abs=0.15)
    _go(page, takes, f"/v/v1/files/{WAVE}")
    page.wait_for_function("() => document.querySelector('audio').duration > 0.9", timeout=60_000)
    _go(page, takes, f"/v/v1/files/{STILL}")
    page.wait_for_function("() => document.querySelector('.stage img').naturalWidth === 640", timeout=60_000)
    _go(page, takes, f"/v/v1/files/{BROKEN}")
    expect(page.locator(".making")).to_contain_text("cannot be decoded", timeout=60_000)


def test_a_sequence_is_played(page: Page, takes: ServedPage) -> None:
    """Numbered pictures are one line of the folder, and a film with its pictures behind it."""
    _go(page, takes, "/v/v1/files/renders")
    row = page.locator(".files li")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("12 pictures")
    for address in (
        "/v/v1/files/renders",
        "/v/v1/files/renders?sequence=shot.%5B0001-0013%5D.dpx",
        f"/v/v1/files/{BROKEN}",
    ):
        _go(page, takes, address)
        page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished))")
        found = [
            one["id"] for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")
        ]
        assert found == [], address
    _go(page, takes, "/v/v1/files/renders")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_contain_text("shot.[0001-0013].dpx")
    expect(page.locator(".lead")).to_contain_text("1 number in between has no picture")
    page.wait_for_function("() => document.querySelector('video').videoWidth === 160", timeout=60_000)
    expect(page.locator(".files li")).to_have_count(12)
