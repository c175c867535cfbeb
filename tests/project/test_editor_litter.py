"""What a new project's `.auraignore` gets for the editors whose projects lie in the folder."""

import os
from pathlib import Path

import pytest
from aura_vcs.history.init import start_project
from aura_vcs.history.undo import undo
from aura_vcs.project.editor_litter import EDITORS, Editor, EditorLitter, find_editors, ignore_editor_litter
from aura_vcs.worktree.scan.ignore import load_ignore_rules

REAPEAKS = "*.reapeaks"


def _ignored(folder: Path, *files: str, rules: bytes | None = None) -> EditorLitter:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    if rules is not None:
        (folder / ".auraignore").write_bytes(rules)
    with start_project(str(folder)) as (repo, _):
        return ignore_editor_litter(repo)


def test_the_litter_of_editors_is_ignored(tmp_path: Path) -> None:
    """What each editor makes again is in no version; projects and media are."""
    found = _ignored(tmp_path, "edit/film.kdenlive", "mix/song.RPP", "footage/a.mp4")
    assert [(one.name, one.files) for one in found.editors] == [
        ("Kdenlive", ("edit/film.kdenlive",)),
        ("REAPER", ("mix/song.RPP",)),
    ]
    rules = load_ignore_rules(str(tmp_path))
    assert not rules.notes
    for name in ("a.wav.reapeaks", "song.rpp-bak", "song.RPP-bak"):
        assert rules.matches(name, f"mix/{name}", is_folder=False)
    assert rules.matches("proxy", "edit/proxy", is_folder=True)
    assert not any(rules.matches(name, name, is_folder=False) for name in ("song.RPP", "film.kdenlive", "proxy"))


@pytest.mark.parametrize("editor", EDITORS, ids=lambda editor: editor.name)
def test_every_pattern_is_one(tmp_path: Path, editor: Editor) -> None:
    """Every editor is found by every ending, and all its patterns are understood."""
    found = _ignored(tmp_path, *(f"film{ending}" for ending in editor.endings))
    assert [one.count for one in found.editors] == [len(editor.endings)]
    assert found.patterns == editor.patterns
    assert not load_ignore_rules(str(tmp_path)).notes


def test_folders_without_editors_get_nothing(tmp_path: Path) -> None:
    """No file is written where no editor's project lies."""
    assert _ignored(tmp_path, "a.mp4", "timeline.json", "cut.otio") == EditorLitter()
    assert not (tmp_path / ".auraignore").exists()


def test_existing_rules_are_only_added_to(tmp_path: Path) -> None:
    """What is there stays, byte for byte, and what it says is not said again."""
    before = b"# mine\r\nproxy\r\n/thumbs/\r\nold/"
    found = _ignored(tmp_path, "film.kdenlive", rules=before)
    after = (tmp_path / ".auraignore").read_bytes()
    assert after.startswith(before + b"\r\n# Kdenlive")
    assert "proxy/" not in found.patterns
    assert "thumbs/" not in found.patterns
    assert after.endswith(b".backup/\r\n")


def test_what_the_person_takes_back_stays_so(tmp_path: Path) -> None:
    """Rules that take something back count for more than ours, whatever they are."""
    _ignored(tmp_path, "song.rpp", rules=b"\xef\xbb\xbf*.wav\n!keep.reapeaks\n")
    rules = load_ignore_rules(str(tmp_path))
    assert rules.matches("a.reapeaks", "a.reapeaks", is_folder=False)
    assert not rules.matches("keep.reapeaks", "keep.reapeaks", is_folder=False)
    assert (tmp_path / ".auraignore").read_bytes().startswith(b"\xef\xbb\xbf# REAPER")


def test_twice_is_once_and_undo_takes_it_back(tmp_path: Path) -> None:
    """Nothing is added a second time; undo puts the file back as it was."""
    (tmp_path / "song.rpp").write_bytes(b"x")
    (tmp_path / ".auraignore").write_bytes(b"# mine\n")
    with start_project(str(tmp_path)) as (repo, _):
        assert REAPEAKS in ignore_editor_litter(repo).patterns
        assert ignore_editor_litter(repo).patterns == ()
        undo(repo)
        assert (tmp_path / ".auraignore").read_bytes() == b"# mine\n"


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """Where .auraignore is not a file, nothing is written, and the reason is said."""
    other = tmp_path / "other"
    other.write_bytes(b"theirs")
    folder = tmp_path / "film"
    folder.mkdir()
    (folder / ".auraignore").symlink_to(other)
    found = _ignored(folder, "film.kdenlive")
    assert found.patterns == ()
    assert "a link" in found.problem
    assert other.read_bytes() == b"theirs"


def test_the_look_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many names are looked at, none behind links or deeper than a few folders."""
    deep = tmp_path.joinpath(*"abcdefgh")
    deep.mkdir(parents=True)
    (deep / "film.kdenlive").write_bytes(b"x")
    (tmp_path / "link.kdenlive").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.txt")
    assert find_editors(str(tmp_path)) == ()
    (tmp_path / "a" / "film.kdenlive").write_bytes(b"x")
    assert [one.name for one in find_editors(str(tmp_path))] == ["Kdenlive"]
    monkeypatch.setattr("aura_vcs.project.editor_litter.ENTRIES_LIMIT", 1)
    assert find_editors(str(tmp_path)) == ()


def test_old_copies_and_what_lies_in_a_project_are_no_projects(tmp_path: Path) -> None:
    """An auto-save beside the project is not named with it, and a folder that is a project counts once."""
    copies = ("Adobe Premiere Pro Auto-Save/film-1.prproj", ".backup/film.kdenlive")
    found = _ignored(tmp_path, "film.prproj", "trip.fcpxmld/Info.fcpxml", *copies)
    assert [(one.name, one.files, one.count) for one in found.editors] == [
        ("Premiere", ("film.prproj",), 1),
        ("Final Cut Pro", ("trip.fcpxmld",), 1),
    ]
