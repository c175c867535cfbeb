"""Repairing a remote in place: whatever is damaged there, it is whole afterwards, and nothing of it was deleted."""

import errno
import io
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError
from aura_vcs.history.versions import delete_version
from aura_vcs.ids import blob_id
from aura_vcs.layout import pack_path
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Kind
from aura_vcs.objects.base import PackLocation
from aura_vcs.objects.chunking import encode_chunk_list
from aura_vcs.objects.packs.folder_packs import write_packs
from aura_vcs.objects.packs.format import CODEC_RAW, TRAILER_BYTES, Frame, footer_length
from aura_vcs.objects.packs.writer import NewObject
from aura_vcs.progress import SILENT
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_remote import FaultyRemote, RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance.fsck import VerifyReport, fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.maintenance.repair_remote import RemoteRepairPlan, execute_remote_repair, plan_remote_repair
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import MANIFEST, Manifest, PackInfo, encode_manifest, pack_name, record_name
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import load_snapshot

from .conftest import remote_of
from .film import Film
from .kinds import KEYS
from .machines import clone, content, folder_remote, known, machine, manifest, save
from .test_push_pull import media

TAKE = media(1_300_000)
KINDS = ["memory", "folder", "encrypted", "pipe", "moto"]


@pytest.fixture(
    params=[*KINDS, pytest.param("ssh", marks=pytest.mark.slow), pytest.param("seaweed", marks=pytest.mark.slow)]
)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of every kind that can be written."""
    yield from remote_of(request, tmp_path)


class Scene:
    """Anna has four versions in two pushes on a remote; Bert cloned it before it was damaged."""

    def __init__(self, path: Path, remote: RemoteStorage) -> None:
        self.path, self.remote = path, remote
        self.anna = machine(path / "anna", "anna")
        create_remote(remote, self.anna.format.project, "anna")
        save(self.anna, "scenes/010.json", '{"index": 1}')
        self.versions = [save(self.anna, "take.wav", TAKE)]
        push(self.anna, remote, known(self.anna))
        self.versions.append(save(self.anna, "other.wav", media(1_200_000, seed=3)))
        self.versions.append(save(self.anna, "brief.json", '{"topic": "tides"}'))
        push(self.anna, remote, known(self.anna))

    def check(self) -> VerifyReport:
        """Look through the remote."""
        return fsck_remote(load_snapshot(self.remote, NullCache(), None))

    def repair(self, repo: Repository | None = None, remote: RemoteStorage | None = None) -> RemoteRepairPlan:
        """Repair the remote from a machine."""
        repo, remote = repo or self.anna, remote or self.remote
        return execute_remote_repair(repo, remote, known(repo), plan_remote_repair(repo, remote, known(repo)))

    def names(self) -> set[str]:
        """Every file there."""
        return {entry.name for folder in ("packs", "records") for entry in self.remote.list(folder)}

    def raw(self, name: str) -> tuple[RemoteStorage, str]:
        """The place that really holds a file, and the file's name in it."""
        if isinstance(self.remote, EncryptedRemote):
            return self.remote.inner, f"sealed/{KEYS.seal_name(name)}"
        return self.remote, name

    def put(self, name: str, data: bytes | None) -> None:
        """Replace a file there by damage, whatever the kind of remote; None takes it away."""
        remote, inner = self.raw(name)
        remote.delete(inner)
        if data is not None:
            _create_unchecked(remote, inner, io.BytesIO(data))
        if isinstance(self.remote, EncryptedRemote):
            self.remote._files.clear()

    def get(self, name: str) -> bytes:
        """The bytes of a file as they lie there."""
        remote, inner = self.raw(name)
        size = remote.size(inner)
        assert size is not None
        return remote.read_range(inner, 0, size)

    def clone(self, name: str = "eve") -> Repository:
        """A fresh copy."""
        number = len(list(self.path.iterdir()))
        return clone(self.path / f"{name}-{number}", name, self.remote)

    def assert_whole(self) -> None:
        """The remote is whole, and a fresh clone has every version."""
        report = self.check()
        assert report.is_clean, report.problems
        eve = self.clone()
        assert fsck(eve).is_clean
        for version in self.versions:
            assert content(eve, version) == content(self.anna, version)


def _create_unchecked(remote: RemoteStorage, name: str, source: object) -> None:
    """Put a file that no remote would take: `aura serve` hashes packs."""
    root = getattr(remote, "test_root", None)
    if root is None:
        remote.create(name, source)  # type: ignore[arg-type]
    else:
        Path(root, name).write_bytes(source.read())  # type: ignore[attr-defined]


@pytest.fixture
def scene(tmp_path: Path, remote: RemoteStorage, request: pytest.FixtureRequest) -> Scene:
    """On every kind."""
    if request.node.callspec.params.get("remote") in {"pipe", "ssh"}:
        remote.test_root = str(tmp_path / "remote")  # type: ignore[attr-defined]
    return Scene(tmp_path / "machines", remote)


@pytest.fixture
def plain(tmp_path: Path) -> Scene:
    """In memory only."""
    return Scene(tmp_path, MemoryRemote())


def flipped(data: bytes, at: int) -> bytes:
    """One bit is another."""
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def largest(scene: Scene) -> str:
    """The largest pack's file."""
    return pack_name(max(manifest(scene.remote).packs, key=lambda pack: pack.size))


def _each(change: Callable[[Scene, str], None]) -> Callable[[Scene], None]:
    def damage(scene: Scene) -> None:
        for pack in manifest(scene.remote).packs:
            change(scene, pack_name(pack))

    return damage


def _swap_files(scene: Scene) -> None:
    one, two = map(pack_name, sorted(manifest(scene.remote).packs, key=lambda pack: -pack.size)[:2])
    first, second = scene.get(one), scene.get(two)
    scene.put(one, second)
    scene.put(two, first)


def _records(change: Callable[[bytes], bytes | None]) -> Callable[[Scene], None]:
    def damage(scene: Scene) -> None:
        for info in manifest(scene.remote).records:
            scene.put(record_name(info), change(scene.get(record_name(info))))

    return damage


DAMAGE: dict[str, Callable[[Scene], None]] = {
    "a pack is gone": lambda s: s.put(largest(s), None),
    "a pack is cut off": lambda s: s.put(largest(s), s.get(largest(s))[: len(s.get(largest(s))) // 2]),
    "a byte of a frame": lambda s: s.put(largest(s), flipped(s.get(largest(s)), len(s.get(largest(s))) // 2)),
    "a byte of the footer": lambda s: s.put(largest(s), flipped(s.get(largest(s)), len(s.get(largest(s))) - 20)),
    "the first byte": lambda s: s.put(largest(s), flipped(s.get(largest(s)), 0)),
    "a pack is longer": lambda s: s.put(largest(s), s.get(largest(s)) + b"more"),
    "two packs are swapped": _swap_files,
    "every pack is gone": _each(lambda s, name: s.put(name, None)),
    "every pack is empty": _each(lambda s, name: s.put(name, b"")),
    "a byte of every pack": _each(lambda s, name: s.put(name, flipped(s.get(name), len(s.get(name)) // 3))),
    "records are gone": _records(lambda _: None),
    "records are damaged": _records(lambda data: flipped(data, len(data) // 2)),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_remote_is_whole_after_a_repair(scene: Scene, how: str) -> None:
    """Whatever rotted; a fresh clone has every version, and nothing was deleted at once."""
    DAMAGE[how](scene)
    there, before = scene.names(), manifest(scene.remote)
    assert not scene.check().is_clean
    done = scene.repair()
    assert done.lost == ()
    assert done.unlabelled == ()
    assert there <= scene.names()
    after = manifest(scene.remote)
    _assert_condemned(before, after)
    scene.assert_whole()
    assert scene.repair().is_intact
    assert manifest(scene.remote) == after


def _assert_condemned(before: Manifest, after: Manifest) -> None:
    """What is no longer listed has left for good, and nothing that was kept has."""
    gone = {*map(pack_name, before.packs), *map(record_name, before.records)}
    gone -= {*map(pack_name, after.packs), *map(record_name, after.records)}
    assert gone
    assert gone <= {name for name, item in after.leaving.items() if item.final}
    assert after.generation == before.generation + 1


@pytest.mark.parametrize("how", ["a byte of every pack", "every pack is gone", "records are damaged"])
def test_stopped_at_every_request_it_is_as_before_or_repaired(tmp_path: Path, how: str) -> None:
    """Whether a request fails or its answer is lost: going on repairs it, and what had arrived is not sent again."""
    scene = Scene(tmp_path, MemoryRemote())
    DAMAGE[how](scene)
    damaged = dict(scene.remote.files)  # type: ignore[attr-defined]
    counting = RecordingRemote(scene.remote)
    scene.repair(remote=counting)
    for at in range(1, counting.count() + 1):
        for mode in ("fail_at", "lose_at"):
            known(scene.anna).clear()
            scene.remote.files = dict(damaged)  # type: ignore[attr-defined]
            with suppress(RemoteError):
                scene.repair(remote=FaultyRemote(scene.remote, **{mode: [at]}))  # type: ignore[arg-type]
            assert damaged.keys() <= scene.names() | {MANIFEST}
            if scene.remote.load(MANIFEST).data != damaged[MANIFEST][0]:
                assert scene.check().is_clean
            arrived = {name for name in scene.names() if name.startswith("packs/")}
            going_on = RecordingRemote(scene.remote)
            scene.repair(remote=going_on)
            sent = {r.name for r in going_on.requests if r.verb == "create"}
            assert not sent & arrived
            assert scene.check().is_clean
            assert len([name for name in scene.names() if name.startswith("packs/")]) <= _packs_after(counting, damaged)
    scene.assert_whole()


def _packs_after(counting: RecordingRemote, before: Collection[str]) -> int:
    """How many packs are there after an undisturbed repair."""
    created = {request.name for request in counting.requests if request.verb == "create"}
    return sum(name.startswith("packs/") for name in created | set(before))


class _Between:
    """Does something once, right before a request of that kind."""

    def __init__(self, inner: RemoteStorage, verb: str, action: Callable[[], object]) -> None:
        self._inner, self._verb, self._action = inner, verb, action
        self.location = inner.location

    def __getattr__(self, name: str) -> object:
        if name == self._verb and self._action is not None:
            action, self._action = self._action, None  # type: ignore[assignment]
            action()
        return getattr(self._inner, name)


@pytest.mark.parametrize("verb", ["create", "read_range", "swap"])
def test_a_push_in_the_middle_is_not_lost(plain: Scene, verb: str) -> None:
    """The repair looks again: what was pushed meanwhile is there afterwards, and whole."""
    bert = plain.clone("bert")
    DAMAGE["a byte of every pack"](plain)
    made = save(bert, "brief.json", '{"topic": "moons"}')
    between = _Between(plain.remote, verb, lambda: push(bert, plain.remote, known(bert)))
    assert plain.repair(remote=between).lost == ()  # type: ignore[arg-type]
    plain.assert_whole()
    assert content(plain.clone(), made) == content(bert, made)
    assert manifest(plain.remote).machines.keys() == {plain.anna.replica, bert.replica}


@pytest.mark.parametrize("verb", ["create", "swap"])
def test_a_repair_in_the_middle_of_a_push_makes_it_look_again(plain: Scene, verb: str) -> None:
    """What the push counted on in the damaged pack is in the new one."""
    bert = plain.clone("bert")
    DAMAGE["a byte of every pack"](plain)
    made = save(bert, "copy/take.wav", TAKE)
    push(bert, _Between(plain.remote, verb, plain.repair), known(bert))  # type: ignore[arg-type]
    plain.assert_whole()
    assert content(plain.clone(), made) == content(bert, made)


@pytest.mark.parametrize("verb", ["create", "swap"])
def test_of_two_repairs_at_once_the_second_finds_nothing_to_do(plain: Scene, verb: str) -> None:
    """Its swap loses, and what it sent is not listed."""
    bert = plain.clone("bert")
    DAMAGE["a byte of every pack"](plain)
    done = plain.repair(bert, _Between(plain.remote, verb, plain.repair))  # type: ignore[arg-type]
    assert done.is_intact
    plain.assert_whole()


def test_a_remote_that_moves_all_the_time_is_given_up(plain: Scene) -> None:
    """After some attempts it is said; the remote is as the others left it."""
    DAMAGE["a byte of every pack"](plain)

    class Moving(RecordingRemote):
        def swap(self, name: str, data: bytes, token: str | None) -> str:
            raise RefMoved(name, "there", "elsewhere")

    with pytest.raises(RefMoved):
        plain.repair(remote=Moving(plain.remote))
    plain.repair()
    plain.assert_whole()


def test_what_is_only_there_is_written_anew_from_there(plain: Scene) -> None:
    """A machine without any content of its own saves what is sound in a damaged pack, and names what is not."""
    eve = machine(plain.path / "empty", "eve", manifest(plain.remote).project)
    name = largest(plain)
    pack = next(p for p in manifest(plain.remote).packs if pack_name(p) == name)
    footer = load_snapshot(plain.remote, NullCache(), None).footer(pack)
    plain.put(name, flipped(plain.get(name), footer.frames[0].offset + 5))
    done = plain.repair(eve)
    assert done.needs.send == {}
    assert done.lost
    assert done.packs == ()
    assert pack in manifest(plain.remote).packs
    bad = {problem.what for problem in plain.check().problems}
    assert bad == {loss.object_id for loss in done.lost}
    again = plain.repair(eve)
    assert again.does_nothing
    assert {loss.versions for loss in done.lost} <= {("v2",), ("v2", "v3", "v4"), ("v3", "v4"), ("v4",)}
    plain.repair()
    plain.assert_whole()


def test_swapped_packs_are_told_by_what_they_hold(plain: Scene) -> None:
    """A machine without any content, and without their footers, saves both from each other's place."""
    eve = machine(plain.path / "empty", "eve", manifest(plain.remote).project)
    DAMAGE["two packs are swapped"](plain)
    done = plain.repair(eve)
    assert done.lost == ()
    assert len(done.packs) == 2
    plain.assert_whole()


def test_what_can_be_had_is_repaired_although_something_is_lost(plain: Scene) -> None:
    """One object that nobody has keeps its pack listed; all others are found in the new one by a clone of the rest."""
    eve, before = plain.clone(), manifest(plain.remote).packs
    _wipe_everything(plain)
    lost = next(place for place in _chunks(eve) if _frame(eve, place).codec == CODEC_RAW)
    path = Path(eve.root, ".aura/objects/packs", f"{lost.pack}.pack")
    path.write_bytes(flipped(path.read_bytes(), _frame(eve, lost).offset + lost.offset))
    eve.store.close()
    done = plain.repair(eve)
    assert {loss.versions for loss in done.lost} in ({("v2", "v3", "v4")}, {("v3", "v4")})
    after = manifest(plain.remote).packs
    kept = [pack for pack in before if pack in after]
    assert len(kept) == 1
    assert after[-1] == kept[0]
    assert not plain.repair().lost
    plain.assert_whole()


def _frame(repo: Repository, place: PackLocation) -> Frame:
    return repo.store.packs.footer(place.pack).frames[place.frame]


def _wipe_everything(scene: Scene) -> None:
    """Of every pack only the footer is left."""
    for pack in manifest(scene.remote).packs:
        scene.put(pack_name(pack), bytes(pack.size - pack.footer) + scene.get(pack_name(pack))[-pack.footer :])


def _chunks(repo: Repository) -> Iterator[PackLocation]:
    for name in repo.store.packs.names():
        for item in repo.store.pack_objects(name):
            if item.kind is Kind.CHUNK and item.location is not None:
                yield item.location


def test_versions_that_only_live_there_are_saved(plain: Scene) -> None:
    """A pack that others pushed into and that is damaged elsewhere: what is sound comes from it, the rest from here."""
    bert = plain.clone("bert")
    theirs = save(bert, "bert.wav", media(1_250_000, seed=9))
    push(bert, plain.remote, known(bert))
    for pack in manifest(plain.remote).packs:
        footer = load_snapshot(plain.remote, NullCache(), None).footer(pack)
        if not any(content_id == theirs.id for content_id in footer.ids()):
            plain.put(pack_name(pack), flipped(plain.get(pack_name(pack)), pack.size // 2))
    pack = next(p for p in manifest(plain.remote).packs if _holds(plain, p, theirs.id))
    plain.put(pack_name(pack), plain.get(pack_name(pack)) + b"!")  # too long, and every object in it is sound
    assert plain.repair().lost == ()
    plain.assert_whole()
    assert content(plain.clone(), theirs) == content(bert, theirs)


def _holds(scene: Scene, pack: PackInfo, object_id: str) -> bool:
    return object_id in load_snapshot(scene.remote, NullCache(), None).footer(pack).ids()


def test_a_machine_with_caches_believes_the_new_state(plain: Scene) -> None:
    """A machine that knew the old packs' footers fetches, checks and collects as before."""
    bert = plain.clone("bert")
    save(bert, "brief.json", "{}")
    push(bert, plain.remote, known(bert))
    sync(plain.anna, plain.remote, known(plain.anna))
    DAMAGE["a byte of every pack"](plain)
    plain.repair()
    made = save(plain.anna, "plan.json", "{}")
    sync(plain.anna, plain.remote, known(plain.anna))
    sync(bert, plain.remote, known(bert))
    assert content(bert, made) == content(plain.anna, made)
    assert plain.check().is_clean
    plan = plan_remote_gc(bert, plain.remote, known(bert), grace_seconds=0)
    execute_remote_gc(bert, plain.remote, known(bert), plan)
    assert {name for name in plain.names() if name.startswith("packs/")} == {
        pack_name(pack) for pack in manifest(plain.remote).packs
    }
    plain.assert_whole()
    sync(bert, plain.remote, known(bert))


def test_a_deleted_version_that_was_collected_is_not_missed(plain: Scene) -> None:
    """What nobody needs any more does not keep a damaged pack, and is not reported."""
    delete_version(plain.anna, plain.versions[0])
    push(plain.anna, plain.remote, known(plain.anna))
    DAMAGE["a byte of every pack"](plain)
    assert plain.repair(plain.anna).lost == ()
    assert plain.check().is_clean


def test_labels_that_nobody_has_keep_their_record(plain: Scene) -> None:
    """A machine that never saw the labels says so and leaves the records; the packs are repaired all the same."""
    DAMAGE["records are damaged"](plain)
    DAMAGE["a pack is longer"](plain)
    eve = machine(plain.path / "empty", "eve", manifest(plain.remote).project)
    done = plain.repair(eve)
    assert done.unlabelled
    assert done.records == ()
    assert done.packs
    assert manifest(plain.remote).records
    plain.repair()
    plain.assert_whole()


def test_labels_come_from_what_is_remembered_here(plain: Scene) -> None:
    """What others did to labels, and this project has only seen there, is in the new record."""
    bert = plain.clone("bert")
    delete_version(bert, plain.versions[0])
    push(bert, plain.remote, known(bert))
    fetch(plain.anna, plain.remote, known(plain.anna))
    wanted = load_snapshot(plain.remote, NullCache(), None).labels()
    DAMAGE["records are gone"](plain)
    assert plain.repair().unlabelled == ()
    assert load_snapshot(plain.remote, NullCache(), None).labels() == wanted


def test_a_damaged_manifest_is_out_of_reach(scene: Scene) -> None:
    """Nothing else says what is there: it is said what can be done, and nothing is changed."""
    data = scene.get(MANIFEST)
    scene.put(MANIFEST, data[: len(data) // 2])
    with pytest.raises(RemoteCorrupt) as raised:
        scene.repair()
    assert "backup" in str(raised.value.hint)
    scene.put(MANIFEST, None)
    with pytest.raises(RemoteError) as gone:
        scene.repair()
    assert "backup" in str(gone.value.hint)
    scene.put(MANIFEST, data)
    assert scene.repair().is_intact


@pytest.mark.parametrize("where", [0.2, 0.5, 0.8])
def test_offloaded_content_is_fetched_after_a_repair_from_elsewhere(tmp_path: Path, where: float) -> None:
    """A machine that offloaded to the damaged pack gets its content back; itself it can only save what is sound."""
    film = Film(tmp_path, MemoryRemote())
    remote = film.remotes["origin"]
    whole = clone(tmp_path / "whole", "eve", remote)
    film.offload()
    for pack in manifest(remote).packs:
        data, token = remote.files[pack_name(pack)]  # type: ignore[attr-defined]
        remote.files[pack_name(pack)] = flipped(data, int(len(data) * where)), token  # type: ignore[attr-defined]
    own = plan_remote_repair(film.repo, remote, known(film.repo))
    execute_remote_repair(film.repo, remote, known(film.repo), own)
    assert all(loss.offloaded for loss in own.lost)
    done = execute_remote_repair(whole, remote, known(whole), plan_remote_repair(whole, remote, known(whole)))
    assert done.lost == ()
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).is_clean
    film.assert_readable()


def test_a_list_of_parts_that_is_wrong_is_repaired(plain: Scene) -> None:
    """A list has no hash of its own: one that leads to other content is damage, wherever the byte flips."""
    for pack in manifest(plain.remote).packs:
        footer = load_snapshot(plain.remote, NullCache(), None).footer(pack)
        good = plain.get(pack_name(pack))
        for number in {entry.frame for entry in footer.chunked()}:
            frame = footer.frames[number]
            for at in range(frame.offset, frame.offset + frame.stored_length, max(1, frame.stored_length // 4)):
                state = dict(plain.remote.files)  # type: ignore[attr-defined]
                plain.put(pack_name(pack), flipped(good, at))
                assert plain.repair().lost == ()
                plain.assert_whole()
                known(plain.anna).clear()
                plain.remote.files = state  # type: ignore[attr-defined]


class _BadSectors(io.BytesIO):
    """A file of which the disk can read nothing from the middle on."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self.tell() > len(self.getvalue()) // 2:
            raise OSError(errno.EIO, "Input/output error")
        return data


def test_bad_sectors_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the disk of a folder remote cannot read is found, and sent anew."""
    remote = folder_remote(tmp_path / "nas")
    scene = Scene(tmp_path / "machines", remote)
    bad, opened = largest(scene), FolderRemote._open

    def open_badly(self: FolderRemote, name: str) -> BinaryIO:
        if name != bad:
            return opened(self, name)
        with opened(self, name) as file:
            return _BadSectors(file.read())

    monkeypatch.setattr(FolderRemote, "_open", open_badly)
    assert not scene.check().is_clean
    assert [pack_name(pack) for pack in scene.repair().packs] == [bad]
    scene.assert_whole()


def test_a_list_that_leads_nowhere_is_replaced(plain: Scene) -> None:
    """A list whose parts nobody has is damage where the content is had otherwise, and nobody meets it afterwards."""
    before = manifest(plain.remote)
    view = load_snapshot(plain.remote, NullCache(), None)
    found = next(e for pack in before.packs for e in view.footer(pack).chunked())
    room = LocalStorage(str(plain.path / "room"))
    wrong = NewObject(found.id, Kind.BLOB, encode_chunk_list([(blob_id(b"nowhere"), 7)]), chunked=True)
    (name,) = write_packs(room, [[wrong]], SILENT, unique_names=False)
    data = room.read(pack_path(name))
    footer = footer_length(data[-TRAILER_BYTES:], len(data), name) + TRAILER_BYTES
    plain.put(pack_name(name), data)
    packs = (PackInfo(name, len(data), footer), *before.packs)
    listed = msgspec.structs.replace(before, packs=packs, generation=before.generation + 1, previous=view.digest)
    plain.remote.swap(MANIFEST, encode_manifest(listed), view.token)
    assert not plain.check().is_clean
    done = plain.repair()
    assert [pack.name for pack in done.packs] == [name]
    assert done.lost == ()
    plain.assert_whole()


def test_a_push_that_meets_damage_says_how_to_repair_it(plain: Scene) -> None:
    """Whoever needs the footer of a pack that is gone or cut off learns which pack it is and what to do."""
    eve = machine(plain.path / "empty", "eve", manifest(plain.remote).project)
    save(eve, "mine.txt", "mine")
    for how in ("a pack is cut off", "a pack is gone"):
        name = largest(plain)
        DAMAGE[how](plain)
        with pytest.raises(RemoteCorrupt, match=name[len("packs/") :][:12]) as raised:
            push(eve, plain.remote, known(eve), keep_both=True)
        assert "aura repair --to NAME" in str(raised.value.hint)
