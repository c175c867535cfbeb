"""Ignore rules mean what git means by them, and no pattern takes long."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from aura_vcs.worktree.scan.glob import BadPattern
from aura_vcs.worktree.scan.patterns import parse_pattern, parse_patterns
from hypothesis import HealthCheck, given, settings, strategies as st
from pathspec import GitIgnoreSpec

FOLDERS = ("a", "b", "a/b", "a/d", "b/a", "a/b/a", "a/b/d", "-]")
FILES = ("a.c", "ab", "b.a", "c", "x y", "[a]", "-", "!", "#c", "a\\b", "abc.a")
RELAXED = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
_ATOMS = ["a", "b", "c", ".", "*", "*", "**", "?", "[ab]", "[!a]", "[a-c]", "[]a]", "[^]]", "[a\\]]", "[[:alpha:]]"]
_ATOMS += ["\\*", "\\a", " ", "\\ ", "-", "]", "[", "\\", "[a/b]", "[[:digit:]x-]", "#", "!", "[-a]", "[a-]", "**/"]
_GITS_OWN = re.compile(r"[^/*]\*\*")
"""Git takes off the text before the first star and finds `**` at the beginning: only to it `a**/a` is `a/**/a`."""
_LINES = st.lists(
    st.lists(st.sampled_from([*_ATOMS, "/", "/"]), min_size=1, max_size=6)
    .map("".join)
    .filter(lambda line: not _GITS_OWN.search(line)),
    max_size=5,
)


def _ignored(lines: Iterable[str], folders: Iterable[str], files: Iterable[str]) -> set[str]:
    """What the rules leave out: what a folder that is left out holds, is."""
    patterns, _ = parse_patterns(lines)
    out = {path for path in files if patterns.matches_file(path)}
    for path in folders:
        parts = path.split("/")
        above = ("/".join(parts[: count + 1]) for count in range(len(parts)))
        if any(patterns.verdict(part, part.rpartition("/")[2], is_folder=True) for part in above):
            out.add(path)
    return out


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that git knows, with a file of every name in every folder."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", root], check=True)
    for folder in ("", *FOLDERS):
        (root / folder).mkdir(exist_ok=True)
    for path in _files():
        (root / path).write_text("x")
    return root


def _files() -> list[str]:
    return [f"{folder}/{name}".lstrip("/") for folder in ("", *FOLDERS) for name in FILES]


@RELAXED
@given(_LINES)
def test_rules_mean_what_git_means(git: Path, lines: list[str]) -> None:
    """Of any lines of stars, sets, backslashes, slashes and spaces, the same paths are left out as by git."""
    (git / ".gitignore").write_text("\n".join(lines) + "\n")
    paths = [*FOLDERS, *_files()]
    command = ["git", "-C", str(git), "check-ignore", "--no-index", "-z", "--stdin"]
    told = subprocess.run(command, input="\0".join(paths).encode(), capture_output=True, check=False)
    expected = {os.fsdecode(path) for path in told.stdout.split(b"\0") if path}
    assert _ignored(lines, FOLDERS, _files()) == expected


_SANE = st.lists(
    st.sampled_from(
        ["*.mp4", "renders/", "/out", "a/**/b", "**/tmp", "x/*", "take[0-9].*", "!keep.mp4", "# remark", "a/b/", "??.c"]
    ),
    max_size=6,
)
_PATHS = st.lists(
    st.sampled_from(["a", "b", "out", "tmp", "x", "renders", "take1.mov", "keep.mp4", "b.mp4", "ab.c"]),
    min_size=1,
    max_size=4,
).map("/".join)


@RELAXED
@given(_SANE, _PATHS)
def test_a_file_is_found_as_another_reader_of_such_rules_finds_it(lines: list[str], path: str) -> None:
    """Patterns that people write mean the same to pathspec, where nothing is taken back."""
    lines = [line for line in lines if not line.startswith("!")]
    assert parse_patterns(lines)[0].matches_file(path) == GitIgnoreSpec.from_lines(lines).match_file(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("renders\\", "backslash"),
        ("**\\", "backslash"),
        ("a\\/", "backslash"),
        ("!", "nothing"),
        ("/", "nothing"),
        ("!/", "nothing"),
        ("[a", "no ]"),
        ("[", "no ]"),
        ("[[:alpha:", "no ]"),
        ("[[:film:]]", "film"),
        ("[z-a]", "backwards"),
        ("a\0b", "NUL"),
        ("a" * 10_000, "longer"),
    ],
)
def test_a_line_that_is_no_pattern_is_told(line: str, reason: str) -> None:
    """Its number and what is wrong with it; the lines around it count."""
    with pytest.raises(BadPattern, match=reason.replace("]", r"\]")):
        parse_pattern(line)
    patterns, bad = parse_patterns(["# films", "", "*.mov", line, "*.mp4"])
    assert [(item.line, item.text) for item in bad] == [(4, line)]
    assert patterns.matches_file("a.mov")
    assert patterns.matches_file("a.mp4")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("*a" * 12 + "*b", "a" * 255),
        ("*a" * 120 + "*b", "a" * 255),
        ("[ab]*" * 127 + "c", "a" * 255),
        ("?*" * 127 + "b", "a" * 255),
        ("*" + "?a" * 60 + "*" + "?b" * 60, "a" * 255),
        ("*" * 8000, "a" * 255),
        ("[" * 8000, "a" * 255),
        ("**/" * 1000 + "b", "/".join(["a"] * 2047)),
        ("**/a/" * 500 + "b", "/".join(["a"] * 2047)),
        ("**/" + "a/" * 500 + "**/b", "/".join(["a"] * 2047)),
        ("**/" + "*a*a*/" * 200 + "**/b", "/".join(["a" * 15] * 255)),
    ],
)
def test_no_pattern_takes_long(line: str, path: str) -> None:
    """Stars, sets and `**` in any number, against the longest names and paths: milliseconds."""
    patterns, _ = parse_patterns([line])
    name = path.rpartition("/")[2]
    began = time.process_time()
    for _ in range(5):
        patterns.verdict(path, name, is_folder=False)
    assert (time.process_time() - began) / 5 < 0.2


@pytest.mark.parametrize("line", ["*take{}*", "day{}/*", "take{}.mov", "**/day{}/**/*.mov", "/a/day{}/take*"])
def test_many_patterns_do_not_each_cost_time(line: str) -> None:
    """A hundred thousand of them are held against a path in a millisecond or two."""
    patterns, bad = parse_patterns(line.format(number) for number in range(100_000))
    assert not bad
    patterns.verdict("x", "x", is_folder=False)
    began = time.process_time()
    for number in range(200):
        patterns.verdict(f"a/day{number}/clip{number}.mov", f"clip{number}.mov", is_folder=False)
    assert (time.process_time() - began) / 200 < 0.01


@given(st.lists(st.sampled_from(["*ab*", "x/*c*", "?a", "long*", "*ending", "!*abc*", "[a-c]*", "a*b*c"]), max_size=4))
@RELAXED
def test_many_patterns_are_found_as_few_are(lines: list[str]) -> None:
    """Where there are so many that they are sorted by letters, the last that matches still decides."""
    many = [f"*none{number}*" for number in range(100)]
    paths = ["abc", "x/abc", "longer", "the ending", "ca", "x/none7", "aabbcc"]
    few, _ = parse_patterns(lines)
    sorted_, _ = parse_patterns([*many[:50], *lines, *many[50:]])
    for path in paths[:5] + paths[6:]:
        name = path.rpartition("/")[2]
        assert few.verdict(path, name, is_folder=False) == sorted_.verdict(path, name, is_folder=False)


def test_bytes_that_are_not_text_mean_themselves() -> None:
    """A pattern with a byte that is not UTF-8 matches the name that has it, and `?` takes it for a letter."""
    line = os.fsdecode(b"caf\xe9*")
    patterns, _ = parse_patterns([line, "na?ve"])
    assert patterns.matches_file(os.fsdecode(b"caf\xe9.mov"))
    assert not patterns.matches_file("café.mov")
    assert patterns.matches_file(os.fsdecode(b"na\xefve"))
