"""Several processes at work in one project: nothing is lost, nobody is locked out."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.undo import operation_of
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ActionFilter
from aura_vcs.maintenance.fsck import fsck

from tests.crash.scenes import two_versions
from tests.helpers.check import assert_whole, saved_contents, versions
from tests.helpers.project import contents, look, save, write

HERE = Path(__file__).parent.parent.parent


def start(job: str, root: Path, name: str, count: int) -> "subprocess.Popen[str]":
    """A child process that does the job."""
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTHONDEVMODE": ""}
    command = [sys.executable, "-m", "tests.concurrency.workers", job, str(root), name, str(count)]
    return subprocess.Popen(
        command, cwd=HERE, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(child: "subprocess.Popen[str]") -> list[str]:
    """What a child printed; fails if it failed."""
    out, err = child.communicate(timeout=240)
    assert child.returncode == 0, err
    return out.splitlines()


@pytest.fixture
def busy(quick_path: Path) -> Path:
    """A project with a first version, where nobody is at work yet."""
    root = quick_path / "film"
    root.mkdir()
    write(root, {"brief.json": "{}"})
    with Repository.init(root) as repo:
        save(repo, "First cut")
    return root


def test_eight_processes_commit_while_one_collects(busy: Path) -> None:
    """Every commit that was reported is there, with its content, under a number of its own."""
    children = [start("committer", busy, f"hand{n}", 4) for n in range(6)]
    children += [start("saver", busy, f"all{n}", 3) for n in range(2)]
    helpers = [start("collector", busy, "gc", 6), start("reader", busy, "eye", 6)]
    said = [line for child in children for line in finish(child)]
    for helper in helpers:
        finish(helper)
    with Repository.open(busy) as repo:
        assert fsck(repo).problems == ()
        assert_whole(repo)
        found = versions(repo)
        assert [record.number for record in found] == list(range(1, len(found) + 1))
        assert {line.partition("|")[2] for line in said} - {""} <= {record.name for record in found}
        assert {line.partition("|")[0].encode() for line in said} <= saved_contents(repo)
        line = [record.id for record in found]
        assert [record.parents for record in found[1:]] == [(parent,) for parent in line[:-1]], "history is one line"
        save(repo, "Nobody left a lock", allow_empty=True)


def test_a_dead_process_leaves_no_lock(busy: Path) -> None:
    """A process that is killed while it holds every lock blocks nobody."""
    code = (
        "import sys, time\n"
        "from aura_vcs import Repository\n"
        f"repo = Repository.open({str(busy)!r})\n"
        "with repo.locks.exclusive('worktree'), repo.locks.exclusive('objects'), repo.locks.exclusive('refs'):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], cwd=HERE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    child.kill()
    child.wait()
    child.stdout.close()
    began = time.monotonic()
    with Repository.open(busy, lock_seconds=5) as repo:
        save(repo, "Second cut", allow_empty=True)
    assert time.monotonic() - began < 5


def _kill_at(root: Path, delay: float, number: int, *, sign: signal.Signals) -> None:
    child = start("wanderer", root, f"take{number}", 1000)
    assert child.stdout is not None
    assert child.stdout.readline(), child.communicate()
    time.sleep(delay)
    child.send_signal(sign)
    child.communicate()


def contents_by_version(repo: Repository) -> dict[str, set[bytes]]:
    """What the files of every live version hold."""
    live = [record for record in versions(repo) if record.is_live]
    return {
        record.id: {repo.store.read(entry.id) for _, entry in repo.trees.walk(record.tree) if entry.kind == "file"}
        for record in live
    }


def taken_back(repo: Repository) -> set[str]:
    """Versions whose commit was undone: gc may free what only they hold."""
    undone = Queries(repo.index).actions(ActionFilter(status="Undone"), limit=100_000)
    refs = {name for action in undone for name in operation_of(repo, action).refs}
    return {record.id for record in versions(repo) if f"versions/{record.id}" in refs}


def _kill_again_and_again(root: Path, times: int, sign: signal.Signals = signal.SIGKILL) -> None:
    two_versions(root)
    for number in range(times):
        with Repository.open(root) as repo:
            kept = contents_by_version(repo)
        here = contents(look(root).values())
        _kill_at(root, (number * 37 % 101) / 400, number, sign=sign)
        with Repository.open(root) as repo:
            assert fsck(repo).problems == ()
            assert_whole(repo)
            there = saved_contents(repo) | contents(look(root).values())
            unsaved = {content for content in here if content.startswith(b"take")}
            gone = taken_back(repo)
            assert {content for version, held in kept.items() if version not in gone for content in held} <= there
            assert here - unsaved <= there
            save(repo, f"After {number}", allow_empty=True)
            assert fsck(repo).problems == ()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_killed_at_any_moment(quick_path: Path, sign: signal.Signals) -> None:
    """A process that is really killed, in the middle of anything, leaves a whole project that goes on."""
    _kill_again_and_again(quick_path, 8, sign)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_very_many_moments(quick_path: Path) -> None:
    """The same, two hundred times over."""
    _kill_again_and_again(quick_path, 200)
