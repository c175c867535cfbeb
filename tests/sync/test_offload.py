"""Offload, partial clones and content on demand: nothing is freed without proof, and all of it comes back."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors import (
    InputError,
    ObjectMissing,
    ObjectOffloaded,
    PlanStale,
    RemoteUnreachable,
    UnknownName,
)
from aura_vcs.history.going import checkout, restore
from aura_vcs.history.status import status
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.ids import blob_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Kind
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remote import RangeReadable, RemoteStorage
from aura_vcs.storage.remote_memory import MemoryRemote
from aura_vcs.sync.addresses import parse_address
from aura_vcs.sync.bundling import create_bundle, verify_bundle
from aura_vcs.sync.carrying import check_out_clone, pull
from aura_vcs.sync.cloning import clone
from aura_vcs.sync.content import attach, fetch_content, plan_content
from aura_vcs.sync.known import Forgetful, Known
from aura_vcs.sync.offloading import OffloadPlan, execute_offload, plan_offload
from aura_vcs.sync.proving import Witness
from aura_vcs.sync.receiving import fetch
from aura_vcs.sync.remotes import RemoteConfig, set_remote
from aura_vcs.sync.selecting import choose
from aura_vcs.sync.sending import create_remote, plan_push, push
from aura_vcs.sync.verifying import verify_remote
from aura_vcs.sync.view import load_view
from aura_vcs.upkeep.fsck import fsck
from aura_vcs.upkeep.gc import execute_gc, plan_gc

from tests.helpers.check import assert_whole

from .machines import OPENED, content, files, folder_remote, known, machine, save, write
from .test_carrying import media

MIB = 1 << 20
SIZE = MIB + 9_000
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
            self.commit("assets/take.mov", media(SIZE + number, seed=number))
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
        return plan_offload(self.repo, found, chosen, copies=copies, everything=everything, least_bytes=least_bytes)

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


def _known(repo: Repository, name: str) -> Known:
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
    assert {file.size_bytes for file in plan.going} == {SIZE, SIZE + 1}
    assert before - stored(film.repo) > 2 * SIZE - 100_000
    report = fsck(film.repo)
    assert report.problems == ()
    assert (report.offloaded, report.offloaded_bytes) == (2, 2 * SIZE + 1)
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    assert film.plan().going == ()


def test_what_is_offloaded_comes_when_it_is_needed(film: Film) -> None:
    """Reading a version, checkout and restore fetch what they need; then it is content like any other."""
    film.offload()
    checkout(film.repo, "v1")
    assert files(film.repo) == film.wanted[0]
    gone = film.remotes.pop("origin")
    checkout(film.repo, "main")
    checkout(film.repo, "v1")
    assert files(film.repo) == film.wanted[0]
    film.remotes["origin"] = gone
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
        SIZE: "v5 is not pushed",
        SIZE + 2: "v4 is not pushed (autosaves and restore points go with `--all-versions`)",
        MIB + 5: "the work folder stands on it",
    }
    assert [file.size_bytes for file in plan.going] == [SIZE + 1]
    execute_offload(film.repo, plan)
    film.remotes.clear()
    assert content(film.repo, film.versions[3]) == film.wanted[3]


def test_proof_is_fetched_now(film: Film) -> None:
    """A pack that is gone, cut or changed at the remote since the push proves nothing: its content stays."""
    remote = film.remotes["origin"]
    names = [entry.name for entry in remote.list("packs")]
    if isinstance(remote, MemoryRemote):
        for name in names:
            data, token = remote.files[name]
            remote.files[name] = data[:-1], token
    else:
        for name in names:
            full = film.path / "remote" / name
            full.write_bytes(full.read_bytes()[:-1])
    plan = film.plan()
    assert plan.going == ()
    assert {file.reason for file in plan.kept} >= {"0 of 1 copies are proved"}
    assert len(plan.faults) == len(names)


@pytest.mark.parametrize("everything", [False, True])
def test_damaged_content_at_the_remote_proves_nothing(tmp_path: Path, everything: bool) -> None:
    """Every byte that is relied on is hashed with `everything`; a sample finds what is wrong all over."""
    film = Film(tmp_path, MemoryRemote())
    remote = film.remotes["origin"]
    assert isinstance(remote, MemoryRemote)
    for name, (data, token) in list(remote.files.items()):
        if name.startswith("packs/"):
            rotten = bytearray(data)
            places = range(9, len(data) // 2, 40_000) if not everything else [len(data) // 3]
            for place in places:
                rotten[place] ^= 1
            remote.files[name] = bytes(rotten), token
    plan = film.plan(everything=everything)
    assert plan.going == ()
    assert plan.faults


def test_copies_are_counted(film: Film) -> None:
    """With two copies asked for, only what two remotes hold goes; more than there are remotes is refused."""
    with pytest.raises(InputError, match="2 copies"):
        film.plan(copies=2)
    film.add("vault", MemoryRemote("vault"))
    plan = film.plan(copies=2)
    assert plan.going == ()
    film.push("vault")
    plan = film.plan(copies=2)
    assert {file.remotes for file in plan.going} == {("origin", "vault")}
    execute_offload(film.repo, plan)
    del film.remotes["origin"]
    film.assert_readable()


def test_versions_and_paths_say_what_is_meant(film: Film) -> None:
    """A version's content goes if only it has it; a path means all its contents; an unknown one is named."""
    film.commit("extra.mov", media(MIB, seed=20))
    film.commit("notes.txt", b"still with the extra")
    film.commit("extra.mov", b"small now")
    film.push()
    assert [file.size_bytes for file in film.plan("v2").going] == [SIZE + 1]
    assert film.plan("v4").going == ()
    assert {file.reason for file in film.plan("v4").kept} == {"v5 has it too", "the work folder stands on it"}
    assert [file.path for file in film.plan("v4", "v5").going] == ["extra.mov"]
    assert [file.path for file in film.plan("extra.mov").going] == ["extra.mov"]
    assert len(film.plan("assets").going) == 2
    with pytest.raises(UnknownName, match="nowhere"):
        film.plan("nowhere")
    assert film.plan(least_bytes=3 * MIB).going == ()


def test_a_plan_that_is_stale_frees_nothing(film: Film) -> None:
    """A version that came since the plan may need what was to go: nothing is freed."""
    plan = film.plan()
    film.commit("notes.txt", b"new")
    with pytest.raises(PlanStale):
        execute_offload(film.repo, plan)
    film.remotes.clear()
    film.assert_readable()


def test_committing_offloaded_content_stores_it_again(film: Film) -> None:
    """A file that comes back into the folder is stored whole: the new version leans on no remote."""
    film.offload()
    film.remotes.clear()
    film.commit("again.mov", film.wanted[0]["assets/take.mov"])
    assert content(film.repo, film.versions[3]) == film.wanted[3]
    assert content(film.repo, film.versions[0]) == film.wanted[0]
    assert fsck(film.repo).problems == ()


def test_offloaded_purged_and_missing_are_three_things(film: Film) -> None:
    """fsck tells a chunk that was lost from content that was offloaded and a version that was purged."""
    film.offload()
    purge_version(film.repo, film.versions[0], "private")
    execute_gc(film.repo, plan_gc(film.repo, grace_seconds=0))
    report = fsck(film.repo)
    assert (report.problems, report.offloaded) == ((), 1)
    for pack in Path(film.repo.storage.root, "objects/packs").iterdir():
        if pack.stat().st_size > MIB:
            pack.unlink()  # the take that the work folder stands on, which was not offloaded
    report = fsck(film.repo)
    assert {problem.kind for problem in report.problems} == {"missing_object"}
    assert report.offloaded == 1


def test_collecting_and_packing_leave_what_is_offloaded(film: Film) -> None:
    """gc, with many small versions to gather, neither deletes the record nor stumbles over it."""
    film.offload()
    for number in range(14):
        film.commit("brief.json", b'{"take": %d}' % number)
    delete_version(film.repo, film.versions[1])
    execute_gc(film.repo, plan_gc(film.repo, grace_seconds=0, dead_share=0.0))
    assert fsck(film.repo).problems == ()
    assert content(film.repo, film.versions[0]) == film.wanted[0]
    assert_whole(film.repo)


def test_undo_brings_back_what_it_needs(film: Film) -> None:
    """Undo and redo over a checkout of offloaded content fetch it, or say what is missing."""
    checkout(film.repo, "v1")
    checkout(film.repo, "main")
    film.offload()
    gone = film.remotes.pop("origin")
    with pytest.raises(ObjectOffloaded):
        undo(film.repo)
    assert files(film.repo) == film.wanted[2]
    film.remotes["origin"] = gone
    undo(film.repo)
    assert files(film.repo) == film.wanted[0]
    redo(film.repo)
    assert files(film.repo) == film.wanted[2]


def test_pushing_to_a_second_remote_fetches_through(film: Film) -> None:
    """A push of what is offloaded elsewhere fetches it on its way; without that remote it says so."""
    film.offload()
    film.add("vault", MemoryRemote("vault"))
    gone = film.remotes.pop("origin")
    plan = plan_push(film.repo, film.remotes["vault"], _known(film.repo, "vault"))
    assert plan.through_bytes > 2 * SIZE - 1
    assert plan.sent_bytes > 3 * SIZE
    with pytest.raises(ObjectOffloaded, match="offloaded to origin"):
        film.push("vault")
    film.remotes["origin"] = gone
    film.push("vault")
    assert verify_remote(load_view(film.remotes["vault"], Forgetful(), None)).problems == ()


def test_a_bundle_has_everything(film: Film) -> None:
    """A bundle fetches through what is offloaded: it is whole."""
    film.offload()
    path = film.path / "film.aurabundle"
    create_bundle(film.repo, str(path))
    assert verify_bundle(str(path)).problems == ()


def test_content_that_is_whole_here_becomes_a_list(film: Film) -> None:
    """A large file that is kept in one piece (as on disks that share blocks) goes too, and comes back."""
    data = media(SIZE, seed=30)
    film.repo.store.put(Kind.BLOB, data)
    film.repo.learn_objects()
    film.commit("whole.mov", data)
    film.commit("whole.mov", b"small")
    assert film.repo.store.loose.find(blob_id(data)) is not None
    film.push()
    film.offload("whole.mov")
    assert film.repo.store.loose.find(blob_id(data)) is None
    assert fsck(film.repo).problems == ()
    assert fsck(film.repo).offloaded == 1
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    film.assert_readable()
    assert_whole(film.repo)


def test_small_files_go_if_asked(film: Film) -> None:
    """With a lower limit pictures go as well, documents never; they come back."""
    film.commit("assets/sky.png", media(30_000, seed=40))
    film.commit("plan.json", b'{"x": "' + b"y" * 40_000 + b'"}')
    film.commit("assets/sky.png", b"new sky")
    film.commit("plan.json", b"{}")
    film.push()
    plan = film.plan(least_bytes=10_000)
    assert {file.path for file in plan.going} == {"assets/take.mov", "assets/sky.png"}
    assert {file.path: file.reason for file in plan.kept}["plan.json"] == "documents stay"
    execute_offload(film.repo, plan)
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    assert fsck(film.repo).offloaded == 3
    film.assert_readable()
    assert_whole(film.repo)


def test_fetching_content_brings_it_back(film: Film) -> None:
    """`fetch --content` of a version, then of all: afterwards nothing is offloaded and no remote is needed."""
    film.offload()
    bring = attach(film.repo, film.connect)
    assert len(plan_content(film.repo, choose(film.repo, ["v1"])).files) == 1
    fetch_content(bring, plan_content(film.repo, choose(film.repo, ["v1"])))
    assert fsck(film.repo).offloaded == 1
    fetch_content(bring, plan_content(film.repo, choose(film.repo, [])))
    assert plan_content(film.repo, choose(film.repo, [])).files == ()
    film.remotes.clear()
    film.assert_readable()
    film.repo.rebuild_index()
    report = fsck(film.repo)
    assert (report.problems, report.offloaded) == ((), 0)
    assert_whole(film.repo)


def test_what_was_lost_comes_back_too(film: Film) -> None:
    """Content that is missing, without a record, is fetched from a remote that happens to have it."""
    for pack in Path(film.repo.storage.root, "objects/packs").iterdir():
        if pack.stat().st_size > MIB:
            pack.unlink()
    film.repo.store.close()
    assert not fsck(film.repo).is_clean
    with pytest.raises(ObjectMissing):
        content(film.repo, film.versions[0])
    fetch_content(attach(film.repo, film.connect), plan_content(film.repo, choose(film.repo, [])))
    film.assert_readable()
    assert fsck(film.repo).problems == ()


def own_files(repo: Repository) -> dict[str, bytes]:
    """The work folder without the hints for other tools that a clone writes."""
    return {path: data for path, data in files(repo).items() if path != ".stignore"}


class Partial:
    """A partial clone of a film."""

    def __init__(self, film: Film) -> None:
        self.film = film
        address = parse_address(str(film.path / "remote"))
        done = clone(film.remotes["origin"], address, str(film.path / "bert"), partial=True, author="bert")
        self.fetched = done.fetched
        self.repo = Repository.open(str(film.path / "bert"), author="bert", host="bert")
        OPENED.append(self.repo)
        attach(self.repo, film.connect)


def test_a_partial_clone_has_the_folder_and_the_history(film: Film) -> None:
    """The work folder is complete, old media are not here, every version can be read as long as the remote stands."""
    whole = machine(film.path / "whole", "carl", film.repo.format.project)
    fetch(whole, film.remotes["origin"], known(whole), undoable=False)
    partial = Partial(film)
    assert own_files(partial.repo) == film.wanted[2]
    assert status(partial.repo).is_clean
    assert partial.fetched.left_bytes == 3 * SIZE + 3
    report = fsck(partial.repo)
    assert (report.problems, report.offloaded, report.offloaded_bytes) == ((), 2, 2 * SIZE + 1)
    assert stored(partial.repo) < stored(whole) - 2 * SIZE + 100_000
    assert_whole(partial.repo)
    for version, wanted in zip(film.versions, film.wanted, strict=True):
        assert content(partial.repo, version) == wanted
    assert fsck(partial.repo).offloaded == 0


def test_a_partial_clone_stays_partial_and_works_on(film: Film) -> None:
    """What is pulled later leaves old media there as well; what is committed there is pushed as always."""
    partial = Partial(film)
    film.commit("assets/take.mov", media(SIZE + 7, seed=50))
    film.commit("assets/take.mov", media(SIZE + 8, seed=51))
    film.push()
    pulled = pull(partial.repo, film.remotes["origin"], known(partial.repo))
    assert pulled.fetched.plan.left_bytes == 2 * SIZE + 15
    assert own_files(partial.repo) == film.wanted[4]
    assert fsck(partial.repo).offloaded == 3
    assert fsck(partial.repo).problems == ()
    save(partial.repo, "assets/take.mov", media(SIZE + 9, seed=52))
    push(partial.repo, film.remotes["origin"], known(partial.repo))
    assert verify_remote(load_view(film.remotes["origin"], Forgetful(), None)).problems == ()
    partial.repo.rebuild_index()
    assert fsck(partial.repo).problems == ()
    assert_whole(partial.repo)


def test_small_changes_of_large_files_come_to_a_partial_clone(film: Film) -> None:
    """A version that shares most chunks with offloaded content is made whole from both."""
    data = bytearray(media(SIZE, seed=1))
    data[300_000:300_100] = b"x" * 100
    film.commit("assets/other.mov", bytes(data))
    film.push()
    partial = Partial(film)
    assert own_files(partial.repo) == film.wanted[3]
    assert content(partial.repo, film.versions[1]) == film.wanted[1]
    assert fsck(partial.repo).problems == ()
    assert_whole(partial.repo)


def test_a_whole_machine_pulls_what_shares_chunks_with_offloaded_content(film: Film) -> None:
    """Chunks that are away are fetched again where a new version needs them."""
    other = machine(film.path / "bert", "bert", film.repo.format.project)
    fetch(other, film.remotes["origin"], known(other), undoable=False)
    check_out_clone(other)
    film.offload()
    data = media(SIZE + 1, seed=1) + b"a longer end"
    save(other, "assets/take.mov", data)
    push(other, film.remotes["origin"], known(other))
    pull(film.repo, film.remotes["origin"], known(film.repo))
    assert files(film.repo) == files(other)
    assert fsck(film.repo).problems == ()
    film.assert_readable()
    assert_whole(film.repo)


def test_a_copy_of_the_folder_knows_what_is_offloaded(film: Film) -> None:
    """A blind copy (Dropbox, a NAS client) has the record too: it fetches, and is not taken for damaged."""
    film.offload()
    copied = film.path / "copy"
    shutil.copytree(film.path / "anna", copied, ignore=shutil.ignore_patterns("local"))
    other = Repository.open(str(copied), author="bert", host="bert")
    OPENED.append(other)
    report = fsck(other)
    assert (report.problems, report.offloaded) == ((), 2)
    with pytest.raises(ObjectOffloaded):
        content(other, film.versions[0])
    attach(other, film.connect)
    assert content(other, film.versions[0]) == film.wanted[0]
    assert fsck(other).offloaded == 1
    names = os.listdir(copied / ".aura" / "offloaded")
    assert len(names) == 2
    for name in names:  # their records travel back, the content too
        shutil.copy(copied / ".aura" / "offloaded" / name, film.path / "anna" / ".aura" / "offloaded" / name)
    shutil.copytree(copied / ".aura/objects", film.path / "anna/.aura/objects", dirs_exist_ok=True)
    film.remotes.clear()
    assert content(film.repo, film.versions[0]) == film.wanted[0]
    assert fsck(film.repo).offloaded == 1
    assert fsck(film.repo).problems == ()


def test_a_damaged_record_loses_nothing(film: Film) -> None:
    """fsck names the record; content comes back from the remotes all the same, and the record is not written over."""
    film.offload()
    (record,) = Path(film.repo.storage.root, "offloaded").iterdir()
    record.write_bytes(b"{" + record.read_bytes()[5:])
    kinds = {problem.kind for problem in fsck(film.repo).problems}
    assert kinds == {"corrupt_record", "missing_object"}
    damaged = record.read_bytes()
    fetch_content(attach(film.repo, film.connect), plan_content(film.repo, choose(film.repo, [])))
    film.assert_readable()
    assert record.read_bytes() == damaged


def test_a_remote_that_lies_about_content_gives_nothing(tmp_path: Path) -> None:
    """What comes on demand is hashed: rotten chunks are refused, and another remote is asked."""
    film = Film(tmp_path, MemoryRemote())
    film.add("vault", MemoryRemote("vault"))
    film.push("vault")
    film.offload()
    remote = film.remotes["origin"]
    assert isinstance(remote, MemoryRemote)
    for name, (data, token) in list(remote.files.items()):
        if name.startswith("packs/"):
            rotten = bytearray(data)
            rotten[9 : len(data) // 2] = bytes(len(data) // 2 - 9)
            remote.files[name] = bytes(rotten), token
    film.assert_readable()
    film.repo.close()


STEPS = 16


@pytest.mark.parametrize("seed", [1, 2, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 60)]])
def test_every_version_stays_readable(tmp_path: Path, seed: int) -> None:
    """After any sequence of commit, push, offload, fetch, checkout, gc and reindex all versions can be read."""
    film = Film(tmp_path, MemoryRemote())
    random_ = random.Random(seed)
    bring = attach(film.repo, film.connect)
    takes = [media(SIZE + n, seed=n) for n in range(3)]
    takes.append(takes[0][: SIZE // 2] + takes[1][SIZE // 2 :])  # shares chunks with both
    for number in range(STEPS):
        step = random_.randint(0, 10)
        chosen = f"v{random_.randint(1, 3)}"
        if step in {0, 1}:
            write(
                film.repo, f"assets/{random_.randint(0, 2)}.mov", random_.choice(takes) + b"." * random_.randint(0, 2)
            )
            film.commit("notes.txt", b"%d" % number)
        elif step == 2:
            film.push()
        elif step in {3, 4, 5}:
            plan = film.plan(*([chosen] if step == 5 else []))
            execute_offload(film.repo, plan)
        elif step == 6:
            fetch_content(bring, plan_content(film.repo, choose(film.repo, [chosen])))
        elif step == 7:
            checkout(film.repo, chosen)
            checkout(film.repo, "main")
        elif step == 8:
            execute_gc(film.repo, plan_gc(film.repo, grace_seconds=0, dead_share=0.0))
        elif step == 9:
            film.repo.rebuild_index()
        else:
            restore(film.repo, chosen)
            undo(film.repo)
        assert fsck(film.repo).problems == ()
    film.assert_readable()
    assert_whole(film.repo)
    assert fsck(film.repo).problems == ()
