"""Two people in one group's folder (Y2): what is made there has the rights that the folder says."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.sync.remotes.add import add_remote
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no such rights there")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Make files with another mask for a while."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def film(root: Path, *, mode: int) -> Path:
    """A project with a version and a remote, in a folder of that mode."""
    root.mkdir()
    root.chmod(mode)
    (root / "a.txt").write_text("one")
    with Repository.init(root) as repo:
        commit(repo, "One")
        (root / "a.txt").write_text("two")
        commit(repo, "Two")
    return root


def lacking(root: Path, bits: int) -> list[str]:
    """What of a store a group may not write."""
    found = (root / ".aura", *(root / ".aura").rglob("*"))
    return [str(path) for path in found if path.lstat().st_mode & bits != bits]


@pytest.mark.parametrize("mask", [0o002, 0o022])
def test_in_a_folder_of_a_group_the_group_may_write_everything(tmp_path: Path, mask: int) -> None:
    """Whatever the masks of the people are: set-group-id and the group's right to write say so."""
    with umask(mask):
        root = film(tmp_path / "film", mode=0o2775)
    assert lacking(root, 0o060) == []
    for path in (root / ".aura").rglob("*"):
        if path.is_dir():
            assert path.stat().st_mode & stat.S_ISGID


def test_with_a_mask_for_groups_the_index_is_the_groups(tmp_path: Path) -> None:
    """SQLite would make it 0644 whatever the mask says; what it keeps beside it follows."""
    with umask(0o002):
        root = film(tmp_path / "film", mode=0o775)
        assert lacking(root, 0o060) == []
        with Repository.open(root) as repo:
            repo.index.database.connection.execute("BEGIN IMMEDIATE")
            for suffix in ("", "-wal", "-shm"):
                assert (root / ".aura" / "local" / f"index.sqlite{suffix}").stat().st_mode & 0o060 == 0o060
            repo.index.database.connection.execute("ROLLBACK")


def test_an_older_index_becomes_the_groups(tmp_path: Path) -> None:
    """One that was made before, with too few rights."""
    with umask(0o002):
        root = film(tmp_path / "film", mode=0o775)
        index = root / ".aura" / "local" / "index.sqlite"
        index.chmod(0o644)
        with Repository.open(root) as repo:
            commit(repo, CommitRequest("Three", allow_empty=True))
    assert index.stat().st_mode & 0o060 == 0o060


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_elsewhere_the_mask_is_obeyed(tmp_path: Path, mask: int) -> None:
    """Nothing is opened to a group that the folder does not name."""
    with umask(mask):
        root = film(tmp_path / "film", mode=0o755 if mask == 0o022 else 0o700)
    for path in (root / ".aura", *(root / ".aura").rglob("*")):
        assert not path.lstat().st_mode & mask, path


def test_a_remote_in_a_groups_folder_is_the_groups(tmp_path: Path) -> None:
    """Its packs, records, lock and manifest are what the next one writes beside and over."""
    place = tmp_path / "nas"
    place.mkdir()
    place.chmod(0o2775)
    with umask(0o022):
        root = film(tmp_path / "film", mode=0o755)
        with Repository.open(root) as repo:
            add_remote(repo, "nas", parse_address(str(place)))
    open_remote(parse_address(str(place))).close()
    for path in place.rglob("*"):
        assert path.lstat().st_mode & 0o060 == 0o060, path
