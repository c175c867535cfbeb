"""A place that cannot go on inside a file gets large packs in several smaller ones."""

import io
import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from aura_vcs.errors import Interrupted
from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.history.commit import commit
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.versions import purge_version
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes import bucket as remote_bucket
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.maintenance.repair_local import execute_repair, plan_repair
from aura_vcs.sync.maintenance.repair_remote import execute_remote_repair, plan_remote_repair
from aura_vcs.sync.offload.fetch_content import LazyFetcher, fetch_content, plan_content
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import plan_push, push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import decode_manifest
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import load_snapshot

from .faulty_proxy import faulty_line
from .kinds import KEYS
from .machines import clone, content, files, known, machine, save, write
from .servers import BUCKET
from .test_push_pull import media
from .test_resume import StopsAt, pushed

MIB = 1 << 20
LIMIT = 5 * MIB
TAKE = 18 * MIB
OVER = 64 << 10
"""Magic and footer of a pack, sealed or not."""


def _place(*, encrypted: bool = False) -> RemoteStorage:
    """A place in memory that wants small packs."""
    inner = MemoryRemote()
    inner.pack_bytes = LIMIT
    return EncryptedRemote(inner, KEYS) if encrypted else inner


def _filled(path: Path, name: str = "anna") -> Repository:
    """A project with one large pack, and small files."""
    repo = machine(path, name)
    for number in range(30):
        write(repo, f"scenes/{number:03}.json", f'{{"number": {number}}}')
    save(repo, "take.wav", media(TAKE))
    return repo


@pytest.fixture(params=[False, True], ids=["open", "encrypted"])
def place(request: pytest.FixtureRequest) -> RemoteStorage:
    """The place, also encrypted."""
    return _place(encrypted=request.param)


@pytest.fixture
def anna(tmp_path: Path, place: RemoteStorage) -> Repository:
    """A project whose place is empty."""
    repo = _filled(tmp_path / "anna")
    create_remote(place, repo.format.project, "anna")
    return repo


def _sizes(place: RemoteStorage) -> list[int]:
    """How large the packs there are."""
    return [entry.size for entry in place.list("packs")]


def _is_whole(place: RemoteStorage, repo: Repository, path: Path) -> bool:
    assert fsck_remote(load_snapshot(place, NullCache(), repo.format.project)).problems == ()
    return files(clone(path, "bert", place)) == files(repo)


def test_large_packs_arrive_in_small_ones(anna: Repository, place: RemoteStorage, tmp_path: Path) -> None:
    """None is larger than is wanted; progress ends where it should, and a copy has everything."""
    pushed(anna, place)
    assert max(_sizes(place)) < LIMIT + OVER
    assert len(_sizes(place)) >= TAKE // LIMIT
    assert _is_whole(place, anna, tmp_path / "bert")


def test_who_pushed_sends_and_fetches_nothing_of_it_again(anna: Repository, place: RemoteStorage) -> None:
    """The packs there have other names than those here, and are known all the same."""
    push(anna, place, known(anna))
    recording = RecordingRemote(place)
    assert plan_push(anna, recording, known(anna)).is_empty
    assert fetch(anna, recording, known(anna)).plan.is_empty
    sync(anna, recording, known(anna))
    assert recording.received() < OVER
    assert recording.by_verb()["create"] == 0
    save(anna, "brief.json", "{}")
    push(anna, recording, known(anna))
    assert recording.sent() < OVER


@pytest.mark.parametrize("lost", [False, True], ids=["failed", "answer lost"])
def test_cut_off_at_every_request_the_next_push_goes_on(anna: Repository, place: RemoteStorage, lost: bool) -> None:
    """A place that forgets what was interrupted is sent one small pack again, not all of the large one."""
    for at in range(1, 200):
        faulty = FaultyRemote(place, fail_at=[] if lost else [at], lose_at=[at] if lost else [])
        recording = RecordingRemote(faulty)
        before = sum(_sizes(place))
        try:
            push(anna, recording, known(anna))
        except RemoteUnreachable:
            assert recording.sent() < LIMIT + OVER + sum(_sizes(place)) - before
            continue
        break
    else:
        pytest.fail("it never came to an end")
    assert at > TAKE // LIMIT
    assert fsck_remote(load_snapshot(place, NullCache(), anna.format.project)).problems == ()


def test_ctrl_c_costs_one_small_pack(anna: Repository, place: RemoteStorage, tmp_path: Path) -> None:
    """What had arrived is told, and not sent again."""
    stopping = StopsAt(13 * MIB, Interrupted("Stopped"))
    with (
        Repository.open(anna.root, author="anna", host="anna", progress=stopping) as repo,
        pytest.raises(Interrupted),
    ):
        push(repo, place, known(repo))
    arrived = sum(_sizes(place))
    assert arrived > 6 * MIB
    recording = RecordingRemote(place)
    listening = pushed(anna, recording)
    assert recording.sent() < TAKE - arrived + LIMIT
    assert any("had arrived already" in note for note in listening.notes)
    assert _is_whole(place, anna, tmp_path / "bert")


def test_two_who_send_the_same_pack(anna: Repository, place: RemoteStorage, tmp_path: Path) -> None:
    """Both cut it alike; it is there once."""
    push(anna, place, known(anna))
    bert = clone(tmp_path / "bert", "bert", place)
    data = media(TAKE, seed=2)
    for repo in (anna, bert):
        write(repo, "second.wav", data)
        commit(repo, "Second take")
    both = threading.Barrier(2)

    def send(repo: Repository) -> None:
        with Repository.open(repo.root, author=repo.author, host=repo.author) as opened:
            both.wait()
            sync(opened, place, known(opened))

    threads = [threading.Thread(target=send, args=(repo,)) for repo in (anna, bert)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(_sizes(place)) < 2.2 * TAKE
    assert fsck_remote(load_snapshot(place, NullCache(), anna.format.project)).problems == ()


def test_a_pack_that_was_collected_comes_back_under_other_names(
    anna: Repository, place: RemoteStorage, tmp_path: Path
) -> None:
    """Names that were condemned are never used again, those of cut packs either; what is written anew is small, too."""
    first = save(anna, "second.wav", media(TAKE, seed=2))
    Path(anna.root, "second.wav").unlink()
    save(anna, "brief.json", "{}")
    push(anna, place, known(anna))
    before = {entry.name for entry in place.list("packs")}
    purge_version(anna, first, "not cleared")
    push(anna, place, known(anna))
    for _ in range(2):
        plan = plan_remote_gc(anna, place, known(anna), grace_seconds=0)
        execute_remote_gc(anna, place, known(anna), plan)
    left = {entry.name for entry in place.list("packs")}
    gone = before - left
    assert gone
    assert sum(_sizes(place)) < 1.2 * TAKE
    write(anna, "second.wav", media(TAKE, seed=2))
    commit(anna, "Cleared after all")
    push(anna, place, known(anna))
    after = {entry.name for entry in place.list("packs")}
    assert after.isdisjoint(gone)
    assert max(_sizes(place)) < LIMIT + 4 * MIB + OVER
    assert _is_whole(place, anna, tmp_path / "bert")


def test_a_damaged_cut_pack_is_repaired_from_the_whole_one(tmp_path: Path) -> None:
    """The objects are here under another pack's name."""
    anna, place = _filled(tmp_path / "anna"), MemoryRemote()
    place.pack_bytes = LIMIT
    create_remote(place, anna.format.project, "anna")
    push(anna, place, known(anna))
    name = max(place.list("packs"), key=lambda entry: entry.size).name
    data = bytearray(place.read_range(name, 0, 1 << 30))
    data[len(data) // 2] ^= 1
    place.delete(name)
    place.create(name, io.BytesIO(data))
    plan = plan_remote_repair(anna, place, known(anna))
    assert Counter(fault.file for fault in plan.faults) == {name: 1}
    assert plan.lost == ()
    execute_remote_repair(anna, place, known(anna), plan)
    assert max(_sizes(place)) < LIMIT + 4 * MIB + OVER
    assert plan_remote_repair(anna, place, known(anna)).is_intact
    assert _is_whole(place, anna, tmp_path / "bert")


def test_what_is_offloaded_comes_back_from_cut_packs(anna: Repository, place: RemoteStorage) -> None:
    """What they hold is proof enough to free the space here, and brings it back."""
    Path(anna.root, "take.wav").unlink()
    save(anna, "brief.json", "{}")
    push(anna, place, known(anna))
    set_remote(anna, "origin", RemoteConfig("/nowhere"))
    chosen = select_files(anna, ["take.wav"])
    freed = execute_offload(anna, plan_offload(anna, [StorageProver("origin", place, anna.format.project)], chosen))
    assert freed.freed_bytes > TAKE * 0.9
    fetch_content(LazyFetcher(anna, lambda _: place), plan_content(anna, chosen))
    first = Queries(anna.index).versions_numbered(1)[0]
    assert content(anna, first)["take.wav"] == media(TAKE)


def test_what_is_damaged_here_comes_back_from_cut_packs(anna: Repository, place: RemoteStorage) -> None:
    """The objects are there under other packs' names."""
    push(anna, place, known(anna))
    pack = max(Path(anna.root, ".aura/objects/packs").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    anna.store.close()
    done = execute_repair(anna, known(anna), plan_repair(anna, place))
    assert not done.lost
    assert fsck(anna).problems == ()


@pytest.mark.usefixtures("keys")
def test_a_push_to_a_bucket_goes_on_inside_a_pack(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real line: Ctrl-C in the middle of a large pack, and the next push sends little twice."""
    monkeypatch.setattr(remote_bucket.BucketRemote, "pack_bytes", 6 * MIB)
    anna = machine(tmp_path / "anna", "anna")
    size = 30 * MIB
    save(anna, "take.wav", random.Random(4).randbytes(size))
    with faulty_line(moto) as line:
        address = f"s3://{BUCKET}/{tmp_path.name}?endpoint={line.endpoint}"
        remote = open_remote(parse_address(address))
        create_remote(remote, anna.format.project, "anna")
        with (
            Repository.open(anna.root, progress=StopsAt(20 * MIB, Interrupted("Stopped"))) as repo,
            pytest.raises(Interrupted),
        ):
            push(repo, remote, known(repo))
        pushed(anna, remote)
        assert line.passed_up < size + 8 * MIB
        for entry in remote.list("packs"):
            manifest = decode_manifest(remote.load("manifest.json").data, "there")
            assert entry.size in {pack.size for pack in manifest.packs}
        assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)
