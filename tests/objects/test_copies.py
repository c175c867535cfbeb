"""Stored files that a sync tool gave other names are what they are."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.versions import delete_version
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise, save, write

NAMES = [
    "{} (conflict_on_2026-11-30_was_deleted){}",
    "{} (1){}",
    "{}.sync-conflict-20261130-101010-ABCDEFG{}",
    "{}{}.conflict1",
]
FILM = noise(2_000_000, seed=3)


@pytest.fixture
def film(repo: Repository) -> Repository:
    """A project with a film, which lies in a pack, and documents, which are loose."""
    write(Path(repo.root), {"film.mp4": FILM})
    save(repo, "Film")
    return repo


def _rename(path: Path, pattern: str, *, keep: bool) -> None:
    suffix = "".join(path.suffixes)
    other = path.with_name(pattern.format(path.name.removesuffix(suffix), suffix))
    other.write_bytes(path.read_bytes())
    if not keep:
        path.unlink()


def _files(repo: Repository, *, packs: bool) -> list[Path]:
    store = Path(repo.storage.root, "objects")
    return [path for path in store.rglob("*") if path.is_file() and (path.parent.name == "packs") is packs]


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("pattern", NAMES)
def test_whole_copies_are_no_damage_and_may_be_all_that_is_left(film: Repository, pattern: str, *, packs: bool) -> None:
    """With the original beside them, and without: read, checked, sent to a new index, and collected."""
    for path in _files(film, packs=packs):
        _rename(path, pattern, keep=True)
    film.store.close()
    assert fsck(film).is_clean
    for path in _files(film, packs=packs):
        if path.name.removesuffix(".pack").removesuffix(".zst").isalnum():
            path.unlink()
    with Repository.open(film.root) as other:
        assert other.store.read(film.trees.entry(film.trees.version(other.head().version).tree, "film.mp4").id) == FILM  # type: ignore[arg-type, union-attr]
        assert fsck(other).is_clean
        other.rebuild_index()
        assert fsck(other).is_clean
        assert_whole(other)


def test_copies_go_with_their_packs(film: Repository) -> None:
    """A collection leaves copies of packs that stay, and takes those of packs that go."""
    (path,) = (path for path in _files(film, packs=True) if path.stat().st_size > 1_000_000)
    _rename(path, NAMES[0], keep=True)
    execute_gc(film, plan_gc(film, grace_seconds=0))
    assert len([path for path in _files(film, packs=True) if path.stat().st_size > 1_000_000]) == 2
    Path(film.root, "film.mp4").unlink()
    save(film, "No film")
    delete_version(film, versions(film)[0])
    execute_gc(film, plan_gc(film, grace_seconds=0))
    assert not [path for path in _files(film, packs=True) if path.stat().st_size > 1_000_000]
    assert fsck(film).is_clean


def test_packed_labels_are_read_from_a_copy(film: Repository) -> None:
    """What is in the file says what it is."""
    with film.locks.exclusive("refs"):
        film.refs.pack_labels(0)
    (path,) = Path(film.storage.root, "refs/versions").glob("*.labels")
    _rename(path, NAMES[0], keep=False)
    with Repository.open(film.root) as other:
        assert fsck(other).is_clean
        assert list(other.refs.all_labels())
