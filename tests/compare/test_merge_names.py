"""Names in a merge: what is set aside, what is one name on some disks, and what was renamed."""

import json
import unicodedata

import pytest
from aura_vcs.compare.merge.conflict_names import NAME_BYTES_LIMIT, free_name, taken_names
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.tree import ContentMerge, MergedTree, keep_both, merge_tree, resolve_tree
from aura_vcs.errors.compare import ChoiceImpossible
from aura_vcs.layout import fold_path
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried

CAFE, CAFE_APART = "café.png", unicodedata.normalize("NFD", "café.png")


def _files(contents: dict[str, str]) -> dict[str, TreeEntry]:
    return {path: TreeEntry("file", content) for path, content in contents.items()}


def _ids(merged: MergedTree) -> dict[str, str]:
    return {path: entry.id for path, entry in merged.entries.items()}


@pytest.mark.parametrize(
    ("path", "label", "taken", "name"),
    [
        ("a/shot.mp4", "v14 from laptop", [], "a/shot (v14 from laptop).mp4"),
        ("shot", "v14", ["SHOT (V14)"], "shot (v14 2)"),
        ("shot.mp4", "v14", ["shot (v14).mp4/take.mp4"], "shot (v14 2).mp4"),
        (CAFE, "v2", [CAFE_APART.replace(".png", " (v2).png")], "café (v2 2).png"),
        (".auraignore", "v14", [], ".auraignore (v14)"),
        ("a.tar.gz", 'x/../:*?"<>|\n', [], "a.tar (x).gz"),
        ("a", "", [], "a (other)"),
        ("a.png", "v3 from \u202egnp.exe\u202c \x1b[31m", [], "a (v3 from gnp.exe [31m).png"),
        ("a.", "v2", [], "a. (v2)"),
        ("x" * 251 + ".mp4", "v2", [], "x" * 246 + " (v2).mp4"),
        ("ü" * 125 + ".mp4", "v2", [], "ü" * 123 + " (v2).mp4"),
        ("x." + "y" * 250, "v2", [], "x." + "y" * 248 + " (v2)"),
        ("x" * 251 + ".mp4", "v2", ["x" * 246 + " (v2).mp4"], "x" * 244 + " (v2 2).mp4"),
        ("a.mp4", "🎬" * 60, [], "a (" + "🎬" * 30 + ").mp4"),
    ],
)
def test_names_of_what_is_set_aside(path: str, label: str, taken: list[str], name: str) -> None:
    """The suffix stays, the folder stays, no label can leave it, no name is used twice or is too long."""
    assert free_name(path, label, taken_names(taken)) == name


_NO_BYTES = "".join(chr(code) for code in range(0xD800, 0xE000) if not 0xDC80 <= code < 0xDD00)
"""Halves of surrogate pairs that stand for no byte of a name."""
NAMES = st.text(st.characters(exclude_characters=f"/\0{_NO_BYTES}"), min_size=1, max_size=90).filter(
    lambda name: name not in {".", ".."} and len(name.encode("utf-8", "surrogateescape")) <= NAME_BYTES_LIMIT
)


@unhurried
@given(NAMES, st.text(max_size=90), st.lists(NAMES, max_size=4))
def test_any_name_can_be_set_aside_many_times(name: str, label: str, others: list[str]) -> None:
    """Whatever a file and a side are called, its copies have names that every disk keeps apart."""
    if any(0xD800 <= ord(c) < 0xE000 for c in name + "".join(others)):
        return  # half characters come from bytes that are not UTF-8: the case below
    taken = taken_names([f"folder/{name}", *(f"folder/{other}" for other in others)])
    for _ in range(12):
        found = free_name(f"folder/{name}", label, taken)
        assert found.startswith("folder/")
        assert len(found.removeprefix("folder/").encode("utf-8", "surrogateescape")) <= NAME_BYTES_LIMIT
        assert found.count("/") == 1
        assert fold_path(found) not in taken
        taken.add(fold_path(found))


def test_a_name_that_is_not_utf8_is_set_aside() -> None:
    """Its bytes stay, also when it has to be cut."""
    name = (b"\xff\xfe" + b"a" * 249 + b".mp4").decode("utf-8", "surrogateescape")
    found = free_name(name, "v2", set())
    assert found.encode("utf-8", "surrogateescape") == b"\xff\xfe" + b"a" * 244 + b" (v2).mp4"


def test_what_is_set_aside_never_meets_a_folder() -> None:
    """A folder that already has the name of the copy, in any case, gets another name beside it."""
    entries = _files({"shot.mp4": "2", "Shot (V3).mp4/readme.txt": "4"})
    join = ContentMerge("shot.mp4", None, entries["shot.mp4"], TreeEntry("file", "3"))
    kept = keep_both(MergedTree(entries, (join,)), [join], "v3")
    assert _ids(kept)["shot (v3 2).mp4"] == "3"
    ours, theirs = _files({"x": "1", "x (v3)/a": "2"}), _files({"x/y": "3"})
    merged = merge_tree({}, ours, theirs, ours_label="v3")
    assert _ids(merged) == {"x (v3 2)": "1", "x (v3)/a": "2", "x/y": "3"}


@pytest.mark.parametrize(("one", "other"), [("Sky.png", "sky.png"), (CAFE, CAFE_APART), ("a/Sky.png", "A/sky.png")])
def test_names_that_are_one_on_some_disks_are_told_apart(one: str, other: str) -> None:
    """One from each side: theirs goes aside, so that every machine can check the result out."""
    merged = merge_tree({}, _files({one: "1"}), _files({other: "2"}), theirs_label="v4")
    assert len({fold_path(path) for path in merged.entries}) == 2
    assert _ids(merged)[one] == "1"
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.path) == ("blocked", one)
    assert _ids(resolve_tree(merged, one, "theirs")) == {one: "2"}
    assert _ids(resolve_tree(merged, one, "ours")) == {one: "1"}
    assert resolve_tree(merged, one, "both").entries == merged.entries
    with pytest.raises(ChoiceImpossible, match="before both there was neither"):
        resolve_tree(merged, one, "base")
    same = merge_tree({}, _files({one: "1"}), _files({other: "1"}))
    assert (_ids(same), same.conflicts) == ({one: "1"}, ())
    both = _files({one: "1", other: "2"})
    assert merge_tree({}, {}, both).entries == both
    assert merge_tree({}, both, _files({one: "1"})).entries == both


@pytest.mark.parametrize(("old", "new"), [("Sky.png", "sky.png"), (CAFE, CAFE_APART)])
def test_a_name_written_another_way_is_a_rename(old: str, new: str) -> None:
    """A Mac that writes names its own way, or a changed capital: edits of the other side go to the new name."""
    merged = merge_tree(_files({old: "1"}), _files({new: "2"}), _files({old: "3"}))
    assert [join.path for join in merged.content_merges] == [new]
    assert merged.conflicts == ()
    assert _ids(merge_tree(_files({old: "1"}), _files({new: "1"}), _files({old: "3"}))) == {new: "3"}


def test_choosing_the_side_that_has_the_folder_keeps_the_folder() -> None:
    """A file here, a folder there: either side can be taken, and only what was set aside goes."""
    merged = merge_tree({}, _files({"x": "1"}), _files({"x/y": "2"}), ours_label="v3")
    assert _ids(resolve_tree(merged, "x", "theirs")) == {"x/y": "2"}
    swapped = merge_tree({}, _files({"x/y": "2"}), _files({"x": "1"}), theirs_label="v3")
    assert _ids(swapped) == {"x (v3)": "1", "x/y": "2"}
    assert _ids(resolve_tree(swapped, "x", "ours")) == {"x/y": "2"}


def test_a_changed_file_in_the_way_of_a_folder_stays_decidable() -> None:
    """A file changed here, and there replaced by a folder: one question, and every side of it can be taken."""
    merged = merge_tree(_files({"x": "1"}), _files({"x": "2"}), _files({"x/y": "3"}), ours_label="v3")
    assert _ids(merged) == {"x (v3)": "2", "x/y": "3"}
    assert [(conflict.kind, conflict.path, conflict.aside) for conflict in merged.conflicts] == [
        ("blocked", "x", "x (v3)")
    ]
    taken = {choice: _ids(resolve_tree(merged, "x", choice)) for choice in ("ours", "theirs", "base", "both")}
    assert taken == {"ours": {"x": "2"}, "theirs": {"x/y": "3"}, "base": {"x": "1"}, "both": _ids(merged)}
    swapped = merge_tree(_files({"x": "1"}), _files({"x/y": "3"}), _files({"x": "2"}), theirs_label="v3")
    assert [conflict.kind for conflict in swapped.conflicts] == ["blocked"]
    assert _ids(resolve_tree(swapped, "x (v3)", "theirs")) == {"x": "2"}


CONTENTS = {
    "s1": json.dumps({"id": "s1", "index": 1, "text": "The sea rises."}).encode(),
    "s1 moved": json.dumps({"id": "s1", "index": 7, "text": "The sea falls and falls.", "more": [1, 2, 3]}).encode(),
    "s1 edited": json.dumps({"id": "s1", "index": 1, "text": "The sea rises.", "tone": "calm"}).encode(),
    "s2": json.dumps({"id": "s2", "index": 1, "text": "The sea rises."}).encode(),
    "text": b"one\ntwo\nthree\nfour\nfive\n",
    "text moved": b"zero\none\ntwo\nthree\nfour\nfive\n",
    "text edited": b"one\ntwo\nthree\nfour\n5\n",
    "other": b"none\nof\nthese\n",
    "sky": b"\x89PNG" + b"\0" * 99,
    "sky 2": b"\x89PNG" + b"\0" * 98,
}


@pytest.mark.parametrize(
    ("old", "renamed", "edited", "suffix", "is_found"),
    [
        ("s1", "s1 moved", "s1 edited", "json", True),
        ("s1", "s2", "s1 edited", "json", False),
        ("text", "text moved", "text edited", "md", True),
        ("text", "other", "text edited", "md", False),
        ("sky", "sky 2", "sky 2", "png", False),
    ],
)
def test_renamed_and_changed_at_once(old: str, renamed: str, edited: str, suffix: str, is_found: bool) -> None:
    """A document is known by its id, a text by its lines; two scenes that look alike are two scenes."""
    was, now = f"a.{suffix}", f"b.{suffix}"
    base, ours, theirs = _files({was: old}), _files({now: renamed}), _files({was: edited})
    for here, there in ((ours, theirs), (theirs, ours)):
        merged = merge_tree(base, here, there, read=CONTENTS.__getitem__)
        assert [join.path for join in merged.content_merges] == ([now] if is_found else [])
        assert (merged.conflicts == ()) == is_found
        assert set(merged.entries) == ({now} if is_found else {was, now})
    alone = merge_tree(base, base, ours, read=lambda file: pytest.fail("content was read for nothing"))
    assert alone.entries == ours
