"""The compare report: complete, escaped, self-contained."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.compare.diff.describe import diff_documents
from aura_vcs.compare.diff.text import diff_text
from aura_vcs.compare.report.html import picture, text
from aura_vcs.compare.report.model import ComparisonReport, FileReport
from aura_vcs.compare.report.page import render_report
from aura_vcs.compare.timeline.diff import diff_timeline_files
from aura_vcs.formats.media.findings import MediaDiff, MediaFacts
from aura_vcs.formats.media.reader import MediaHeader
from hypothesis import given, strategies as st

from tests.compare.json_values import DOCUMENTS, unhurried
from tests.compare.media_files import png
from tests.compare.timelines import as_bytes, otio, otio_clip, planets, scene, set_seconds, studio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
HOSTILE = (
    "</script><script>document.title='taken over'</script>",
    '"><img src=x onerror="document.title=\'taken over\'">',
    "'><svg onload=\"document.title='taken over'\">",
    "</title></style><style>*{display:none}</style>",
    "\u202egnp.exe\u202c \x1b[2J \u2066x\u2069 \x00 &lt;b&gt; ${x} {{x}}",
    "javascript:document.title='taken over'",
)


def planets_report() -> ComparisonReport:
    """A report with one file of every kind."""
    new = planets()
    venus = new.pop(2)
    set_seconds(venus, 4.5)
    venus["visual_assets"][0]["file_path"] = "assets/venus-2.png"
    new.insert(1, venus)
    del new[4]
    new.append(scene("Saturn", 3.0))
    before, after = (
        as_bytes(studio(planets())),
        as_bytes(studio(new, background_music_path="assets/brave.mp3")),
    )
    timeline = diff_timeline_files(before, after)
    brief = diff_documents(
        b'{"tone": "calm", "topic": "The planets for young children"}',
        b'{"tone": "lively", "topic": "The planets for curious children", "language": "en"}',
    )
    line = b"Long ago there was only dust.\nThen light.\n"
    script = diff_text(line, line.replace(b"dust", b"cold dust"))
    wave = tuple(abs(50 - n % 100) for n in range(400))
    sound = MediaDiff(
        MediaFacts(MediaHeader("sound", "wav", seconds=4.0), peak_db=-6.0, envelope=wave),
        MediaFacts(MediaHeader("sound", "wav", seconds=3.0), peak_db=-3.0, envelope=wave[::-1]),
        ("length: 4.0 s → 3.0 s",),
        sounds=((1.0, 2.0),),
    )
    fields = diff_documents(before, after)
    small, large = png(320, 200), png(640, 400)
    sizes = ("size: 320×200 → 640×400",)
    files = (
        FileReport("timeline.json", "changed", timeline.lines, timeline=timeline, document=fields),
        FileReport("brief.json", "changed", brief.lines, document=brief),
        FileReport("script.txt", "changed", ("1 line changed",), text=script),
        FileReport("assets/venus.png", "changed", sizes, old_picture=small, new_picture=large),
        FileReport("assets/sun.wav", "changed", sound.lines, media=sound),
        FileReport("assets/pluto.png", "renamed", (), old_path="assets/planet-9.png"),
    )
    return ComparisonReport('Compare v3 and v4 of "Planets"', 'v3 "Before the cut"', "v4", files)


def _hostile_report() -> ComparisonReport:
    files = []
    for word in HOSTILE:
        old, new = (
            {word: word, "scenes": [{"id": word, "heading": word}]},
            {word + "!": word + " x", "scenes": []},
        )
        old_cut, new_cut = planets(), planets()
        new_cut[0]["heading"] = new_cut[1]["visual_assets"][0]["file_path"] = new_cut[2]["script"] = word
        files.append(
            FileReport(
                word,
                "changed",
                (word,),
                old_path=word,
                timeline=diff_timeline_files(as_bytes(studio(old_cut)), as_bytes(studio(new_cut))),
                document=diff_documents(as_bytes(old), as_bytes(new)),
                text=diff_text(f"a {word} c\n".encode(), f"a {word} d\n".encode()),
                media=MediaDiff(None, MediaFacts(MediaHeader(word, word, codecs=(word,))), (word,)),
                old_picture=word.encode(),
                new_picture=b"<svg onload=alert(1)>",
            )
        )
    return ComparisonReport(HOSTILE[3], HOSTILE[1], HOSTILE[0], tuple(files), HOSTILE)


class _Collector(HTMLParser):
    """Tags, attributes and scripts of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


ALLOWED = {
    *[
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "div",
        "span",
        "p",
        "nav",
        "details",
        "summary",
        "ul",
        "li",
        "a",
        "section",
        "table",
        "tr",
        "td",
        "th",
    ],
    *[
        "colgroup",
        "col",
        "del",
        "ins",
        "b",
        "i",
        "img",
        "input",
        "svg",
        "g",
        "rect",
        "text",
        "line",
        "polygon",
        "script",
    ],
}


def _check_safe(page: str) -> _Collector:
    """One script, ours; no handler, no address that leaves the page; only tags we write."""
    found = _Collector(page)
    assert page.count("<script") == page.count("</script") == 1
    for tag, attributes in found.tags:
        assert tag in ALLOWED
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value is not None
                assert value.startswith(("#file-", "data:image/"))
    assert not re.search(r"https?://|url\(|@import", page)
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", page)
    return found


def test_everything_is_in_the_report() -> None:
    """Names, sentences, the drawing, fields, lines, pictures with a slider, waveforms."""
    page = render_report(planets_report())
    found = _check_safe(page)
    for words in (
        "Compare v3 and v4 of &quot;Planets&quot;",
        "Scene 3 was trimmed from 6.0 s to 4.5 s, moved before scene 2",
        "/background_music_path",
        "<b>cold </b>",
        "was assets/planet-9.png",
        "length: 4.0 s → 3.0 s",
    ):
        assert words in page
    tags = [tag for tag, _ in found.tags]
    assert tags.count("section") == 6
    assert tags.count("input") == 1
    assert tags.count("polygon") == 2
    states = {attributes.get("class") for tag, attributes in found.tags if tag == "rect"}
    assert {"added", "removed", "moved", "same"} <= states


def test_clips_are_drawn_with_what_happened_to_them() -> None:
    """A clip of a new track is marked as added, of a removed one as removed; pointing at a clip tells all changes."""
    music = {"OTIO_SCHEMA": "Track.1", "name": "Music", "kind": "Audio", "children": [otio_clip("loop")]}
    plain, more = otio([otio_clip("a"), otio_clip("b")]), otio([otio_clip("a"), otio_clip("b")])
    more["tracks"]["children"].append(music)
    for old, new, state in ((plain, more, "added"), (more, plain, "removed")):
        diff = diff_timeline_files(as_bytes(old), as_bytes(new))
        found = _check_safe(
            render_report(ComparisonReport("t", "a", "b", (FileReport("x.otio", "changed", timeline=diff),)))
        )
        states = [attributes.get("class") for tag, attributes in found.tags if tag == "rect"]
        assert sorted(states) == [state, "same", "same", "same", "same"]
    page = render_report(planets_report())
    told = "trimmed from 6.0 s to 4.5 s, its picture replaced (venus.png → venus-2.png), moved before scene 2</title>"
    assert page.count(told) == 2


def test_long_tables_are_folded_away() -> None:
    """A page is read from the top: a document with hundreds of changed fields does not push the others down."""
    for count, is_folded in ((3, False), (300, True)):
        old, new = ({str(n): n + add for n in range(count)} for add in (0, 1))
        document = diff_documents(as_bytes(old), as_bytes(new))
        page = render_report(ComparisonReport("t", "a", "b", (FileReport("a.json", "changed", document=document),)))
        assert (f"<summary>Fields ({count})</summary>" in page) == is_folded
        assert page.count("<tr>") == count + 1
        lines = [b"".join(b"%d %d\n" % (n, add) for n in range(count)) for add in (0, 1)]
        page = render_report(ComparisonReport("t", "a", "b", (FileReport("a.md", "changed", text=diff_text(*lines)),)))
        assert (f"<summary>Lines ({2 * count})</summary>" in page) == is_folded


def test_the_page_fits_small_windows_and_dark_rooms() -> None:
    """A narrow window scrolls drawings and tables instead of shrinking them; a dark page has light colours."""
    page = render_report(planets_report())
    assert ".scroll svg{width:100%;min-width:48rem}" in page
    assert "@media(prefers-color-scheme:dark)" in page
    assert "#c2410c" not in page.partition("</style>")[2]


def test_hostile_names_and_values_stay_text() -> None:
    """No markup, handler, address or direction mark of a project reaches the page."""
    _check_safe(render_report(_hostile_report()))


@unhurried
@given(st.text(max_size=30), DOCUMENTS, DOCUMENTS)
def test_any_text_is_escaped(word: str, old: Any, new: Any) -> None:
    """Generated names and documents never break out."""
    files = (FileReport(word, "changed", (word,), document=diff_documents(as_bytes(old), as_bytes(new))),)
    _check_safe(render_report(ComparisonReport(word, word, word, files)))
    assert "<" not in text(word)
    assert '"' not in text(word)


def test_unseen_characters_are_shown() -> None:
    """A name that reads backwards is shown as what it is; accents, emoji and other scripts stay."""
    assert text("a\u202egnp.exe") == "a⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧gnp.exe"
    assert text("\x1b[2J") == "⟦U+001B⟧[2J"
    assert text("ü 日本 👩\u200d🚀 עברית") == "ü 日本 👩\u200d🚀 עברית"


def test_only_known_pictures_are_shown() -> None:
    """An SVG, a script or a broken file is not a picture for the report."""
    assert picture(b"<svg onload=alert(1)></svg>", "x") == ""
    assert picture(b"", "x") == ""
    assert picture(png(), "x").startswith('<img alt="x" src="data:image/png;base64,')


def test_much_media_is_shown_small() -> None:
    """Over 10 MB, thumbnails stand for the pictures, and the page says so."""
    small = png(2, 2)
    facts = MediaFacts(MediaHeader("picture", "png"), thumbnails=(small,))
    big = png(4, 4) + b"\0" * 6_000_000
    file = FileReport("a.png", "changed", media=MediaDiff(facts, facts, ()), old_picture=big, new_picture=big)
    page = render_report(ComparisonReport("t", "a", "b", (file,)))
    assert len(page) < 50_000
    assert "small versions are shown" in page
    assert page.count("data:image/png") == 2


def test_huge_reports_stay_bounded() -> None:
    """Thousands of clips, 20,000 lines and 3,000 files end in a page a browser can open."""
    clips = [scene(f"Part{n}") for n in range(3_200)]
    timeline = diff_timeline_files(as_bytes(studio(clips)), as_bytes(studio(clips[::-1])))
    lines = diff_text(b"a\n" * 20_000, b"b\n" * 20_000)
    files = [FileReport(f"f{n}", "added") for n in range(3_000)]
    files[0] = FileReport("timeline.json", "changed", timeline=timeline)
    files[1] = FileReport("x.txt", "changed", text=lines)
    page = render_report(ComparisonReport("t", "a", "b", tuple(files)))
    assert len(page) < 6_000_000
    assert "1,000 more files changed that are not shown" in page


def _chromium(page: Path, *options: str) -> str:
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    done = subprocess.run(
        [*command, profile, "--hide-scrollbars", *options, page.as_uri()],
        capture_output=True,
        timeout=90,
        check=True,
    )
    return done.stdout.decode("utf-8", "replace")


@needs_chromium
def test_a_browser_shows_the_report(tmp_path: Path) -> None:
    """Our script runs, pictures load, and the drawing is there; a screenshot comes out."""
    page = tmp_path / "report.html"
    page.write_text(render_report(planets_report()), encoding="utf-8")
    shot = tmp_path / "shot.png"
    dom = _chromium(page, "--dump-dom")
    assert 'data-ready="yes"' in dom
    assert "--at: 50%" in dom
    assert "Saturn" in dom
    _chromium(page, f"--screenshot={shot}", "--window-size=1240,2400")
    assert shot.stat().st_size > 30_000


@needs_chromium
def test_a_browser_runs_nothing_hostile(tmp_path: Path) -> None:
    """The hostile project neither changes the title nor stops our own script."""
    page = tmp_path / "report.html"
    page.write_text(render_report(_hostile_report()), encoding="utf-8")
    dom = _chromium(page, "--dump-dom")
    assert 'data-ready="yes"' in dom
    assert "<title>taken over" not in dom
    assert dom.count("<script") == 1
