"""An export that is started with a click is seen to its end, played, and one that takes long is cancelled."""

import json
from collections.abc import Iterator
from pathlib import Path

import aura_vcs as aura
import pytest

from tests.project.test_export_runs import short_film
from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from playwright.sync_api import Browser, Page, expect


@pytest.fixture
def short(tmp_path: Path) -> Iterator[ServedPage]:
    """A film of two seconds."""
    root = tmp_path / "film"
    short_film(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
    with serve(root, tmp_path / "home", author="Ada") as served:
        yield served


@pytest.fixture
def page(browser: Browser, short: ServedPage) -> Iterator[Page]:
    """A window on what the film is made of."""
    for window in open_window(browser, short):
        window.goto(f"http://127.0.0.1:{short.port}{short.base}/film")
        window.wait_for_selector("body[data-follows]")
        yield window


def _export(page: Page, target: Path) -> None:
    page.select_option("select[name=preset]", "Draft Preview")
    page.fill(".export-form input[name=output]", str(target))
    page.get_by_role("button", name="Export", exact=True).click()


def test_an_export_is_seen_to_its_end_and_played(page: Page, short: ServedPage, tmp_path: Path) -> None:
    """Its progress stands above, the film below when it is done, and it plays."""
    target = tmp_path / "out.mp4"
    seen = page.evaluate_handle(
        "() => { const seen = []; new MutationObserver(() => { const row = document.querySelector('.job-words');"
        " if (row) seen.push(row.textContent); })"
        ".observe(document.querySelector('#jobs'), {childList: true, subtree: true}); return seen; }"
    )
    _export(page, target)
    row = page.locator(".export", has_text="out.mp4")
    expect(row).to_contain_text("completed", timeout=60_000)
    assert target.stat().st_size > 1_000
    assert any("Export HEAD" in words for words in seen.json_value())
    page.evaluate("() => { const video = document.querySelector('.export video'); video.muted = true; video.play(); }")
    page.wait_for_function("() => document.querySelector('.export video').currentTime > 0.3")
    expect(page.locator("#jobs .job")).to_have_count(0)
    with aura.open(Path(short.server.site.settings.root or "")) as project:
        assert [job.status for job in project.exports.list()] == ["Completed"]


def test_an_export_that_browsers_do_not_play_is_made_playable(page: Page, short: ServedPage, tmp_path: Path) -> None:
    """Whoever wants to look at a film in ProRes waits for what is made of it, and it plays; the film itself stays."""
    target = tmp_path / "out.mov"
    page.select_option("select[name=preset]", "ProRes 422 HQ")
    page.fill(".export-form input[name=output]", str(target))
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator(".export", has_text="out.mov")).to_contain_text("completed", timeout=120_000)
    before = target.read_bytes()
    page.evaluate("() => { const video = document.querySelector('.export video'); video.muted = true; video.load(); }")
    page.evaluate("() => document.querySelector('.export video').play().catch(() => {})")
    page.wait_for_function("() => document.querySelector('.export video[data-made]')?.videoWidth > 0", timeout=120_000)
    expect(page.locator(".export .making")).to_have_count(0)
    page.evaluate("() => { const video = document.querySelector('.export video'); video.muted = true; video.play(); }")
    page.wait_for_function("() => document.querySelector('.export video').currentTime > 0.3")
    assert target.read_bytes() == before
    target.write_bytes(before + b"x")
    with aura.open(Path(short.server.site.settings.root or "")) as project:
        export = project.exports.list()[0].id
    for address in ("", "/playable", "/proxy"):
        assert "written anew since" in short.get(f"/export/{export}{address}").text


def test_an_export_is_cancelled(page: Page, short: ServedPage, tmp_path: Path) -> None:
    """It ends soon, leaves no file, and is on the list as what it is; the next one goes through."""
    root = Path(short.server.site.settings.root or "")
    timeline = json.loads((root / "timeline.json").read_text())
    for n, scene in enumerate(timeline["scenes"]):
        scene.update(start=n * 900, duration=900)
    (root / "timeline.json").write_text(json.dumps(timeline))
    with aura.open(root) as project:
        project.commit("Half an hour")
    _export(page, tmp_path / "long.mp4")
    job = page.locator("#jobs .job")
    expect(job).to_contain_text("Export HEAD")
    page.wait_for_function("() => document.querySelector('#jobs progress')?.value > 0", timeout=60_000)
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_have_count(0, timeout=30_000)
    expect(page.locator(".toast").last).to_contain_text("Nothing is half done")
    expect(page.locator(".export", has_text="long.mp4")).to_contain_text("cancelled")
    assert list(tmp_path.glob("*long*")) == []
