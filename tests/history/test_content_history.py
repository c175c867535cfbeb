"""Looking back at one file: who wrote its fields and lines, and what it was called."""

import json
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.errors.compare import NotStructural
from aura_vcs.history.blame import blame
from aura_vcs.history.log import log
from aura_vcs.history.lookup.field_history import field_history
from aura_vcs.index.queries import VersionFilter

from tests.helpers.project import save, write
from tests.history.lines import Lines


def _writers(repo: Repository, path: str) -> dict[str, int]:
    head = repo.head().version
    assert head is not None
    return {part.location: part.version.number for part in blame(repo, head, path)}


def _values(repo: Repository, path: str, pointer: str) -> list[Any]:
    head = repo.head().version
    assert head is not None
    return [change.after for change in field_history(repo, head, path, pointer)]


def _touching(repo: Repository, path: str) -> list[int]:
    return [record.number for record in log(repo, VersionFilter(), paths=[path])]


def test_a_new_element_in_front_takes_no_credit_for_the_others(lines: Lines) -> None:
    """Elements without ids are known by what they are, not by their number."""
    lines.write("main", "Two", {"tags.json": json.dumps(["sea", "moon"])})
    new = lines.write("main", "Three", {"tags.json": json.dumps(["tide", "sea", "moon"])})
    assert _writers(lines.repo, "tags.json") == {"/0": new.number, "/1": new.number - 1, "/2": new.number - 1}


def test_a_field_is_followed_with_its_scene(lines: Lines) -> None:
    """A scene that moved keeps the history of its fields; its old place tells nothing of it."""
    scenes = [{"id": f"s{n}", "tone": f"tone {n}"} for n in range(3)]
    lines.write("main", "First", {"list.json": json.dumps(scenes)})
    scenes[2]["tone"] = "wild"
    lines.write("main", "Edited", {"list.json": json.dumps(scenes)})
    lines.write("main", "Moved", {"list.json": json.dumps([scenes[2], *scenes[:2]])})
    assert _values(lines.repo, "list.json", "/0/tone") == ["wild", "tone 2"]
    assert _values(lines.repo, "list.json", "/1/tone") == ["tone 0"]


def test_a_scene_without_an_id_is_followed_by_its_heading(lines: Lines) -> None:
    """What the studio's timeline calls a scene leads back to it; a renamed one is the one in its place."""
    scenes = [{"heading": f"Part {n}", "duration": n} for n in range(3)]
    lines.write("main", "First", {"film.json": json.dumps({"scenes": scenes})})
    scenes = [{**scenes[2], "duration": 9}, *scenes[:2]]
    lines.write("main", "Moved and trimmed", {"film.json": json.dumps({"scenes": scenes})})
    assert _values(lines.repo, "film.json", "/scenes/0/duration") == [9, 2]
    lines.write(
        "main", "Renamed", {"film.json": json.dumps({"scenes": [{**scenes[0], "heading": "End"}, *scenes[1:]]})}
    )
    assert _values(lines.repo, "film.json", "/scenes/0/heading")[:2] == ["End", "Part 2"]


def test_a_field_that_is_gone_is_found_by_its_place(lines: Lines) -> None:
    """A field that the newest version does not have any more is told, its removal first."""
    lines.write("main", "First", {"list.json": json.dumps([{"id": "a", "tone": "dry"}])})
    lines.write("main", "Gone", {"list.json": json.dumps([{"id": "a"}])})
    head = lines.repo.head().version
    assert head is not None
    changes = field_history(lines.repo, head, "list.json", "/0/tone")
    assert [change.before for change in changes][:1] == ["dry"]
    assert [change.version.name for change in changes] == ["Gone", "First"]


@pytest.mark.parametrize("kind", ["document", "text"])
def test_a_file_that_was_renamed_and_edited_at_once_is_followed(lines: Lines, kind: str) -> None:
    """Its lines or fields keep their writers, and the log shows what happened under the old name."""
    if kind == "document":
        old, new, place = "scenes/001-scene.json", "scenes/005-late.json", "/id"
        content = json.dumps({"id": "s1", "index": 5, "script_text": "Waves."})
    else:
        old, new, place = "old.md", "new.md", "2"
        lines.write("main", "Text", {old: "one\ntwo\nthree\nfour\n"})
        content = "one\ntwo\nthree\nfive\n"
    before = _touching(lines.repo, old)
    done = lines.write("main", "Renamed and edited", {old: None, new: content})
    assert _touching(lines.repo, new) == [done.number, *before]
    writers = _writers(lines.repo, new)
    assert writers[place] == before[-1]
    assert done.number in writers.values()


def test_another_file_that_went_is_not_taken_for_it(lines: Lines) -> None:
    """A new file beside an unlike one that was removed has no past."""
    lines.write("main", "Text", {"old.md": "one\ntwo\nthree\nfour\n"})
    done = lines.write("main", "Other", {"old.md": None, "new.md": "a\nb\nc\nd\nfour\n"})
    assert _touching(lines.repo, "new.md") == [done.number]


def test_lines_of_other_encodings(lines: Lines) -> None:
    """Subtitles in UTF-16, as some programs write them, have lines too; other bytes have none."""
    lines.write("main", "First", {"en.srt": "one\ntwo\n".encode("utf-16")})
    done = lines.write("main", "Second", {"en.srt": "one\nzwei\n".encode("utf-16"), "latin.txt": b"\xe9\n"})
    assert _writers(lines.repo, "en.srt") == {"1": done.number - 1, "2": done.number}
    with pytest.raises(NotStructural, match="not valid UTF-8"):
        _writers(lines.repo, "latin.txt")


def test_versions_that_left_a_file_alone_are_not_opened(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking back costs what the file's own versions cost: of a hundred others no tree is read."""
    for n in range(30):
        write(lines.root, {"notes.txt": str(n)})
        save(lines.repo, f"Note {n}")
    head = lines.repo.head().version
    assert head is not None
    opened: list[str] = []
    entry = lines.repo.trees.entry

    def counted(tree: Any, path: str) -> Any:
        opened.append(path)
        return entry(tree, path)

    monkeypatch.setattr(lines.repo.trees, "entry", counted)
    assert {part.version.number for part in blame(lines.repo, head, "brief.json")} == {1}
    assert [change.after for change in field_history(lines.repo, head, "brief.json", "/tone")] == ["calm"]
    assert len(opened) < 8


def test_a_file_that_changed_long_ago_is_found_among_many_versions(lines: Lines) -> None:
    """A limit counts the versions that changed it, under every name that it had, and no more are read than it takes."""
    texts = [f"a line of its own, number {n}\n" * 9 for n in range(3)]
    numbers = [lines.write("main", f"One {n}", {"old name.txt": text}).number for n, text in enumerate(texts)]
    lines.write("main", "Renamed", {"new name.txt": texts[-1], "old name.txt": None})
    for n in range(40):
        lines.write("main", f"Other {n}", {"other.txt": str(n)})
    repo = lines.repo
    everything = [record.number for record in log(repo, VersionFilter(), everything=True, paths=["new name.txt"])]
    assert everything[-3:] == numbers[::-1]
    for limit in range(1, 6):
        found = log(repo, VersionFilter(limit=limit), everything=True, paths=["new name.txt"])
        assert [record.number for record in found] == everything[:limit]
    assert len(log(repo, VersionFilter(limit=2), everything=True, paths=["other.txt"])) == 2
