"""Joining whole projects by path, and files by their kind."""

import json
import random
from typing import Any

import pytest
from aura_vcs.compare.merge.file import merge_file, resolve_file
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.tree import (
    MergedTree,
    keep_both,
    merge_tree,
    resolve_tree,
)
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown, PointerInvalid
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried
from tests.compare.timelines import as_bytes, planets, set_seconds, studio


def _file(content: str, *, executable: bool = False) -> TreeEntry:
    return TreeEntry("file", content, executable)


def _files(**contents: str) -> dict[str, TreeEntry]:
    return {path.replace("__", "/"): _file(content) for path, content in contents.items()}


PATHS = st.sampled_from(["a", "b", "c", "d/a", "d/b", "d", "e/f/g"])
ENTRIES = st.builds(TreeEntry, st.sampled_from(["file", "file", "symlink"]), st.sampled_from("12345"), st.booleans())


@st.composite
def _trees(draw: Any) -> dict[str, TreeEntry]:
    """Trees without a path that is both a file and a folder."""
    tree = draw(st.dictionaries(PATHS, ENTRIES, max_size=6))
    return {path: entry for path, entry in tree.items() if not any(p.startswith(path + "/") for p in tree)}


@unhurried
@given(_trees(), _trees())
def test_a_change_of_one_side_is_the_result(base: Any, new: Any) -> None:
    """merge(a, a, b) = merge(a, b, a) = merge(a, b, b) = b, without conflicts."""
    for ours, theirs in ((base, new), (new, base), (new, new)):
        merged = merge_tree(base, ours, theirs)
        assert merged.entries == dict(sorted(new.items()))
        assert (merged.content_merges, merged.conflicts) == ((), ())


@unhurried
@given(_trees(), _trees(), _trees())
def test_no_content_is_lost(base: Any, ours: Any, theirs: Any) -> None:
    """What a side added or changed is in the result or among what is still to be joined."""
    merged = merge_tree(base, ours, theirs, ours_label="v3", theirs_label="v14 from laptop")
    kept = {(entry.kind, entry.id) for entry in merged.entries.values()}
    kept |= {("file", join.theirs.id) for join in merged.content_merges}
    before = {(entry.kind, entry.id) for entry in base.values()}
    for side in (ours, theirs):
        for entry in side.values():
            assert (entry.kind, entry.id) in kept | before
    both = {path for path in base if ours.get(path) == theirs.get(path) == base[path]}
    for path in both:
        assert base[path] in merged.entries.values()
    for path in merged.entries:
        assert not any(other.startswith(path + "/") for other in merged.entries)
    swapped = merge_tree(base, theirs, ours, ours_label="v14 from laptop", theirs_label="v3")
    if all(conflict.kind != "renamed" for conflict in merged.conflicts):
        assert len(swapped.conflicts) == len(merged.conflicts)
    if not merged.conflicts and not merged.content_merges:
        assert swapped.entries == merged.entries


def test_added_changed_removed_renamed() -> None:
    """Each side's changes land; a file renamed here and changed there is both."""
    base = _files(keep="1", gone="2", name="3", both="4")
    ours = _files(keep="1", gone="2", new__name="3", both="5", mine="6")
    theirs = _files(keep="7", name="8", both="9", theirs="6")
    merged = merge_tree(base, ours, theirs)
    assert merged.entries == dict(sorted(_files(keep="7", new__name="8", both="5", mine="6", theirs="6").items()))
    assert [join.path for join in merged.content_merges] == ["both"]
    assert merged.conflicts == ()


def test_removed_here_and_changed_there_stays() -> None:
    """The changed file stays, and deciding for the removal takes it out."""
    merged = merge_tree(_files(a="1"), {}, _files(a="2"))
    assert merged.entries == _files(a="2")
    assert [conflict.kind for conflict in merged.conflicts] == ["removed_by_ours"]
    assert resolve_tree(merged, "a", "ours") == MergedTree({})
    assert resolve_tree(merged, "a", "theirs") == MergedTree(_files(a="2"))
    assert resolve_tree(merged, "a", "base") == MergedTree(_files(a="1"))


def test_media_that_both_changed_is_kept_twice() -> None:
    """Both are there under names a person understands; deciding removes one."""
    base, ours, theirs = ({"assets/shot.mp4": _file(content)} for content in "123")
    merged = merge_tree(base, ours, theirs)
    (join,) = merged.content_merges
    kept = keep_both(merged, [join], "v14 from laptop")
    assert kept.entries == {"assets/shot (v14 from laptop).mp4": _file("3"), "assets/shot.mp4": _file("2")}
    assert kept.content_merges == ()
    assert resolve_tree(kept, "assets/shot.mp4", "ours").entries == ours
    assert resolve_tree(kept, "assets/shot.mp4", "theirs").entries == theirs
    assert resolve_tree(kept, "assets/shot (v14 from laptop).mp4", "both").entries == kept.entries
    with pytest.raises(ConflictUnknown) as caught:
        resolve_tree(kept, "other", "ours")
    assert caught.value.hint == "Conflicts are at assets/shot.mp4."


def test_renamed_to_two_names() -> None:
    """The file has our name, once, and can get theirs."""
    merged = merge_tree(_files(a="1"), _files(b="1"), _files(c="1"))
    assert merged.entries == _files(b="1")
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.path, conflict.aside) == ("renamed", "b", "c")
    assert resolve_tree(merged, "b", "theirs").entries == _files(c="1")


def test_a_file_where_the_other_has_a_folder() -> None:
    """The file is set aside under the name of its side, the folder keeps the name."""
    merged = merge_tree({}, _files(x="1"), _files(x__y="2"), ours_label="v3 from desk")
    assert merged.entries == {"x (v3 from desk)": _file("1"), "x/y": _file("2")}
    assert [conflict.kind for conflict in merged.conflicts] == ["blocked"]


def test_flags_and_kinds() -> None:
    """The executable bit joins on its own; a file that became a link on one side is kept twice."""
    base, script = {"run": _file("1")}, {"run": _file("1", executable=True)}
    assert merge_tree(base, script, _files(run="2")).entries == {"run": _file("2", executable=True)}
    merged = merge_tree(base, _files(run="2"), {"run": TreeEntry("symlink", "t")}, theirs_label="v4")
    assert merged.entries == {"run": _file("2"), "run (v4)": TreeEntry("symlink", "t")}


def test_files_join_by_their_kind() -> None:
    """Timelines by clip, documents by field, scripts by word, everything else not at all."""
    ours, theirs = planets(), planets()
    set_seconds(ours[0], 3.0)
    theirs[1]["script"] = "Swift Mercury."
    base = as_bytes(studio(planets()))
    assert merge_file("timeline.json", base, as_bytes(studio(ours)), as_bytes(studio(theirs))).by == "timeline"
    assert merge_file("brief.json", b'{"a":1,"b":1}', b'{"a":2,"b":1}', b'{"a":1,"b":2}').data == b'{"a":2,"b":2}'
    assert merge_file("s.srt", b"a b c\n", b"x b c\n", b"a b y\n").data == b"x b y\n"
    for binary in (b"\x00\x01", b"\xff\xd8\xff"):
        assert merge_file("p.jpg", b"1", binary, b"2").data is None
    assert merge_file("broken.json", b"{}", b"{", b"[]").data is None
    assert merge_file("huge.txt", b"", b"x" * (33 * 2**20), b"y").data is None


def test_documents_added_on_both_sides_join_by_field() -> None:
    """Both wrote a brief: what differs is a conflict, the rest is there, the document is valid."""
    merged = merge_file("brief.json", None, b'{\n "a": 1,\n "n": 1\n}', b'{"b": 2, "n": 2}')
    assert merged.data is not None
    assert json.loads(merged.data) == {"a": 1, "b": 2, "n": 1}
    assert [conflict.pointer for conflict in merged.conflicts] == ["/n"]
    decided = resolve_file(merged.data, merged, "/n", "theirs")
    assert decided.data is not None
    assert json.loads(decided.data)["n"] == 2


def test_deciding_in_files_of_each_kind() -> None:
    """A line in a text, a pointer in a document; a file that was not joined says what to do."""
    text = merge_file("a.txt", b"a\n", b"b\n", b"c\n")
    assert resolve_file(b"b\n", text, "1", "theirs").data == b"c\n"
    with pytest.raises(PointerInvalid):
        resolve_file(b"b\n", text, "/x", "theirs")
    with pytest.raises(ChoiceImpossible) as caught:
        resolve_file(b"", merge_file("a.png", b"\x00", b"\x01", b"\x02"), "", "ours")
    assert caught.value.hint == "Choose one of the two files and delete the other."


def test_twenty_thousand_files_take_seconds() -> None:
    """The time grows with the number of paths, also when everything was renamed."""
    rng = random.Random(3)
    base = {f"assets/{n:05d}.png": _file(str(n % 15_000)) for n in range(20_000)}
    ours = {path.replace("assets", "pictures"): entry for path, entry in base.items()}
    theirs = {path: _file(entry.id + "x") if rng.random() < 0.1 else entry for path, entry in base.items()}
    merged = merge_tree(base, ours, theirs)
    assert merged.conflicts == ()
    assert len(merged.entries) == 20_000
    assert all(path.startswith("pictures/") for path in merged.entries)
