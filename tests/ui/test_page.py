"""The page in Chromium: each view is used as a person uses it, and what that did is looked up on the disk."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aura_vcs as aura
import pytest

from tests.ui.browser import CHROMIUM, open_window
from tests.ui.conftest import ServedPage, serve
from tests.ui.story import CLIP, EARTH, MARS, RAW, SUBTITLES, edit, tell_story

if not CHROMIUM:
    pytest.skip("Chromium is not installed: `make packages` installs it", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

SERIOUS = {"serious", "critical"}
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedPage]:
    """The film with a history, served."""
    folder = tmp_path_factory.mktemp("page")
    root = tell_story(folder)
    with serve(root, folder / "home", author="Mara Lind") as served:
        yield served


@pytest.fixture
def page(browser: Browser, film: ServedPage) -> Iterator[Page]:
    """A window that was let in, on the history; what its console complains of fails the test."""
    yield from open_window(browser, film)


def _root(film: ServedPage) -> Path:
    return Path(film.server.site.settings.root or "")


def _go(page: Page, film: ServedPage, path: str) -> None:
    page.goto(f"http://127.0.0.1:{film.port}{film.base}{path}")
    page.wait_for_selector("body[data-ready]")


def _from_menu(page: Page, row: Locator, name: str, dialog: str) -> None:
    """Choose from a version's menu; once more where the list was made anew under the pointer."""
    for _ in range(5):
        if not row.locator(".menu[open]").count():
            row.locator(".menu summary").click()
        row.get_by_role("button", name=name).click()
        with suppress(AssertionError):
            expect(page.locator(dialog)).to_be_visible(timeout=2_000)
            return


def test_history(page: Page, film: ServedPage) -> None:
    """Unsaved work appears by itself; it is saved, tagged, renamed and marked in the list, which can be filtered."""
    root = _root(film)
    (root / "idea.txt").write_text("a comet at the end\n")
    expect(page.locator("#unsaved")).to_contain_text("idea.txt")
    expect(page.locator("#unsaved")).to_contain_text("1 conflict")
    page.fill("#commit input[name=name]", "An idea")
    page.click("#commit button")
    row = page.locator(".version").first
    expect(row).to_contain_text("An idea")
    expect(row.locator(".words")).not_to_be_empty()
    with aura.open(root) as project:
        assert project.show().name == "An idea"
        assert project.status().is_clean
    row.hover()
    _from_menu(page, row, "Tag …", "#tag")
    page.fill("#tag input[name=name]", "idea")
    page.click("#tag button.main")
    expect(row.locator(".pill.tag")).to_contain_text("idea")
    _from_menu(page, row, "Rename …", "#edit")
    page.fill("#edit input[name=name]", "The comet")
    page.click("#edit button.main")
    expect(row).to_contain_text("The comet")
    row.locator(".menu summary").click()
    row.get_by_role("button", name="Mark as important").click()
    expect(row.locator(".star")).to_be_visible()
    with aura.open(root) as project:
        assert (project.show().name, project.show().important) == ("The comet", True)
        assert project.tags["idea"].version == project.show().id
    page.fill("#filters input[name=author]", "Jonas")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("author=Jonas"))
    expect(page.locator(".version")).to_have_count(1)
    expect(page.locator(".version")).to_contain_text("Warmer Mars")
    expect(page.locator(".version .star")).to_be_visible()


def test_a_version(page: Page, film: ServedPage, tmp_path: Path) -> None:
    """Timeline, scenes and files are there; a file, a ZIP and a copy come out; a file goes back, undo takes it."""
    root = _root(film)
    _go(page, film, "/v/v3")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Warmer Mars")
    assert page.locator(".timeline .clip").count() == 10
    assert page.locator(".scene").count() == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert b"Our Sun holds" in archive.read(SUBTITLES)
    page.get_by_role("button", name="Open a copy …").click()
    page.fill("#copy input[name=target]", str(tmp_path / "copy"))
    page.click("#copy button.main")
    expect(page.locator(".toast")).to_contain_text("files to")
    assert "Our Sun holds" in (tmp_path / "copy" / SUBTITLES).read_text()
    _go(page, film, f"/v/v1/files/{SUBTITLES}")
    expect(page.locator("pre.text")).to_contain_text("The Sun holds")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with aura.open(root) as project:
        assert Path(download.value.path()).read_bytes() == project.read(SUBTITLES, "v1")
    before = (root / SUBTITLES).read_text()
    page.get_by_role("button", name="Restore file").click()
    page.get_by_role("button", name="Restore file").last.click()
    expect(page.locator(".toast")).to_contain_text("1 path changed")
    assert "The Sun holds" in (root / SUBTITLES).read_text()
    undo = page.locator("[data-do=undo]").first
    expect(undo).to_have_attribute("title", re.compile("Undo: Restored"))
    undo.click()
    expect(page.locator(".toast").last).to_contain_text("Undid")
    assert (root / SUBTITLES).read_text() == before
    expect(page.locator("[data-do=redo]").first).to_be_enabled()


def test_comparing_timelines_documents_and_texts(page: Page, film: ServedPage) -> None:
    """Words first; a clip that is clicked on shows both frames; fields and the words that changed are marked."""
    _go(page, film, "")
    for name in ("v4", "v3"):
        page.locator(f".version[data-called={name}]").hover()
        page.locator(f".version[data-called={name}] [data-choose]").check()
    expect(page.locator("#chosen-words")).to_have_text("v3 with v4")
    page.click("#chosen-link")
    expect(page.locator(".headline")).to_contain_text("Removed 1 clip, moved 1 clip")
    expect(page.locator(".summary")).to_contain_text("Brisk, for a phone")
    assert page.locator("[data-side=old] .clip.removed").count() == 1
    assert page.locator("[data-side=new] .clip.moved").count() == 1
    page.locator("[data-side=new] a:has(.clip.moved)").click()
    expect(page.locator("#clip img")).to_have_count(2)
    assert "clip=" in page.url
    page.keyboard.press("[")
    page.wait_for_url(re.compile("brief.json"))
    expect(page.locator("table.fields del")).to_contain_text("Warm, calm")
    expect(page.locator("table.fields ins")).to_contain_text("Brisk")
    _go(page, film, f"/compare?old=v2&new=v3&path={SUBTITLES}")
    expect(page.locator("table.lines del b").first).to_have_text("The")
    expect(page.locator("table.lines ins b").first).to_have_text("Our")


def test_comparing_pictures(page: Page, film: ServedPage) -> None:
    """Four ways to look, the wipe follows the mouse, and the address says which and where."""
    _go(page, film, f"/compare?old=v2&new=v3&path={MARS}")
    stage = page.locator(".ab-stage")
    expect(stage).to_have_attribute("data-mode", "side")
    boxes = [page.locator(f".ab-{side}").bounding_box() for side in ("old", "new")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    page.keyboard.press("2")
    expect(stage).to_have_attribute("data-mode", "wipe")
    box = page.locator(".ab-new").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 40)
    page.mouse.up()
    assert 20 < float(page.locator(".ab-slider input").input_value()) < 30
    clip = page.locator(".ab-new").evaluate("image => getComputedStyle(image).clipPath")
    assert re.fullmatch(r"inset\(0px 0px 0px 2\d(\.\d+)?%\)", clip)
    page.get_by_role("radio", name="Difference").click()
    assert page.locator(".ab-new").evaluate("image => getComputedStyle(image).mixBlendMode") == "difference"
    assert "mode=difference" in page.url
    page.reload()
    expect(stage).to_have_attribute("data-mode", "difference")
    page.get_by_role("radio", name="Overlay").click()
    assert 0 < float(page.locator(".ab-new").evaluate("image => getComputedStyle(image).opacity")) < 1


def test_comparing_videos(page: Page, film: ServedPage) -> None:
    """Two players stay together, go by a frame and to the next difference, and take turns to be heard."""
    _go(page, film, f"/compare?old=v3&new=v5&path={CLIP}&mode=wipe")
    page.wait_for_selector("[data-decoded]", timeout=60_000)
    expect(page.locator("[data-told]")).to_contain_text("differ")
    assert page.locator(".stretches rect.seen").count() >= 1
    times = "() => ['old', 'new'].map(side => document.querySelector(`video.ab-${side}`).currentTime)"
    page.wait_for_function("() => [...document.querySelectorAll('video')].every(video => video.readyState > 1)")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video.ab-new').currentTime > 0.6")
    page.keyboard.press("Space")
    one, other = page.evaluate(times)
    assert abs(one - other) < 0.15
    page.evaluate("() => document.querySelector('[data-seek]').dispatchEvent(new Event('input'))")
    page.locator("[data-seek]").fill("0")
    page.wait_for_function("() => document.querySelector('video.ab-new').currentTime < 0.01")
    page.keyboard.press("Escape")
    page.locator("h2").first.click()
    page.keyboard.press(".")
    page.wait_for_function("() => document.querySelector('video.ab-new').currentTime > 0.03")
    one, other = page.evaluate(times)
    assert one == pytest.approx(0.04, abs=0.005)
    assert other == pytest.approx(0.04, abs=0.005)
    page.keyboard.press("n")
    page.wait_for_function("() => document.querySelector('video.ab-new').currentTime > 0.8")
    one, other = page.evaluate(times)
    assert one == pytest.approx(1.0, abs=0.2)
    assert other == pytest.approx(one, abs=0.05)
    page.keyboard.press("b")
    muted = "() => ['old', 'new'].map(side => document.querySelector(`video.ab-${side}`).muted)"
    assert page.evaluate(muted) == [True, False]
    assert "t=" in page.url
    assert "sound=new" in page.url


def test_comparing_sounds(page: Page, film: ServedPage) -> None:
    """Both are drawn, what differs is marked, and a marked stretch plays."""
    _go(page, film, f"/compare?old=v4&new=v5&path={EARTH}")
    page.wait_for_selector("[data-decoded]", timeout=60_000)
    assert page.locator(".wave polygon").count() == 2
    assert page.locator(".wave .differs").count() >= 2
    page.locator("[data-stretches] button").last.click()
    page.wait_for_function("() => document.querySelector('audio.ab-new').currentTime > 2")


def test_one_file_through_time(page: Page, film: ServedPage) -> None:
    """All its versions, any two of them compared; the values of a field, as a line where they are numbers."""
    _go(page, film, f"/file/{MARS}")
    expect(page.locator(".step")).to_have_count(2)
    for box in page.locator("[data-choose]").all():
        box.check()
    page.click("#chosen-link")
    expect(page.locator("#file-title")).to_contain_text(MARS)
    page.wait_for_url(re.compile("mode=side"))
    _go(page, film, "/file/voice.json")
    page.select_option("select[name=field]", "/rate")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".plot circle").nth(1)).to_be_visible()  # other tests may have saved it again by then
    expect(page.locator(".values")).to_contain_text("0.9")


def test_merging_and_conflicts(page: Page, film: ServedPage) -> None:
    """Both sides are shown; the decision is in the file, undo opens it again, and a value of one's own is taken too."""
    brief = _root(film) / "brief.json"
    _go(page, film, "/merge")
    expect(page.locator("h1")).to_contain_text("1 decision left")
    sides = page.locator(".decision .side")
    expect(sides.first).to_contain_text("Warm and slow")
    expect(sides.last).to_contain_text("Brisk, for a phone")
    sides.last.get_by_role("button", name="Take this").click()
    expect(page.locator("h1")).to_contain_text("Nothing to decide")
    assert json.loads(brief.read_text())["tone"] == "Brisk, for a phone"
    page.locator(".toast button").first.click()
    expect(page.locator("h1")).to_contain_text("1 decision left")
    assert json.loads(brief.read_text())["tone"] == "Warm and slow"
    page.fill(".own-value input[name=value]", "Warm and brisk")
    page.get_by_role("button", name="Use what I wrote").click()
    expect(page.locator("h1")).to_contain_text("Nothing to decide")
    assert json.loads(brief.read_text())["tone"] == "Warm and brisk"
    with aura.open(_root(film)) as project:
        assert project.conflicts() == ()
        project.commit("Decided")
        project.branches.create("other", "v3")
    _go(page, film, "/merge?with=other")
    expect(page.locator("main")).to_contain_text("is in your branch already")


def test_space(page: Page, film: ServedPage) -> None:
    """The map has every file; a plan names what could go and why; what went comes back when it is needed."""
    root = _root(film)
    _go(page, film, "/space")
    expect(page.locator(".treemap .tile").first).to_be_visible()
    expect(page.locator(".groups")).to_contain_text("audio")
    page.fill("#free", "1 MB")
    page.get_by_role("button", name="Plan").click()
    expect(page.locator(".plan-items")).to_contain_text("nas holds it")
    expect(page.locator("[data-sum]")).to_contain_text("1.5 MB")
    page.locator(".plan-items input").first.uncheck()
    expect(page.locator("[data-sum]")).to_contain_text("0 bytes")
    page.locator(".plan-items input").first.check()
    page.get_by_role("button", name="Let these go").click()
    expect(page.locator("#plan")).to_contain_text("There is nothing that could go", timeout=30_000)
    with aura.open(root) as project:
        assert project.storage().offloaded.count == 1
        assert len(project.read(RAW, "v1")) == 1_500_000


def test_machines(page: Page, film: ServedPage) -> None:
    """What is not sent is counted; push sends it."""
    root = _root(film)
    _go(page, film, "/machines")
    expect(page.locator(".exchange")).to_contain_text("to send")
    page.get_by_role("button", name="Push").click()
    expect(page.locator(".toast")).to_contain_text(re.compile("Sent|everything"), timeout=30_000)
    expect(page.locator(".exchange")).to_contain_text("0 versions to send")
    page.get_by_role("button", name="Sync").click()
    expect(page.locator(".toast").last).to_contain_text(
        re.compile(r"has nothing new\. .* has everything\."), timeout=30_000
    )
    with aura.open(root) as project:
        assert project.remotes.compare("nas").to_push.is_empty


def test_the_page_follows_the_command_line(page: Page, film: ServedPage) -> None:
    """A commit in another process is in the list by itself; operations can be taken back one by one."""
    root = _root(film)
    _go(page, film, "")
    page.wait_for_selector("body[data-follows]")
    edit(root / "voice.json", lambda d: d.update(pitch=0.2))
    command = [sys.executable, "-m", "aura_vcs", "-C", str(root), "commit", "-m", "From the terminal", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    expect(page.locator(".version .name").first).to_have_text("From the terminal")
    assert json.loads(done.stdout)["created"]
    _go(page, film, "/operations")
    first = page.locator(".operation").first
    expect(first).to_contain_text("From the terminal")
    with aura.open(root) as project:
        number = project.show().number
    page.keyboard.press("u")
    undone = page.locator(".operation.undone", has_text="From the terminal")
    expect(undone).to_have_count(1)
    with aura.open(root) as project:
        assert project.show().number < number
    undone.get_by_role("button", name="Do again").click()
    expect(undone).to_have_count(0)


def test_the_studio(page: Page, browser: Browser, film: ServedPage, tmp_path: Path) -> None:
    """Scenes with their media; and elsewhere the list of projects, from which each is opened."""
    _go(page, film, "/film")
    expect(page.locator(".scene").first).to_contain_text("A small place in a large dark")
    expect(page.locator("main")).to_contain_text("Nothing was exported yet")
    home = tmp_path / "home"
    aura.Studio(home).projects.add(_root(film))
    with serve(None, home) as served:
        for window in open_window(browser, served):
            window.fill("input[name=q]", "solar")
            window.keyboard.press("Enter")
            window.get_by_role("link", name="The Solar System in a Minute").click()
            expect(window.locator(".version").first).to_be_visible()
            window.goto(f"http://127.0.0.1:{served.port}/templates")
            expect(window.locator(".projects li").first).to_be_visible()


def test_by_keyboard(page: Page, film: ServedPage) -> None:
    """Without a mouse: the keys are listed, a version is found, chosen, opened, and another view gone to."""
    _go(page, film, "")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.locator(".version [data-choose]").nth(4).focus()
    acts = "() => getComputedStyle(document.activeElement.closest('.acts > *')).opacity"
    assert page.evaluate(acts) == "1"
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".version.current")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator("#chosen")).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/v/"))
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url(re.compile("/operations"))
    page.keyboard.press("/")
    page.keyboard.type("asteroid")
    page.keyboard.press("Enter")
    expect(page.locator(".found li").first).to_contain_text("asteroid", ignore_case=True)


def test_undo_is_offered_for_what_was_done_alone(page: Page, film: ServedPage) -> None:
    """After a restore that had nothing to change, Undo would take back what was done before."""
    with aura.open(_root(film)) as project:
        before = len(list(project.operations))
    _go(page, film, f"/v/v3/files/{SUBTITLES}")
    page.get_by_role("button", name="Restore file").click()
    page.get_by_role("button", name="Restore file").last.click()
    expect(page.locator(".toast")).to_contain_text("nothing was changed")
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_have_count(0)
    with aura.open(_root(film)) as project:
        assert len(list(project.operations)) == before


def test_a_branch_that_is_gone_is_not_every_branch(film: ServedPage) -> None:
    """An address that was kept says that its branch is not there any more."""
    answer = film.get("?branch=shortest")
    assert answer.status == 404
    assert "shorter" in answer.text
    assert "shortest" in answer.text


@pytest.mark.parametrize("width", [1280, 360])
def test_every_value_of_a_field_is_inside_its_plot(page: Page, film: ServedPage, width: int) -> None:
    """The newest value is drawn in a narrow window, too."""
    page.set_viewport_size({"width": width, "height": 740})
    _go(page, film, "/file/voice.json?field=/rate")
    around = page.locator(".plot > svg").bounding_box()
    assert around is not None
    points = [point.bounding_box() for point in page.locator(".plot circle").all()]
    assert len(points) >= 2
    for point in points:
        assert point is not None
        assert around["x"] <= point["x"] <= around["x"] + around["width"] - point["width"]


CONTROLS = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, audio[controls], video[controls], [tabindex="0"]')]
    .filter(one => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({visibilityProperty: true}))
    .map((one, at) => { one.dataset.walk = at; return one.outerHTML.slice(0, 120); })"""
FOCUSED = """() => {
    const one = document.activeElement, at = one.getBoundingClientRect(), style = getComputedStyle(one);
    let seen = 1;
    for (let above = one; above; above = above.parentElement) seen *= +getComputedStyle(above).opacity;
    const isPlayer = ['AUDIO', 'VIDEO'].includes(one.tagName); // which marks what it holds
    const marked = isPlayer || style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    const inside = at.bottom > 0 && at.top < innerHeight && at.right > 0 && at.left < innerWidth;
    return {at: one.dataset.walk ?? null, visible: seen > .5 && marked && inside, html: one.outerHTML.slice(0, 120)};
}"""
STOPS = 12
"""A player has so many controls of its own at most."""


@pytest.mark.parametrize("view", ["/v/v3", "/film"])
def test_every_control_is_reached_by_tab(page: Page, film: ServedPage, view: str) -> None:
    """Tab goes through all of a view, players and what they hold included, to its end, and shows where it is."""
    _go(page, film, view)
    page.wait_for_function("() => !document.querySelector('[data-load]:not([data-lazy])[aria-busy=true]')")
    controls = page.evaluate(CONTROLS)
    reached, hidden = dict[str, int](), list[str]()
    for _ in range(len(controls) * STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["at"] is None or (focused["at"] == "0" and len(reached) > 1):
            break
        reached[focused["at"]] = reached.get(focused["at"], 0) + 1
        hidden += [] if focused["visible"] else [focused["html"]]
    assert [html for at, html in enumerate(controls) if str(at) not in reached] == []
    assert max(reached.values()) <= STOPS
    assert hidden == []


VIEWS = ["", "?all=1", "/v/v3", "/v/v3/files/", f"/v/v3/files/{MARS}", f"/v/v1/files/{CLIP}", f"/v/v3/files/{EARTH}",
         "/v/v3/files/brief.json", "/compare", "/compare?old=v3&new=v4", f"/compare?old=v2&new=v3&path={MARS}",
         f"/compare?old=v2&new=v3&path={SUBTITLES}", f"/compare?old=v3&new=v5&path={CLIP}",
         f"/compare?old=v4&new=v5&path={EARTH}", "/file/voice.json?field=/rate", f"/file/{MARS}", "/merge",
         "/merge?with=shorter", "/space?free=1MB", "/space?by=version", "/machines", "/operations", "/film",
         "/search?q=sun", "/search?q=nowhere", "/v/v99"]  # fmt: skip
FEW_VIEWS = ["", "/v/v3", f"/compare?old=v2&new=v3&path={MARS}", "/merge"]
WINDOWS = (("light", 1280, 860), ("dark", 360, 740), ("dark", 640, 430))
"""A window, a phone, and a window at twice the size."""


@pytest.mark.parametrize("views", [FEW_VIEWS, pytest.param(VIEWS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_nothing_serious_for_a_screen_reader(browser: Browser, film: ServedPage, views: list[str]) -> None:
    """axe-core finds nothing serious in any view, in light and dark; and no view is wider than a phone."""
    found = []
    context = browser.new_context()
    page = context.new_page()
    page.goto(film.access.address)
    page.wait_for_url(re.compile("/p/"))
    for view, (scheme, width, height) in ((view, window) for view in views for window in WINDOWS):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"http://127.0.0.1:{film.port}{film.base}{view}")
        page.wait_for_selector("body[data-ready], main.problem")
        page.wait_for_function("() => !document.querySelector('[data-load]:not([data-lazy])[aria-busy=true]')")
        page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished))")
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in SERIOUS:
                found.append((view, scheme, width, violation["id"], violation["nodes"][0]["html"][:200]))
        wide = page.evaluate(TOO_WIDE)
        if wide > 0:
            found.append((view, scheme, width, "wider than the window", str(wide)))
    context.close()
    assert found == [], found


def test_notes(page: Page, film: ServedPage) -> None:
    """Something is said about a version, answered and seen to, and is a note of the project."""
    _go(page, film, "/v/v2")
    page.fill("#notes .commit input[name=text]", "The Sun is still long")
    page.get_by_role("button", name="Note it").click()
    note = page.locator(".note")
    expect(note).to_contain_text("The Sun is still long")
    note.locator("input[name=text]").fill("Shorter now")
    page.keyboard.press("Enter")
    expect(note.locator(".reply")).to_contain_text("Shorter now")
    note.get_by_role("button", name="Seen to").click()
    expect(note).to_contain_text("resolved")
    with aura.open(_root(film)) as project:
        found = project.notes.list("v2")
        assert [(item.text, item.state, len(item.replies)) for item in found] == [
            ("The Sun is still long", "resolved", 1)
        ]


def test_a_region_of_a_picture_is_marked_where_it_is(page: Page, film: ServedPage) -> None:
    """A region is drawn in the picture and stays there, on every page of the file; a word begun is not lost."""
    _go(page, film, f"/v/v3/files/{MARS}")
    page.wait_for_function("document.querySelector('.noted img').naturalWidth > 0")
    page.get_by_role("button", name="Mark a region").click()
    box = page.locator(".noted").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75)
    page.mouse.up()
    page.keyboard.type("Too hard a shadow")
    followed = page.expect_response(lambda answer: answer.url.endswith(f"/v/v3/files/{MARS}"))
    with followed, aura.open(_root(film)) as project:
        project.notes.add("v3", "meanwhile, from a terminal")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Region: Too hard a shadow").click()
    expect(page.locator(".note.pointed")).to_contain_text("Too hard a shadow")
    expect(page.locator("#notes form.commit input[name=text]")).to_have_value("")
    with aura.open(_root(film)) as project:
        region = project.notes.list(f"v3:{MARS}")[0].place.region
        assert region == pytest.approx((0.5, 0.5, 0.25, 0.25), abs=0.01)
    _go(page, film, f"/file/{MARS}")
    expect(page.locator("#notes-list")).to_contain_text("Too hard a shadow")


def test_a_moment_of_a_film_is_marked_along_its_player(page: Page, film: ServedPage) -> None:
    """A note on a moment is a marker that goes there; a new one takes the moment at which the player stands."""
    with aura.open(_root(film)) as project:
        project.notes.add(f"v1:{CLIP}@0:01-0:02", "Turns too fast")
    _go(page, film, f"/v/v1/files/{CLIP}")
    page.get_by_role("button", name="0:01: Turns too fast").click()
    page.wait_for_function("document.querySelector('video').currentTime === 1")
    page.get_by_role("button", name="At this moment").click()
    page.keyboard.type("Hold here")
    page.keyboard.press("Enter")
    expect(page.locator(".moment")).to_have_count(2)
    with aura.open(_root(film)) as project:
        assert project.notes.list(f"v1:{CLIP}")[0].place.text == "@0:01"
    _go(page, film, f"/compare?old=v1&new=v5&path={CLIP}")
    page.wait_for_function("[...document.querySelectorAll('.ab video')].every(one => one.duration > 0)")
    page.get_by_role("button", name="Note: Turns too fast").click()
    page.wait_for_function("document.querySelector('.ab-old').currentTime === 1")


def test_a_page_that_nobody_looks_at_holds_no_connection(page: Page, film: ServedPage) -> None:
    """A browser opens six to one address: a seventh tab must not wait for those in the background."""
    _go(page, film, "")
    page.wait_for_selector("body[data-follows]")
    hide = "is => { Object.defineProperty(document, 'hidden', {value: is, configurable: true}); "
    hide += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(hide, True)
    expect(page.locator("body[data-follows]")).to_have_count(0)
    with aura.open(_root(film)) as project:
        project.tags.create("seen-later")
    page.evaluate(hide, False)
    expect(page.locator("#versions")).to_contain_text("seen-later")


def test_the_first_version(browser: Browser, tmp_path: Path) -> None:
    """A new project says what to do, and has its first version in the list when it is saved."""
    root = tmp_path / "new"
    root.mkdir()
    (root / "idea.txt").write_text("a film\n")
    aura.init(root, author="Ada").close()
    with serve(root, tmp_path / "home") as served:
        for window in open_window(browser, served):
            expect(window.locator("#versions")).to_contain_text("no versions yet")
            expect(window.locator("#unsaved")).to_contain_text("idea.txt")
            window.click("#commit button")
            expect(window.locator(".version")).to_have_count(1)
            expect(window.locator("#unsaved")).to_contain_text("Everything is saved")


def test_a_comparison_with_the_folder_follows_it(page: Page, film: ServedPage) -> None:
    """What is written while somebody looks at it is there without loading the page."""
    text = _root(film) / "ending.md"
    text.write_text("quiet\n")
    _go(page, film, "/compare?path=ending.md")
    expect(page.locator("pre.text")).to_have_text("quiet\n")
    page.wait_for_selector("body[data-follows]")
    text.write_text("loud\n")
    expect(page.locator("pre.text")).to_have_text("loud\n")
    text.unlink()
