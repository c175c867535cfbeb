"""What the site has besides the pages in `docs/` (mkdocs calls these; see mkdocs.yml).

Pages that lie at the top of the repository are taken in; links to what is not part of the site become
plain words; readers who only use the program are not sent to test files.
"""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
FROM_ABOVE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
FOR_DEVELOPERS = ("contributing.md", "architecture.md", "releasing.md", "decisions", "format.md", "remote-format.md")
"""Pages whose readers change the code: these name tests."""
_TESTED = {"tested by", "tests", "where it is tested"}
_NAMED = re.compile(r"(?::| \()? ?`tests/[^`]+`(?:(?:,| and|, and) `tests/[^`]+`)*\)?")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!https?:|mailto:|#)[^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Take in the pages from above, and one that leads to every decision."""
    for name, page in FROM_ABOVE.items():
        files.append(File.generated(config, page, content=_moved((ROOT / name).read_text("utf-8"), name)))
    index = (ROOT / "docs" / "README.md").read_text("utf-8").partition("### Decisions")[2]
    files.append(File.generated(config, "decisions.md", content=f"# Decisions\n{index}"))
    for file in files:
        if file.src_uri.startswith("decisions/"):
            file.inclusion = type(file.inclusion).NOT_IN_NAV  # decisions.md leads to them
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:  # noqa: ARG001 (mkdocs names them)
    """Make links fit the site, and leave tests to those who change the code."""
    uri = page.file.src_uri
    if not uri.startswith(FOR_DEVELOPERS):
        markdown = without_tests(markdown)
    return _LINK.sub(lambda link: _fitting(link, uri, files), markdown)


def without_tests(markdown: str) -> str:
    """Return the page without the columns and rows of its tables that name tests."""
    lines: list[str] = []
    dropped: int | None = None
    for line in markdown.splitlines():
        cells = _cells(line)
        if cells is None:
            dropped = None
        elif dropped is None:
            dropped = next((n for n, cell in enumerate(cells) if cell in _TESTED), -1)
        if cells and cells[0] == "shown by":
            continue
        if cells and dropped is not None and 0 <= dropped < len(cells):
            del cells[dropped]
            line = f"| {' | '.join(cells)} |"  # noqa: PLW2901
        lines.append(_NAMED.sub("", line))
    return "\n".join(lines) + "\n"


def _cells(line: str) -> list[str] | None:
    if not line.startswith("|"):
        return None
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def _moved(text: str, name: str) -> str:
    """Return a page from the top of the repository with its links as from `docs/`."""
    return re.sub(r"\]\(docs/", "](", text) if name != "README.md" else text


def _fitting(link: re.Match[str], uri: str, files: Files) -> str:
    words, target, heading = link[1], link[2], link[3] or ""
    path = (ROOT / "docs" / uri).parent.joinpath(target).resolve()
    if path.parent == ROOT and path.name in FROM_ABOVE:
        back = "../" * uri.count("/")
        return f"[{words}]({back}{FROM_ABOVE[path.name]}{heading})"
    inside = path.relative_to(ROOT / "docs").as_posix() if path.is_relative_to(ROOT / "docs") else ""
    if inside and files.get_file_from_path(inside) is not None:
        return link[0]
    return words
