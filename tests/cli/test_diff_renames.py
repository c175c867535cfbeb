"""A file that was renamed and edited at once is one change in `aura diff`, and what changed in it is told."""

import json
import os
import time
import tracemalloc
from typing import Any

import pytest
from aura_vcs.compare.diff.likeness import pair_alike
from aura_vcs.errors.integrity import ObjectMissing
from aura_vcs.history.diff import tree_diff as versions
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.renames import Look, pair_renames

from tests.cli.conftest import Film

SCENE = {"id": "s1", "index": 0, "script_text": "The sea rises.", "mood": "calm", "length": 12}
POEM = "".join(f"line {number}\n" for number in range(20))


def changed(film: Film, *arguments: str) -> list[tuple[str, str | None, str]]:
    """What differs: the change, the old path and the path."""
    found: list[dict[str, Any]] = film.data("diff", *arguments)["changes"]
    return [(change["change"], change.get("old_path"), change["path"]) for change in found]


def rename(film: Film, old: str, new: str, content: str | bytes) -> None:
    (film.root / old).unlink()
    film.write({new: content})


@pytest.fixture
def shot(film: Film) -> Film:
    """A project with a scene and a poem in its first version."""
    film.commit("First cut", {"scenes/010-opening.json": json.dumps(SCENE), "poem.txt": POEM})
    return film


def test_a_document_is_known_by_its_id(shot: Film) -> None:
    rename(shot, "scenes/010-opening.json", "scenes/020-tide.json", json.dumps({**SCENE, "mood": "wild", "length": 9}))
    expected = [("renamed", "scenes/010-opening.json", "scenes/020-tide.json")]
    assert changed(shot) == expected
    out = shot("diff").out
    assert "scenes/010-opening.json → scenes/020-tide.json" in out
    assert "mood" in out
    assert "renamed" in shot("diff", "--stat").out
    assert shot("diff", "--name-only").out.split() == ["scenes/020-tide.json"]
    shot.commit("Second cut")
    assert changed(shot, "v1", "v2") == expected
    assert "mood" in shot("diff", "v1", "v2").out


def test_a_text_is_known_by_its_lines(shot: Film) -> None:
    rename(shot, "poem.txt", "texts/verse.txt", POEM.replace("line 7", "another line"))
    assert changed(shot) == [("renamed", "poem.txt", "texts/verse.txt")]
    assert "another line" in shot("diff").out


@pytest.mark.parametrize("path", ["poem.txt", "texts/verse.txt", "texts"])
def test_either_name_can_be_asked_for(shot: Film, path: str) -> None:
    rename(shot, "poem.txt", "texts/verse.txt", POEM.replace("line 7", "another line"))
    expected = [("renamed", "poem.txt", "texts/verse.txt")]
    assert changed(shot, "--", path) == expected
    found = shot.data("diff", "--", path)["changes"][0]
    assert len(found["new"]["id"]) == 64
    shot.commit("Second cut")
    assert changed(shot, "v1", "v2", "--", path) == expected


def test_of_several_the_most_alike_is_taken(shot: Film) -> None:
    shot.write({"b.txt": POEM.replace("line 1\n", "x\n").replace("line 2\n", "y\n")})
    rename(shot, "poem.txt", "a.txt", POEM.replace("line 1\n", "x\n"))
    assert changed(shot) == [("renamed", "poem.txt", "a.txt"), ("added", None, "b.txt")]


@pytest.mark.parametrize(
    ("new", "content"),
    [("other.txt", "nothing\nof\nit\n"), ("poem.md", POEM + "more\n"), ("noise.txt", os.urandom(500)), ("no.txt", "")],
)
def test_what_is_not_alike_went_and_came(shot: Film, new: str, content: str | bytes) -> None:
    rename(shot, "poem.txt", new, content)
    assert sorted(changed(shot)) == sorted([("added", None, new), ("deleted", None, "poem.txt")])


def test_two_documents_of_different_ids_are_two(shot: Film) -> None:
    rename(shot, "scenes/010-opening.json", "scenes/020-tide.json", json.dumps({**SCENE, "id": "s2"}))
    assert {change for change, _, _ in changed(shot)} == {"added", "deleted"}


def test_much_is_not_looked_into(shot: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    rename(shot, "poem.txt", "verse.txt", POEM + "more\n")
    monkeypatch.setattr(versions, "LOOK_BYTES_LIMIT", 100)
    assert {change for change, _, _ in changed(shot)} == {"added", "deleted"}


def test_thousands_of_pairs_are_counted_and_not_made() -> None:
    """Three thousand files that went and as many that came are nine million pairs."""
    gone = {f"old/{n}.txt": f"o{n}" for n in range(3000)}
    come = {f"new/{n}.txt": f"n{n}" for n in range(3000)}
    tracemalloc.start()
    assert pair_alike(gone, come, lambda _: pytest.fail("a file was read")) == {}
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_content_that_is_gone_is_like_nothing(shot: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    rename(shot, "poem.txt", "verse.txt", POEM + "more\n")

    def missing(_: StoredSource, path: str, _entry: object) -> bytes:
        raise ObjectMissing(path)

    monkeypatch.setattr(StoredSource, "read", missing)
    assert {change for change, _, _ in changed(shot)} == {"added", "deleted"}


def test_ten_thousand_equal_files_are_paired_in_time() -> None:
    """Copies of one file that moved as a whole: each by its name, whatever their number."""
    gone = {f"old/{n:05}.png": Look("file", "same") for n in range(10_000)}
    come = {f"new/{n:05}.png": Look("file", "same") for n in range(10_000)}
    began = time.process_time()
    found = pair_renames(gone, come)
    assert time.process_time() - began < 2
    assert found == {f"old/{n:05}.png": f"new/{n:05}.png" for n in range(10_000)}


@pytest.mark.parametrize(
    ("gone", "come", "expected"),
    [
        (["a/x", "b/y"], ["c/y", "c/x"], {"a/x": "c/x", "b/y": "c/y"}),
        (["a/x", "b/y"], ["b/z", "a/w"], {"a/x": "a/w", "b/y": "b/z"}),
        (["a/x", "b/y"], ["c/z"], {"a/x": "c/z"}),
        (["a/x"], ["a/y", "b/x"], {"a/x": "b/x"}),
    ],
)
def test_equal_files_go_by_name_then_by_folder_then_in_order(
    gone: list[str], come: list[str], expected: dict[str, str]
) -> None:
    looks = ({path: Look("file", "same") for path in paths} for paths in (gone, come))
    assert pair_renames(*looks) == expected


def test_a_file_without_content_is_known_by_nothing_but_its_spelling() -> None:
    assert pair_renames({"a.txt": Look("file", "")}, {"b.txt": Look("file", "")}) == {}
    assert pair_renames({"a.txt": Look("file", "")}, {"A.txt": Look("file", "")}) == {"a.txt": "A.txt"}


def test_every_command_sees_the_same_rename(shot: Film) -> None:
    """Another spelling with other content, and a link: in the status, in both diffs, and in a file's history."""
    shot.write({"Sea.png": b"\0one"})
    (shot.root / "link").symlink_to("poem.txt")
    shot.commit("Picture")
    rename(shot, "Sea.png", "sea.png", b"\0two")
    (shot.root / "link").rename(shot.root / "verse")
    expected = [("renamed", "Sea.png", "sea.png"), ("renamed", "link", "verse")]
    assert changed(shot) == expected
    status = shot.data("status")["changes"]
    assert [(c["change"], c.get("old_path"), c["path"]) for c in status] == expected
    shot.commit("Renamed")
    assert changed(shot, "v2", "v3") == expected
    for path in ("sea.png", "verse"):
        assert [v["number"] for v in shot.data("log", path)["versions"]] == [3, 2]
