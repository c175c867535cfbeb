"""Changes of documents in a person's words."""

import copy
import json
from typing import Any

from aura_vcs.compare.diff.describe import changed_text, diff_documents, location_name, readable_lines
from aura_vcs.compare.diff.json_values import diff_values
from hypothesis import given, strategies as st

from tests.compare.json_values import DOCUMENTS, unhurried

BRIEF = {
    "topic": "The solar system",
    "tone": "calm",
    "scenes": [
        {"id": "a", "heading": "Opening", "duration": 6.0, "script": "Long ago there was only dust."},
        {"id": "b", "heading": "Mars", "duration": 5, "script": "Mars is red. " * 20},
        {"id": "c", "heading": "Earth", "duration": 5, "script": "Home."},
    ],
    "spare": [],
}


def _lines(new: Any, old: Any = BRIEF) -> list[str]:
    return list(diff_documents(json.dumps(old).encode(), json.dumps(new).encode()).lines)


def test_each_change_is_a_line_in_words() -> None:
    """Fields by name, list elements by heading, moves by place."""
    new = copy.deepcopy(BRIEF)
    new["tone"] = "lively"
    del new["topic"]
    new["voice"] = {"rate": 1.1}
    new["scenes"][0]["duration"] = 4.5
    new["scenes"].insert(0, new["scenes"].pop())
    assert set(_lines(new)) == {
        'topic: removed "The solar system"',
        'voice: added {"rate": 1.1}',
        'scenes: moved "Earth" from place 3 to 1',
        'tone: "calm" → "lively"',
        'scenes › "Opening" › duration: 6.0 → 4.5',
    }


def test_what_was_added_is_shown_or_named() -> None:
    """A small object or list is written out; of a larger one the fields are named, or its parts counted."""
    new = BRIEF | {
        "tags": ["sea", "moon"],
        "profile": {"age": "20-40", "likes": ["tides", "boats"], "city": "Brest", "job": "", "pets": 2},
        "numbers": list(range(100)),
    }
    assert set(_lines(new)) == {
        'tags: added ["sea", "moon"]',
        "profile: added 5 fields (age, likes, city, job, …)",
        "numbers: added a list of 100",
    }


def test_long_texts_show_what_differs() -> None:
    """Only the surroundings of the changed words are quoted."""
    new = copy.deepcopy(BRIEF)
    new["scenes"][1]["script"] = new["scenes"][1]["script"].replace("red", "rusty", 7).replace("rusty", "red", 6)
    (line,) = _lines(new)
    assert line.startswith('scenes › "Mars" › script: "…')
    assert "rusty" in line
    assert len(line) < 150


def test_a_thing_that_changed_lists_is_one_move() -> None:
    """A scene taken out of one list and put into another is one line."""
    new = copy.deepcopy(BRIEF)
    new["spare"].append(new["scenes"].pop(1))
    assert _lines(new) == ['"Mars": moved from scenes to spare']


def test_many_changes_are_counted() -> None:
    """A rewritten list does not flood the terminal."""
    old = {f"k{n}": n for n in range(40)} | {"scenes": [{"id": n, "x": 0} for n in range(100)]}
    new = {f"k{n}": -1 - n for n in range(40)} | {"scenes": [{"id": n, "x": 1} for n in range(90)]}
    lines = _lines(new, old)
    assert len(lines) == 12
    assert lines[-1].startswith("… and changes in ")
    assert _lines({"scenes": new["scenes"]}, {"scenes": old["scenes"]}) == ["scenes: 90 changed, 10 removed"]


def test_control_characters_and_line_ends_stay_quoted() -> None:
    """A hostile value cannot break out of its line."""
    for line in _lines({"a\nb": "x\n\x1b[2J", "b": "\r"}, {"a\nb": "y", "b": ""}):
        assert "\n" not in line
        assert "\x1b" not in line
        assert "\r" not in line


def test_rewriting_is_told_from_change() -> None:
    """The same fields written differently are said to be just that."""
    found = diff_documents(b'{"a":1,"b":2}', b'{ "b": 2, "a": 1 }')
    assert found.rewritten
    assert found.lines == ("Only the writing changed (spaces or the order of fields)",)
    assert diff_documents(b"{}", b"{}").lines == ()


def test_the_fallback_is_said() -> None:
    """A document with a duplicate key is compared as text, and the reader hears why."""
    (line,) = diff_documents(b'{"a":1}', b'{"a":1,"a":2}').lines
    assert line == "The new document is not compared by fields: the key 'a' is given twice in one object"


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_every_difference_has_lines(old: Any, new: Any) -> None:
    """Any operations can be told in a bounded number of single lines."""
    operations = diff_values(old, new)
    lines = readable_lines(new, operations)
    assert bool(lines) == bool(operations)
    assert len(lines) <= 12
    assert all(line and "\n" not in line and len(line) < 400 for line in lines)


def test_places_deep_inside_are_cut_in_the_middle() -> None:
    """A hundred levels are told by the first and the last steps."""
    assert location_name({}, "/a" * 100) == "a › a › a › … › a › a › a › a"
    assert location_name({}, "/a/b") == "a › b"


@unhurried
@given(st.text("ab", max_size=200), st.text("ab", max_size=200), st.text("ab", max_size=120))
def test_the_common_ends_of_texts_are_found(before: str, after: str, middle: str) -> None:
    """What is shown of two long texts differs, and is in them."""
    old, new = f"{before}-{middle}{after}" + "z" * 130, f"{before}+{after}" + "z" * 130
    shown = changed_text(old, new)
    assert "-" in shown
    assert "+" in shown
    assert len(shown) < 200
