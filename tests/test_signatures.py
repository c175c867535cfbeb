"""Functions ask for little: what has more to say than six parameters is a request, and a value."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
MOST = 6
"""Parameters of a function, what it works on included."""
LONG = {
    "render_export", "set_configuration", "enter_written", "clone", "project_files",
    "open_bucket", "create_checkpoint", "plan_staging", "add_remote", "present_state", "field_change", "import_git",
    "past_version",
}  # fmt: skip
"""Functions that still ask for more. The list becomes shorter: whoever makes a request of one takes it out."""


def test_a_long_request_is_a_value() -> None:
    """Functions of the library have few parameters; commands have their options, and programs keywords."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).parts[0] in {"api", "cli"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if len([one for one in given if one.arg not in {"self", "cls"}]) > MOST:
                    found.add(node.name)
    assert found == LONG
