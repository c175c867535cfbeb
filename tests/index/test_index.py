"""The index may vanish, rot or lie at any time; and every question has an index that serves it."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import IndexDamaged
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.log import log
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.index.records import ActionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import VersionType

from tests.helpers.check import assert_whole, versions
from tests.helpers.project import noise, save, write


@pytest.fixture
def busy(first: Repository) -> Repository:
    """A project where much has happened: branches, points, deletions, large files, undone deeds."""
    root = Path(first.root)
    write(root, {"film.mp4": noise(1_300_000, seed=5), "notes.txt": "one"})
    save(first, "Second cut")
    write(root, {"notes.txt": "two"})
    checkout(first, "v1")
    save(first, "Another way", allow_empty=True)
    create_tag(first, "final", first.head().version or pytest.fail("no head"))
    checkout(first, "main")
    undo(first)
    write(root, {"notes.txt": "three"})
    delete_version(first, versions(first)[2])
    return first


def _shown(repo: Repository) -> object:
    queries = Queries(repo.index)
    undone = [(a.id, a.status, a.undoable, a.sequence) for a in queries.actions(limit=100)]
    return (versions(repo), undone, queries.counts(), repo.head(), log(repo, VersionFilter(), everything=True))


def _spoil(content: bytes | None) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        for old in path.parent.glob("index.sqlite*"):
            old.unlink()
        if content is not None:
            path.write_bytes(content)

    return spoil


SPOILS: dict[str, Callable[[Path], None]] = {
    "deleted": _spoil(None),
    "emptied": _spoil(b""),
    "zeroed": _spoil(bytes(65536)),
    "garbage": _spoil(noise(65536, seed=3)),
    "another database": _spoil(b"SQLite format 3\0" + bytes(4080)),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "of another version": lambda path: sqlite3.connect(path).execute("PRAGMA user_version=99").close(),
}


@pytest.mark.parametrize("how", list(SPOILS))
def test_a_lost_index_changes_nothing(busy: Repository, how: str) -> None:
    """Whatever becomes of the file, the next command shows what was shown before."""
    before = _shown(busy)
    busy.close()
    SPOILS[how](Path(busy.root) / ".aura" / "local" / "index.sqlite")
    with Repository.open(busy.root, author="Ada", host="studio") as repo:
        assert _shown(repo) == before
        assert fsck(repo).problems == ()
        assert_whole(repo)
        assert status(repo).changes
        commit(repo, "Going on")
        assert_whole(repo)


def _use(root: str) -> None:
    with Repository.open(root, author="Ada", host="studio") as repo:
        for _ in range(3):
            _shown(repo)
            commit(repo, CommitRequest("Going on", allow_empty=True))


def test_damage_that_shows_late_is_told_and_mended_by_the_next_command(busy: Repository) -> None:
    """A page that turns out bad in the middle of a command: one clear error, then all is well."""
    before = _shown(busy)
    busy.close()
    path = Path(busy.root) / ".aura" / "local" / "index.sqlite"
    data = bytearray(path.read_bytes())
    for page in range(4, len(data) // 2048):
        data[page * 2048 : page * 2048 + 64] = b"\xff" * 64
    path.write_bytes(data)
    try:
        _use(busy.root)
    except IndexDamaged as error:
        assert "again" in error.hint  # noqa: PT017 (it may as well be noticed, and mended, when it is opened)
    with Repository.open(busy.root, author="Ada", host="studio") as repo:
        assert len(versions(repo)) >= len(before[0])  # type: ignore[index]
        assert fsck(repo).problems == ()


def test_counts_are_what_counting_again_gives(busy: Repository) -> None:
    """Kept up step by step, or built anew: the same counts, chunks of large files included."""
    kept = Queries(busy.index).counts()
    assert_whole(busy)
    busy.rebuild_index()
    assert Queries(busy.index).counts() == kept
    execute_gc(busy, plan_gc(busy, grace_seconds=0, dead_share=0.0))
    assert_whole(busy)


def test_a_wrong_count_is_found_and_nothing_is_deleted_on_its_word(busy: Repository) -> None:
    """G1: an index that says everything is unused cannot make gc delete what is in use."""
    from aura_vcs.errors.integrity import IntegrityError

    busy.index.database.connection.execute("UPDATE objects SET refcount = 0, last_referenced_at = 0")
    assert {problem.kind for problem in fsck(busy).problems} == {"wrong_count"}
    with pytest.raises(IntegrityError, match="Nothing was deleted"):
        execute_gc(busy, plan_gc(busy, grace_seconds=0))
    busy.rebuild_index()
    assert_whole(busy)


WHOLE_TABLES = (
    "SELECT id, refcount FROM objects",
    "ORDER BY o.id",
    "FROM versions v ORDER BY v.number DESC",
    "SELECT name, number FROM versions",
)
"""Statements that are about every row."""


def test_every_question_is_served_by_an_index(busy: Repository) -> None:
    """EXPLAIN QUERY PLAN over all statements: no table is searched from end to end."""
    queries, asked = Queries(busy.index), []
    connection = busy.index.database.connection
    connection.set_trace_callback(asked.append)
    head = busy.head().version or pytest.fail("no head")
    record = queries.version(head) or pytest.fail("no version")
    action = queries.actions(limit=1)[0]
    everything = VersionFilter(
        (VersionType.MANUAL,), "2000", "2100", "Ada", "cut", important=False, deleted=True, limit=5
    )
    questions: list[Callable[[], object]] = [
        lambda: queries.versions_numbered(1),
        lambda: queries.is_shared(1),
        lambda: queries.versions_named("First cut"),
        lambda: queries.versions_with_prefix(head[:6]),
        queries.next_number,
        lambda: queries.history(head, VersionFilter()),
        lambda: queries.history(head, everything),
        lambda: queries.all_versions(VersionFilter()),
        lambda: queries.ancestors(head),
        lambda: queries.is_ancestor(record.parents[0], head),
        lambda: queries.deleted_holding(set()),
        lambda: queries.versions_touching("notes.txt"),
        lambda: queries.touching("notes.txt"),
        queries.names,
        lambda: queries.action(action.id[:8]),
        lambda: queries.actions(ActionFilter(type="commit")),
        lambda: queries.actions(ActionFilter(user="Ada")),
        lambda: queries.actions(ActionFilter(status="Undone")),
        lambda: queries.actions(ActionFilter(correlation_id="x")),
        lambda: queries.action_by_id(action.id),
        lambda: queries.object(record.tree),
        lambda: queries.objects_with_prefix(record.tree[:6]),
        queries.unreferenced,
        queries.chunked,
        lambda: queries.stored_sizes([record.tree]),
        lambda: busy.store.places.find_many([record.tree]),
        lambda: busy.store.location(record.tree),
        lambda: busy.index.knows(head),
        busy.refresh,
    ]
    for question in questions:
        question()
    connection.set_trace_callback(None)
    assert len(set(asked)) > len(questions) - 8
    for statement in set(asked):
        if not statement.lstrip().startswith(("SELECT", "WITH")) or any(part in statement for part in WHOLE_TABLES):
            continue
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            plan = row[3]
            small = re.match(r"SCAN (h|logs|segments|meta|owed|p|packs|CONSTANT)\b", plan)
            assert not plan.startswith("SCAN") or "USING" in plan or small, f"{plan}: {statement}"


def _steps_to_enter(root: Path, count: int) -> int:
    """How many thousand instructions SQLite needs to enter a log of so many operations."""
    from aura_vcs.codec import encode_operation
    from aura_vcs.ids import new_operation_id
    from aura_vcs.layout import operations_log
    from aura_vcs.model import Inverse, Operation

    with Repository.init(root, author="Ada") as repo:
        lines = [
            encode_operation(
                Operation(
                    id=new_operation_id(),
                    replica=repo.replica,
                    sequence=number,
                    type="project.set",
                    description="Set the title",
                    user="Ada",
                    host="studio",
                    time="2026-11-23T10:00:00.000000Z",
                    inverse=Inverse("project.set.revert"),
                )
            )
            for number in range(1, count + 1)
        ]
        repo.storage.append(operations_log(repo.replica), b"".join(lines), at=0)
        ticks: list[int] = []
        repo.index.database.connection.set_progress_handler(lambda: ticks.append(1), 1000)
        repo.refresh()
        assert len(Queries(repo.index).actions(limit=count + 1)) == count
        return len(ticks)


def test_entering_actions_costs_the_same_for_each(tmp_path: Path) -> None:
    """Ten times the operations are about ten times the work: none of them looks at all before it."""
    few, many = _steps_to_enter(tmp_path / "few", 300), _steps_to_enter(tmp_path / "many", 3000)
    assert many < 15 * max(few, 1), (few, many)
