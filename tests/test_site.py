"""The documentation as a site: every page in its order, nothing from elsewhere, and no user sent to a test."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SETTINGS = (ROOT / "mkdocs.yml").read_text("utf-8")
NAV = re.findall(r"^ +- .*?([\w-]+\.md)$", SETTINGS.partition("\nnav:")[2], flags=re.MULTILINE)
FROM_ABOVE = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md", "security.md": "SECURITY.md"}
"""Pages of the site that lie at the top of the repository."""
FOR_DEVELOPERS = {"contributing.md", "architecture.md", "releasing.md", "format.md", "remote-format.md"}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    """What mkdocs calls; needs mkdocs."""
    pytest.importorskip("mkdocs", reason="mkdocs, a part of the extra docs, is not installed")
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("site_hooks")
    finally:
        sys.path.remove(str(ROOT / "scripts"))


def test_every_page_is_in_the_navigation_once() -> None:
    """A page that nobody is led to is found by nobody; decisions have a page of their own that lists them."""
    pages = {path.name for path in DOCS.glob("*.md")} | set(FROM_ABOVE) | {"decisions.md"}
    assert sorted(NAV) == sorted(pages)
    assert all((ROOT / name).is_file() for name in FROM_ABOVE.values())


def test_the_order_is_the_one_that_a_person_reads() -> None:
    """First how, then what exactly, then why, then help."""
    tabs = re.findall(r"^  - ([\w ]+):$", SETTINGS.partition("\nnav:")[2], flags=re.MULTILINE)
    assert tabs == ["Guide", "Reference", "Explanation", "Help", "Development"]
    guide = ["getting-started", "everyday", "going-back", "comparing", "media", "merging", "notes", "provenance"]
    guide += ["derived", "sync", "space", "ui", "studio", "editors"]
    assert NAV[1:15] == [f"{name}.md" for name in guide]


def test_nothing_comes_from_other_hosts() -> None:
    """No fonts, scripts or styles from elsewhere: the site can be read without a network."""
    assert "font: false" in SETTINGS
    assert "://" not in re.sub(r"^#.*$", "", SETTINGS, flags=re.MULTILINE)


def test_every_variable_of_ours_is_listed() -> None:
    """`docs/environment.md` has whatever the code reads under a name that begins with AURA_."""
    page = (DOCS / "environment.md").read_text("utf-8")
    texts = [path.read_text("utf-8") for path in (ROOT / "aura_vcs").rglob("*.py")]
    read = {name for text in texts for name in re.findall(r"(?<![A-Z_])AURA_[A-Z_]*[A-Z]", text)}
    assert {name for name in read if f"| `{name}` |" not in page} == set()


def test_readers_are_not_sent_to_tests(hooks: ModuleType) -> None:
    """Pages for people who use the program name no test file, once the columns that prove things are left out."""
    pages = {page: DOCS / page for page in NAV if page not in FROM_ABOVE and page not in {"decisions.md"}}
    found = []
    for page, path in pages.items():
        if page not in FOR_DEVELOPERS:
            text = hooks.without_tests(path.read_text("utf-8"))
            found += [f"{page}: {name}" for name in re.findall(r"\btests/[\w/.-]+\.py|\(\.\./tests/[^)]*", text)]
    assert found == []


def test_tables_stay_tables_without_their_column(hooks: ModuleType) -> None:
    """Only the column that names tests goes, in every row."""
    page = "| promise | how | tested by |\n|---|---|---|\n| a \\| b | c | `tests/x.py` |\n\ntext `tests/y.py`\n"
    assert hooks.without_tests(page) == "| promise | how |\n| --- | --- |\n| a \\| b | c |\n\ntext\n"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(hooks: ModuleType, tmp_path: Path) -> None:
    """Links, anchors and pages hold, and no page asks another host for anything."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"]
    subprocess.run(command, cwd=ROOT, check=True, env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""})
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text("utf-8")
        assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?:https?:)?//[^\"]+", text) == [], path
    assert (tmp_path / "site" / "search" / "search_index.json").stat().st_size > 100_000
