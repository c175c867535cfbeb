"""Everything that holds content against a collection, each kind of root on its own."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.input import PlanStale
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version
from aura_vcs.index.queries import Queries
from aura_vcs.layout import PENDING
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.plain_text import parse_time
from aura_vcs.project.records.checkpoint_store import CheckpointWriter, checkpoint_data, latest_checkpoint
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped

MARGIN_SECONDS = 1.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of three versions; each has a file of its own and another text in `script.txt`."""
    root = tmp_path / "film"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        for number in range(3):
            (root / "script.txt").write_text(f"take {number}\n" * 300)
            (root / f"only-{number}.txt").write_text(f"{number}" * 4000)
            commit(repo, f"Take {number}")
            (root / f"only-{number}.txt").unlink()
    return root


def _collect(repo: Repository) -> None:
    """The hardest collection there is: no grace, and packs written anew for one dead byte."""
    execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0))


def test_nothing_in_use_is_garbage(project: Path) -> None:
    """A project of which nothing was deleted has nothing to collect, whatever the grace."""
    with Repository.open(str(project)) as repo:
        assert plan_gc(repo, grace_seconds=0).to_delete == ()


def test_a_deleted_version_alone_holds_nothing(project: Path) -> None:
    """What only a deleted version held goes, and nothing else: the test of the tests below."""
    with Repository.open(str(project)) as repo:
        doomed = resolve(repo, "v1")
        entry = repo.trees.entry(doomed.tree, "only-0.txt")
        assert entry is not None
        delete_version(repo, doomed)
        _collect(repo)
        assert not repo.store.contains(entry.id)
        assert not repo.store.contains(doomed.tree)
        assert fsck(repo).problems == ()
        checkout(repo, "v2")
        assert (project / "only-1.txt").read_text() == "1" * 4000


def test_a_tag_of_another_machine_holds_what_was_deleted_here(project: Path, tmp_path: Path) -> None:
    """Deleted on one machine, tagged on the other, merged by a sync tool: the content stays."""
    other = shutil.copytree(project, tmp_path / "other")
    with Repository.open(str(other)) as theirs:
        create_tag(theirs, "sent", resolve(theirs, "v1").id)
    with Repository.open(str(project)) as repo:
        delete_version(repo, resolve(repo, "v1"))
    for name in ("refs/tags", "operations"):
        shutil.copytree(other / ".aura" / name, project / ".aura" / name, dirs_exist_ok=True)
    with Repository.open(str(project)) as repo:
        _collect(repo)
        checkout(repo, "sent")
        assert (project / "only-0.txt").read_text() == "0" * 4000


def test_the_log_holds_what_undo_and_redo_would_bring_back(project: Path) -> None:
    """Content condemned before the cutoff stays if an operation since then put it into the folder."""
    with Repository.open(str(project)) as repo:
        delete_version(repo, resolve(repo, "v1"))
        time.sleep(MARGIN_SECONDS)
        restore(repo, "v1", ["only-0.txt"])
        undo(repo)
        done = next(action for action in Queries(repo.index).actions() if action.type == "restore")
        since = (datetime.now(UTC) - parse_time(done.time)).total_seconds()
        plan = plan_gc(repo, grace_seconds=since + MARGIN_SECONDS * 0.9, dead_share=0.0)
        assert plan.to_delete, "what the operation did not touch is old enough"
        execute_gc(repo, plan)
        redo(repo)
        assert (project / "only-0.txt").read_text() == "0" * 4000


def test_an_unfinished_command_holds_both_folders(project: Path) -> None:
    """A collection between a crash and its recovery takes nothing that the recovery needs."""
    calls = CountingCalls()
    trial = shutil.copytree(project, project.parent / "trial")
    with Repository.open(str(trial), calls=calls) as repo:
        calls.names.clear()
        restore(repo, "v1", ["only-0.txt"])
    interrupted = 0
    for at in range(1, len(calls.names), 3):
        root = shutil.copytree(project, project.parent / f"at-{at}")
        Repository.open(str(root)).close()
        faulty = FaultyCalls(Fault.STOP, at)
        repo = Repository.open(str(root), calls=faulty)
        faulty.arm(at)
        with pytest.raises(Stopped):
            restore(repo, "v1", ["only-0.txt"])
        repo.close()
        if (root / ".aura" / PENDING).exists():
            interrupted += 1
            with Repository.open(str(root)) as repo:
                _collect(repo)
                recover(repo)
                assert (root / "only-0.txt").read_text() == "0" * 4000, f"stopped at call {at}"
        shutil.rmtree(root)
    assert interrupted


def test_a_checkpoint_holds_its_data(project: Path) -> None:
    """What a renderer needs to go on belongs to no version, and stays as long as the checkpoint."""
    with Repository.open(str(project)) as repo:
        CheckpointWriter(str(project), repo.format.project).save("TTS", completed=1, total=9, data={"done": ["a"] * 99})
        _collect(repo)
        _collect(repo)
        newest = latest_checkpoint(repo)
        assert newest is not None
        assert checkpoint_data(repo, newest) == {"done": ["a"] * 99}


def test_content_that_comes_back_after_the_plan_stays(project: Path) -> None:
    """Stored again between plan and deletion, content is in use: the plan is stale, nothing goes."""
    with Repository.open(str(project)) as repo:
        delete_version(repo, resolve(repo, "v1"))
        plan = plan_gc(repo, grace_seconds=0, dead_share=0.0)
        assert plan.to_delete
        (project / "only-0.txt").write_text("0" * 4000)
        commit(repo, "Again")
        with pytest.raises(PlanStale):
            execute_gc(repo, plan)
        assert fsck(repo).problems == ()
        (project / "only-0.txt").unlink()
        restore(repo, "HEAD")
        assert (project / "only-0.txt").read_text() == "0" * 4000


def test_the_grace_period_keeps_what_was_deleted_a_moment_ago(project: Path) -> None:
    """With the usual grace nothing of a deletion goes, and the plan says what is kept."""
    with Repository.open(str(project)) as repo:
        delete_version(repo, resolve(repo, "v1"))
        plan = plan_gc(repo, dead_share=0.0)
        assert plan.to_delete == ()
        assert plan.in_grace_period
        execute_gc(repo, plan)
        undo(repo)
        assert resolve(repo, "v1").is_live
        assert fsck(repo).problems == ()
