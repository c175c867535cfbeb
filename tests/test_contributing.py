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


def test_every_variable_is_named() -> None:
    """Whatever the command line reads of the environment stands in the table."""
    texts = [path.read_text("utf-8") for path in (ROOT / "aura_vcs").rglob("*.py") if "/testing/" not in str(path)]
    read = re.findall(r"""environ(?:ment)?(?:\.get\(|\[)"([A-Z_]+)""", "".join(texts))
    read += re.findall(r"""_VARIABLE = "([A-Z_]+)""", "".join(texts))
    assert read
    assert [name for name in read if f"`{name}`" not in ARCHITECTURE and not name.startswith("AWS_")] == []
