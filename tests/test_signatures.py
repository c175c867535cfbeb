"""Functions ask for little: what has more to say than six parameters is a request, and a value."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
MOST = 6
"""Parameters of a function, what it works on included."""


def test_a_long_request_is_a_value() -> None:
    """Functions of the library have few parameters; commands have their options, and programs keywords."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in {"api", "cli"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([one for one in given if one.arg not in {"self", "cls"}]) > MOST:
                    found.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}")
    assert found == []
