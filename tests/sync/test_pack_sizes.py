"""Where a remote wants small packs they grow with it, and gc gathers small ones little by little."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.objects.packs.format import PACK_BYTES
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.maintenance import gc as collecting
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.push import push
from aura_vcs.sync.state import pack_sizes
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import Manifest, PackInfo
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.pack_sizes import LARGEST, pack_bytes
from aura_vcs.sync.state.snapshot import load_snapshot

from .machines import clone, files, known, machine, manifest, save
from .test_push_pull import media

MIB = 1 << 20
WANTED = 2 * MIB


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Repository]:
    """A machine that has a project."""
    repo = machine(tmp_path / "anna", "anna")
    yield repo
    repo.close()


def place(repo: Repository) -> MemoryRemote:
    """A remote that wants small packs."""
    remote = MemoryRemote()
    remote.pack_bytes = WANTED
    create_remote(remote, repo.format.project, repo.author)
    return remote


def holding(total: int) -> Manifest:
    """A manifest of one pack of so many bytes."""
    return Manifest(1, "", 0, "", "", "", packs=(PackInfo("a" * 64, total, 100),))


def test_packs_grow_with_what_is_there() -> None:
    """A place that takes packs as they come is asked for none; others want twice as large ones, up to the store's."""
    assert pack_bytes(None, holding(1 << 50)) is None
    wanted = [pack_bytes(16 * MIB, holding(total << 30)) for total in (1, 64, 65, 128, 129, 10_000)]
    assert wanted == [16 * MIB, 16 * MIB, 32 * MIB, 32 * MIB, LARGEST, LARGEST]
    assert pack_bytes(PACK_BYTES * 4, holding(1 << 50)) == PACK_BYTES * 4


def test_a_later_push_makes_larger_packs(anna: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_sizes, "PACKS_OF_A_SIZE", 2)
    remote = place(anna)
    save(anna, "one.wav", media(9 * MIB, seed=1))
    push(anna, remote, known(anna))
    first = {pack.name for pack in manifest(remote).packs}
    save(anna, "two.wav", media(9 * MIB, seed=2))
    push(anna, remote, known(anna))
    sizes = [pack.size for pack in manifest(remote).packs if pack.name not in first]
    assert len(first) > 2
    assert max(sizes) > WANTED * 3 // 2, sizes
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


def test_an_interrupted_push_goes_on_with_packs_of_the_same_size(
    anna: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived is listed nowhere yet, so it makes nothing larger, and is not sent again."""
    monkeypatch.setattr(pack_sizes, "PACKS_OF_A_SIZE", 2)
    remote = place(anna)
    save(anna, "one.wav", media(9 * MIB, seed=1))
    with pytest.raises(RemoteError):
        push(anna, FaultyRemote(remote, fail_at=range(6, 99)), known(anna))
    arrived = {name for name in remote.files if name.startswith("packs/")}
    push(anna, remote, known(anna))
    assert arrived
    assert arrived <= {f"packs/{pack.name}.pack" for pack in manifest(remote).packs}
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


def test_small_packs_are_gathered_little_by_little(
    anna: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never more than a limit in one collection, and fewer are left by each, until there are few."""
    monkeypatch.setattr(collecting, "SMALL_PACKS", 3)
    remote = place(anna)
    for number in range(12):
        save(anna, "brief.json", json.dumps({"take": number}))
        push(anna, remote, known(anna))
    total = sum(pack.size for pack in manifest(remote).packs)
    monkeypatch.setattr(collecting, "GATHERED_BYTES", total // 2)
    before = len(manifest(remote).packs)
    plan = plan_remote_gc(anna, remote, known(anna), grace_seconds=14 * 86400)
    assert 0 < sum(shrink.pack.size for shrink in plan.shrinks) <= total // 2
    while not (plan := plan_remote_gc(anna, remote, known(anna), grace_seconds=0)).is_empty:
        execute_remote_gc(anna, remote, known(anna), plan, single_writer=True)
        assert len(manifest(remote).packs) < before
        before = len(manifest(remote).packs)
        assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert before <= 4
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)
