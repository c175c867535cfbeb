"""Checkpoints: durable, quick, from several threads; and recovery that resumes."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors import InputError
from aura_vcs.errors.documents import InvalidValue
from aura_vcs.errors.input import OperationExpired, UnknownName
from aura_vcs.errors.studio import NothingToRecover
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import redo, undo
from aura_vcs.index.entities import checkpoints_statement
from aura_vcs.index.queries import Queries
from aura_vcs.layout import CHECKPOINTS
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.project.documents.state import project_state, set_state
from aura_vcs.project.records.checkpoint_store import (
    MAX_CHECKPOINTS,
    checkpoint_data,
    checkpoint_file,
    find_checkpoint,
    invalidate,
    invalidate_all,
    is_interrupted,
    latest_checkpoint,
    list_checkpoints,
    plan_recovery,
    recover,
    writer_for,
)
from aura_vcs.project.records.checkpoints import CheckpointRequest, create_checkpoint, invalidated
from aura_vcs.project.records.files import put_record

from tests.helpers.project import noise, write
from tests.helpers.record_tables import make_record_tables


def test_a_checkpoint_is_found_again(first: Repository) -> None:
    """What was saved is there after the project was closed and its index lost."""
    made = writer_for(first, "job-1").save("render", completed=7, total=10, data={"next": 7})
    with Repository.open(first.root) as other:
        other.rebuild_index()
        found = latest_checkpoint(other, "Render")
        assert found == made
        assert checkpoint_data(other, found) == {"next": 7}
        assert (found.stage_name, found.job_id, found.created_by) == ("Render", "job-1", "Ada")
    assert find_checkpoint(first, made.id[:8]) == made
    with pytest.raises(UnknownName):
        find_checkpoint(first, "")


@pytest.mark.parametrize(
    ("stage", "completed", "total"), [("Lunch", 1, 2), ("", 1, 2), ("Render", 3, 2), ("Render", -1, 2)]
)
def test_nonsense_is_refused(first: Repository, stage: str, completed: int, total: int) -> None:
    """A stage that is none, and counts that cannot be, leave no record."""
    with pytest.raises(InvalidValue):
        writer_for(first).save(stage, completed=completed, total=total)
    assert list_checkpoints(first, valid=None) == []


@pytest.mark.parametrize("output", ["../x.mp4", "/etc/passwd", ".aura/format.json", "a\0b"])
def test_an_output_lies_in_the_project(first: Repository, output: str) -> None:
    """A path that leaves the project is refused."""
    with pytest.raises(InputError):
        writer_for(first).save("Render", completed=1, total=2, output=output, keep_output=True)


def test_only_the_newest_stay(first: Repository) -> None:
    """A renderer's loop leaves its newest records of each stage, not one for every frame."""
    writer = writer_for(first)
    for number in range(MAX_CHECKPOINTS + 15):
        writer.save("TTS", completed=number, total=100)
    writer.save("Render", completed=1, total=2)
    kept = list_checkpoints(first, stage="TTS")
    assert [item.completed_scenes for item in kept] == list(range(MAX_CHECKPOINTS + 14, 14, -1))
    assert len(list_checkpoints(first)) == MAX_CHECKPOINTS + 1


@contextmanager
def committing(repo: Repository) -> Iterator[None]:
    """Commits in a thread of their own, one after the other, each with half a megabyte of media."""
    done = threading.Event()

    def work() -> None:
        with Repository.open(repo.root, author="Bo") as other:
            number = 0
            while not done.is_set():
                number += 1
                write(Path(repo.root), {"assets/take.bin": noise(500_000, seed=number)})
                commit(other, f"Take {number}")

    thread = threading.Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join()


def test_saves_from_threads_beside_a_commit(first: Repository) -> None:
    """Four threads save while commits run, and everything is there."""

    def render(number: int) -> None:
        writer = writer_for(first, f"job-{number}")
        for scene in range(MAX_CHECKPOINTS):
            writer.save("Render", completed=scene, total=MAX_CHECKPOINTS, data={"job": number, "scene": scene})

    threads = [threading.Thread(target=render, args=(number,)) for number in range(4)]
    with committing(first):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    first.refresh()
    found = list_checkpoints(first)
    assert len(found) == 4 * MAX_CHECKPOINTS
    assert {(c.job_id, c.completed_scenes) for c in found} == {
        (f"job-{n}", s) for n in range(4) for s in range(MAX_CHECKPOINTS)
    }
    assert all(checkpoint_data(first, c)["scene"] == c.completed_scenes for c in found)


def test_one_writer_shared_by_threads(first: Repository) -> None:
    """Threads that share a writer get checkpoints of different times, all recorded."""
    writer = writer_for(first)
    threads = [
        threading.Thread(target=lambda: [writer.save("TTS", completed=1, total=2) for _ in range(2)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({item.checkpoint_time for item in list_checkpoints(first)}) == 8


@pytest.mark.slow
def test_a_save_takes_milliseconds(first: Repository) -> None:
    """Beside running commits the median save is under 20 ms (the best of three rounds: machines have moods)."""
    medians = []
    writer = writer_for(first)
    with committing(first):
        while len(medians) < 3 and not (medians and min(medians) < 0.02):
            times = []
            for scene in range(25):
                start = time.perf_counter()
                writer.save("Render", completed=scene, total=25, data={"scene": scene, "files": ["a"] * 50})
                times.append(time.perf_counter() - start)
            medians.append(statistics.median(times))
    assert min(medians) < 0.02, medians


def test_gc_spares_what_checkpoints_need(first: Repository) -> None:
    """Data and kept output survive a collection without grace; after the record is gone they do not."""
    write(Path(first.root), {"exports/part.mp4": noise(5000, seed=3)})
    made = writer_for(first).save(
        "Render", completed=1, total=2, data={"x": "y" * 100}, output="exports/part.mp4", keep_output=True
    )
    first.rebuild_index()
    execute_gc(first, plan_gc(first, grace_seconds=0))
    assert checkpoint_data(first, made) == {"x": "y" * 100}
    assert made.output is not None
    assert first.store.contains(made.output)
    for name in first.storage.list(CHECKPOINTS):
        first.storage.delete(f"{CHECKPOINTS}/{name}")
    first.rebuild_index()
    assert made.data in {item.id for item in plan_gc(first, grace_seconds=0).to_delete}


def test_recovery_resumes_and_restores(first: Repository) -> None:
    """A render that died at scene 7 goes on there: state, data, and the output it had."""
    part = Path(first.root) / "exports" / "part.mp4"
    part.write_bytes(b"seven scenes")
    writer_for(first, "job-9").save(
        "Render", completed=7, total=10, data={"next": 7}, output="exports/part.mp4", keep_output=True
    )
    set_state(first, {"status": "Failed", "error_message": "the power went"})
    part.write_bytes(b"sev")
    assert is_interrupted(first)
    found = recover(first)
    assert (found.checkpoint.completed_scenes, found.data, found.restored) == (7, {"next": 7}, "exports/part.mp4")
    assert part.read_bytes() == b"seven scenes"
    state = project_state(first)
    assert (state.status, state.current_stage, state.progress_percent) == ("InProgress", "Render", 70.0)
    assert (state.job_id, state.error_message) == ("job-9", None)
    undo(first)
    undo(first)
    assert part.read_bytes() == b"sev"


def test_recovery_passes_over_what_cannot_be_used(first: Repository) -> None:
    """A newest checkpoint with lost data or output gives way to the one before it, and says why."""
    writer = writer_for(first)
    good = writer.save("Render", completed=5, total=10, data={"next": 5})
    part = Path(first.root) / "exports" / "part.mp4"
    part.write_bytes(b"six")
    writer.save("Render", completed=6, total=10, output="exports/part.mp4")
    part.unlink()
    broken = writer.save("Render", completed=7, total=10, data={"next": 7})
    assert broken.data is not None
    found = first.store.loose.find(broken.data)
    assert found is not None
    Path(first.storage.path(found[0])).write_bytes(b"damaged")
    planned, reasons = plan_recovery(first)
    done = recover(first)
    assert (planned, tuple(reasons)) == (good, done.skipped)
    assert done.checkpoint == good
    assert len(done.skipped) == 2
    assert "missing or damaged" in done.skipped[0]
    assert "was not kept" in done.skipped[1]


def test_invalid_checkpoints_are_not_resumed_from(first: Repository) -> None:
    """After the last valid one is invalidated there is nothing to recover."""
    writer = writer_for(first)
    older, newer = (writer.save("Render", completed=n, total=3) for n in (1, 2))
    invalidate(first, newer, "scene 2 was recut")
    assert latest_checkpoint(first) == older
    assert invalidate_all(first) == 1
    assert not is_interrupted(first)
    with pytest.raises(NothingToRecover):
        recover(first)
    shown = {item.id: item.invalid_reason for item in list_checkpoints(first, valid=None)}
    assert shown == {older.id: None, newer.id: "scene 2 was recut"}


def test_the_latest_is_the_newest_in_whatever_order_they_came(first: Repository) -> None:
    """By the time in the record, not by file dates, stages or scenes; of a stage, its newest; invalid ones never."""
    made: dict[str, str] = {}
    for stage, second, done, valid in (
        ("Render", 3, 1, True),
        ("TTS", 1, 9, True),
        ("TTS", 2, 3, True),
        ("Render", 0, 9, True),
        ("Render", 4, 9, False),
    ):
        time = f"2026-11-23T12:00:0{second}.000000Z"
        item = create_checkpoint("p", CheckpointRequest(stage, time, done, 10))
        item = item if valid else invalidated(item, "cut anew", now=time, by="Ada")
        put_record(first.storage, checkpoint_file(item), item)
        made[item.id] = f"{stage} {second}"
    for _ in range(2):
        newest = [latest_checkpoint(first, stage) for stage in (None, "TTS", "Render")]
        assert [made[item.id] for item in newest if item is not None] == ["Render 3", "TTS 2", "Render 3"]
        first.rebuild_index()
    assert latest_checkpoint(first, "Script") is None


def test_invalidating_is_undone(first: Repository) -> None:
    """An invalidated checkpoint is valid again after undo, also after the index was built anew; redo works."""
    writer = writer_for(first)
    older, newer = (writer.save("Render", completed=n, total=3) for n in (1, 2))
    invalidate(first, newer, "scene 2 was recut")
    assert invalidate_all(first) == 1
    assert "Invalidated checkpoint Render 1/3" in undo(first).description
    assert latest_checkpoint(first) == msgspec.structs.replace(older, revision=2)
    undo(first)
    first.rebuild_index()
    found = latest_checkpoint(first)
    assert found == msgspec.structs.replace(newer, revision=2)
    redo(first)
    shown = {item.id: item.invalid_reason for item in list_checkpoints(first, valid=None) if not item.is_valid}
    assert shown == {newer.id: "scene 2 was recut"}


def test_invalidating_never_brings_a_dropped_checkpoint_back(first: Repository) -> None:
    """A record that its writer dropped stays dropped: undo says so, a rebuilt index does not write it again."""
    made = writer_for(first).save("Render", completed=1, total=3)
    invalidate(first, made)
    first.storage.delete(checkpoint_file(made))
    with pytest.raises(UnknownName):
        invalidate(first, made)
    with pytest.raises(OperationExpired, match="the checkpoint"):
        undo(first, Queries(first.index).actions(limit=1)[0])
    first.rebuild_index()
    assert list_checkpoints(first, valid=None) == []


def test_stages_are_found_in_any_case(first: Repository) -> None:
    """`render` lists what was saved as Render, and a stage that is none is said."""
    made = writer_for(first).save("render", completed=1, total=3)
    assert list_checkpoints(first, stage="RENDER") == [made]
    with pytest.raises(InvalidValue, match="there are Script, TTS"):
        list_checkpoints(first, stage="Lunch")


def test_damaged_records_are_passed_over(first: Repository) -> None:
    """A record that was cut off hides only itself."""
    writer = writer_for(first)
    kept = writer.save("Render", completed=1, total=3)
    writer.save("Render", completed=2, total=3)
    name = first.storage.list(CHECKPOINTS)[-1]
    Path(first.storage.path(f"{CHECKPOINTS}/{name}")).write_bytes(b'{"id": ')
    assert list_checkpoints(first) == [kept]


@pytest.mark.parametrize("asked", [{}, {"stage": "TTS"}, {"valid": True}, {"valid": True, "stage": "TTS"}])
def test_checkpoints_are_served_by_an_index(first: Repository, asked: dict[str, object]) -> None:
    """No question about checkpoints sorts or reads them all."""
    statement, values = checkpoints_statement(**asked, limit=5)  # type: ignore[arg-type]
    make_record_tables(first.index.database.connection)
    rows = first.index.database.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    plan = " ".join(row[3] for row in rows)
    assert "USING INDEX checkpoints_" in plan if asked else plan == "SCAN checkpoints"  # in the order of its key
    assert "TEMP B-TREE" not in plan
