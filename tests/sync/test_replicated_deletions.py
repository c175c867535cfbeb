"""What a collection deletes on one machine, a blind tool deletes on the others: nothing is lost by that.

The other machine works offline meanwhile, and makes versions with the very content that goes.
"""

import os
import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs.history.commit import commit
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import Collected, GcPlan, execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from .machines import Unsynced, content, folder_remote
from .test_blind_folder_sync import BlindTool, Desk

TAKE = "take.txt"
LARGE = 1_500_000


class Pair:
    """Two machines with copies of one folder that has a version with something precious, and one without.

    Unless it is `known`, the second one has not done anything yet that the first one could have seen.
    """

    def __init__(self, path: Path, *, large: bool = False, known: bool = True) -> None:
        self.left, self.right = Desk(path / "left", "anna"), Desk(path / "right", "bert")
        self.left.path.mkdir(parents=True)
        self.right.path.mkdir()
        self.precious = random.Random(1).randbytes(LARGE) if large else b"the only good take\n" * 20
        with Repository.init(str(self.left.path), author="anna", host="anna", calls=Unsynced()) as repo:
            self.save(repo, "brief.json", b"{}")
            self.with_it = self.save(repo, TAKE, self.precious)
            self.without = self.save(repo, TAKE, None)
        self.tool = BlindTool(self.left.path, self.right.path, random.Random(7))
        self.merge()
        if known:
            with self.right.open() as repo:
                self.save(repo, "plan.json", b"{}")
            self.merge()

    def save(self, repo: Repository, path: str, data: bytes | None) -> VersionRecord:
        """Commit one file, or its absence."""
        full = Path(repo.root, path)
        if data is None:
            full.unlink()
        else:
            full.write_bytes(data)
        made = commit(repo, path).version
        assert made is not None
        return made

    def merge(self) -> None:
        """The tool runs, and both machines look at what came."""
        for _ in range(3):
            self.tool.run()
            for desk in (self.left, self.right):
                desk.open().close()

    def delete(self) -> None:
        """Anna deletes the version with the precious content."""
        with self.left.open() as repo:
            delete_version(repo, self.with_it)

    def collect(self, desk: Desk, *, wait: bool = True) -> tuple[GcPlan, Collected]:
        """Collect at once on one machine."""
        with desk.open() as repo:
            plan = plan_gc(repo, grace_seconds=0, dead_share=0.0, wait_for_others=wait)
            return plan, execute_gc(repo, plan)

    def use_again(self) -> VersionRecord:
        """Bert, offline, makes a version with the precious content."""
        with self.right.open() as repo:
            return self.save(repo, "copy.txt", self.precious)

    def check(self, version: VersionRecord) -> None:
        """Both machines have the version's content, and everything is whole."""
        for desk in (self.left, self.right):
            with desk.open() as repo:
                assert content(repo, version)["copy.txt"] == self.precious, desk.name
                assert fsck(repo).is_clean, fsck(repo).problems


@pytest.mark.parametrize("large", [False, True])
def test_what_a_machine_uses_again_offline_waits_for_it(tmp_path: Path, large: bool) -> None:
    """A collection without grace deletes nothing before the other machine has read of the deletion."""
    pair = Pair(tmp_path, large=large)
    pair.delete()
    version = pair.use_again()
    plan, done = pair.collect(pair.left)
    assert done.removed_objects == 0
    assert [other.host for other in plan.waiting_for] == ["bert"]
    assert plan.unacknowledged
    pair.merge()
    plan, _ = pair.collect(pair.left)
    assert {item.kind for item in plan.to_delete} <= {"tree"}, "the content is in use again"
    pair.merge()
    pair.check(version)


def test_what_nobody_needs_goes_when_the_other_machine_knows(tmp_path: Path) -> None:
    """Once both have read of the deletion, the content goes, on both disks and from their second names."""
    pair = Pair(tmp_path, large=True)
    pair.delete()
    pair.merge()
    plan, done = pair.collect(pair.left)
    assert plan.waiting_for == ()
    assert done.freed_bytes > LARGE * 0.9
    pair.merge()
    for desk in (pair.left, pair.right):
        size = sum(file.stat().st_size for file in (desk.path / ".aura").rglob("*") if file.is_file())
        assert size < LARGE // 2, desk.name
        with desk.open() as repo:
            assert fsck(repo).is_clean
            assert not [item for item in Queries(repo.index).unreferenced() if item.kind == "chunk"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("first", ["commit", "collection"])
def test_what_was_deleted_without_waiting_is_put_back(tmp_path: Path, first: str, large: bool) -> None:
    """Even if nobody was waited for, the machine whose version needs the content puts it back."""
    pair = Pair(tmp_path, large=large)
    pair.delete()
    if first == "commit":
        version = pair.use_again()
        _, done = pair.collect(pair.left, wait=False)
    else:
        _, done = pair.collect(pair.left, wait=False)
        version = pair.use_again()
    assert done.removed_objects > 0
    pair.merge()
    pair.check(version)


def test_a_machine_that_nobody_has_heard_of_puts_back_what_it_needs(tmp_path: Path) -> None:
    """A copy that never did anything is not waited for; its first version, made offline, keeps its content."""
    pair = Pair(tmp_path, known=False)
    pair.delete()
    version = pair.use_again()
    _, done = pair.collect(pair.left)
    assert done.removed_objects > 0
    pair.merge()
    pair.check(version)


def test_what_was_just_made_has_a_second_name_at_once(tmp_path: Path) -> None:
    """Somebody who does not know of us yet may delete what arrived of our version, before we look again."""
    pair = Pair(tmp_path)
    version = pair.use_again()
    for name in _objects(pair.right):
        (pair.right.path / ".aura" / name).unlink()
    with pair.right.open() as repo:
        assert content(repo, version)["copy.txt"] == pair.precious
        assert fsck(repo).is_clean


def test_the_deletion_may_arrive_long_before_the_rest(tmp_path: Path) -> None:
    """A tool that carries the deletion and nothing else for now takes nothing that a version needs."""
    pair = Pair(tmp_path)
    pair.delete()
    version = pair.use_again()
    before = _objects(pair.left)
    pair.collect(pair.left, wait=False)
    for name in before - _objects(pair.left):
        (pair.right.path / ".aura" / name).unlink()
    with pair.right.open() as repo:
        assert content(repo, version)["copy.txt"] == pair.precious
        assert fsck(repo).is_clean
    pair.merge()
    pair.check(version)


def test_an_index_that_is_lost_meanwhile_loses_nothing(tmp_path: Path) -> None:
    """What was deleted elsewhere comes back before the index is built anew from what is stored."""
    pair = Pair(tmp_path, large=True)
    pair.delete()
    version = pair.use_again()
    pair.collect(pair.left, wait=False)
    pair.tool.run()
    for file in (pair.right.path / ".aura/local").glob("index.sqlite*"):
        file.unlink()
    pair.right.open().close()
    pair.merge()
    pair.check(version)


def test_versions_whose_objects_arrived_before_their_labels_are_waited_for(tmp_path: Path) -> None:
    """Content of a version that has not arrived as a whole is garbage to nobody, also without grace."""
    pair = Pair(tmp_path)
    with pair.right.open() as repo:
        version = pair.save(repo, "copy.txt", b"made offline " * 50)
    shutil.copytree(pair.right.path / ".aura/objects", pair.left.path / ".aura/objects", dirs_exist_ok=True)
    plan, done = pair.collect(pair.left)
    assert plan.unacknowledged
    assert done.removed_objects == 0
    pair.merge()
    for desk in (pair.left, pair.right):
        with desk.open() as repo:
            assert content(repo, version)["copy.txt"] == b"made offline " * 50


def test_a_silent_machine_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """A replica of which nothing came for a quarter of a year does not hold space any more."""
    pair = Pair(tmp_path)
    pair.delete()
    with pair.right.open() as repo:
        replica = repo.replica
    for name in (f"refs/replicas/{replica}.json", f"operations/{replica}.jsonl"):
        path = pair.left.path / ".aura" / name
        if path.exists():
            os.utime(path, (1_000_000_000, 1_000_000_000))
    _, done = pair.collect(pair.left)
    assert done.removed_objects > 0


def test_what_was_purged_is_not_put_back(tmp_path: Path) -> None:
    """Bert's disk lets go of purged content when he has read that it was purged."""
    pair = Pair(tmp_path)
    with pair.left.open() as repo:
        purge_version(repo, pair.with_it, "not cleared")
    pair.merge()
    pair.collect(pair.left)
    pair.merge()
    for desk in (pair.left, pair.right):
        stored = [p.read_bytes() for p in (desk.path / ".aura").rglob("*") if p.is_file()]
        assert not any(b"the only good take" in data for data in stored)
        with desk.open() as repo:
            assert fsck(repo).is_clean


def test_what_was_moved_into_packs_is_found_there_and_costs_no_room(tmp_path: Path) -> None:
    """Files that the other machine deleted because it had packed them anew are not restored."""
    pair = Pair(tmp_path)
    with pair.left.open() as repo:
        for take in range(14):
            pair.save(repo, "plan.json", b'{"take": %d}' % take)
    pair.merge()
    pair.collect(pair.left)
    pair.merge()
    assert _objects(pair.left) == _objects(pair.right)
    kept = {str(p.relative_to(pair.right.path / ".aura/local/kept")) for p in _files(pair.right.path, "local/kept")}
    assert {f"objects/{name}" for name in kept} == _objects(pair.right)
    with pair.right.open() as repo:
        assert fsck(repo).is_clean


def test_a_project_of_one_machine_has_no_second_names(tmp_path: Path) -> None:
    """Where nobody else works, nothing is kept twice and nobody is waited for."""
    with Repository.init(str(tmp_path), calls=Unsynced()) as repo:
        (tmp_path / "brief.json").write_text("{}")
        commit(repo, "First")
        assert repo.others.known_replicas() == set()
        repo.refresh()
    assert not (tmp_path / ".aura/local/kept").exists()
    assert not (tmp_path / ".aura/refs/replicas").exists()


class NoLinks(Unsynced):
    """A disk without hard links."""

    def link(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Refused, as exFAT does."""
        raise PermissionError(1, "Operation not permitted")


def test_a_disk_without_links_still_waits(tmp_path: Path) -> None:
    """Without second names there is the waiting; nothing fails."""
    pair = Pair(tmp_path)
    pair.delete()
    with Repository.open(str(pair.right.path), author="bert", host="bert", calls=NoLinks()) as repo:
        version = pair.save(repo, "copy.txt", pair.precious)
    _, done = pair.collect(pair.left)
    assert done.removed_objects == 0
    pair.merge()
    pair.check(version)


def _files(root: Path, folder: str) -> list[Path]:
    return [path for path in (root / ".aura" / folder).rglob("*") if path.is_file()]


def _objects(desk: Desk) -> set[str]:
    return {str(path.relative_to(desk.path / ".aura")) for path in _files(desk.path, "objects")}


def test_stopped_anywhere_while_putting_back(tmp_path: Path) -> None:
    """A machine that dies while it puts content back finds it again the next time."""
    pair = Pair(tmp_path / "made")
    pair.delete()
    version = pair.use_again()
    pair.collect(pair.left, wait=False)
    pair.tool.run()
    counting = CountingCalls(Unsynced())
    state = pair.right.path
    template = tmp_path / "template"
    shutil.copytree(state, template, copy_function=os.link)
    for file in (template / ".aura/local").glob("*"):
        if file.is_file():  # what is written in place is not shared
            data = file.read_bytes()
            file.unlink()
            file.write_bytes(data)
    Repository.open(str(state), calls=counting).close()
    for at in range(1, len(counting.names) + 1, 3):
        shutil.rmtree(state)
        shutil.copytree(template, state, copy_function=os.link)
        calls = FaultyCalls(Fault.STOP, at, Unsynced())
        with suppress(Stopped):
            Repository.open(str(state), author="bert", host="bert", calls=calls).close()
        with pair.right.open() as repo:
            assert content(repo, version)["copy.txt"] == pair.precious, f"stopped at call {at}"


def test_what_was_offloaded_is_not_put_back(tmp_path: Path) -> None:
    """Content that one machine gave to a remote goes from both disks, and comes when it is needed."""
    pair = Pair(tmp_path, large=True)
    remote = folder_remote(tmp_path / "nas")
    with pair.left.open() as repo:
        create_remote(remote, repo.format.project, "anna")
        set_remote(repo, "origin", RemoteConfig(str(tmp_path / "nas")))
        push(repo, remote, RemoteCache(repo, "origin"))
        plan = plan_offload(repo, [StorageProver("origin", remote, repo.format.project)], select_files(repo, []))
        assert execute_offload(repo, plan).freed_bytes > LARGE * 0.9
    pair.merge()
    for desk in (pair.left, pair.right):
        size = sum(file.stat().st_size for file in (desk.path / ".aura").rglob("*") if file.is_file())
        assert size < LARGE // 2, desk.name
        with desk.open() as repo:
            assert fsck(repo).is_clean, fsck(repo).problems
            attached = enable_lazy_fetch(repo)
            assert content(repo, pair.with_it)[TAKE] == pair.precious
            attached.close()
