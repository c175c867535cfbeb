"""A remote that holds more objects than fit in memory: looked up in a file of this machine, which is never believed."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import remote_folder
from aura_vcs.model import Kind
from aura_vcs.objects.packs.format import TRAILER_BYTES, Footer, Frame, PackEntry, decode_footer, encode_footer
from aura_vcs.progress import SILENT
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push
from aura_vcs.sync.state import pack_table
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.locations import RemoteLocations
from aura_vcs.sync.state.manifest import PackInfo
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.pack_table import LargePackTable, PackTable
from aura_vcs.sync.state.snapshot import load_snapshot

from .conftest import remote_of
from .machines import clone, files, known, machine, manifest, save
from .test_push_pull import media

TAKE = media(1_300_000)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_table, "LARGE_FOOTERS", 0)
    monkeypatch.setattr(pack_table, "HELD_OBJECTS", 3)
    monkeypatch.setattr(pack_table, "AT_ONCE", 2)


@pytest.fixture(params=["memory", "folder", "encrypted over faults", "moto"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of some kinds."""
    yield from remote_of(request, tmp_path)


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Repository]:
    """A machine that has a project."""
    repo = machine(tmp_path / "anna", "anna")
    yield repo
    repo.close()


def pushed(repo: Repository, remote: RemoteStorage | None = None) -> RemoteStorage:
    """A remote with five versions, each sent alone."""
    remote = remote or MemoryRemote()
    create_remote(remote, repo.format.project, repo.author)
    save(repo, "take.wav", TAKE)
    push(repo, remote, known(repo))
    for number in range(4):
        save(repo, "brief.json", json.dumps({"take": number}))
        push(repo, remote, known(repo))
    return remote


def file_of(repo: Repository) -> Path:
    """Where the locations of objects are remembered."""
    return Path(repo.root, ".aura", remote_folder("origin"), "objects.sqlite")


def test_a_large_remote_is_used_like_any(anna: Repository, tmp_path: Path, remote: RemoteStorage) -> None:
    """Pushed to, cloned, fetched, collected and checked; with what is remembered and without."""
    pushed(anna, remote)
    bert = clone(tmp_path / "bert", "bert", remote)
    assert files(bert) == files(anna)
    save(bert, "plan.json", "{}")
    push(bert, remote, known(bert))
    fetch(anna, remote, known(anna))
    assert anna.queries.next_number() == bert.queries.next_number()
    plan = plan_remote_gc(anna, remote, known(anna), grace_seconds=0)
    execute_remote_gc(anna, remote, known(anna), plan)
    save(bert, "plan.json", "[]")
    push(bert, remote, known(bert))
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "carl", "carl", remote)) == files(bert)
    assert file_of(bert).exists()


def test_a_push_reads_the_footers_that_are_new_alone(anna: Repository, tmp_path: Path) -> None:
    remote = pushed(anna)
    bert = clone(tmp_path / "bert", "bert", remote)
    save(anna, "brief.json", '{"more": 1}')
    push(anna, remote, known(anna))
    fetch(bert, remote, known(bert))
    save(bert, "plan.json", '{"mine": 1}')
    push(bert, seen := RecordingRemote(remote), known(bert), keep_both=True)
    new = {f"packs/{pack.name}.pack" for pack in manifest(remote).packs[-1:]}
    assert {request.name for request in seen.requests if request.verb == "read_range"} <= new


def test_content_that_is_there_already_is_not_sent_again(anna: Repository) -> None:
    """What came back from an older version is found, however many packs there are."""
    remote = pushed(anna)
    Path(anna.root, "take.wav").unlink()
    save(anna, "plan.json", "{}")
    push(anna, remote, known(anna))
    before = sum(pack.size for pack in manifest(remote).packs)
    save(anna, "again.wav", TAKE)
    push(anna, remote, known(anna))
    assert sum(pack.size for pack in manifest(remote).packs) - before < len(TAKE) // 10


@pytest.mark.parametrize("damage", ["gone", "cut", "garbage", "empty rows", "wrong rows", "a folder", "a link"])
def test_what_is_remembered_is_never_believed(anna: Repository, tmp_path: Path, damage: str) -> None:
    """Whatever is in the file: what is there is found, and what is not there is not."""
    remote = pushed(anna)
    bert = clone(tmp_path / "bert", "bert", remote)
    save(anna, "plan.json", '{"more": 1}')
    push(anna, remote, known(anna))
    path = file_of(bert)
    (tmp_path / "elsewhere").write_bytes(b"mine")
    if damage in {"empty rows", "wrong rows"}:
        found = sqlite3.connect(path)
        found.execute("DELETE FROM locations" if damage == "empty rows" else "UPDATE OR IGNORE locations SET pack = 1")
        found.commit()
        found.close()
    else:
        for file in path.parent.glob("objects.sqlite*"):
            file.unlink()
        if damage == "cut":
            path.write_bytes(b"SQLite format 3\0")
        elif damage == "garbage":
            path.write_bytes(bytes(range(256)) * 64)
        elif damage == "a folder":
            path.mkdir()
        elif damage == "a link":
            path.symlink_to(tmp_path / "elsewhere")
    known(bert).retain("footers", set())
    fetch(bert, remote, known(bert))
    assert bert.queries.next_number() == anna.queries.next_number()
    save(bert, "plan.json", '{"mine": 1}')
    push(bert, remote, known(bert), keep_both=True)
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_what_is_remembered_goes_with_the_rest(anna: Repository) -> None:
    pushed(anna)
    assert file_of(anna).exists()
    known(anna).clear()
    assert not list(file_of(anna).parent.glob("objects.sqlite*"))


def test_many_packs_are_looked_up_in_a_file_however_little_they_hold(
    anna: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push opens none of them, which took longer than all the rest of it."""
    monkeypatch.setattr(pack_table, "LARGE_FOOTERS", 1 << 40)
    monkeypatch.setattr(pack_table, "MANY_PACKS", 3)
    pushed(anna)
    assert file_of(anna).exists()


# Proofs before content goes


def _contents(repo: Repository) -> set[ObjectId]:
    """The contents of the files of the version that the files stand on."""
    head = repo.queries.version(repo.head_file.stored().version or "")  # type: ignore[arg-type]
    assert head is not None
    return {entry.id for _, entry in repo.trees.walk(head.tree) if entry.kind == "file"}


def _prover(repo: Repository, remote: RemoteStorage) -> StorageProver:
    return StorageProver("origin", remote, repo.format.project, lambda found: found.remembered(known(repo)).table(repo))


def test_a_proof_looks_at_the_packs_that_it_relies_on(anna: Repository) -> None:
    """The same is proved as by a look at all packs, and nothing that is remembered counts."""
    remote = pushed(anna)
    wanted = sorted(_contents(anna))
    seen = RecordingRemote(remote)
    few = _prover(anna, seen).prove(wanted[:1], SILENT, everything=True)
    assert few.held == frozenset(wanted[:1])
    read = {request.name for request in seen.requests if request.name.startswith("packs/")}
    assert len(read) == 1
    assert _prover(anna, remote).prove(wanted, SILENT, everything=True).held == frozenset(wanted)
    absent = ObjectId("0" * 64)
    assert _prover(anna, remote).listed([absent]).held == frozenset()


def test_a_pack_that_is_gone_proves_nothing(anna: Repository) -> None:
    """Its footer is remembered here, and the pack is asked for all the same."""
    remote = pushed(anna)
    wanted = sorted(_contents(anna))
    for pack in manifest(remote).packs:
        remote.delete(f"packs/{pack.name}.pack")
    found = _prover(anna, remote).prove(wanted, SILENT)
    assert found.held == frozenset()
    assert found.faults


# The table itself


def _pack(number: int, *contents: bytes) -> tuple[PackInfo, Footer]:
    frames = [Frame(8, 1000, 1000, 0)]
    entries = [PackEntry(blob_id(data), Kind.BLOB, 0, 0, 10 + number) for data in contents]
    name, data = encode_footer(frames, entries)
    return PackInfo(name, 5000, len(data)), decode_footer(data[:-TRAILER_BYTES], data[-TRAILER_BYTES:], "a test")


def _tables(packs: list[tuple[PackInfo, Footer]], locations: RemoteLocations) -> tuple[PackTable, LargePackTable]:
    small, footers = PackTable(), dict(packs)
    for pack, footer in packs:
        small.add(pack, footer)
    return small, LargePackTable([pack for pack, _ in packs], locations, lambda some: [footers[one] for one in some])


def test_both_tables_say_the_same() -> None:
    """Also where several packs hold an object, and where packs were added that are listed nowhere."""
    packs = [_pack(n, b"in all", str(n).encode(), str(n // 2).encode()) for n in range(9)]
    locations = RemoteLocations(None, "")
    for listed in (packs, packs[4:], packs[::-1], packs[:2]):
        small, large = _tables(listed, locations)
        extra = _pack(99, b"retired", b"in all")
        small.add(*extra)
        large.add(*extra)
        ids = [blob_id(str(n).encode()) for n in range(-2, 12)] + [blob_id(b"in all"), blob_id(b"retired")]
        assert [large.find(one) for one in ids] == [small.find(one) for one in ids]
        assert [one in large for one in ids] == [one in small for one in ids]
        assert large.numbers(ids) == small.numbers(ids)
        assert set(large.all_ids()) == set(small.all_ids())
        there = [one for one in ids if one in small]
        assert large.first_missing(there) is small.first_missing(there) is None
        assert large.first_missing(ids) not in small
        assert large.lists(ids) == small.lists(ids) == set()
        assert list(large.footers) == list(small.footers)


def test_ids_that_begin_alike_are_told_apart() -> None:
    """A row says where to look, and no more."""
    frames = [Frame(8, 1000, 1000, 0)]
    one, other = ObjectId("ab" * 10 + "0" * 44), ObjectId("ab" * 10 + "1" * 44)
    name, data = encode_footer(frames, [PackEntry(one, Kind.BLOB, 0, 0, 10)])
    footer = decode_footer(data[:-TRAILER_BYTES], data[-TRAILER_BYTES:], "a test")
    _, large = _tables([(PackInfo(name, 5000, len(data)), footer)], RemoteLocations(None, ""))
    assert (one in large, other in large) == (True, False)
    assert large.first_missing([one, other]) == other


def test_packs_that_left_leave_no_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more packs have left than are there, the file is made anew."""
    monkeypatch.setattr("aura_vcs.sync.state.locations.FEW_PACKS", 4)
    locations = RemoteLocations(None, "")
    packs = [_pack(n, str(n).encode()) for n in range(12)]
    _tables(packs, locations)
    assert len(locations.packs()) == 12
    _, large = _tables(packs[:2], locations)
    assert len(locations.packs()) == 2
    assert [blob_id(str(n).encode()) in large for n in range(4)] == [True, True, False, False]


def test_entering_that_stops_is_gone_on_with(tmp_path: Path) -> None:
    """Packs are entered some at a time, each with all its objects or not at all."""
    packs = [_pack(n, str(n).encode()) for n in range(7)]
    footers, read = dict(packs), list[PackInfo]()

    def some(wanted: Sequence[PackInfo]) -> list[Footer]:
        read.extend(wanted)
        if len(read) == 6:
            raise RemoteUnreachable("there", "the line broke")
        return [footers[one] for one in wanted]

    place = LocalStorage(str(tmp_path))
    with pytest.raises(RemoteUnreachable):
        LargePackTable(list(footers), RemoteLocations(place, "objects.sqlite"), some)
    assert len(RemoteLocations(place, "objects.sqlite").packs()) == 4
    read.clear()
    large = LargePackTable(list(footers), RemoteLocations(place, "objects.sqlite"), lambda s: [footers[p] for p in s])
    assert all(blob_id(str(n).encode()) in large for n in range(7))


def test_two_processes_enter_the_same_packs(tmp_path: Path) -> None:
    """Neither fails, and each pack is entered once, whoever was quicker."""
    packs = [_pack(n, str(n).encode()) for n in range(4)]
    place = LocalStorage(str(tmp_path))
    one, other = (RemoteLocations(place, "objects.sqlite") for _ in range(2))
    listed = {pack.name: footer.ids() for pack, footer in packs}
    one.enter(dict(list(listed.items())[:3]))
    other.enter(listed)
    one.enter(listed)
    assert one.packs() == other.packs() == listed.keys()
    ids = [blob_id(str(n).encode()) for n in range(4)]
    assert one.find(ids) == other.find(ids) == {ids[n]: [packs[n][0].name] for n in range(4)}


def test_a_disk_that_refuses_leaves_the_table_in_memory(tmp_path: Path) -> None:
    """What cannot be kept is looked up all the same."""
    packs = [_pack(n, str(n).encode()) for n in range(4)]
    (tmp_path / "file").write_bytes(b"")
    locations = RemoteLocations(LocalStorage(str(tmp_path)), "file/objects.sqlite")
    _, large = _tables(packs, locations)
    assert [blob_id(str(n).encode()) in large for n in range(5)] == [True] * 4 + [False]
