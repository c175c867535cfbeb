"""The list of packs of a large remote in pieces: written and read in part, safe where anything stops or lies."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from aura_vcs.errors import AuraError
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteMismatch
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.maintenance.repair_remote import execute_remote_repair, plan_remote_repair
from aura_vcs.sync.push import push
from aura_vcs.sync.state import manifest as manifests, pieces
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import (
    MANIFEST,
    PIECES,
    PROJECT_FOLDER,
    Manifest,
    PackInfo,
    RecordInfo,
    decode_manifest,
    encode_manifest,
    encode_records,
    record_name,
)
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.pieces import in_pieces, with_pieces
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, load_unremembered

from .conftest import remote_of
from .machines import clone, files, known, machine, manifest, save

PROJECT = "11111111-1111-4111-8111-111111111111"
NOW = "2026-12-01T08:00:00.000000Z"


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_PACKS", 2)
    monkeypatch.setattr(pieces, "MANY_PACKS", 6)


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Repository]:
    """A machine that has a project."""
    repo = machine(tmp_path / "anna", "anna")
    yield repo
    repo.close()


@pytest.fixture(params=["folder", "encrypted over faults", "pipe", "moto"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of some kinds."""
    yield from remote_of(request, tmp_path)


def stored(remote: MemoryRemote) -> Manifest:
    """The manifest as it is stored."""
    return decode_manifest(remote.load(MANIFEST).data, "there")


def pushed(repo: Repository, count: int) -> MemoryRemote:
    """A remote with a push for each of so many versions, and so with as many packs."""
    remote = MemoryRemote()
    create_remote(remote, repo.format.project, repo.author)
    for number in range(count):
        save(repo, "brief.json", json.dumps({"take": number}))
        push(repo, remote, known(repo))
    return remote


def asked(remote: RecordingRemote) -> list[tuple[str, str]]:
    """What was asked of it, and of which files."""
    return [(request.verb, request.name) for request in remote.requests]


def packs(count: int, first: int = 0) -> tuple[PackInfo, ...]:
    return tuple(PackInfo(f"{number:064x}", 5000, 100) for number in range(first, first + count))


def a_manifest(listed: tuple[PackInfo, ...]) -> Manifest:
    return Manifest(1, PROJECT, 3, "", NOW, "anna", packs=listed)


# What is written, and what is read


def test_few_packs_are_listed_as_ever(anna: Repository) -> None:
    """Below the limit nothing says that there could be pieces: what older versions wrote and read is there."""
    remote = pushed(anna, 5)
    assert (len(stored(remote).packs), stored(remote).pieces, stored(remote).features) == (5, (), ())
    old = json.loads(remote.load(MANIFEST).data)
    assert old.pop("pieces") == []
    assert decode_manifest(msgspec.json.encode(old), "there") == stored(remote)


def test_a_push_writes_a_piece_at_most_and_a_fetch_reads_what_is_new(anna: Repository, tmp_path: Path) -> None:
    remote = pushed(anna, 8)
    assert len(manifest(remote).packs) == 8
    assert len(stored(remote).packs) < 2
    assert stored(remote).features == (PIECES,)
    bert = clone(tmp_path / "bert", "bert", remote)
    assert files(bert) == files(anna)
    for number in range(4):
        before = set(stored(remote).pieces)
        save(anna, "brief.json", json.dumps({"more": number}))
        push(anna, seen := RecordingRemote(remote), known(anna))
        new = set(stored(remote).pieces) - before
        assert len(new) <= 1
        assert before <= set(stored(remote).pieces)
        assert len([name for verb, name in asked(seen) if verb == "create"]) == 2 + len(new)
        fetch(bert, read := RecordingRemote(remote), known(bert))
        loaded = {name for verb, name in asked(read) if verb == "load"}
        assert loaded & set(map(record_name, stored(remote).pieces)) == set(map(record_name, new))
    assert bert.queries.next_number() == anna.queries.next_number()
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean


def test_a_sync_with_nothing_to_do_reads_no_piece(anna: Repository) -> None:
    remote = pushed(anna, 8)
    push(anna, seen := RecordingRemote(remote), known(anna))
    assert [(verb, name) for verb, name in asked(seen)] == [("load", MANIFEST)]


def test_versions_that_know_no_pieces_refuse_them_by_name(anna: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = pushed(anna, 8)
    monkeypatch.setattr(manifests, "KNOWN_FEATURES", manifests.KNOWN_FEATURES - {PIECES})
    with pytest.raises(RemoteMismatch, match="feature pieces"):
        load_snapshot(remote, NullCache(), None)


def test_the_first_stays_first_and_full_pieces_stay() -> None:
    """Of several packs that hold an object the first is read: what a repair lists before the others stays there."""
    listed = packs(9)
    first, new = in_pieces(a_manifest(listed), {}, ())
    there = {info: _listed(info, data) for info, data in new.items()}
    assert with_pieces(first, there, "there").packs == listed
    more = (*packs(1, first=90), *listed)
    second, newer = in_pieces(msgspec.structs.replace(first, packs=more), there, ())
    assert second.pieces[-len(first.pieces) :] == first.pieces
    there |= {info: _listed(info, data) for info, data in newer.items()}
    assert with_pieces(second, there, "there").packs == more
    fewer = tuple(pack for pack in more if pack != listed[4])
    third, _ = in_pieces(msgspec.structs.replace(second, packs=fewer), there, ())
    gone = {info for info, inside in there.items() if listed[4] in inside}
    assert len(gone) == 1
    assert gone.isdisjoint(third.pieces)


def test_a_small_remote_has_no_pieces_any_more() -> None:
    first, new = in_pieces(a_manifest(packs(6)), {}, ())
    there = {info: _listed(info, data) for info, data in new.items()}
    assert in_pieces(msgspec.structs.replace(first, packs=packs(3)), there, ())[0].pieces
    last, _ = in_pieces(msgspec.structs.replace(first, packs=packs(2)), there, ())
    assert (last.pieces, last.features, last.packs) == ((), (), packs(2))


def test_a_projects_own_manifest_has_none() -> None:
    own = msgspec.structs.replace(a_manifest(packs(20)), features=(PROJECT_FOLDER,))
    assert in_pieces(own, {}, ())[0] == own


def test_a_name_that_is_spent_is_not_used_again() -> None:
    first, new = in_pieces(a_manifest(packs(6)), {}, ())
    again, other = in_pieces(a_manifest(packs(6)), {}, set(map(record_name, new)))
    assert set(again.pieces).isdisjoint(first.pieces)
    assert [_listed(info, data) for info, data in other.items()] == [_listed(info, data) for info, data in new.items()]


def _listed(info: RecordInfo, data: bytes) -> tuple[PackInfo, ...]:
    return manifests.decode_records(data, info, "there").packs


# Interrupted, collected, repaired


def test_a_push_that_stops_anywhere_leaves_what_was_there(anna: Repository, tmp_path: Path) -> None:
    """Each request fails once, before and after it was carried out: the remote is intact, and the next push goes on."""
    remote = pushed(anna, 9)
    for kind in ("fail_at", "lose_at"):
        for number in range(1, 8):
            save(anna, "brief.json", json.dumps({kind: number}))
            try:
                push(anna, FaultyRemote(remote, **{kind: [number]}), known(anna))
            except RemoteError:
                assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
                push(anna, remote, known(anna))
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


def test_pieces_that_are_not_listed_are_collected(anna: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are noted, get a tombstone and go, as packs and records do; listed ones never."""
    monkeypatch.setattr("aura_vcs.sync.maintenance.gc.SMALL_PACKS", 4)
    remote = pushed(anna, 9)
    before = set(stored(remote).pieces)
    for _ in range(3):
        plan = plan_remote_gc(anna, remote, known(anna), grace_seconds=0)
        execute_remote_gc(anna, remote, known(anna), plan, single_writer=True)
    assert len(manifest(remote).packs) < 9
    assert not before & set(stored(remote).pieces)
    assert not set(map(record_name, before)) & remote.files.keys()
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean


def test_a_collection_stops_where_a_piece_is_missing(anna: Repository) -> None:
    remote = pushed(anna, 9)
    del remote.files[record_name(stored(remote).pieces[0])]
    with pytest.raises(RemoteCorrupt, match="nothing was deleted"):
        plan_remote_gc(anna, remote, known(anna), grace_seconds=0)


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_whoever_remembers_a_piece_repairs_it(anna: Repository, tmp_path: Path, damage: str) -> None:
    remote = pushed(anna, 9)
    name = record_name(stored(remote).pieces[0])
    if damage == "gone":
        del remote.files[name]
    else:
        data, token = remote.files[name]
        remote.files[name] = (data[:-1] + bytes([data[-1] ^ 1]), token)
    with pytest.raises(
        RemoteCorrupt, match=r"a piece of its list of packs .* aura repair|a piece of its list of packs"
    ):
        clone(tmp_path / "bert", "bert", remote)
    plan = plan_remote_repair(anna, remote, known(anna))
    assert [fault.file for fault in plan.faults] == [name]
    execute_remote_repair(anna, remote, known(anna), plan)
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "carl", "carl", remote)) == files(anna)


def test_a_lost_piece_is_a_finding_and_everything_else_is_checked(anna: Repository) -> None:
    """One finding names it with the versions it affects; damage in packs that are still listed is found as well."""
    remote = pushed(anna, 9)
    lost = stored(remote).pieces[-1]
    del remote.files[record_name(lost)]
    hurt = (
        stored(remote).packs[0].name if stored(remote).packs else manifest_of(remote, stored(remote).pieces[0])[0].name
    )
    data, token = remote.files[f"packs/{hurt}.pack"]
    remote.files[f"packs/{hurt}.pack"] = (data[:20] + bytes([data[20] ^ 1]) + data[21:], token)
    report = fsck_remote(load_snapshot(remote, NullCache(), None))
    found = {problem.what: problem for problem in report.problems}
    piece = found.pop(record_name(lost))
    assert piece.kind == "missing_piece"
    assert "it is missing" in piece.detail
    assert "affects v" in piece.detail
    assert "aura repair --to" in piece.detail
    assert "missing_object" not in {problem.kind for problem in report.problems}
    assert {problem.kind for problem in found.values()} == {"corrupt_object"}


def test_a_lost_piece_that_is_remembered_hides_nothing(anna: Repository) -> None:
    """What is remembered says where to look: all packs are read, and the piece alone is damage."""
    remote = pushed(anna, 9)
    lost = stored(remote).pieces[-1]
    del remote.files[record_name(lost)]
    report = fsck_remote(load_unremembered(anna, remote, known(anna)))
    assert [(problem.kind, problem.what) for problem in report.problems] == [("corrupt_piece", record_name(lost))]
    assert report.stored_bytes == sum(pack.size for pack in load_snapshot(remote, known(anna), None).manifest.packs)


def test_a_lost_piece_is_found_and_mended_on_every_kind_of_remote(
    anna: Repository, tmp_path: Path, remote: RemoteStorage
) -> None:
    """Where files are listed, read and swapped otherwise: the finding is the same, and so is what comes of it."""
    create_remote(remote, anna.format.project, anna.author)
    for number in range(9):
        save(anna, "brief.json", json.dumps({"take": number}))
        push(anna, remote, known(anna))
    lost = decode_manifest(remote.load(MANIFEST).data, "there").pieces[-1]
    remote.delete(record_name(lost))
    report = fsck_remote(load_snapshot(remote, NullCache(), None))
    assert [problem.what for problem in report.problems if problem.kind == "missing_piece"] == [record_name(lost)]
    known(anna).clear()
    execute_remote_repair(anna, remote, known(anna), plan_remote_repair(anna, remote, known(anna)))
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


@pytest.mark.parametrize("has_versions", [True, False])
def test_a_lost_piece_that_nobody_remembers_is_made_again_of_what_lies_there(
    anna: Repository, tmp_path: Path, has_versions: bool
) -> None:
    """Packs that are listed nowhere any more are found by looking; what is not there comes from here."""
    remote = pushed(anna, 9)
    lost = stored(remote).pieces[-1]
    inside = manifest_of(remote, lost)
    del remote.files[record_name(lost)]
    if has_versions:
        del remote.files[f"packs/{inside[0].name}.pack"]
    known(anna).clear()
    plan = plan_remote_repair(anna, remote, known(anna))
    assert record_name(lost) in [fault.file for fault in plan.faults]
    assert bool(plan.objects) is has_versions
    execute_remote_repair(anna, remote, known(anna), plan)
    assert lost not in stored(remote).pieces
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert files(clone(tmp_path / "carl", "carl", remote)) == files(anna)
    assert plan_remote_repair(anna, remote, known(anna)).is_intact
    save(anna, "brief.json", "{}")
    push(anna, remote, known(anna))
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean


@pytest.mark.parametrize("verb", ["list", "swap", "create"])
def test_a_repair_of_a_lost_piece_that_stops_is_gone_on_with(anna: Repository, verb: str) -> None:
    """Wherever it stops, the remote is as it was or repaired, and the next repair finishes."""
    remote = pushed(anna, 9)
    del remote.files[record_name(stored(remote).pieces[-1])]
    known(anna).clear()
    counting = RecordingRemote(remote)
    before = dict(remote.files)
    execute_remote_repair(anna, counting, known(anna), plan_remote_repair(anna, counting, known(anna)))
    calls = [number for number, (asked_for, _) in enumerate(asked(counting), 1) if asked_for == verb]
    for number in calls:
        remote.files = dict(before)
        known(anna).clear()
        faulty = FaultyRemote(remote, fail_at=[number])
        with pytest.raises(RemoteError):
            execute_remote_repair(anna, faulty, known(anna), plan_remote_repair(anna, faulty, known(anna)))
        execute_remote_repair(anna, remote, known(anna), plan_remote_repair(anna, remote, known(anna)))
        assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    assert calls or verb == "create"


def manifest_of(remote: MemoryRemote, piece: RecordInfo) -> tuple[PackInfo, ...]:
    """What a piece there lists."""
    return _listed(piece, remote.load(record_name(piece)).data)


# Hostile


def _hostile(change: Callable[[Manifest], tuple[Manifest, dict[str, bytes]]]) -> MemoryRemote:
    """A remote whose manifest has pieces, changed."""
    first, new = in_pieces(a_manifest(packs(8)), {}, ())
    remote = MemoryRemote()
    changed, other = change(first)
    for name, data in ({record_name(info): data for info, data in new.items()} | other).items():
        remote.files[name] = (data, "1")
    remote.files[MANIFEST] = (encode_manifest(changed), "1")
    return remote


def _piece(**said: object) -> Callable[[Manifest], tuple[Manifest, dict[str, bytes]]]:
    name, data = encode_records(**{"labels": (), **said})  # type: ignore[arg-type]
    info = RecordInfo(name, len(data))

    def change(found: Manifest) -> tuple[Manifest, dict[str, bytes]]:
        return msgspec.structs.replace(found, pieces=(info, *found.pieces)), {record_name(info): data}

    return change


HOSTILE: dict[str, Callable[[Manifest], tuple[Manifest, dict[str, bytes]]]] = {
    "other bytes": lambda found: (found, {record_name(found.pieces[0]): b"x" * found.pieces[0].size}),
    "a link to nowhere": lambda found: (msgspec.structs.replace(found, pieces=(RecordInfo("f" * 64, 9),)), {}),
    "another size": lambda found: (
        msgspec.structs.replace(found, pieces=(RecordInfo(found.pieces[0].name, 1), *found.pieces[1:])),
        {},
    ),
    "huge": lambda found: (found, {record_name(found.pieces[0]): bytes(100 << 20)}),
    "no packs": _piece(),
    "a pack twice": _piece(packs=packs(1)),
    "a pack of impossible size": _piece(packs=(PackInfo("e" * 64, 5, 100),)),
    "more packs than any": _piece(packs=packs(pieces.PIECE_LIMIT + 1, first=100)),
    "a bomb": _piece(packs=tuple(PackInfo("0" * 64, 5, 1) for _ in range(30_000))),
    "a footer larger than any": _piece(packs=(PackInfo("e" * 64, 1 << 40, 1 << 39),)),
    "more pieces than any": lambda found: (
        msgspec.structs.replace(
            found, pieces=tuple(RecordInfo(f"{number:064x}", 9) for number in range(manifests.PIECES_LIMIT + 1))
        ),
        {},
    ),
    "a name that leads out": _piece(packs=(PackInfo("../../manifest", 500, 100),)),
    "the piece twice": lambda found: (msgspec.structs.replace(found, pieces=(*found.pieces, found.pieces[0])), {}),
    "pieces without a word": lambda found: (msgspec.structs.replace(found, features=()), {}),
    "pieces of a project": lambda found: (
        msgspec.structs.replace(found, features=tuple(sorted((*found.features, PROJECT_FOLDER)))),
        {},
    ),
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_hostile_pieces_are_refused(what: str) -> None:
    remote = _hostile(HOSTILE[what])
    with pytest.raises(AuraError):
        _ = load_snapshot(remote, NullCache(), None).manifest


def test_hostile_pieces_are_refused_on_every_kind_of_remote(anna: Repository, remote: RemoteStorage) -> None:
    """Whatever is listed, and however it is fetched: nothing is believed, sent, or removed."""
    create_remote(remote, anna.format.project, anna.author)
    save(anna, "brief.json", "{}")
    first, new = in_pieces(msgspec.structs.replace(a_manifest(packs(8)), project=anna.format.project), {}, ())
    for info, data in new.items():
        remote.create(record_name(info), io.BytesIO(data))
    for number, (what, change) in enumerate(HOSTILE.items()):
        changed, other = change(first)
        if set(other) & set(map(record_name, new)):
            continue  # what is there already stays as it is
        for name, data in other.items():
            with suppress(FileExistsError):
                remote.create(name, io.BytesIO(data))
        changed = msgspec.structs.replace(changed, generation=number + 1)
        remote.swap(MANIFEST, data := encode_manifest(changed), remote.load(MANIFEST).token)
        for attempt in (
            lambda: push(anna, remote, known(anna)),
            lambda: fetch(anna, remote, known(anna)),
            lambda: plan_remote_gc(anna, remote, known(anna)),
        ):
            with pytest.raises(AuraError):
                attempt()
        assert remote.load(MANIFEST).data == data, what
        assert remote.list("packs") == [], what


NO_MANIFEST = {"the piece twice", "pieces without a word", "pieces of a project", "more pieces than any"}
"""Where the manifest itself is none: that is said at once."""


@pytest.mark.parametrize("what", sorted(HOSTILE.keys() - NO_MANIFEST))
def test_a_check_names_hostile_pieces(what: str) -> None:
    """Each is a finding of its own; none is taken for a part of the list."""
    report = fsck_remote(load_snapshot(_hostile(HOSTILE[what]), NullCache(), None))
    assert {problem.kind for problem in report.problems} & {"missing_piece", "corrupt_piece"}


def test_two_pieces_that_list_one_pack_are_told_apart() -> None:
    """The one that comes first is believed, the other is a finding: an order that everybody comes to."""
    first, new = in_pieces(a_manifest(packs(8)), {}, ())
    name, data = encode_records((), packs=packs(1))
    info = RecordInfo(name, len(data))
    remote = MemoryRemote()
    for piece, content in {**new, info: data}.items():
        remote.files[record_name(piece)] = (content, "1")
    remote.files[MANIFEST] = (encode_manifest(msgspec.structs.replace(first, pieces=(*first.pieces, info))), "1")
    found = load_snapshot(remote, NullCache(), None).without_lost_pieces()
    assert list(found.pieces.lost) == [info]
    assert found.manifest.packs == packs(8)


def test_what_is_remembered_here_is_not_believed_blindly(anna: Repository) -> None:
    """A piece that rotted in the cache is fetched again."""
    remote = pushed(anna, 9)
    cache = known(anna)
    _ = load_snapshot(remote, cache, None).manifest
    for info in stored(remote).pieces:
        cache.store("pieces", info.name, b"rotten")
    found = load_snapshot(remote, cache, None)
    assert isinstance(found, RemoteSnapshot)
    assert len(found.manifest.packs) == 9
