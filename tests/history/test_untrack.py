"""What is left out of versions stays in the folder, and nothing brings it back by itself."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.status import is_newly_tracked_ignored, status
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.untrack import untrack
from aura_vcs.worktree.scan.ignore import load_ignore_rules

from tests.helpers.check import versions
from tests.helpers.project import clone, save, write

ODD = "we ird/[x]*? "


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with media, and a file whose name needs care in a rule."""
    root = tmp_path / "film"
    with Repository.init(str(root)) as repo:
        write(root, {"brief.json": "1", "assets/a.mov": "a", "assets/b.mov": "b", "raw.mov": "r", ODD: "o"})
        save(repo, "One")
    return root


def _paths(repo: Repository) -> set[str]:
    head = repo.head().version
    assert head is not None
    return {path for path, entry in repo.trees.walk(repo.trees.version(head).tree) if entry.kind == "file"}


def test_it_stays_in_the_folder_and_out_of_versions(root: Path) -> None:
    """Also after the next commits; other edits are not taken along; one version has the line that names it."""
    with Repository.open(str(root)) as repo:
        write(root, {"brief.json": "22", "raw.mov": "edited"})
        done = untrack(repo, ["assets", "raw.mov", ODD])
        assert len(done.rules) == 3
        assert _paths(repo) == {"brief.json", ".auraignore"}
        assert [change.path for change in status(repo).changes] == ["brief.json"]
        assert (root / "raw.mov").read_text() == "edited"
        assert (root / "assets/a.mov").read_text() == "a"
        assert (root / ODD).read_text() == "o"
        save(repo, "Two")
        assert _paths(repo) == {"brief.json", ".auraignore"}
        assert status(repo).is_clean


def test_what_a_rule_ignores_needs_no_line(root: Path) -> None:
    """The rules are as the person wrote them."""
    with Repository.open(str(root)) as repo:
        write(root, {".auraignore": "*.mov\r\n"})
        assert untrack(repo, ["assets/a.mov", "raw.mov"]).rules == ()
        assert (root / ".auraignore").read_bytes() == b"*.mov\r\n"
        assert _paths(repo) == {"brief.json", ".auraignore", "assets/b.mov", ODD}


@pytest.mark.parametrize(
    "before", [b"", b"*.tmp", b"*.tmp\r\n", "\ufeff*.tmp\r\n".encode("utf-16-le"), b"\xef\xbb\xbf*.x\n"]
)
def test_a_line_is_added_as_the_file_is_written(root: Path, before: bytes) -> None:
    """In its encoding and with its line ends; the lines that were there stay."""
    with Repository.open(str(root)) as repo:
        (root / ".auraignore").write_bytes(before)
        untrack(repo, ["raw.mov"])
        data = (root / ".auraignore").read_bytes()
        assert data.startswith(before)
        rules = load_ignore_rules(str(root))
        assert not rules.notes
        assert rules.matches("raw.mov", "raw.mov", is_folder=False)
        assert not rules.matches("raw.mov", "assets/raw.mov", is_folder=False)


def test_it_can_be_taken_back_and_done_again(root: Path) -> None:
    """The version and the line of the rules are one step; the file is where it was all the time."""
    with Repository.open(str(root)) as repo:
        untrack(repo, ["raw.mov"])
        for _ in range(2):
            undo(repo)
            assert "raw.mov" in _paths(repo)
            assert not (root / ".auraignore").exists()
            redo(repo)
            assert "raw.mov" not in _paths(repo)
            assert (root / ".auraignore").read_text() == "/raw.mov\n"
            assert status(repo).is_clean
        undo(repo)
        write(root, {"raw.mov": "again"})
        assert [change.path for change in status(repo).changes] == ["raw.mov"]
        assert (root / "raw.mov").read_text() == "again"


def test_rules_that_were_edited_since_stay_when_it_is_taken_back(root: Path) -> None:
    """The version goes all the same, and what was done before that is not taken back in its place."""
    with Repository.open(str(root)) as repo:
        untrack(repo, ["raw.mov"])
        write(root, {".auraignore": "/raw.mov\n*.tmp\n"})
        undo(repo)
        assert "raw.mov" in _paths(repo)
        assert (root / ".auraignore").read_text() == "/raw.mov\n*.tmp\n"


def test_what_the_last_version_does_not_have_is_not_said_to_be_missing(root: Path) -> None:
    """It is in the folder: ignored already, or new, and then the line that ignores it is told."""
    with Repository.open(str(root)) as repo:
        write(root, {".auraignore": "*.tmp\n", "a.tmp": "x", "new.mov": "y"})
        with pytest.raises(UnknownName, match="in the last version") as ignored:
            untrack(repo, ["a.tmp"])
        assert "nothing to do" in (ignored.value.hint or "")
        with pytest.raises(UnknownName, match="in the last version") as new:
            untrack(repo, ["new.mov"])
        assert "/new.mov" in (new.value.hint or "")


def test_another_machine_keeps_what_it_has_not_saved(root: Path, tmp_path: Path) -> None:
    """Going to the version without the file, the edit is in the folder or in a restore point."""
    with Repository.open(str(root)) as repo:
        untrack(repo, ["raw.mov"])
    there = clone(root, tmp_path / "there")
    with Repository.open(str(there)) as other:
        checkout(other, "v1")
        write(there, {"raw.mov": "unsaved"})
        moved = checkout(other, "main")
        if (there / "raw.mov").exists():
            assert (there / "raw.mov").read_text() == "unsaved"
        else:
            assert moved.restore_point is not None
            entry = other.trees.entry(moved.restore_point.tree, "raw.mov")
            assert entry is not None
            assert other.store.read(entry.id) == b"unsaved"


def test_what_cannot_be_left_out_is_told(root: Path) -> None:
    """Nothing, everything, the rules themselves, what no version has: nothing is changed then."""
    with Repository.open(str(root)) as repo:
        for paths in ([], [""], [".auraignore"]):
            with pytest.raises(InputError):
                untrack(repo, paths)
        with pytest.raises(UnknownName):
            untrack(repo, ["raw.mov", "nothing.mov"])
        (root / ".auraignore").mkdir()
        with pytest.raises(InputError, match="a folder"):
            untrack(repo, ["raw.mov"])
        assert "raw.mov" in _paths(repo)


def test_what_is_versioned_and_ignored_is_told_once(root: Path) -> None:
    """And again when it is something else; nothing is said where nothing is so."""
    with Repository.open(str(root)) as repo:
        assert not is_newly_tracked_ignored(repo, status(repo).tracked_ignored)
        write(root, {".auraignore": "assets/\n"})
        commit(repo, "Two")
        held = status(repo).tracked_ignored
        assert held == ("assets/",)
        assert is_newly_tracked_ignored(repo, held)
        assert not is_newly_tracked_ignored(repo, status(repo).tracked_ignored)
        write(root, {".auraignore": "assets/\nraw.mov\n"})
        assert is_newly_tracked_ignored(repo, status(repo).tracked_ignored)
        untrack(repo, ["assets", "raw.mov"])
        assert status(repo).tracked_ignored == ()
        assert not is_newly_tracked_ignored(repo, ())


def _around(repo: Repository, way: str) -> None:
    """Go back to where `assets` were versioned, and forth again."""
    checkout(repo, "v1")
    if way == "undo":
        undo(repo)
    elif way == "restore":
        restore(repo, "main")
    elif way == "merge":
        create_branch(repo, "side", resolve(repo, "v1").id)
        checkout(repo, "side")
        write(Path(repo.root), {"notes.txt": "n"})
        save(repo, "Side")
        merge(repo, "main")
    else:
        checkout(repo, "main", clean=way == "clean")


@pytest.mark.parametrize("way", ["checkout", "clean", "undo", "restore", "merge"])
def test_it_stays_in_the_folder_on_the_way_back_and_forth(root: Path, way: str) -> None:
    """The version where one goes ignores it and does not have it: that takes nothing out of the folder."""
    with Repository.open(str(root)) as repo:
        untrack(repo, ["assets", "raw.mov"])
        before = len(versions(repo))
        _around(repo, way)
        assert (root / "assets/a.mov").read_text() == "a"
        assert (root / "raw.mov").read_text() == "r"
        assert status(repo).is_clean or way == "restore"
        if way in {"checkout", "undo"}:
            assert len(versions(repo)) == before
        undo(repo)
        assert (root / "assets/a.mov").read_text() == "a"
        redo(repo)
        assert (root / "assets/a.mov").read_text() == "a"


def test_edits_of_it_stay_too(root: Path) -> None:
    """What was edited where it was versioned, and files beside it, are as they are."""
    with Repository.open(str(root)) as repo:
        untrack(repo, ["assets"])
        checkout(repo, "v1")
        write(root, {"assets/a.mov": "edited", "assets/new.mov": "new"})
        checkout(repo, "main")
        assert {path.name: path.read_text() for path in (root / "assets").iterdir()} == {
            "a.mov": "edited", "b.mov": "b", "new.mov": "new",
        }  # fmt: skip
        assert status(repo).is_clean


def test_a_file_in_the_place_of_what_is_ignored_comes(root: Path) -> None:
    """Where the version has a file, a folder with ignored files in it gives way, and is saved."""
    with Repository.open(str(root)) as repo:
        (root / "assets/a.mov").unlink()
        (root / "assets/b.mov").unlink()
        (root / "assets").rmdir()
        write(root, {"assets": "a file", ".auraignore": "*.mov\n"})
        save(repo, "Two")
        checkout(repo, "v1")
        assert (root / "assets/a.mov").read_text() == "a"
        checkout(repo, "main")
        assert (root / "assets").read_text() == "a file"
