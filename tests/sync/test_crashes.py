"""A process that dies at any call to the disk, here or in a folder remote, while it carries a project."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors import AuraError
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.pull import pull
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from .machines import OPENED, clone, files, folder_remote, known, machine, save, write
from .test_push_pull import media


class Stage:
    """Anna has pushed what Bert has not pulled; Bert has committed nothing. Played again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.template = path / "template"
        anna = machine(self.template / "anna", "anna")
        write(anna, "take.wav", media(1_100_000))
        save(anna, "brief.json", '{"topic": "tides"}')
        remote = folder_remote(self.template / "remote", anna)
        push(anna, remote, known(anna))
        clone(self.template / "bert", "bert", remote)
        write(anna, "more.wav", media(1_200_000, 2))
        save(anna, "brief.json", '{"topic": "moons"}')
        shutil.copytree(self.template / "remote", self.template / "before")
        push(anna, remote, known(anna))
        self.wanted = files(anna)
        while OPENED:
            OPENED.pop().close()

    def play(self, calls: FileCalls, act: Callable[["Stage", FileCalls], None], name: str) -> None:
        """Set the stage anew and let the act begin; who dies, dies."""
        for part in ("anna", "bert", "remote"):
            shutil.rmtree(self.path / part, ignore_errors=True)
            source = "before" if (part, name) == ("remote", "push") else part
            shutil.copytree(self.template / source, self.path / part)
            if part != "remote":
                Repository.open(str(self.path / part)).close()  # it takes an id of its own
        try:
            act(self, calls)
        except (Stopped, AuraError):
            return

    def remote(self, calls: FileCalls | None = None) -> FolderRemote:
        """The remote."""
        root = str(self.path / "remote")
        return FolderRemote(root) if calls is None else FolderRemote(root, calls=calls)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The stage, prepared once."""
    return Stage(tmp_path_factory.mktemp("stage"))


def _pull(stage: Stage, calls: FileCalls) -> None:
    with Repository.open(str(stage.path / "bert"), calls=calls) as repo:
        pull(repo, stage.remote(), known(repo))


def _push(stage: Stage, calls: FileCalls) -> None:
    with Repository.open(str(stage.path / "anna")) as repo:
        known(repo).clear()
        push(repo, stage.remote(calls), known(repo))


def _after_pull(stage: Stage) -> None:
    with Repository.open(str(stage.path / "bert")) as repo:
        assert fsck(repo).is_clean
        pull(repo, stage.remote(), known(repo))
        assert files(repo) == stage.wanted
        assert fsck(repo).is_clean


def _after_push(stage: Stage) -> None:
    assert fsck_remote(load_snapshot(stage.remote(), NullCache(), None)).is_clean
    with Repository.open(str(stage.path / "anna")) as repo:
        push(repo, stage.remote(), known(repo))
    assert fsck_remote(load_snapshot(stage.remote(), NullCache(), None)).is_clean
    with Repository.open(str(stage.path / "bert")) as repo:
        pull(repo, stage.remote(), known(repo))
        assert files(repo) == stage.wanted


ACTS = {"pull": (_pull, _after_pull), "push": (_push, _after_push)}
STEPS = [pytest.param(12, id="short"), pytest.param(1, id="long", marks=pytest.mark.slow)]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", [Fault.STOP, Fault.FULL])
@pytest.mark.parametrize("name", ACTS)
def test_whoever_dies_on_the_way_is_helped_by_the_next_run(stage: Stage, name: str, fault: Fault, step: int) -> None:
    """Killed, or out of space, at any call: both sides are whole, and the same command finishes the work."""
    act, after = ACTS[name]
    counting = CountingCalls()
    stage.play(counting, act, name)
    total = len(counting.names)
    assert total > 8
    for at in range(1, total + 1, step):
        calls = FaultyCalls(fault, at)
        calls.arm(at)
        stage.play(calls, act, name)
        after(stage)
