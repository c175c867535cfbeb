"""The file of the scan cache: what is appended, and what counts of it when something went wrong."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.layout import SCAN_CACHE
from aura_vcs.worktree.scan.cache import ScanCache
from aura_vcs.worktree.scan.cache_file import load_scan_cache

from tests.helpers.project import write

FILES = 400


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Repository]:
    """A project with many files in a few folders."""
    with Repository.init(tmp_path / "film", author="Ada", host="studio") as repo:
        write(Path(repo.root), {f"{n % 4}/{n:04}.json": f"{n}" for n in range(FILES)})
        commit(repo, "First")
        yield repo


def _edit(repo: Repository, number: int) -> None:
    write(Path(repo.root), {f"{number % 4}/{number:04}.json": f"edited {number}"})
    commit(repo, f"Edited {number}")


def _plain(cache: ScanCache) -> dict[str, object]:
    return {path: (f.files, sorted(f.folders), f.ignored, f.held, f.tree) for path, f in cache.folders.items()}


def test_an_edit_appends_a_few_bytes(film: Repository) -> None:
    """What was there stays as it is, and what is read is what all of it written anew would say."""
    file = Path(film.storage.path(SCAN_CACHE))
    for number in (3, 7, 8):
        before = file.read_bytes()
        _edit(film, number)
        after = file.read_bytes()
        assert after.startswith(before)
        assert len(after) - len(before) < 700
    (Path(film.root) / "1" / "0001.json").unlink()
    (Path(film.root) / "new").mkdir()
    commit(film, "One went")
    found = _plain(load_scan_cache(film.storage))
    file.unlink()
    assert status(film).is_clean
    assert found == _plain(load_scan_cache(film.storage))


def test_reading_it_copies_nothing_of_it_but_names(film: Repository) -> None:
    """Two processes read it in every command: what it says of files stays where it was read."""
    size = Path(film.storage.path(SCAN_CACHE)).stat().st_size
    load_scan_cache(film.storage)
    tracemalloc.start()
    try:
        load_scan_cache(film.storage)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * size


def test_many_edits_write_it_anew(film: Repository) -> None:
    """It does not grow without end."""
    file = Path(film.storage.path(SCAN_CACHE))
    size = file.stat().st_size
    for number in range(60):
        _edit(film, number)
        assert file.stat().st_size < size * 1.2
    assert len(_plain(load_scan_cache(film.storage))) == 5


@pytest.mark.parametrize("damage", ["torn", "flipped", "of another", "zeros"])
def test_what_is_damaged_counts_as_not_written(film: Repository, damage: str) -> None:
    """The state before is read, the next command finds what it lacks, and the file is whole again."""
    file = Path(film.storage.path(SCAN_CACHE))
    _edit(film, 1)
    before, known = file.read_bytes(), _plain(load_scan_cache(film.storage))
    _edit(film, 2)
    after = file.read_bytes()
    last = after[len(before) :]
    flipped = last[:-40] + bytes([last[-40] ^ 1]) + last[-39:]
    odd = {"torn": last[:-9], "flipped": flipped, "of another": last + last, "zeros": bytes(len(last))}[damage]
    file.write_bytes(before + odd)
    found = _plain(load_scan_cache(film.storage))
    if damage == "of another":  # one that was made for the same state comes too late
        assert found != known
    else:
        assert found == known
    assert status(film).is_clean
    _edit(film, 5)
    assert file.read_bytes() != before + odd
    found = _plain(load_scan_cache(film.storage))
    file.unlink()
    assert status(film).is_clean
    assert found == _plain(load_scan_cache(film.storage))


def test_two_commands_at_once_leave_the_state_of_one(film: Repository) -> None:
    """Both looked at the folder before either wrote: nothing of the two is mixed."""
    with Repository.open(film.root) as other:
        base = film.head().version
        assert base is not None
        record = film.queries.version(base)
        assert record is not None
        write(Path(film.root), {"1/0001.json": "one"})
        first = film.worktree.scan(record.tree)
        film.worktree.hash(["1/0001.json"], first, film.progress, patient=True)
        write(Path(film.root), {"2/0002.json": "two"})
        second = other.worktree.scan(record.tree)
        other.worktree.hash(["2/0002.json"], second, other.progress, patient=True)
        film.worktree.save(first)
        other.worktree.save(second)
        found = _plain(load_scan_cache(film.storage))
        assert found == _plain(second.to_cache())
