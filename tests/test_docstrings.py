"""First lines of docstrings: what a function does, as an imperative sentence (PEP 257)."""

import ast
from collections.abc import Iterator
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
