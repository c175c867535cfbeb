"""A commit counts what is new; what a folder shares with the one before is counted later, and never lost."""

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.history.checkout import checkout
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version, purge_version, undelete_version
from aura_vcs.ids import ObjectId
from aura_vcs.index import reference_counts as counts
from aura_vcs.index.database import Database
from aura_vcs.index.deferred_counts import DeferredCount, counts_deferred
from aura_vcs.index.index import Index
from aura_vcs.index.projector import Projector
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance.disk_usage import storage_report
from aura_vcs.maintenance.gc import execute_gc, plan_gc

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise, save, write
from tests.helpers.sampling import chance

FILES = 300


@pytest.fixture
def frames(first: Repository) -> Repository:
    """A project with a folder of many files, and one inside it."""
    write(Path(first.root), {f"frames/{n:04}.json": f"{n}" for n in range(FILES)})
    write(Path(first.root), {f"frames/inner/{n:04}.json": f"inner {n}" for n in range(FILES)})
    save(first, "Frames")
    return first


def _owed(repo: Repository, what: str = "count(*)") -> int:
    return int(repo.index.database.connection.execute(f"SELECT {what} FROM owed").fetchone()[0])


def test_a_commit_changes_few_rows_however_many_files_lie_beside(frames: Repository) -> None:
    before, owed = frames.index.database.connection.total_changes, _owed(frames)
    write(Path(frames.root), {"frames/inner/0007.json": "edited"})
    save(frames, "One of many")
    assert frames.index.database.connection.total_changes - before < 60
    assert _owed(frames) == owed + 3  # both folders, and the one of the project
    assert_whole(frames)
    assert _owed(frames) == 0


def test_an_edit_of_a_large_file_counts_the_chunks_that_are_new(first: Repository) -> None:
    film = noise(6_000_000, seed=4)
    write(Path(first.root), {"film.mp4": film})
    save(first, "First")
    base = versions(first)[-1]
    before = first.index.database.connection.total_changes
    write(Path(first.root), {"film.mp4": b"a new beginning" + film})
    save(first, "Second")
    assert first.index.database.connection.total_changes - before < 60
    assert _owed(first, "max(rest)") > 60
    delete_version(first, base)
    purge_version(first, base, "no longer wanted")
    assert _owed(first) == 0
    execute_gc(first, plan_gc(first, grace_seconds=0))
    assert_whole(first)


def test_what_only_an_older_version_held_goes_with_it_and_nothing_else(frames: Repository) -> None:
    base = versions(frames)[-1]
    for number in range(4):
        write(Path(frames.root), {"frames/0001.json": f"cut {number}"})
        save(frames, f"Cut {number}")
    assert _owed(frames) > 4
    delete_version(frames, base)
    assert _owed(frames) == 0
    purge_version(frames, base, "no longer wanted")
    execute_gc(frames, plan_gc(frames, grace_seconds=0))
    assert_whole(frames)
    frames.rebuild_index()
    assert_whole(frames)


def test_many_that_owe_are_counted_by_commits(frames: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders of a commit owe; as many as are too many, the cheapest first, are counted by the next ones."""
    monkeypatch.setattr(counts, "MAX_DEFERRED", 7)
    for number in range(6):
        write(Path(frames.root), {"frames/inner/0001.json": f"cut {number}"})
        save(frames, f"Cut {number}")
        assert _owed(frames) <= 7 + 3
    assert_whole(frames)


def test_no_commit_counts_much_for_those_before_it(frames: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take long to count is left, as long as it owes few times."""
    monkeypatch.setattr(counts, "MAX_DEFERRED", 12)
    monkeypatch.setattr(counts, "SLICE_COUNTS", FILES // 2)
    for number in range(9):
        before = frames.index.database.connection.total_changes
        write(Path(frames.root), {"frames/inner/0001.json": f"cut {number}"})
        save(frames, f"Cut {number}")
        assert frames.index.database.connection.total_changes - before < FILES
    assert _owed(frames) > 12
    assert_whole(frames)
    assert _owed(frames) == 0


def test_a_group_defers_what_its_rows_do_one_by_one() -> None:
    """Chains and branches of holders, which gain, lose and get back: counted together as each for itself."""
    rng = chance("groups of deferred counts")
    for _ in range(200):
        ids = [ObjectId(f"{number:064x}") for number in range(12)]
        holds = {ids[0]: set(rng.sample(ids, rng.randint(0, 8)))}
        rows: list[DeferredCount] = []
        singly: Counter[ObjectId] = Counter()
        for number in range(1, rng.randint(2, 10)):
            base, holder = rng.choice(sorted(holds)), ObjectId(f"{number:064x}")
            holds[holder] = here = set(rng.sample(ids, rng.randint(0, 9)))
            counted = (here - holds[base]) | set(rng.sample(sorted(here), rng.randint(0, len(here)) // 3))
            dropped = holds[base] - (here - counted)
            rows.append(DeferredCount(holder, True, tuple(counted), base, tuple(dropped)))
            singly.update(here - counted)
        assert counts_deferred(rows, holds[ids[0]]) == singly


def test_a_tree_that_cannot_be_read_owes_until_it_can(frames: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path(frames.root), {"frames/inner/0007.json": "edited"})
    save(frames, "One of many")
    owed = _owed(frames)
    with monkeypatch.context() as patch:
        patch.setattr(Projector, "_children", lambda *_: ())
        frames.index.apply_deferred()
    assert _owed(frames) == owed
    assert_whole(frames)
    assert _owed(frames) == 0


def test_counts_can_be_asked_for_on_a_disk_that_is_full(frames: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What shows how to free space needs none."""
    write(Path(frames.root), {"frames/inner/0007.json": "edited"})
    save(frames, "One of many")
    owed, transaction = _owed(frames), Database.transaction

    def full(database: Database) -> AbstractContextManager[sqlite3.Connection]:
        if database.connection.execute("PRAGMA database_list").fetchone()[2]:
            raise StorageFull("write", database.path, "database or disk is full")
        return transaction(database)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "transaction", full)
        storage_report(frames)
        assert_whole(frames)
    with Repository.open(frames.root) as again:
        assert _owed(again) == owed
        assert_whole(again)


def test_nothing_is_owed_where_not_all_was_here_to_be_counted(
    frames: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    owed = _owed(frames)
    with frames.index.database.transaction():
        frames.index.database.set_meta("incomplete", "1")
    with monkeypatch.context() as patch:
        patch.setattr(Index, "catch_up", lambda *_: None)  # what is missing has not come
        write(Path(frames.root), {"frames/inner/0007.json": "edited"})
        save(frames, "One of many")
        assert _owed(frames) == owed
    assert_whole(frames)


@pytest.mark.parametrize("turn", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(1, 6))])
def test_counts_are_right_whatever_was_done_in_between(frames: Repository, turn: int) -> None:
    rng = chance("deferred counts", turn)
    root = Path(frames.root)
    for step in range(30):
        _do_something(frames, root, rng, step)
    found = Queries(frames.index).counts()
    assert_whole(frames)
    frames.rebuild_index()
    rebuilt = Queries(frames.index).counts()
    assert {item: count for item, count in found.items() if count} == {
        item: count for item, count in rebuilt.items() if count
    }


def _do_something(repo: Repository, root: Path, rng: random.Random, step: int) -> None:
    """Refused where it cannot be, like the deletion of the version that a branch stands on."""
    record = rng.choice(versions(repo))

    def edit() -> None:
        folder = rng.choice(["frames", "frames/inner", "frames/other"])
        write(root, {f"{folder}/{rng.randrange(FILES):04}.json": str(rng.random()) for _ in range(3)})
        save(repo, f"Step {step}")

    def move() -> None:
        if (root / "frames" / "inner").exists():
            shutil.move(root / "frames" / "inner", root / f"inner-{step}")
            save(repo, f"Step {step}")

    def drop() -> None:
        for path in sorted((root / "frames").rglob("*.json"))[:50]:
            path.unlink()
        save(repo, f"Step {step}", allow_empty=True)

    deeds: list[Callable[[], object]] = [
        *[edit] * 6,
        move,
        drop,
        lambda: checkout(repo, f"v{record.number}"),
        lambda: delete_version(repo, record),
        lambda: undelete_version(repo, record),
        lambda: purge_version(repo, record, "space"),
        lambda: undo(repo),
    ]
    with suppress(AuraError):
        rng.choice(deeds)()
