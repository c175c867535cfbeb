"""What the page does obeys the locks of the project, says how far it is, and can be cancelled."""

import threading
import time
from pathlib import Path
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError, Interrupted
from aura_vcs.ui.jobs import Jobs
from aura_vcs.ui.workspace import Workspace

from tests.helpers.project import look, noise, write, write_project
from tests.ui.conftest import ServedPage, serve


class _Told:
    """Collects what pages would hear."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []

    def send(self, kind: str, value: Any) -> None:
        """See Events."""
        self.events.append((kind, value))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small project with two versions."""
    folder = tmp_path / "film"
    folder.mkdir()
    write_project(folder)
    with aura.init(folder, author="Ada") as project:
        project.commit("First cut")
        write(folder, {"notes.txt": "louder\n"})
        project.commit("Louder")
    return folder


def _jobs(root: Path) -> tuple[Jobs, _Told]:
    told = _Told()
    return Jobs(Workspace("key", str(root), {"author": "Ada"}), told), told  # type: ignore[arg-type]  # it only sends


def test_a_page_waits_for_the_locks_that_commands_take(root: Path, home: Path) -> None:
    """While another process holds the files, the page is refused as a command is; afterwards it goes on."""
    with serve(root, home, wait_seconds=0.2) as page:
        with Repository.open(root, author="Jonas") as repo, repo.locks.exclusive("worktree", wait_seconds=0):
            before = look(root)
            refused = page.do("restore", version="v1")
            assert refused.status == 409
            assert refused.json["error"]["code"] == "lock_busy"
            assert look(root) == before
        assert page.do("restore", version="v1", paths=["notes.txt"]).status == 200


def test_two_pages_and_a_command_at_once_lose_nothing(root: Path, home: Path) -> None:
    """Six tags from two pages and a program: all are there, each once."""
    with serve(root, home) as one, serve(root, home) as other:
        answers: list[int] = []

        def tag(page: ServedPage, name: str) -> None:
            answers.append(page.do("tag", name=name).status)

        work = [
            threading.Thread(target=tag, args=(page, f"{n}-{page.port}")) for page in (one, other) for n in range(3)
        ]
        for thread in work:
            thread.start()
        with aura.open(root, author="Jonas") as project:
            project.tags.create("mine")
            for thread in work:
                thread.join()
            assert answers == [200] * 6
            assert len(list(project.tags)) == 7


def test_a_job_says_how_far_it_is_and_what_came_of_it(root: Path) -> None:
    """Its events end with the result; an error is one that the command would print."""
    jobs, told = _jobs(root)
    write(root, {"assets/clip.bin": noise(3_000_000, seed=3)})
    job = jobs.start("Commit", lambda lane, call: lane.project.commit("Clip", **call).version is not None)
    assert job.ended.wait(30)
    assert (job.state, job.result) == ("done", True)
    assert {kind for kind, _ in told.events} == {"job"}
    assert told.events[-1][1]["state"] == "done"
    assert any(shape["phase"] for _, shape in told.events)
    failed = jobs.start("Restore", lambda lane, call: lane.project.restore("v99", **call))
    assert failed.ended.wait(30)
    assert failed.to_json()["error"]["code"] == "unknown_version"
    assert jobs.running() == []


def test_a_job_is_cancelled_and_leaves_the_project_as_it_was(root: Path) -> None:
    """At its next report; the page hears that it ended."""
    jobs, told = _jobs(root)
    begun = threading.Event()

    def work(_: Any, call: Any) -> None:
        begun.set()
        for _ in range(1_000):
            if call["cancel"].is_cancelled:
                raise Interrupted("Cancelled")
            time.sleep(0.01)

    job = jobs.start("Long", work)
    assert begun.wait(10)
    assert [running.id for running in jobs.running()] == [job.id]
    job.token.cancel()
    assert job.ended.wait(10)
    assert job.state == "cancelled"
    assert told.events[-1][1]["state"] == "cancelled"
    with pytest.raises(AuraError):
        jobs["99"]


def test_what_nobody_expected_ends_the_job_too(root: Path) -> None:
    """With words, not with a thread that dies in silence."""
    jobs, _ = _jobs(root)

    def work(_: Any, __: Any) -> None:
        raise ValueError("odd")

    job = jobs.start("Odd", work)
    assert job.ended.wait(10)
    assert job.state == "failed"
    assert "odd" in job.to_json()["error"]["message"]
