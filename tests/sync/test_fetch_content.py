"""Fetching offloaded content, partial clones, and that every version stays readable."""

import os
import random
import shutil
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import ObjectMissing, ObjectOffloaded
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.clone import CloneRequest, clone
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch, fetch_content, plan_content
from aura_vcs.sync.offload.offload import execute_offload
from aura_vcs.sync.pull import check_out_clone, pull
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from tests.helpers.check import assert_whole

from .film import MIB, SIZE, Film, stored
from .machines import OPENED, content, files, known, machine, save, write
from .test_push_pull import media


def test_fetching_content_brings_it_back(film: Film) -> None:
    """`fetch --content` of a version, then of all: afterwards nothing is offloaded and no remote is needed."""
    film.offload()
    bring = enable_lazy_fetch(film.repo, film.connect)
    assert len(plan_content(film.repo, select_files(film.repo, ["v1"])).files) == 1
    fetch_content(bring, plan_content(film.repo, select_files(film.repo, ["v1"])))
    assert fsck(film.repo).offloaded == 1
    fetch_content(bring, plan_content(film.repo, select_files(film.repo, [])))
    assert plan_content(film.repo, select_files(film.repo, [])).files == ()
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
    fetch_content(enable_lazy_fetch(film.repo, film.connect), plan_content(film.repo, select_files(film.repo, [])))
    film.assert_readable()
    assert fsck(film.repo).problems == ()


def own_files(repo: Repository) -> dict[str, bytes]:
    """The worktree without the hints for other tools that a clone writes."""
    return {path: data for path, data in files(repo).items() if path != ".stignore"}


class Partial:
    """A partial clone of a film."""

    def __init__(self, film: Film) -> None:
        self.film = film
        address = parse_address(str(film.path / "remote"))
        done = clone(
            film.remotes["origin"], address, str(film.path / "bert"), request=CloneRequest(partial=True), author="bert"
        )
        self.fetched = done.fetched
        self.repo = Repository.open(str(film.path / "bert"), author="bert", host="bert")
        OPENED.append(self.repo)
        enable_lazy_fetch(self.repo, film.connect)


def test_a_partial_clone_has_the_folder_and_the_history(film: Film) -> None:
    """The worktree is complete, old media are not here, every version can be read as long as the remote stands."""
    whole = machine(film.path / "whole", "carl", film.repo.format.project)
    fetch(whole, film.remotes["origin"], known(whole), undoable=False)
    partial = Partial(film)
    assert own_files(partial.repo) == film.wanted[2]
    assert status(partial.repo).is_clean
    assert partial.fetched.offloaded_bytes == 3 * SIZE + 3
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
    assert pulled.fetched.plan.offloaded_bytes == 2 * SIZE + 15
    assert own_files(partial.repo) == film.wanted[4]
    assert fsck(partial.repo).offloaded == 3
    assert fsck(partial.repo).problems == ()
    save(partial.repo, "assets/take.mov", media(SIZE + 9, seed=52))
    push(partial.repo, film.remotes["origin"], known(partial.repo))
    assert fsck_remote(load_snapshot(film.remotes["origin"], NullCache(), None)).problems == ()
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
    enable_lazy_fetch(other, film.connect)
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
    fetch_content(enable_lazy_fetch(film.repo, film.connect), plan_content(film.repo, select_files(film.repo, [])))
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
    bring = enable_lazy_fetch(film.repo, film.connect)
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
            fetch_content(bring, plan_content(film.repo, select_files(film.repo, [chosen])))
        elif step == 7:
            checkout(film.repo, chosen)
            checkout(film.repo, "main")
        elif step == 8:
            execute_gc(film.repo, plan_gc(film.repo, grace_seconds=0, dead_share=0.0))
        elif step == 9:
            film.repo.rebuild_index()
        else:
            if not restore(film.repo, chosen).is_idle:  # undo would take back what was done before
                undo(film.repo)
        assert fsck(film.repo).problems == ()
    film.assert_readable()
    assert_whole(film.repo)
    assert fsck(film.repo).problems == ()
