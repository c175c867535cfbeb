"""Docstrings: the first line is an imperative sentence (PEP 257), and names in backticks are those of the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "aura_vcs"
NO_VERBS = frozenset(
    [
        "A",
        "An",
        "The",
        "This",
        "That",
        "These",
        "Those",
        "It",
        "Its",
        "Is",
        "Are",
        "There",
        "What",
        "Where",
        "Whether",
        "Which",
        "Who",
        "Whose",
        "When",
        "Why",
        "How",
        "If",
        "As",
        "At",
        "By",
        "For",
        "From",
        "In",
        "Of",
        "On",
        "Only",
        "Or",
        "Not",
        "No",
        "None",
        "Nothing",
        "Something",
        "Anything",
        "Everything",
        "Whatever",
        "All",
        "Any",
        "Both",
        "Each",
        "Every",
        "One",
        "Two",
        "Three",
        "Same",
        "Such",
        "Up",
        "With",
        "Without",
        "True",
        "False",
        "Like",
        "Names",
        "Bytes",
        "Files",
        "Paths",
        "Seconds",
    ]
)
"""Words that such a sentence does not begin with."""
VERBS_IN_S = frozenset(
    [
        "Access",
        "Address",
        "Bypass",
        "Compress",
        "Cross",
        "Decompress",
        "Discuss",
        "Express",
        "Focus",
        "Guess",
        "Miss",
        "Pass",
        "Press",
        "Process",
    ]
)


def functions(node: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method below a node, with its qualified name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{inside}{child.name}", child
            yield from functions(child, f"{inside}{child.name}.")
        else:
            yield from functions(child, f"{inside}{child.name}." if isinstance(child, ast.ClassDef) else inside)


def is_imperative(sentence: str) -> bool:
    """Whether a sentence begins with a verb in its base form, as far as its first word tells."""
    word = sentence.split(maxsplit=1)[0].strip(".,:;`'\"")
    return word[:1].isupper() and word not in NO_VERBS and (not word.endswith("s") or word in VERBS_IN_S)


def test_functions_say_in_the_imperative_what_they_do() -> None:
    """Properties are read like attributes and may be a noun."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for name, function in functions(ast.parse(path.read_text("utf-8"))):
            text = ast.get_docstring(function)
            if text and not any("property" in ast.unparse(by) for by in function.decorator_list):
                first = text.splitlines()[0]
                if not is_imperative(first):
                    wrong.append(f"{path.relative_to(ROOT)}: {name}: {first}")
    assert wrong == []


def test_the_mood_is_told_from_the_first_word() -> None:
    """The check itself refuses what it is there for."""
    assert is_imperative("Return the entries of a tree.")
    assert is_imperative("Process what is left.")
    for refused in ("The entries of a tree.", "Returns the entries.", "Whether it is there.", "`v12`, as people say."):
        assert not is_imperative(refused)


NAMES_OF_OTHERS = frozenset(
    [
        "Clip",
        "OVERLAPPED",
        "Referer",
        "V1",
        "aster",
        "b3sum",
        "closing",
        "contextlib",
        "core",
        "fileMode",
        "melt",
        "r1",
        "sudo",
        "symlinks",
    ]
)
"""What docstrings name that is not ours: programs, settings of git, classes of libraries, examples."""
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def _documented() -> tuple[tuple[Path, Documented, str], ...]:
    return tuple(
        (path, node, text)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
    )


@cache
def _names() -> frozenset[str]:
    """Every name of the package, and every word of its strings, docstrings apart."""
    texts = {node.body[0].value.value for _, node, _ in _documented() if isinstance(node.body[0], ast.Expr)}  # type: ignore[attr-defined]
    names: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        names.update(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                names.update(re.findall(r"\w+", node.value.decode("latin-1")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in texts:
                names.update(re.findall(r"\w+", re.sub(r"`[^`]*`", "", node.value)))
            for field in ("id", "attr", "arg", "name"):
                found = getattr(node, field, None)
                if isinstance(found, str):
                    names.update(found.split("."))
    return frozenset(names)


def _called(node: Documented) -> str:
    return getattr(node, "name", "the module")


def test_names_in_docstrings_are_there() -> None:
    """A function, field or module in backticks is one of ours, or is known as somebody else's."""
    found = [
        f"{path.relative_to(ROOT)}: {_called(node)}: `{name}`"
        for path, node, text in _documented()
        for name in re.findall(r"`([A-Za-z_][\w.]*)`", text)
        if not re.fullmatch(r"v\d+(\.\w+)?", name)
        and not {part for part in name.split(".") if part and not part.isdecimal()} <= _names() | NAMES_OF_OTHERS
    ]
    assert found == []


def test_values_name_the_fields_that_they_have() -> None:
    """What the docstring of a value calls a field is one of its fields, or a function."""
    functions = {node.name for _, node, _ in _documented() if isinstance(node, ast.FunctionDef)}
    found = []
    for path, node, text in _documented():
        if isinstance(node, ast.ClassDef) and any(isinstance(part, ast.AnnAssign) for part in node.body):
            code = "\n".join(ast.unparse(part) for part in node.body[1:])
            for name in re.findall(r"`([a-z][a-z_]*)`", text):
                if not re.search(rf"\b{name}\b", code) and name not in functions | {"dry_run", "ssh"}:
                    found.append(f"{path.relative_to(ROOT)}: {node.name}: `{name}`")
    assert found == []
