"""Nothing from outside reaches the terminal as anything but harmless text (FAULTS H9)."""

import json
import os
import re
from pathlib import Path

import pytest
from aura_vcs.cli.output.console import escape, escape_json, to_json
from hypothesis import given, strategies as st

from tests.cli.conftest import Film

HOSTILE = [
    b"esc\x1b[31mred.txt",
    b"osc8\x1b]8;;http:x\x1b\\link.txt",
    b"osc52\x1b]52;c;aGk=\x07.txt",
    "turned\u202egpj.exe".encode(),
    "isolate\u2066x\u2069".encode(),
    b"new\nline.json",
    b"caf\xe9.json",
    b"c1\x9b31m",
    "real c1 \x9b31m".encode(),
    b"back\\slash",
    "mark\ufeffx".encode(),
    b"bell\x07",
    b"-rf",
]
DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""What must never be printed; a newline may stand between lines only."""


@pytest.fixture
def hostile(film: Film) -> Film:
    """A project with hostile names and notes, two versions and unsaved changes."""
    root = os.fsencode(film.root)
    for number, name in enumerate(HOSTILE):
        _put(os.path.join(root, name), b'{"a": %d}' % number)
    os.symlink(b"\x1b]52;c;x\x07", os.path.join(root, b"link\x1b[2J"))
    film.env["AURA_AUTHOR"] = "Ev\x1b[31mil\u202e"
    film("commit", "-m", "na\x1b[2Jme\n\u202ex", "--description", "one\x1b]52;c;x\x07\ntwo\u202e")
    for name in HOSTILE:
        _put(os.path.join(root, name), b'{"a": "\x1b[31m\xe2\x80\xae"}')
    film("commit", "-m", "second", "notes.txt", *map(os.fsdecode, HOSTILE[:3]))
    film("restore", "v1", *map(os.fsdecode, HOSTILE[5:7]))
    film("tag", "t", "v1", "-m", "\x1b[31m\u202e")
    os.rename(os.path.join(root, b"bell\x07"), os.path.join(root, b"bell\x1b"))
    return film


def _put(path: bytes, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


COMMANDS = [
    ["status"],
    ["log", "--all"],
    ["log", "--all", "--oneline"],
    ["show", "v1"],
    ["show", "v1:"],
    ["diff"],
    ["diff", "v1", "v2"],
    ["diff", "--stat"],
    ["diff", "--name-only"],
    ["ops"],
    ["tag"],
    ["branch"],
    ["storage"],
    ["fsck"],
    ["gc", "--dry-run"],
    ["debug", "ref"],
    ["debug", "index", "versions"],
    ["version", "purge", "v1", "--dry-run"],
    ["restore", "v1"],
    ["undo"],
    ["checkout", "v1"],
    ["commit", "-m", "\x1b[31m"],
]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_command_prints_what_a_terminal_obeys(hostile: Film, form: str) -> None:
    """Whatever names, notes, authors and contents hold, no command writes a control or a turning mark."""
    for command in COMMANDS:
        arguments = [*command, "--json"] if form == "json" else command
        ran = hostile(*arguments, code=26 if command[:2] == ["version", "purge"] else 0)
        assert not DANGEROUS.search(ran.out), (command, ran.out)
        assert not DANGEROUS.search(ran.stderr), (command, ran.stderr)
        if form == "json":
            json.loads(ran.out.encode())


def test_errors_are_escaped(hostile: Film) -> None:
    """Also what the person typed comes back harmless."""
    nasty = "\x1b[31m\u202e\udce9"
    for command in (["show", nasty], ["diff", "--", nasty], ["branch", nasty], [nasty], ["show", f"v1:{nasty}"]):
        ran = hostile(*command, code=hostile_code(command, nasty))
        assert not DANGEROUS.search(ran.stderr), ran.stderr
        assert "\\x1b" in ran.stderr


def hostile_code(command: list[str], nasty: str) -> int:
    """The exit code for each of those."""
    if command == [nasty]:
        return 2
    return {"show": 20, "diff": 24, "branch": 22}[command[0]] if not command[-1].startswith("v1:") else 24


def test_names_keep_their_lines(hostile: Film) -> None:
    """A newline in a name does not start a line: every path is one line."""
    lines = hostile("show", "v1:").out.splitlines()
    assert sum("new\\nline.json" in line for line in lines) == 1
    assert not any(line.startswith("line.json") for line in lines)


def test_json_gives_names_back(hostile: Film) -> None:
    """A parser reads the real name; of a name that is not UTF-8 the bytes stand beside it."""
    entries = {entry["path"]: entry for entry in hostile.data("show", "v1:")["entries"]}
    assert "esc\x1b[31mred.txt" in entries
    assert "turned\u202egpj.exe" in entries
    assert "new\nline.json" in entries
    assert bytes.fromhex(entries["caf\\xe9.json"]["path_bytes"]) == b"caf\xe9.json"
    assert "path_bytes" not in entries["back\\slash"]


@given(st.text())
def test_escape_leaves_one_harmless_line(text: str) -> None:
    """Any text becomes one line without anything dangerous; what was changed shows a backslash."""
    shown = escape(text)
    assert not DANGEROUS.search(shown)
    assert "\n" not in shown
    assert shown == text or "\\" in shown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_json_is_the_same_json(text: str) -> None:
    """Escaping changes how JSON is written, not what it says."""
    written = to_json({"text": text})
    assert not DANGEROUS.search(written)
    assert json.loads(written) == {"text": text}
    assert escape_json(written) == written


def test_ordinary_text_stays() -> None:
    """Letters of any script, accents, emoji and spaces are shown as they are."""
    for text in ("Émilie's café", "日本語", "نمی\u200cخواهم", "👩\u200d🎨", "a\u00a0b", "C:\\film", "→ v2"):
        assert escape(text) == text


def test_title_and_folder_names_are_cleaned(quick_path: Path) -> None:
    """A folder whose name is not text gives its project a readable title."""
    root = os.fsdecode(os.path.join(os.fsencode(quick_path), b"b\xff\x1b"))
    film = Film(Path(root), {"HOME": str(quick_path)})
    assert not DANGEROUS.search(film("init").out)
    assert json.loads(Path(root, "project.json").read_text())["title"] == "b\ufffd"
