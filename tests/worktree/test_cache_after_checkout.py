"""What a command that writes files leaves in the scan cache is what a look at every file would have found."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.status import Status, status
from aura_vcs.history.undo import redo, undo
from aura_vcs.layout import SCAN_CACHE
from aura_vcs.worktree.scan import cache_file
from aura_vcs.worktree.scan.cache_file import load_scan_cache

from tests.helpers.project import write
from tests.helpers.sampling import SEED

NAMES = ("a", "b/c", "b/d/e", "f/g", "f/h", "f", "b/d", "x.tmp", "build/o", "b/build/p")
RULES = ("", "build/\n", "*.tmp\nbuild/\n", "b/\n!b/c\n")
STEPS = 25


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Repository]:
    """A project with files in folders, some of which rules will ignore."""
    with Repository.init(tmp_path / "film", author="Ada", host="studio") as repo:
        write(Path(repo.root), {"a": "1", "b/c": "2", "b/d/e": "3", "f/g": "4", "keep/me": "5"})
        commit(repo, "One")
        yield repo


def _edit(root: Path, chance: random.Random) -> None:
    path = root / chance.choice(NAMES)
    try:
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists() and chance.random() < 0.4:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(chance.random()))
    except OSError:
        return  # a file stands where a folder would be


def _step(repo: Repository, chance: random.Random) -> None:
    number = chance.randint(1, repo.queries.next_number() - 1)
    what = chance.choice(("checkout", "checkout", "clean", "restore", "paths", "undo", "redo", "commit", "commit"))
    try:
        match what:
            case "checkout" | "clean":
                checkout(repo, f"v{number}", clean=what == "clean")
            case "restore":
                restore(repo, f"v{number}")
            case "paths":
                restore(repo, f"v{number}", [chance.choice(NAMES)])
            case "undo":
                undo(repo)
            case "redo":
                redo(repo)
            case _:
                commit(repo, f"Version {number}")
    except AuraError:
        return  # no such path, nothing to undo: the folder is as it was


def _told(found: Status) -> tuple[object, ...]:
    return found.changes, found.files, found.skipped


@pytest.mark.parametrize("sample", range(6))
def test_the_cache_is_what_a_full_look_finds(film: Repository, sample: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every step, with and without the cache: one answer; and every tree that it names is the folder's.

    So it is where what changed is appended, however much that is.
    """
    if sample % 2:
        monkeypatch.setattr(cache_file, "CHANGES_SHARE", 1e-6)
    chance = random.Random(f"{SEED} {sample}")
    root = Path(film.root)
    cache = root / ".aura" / SCAN_CACHE
    for _ in range(STEPS):
        if chance.random() < 0.15:
            (root / ".auraignore").write_text(chance.choice(RULES))
        for _ in range(chance.randint(0, 2)):
            _edit(root, chance)
        _step(film, chance)
        _assert_trees(film)
        kept = cache.read_bytes() if cache.exists() else None
        with_it = _told(status(film))
        cache.unlink(missing_ok=True)
        assert with_it == _told(status(film))
        if kept is not None and chance.random() < 0.8:
            cache.write_bytes(kept)


def _assert_trees(repo: Repository) -> None:
    """Every folder of the cache that names a tree has just that tree's files."""
    cache = load_scan_cache(repo.storage)
    for path, folder in cache.folders.items():
        if folder.tree:
            entries = repo.trees.tree(folder.tree.hex()).entries  # type: ignore[arg-type]
            here = {name: state.id.hex() for name, state in folder.files.items()}
            here |= {name: cache.folders[f"{path}/{name}" if path else name].tree.hex() for name in folder.folders}
            assert here == {entry.name: entry.id for entry in entries}, path


def test_after_a_checkout_nothing_is_compared_again(film: Repository) -> None:
    """The cache has the very tree of the version: a clean status reads no folder of it."""
    write(Path(film.root), {"b/c": "other", "n/ew": "new"})
    commit(film, "Two")
    for name in ("v1", "v2", "v1"):
        checkout(film, name)
        head = film.head().version
        assert head is not None
        record = film.queries.version(head)
        assert record is not None
        assert load_scan_cache(film.storage).folders[""].tree.hex() == record.tree
