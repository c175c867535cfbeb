"""Documents are who they say they are: the other side's edit follows an id, not a file's name."""

import itertools
import json
from typing import Any

import pytest
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.tree import TreeConflict, keep_both, merge_tree
from aura_vcs.ids import blob_id

Files = dict[str, str]


class Result:
    """A merged project: its files, and the questions about whole files and inside them."""

    def __init__(self, base: Files, ours: Files, theirs: Files) -> None:
        contents: dict[str, bytes] = {}

        def entries(files: Files) -> dict[str, TreeEntry]:
            found = {}
            for path, text in files.items():
                entry = TreeEntry("file", blob_id(text.encode()))
                contents[entry.id] = text.encode()
                found[path] = entry
            return found

        sides = entries(base), entries(ours), entries(theirs)
        merged = merge_tree(*sides, read=contents.__getitem__)
        self.inside: list[str] = []
        files = {}
        apart = []
        for join in merged.content_merges:
            common = contents[join.base.id] if join.base is not None else None
            file = merge_file(join.path, common, contents[join.ours.id], contents[join.theirs.id])
            if file.data is None:
                apart.append(join)
            else:
                files[join.path] = file.data
                self.inside += [f"{join.path}#{found.pointer}" for found in file.conflicts]
                self.inside += [f"{join.path}#{found.line}" for found in file.text_conflicts]
        merged = keep_both(merged, apart, "theirs")
        self.whole: tuple[TreeConflict, ...] = merged.conflicts
        self.files = {path: files.get(path, contents[entry.id]).decode() for path, entry in merged.entries.items()}

    def documents(self) -> dict[str, Any]:
        return {path: json.loads(text) for path, text in self.files.items()}

    @property
    def is_open(self) -> bool:
        return bool(self.whole or self.inside)


def _scene(name: str, seconds: int = 5, **fields: Any) -> str:
    scene = {"id": name, "heading": name.title(), "script_text": f"Text of {name}, long enough.", "seconds": seconds}
    return json.dumps(scene | fields, indent=2) + "\n"


def _numbered(*scenes: str) -> Files:
    return {f"scenes/{n}.json": scene for n, scene in enumerate(scenes, 1)}


A, B, C, N, M = (_scene(name) for name in "abcnm")


def _seconds(result: Result, name: str) -> set[int]:
    return {scene["seconds"] for scene in result.documents().values() if scene["id"] == name}


@pytest.mark.parametrize("edited", range(3))
@pytest.mark.parametrize(
    "renumbered",
    [_numbered(N, A, B, C), _numbered(B, A, C), _numbered(C, A, B), _numbered(A, N, B, C), _numbered(A, C, B)],
)
def test_an_edit_follows_a_renumbered_scene(edited: int, renumbered: Files) -> None:
    """Every scene that was renumbered on one side has the other side's edit, either way round; no other has."""
    scenes = [A, B, C]
    name = "abc"[edited]
    scenes[edited] = _scene(name, 8)
    for ours, theirs in itertools.permutations((renumbered, _numbered(*scenes))):
        result = Result(_numbered(A, B, C), ours, theirs)
        assert not result.is_open
        assert {path: scene["id"] for path, scene in result.documents().items()} == {
            path: json.loads(text)["id"] for path, text in renumbered.items()
        }
        for each in "abcn":
            assert _seconds(result, each) <= ({8} if each == name else {5})
        assert _seconds(result, name) == {8}


def test_both_renumber_and_no_scene_is_lost() -> None:
    """A scene in front here, one at the end or in the middle there: each is there once, or a question."""
    for theirs in (_numbered(A, B, M), _numbered(A, M, B), _numbered(M, A, B), _numbered(B, A)):
        for sides in itertools.permutations((_numbered(N, A, B), theirs)):
            result = Result(_numbered(A, B), *sides)
            names = sorted(scene["id"] for scene in result.documents().values())
            wanted = {scene["id"] for side in sides for scene in map(json.loads, side.values())}
            assert names == sorted(wanted)


def test_a_scene_renumbered_here_and_removed_there_stays() -> None:
    """It is a question, and no other scene goes in its stead."""
    for sides in itertools.permutations((_numbered(N, A, B), {"scenes/2.json": B})):
        result = Result(_numbered(A, B), *sides)
        assert {conflict.kind for conflict in result.whole} <= {"removed_by_ours", "removed_by_theirs"}
        assert [conflict.path for conflict in result.whole] == ["scenes/2.json"]
        assert {scene["id"] for scene in result.documents().values()} == {"a", "b", "n"}


def test_another_document_under_an_old_name_is_not_merged_into() -> None:
    """Ours wrote another scene into the file, theirs edited the old one: both are there, and it is asked."""
    for sides in itertools.permutations(({"s.json": N}, {"s.json": _scene("a", 8)})):
        result = Result({"s.json": A}, *sides)
        assert result.is_open
        assert sorted((scene["id"], scene["seconds"]) for scene in result.documents().values()) == [("a", 8), ("n", 5)]


def test_a_changed_id_is_a_question() -> None:
    """The document got another id here and was edited there: nobody knows whether it is still the same."""
    for sides in itertools.permutations(({"s.json": A.replace('"a"', '"z"')}, {"s.json": _scene("a", 8)})):
        result = Result({"s.json": A}, *sides)
        assert result.is_open
        assert _seconds(result, "a") == {8}


def test_a_copied_scene_takes_no_edit_from_its_original() -> None:
    """Copied here with its id, edited there: the edit is where the scene was."""
    for sides in itertools.permutations(({"1.json": A, "2.json": A}, {"1.json": _scene("a", 8)})):
        result = Result({"1.json": A}, *sides)
        assert json.loads(result.files["1.json"])["seconds"] == 8
        assert json.loads(result.files["2.json"])["seconds"] == 5


def test_two_documents_of_one_name_and_two_ids_are_never_joined() -> None:
    """Both added `scenes/3.json`: two scenes, two files."""
    result = Result(_numbered(A, B), _numbered(A, B, N), _numbered(A, B, M))
    assert sorted(scene["id"] for scene in result.documents().values()) == ["a", "b", "m", "n"]
    assert result.is_open


def test_one_document_added_under_two_names_is_one() -> None:
    """By its id; which name it has is asked."""
    result = Result({}, {"1.json": N}, {"2.json": _scene("n", 8)})
    assert len(result.files) == 1
    assert result.is_open


@pytest.mark.parametrize("ending", ["md", "json", "png"])
def test_files_without_ids_are_followed_by_content(ending: str) -> None:
    """Scripts and pictures that were renumbered: the other side's edit is where its words are now."""
    texts = ["".join(f"{word} line {n}\n" for n in range(9)) for word in ("one", "two", "new")]
    base = {f"script/{n}.{ending}": text for n, text in enumerate(texts[:2], 1)}
    moved = {f"script/{n}.{ending}": text for n, text in enumerate((texts[2], texts[0], texts[1]), 1)}
    edited = base | {f"script/1.{ending}": texts[0].replace("line 5", "line five")}
    for sides in itertools.permutations((moved, edited)):
        result = Result(base, *sides)
        assert not result.is_open
        assert result.files == moved | {f"script/2.{ending}": edited[f"script/1.{ending}"]}


def test_a_copy_of_a_text_takes_no_edit() -> None:
    """Copied to another name and changed a little at the old one: it is still the one at the old name."""
    text = "".join(f"line {n}\n" for n in range(9))
    ours = {"a.md": text.replace("line 1\n", "our line\n"), "b.md": text}
    for sides in itertools.permutations((ours, {"a.md": text.replace("line 7\n", "their line\n")})):
        result = Result({"a.md": text}, *sides)
        assert result.files["b.md"] == text
        assert "their line" in result.files["a.md"]
        assert "our line" in result.files["a.md"]
