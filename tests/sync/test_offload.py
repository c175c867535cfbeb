"""Offload, partial clones and content on demand: nothing is freed without proof, and all of it comes back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors import (
    InputError,
    ObjectOffloaded,
    PlanStale,
    RemoteUnreachable,
    UnknownName,
)
from aura_vcs.history.going import checkout, restore
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Kind
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remote import RangeReadable, RemoteStorage
from aura_vcs.storage.remote_memory import MemoryRemote
from aura_vcs.sync.content import attach
from aura_vcs.sync.offloading import OffloadPlan, execute_offload, plan_offload
from aura_vcs.sync.proving import Witness
from aura_vcs.sync.remotes import RemoteConfig, set_remote
from aura_vcs.sync.selecting import choose
from aura_vcs.sync.sending import create_remote, push
from aura_vcs.upkeep.fsck import fsck
from aura_vcs.upkeep.gc import execute_gc, plan_gc

from tests.helpers.check import assert_whole

from .machines import content, files, folder_remote, known, machine, save, write
from .test_carrying import media

MIB = 1 << 20
Connect = Callable[[str], RangeReadable]


class Film:
    """A project of three versions, two of them with a large file that the next does not have, and its remote."""

    def __init__(self, path: Path, remote: RemoteStorage | None = None) -> None:
        self.path = path
        self.repo = machine(path / "anna", "anna")
        self.remotes: dict[str, RemoteStorage] = {}
        self.add("origin", remote or folder_remote(path / "remote"))
        write(self.repo, "brief.json", '{"topic": "tides"}')
        write(self.repo, "notes.txt", "waves")
        self.versions: list[VersionRecord] = []
        self.wanted: list[dict[str, bytes]] = []
        for number in range(3):
            self.commit("assets/take.mov", media(2 * MIB + number, seed=number))
        self.push()
        attach(self.repo, self.connect)

    def add(self, name: str, remote: RemoteStorage) -> None:
        """A remote of the project."""
        create_remote(remote, self.repo.format.project, "anna")
        set_remote(self.repo, name, RemoteConfig(f"/nowhere/{name}"))
        self.remotes[name] = remote

    def commit(self, path: str, data: bytes) -> VersionRecord:
        """Change a file and commit."""
        self.versions.append(save(self.repo, path, data))
        self.wanted.append(files(self.repo))
        return self.versions[-1]

    def push(self, name: str = "origin") -> None:
        """Push to a remote."""
        push(self.repo, self.remotes[name], known(self.repo) if name == "origin" else _known(self.repo, name))

    def connect(self, name: str) -> RangeReadable:
        """Open a remote; it is gone when it was taken out of `remotes`."""
        if name not in self.remotes:
            raise RemoteUnreachable(f"/nowhere/{name}", "the disk is not there")
        return self.remotes[name]

    def plan(self, *names: str, copies: int = 1, everything: bool = False, least_bytes: int = MIB) -> OffloadPlan:
        """What an offload would do."""
        found = [Witness(name, remote, self.repo.format.project) for name, remote in self.remotes.items()]
        chosen = choose(self.repo, names)
        return plan_offload(
            self.repo, found, chosen, copies=copies, everything=everything, least_bytes=least_bytes
        )

    def offload(self, *names: str) -> OffloadPlan:
        """Offload; fails where nothing could be."""
        plan = self.plan(*names)
        assert plan.going
        assert execute_offload(self.repo, plan).files == len(plan.going)
        return plan

    def assert_readable(self) -> None:
        """Every version can be read, byte by byte."""
        for version, wanted in zip(self.versions, self.wanted, strict=True):
            assert content(self.repo, version) == wanted


def _known(repo: Repository, name: str):  # noqa: ANN202
    from aura_vcs.sync.known import Known

    return Known(repo, name)


def stored(repo: Repository) -> int:
    """Bytes of all packs and loose objects."""
    return sum(path.stat().st_size for path in Path(repo.storage.root, "objects").rglob("*") if path.is_file())


@pytest.fixture(params=["folder", "memory"])
def film(tmp_path: Path, request: pytest.FixtureRequest) -> Film:
    """The project, on each kind of remote."""
    return Film(tmp_path, MemoryRemote() if request.param == "memory" else None)


def test_offloading_frees_what_the_remote_holds_and_says_so(film: Film) -> None:
    """The old takes go, the one that the work folder stands on stays; fsck is fine and counts them."""
    before = stored(film.repo)
    plan = film.offload()
    assert {file.path for file in plan.going} == {"assets/take.mov"}
    assert [file.size_bytes for file in plan.going] == [2 * MIB, 2 * MIB + 1] or len(plan.going) == 2
    assert before - stored(film.repo) > 4 * MIB - 100_000
    report = fsck(film.repo)
    assert report.problems == ()
    assert (report.offloaded, report.offloaded_bytes) == (2, 4 * MIB + 1)
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    assert film.plan().going == ()


def test_what_is_offloaded_comes_when_it_is_needed(film: Film) -> None:
    """Reading a version, checkout and restore fetch what they need; then it is content like any other."""
    film.offload()
    checkout(film.repo, "v1")
    assert files(film.repo) == film.wanted[0]
    film.remotes_gone = film.remotes.pop("origin")
    checkout(film.repo, "main")
    checkout(film.repo, "v1")
    assert files(film.repo) == film.wanted[0]
    film.remotes["origin"] = film.remotes_gone
    checkout(film.repo, "main")
    restore(film.repo, "v2", ["assets/take.mov"])
    assert files(film.repo) == film.wanted[1]
    film.assert_readable()
    assert fsck(film.repo).offloaded == 0
    assert fsck(film.repo).problems == ()
    assert_whole(film.repo)


def test_without_the_remote_nothing_is_touched_and_the_files_are_named(film: Film) -> None:
    """Offline, one error names the files and the remote, and the work folder is as it was."""
    film.offload()
    film.remotes.clear()
    write(film.repo, "notes.txt", "unsaved")
    before = files(film.repo)
    for act in (
        lambda: checkout(film.repo, "v1"),
        lambda: restore(film.repo, "v2", ["assets/take.mov"]),
        lambda: content(film.repo, film.versions[0]),
    ):
        with pytest.raises(ObjectOffloaded, match=r"assets/take.mov .* offloaded to origin") as caught:
            act()
        assert "the disk is not there" in caught.value.hint
        assert caught.value.remotes == ("origin",)
    assert files(film.repo) == before
    assert film.repo.head().version == film.versions[2].id


def test_a_file_that_needs_nothing_is_restored_without_the_remote(film: Film) -> None:
    """Restoring a small file of a version with offloaded media asks nobody."""
    film.offload()
    film.remotes.clear()
    write(film.repo, "notes.txt", "other")
    restore(film.repo, "v1", ["notes.txt"])
    assert files(film.repo)["notes.txt"] == b"waves"


def test_what_no_remote_has_stays(film: Film) -> None:
    """An unpushed version keeps all it needs, also what it shares with pushed ones."""
    restore(film.repo, "v1", ["assets/take.mov"])
    film.commit("notes.txt", b"an idea")  # has the first take, and is not pushed
    film.commit("assets/take.mov", media(MIB + 5, seed=9))
    plan = film.plan()
    assert {file.size_bytes: file.reason for file in plan.kept} == {
        2 * MIB: "v4 is not pushed",
        MIB + 5: "the work folder stands on it",
    }
    assert [file.size_bytes for file in plan.going if file.size_bytes == 2 * MIB] == []
    execute_offload(film.repo, plan)
    film.remotes.clear()
    assert content(film.repo, film.versions[3]) == film.wanted[3]
