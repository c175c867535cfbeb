"""Files stay small enough to be read at one go: what grows beyond that becomes two by meaning."""

from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
MOST_LINES = 400
LARGER = {
    "objects/packs/reader.py": "what it remembers is always needed with it; a module more costs every command",
}
"""Files that may be larger, and why."""


def test_a_file_can_be_read_at_one_go() -> None:
    """No file of the product has more lines, but for those with a reason."""
    lines = {p.relative_to(PACKAGE).as_posix(): p.read_text("utf-8").count("\n") for p in PACKAGE.rglob("*.py")}
    large = {name for name, count in lines.items() if count > MOST_LINES}
    assert large <= set(LARGER), {name: lines[name] for name in large}
