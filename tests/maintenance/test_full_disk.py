"""Freeing space on a disk that is full (Y2)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository, layout
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.ids import ReplicaId
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance import delete_objects as removal
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository import free_space, replicas
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls

from tests.helpers.project import noise

SIZE = 3_000_000


def with_takes(root: Path) -> None:
    """A project whose first two versions have a large file each that the last has not."""
    root.mkdir()
    with Repository.init(root) as repo:
        for number in (1, 2):
            (root / "take.mp4").write_bytes(noise(SIZE, seed=number))
            commit(repo, f"Take {number}")
        (root / "take.mp4").unlink()
        (root / "x.txt").write_text("x")
        commit(repo, "Without it")


def purge_and_collect(root: Path) -> int:
    """Purge both takes, and collect; returns the bytes that freed."""
    with Repository.open(root) as repo:
        purge_version(repo, Queries(repo.index).versions_numbered(1)[0])
    with Repository.open(root) as repo:
        delete_version(repo, Queries(repo.index).versions_numbered(2)[0])
    with Repository.open(root) as repo:
        undo(repo)
    with Repository.open(root) as repo:
        purge_version(repo, Queries(repo.index).versions_numbered(2)[0])
    with Repository.open(root) as repo:
        return execute_gc(repo, plan_gc(repo, grace_seconds=0)).freed_bytes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("left", [0, 20_000, 200_000])
def test_space_is_freed_on_a_disk_without_a_free_byte(small_disk: Path, left: int) -> None:
    """Purge, delete, undo and gc all work; afterwards everything is whole."""
    root = small_disk / "film"
    with_takes(root)
    fill(small_disk / "fill", left)
    assert purge_and_collect(root) > 2 * SIZE * 0.9
    with Repository.open(root) as repo:
        assert fsck(repo).is_clean
        assert [Queries(repo.index).versions_numbered(number)[0].is_live for number in (1, 2, 3)] == [
            False,
            False,
            True,
        ]


def fill(path: Path, left: int) -> None:
    """Fill the disk, but for so many bytes."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass
        file.truncate(max(0, file.tell() - left))


def test_on_a_nearly_full_disk_the_index_gives_its_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be made again, and is; what it says is the same."""
    root = tmp_path / "film"
    with_takes(root)
    monkeypatch.setattr(free_space, "is_nearly_full", lambda _: True)
    assert purge_and_collect(root) > 2 * SIZE * 0.9
    assert not (root / ".aura" / "local" / "index.sqlite").exists()
    monkeypatch.undo()
    with Repository.open(root) as repo:
        assert fsck(repo).is_clean
        assert len(Queries(repo.index).versions_numbered(1)) == 1


def test_a_pack_that_cannot_be_written_anew_keeps_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The collection does not fail: it waits for the next one, which frees it."""
    root = tmp_path / "film"
    root.mkdir()
    with Repository.init(root) as repo:
        for number in (1, 2):
            (root / "take.mp4").write_bytes(noise(SIZE, seed=number))
            for name in "abcd":
                (root / f"{name}.txt").write_text(f"{name} {number}")
            commit(repo, f"Take {number}")
        (root / "take.mp4").unlink()
        commit(repo, "Without it")

    def full(*_: object, **__: object) -> str:
        raise StorageFull("write", "pack", "no space left on the disk")

    monkeypatch.setattr(removal, "rewrite", full)
    assert purge_and_collect(root) < SIZE
    monkeypatch.undo()
    with Repository.open(root) as repo:
        assert fsck(repo).is_clean
        assert execute_gc(repo, plan_gc(repo, grace_seconds=0)).freed_bytes > 2 * SIZE * 0.9
        assert fsck(repo).is_clean


def test_a_full_disk_at_any_call_of_a_collection_leaves_a_project_that_is_whole(tmp_path: Path) -> None:
    """ENOSPC from the n-th call on: old or new state, and the next collection finishes."""
    seed = tmp_path / "seed"
    with_takes(seed)
    with Repository.open(seed) as repo:
        for number in (1, 2):
            purge_version(repo, Queries(repo.index).versions_numbered(number)[0])
    for at in range(1, 40, 3):
        root = tmp_path / f"film{at}"
        shutil.copytree(seed, root)
        with Repository.open(root):
            pass
        calls = FaultyCalls(Fault.FULL, at)
        try:
            with Repository.open(root, calls=calls) as repo:
                execute_gc(repo, plan_gc(repo, grace_seconds=0))
        except StorageFull:
            assert calls.struck
        with Repository.open(root) as repo:
            execute_gc(repo, plan_gc(repo, grace_seconds=0))
            assert fsck(repo).is_clean
        if not calls.struck:
            return


_WITHIN_A_QUOTA = """
import resource, sys
from tests.maintenance.test_full_disk import purge_and_collect
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
print(purge_and_collect(Path(sys.argv[1])))
"""


@pytest.mark.skipif(os.name == "nt", reason="there are no such limits on Windows")
def test_what_may_not_grow_any_more_is_a_full_disk(tmp_path: Path) -> None:
    """A quota, or a limit of the process, says nothing of the disk: space can be freed all the same."""
    root = tmp_path / "film"
    with_takes(root)
    home = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _WITHIN_A_QUOTA, str(root)], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > SIZE
    with Repository.open(root) as repo:
        assert fsck(repo).is_clean


def a_copy(tmp_path: Path) -> Path:
    """A project and a copy of its folder, which nobody has opened yet."""
    with_takes(tmp_path / "film")
    shutil.copytree(tmp_path / "film", tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def without_room(monkeypatch: pytest.MonkeyPatch, tries: int) -> None:
    """Let the disk be full for the first `tries` to write an id."""
    put, left = replicas.put_replica, [tries]

    def refuse(storage: LocalStorage, root: str, replica: ReplicaId) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise StorageFull("write", root, "No space left on device")
        put(storage, root, replica)

    monkeypatch.setattr(replicas, "put_replica", refuse)


def test_a_copy_makes_room_for_its_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had noted of the dates of another folder's files goes first; then it works as ever."""
    root = a_copy(tmp_path)
    without_room(monkeypatch, 1)
    with Repository.open(root) as repo:
        assert not repo.is_read_only
        assert not (root / ".aura" / layout.SCAN_CACHE).exists()
        (root / "y.txt").write_text("y")
        assert commit(repo, "In the copy").version is not None


def test_a_copy_without_room_for_its_id_is_read_and_writes_in_no_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two copies never write one log: what would record is refused, and looking back works."""
    root = a_copy(tmp_path)
    without_room(monkeypatch, 1000)
    logs = {path: path.read_bytes() for path in (root / ".aura" / layout.OPERATIONS).iterdir()}
    (root / "y.txt").write_text("y")
    with Repository.open(root) as repo:
        assert repo.queries.versions_numbered(3)[0].name == "Without it"
        assert fsck(repo).is_clean
        with pytest.raises(StorageFull, match="Cannot record anything"):
            commit(repo, "In the copy")
        with pytest.raises(StorageFull, match="Cannot record anything"):
            undo(repo)
    assert {path: path.read_bytes() for path in (root / ".aura" / layout.OPERATIONS).iterdir()} == logs
    monkeypatch.undo()
    with Repository.open(root) as repo:
        assert commit(repo, "In the copy").version is not None
    assert all((root / ".aura" / layout.OPERATIONS / path.name).read_bytes() == data for path, data in logs.items())
