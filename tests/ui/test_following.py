"""While the page follows what others do, whoever uses it is not disturbed: clicks, focus, scrolling, words begun."""

import re
from collections.abc import Iterator
from pathlib import Path

import aura_vcs as aura
import pytest

from tests.helpers.project import write_project
from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from playwright.sync_api import Browser, Page, expect

VERSIONS = 130


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """A project with more versions than are listed at once."""
    folder = tmp_path_factory.mktemp("following")
    root = folder / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        for n in range(VERSIONS):
            (root / "note.txt").write_text(str(n))
            project.commit(f"Cut {n}")
    with serve(root, folder / "home") as served:
        yield served


@pytest.fixture
def page(browser: Browser, long: ServedPage) -> Iterator[Page]:
    """A window on the history that listens, with all of the first rows filled."""
    for window in open_window(browser, long):
        window.wait_for_selector("body[data-follows]")
        expect(window.locator(".version .words").first).not_to_be_empty()
        yield window


def _root(long: ServedPage) -> Path:
    return Path(long.server.site.settings.root or "")


def _project(long: ServedPage) -> aura.Project:
    return aura.open(_root(long))


def _tag(long: ServedPage, name: str) -> None:
    with _project(long) as project:
        project.tags.create(name)


def _has_followed(page: Page, name: str) -> None:
    expect(page.locator(".pill.tag", has_text=name)).to_have_count(1)


def test_a_click_is_not_lost(page: Page, long: ServedPage) -> None:
    """What is under a pointer that is down stays there until it is up, and then the page catches up."""
    row = page.locator(".version").nth(3)
    name = row.locator(".name").inner_text()
    box = row.locator(".name").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    with page.expect_response(lambda answer: answer.url.endswith(long.base)), _project(long) as project:
        (_root(long) / "note.txt").write_text("while it is down")
        project.commit("Meanwhile")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(page.locator(".version .name").first).not_to_have_text("Meanwhile")
    page.mouse.up()
    page.wait_for_url(re.compile("/v/"))
    expect(page.locator("h1")).to_contain_text(name)
    page.go_back()
    expect(page.locator(".version .name").first).to_have_text("Meanwhile")


def test_an_open_menu_stays_where_it_is(page: Page, long: ServedPage) -> None:
    """It is not moved away under the pointer; closed, focus is on what opened it, and the page catches up."""
    row = page.locator(".version").nth(2)
    row.hover()
    row.locator(".menu summary").click()
    with page.expect_response(lambda answer: answer.url.endswith(long.base)):
        _tag(long, "menu")
    expect(row.get_by_role("button", name="Rename …")).to_be_visible()
    expect(page.locator(".pill.tag", has_text="menu")).to_have_count(0)
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.matches('.menu summary')")
    _has_followed(page, "menu")


def test_focus_scrolling_and_rows_stay(page: Page, long: ServedPage) -> None:
    """The rows that did not change are the same elements; the list that was scrolled keeps all its rows."""
    page.locator(".version").last.scroll_into_view_if_needed()
    expect(page.locator(".version")).to_have_count(VERSIONS if page.locator("[data-more]").count() == 0 else 120)
    page.locator(".version").nth(60).scroll_into_view_if_needed()
    page.locator(".version .name").nth(60).focus()
    page.evaluate("() => { window.kept = document.activeElement; }")
    page.evaluate("() => { window.rows = [...document.querySelectorAll('.version')]; }")
    before = page.evaluate("() => [scrollY, document.querySelectorAll('.version').length]")
    _tag(long, "scrolled")
    expect(page.locator(".pill.tag", has_text="scrolled")).to_have_count(1)
    assert page.evaluate("() => document.activeElement === window.kept")
    assert page.evaluate("() => [scrollY, document.querySelectorAll('.version').length]") == before
    assert page.evaluate("() => window.rows.every((row, n) => row === document.querySelectorAll('.version')[n])")


def test_words_that_were_begun_stay(page: Page, long: ServedPage) -> None:
    """A name that somebody is typing is not replaced by a suggestion, nor is the field left."""
    root = _root(long)
    (root / "begun.txt").write_text("one")
    page.fill("#commit input[name=name]", "A name of mi")
    (root / "more.txt").write_text("two")
    expect(page.locator("#unsaved")).to_contain_text("more.txt")
    page.keyboard.type("ne")
    expect(page.locator("#commit input[name=name]")).to_have_value("A name of mine")
    page.keyboard.press("Enter")
    expect(page.locator(".version .name").first).to_have_text("A name of mine")
    expect(page.locator("#unsaved")).to_contain_text("Everything is saved")


def test_what_is_done_gives_focus_back(page: Page) -> None:
    """By keyboard alone: a menu is opened, a name given in a dialog, and one goes on from where one was."""
    page.locator(".version").nth(1).locator(".menu summary").focus()
    page.keyboard.press("Enter")
    page.locator(".version").nth(1).get_by_role("button", name="Rename …").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit")).to_be_visible()
    page.keyboard.type("Renamed by keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#edit")).to_be_hidden()
    expect(page.locator(".version .name").nth(1)).to_have_text("Renamed by keyboard")
    assert page.evaluate("() => document.activeElement.matches('.menu summary')")


def test_what_is_read_out_is_little(page: Page, long: ServedPage) -> None:
    """A refresh says nothing; what was done is said once."""
    heard = page.evaluate_handle(
        "() => { const heard = []; for (const place of document.querySelectorAll('[aria-live], [role=status]'))"
        " new MutationObserver(() => heard.push(place.textContent)).observe(place, {childList: true, subtree: true,"
        " characterData: true}); return heard; }"
    )
    _tag(long, "quiet")
    _has_followed(page, "quiet")
    assert heard.json_value() == []
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_have_count(1)
    assert [words for words in heard.json_value() if "Took back" not in words and "Undid" not in words] == []


def test_what_cannot_be_looked_at_is_said_in_its_place(page: Page, long: ServedPage) -> None:
    """A part that the server refuses says why and what to do, and the rest of the view stays."""
    body = long.get("/v/v999999").text
    page.route(re.compile("/unsaved"), lambda route: route.fulfill(status=404, body=body, content_type="text/html"))
    page.reload()
    expect(page.locator("#unsaved .warn")).to_contain_text("v999999")
    expect(page.locator("main")).to_have_count(1)
    expect(page.locator(".version").first).to_be_visible()
