"""RFC 6901 addresses and RFC 6902 patches."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors.compare import CompareError, PatchFailed, PatchInvalid, PointerInvalid, PointerUnknown
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.patch import PatchOperation, apply_patch
from aura_vcs.formats.jsondoc.values import equal_numbers, join_pointer, resolve_pointer, same, split_pointer
from hypothesis import given

from tests.compare.json_values import DOCUMENTS, VALUES, unhurried

PUBLIC_CASES = Path(__file__).parents[3] / "shared" / "data" / "json-patch" / "tests.json"


def _public_cases() -> list[Any]:
    if not PUBLIC_CASES.exists():
        return [pytest.param({}, marks=pytest.mark.skip(f"{PUBLIC_CASES} is not here"))]
    cases = json.loads(PUBLIC_CASES.read_text("utf-8"))
    return [
        pytest.param(
            case,
            id=f"{number}-{case.get('comment', case.get('error', ''))[:40]}",
            marks=[pytest.mark.skip("disabled in the public suite")] if case.get("disabled") else [],
        )
        for number, case in enumerate(cases)
        if "patch" in case
    ]


@pytest.mark.parametrize("case", _public_cases())
def test_the_public_suite_passes(case: dict[str, Any]) -> None:
    """Every enabled record of json-patch-tests gives the expected document or an error."""
    before = copy.deepcopy(case["doc"])
    if "error" in case:
        with pytest.raises((PatchFailed, PatchInvalid)):
            apply_patch(case["doc"], case["patch"])
    else:
        after = apply_patch(case["doc"], case["patch"])
        assert same(after, case.get("expected", case["doc"]))
    assert same(case["doc"], before)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7}),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/m~0n", 8),
        ("/ ", 7),
    ],
)
def test_pointers_of_the_rfc(pointer: str, value: Any) -> None:
    """The examples of RFC 6901, section 5."""
    document = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7}
    assert resolve_pointer(document, pointer) == value
    assert join_pointer(split_pointer(pointer)) == pointer


@pytest.mark.parametrize("pointer", ["foo", "#/foo", "/~", "/~2", "/a~"])
def test_bad_pointers_are_refused(pointer: str) -> None:
    """What is not a JSON pointer never resolves to something."""
    with pytest.raises(PointerInvalid):
        resolve_pointer({"~": 1, "~2": 1, "foo": 1, "a~": 1}, pointer)


@pytest.mark.parametrize("token", ["01", "-1", "+1", "1e0", "1.0", "٣", "", "-", "9" * 5000, " 1"])
def test_only_plain_indices_reach_list_elements(token: str) -> None:
    """Signs, leading zeros, other digits and huge numbers are no positions."""
    with pytest.raises(PointerUnknown):
        resolve_pointer(list(range(20)), f"/{token}")


def test_true_is_not_one_but_one_is_one_point_zero() -> None:
    """`test` compares numbers by value and never mixes them with flags (RFC 6902, 4.6)."""
    apply_patch([1], [{"op": "test", "path": "/0", "value": 1.0}])
    with pytest.raises(PatchFailed):
        apply_patch([1], [{"op": "test", "path": "/0", "value": True}])
    assert not same(1, True)
    assert not same(1, 1.0)
    assert not same(0.0, -0.0)
    assert equal_numbers({"a": [1]}, {"a": [1.0]})


def test_a_failed_patch_changes_nothing() -> None:
    """The document handed in is the same before and after, whether the patch applies or not."""
    document = {"a": [1, {"b": 2}]}
    before = copy.deepcopy(document)
    with pytest.raises(PatchFailed, match=r"Operation 1 of the patch cannot remove '/a/7'"):
        apply_patch(document, [{"op": "add", "path": "/a/1/c", "value": 3}, {"op": "remove", "path": "/a/7"}])
    assert document == before


def test_values_of_the_patch_are_not_shared_by_writes() -> None:
    """Adding one value twice and changing one of them leaves the other and the patch alone."""
    value: dict[str, Any] = {"n": []}
    patch = [
        {"op": "add", "path": "/x", "value": value},
        {"op": "copy", "from": "/x", "path": "/y"},
        {"op": "add", "path": "/x/n/-", "value": 1},
        {"op": "copy", "from": "/x", "path": "/z"},
        {"op": "add", "path": "/z/n/-", "value": 2},
    ]
    assert apply_patch({}, patch) == {"x": {"n": [1]}, "y": {"n": []}, "z": {"n": [1, 2]}}
    assert value == {"n": []}


def test_moving_a_value_into_itself_is_refused() -> None:
    """`from` must not be above `path` (RFC 6902, 4.4)."""
    with pytest.raises(PatchFailed, match="into itself"):
        apply_patch({"a": {"b": {}}}, [{"op": "move", "from": "/a", "path": "/a/b"}])


def test_copies_cannot_explode() -> None:
    """A patch that doubles the document forty times is refused instead of eating the memory."""
    patch = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 40
    with pytest.raises(LimitExceeded):
        apply_patch({"a": [1]}, patch)


def test_deep_documents_and_pointers_do_not_recurse() -> None:
    """10^5 levels are walked without a RecursionError."""
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    pointer = "/0" * 100_000
    assert resolve_pointer(deep, pointer) == 1
    changed = apply_patch(deep, [{"op": "replace", "path": pointer, "value": 2}])
    assert resolve_pointer(changed, pointer) == 2
    assert resolve_pointer(deep, pointer) == 1
    assert not same(deep, changed)
    while deep:  # taken apart level by level: freeing 10^5 levels at once is CPython's own worry
        deep = deep.pop() if isinstance(deep, list) else None


@unhurried
@given(DOCUMENTS, VALUES)
def test_replacing_the_whole_document(document: Any, value: Any) -> None:
    """The empty pointer is the document."""
    assert same(apply_patch(document, [PatchOperation("replace", "", value=value)]), value)


@pytest.mark.parametrize(
    "patch",
    [
        "x",
        [1],
        [{"op": "add", "path": "/a"}],
        [{"op": "move", "path": "/a", "from": 1}],
        [{"op": ["add"], "path": ""}],
    ],
)
def test_malformed_patches_are_refused(patch: Any) -> None:
    """What is not a list of operations is told so, with the operation's number."""
    with pytest.raises(PatchInvalid) as caught:
        apply_patch({}, patch)
    assert isinstance(caught.value, CompareError)
    assert caught.value.exit_code == 72


def test_operations_print_as_the_rfc_writes_them() -> None:
    """`source` is written `from`, absent members stay absent, null stays null."""
    assert PatchOperation("move", "/b", source="/a", old=None).plain() == {
        "op": "move",
        "path": "/b",
        "from": "/a",
        "old": None,
    }
