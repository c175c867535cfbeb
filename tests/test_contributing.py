"""What the pages for contributors name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
PAGES = {"CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text("utf-8"), "docs/architecture.md": ARCHITECTURE}


@pytest.mark.parametrize("page", PAGES)
def test_files_are_where_pages_say(page: str) -> None:
    """Every module and test that a walk passes exists under the name that it has there."""
    files = [
        path.relative_to(ROOT).as_posix() for room in ("aura_vcs", "tests") for path in (ROOT / room).rglob("*.py")
    ]
    named = re.findall(r"[\w./<>*-]+\.py\b", PAGES[page])
    gone = [
        name for name in named if not re.search("[<>*]", name) and not any(f"/{f}".endswith(f"/{name}") for f in files)
    ]
    assert [name for name in gone if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_folders_are_where_pages_say(page: str) -> None:
    """Likewise for folders of tests."""
    assert [name for name in re.findall(r"`(tests/\w+)`", PAGES[page]) if not (ROOT / name).is_dir()] == []


def test_functions_are_called_as_the_page_says() -> None:
    """Every function, class and method that a walk names is defined somewhere."""
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "aura_vcs").rglob("*.py"))
    walks = ARCHITECTURE.split("## When something breaks")[0]
    named = {name for name in re.findall(r"`(?:[\w/]+[./])?([A-Za-z_]\w+)(?:\(\))?`", walks) if name != "jsonl"}
    rooms = {path.name for path in (ROOT / "aura_vcs").rglob("*") if path.is_dir()}
    gone = {
        name for name in named - rooms if not re.search(rf"\b(?:def|class) {name}\b|\b{name} = |self\.{name}\b", code)
    }
    assert gone <= {"objects", "refs", "operations", "py", "json", "sqlite", "worktree", "aura"}


def _variables() -> set[str]:
    """Names of variables that the program reads of the environment."""
    texts = [path.read_text("utf-8") for path in (ROOT / "aura_vcs").rglob("*.py") if "/testing/" not in str(path)]
    text = "\n".join(texts)
    read = re.findall(r"""(?:environ(?:ment)?b?(?:\.get\(|\[)|getenv\()b?"([A-Z_]+)""", text)
    read += re.findall(r"""(?:_VARIABLE|SWITCH) = "([A-Z_]+)""", text)
    return {*read, *re.findall(r"""["'](_?AURA_[A-Z_]+)["']""", text)}


def test_every_variable_is_described_once() -> None:
    """Whatever is read of the environment has one row on one page, and every row of ours is read somewhere."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+)", (ROOT / "docs/environment.md").read_text("utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    read = _variables()
    assert {"AURA_HOME", "AURA_NO_HELPER", "XDG_RUNTIME_DIR", "_AURA_COMPLETE"} <= read
    assert sorted(named) == sorted(set(named))
    assert {name for name in read - set(named) if not name.startswith("AWS_")} == set()
    assert {name for name in named if "AURA_" in name} - read == set()
    for page in (ROOT / "docs").glob("*.md"):
        if page.name != "environment.md":
            assert re.findall(r"^\| `_?AURA_[A-Z_]+`", page.read_text("utf-8"), re.MULTILINE) == [], page.name
