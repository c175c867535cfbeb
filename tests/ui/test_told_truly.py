"""What the page says is so: of what was done, of what could not be done, and of what cannot be seen any more."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.objects.trees import TreeReader
from aura_vcs.ui.actions.table import ACTIONS
from aura_vcs.ui.pages import file, operations, space

from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from playwright.sync_api import Browser, Page, expect

ID = "ab12" * 16


def _save(root: Path, name: str, **texts: str) -> None:
    for stem, text in texts.items():
        (root / f"{stem}.txt").write_text(text)
    with aura.open(root) as project:
        project.commit(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three versions of two texts, one of which is renamed in the last."""
    root = tmp_path / "film"
    root.mkdir()
    aura.init(root, author="Ada").close()
    _save(root, "First", a="1\n2\n3\n4\n", b="b\n")
    _save(root, "Second", a="1\n2\n3\n5\n")
    (root / "a.txt").rename(root / "z.txt")
    _save(root, "Renamed")
    return root


@pytest.fixture
def served(root: Path, home: Path) -> Iterator[ServedPage]:
    """The project, served."""
    with serve(root, home) as served:
        yield served


@pytest.fixture
def refusing(browser: Browser, served: ServedPage) -> Iterator[Page]:
    """A window whose console may say that a request was refused: that is what is tried here."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    window = context.new_page()
    window.goto(served.access.address)
    window.wait_for_selector("body[data-follows]")
    yield window
    context.close()


@pytest.fixture
def page(browser: Browser, served: ServedPage) -> Iterator[Page]:
    """A window that was let in; what its console complains of fails the test."""
    yield from open_window(browser, served)


def _go(page: Page, served: ServedPage, path: str) -> None:
    page.goto(f"http://127.0.0.1:{served.port}{served.base}{path}")
    page.wait_for_selector("body[data-ready]")


def _choose(page: Page, row: int, name: str) -> None:
    page.locator(".version").nth(row).locator(".menu summary").click()
    page.locator(".version").nth(row).get_by_role("button", name=name).click()


def _toast(page: Page, words: str) -> None:
    expect(page.locator(".toast").last).to_contain_text(words)


def test_going_where_one_is_takes_nothing_back(page: Page, served: ServedPage, root: Path) -> None:
    """It says so, and offers no Undo, which would take back what was done before."""
    _choose(page, 2, "Go there")
    _toast(page, "You are at v1, on no branch now. 2 paths changed.")
    expect(page.locator(".version").nth(2)).to_contain_text("you are here")
    _choose(page, 2, "Go there")
    _toast(page, "You are there already: nothing was changed.")
    expect(page.locator(".toast").last.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_dialog_begins_empty_and_says_itself_what_is_refused(refusing: Page, served: ServedPage) -> None:
    """Behind an open dialog nothing can be reached; and a name of before is not offered for another version."""
    page = refusing
    for row in (0, 1):
        _choose(page, row, "Tag …")
        expect(page.locator("#tag-title")).to_have_text(f"Tag v{3 - row}")
        expect(page.locator("#tag input[name=name]")).to_have_value("")
        page.fill("#tag input[name=name]", "premiere")
        page.keyboard.press("Enter")
        if not row:
            _toast(page, "Tagged premiere.")
    expect(page.locator("#tag [role=alert]")).to_contain_text("A tag called 'premiere' exists")
    expect(page.locator("#tag [role=alert] code")).to_have_text("aura tag -d premiere")
    page.keyboard.press("Escape")
    _choose(page, 1, "Tag …")
    expect(page.locator("#tag [role=alert]")).to_have_count(0)


def test_what_is_refused_again_is_said_once(refusing: Page, root: Path) -> None:
    """Who holds a key down does not get a column of the same words."""
    page = refusing
    with aura.open(root) as project:
        for _ in range(3):
            project.undo()
    for _ in range(3):
        with page.expect_response(re.compile("/undo$")):
            page.keyboard.press("u")
    _toast(page, "There is nothing to undo")
    expect(page.locator(".toast.bad")).to_have_count(1)
    expect(page.locator(".toast.bad code")).to_have_text("aura ops")


def test_a_file_that_is_the_same_is_not_another_one(page: Page, served: ServedPage) -> None:
    """Asked about a file that does not differ, the page does not show one that does; older names are found."""
    _go(page, served, "/compare?old=v1&new=v2&path=b.txt")
    expect(page.locator("#compared")).to_contain_text("b.txt does not differ between v1 and v2")
    _go(page, served, "/compare?old=v2&new=v3&path=a.txt")
    expect(page.locator("#file-title")).to_contain_text("z.txt")
    _go(page, served, "/file/z.txt")
    for row in (1, 2):
        page.locator("[data-choose]").nth(row).check()
    page.get_by_role("link", name="Compare", exact=True).last.click()
    expect(page.locator("#file-title")).to_contain_text("a.txt")
    _go(page, served, "/file/b.txt")
    expect(page.locator(".lead")).to_have_text("1 version changed it.")


def test_what_was_filled_in_wrongly_is_said_beside_it(served: ServedPage) -> None:
    """A time or a branch that is none leaves the filters there, to be corrected."""
    for query, words, status in (("since=soon", "is not a time", 400), ("branch=gone", "no branch", 404)):
        answer = served.get(f"?{query}")
        assert answer.status == status
        assert words in answer.text
        assert 'id="filters"' in answer.text
    asked = served.get("/space?free=lots")
    assert asked.status == 200
    assert 'value="lots"' in asked.text
    assert "is not a size" in served.get("/space/plan?free=lots").text


def test_words_for_one_thing_and_for_many(page: Page) -> None:
    """One is one, thousands are written as such, and what had nothing to do says so."""

    def say(name: str, done: object) -> str:
        return str(page.evaluate("([name, done]) => auraWords.words(name, done, '')", [name, done]))

    assert page.evaluate("() => auraWords.size(1)") == "1 byte"
    assert say("export/version", {"files": 1, "path": "/a"}) == "Wrote 1 file to /a."
    assert say("export/version", {"files": 1234, "path": "/a"}) == "Wrote 1,234 files to /a."
    assert "everything of it already" in say("merge", {"kind": "up_to_date", "conflicts": []})
    assert "fast-forwarded" in say("merge", {"kind": "forward", "conflicts": []})
    assert say("merge", {"kind": "merge", "conflicts": [1]}) == "Merged; 1 conflict left to decide."
    assert not page.evaluate("() => auraWords.did('merge', {kind: 'up_to_date'})")


def test_the_first_version_and_what_is_folded(page: Page, served: ServedPage, root: Path, tmp_path: Path) -> None:
    """The first was changed since nothing; a restore point is not called an autosave."""
    expect(page.locator(".version .words").last).to_have_text("3 files to begin with")
    (root / "b.txt").write_text("unsaved\n")
    with aura.open(root) as project:
        project.restore("v1", paths=["b.txt"])
    expect(page.locator(".folded")).to_have_text("1 automatic version folded")
    _go(page, served, "/v/v1")
    expect(page.locator("#changed")).to_have_text("What it began with")


def test_titles_have_no_long_ids() -> None:
    """What is being done is called by the beginning of an id."""
    action = ACTIONS["version/delete"]
    assert action.title(action.shape(version=ID)) == f"Delete {ID[:10]}"  # type: ignore[call-arg]
    assert action.title(action.shape(version="v3")) == "Delete v3"  # type: ignore[call-arg]


def test_both_heads_are_looked_at_and_merged(browser: Browser, root: Path, home: Path, tmp_path: Path) -> None:
    """The page says that the branch has diverged, shows both at once, and nothing of the plan is left afterwards."""
    with aura.open(root) as project:
        project.remotes.add("nas", tmp_path / "nas.aura")
        project.push("nas")
    other = tmp_path / "other"
    aura.clone(tmp_path / "nas.aura", other, author="Bo").close()
    _save(other, "Of Bo", b="bo\n")
    with aura.open(other) as project:
        project.push()
    _save(root, "Of Ada", b="ada\n")
    with serve(root, home) as served:
        for page in open_window(browser, served):
            _go(page, served, "/machines")
            page.get_by_role("button", name="Only fetch").click()
            expect(page.locator("#apart")).to_contain_text("main has diverged")
            _go(page, served, "/merge")
            expect(page.locator("h1")).to_contain_text("into main")
            expect(page.locator("#proposed")).to_contain_text("1 conflict would be left to decide")
            page.get_by_role("button", name="Merge", exact=True).click()
            _toast(page, "Merged; 1 conflict left to decide.")
            expect(page.locator("h1")).to_have_text("1 decision left")
            expect(page.get_by_role("button", name="Merge", exact=True)).to_have_count(0)


def test_what_was_freed_stays_said(page: Page, served: ServedPage, root: Path, tmp_path: Path) -> None:
    """The plan is made anew without the page, so that the answer can be read."""
    (root / "big.mp4").write_bytes(bytes(range(256)) * 8_000)
    _save(root, "Big")
    (root / "big.mp4").unlink()
    _save(root, "Small")
    with aura.open(root) as project:
        project.remotes.add("nas", tmp_path / "nas.aura")
        project.push("nas")
    _go(page, served, "/space?free=1MB")
    expect(page.locator(".plan-items")).to_contain_text("nas holds it")
    page.get_by_role("button", name="Let these go").click()
    _toast(page, "Freed ")
    expect(page.locator("#plan")).to_contain_text("There is nothing that could go")
    _toast(page, "Freed ")


def test_a_page_without_its_server_says_so(browser: Browser, root: Path, home: Path) -> None:
    """It does not look as if it went on; said once, however long that lasts."""
    with serve(root, home) as served:
        context = browser.new_context()
        window = context.new_page()
        window.goto(served.access.address)
        window.wait_for_selector("body[data-follows]")
    expect(window.locator(".toast.bad")).to_contain_text("The page lost its server.", timeout=20_000)
    expect(window.locator(".toast.bad code")).to_have_text("aura ui")
    assert window.locator("body[data-follows]").count() == 0
    window.locator(".toast.bad").get_by_role("button", name="Close").click()
    with pytest.raises(AssertionError):
        expect(window.locator(".toast.bad")).to_have_count(1, timeout=3_000)
    context.close()


def test_older_operations_are_of_the_same_list(served: ServedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was chosen to be listed stays chosen on the next page; at the end nothing is said to be all."""
    monkeypatch.setattr(operations, "PAGE", 1)
    assert 'operations?all=1&amp;offset=1"' in served.get("/operations?all=1").text
    assert 'operations?offset=1"' in served.get("/operations").text
    assert "Nothing older was done." in served.get("/operations?offset=100").text


def test_a_file_in_damaged_content_is_not_gone(served: ServedPage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a version cannot be looked into, nobody knows whether the file is there; nor is nothing stored."""
    assert "gone" not in served.get("/file/b.txt").text

    def damaged(*_: object) -> None:
        raise IntegrityError("The tree is damaged")

    listed = file.log

    def list_then_damage(*asked: Any, **also: Any) -> Any:
        found = listed(*asked, **also)
        monkeypatch.setattr(TreeReader, "entry", damaged)
        return found

    monkeypatch.setattr(file, "log", list_then_damage)
    seen = served.get("/file/b.txt").text
    assert "cannot be read" in seen
    assert "gone" not in seen
    monkeypatch.setattr(space, "stored_files", lambda _: [])
    for _ in range(200):
        drawn = served.get("/space/map?by=path").text
        if "data-again" not in drawn:
            break
        time.sleep(0.05)
    assert "There is nothing to draw" in drawn
    assert "Nothing is stored yet" not in drawn
