"""The list of open questions is always readable by who wrote it, however much is open."""

import json
import os
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.compare.merge.model import Conflict, TextConflict, TreeEntry
from aura_vcs.compare.merge.tree import TreeConflict
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_VALUES
from aura_vcs.history.merging import conflicts
from aura_vcs.history.merging.conflicts import LIST_CAPACITY, LIST_LIMITS, OpenConflict, decode, encode, weight
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.layout import CONFLICTS

from tests.helpers.project import clone
from tests.history.lines import Lines


def _three(lines: Lines, path: str, base: str, ours: str, theirs: str) -> None:
    lines.write("main", "Base", {path: base})
    lines.merge("side", "main")
    lines.write("side", "Theirs", {path: theirs})
    lines.write("main", "Ours", {path: ours})
    lines.merge()


@pytest.mark.parametrize("size", [3_000_000, 12_000_000])
def test_a_question_of_huge_lines_keeps_both_files(lines: Lines, size: int) -> None:
    """The sides of one line of megabytes do not go into the list: both files are kept, as for media, and can be had."""
    line = "a " * (size // 2)
    _three(lines, "t.txt", line + "\n", "OURS " + line + "\n", "THEIRS " + line + "\n")
    (item,) = open_conflicts(lines.repo)
    assert item.tree is not None
    assert (lines.root / item.tree.aside).read_text().startswith("THEIRS")
    resolve_conflicts(lines.repo, "t.txt", "", "theirs")
    assert (lines.root / "t.txt").read_text().startswith("THEIRS")
    assert not (lines.root / CONFLICTS).exists()


def test_many_questions_of_one_document_are_readable_or_one(lines: Lines) -> None:
    """40,000 fields that both changed: too many for the list, so it is one question about two files."""

    def rows(text: str) -> str:
        return json.dumps({f"field {n}": f"{text} {n}" for n in range(40_000)})

    _three(lines, "rows.json", rows("old"), rows("our"), rows("their"))
    (item,) = open_conflicts(lines.repo)
    assert item.tree is not None
    resolve_conflicts(lines.repo, "rows.json", "", "ours")
    assert not open_conflicts(lines.repo)


def test_the_deepest_document_leaves_a_readable_question(lines: Lines) -> None:
    """The list holds a value that is as deep as a document may be."""

    def deep(leaf: object) -> str:
        value: Any = leaf
        for _ in range(MAX_DEPTH - 1):
            value = [value]
        return json.dumps({"a": value})

    _three(lines, "deep.json", '{"a": 1}', deep("x"), deep("y"))
    (item,) = open_conflicts(lines.repo)
    assert item.location.startswith("deep.json#")
    resolve_conflicts(lines.repo, "deep.json", "", "theirs")
    assert isinstance(parse_document((lines.root / "deep.json").read_bytes()), ParsedDocument)
    assert '"y"' in (lines.root / "deep.json").read_text()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_odd_names_and_sides_travel(lines: Lines) -> None:
    """A name that is not UTF-8, an empty text, control characters in a document: another machine reads and decides."""
    odd = os.fsdecode(b"sc\xff\xfene \xe2\x80\xae.txt")
    _three(lines, odd, "one\n", "\u2028ours\x7f\n", "theirs\n")
    studio, laptop = lines.root, lines.root.parent / "laptop"
    clone(studio, laptop)
    with Repository.open(laptop, author="Ben", host="laptop") as repo:
        (item,) = open_conflicts(repo)
        assert item.path == odd
        resolve_conflicts(repo, odd, "", "theirs")
        assert (laptop / odd).read_text() == "theirs\n"


def _whole(n: int) -> OpenConflict:
    sides = [TreeEntry("file", f"{n:064x}") for _ in range(3)]
    conflict = TreeConflict("changed", f"assets/{n}.mp4", *sides, aside=f"assets/{n} (v3 from side).mp4")
    return OpenConflict(f"{n:016x}", conflict.path, "tree", "v2 from main", "v3 from side", tree=conflict)


@pytest.mark.parametrize("count", [60_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_very_many_files_are_listed(count: int) -> None:
    """As many videos that both changed: the list is larger than a document may be, and is read again."""
    items = [_whole(n) for n in range(count)]
    data = encode(items)
    assert len(data) > MAX_DOCUMENT_BYTES
    assert sum(data.count(sign) for sign in (b",", b"{", b"[")) > MAX_VALUES
    assert {item.id for item in decode(data)} == {item.id for item in items}


def test_what_would_not_be_read_again_is_not_written() -> None:
    """A list at its limit is read; one question more is refused, and nothing else is made of it."""

    def text(n: int, size: int) -> OpenConflict:
        return OpenConflict(f"{n:016x}", "t.txt", "text", "a", "b", text=TextConflict(n, "b", "o" * size, "t"))

    room = LIST_CAPACITY - weight([text(1, 0)])
    data = encode([text(1, room)])
    assert len(data) <= LIST_LIMITS.size
    assert len(decode(data)) == 1
    with pytest.raises(LimitExceeded, match="left open"):
        encode([text(1, room), text(2, 1)])


def test_values_weigh_as_much_as_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A side of very many small values is refused before the reader would refuse it."""
    assert conflicts.VALUE_WEIGHT * LIST_LIMITS.values > LIST_CAPACITY
    monkeypatch.setattr(conflicts, "LIST_CAPACITY", 1 << 20)
    value: Any = [[] for _ in range(1 << 17)]
    item = OpenConflict("0" * 16, "a.json", "fields", "a", "b", field=Conflict("changed", "/a", 1, value, 2))
    with pytest.raises(LimitExceeded):
        encode([item])


def test_short_lists_are_for_people_and_long_ones_have_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both say the same, on every machine in the same bytes."""
    items = [_whole(n) for n in range(5)]
    short = encode(items)
    monkeypatch.setattr(conflicts, "INDENTED_LIMIT", 0)
    long = encode(items[::-1])
    assert long.count(b"\n") == len(items) + 2
    assert decode(short) == decode(long)
