"""A clone that was stopped goes on when it is given again, wherever it was stopped."""

import gc
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.layout import CLONING
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls, Stopped
from aura_vcs.sync.clone import CloneRequest, clone
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from tests.helpers.sampling import chance

from .machines import files, machine, save, write
from .test_push_pull import media

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # stopped, as by a kill


@pytest.fixture
def remote(tmp_path: Path) -> FolderRemote:
    """A remote with a project of some files."""
    anna = machine(tmp_path / "anna", "anna")
    (tmp_path / "remote").mkdir()
    made = FolderRemote(str(tmp_path / "remote"))
    create_remote(made, anna.format.project, "anna")
    write(anna, "take.wav", media(300_000))
    for number in range(8):
        write(anna, f"scenes/{number}.json", f'{{"id": "{number}"}}')
    save(anna, "brief.json", '{"topic": "tides"}')
    push(anna, made, RemoteCache(anna, "origin"))
    return made


@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_a_clone_goes_on_from_wherever_it_was_stopped(remote: FolderRemote, tmp_path: Path, step: int) -> None:
    """At every few calls that change the disk, others in every run."""
    address = parse_address(remote.location)
    for at in range(1 + chance("clone").randrange(step), 2000, step):
        target = tmp_path / f"clone {at}"
        calls = FaultyCalls(Fault.STOP, at)
        try:
            clone(remote, address, str(target), author="bert", calls=calls)
            return
        except Stopped:
            gc.collect()
            if (target / ".aura" / "format.json").exists() and not (target / ".aura" / CLONING).exists():
                continue  # everything was there
        done = clone(remote, address, str(target), author="bert")
        with Repository.open(done.path) as repo:
            assert {name: data for name, data in files(repo).items() if name != ".stignore"}.keys() == {
                "take.wav",
                "brief.json",
                *(f"scenes/{number}.json" for number in range(8)),
            }
            assert repo.storage.stat(CLONING) is None
    raise AssertionError("it should end some time")


def test_what_is_somebodys_is_not_gone_on_with(remote: FolderRemote, tmp_path: Path) -> None:
    """A finished clone, a clone from elsewhere, and a folder with anything in it are refused."""
    address = parse_address(remote.location)
    target = tmp_path / "copy"
    clone(remote, address, str(target), author="bert")
    with pytest.raises(InputError, match="is not empty"):
        clone(remote, address, str(target), author="bert")
    other = tmp_path / "other"
    (other / ".aura" / "local").mkdir(parents=True)
    (other / ".aura" / "local" / "cloning.json").write_text('{"url":"/elsewhere"}')
    with pytest.raises(InputError, match="is not empty"):
        clone(remote, address, str(other), author="bert")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty"):
        clone(remote, address, str(mine), author="bert")
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_partial_clone_counts_what_really_came_and_stayed(tmp_path: Path) -> None:
    """Chunks that are here for another version's sake do not stay away."""
    anna = machine(tmp_path / "anna", "anna")
    (tmp_path / "remote").mkdir()
    remote = FolderRemote(str(tmp_path / "remote"))
    create_remote(remote, anna.format.project, "anna")
    take = media(4_000_000)
    save(anna, "take.mov", take)
    save(anna, "take.mov", take[:2_000_000] + b"x" * 100 + take[2_000_000:])
    push(anna, remote, RemoteCache(anna, "origin"))
    done = clone(
        remote,
        parse_address(remote.location),
        str(tmp_path / "bert"),
        request=CloneRequest(partial=True),
        author="bert",
    )
    assert 0 < done.offloaded_bytes < 1_500_000
    assert done.stored_bytes > 4_000_000
