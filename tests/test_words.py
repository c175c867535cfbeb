"""One idea has one word: the glossary names the words that are not used, and none of them is in a name or message."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "aura_vcs"
HEADING = "## Words that are not used"
EXCEPTIONS = {
    "Sound": "sound is what is heard",
    "_SoundReader": "sound is what is heard",
    "_SoundTrack": "sound is what is heard",
    "sound_bytes": "sound is what is heard",
    "_sound": "sound is what is heard",
    "join": "as `os.path.join` does it",
    "join_pointer": "a JSON pointer is joined as a path is",
    "join_words": "a list of words as text",
    "say": "the demonstration speaks",
    "_shape": "what a JSON value is like: its keys",
    "print_kept_unsaved": "unsaved work that stays in the worktree",
}
"""Names that have such a word in another sense, each with that sense."""
NOWHERE = """far, cargo, freight, waiting room, doomed, condemn, condemned, spent, settle, settled, restless, second
process, rotted, owe, owed, reach, sending, receiving"""
"""Words that parameters, variables and fields do without as well: they had a private sense, and no other."""
FIELDS = {
    "condemned_files": "what programs and `--json` call candidates at a remote",
    "_TOO_FAR": "what zlib calls the distance from which it takes no short match",
}
"""Of these, those that have such a word."""


@cache
def _retired() -> dict[str, bool]:
    """Words of the table, and whether texts are free of them as well as names."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| (names(?:, text)?) \|$", text.split(HEADING)[1], re.MULTILINE)
    return {word.strip(): "text" in where for words, where in rows for word in words.split(",")}


@cache
def _trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def _parts(name: str) -> str:
    """The words of a name, in lower case, one space between two."""
    return " ".join(part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))


@cache
def _named() -> tuple[tuple[str, str], ...]:
    """Every name once, since there is much to walk through."""
    return tuple(_all_named())


@cache
def _texts() -> tuple[tuple[str, str], ...]:
    """Every text once, likewise."""
    return tuple(_all_texts())


def _all_named() -> Iterator[tuple[str, str]]:
    """Every module, class and function, with where it is."""
    for path, tree in _trees().items():
        yield path.parent.name if path.stem == "__init__" else path.stem, str(path.relative_to(ROOT))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, f"{path.relative_to(ROOT)}:{node.lineno}"


def _is_statement(text: str) -> bool:
    """Say whether a text is SQL, which has names from the disk in it."""
    return re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|DROP)\b", text) is not None


def _all_texts() -> Iterator[tuple[str, str]]:
    """Every text in the code, with where it is: docstrings, help, hints, what is printed, raised or assembled."""
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and " " in text and not _is_statement(text):
                yield " ".join(text.split()), f"{path.relative_to(ROOT)}:{node.lineno}"


@cache
def _small_names() -> tuple[tuple[str, str], ...]:
    """Parameters, variables and fields, each name once in a file, with where it is."""
    found = {}
    for path, tree in _trees().items():
        for node in ast.walk(tree):
            name = (
                node.arg
                if isinstance(node, ast.arg)
                else node.id
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                else node.attr
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
                else None
            )
            if name is not None:
                found[name, path] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return tuple((name, at) for (name, _), at in found.items())


def _has(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def test_the_glossary_names_words_that_are_not_used() -> None:
    """The table is there, and some of its words are kept out of texts."""
    assert len(_retired()) > 25
    assert any(_retired().values())


@pytest.mark.parametrize("word", sorted(_retired()))
def test_no_name_has_a_word_that_is_not_used(word: str) -> None:
    """Modules, classes and functions are called by the words of the glossary."""
    found = [f"{name} ({at})" for name, at in _named() if name not in EXCEPTIONS and _has(word, _parts(name))]
    assert found == []


@pytest.mark.parametrize("word", [" ".join(word.split()) for word in NOWHERE.split(",")])
def test_no_variable_has_a_private_word(word: str) -> None:
    """What nobody else knows the sense of is the name of nothing."""
    assert word in _retired()
    assert [f"{name} ({at})" for name, at in _small_names() if name not in FIELDS and _has(word, _parts(name))] == []


@pytest.mark.parametrize("word", sorted(word for word, in_text in _retired().items() if in_text))
def test_no_text_has_a_word_that_is_not_used(word: str) -> None:
    """Docstrings, help and messages speak as the glossary does, wherever in a module they are put together."""
    assert [f"{at}: {text}" for text, at in _texts() if _has(word, text.lower())] == []


def test_a_class_name_means_one_thing() -> None:
    """No two modules have a class of one name; what programs get may be called as what it is taken from."""
    modules: dict[str, list[str]] = {}
    for path, tree in _trees().items():
        room = path.relative_to(PACKAGE).parts[0]
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules.setdefault(f"{node.name} for programs" if room == "api" else node.name, []).append(str(path))
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_every_exception_is_needed() -> None:
    """A name that is gone needs no exception."""
    names = {name for name, _ in _named()}
    assert {name for name in EXCEPTIONS if name not in names} == set()
    assert set(FIELDS) <= {name for name, _ in _small_names()}


TERMS = """worktree, merge, operation, action, replica, remote, push, fetch, pull, clone, negotiation, quarantine,
remote snapshot, remote cache, candidate, tombstone, deleted, reachable, intact, damaged, offloaded, undo, revert,
stable, deferred, hard-link backup, prefetch, worker process, suggestion"""
"""Ideas of which each has one word in code, documents and messages."""


@cache
def _explained() -> set[str]:
    """Words that the glossary's tables explain: those of a first column, and those in bold."""
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8").split(HEADING)[0]
    rows = re.findall(r"^\| ([^|]+) \|(.*)\|$", text, re.MULTILINE)
    first = {word.strip() for words, _ in rows for word in words.split(",")}
    return first | {word for _, meaning in rows for word in re.findall(r"\*\*([^*]+)\*\*", meaning)}


def test_the_glossary_explains_every_term() -> None:
    """What the format defines, and what each idea is called, has a sentence for readers."""
    section = (ROOT / "docs" / "format.md").read_text("utf-8").split("## 1. Terms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z][^|]+) \|([^|]+)\|$", section, re.MULTILINE)
    terms = {word.strip() for words, _ in rows for word in words.split(",")} - {"term"}
    terms |= {word for _, meaning in rows for word in re.findall(r"\*+([^*]+)\*+", meaning)}
    assert {"loose object", "frame", "blob", "label", "store"} <= terms
    assert (terms | {word.strip() for word in TERMS.split(",")}) - _explained() == set()
