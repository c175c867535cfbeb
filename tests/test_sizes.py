"""Files and functions stay small enough to be read at one go: what grows beyond that becomes two by meaning."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
MOST_LINES = 400
MOST_OF_A_FUNCTION = 60
"""Lines with its parameters, and without its docstring."""
LARGER = {
    "objects/packs/reader.py": "what it remembers is always needed with it; a module more costs every command",
}
"""Files that may be larger, and why."""


def test_a_file_can_be_read_at_one_go() -> None:
    """No file of the product has more lines, but for those with a reason."""
    lines = {p.relative_to(PACKAGE).as_posix(): p.read_text("utf-8").count("\n") for p in PACKAGE.rglob("*.py")}
    large = {name for name, count in lines.items() if count > MOST_LINES}
    assert large <= set(LARGER), {name: lines[name] for name in large}


def test_a_function_can_be_read_at_one_go() -> None:
    """No function of the product has more lines, those of functions in it included."""
    large = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                has_text = ast.get_docstring(node, clean=False) is not None
                text = (first.end_lineno or 0) - first.lineno + 1 if has_text else 0
                lines = (node.end_lineno or 0) - node.lineno + 1 - text
                if lines > MOST_OF_A_FUNCTION:
                    large[f"{path.relative_to(PACKAGE).as_posix()}:{node.name}"] = lines
    assert large == {}
