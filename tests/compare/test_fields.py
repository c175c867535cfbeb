"""The fields of a document, and those that it shares with another version of it."""

import copy
from typing import Any

import msgspec
from aura_vcs.compare.diff.fields import Leaves
from aura_vcs.formats.jsondoc.values import resolve_pointer
from hypothesis import given

from tests.compare.json_values import DOCUMENTS, SCALARS, unhurried


def _shared(new: Any, old: Any) -> set[str]:
    leaves = Leaves(new)
    bits = leaves.shared_with(old)
    return {pointer for n, (pointer, _) in enumerate(leaves.listed()) if bits >> n & 1}


@unhurried
@given(DOCUMENTS)
def test_every_field_is_listed_and_shared_with_itself(document: Any) -> None:
    """Pointers lead to the values told, each once; the same document has all of them."""
    leaves = Leaves(document)
    listed = list(leaves.listed())
    assert len({pointer for pointer, _ in listed}) == len(listed)
    for pointer, text in listed:
        assert msgspec.json.encode(resolve_pointer(document, pointer)).decode() == text
    assert leaves.all == (1 << len(listed)) - 1
    assert leaves.shared_with(copy.deepcopy(document)) == leaves.all


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_what_is_shared_is_in_both(new: Any, old: Any) -> None:
    """A shared field's value is somewhere in the other document; nothing but the document's fields is shared."""
    there = {text for _, text in Leaves(old).listed()}
    leaves = Leaves(new)
    bits = leaves.shared_with(old)
    assert bits & ~leaves.all == 0
    assert {text for n, (_, text) in enumerate(leaves.listed()) if bits >> n & 1} <= there


@unhurried
@given(SCALARS, SCALARS)
def test_values_of_different_types_are_not_shared(one: Any, other: Any) -> None:
    """1, 1.0 and true are three values, as are 0.0 and -0.0."""
    same = msgspec.json.encode(one) == msgspec.json.encode(other)
    assert _shared({"a": one, "b": 1}, {"a": other, "b": 1}) == ({"/a", "/b"} if same else {"/b"})


def test_elements_are_known_by_what_they_are() -> None:
    """An element that moved, or has a new neighbour, shares what it had: by id, by value, by likeness."""
    by_id = _shared([{"id": 2, "a": 1}, {"id": 1, "a": 5}], [{"id": 1, "a": 1}, {"id": 2, "a": 1}])
    assert by_id == {"/0/id", "/0/a", "/1/id"}
    assert _shared(["new", "x", "y"], ["x", "y"]) == {"/1", "/2"}
    scene = {"heading": "Dawn", "script": "The sun comes up over a very quiet sea", "length": 3}
    assert _shared([{"heading": "New"}, scene], [{**scene, "length": 4}]) == {"/1/heading", "/1/script"}


def test_places_count_in_lists_of_numbers() -> None:
    """A position [0, 100] that became [100, 0] is two new numbers."""
    assert _shared([100, 0, 5], [0, 100, 5]) == {"/2"}


def test_empty_containers_are_fields() -> None:
    """A list or object without anything in it is told as one field."""
    assert list(Leaves({"a": [], "b": {}, "c": [[]]}).listed()) == [("/a", "[]"), ("/b", "{}"), ("/c/0", "[]")]
    assert list(Leaves({}).listed()) == [("", "{}")]
    assert _shared({"a": []}, {"a": [1]}) == set()
