"""A first version of many files: its rows are entered before the indexes of their table are made."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.index import reference_counts as counts
from aura_vcs.index.schema import statements

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise, save, write

INDEXES = {statement.split()[2] for statement in statements() if statement.startswith("CREATE INDEX objects_")}


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MANY_CHANGES", 20)


def fill(repo: Repository) -> None:
    """Small files, the same one twice, a large one, folders in folders."""
    root = Path(repo.root)
    write(root, {f"frames/{n % 7}/{n:03}.json": f"frame {n % 90}" for n in range(100)})
    write(root, {"film.mp4": noise(3_000_000, seed=1), "again.mp4": noise(3_000_000, seed=1)})


def indexes(repo: Repository) -> set[str]:
    """The indexes that the table of objects has."""
    rows = repo.index.database.connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'objects' AND sql IS NOT NULL"
    )
    return {name for (name,) in rows}


def test_counts_and_indexes_are_as_in_a_rebuilt_index(repo: Repository) -> None:
    fill(repo)
    save(repo, "First cut")
    assert indexes(repo) == INDEXES
    found = repo.index.database.connection.execute("SELECT id, refcount FROM objects ORDER BY id").fetchall()
    assert_whole(repo)
    repo.rebuild_index()
    assert indexes(repo) == INDEXES
    rebuilt = repo.index.database.connection.execute("SELECT id, refcount FROM objects ORDER BY id").fetchall()
    assert found == rebuilt


def test_what_fails_in_between_leaves_the_table_as_it_was(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version was recorded before: the next command enters it."""
    fill(repo)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counts.ReferenceCounts, "_write_changes", fail)
        with pytest.raises(KeyboardInterrupt):
            save(repo, "First cut")
    with Repository.open(repo.root) as again:
        assert indexes(again) == INDEXES
        assert len(versions(again)) == 1
        assert_whole(again)
