"""Temporary media that is deleted: what a version takes in is not temporary, and what goes can come back."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.index.entities import AssetRow
from aura_vcs.project.scenes.actions import clean_temporary, plan_cleaning
from aura_vcs.storage.testing.faulty_calls import CountingCalls

from tests.helpers.check import assert_kept, assert_whole
from tests.helpers.project import noise, save, write


def _paths(plan: Sequence[AssetRow]) -> list[str]:
    return [row.file_path for row in plan]


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    """On a disk: in memory no date is believed, and a file that is gone for good is not taken out by its dates."""
    return disk_path


@pytest.fixture
def cleaned(first: Repository) -> Repository:
    """A project with ignored media in a temporary folder and beside others."""
    write(
        Path(first.root), {"temp/proxy.mp4": noise(1_200_000, seed=5), "temp/notes.txt": "x", "assets/a.wav.part": "p"}
    )
    return first


def test_what_is_taken_back_or_versioned_is_not_temporary(cleaned: Repository) -> None:
    """A rule in .auraignore, and a version that has the file, make it one of the person's own."""
    root = Path(cleaned.root)
    assert _paths(plan_cleaning(cleaned)) == ["assets/a.wav.part", "temp/proxy.mp4"]
    write(root, {".auraignore": "!temp/\n"})
    assert _paths(plan_cleaning(cleaned)) == ["assets/a.wav.part"]
    save(cleaned, "With the proxy")
    (root / ".auraignore").unlink()
    assert _paths(plan_cleaning(cleaned)) == ["assets/a.wav.part"]


def test_undo_brings_back_what_was_cleaned(cleaned: Repository) -> None:
    """In sequence, with redo; and what came back is as temporary as before."""
    root = Path(cleaned.root)
    before = (root / "temp" / "proxy.mp4").read_bytes()
    assert clean_temporary(cleaned, plan_cleaning(cleaned)).paths == ("assets/a.wav.part", "temp/proxy.mp4")
    assert os.listdir(root / "temp") == ["notes.txt"]
    undo(cleaned)
    assert (root / "temp" / "proxy.mp4").read_bytes() == before
    assert status(cleaned).is_clean
    assert _paths(plan_cleaning(cleaned)) == ["assets/a.wav.part", "temp/proxy.mp4"]
    redo(cleaned)
    assert not (root / "temp" / "proxy.mp4").exists()
    undo(cleaned)
    assert clean_temporary(cleaned, plan_cleaning(cleaned), for_good=True).size == len(before) + 1
    assert not (root / "temp" / "proxy.mp4").exists()
    assert_whole(cleaned)


class _WrittenLate(CountingCalls):
    """Writes to a file when it is about to be taken out of the folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def before(self, name: str) -> None:
        """See CountingCalls."""
        if name == "rename_new" and self._path.exists():
            self._path.write_bytes(b"take two")


@pytest.mark.parametrize("for_good", [False, True])
def test_what_is_written_while_it_is_cleaned_stays(cleaned: Repository, for_good: bool) -> None:
    """A renderer that writes to the file in the last moment keeps it."""
    path = Path(cleaned.root) / "temp" / "proxy.mp4"
    with Repository.open(cleaned.root, calls=_WrittenLate(path)) as repo:
        removed = clean_temporary(repo, plan_cleaning(repo), for_good=for_good)
        assert removed.skipped == ("temp/proxy.mp4",)
        assert removed.paths == ("assets/a.wav.part",)
    assert path.read_bytes() == b"take two"
    assert_kept(cleaned, {b"take two"})


class _SavedTwice(CountingCalls):
    """Writes to a file, through a program that has it open, when it is taken out, and saves it anew then."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._is_saved = path, False
        self.open = os.open(path, os.O_RDWR)

    def before(self, name: str) -> None:
        """See CountingCalls."""
        if name == "rename_new" and self._path.exists():
            os.pwrite(self.open, b"take two", 0)
        elif name == "rename_new" and not self._is_saved and not self._path.exists():
            self._is_saved = True
            self._path.write_bytes(b"take three")


def test_what_was_written_and_saved_anew_while_it_is_cleaned_is_both_there(cleaned: Repository) -> None:
    """What came out of the folder goes back beside the file that has its name by now."""
    path = Path(cleaned.root) / "temp" / "proxy.mp4"
    calls = _SavedTwice(path)
    with Repository.open(cleaned.root, calls=calls) as repo:
        removed = clean_temporary(repo, plan_cleaning(repo), for_good=True)
        assert "temp/proxy.mp4" in removed.skipped
    os.close(calls.open)
    assert path.read_bytes() == b"take three"
    assert path.with_name("proxy.mp4~2").read_bytes().startswith(b"take two")


def test_an_edit_of_ignored_files_leaves_their_neighbours_alone(first: Repository) -> None:
    """Files in an ignored folder that nobody asked for are in no restore point, and no later version has them."""
    root = Path(first.root)
    write(root, {"temp/one.mp4": "one", "temp/two.mp4": "two"})
    plan = [row for row in plan_cleaning(first) if row.file_path == "temp/one.mp4"]
    assert clean_temporary(first, plan).paths == ("temp/one.mp4",)
    undo(first)
    write(root, {"plan.json": "{}"})
    version = save(first, "Second cut")
    assert first.trees.entry(version.tree, "temp") is None
    assert sorted(os.listdir(root / "temp")) == ["one.mp4", "two.mp4"]
