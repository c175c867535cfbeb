"""Offload: nothing is freed without proof, and everything knows the word for it."""

import os
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.input import PlanStale, UnknownName
from aura_vcs.errors.integrity import ObjectOffloaded
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.ids import blob_id
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import Kind
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.bundle import create_bundle, verify_bundle
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.repair_local import plan_repair
from aura_vcs.sync.offload.offload import execute_offload
from aura_vcs.sync.push import plan_push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from tests.helpers.check import assert_whole

from .film import MIB, SIZE, Film, known_as, stored
from .machines import Unsynced, content, files, write
from .test_push_pull import media


def test_offloading_frees_what_the_remote_holds_and_says_so(film: Film) -> None:
    """The old takes go, the one that the worktree stands on stays; fsck is fine and counts them."""
    before = stored(film.repo)
    plan = film.offload()
    assert {file.path for file in plan.to_free} == {"assets/take.mov"}
    assert {file.size_bytes for file in plan.to_free} == {SIZE, SIZE + 1}
    assert before - stored(film.repo) > 2 * SIZE - 100_000
    report = fsck(film.repo)
    assert report.problems == ()
    assert (report.offloaded, report.offloaded_bytes) == (2, 2 * SIZE + 1)
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    assert film.plan().to_free == ()


def test_a_repair_leaves_alone_what_is_offloaded(film: Film) -> None:
    """Content that only a remote has is not damage: nothing is fetched until somebody needs it."""
    film.offload()
    assert plan_repair(film.repo, film.remotes["origin"]).is_empty


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
    """Offline, one error names the files and the remote, and the worktree is as it was."""
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
    assert {file.size_bytes: file.reason for file in plan.staying} == {
        SIZE: "v5 is not pushed",
        SIZE + 2: "v4 is not pushed (autosaves and restore points go with `--all-versions`)",
        MIB + 5: "HEAD is on it",
    }
    assert [file.size_bytes for file in plan.to_free] == [SIZE + 1]
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
    assert plan.to_free == ()
    assert {file.reason for file in plan.staying} >= {"0 of 1 copies are proved"}
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
    assert plan.to_free == ()
    assert plan.faults


def test_copies_are_counted(film: Film) -> None:
    """With two copies asked for, only what two remotes hold goes; more than there are remotes is refused."""
    with pytest.raises(InputError, match="2 copies"):
        film.plan(copies=2)
    film.add("vault", MemoryRemote("vault"))
    plan = film.plan(copies=2)
    assert plan.to_free == ()
    film.push("vault")
    plan = film.plan(copies=2)
    assert {file.remotes for file in plan.to_free} == {("origin", "vault")}
    execute_offload(film.repo, plan)
    del film.remotes["origin"]
    film.assert_readable()


def test_versions_and_paths_say_what_is_meant(film: Film) -> None:
    """A version's content goes if only it has it; a path means all its contents; an unknown one is named."""
    film.commit("extra.mov", media(MIB, seed=20))
    film.commit("notes.txt", b"still with the extra")
    film.commit("extra.mov", b"small now")
    film.push()
    assert [file.size_bytes for file in film.plan("v2").to_free] == [SIZE + 1]
    assert film.plan("v4").to_free == ()
    assert {file.reason for file in film.plan("v4").staying} == {"v5 has it too", "HEAD is on it"}
    assert [file.path for file in film.plan("v4", "v5").to_free] == ["extra.mov"]
    assert [file.path for file in film.plan("extra.mov").to_free] == ["extra.mov"]
    assert len(film.plan("assets").to_free) == 2
    with pytest.raises(UnknownName, match="nowhere"):
        film.plan("nowhere")
    assert film.plan(least_bytes=3 * MIB).to_free == ()


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
            pack.unlink()  # the take that the worktree stands on, which was not offloaded
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
    plan = plan_push(film.repo, film.remotes["vault"], known_as(film.repo, "vault"))
    assert plan.through_bytes > 2 * SIZE - 1
    assert plan.sent_bytes > 3 * SIZE
    with pytest.raises(ObjectOffloaded, match="offloaded to origin"):
        film.push("vault")
    film.remotes["origin"] = gone
    film.push("vault")
    assert fsck_remote(load_snapshot(film.remotes["vault"], NullCache(), None)).problems == ()


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
    film.repo.adopt_unrecorded_objects()
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


class Cloning(Unsynced):
    """Calls of a disk that shares blocks: clones are copies here, which nobody can tell."""

    def clone(self, source: int, target: int) -> bool:
        """Done."""
        size = os.fstat(source).st_size
        os.pwrite(target, os.pread(source, size, 0), 0)
        return True


def test_on_a_disk_that_shares_blocks(tmp_path: Path) -> None:
    """Where large files are stored as clones, offloaded content that is committed again is counted right."""
    film = Film(tmp_path, MemoryRemote(), calls=Cloning())
    assert [size for _, size in film.repo.store.loose.all() if size >= SIZE] != []
    film.offload()
    assert fsck(film.repo).offloaded == 2
    film.commit("again.mov", film.wanted[0]["assets/take.mov"])
    assert fsck(film.repo).problems == ()
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
    assert {file.path for file in plan.to_free} == {"assets/take.mov", "assets/sky.png"}
    assert {file.path: file.reason for file in plan.staying}["plan.json"] == "documents stay"
    execute_offload(film.repo, plan)
    film.repo.rebuild_index()
    assert fsck(film.repo).problems == ()
    assert fsck(film.repo).offloaded == 3
    film.assert_readable()
    assert_whole(film.repo)
