"""Looking through a remote for damage, and repairing a project from one."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.index.records import VersionRecord
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Kind
from aura_vcs.objects.packs.format import CODEC_RAW
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.sync.maintenance.fsck import VerifyReport, fsck_remote
from aura_vcs.sync.maintenance.repair_local import Repaired, execute_repair, plan_repair
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import pack_name, record_name
from aura_vcs.sync.state.snapshot import load_snapshot

from .film import Film, stored
from .kinds import MAKERS
from .machines import OPENED, Unsynced, clone, content, folder_remote, known, machine, manifest, save
from .test_push_pull import media

TAKE = media(1_300_000)


class Scene:
    """A project with media, trees and documents in two versions, pushed to a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repo = machine(path / "anna", "anna")
        self.remote = folder_remote(path / "nas", self.repo)
        save(self.repo, "scenes/010.json", '{"index": 1}')
        self.first = save(self.repo, "brief.json", '{"topic": "tides"}')
        self.last = save(self.repo, "take.wav", TAKE)
        push(self.repo, self.remote, known(self.repo))

    def check(self, **options: object) -> VerifyReport:
        """Look through the remote."""
        return fsck_remote(load_snapshot(self.remote, NullCache(), None), **options)  # type: ignore[arg-type]

    def repair(self) -> Repaired:
        """Repair the project from the remote."""
        return execute_repair(self.repo, known(self.repo), plan_repair(self.repo, self.remote))

    def store(self) -> list[Path]:
        """The files with objects."""
        return sorted(p for p in Path(self.repo.root, ".aura/objects").rglob("*") if p.is_file())

    def reopen(self) -> None:
        """As the next command finds it."""
        self.repo.close()
        self.repo = Repository.open(str(self.path / "anna"), author="anna", host="anna", calls=Unsynced())
        OPENED.append(self.repo)

    def assert_whole(self, *versions: VersionRecord) -> None:
        """Everything is here, and the versions have their files."""
        assert fsck(self.repo).is_clean, fsck(self.repo).problems
        for version in versions or (self.first, self.last):
            assert content(self.repo, version)["brief.json"] == b'{"topic": "tides"}'


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A fresh one."""
    return Scene(tmp_path)


def flip(path: Path, at: int) -> None:
    """Damage one byte; objects are read-only for nobody."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


@pytest.mark.parametrize("kind", ["memory", "folder", "retrying over faults", "encrypted"])
def test_a_whole_remote_is_whole(tmp_path: Path, kind: str) -> None:
    """On every kind, all of it or a share of it is read, and nothing is found."""
    remote: RemoteStorage = MAKERS[kind](tmp_path)
    scene = Scene(tmp_path / "x")
    from aura_vcs.sync.state.manifest_update import create_remote

    create_remote(remote, scene.repo.format.project, "anna")
    known(scene.repo).clear()
    push(scene.repo, remote, known(scene.repo))
    scene.remote = remote  # type: ignore[assignment]
    report = scene.check()
    assert report.is_clean
    assert report.versions == 3
    footers = sum(pack.footer for pack in manifest(remote).packs)
    assert report.read_bytes >= report.stored_bytes - footers - 64
    shares = [scene.check(sample=0.05, chance=random.Random(seed)) for seed in range(4)]
    assert all(part.is_clean and part.read_bytes > 0 for part in shares)
    assert min(part.read_bytes for part in shares) < report.read_bytes


def test_a_missing_pack_is_named_with_the_versions(scene: Scene) -> None:
    """Nothing that was in it is found, and the versions that need it are told, whatever share is read."""
    largest = max(manifest(scene.remote).packs, key=lambda pack: pack.size)
    scene.remote.delete(pack_name(largest))
    report = scene.check(sample=0.01, chance=random.Random(1))
    assert {"missing_file", "corrupt_pack", "missing_object"} <= {problem.kind for problem in report.problems}
    assert any("affects" in p.detail and "v3" in p.detail for p in report.problems if p.kind == "missing_object")


def test_a_missing_record_and_a_cut_pack_are_named(scene: Scene) -> None:
    """Labels that cannot be read, and a pack that is too short."""
    record = manifest(scene.remote).records[0]
    scene.remote.delete(record_name(record))
    path = Path(scene.remote.root, pack_name(manifest(scene.remote).packs[0]))
    path.write_bytes(path.read_bytes()[:-10])
    kinds = {problem.kind for problem in scene.check().problems}
    assert {"missing_file", "corrupt_record", "corrupt_file", "corrupt_pack"} <= kinds


def test_every_flipped_byte_of_content_is_found(scene: Scene) -> None:
    """Wherever in a pack a byte flips, the full check finds it and says which version it is."""
    for pack in manifest(scene.remote).packs:
        path = Path(scene.remote.root, pack_name(pack))
        for at in range(20, pack.size, max(1, pack.size // 12)):
            flip(path, at)
            report = scene.check()
            assert not report.is_clean, f"{pack.name[:8]} byte {at}"
            flip(path, at)
    assert scene.check().is_clean


def test_samples_find_what_spreads(scene: Scene) -> None:
    """Looking at a tenth often enough finds damage in one place."""
    largest = max(manifest(scene.remote).packs, key=lambda pack: pack.size)
    flip(Path(scene.remote.root, pack_name(largest)), largest.size // 2)
    chance = random.Random(5)
    found = [scene.check(sample=0.3, chance=chance).is_clean for _ in range(30)]
    assert not all(found)


def damage(scene: Scene, how: str) -> None:
    """Harm every file of objects in one way."""
    for path in scene.store():
        if how == "delete":
            path.unlink()
        elif how == "flip":
            flip(path, path.stat().st_size // 3)
        elif how == "truncate":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        elif how == "footer":
            flip(path, path.stat().st_size - 5)
        else:
            path.write_bytes(b"")
    scene.reopen()


@pytest.mark.parametrize("how", ["delete", "flip", "truncate", "footer", "empty"])
def test_a_project_whose_every_file_is_damaged_is_repaired(scene: Scene, how: str) -> None:
    """Everything comes back from the remote; what was damaged is set aside as it was."""
    before = {path.name for path in scene.store()}
    damage(scene, how)
    harmed = {path.name: path.read_bytes() for path in scene.store()}
    assert harmed.keys() <= before
    done = scene.repair()
    assert done.lost == {}
    aside = {p.name: p.read_bytes() for p in Path(scene.repo.root, ".aura/local/damaged").rglob("*") if p.is_file()}
    assert aside == harmed
    scene.reopen()
    scene.assert_whole()
    assert scene.repair() == Repaired(0, (), {})


@pytest.mark.parametrize("kind", [Kind.VERSION, Kind.TREE, Kind.BLOB, Kind.CHUNK])
def test_one_damaged_object_is_fetched_and_the_rest_of_its_pack_kept(scene: Scene, kind: Kind) -> None:
    """Only what is damaged travels; what only lived in the damaged pack is saved into a new one."""
    alone = save(scene.repo, "later.bin", random.Random(2).randbytes(900_000))  # never pushed
    harmed = _flip_one(scene, kind)
    scene.reopen()
    assert not fsck(scene.repo).is_clean, harmed
    plan = plan_repair(scene.repo, scene.remote)
    assert plan.to_fetch
    assert len(plan.to_fetch) < 100
    execute_repair(scene.repo, known(scene.repo), plan)
    scene.reopen()
    scene.assert_whole(scene.first, scene.last, alone)


def _flip_one(scene: Scene, kind: Kind) -> str:
    """Flip a byte of an object of that kind that the remote has, in a pack."""
    store = scene.repo.store
    there = load_snapshot(scene.remote, NullCache(), None).table(scene.repo)
    for name in store.packs.names():
        footer = store.packs.footer(name)
        for entry in footer.entries:
            if entry.kind is kind and not entry.chunked and entry.id in there:
                frame = footer.frames[entry.frame]
                at = frame.offset + (entry.offset if frame.codec == CODEC_RAW else frame.stored_length // 2)
                flip(Path(scene.repo.root, ".aura/objects/packs", f"{name}.pack"), at)
                return entry.id
    raise AssertionError(f"no {kind} is in a pack")


def test_what_cannot_be_had_is_named_with_its_versions(scene: Scene) -> None:
    """An object that the remote never got stays lost, and is said to be; the rest is repaired."""
    alone = save(scene.repo, "later.bin", random.Random(2).randbytes(900_000))
    damage(scene, "delete")
    done = scene.repair()
    assert done.lost
    assert all(names == (f"v{alone.number}",) for names in done.lost.values())
    scene.reopen()
    for version in (scene.first, scene.last):
        assert content(scene.repo, version)["brief.json"] == b'{"topic": "tides"}'


def test_a_remote_that_sends_damage_puts_nothing_wrong_in_place(scene: Scene) -> None:
    """What comes is hashed before it is put in place; all of it is lost, and the damage is kept aside."""
    damage(scene, "flip")
    harmed = {path.name: path.read_bytes() for path in scene.store()}
    plan = plan_repair(scene.repo, scene.remote)
    plan.snapshot.remote = FaultyRemote(scene.remote, reading=lambda _, data: bytes(len(data)))
    done = execute_repair(scene.repo, known(scene.repo), plan)
    assert done.lost.keys() == set(plan.to_fetch)
    assert done.fetched_objects == 0
    aside = {p.name: p.read_bytes() for p in Path(scene.repo.root, ".aura/local/damaged").rglob("*") if p.is_file()}
    assert aside == harmed


def test_a_remote_with_damage_of_its_own_gives_the_rest(scene: Scene) -> None:
    """One damaged pack there does not keep the others' objects away; what is lost has its versions named."""
    largest = max(manifest(scene.remote).packs, key=lambda pack: pack.size)
    flip(Path(scene.remote.root, pack_name(largest)), largest.size // 2)
    damage(scene, "delete")
    done = scene.repair()
    assert done.fetched_objects > 0
    assert set(done.lost.values()) == {("v3",)}
    scene.reopen()
    assert content(scene.repo, scene.first)["brief.json"] == b'{"topic": "tides"}'


def test_a_connection_that_goes_leaves_what_was_there(scene: Scene) -> None:
    """A repair that was cut off is finished by the next one."""
    damage(scene, "flip")
    plan = plan_repair(scene.repo, scene.remote)
    plan.snapshot.remote = FaultyRemote(scene.remote, fail_at=range(1, 100))
    with pytest.raises(RemoteError):
        execute_repair(scene.repo, known(scene.repo), plan)
    assert scene.repair().lost == {}
    scene.reopen()
    scene.assert_whole()


def test_a_list_of_chunks_that_is_another_is_damage(scene: Scene) -> None:
    """A list has no hash of its own: wherever a byte of its frame flips, the blob is whole after a repair."""
    store = scene.repo.store
    place = next(
        p for n in store.packs.names() for p in [item.location for item in store.pack_objects(n)] if p and p.chunked
    )
    frame = store.packs.footer(place.pack).frames[place.frame]
    path = Path(scene.repo.root, ".aura/objects/packs", f"{place.pack}.pack")
    good = path.read_bytes()
    for at in range(frame.offset, frame.offset + frame.stored_length, frame.stored_length // 5):
        path.write_bytes(good)
        flip(path, at)
        scene.reopen()
        scene.repair()
        scene.reopen()
        scene.assert_whole()
        for other in scene.store():
            if other != path:
                other.unlink()
        path.write_bytes(good)
        scene.repo.rebuild_index()
        scene.repair()


@pytest.mark.parametrize("eighth", [1, 3, 4, 6])
def test_what_is_offloaded_is_not_repaired(tmp_path: Path, eighth: int) -> None:
    """Content that is gone on purpose stays gone; what is damaged beside it comes, also lists of chunks."""
    film = Film(tmp_path)
    film.offload()
    before = stored(film.repo)
    for path in sorted(Path(film.repo.root, ".aura/objects").rglob("*")):
        if path.is_file():
            flip(path, path.stat().st_size * eighth // 8)
    film.repo.close()
    film.repo = Repository.open(str(tmp_path / "anna"), author="anna", host="anna", calls=Unsynced())
    OPENED.append(film.repo)
    plan = plan_repair(film.repo, film.remotes["origin"])
    assert plan.lost == {}
    assert execute_repair(film.repo, known(film.repo), plan).lost == {}
    film.repo.close()
    film.repo = Repository.open(str(tmp_path / "anna"), author="anna", host="anna", calls=Unsynced())
    OPENED.append(film.repo)
    assert stored(film.repo) < before * 1.2
    assert fsck(film.repo).is_clean, fsck(film.repo).problems


def test_a_project_next_to_others_is_repaired_too(scene: Scene) -> None:
    """Second names of damaged files do not bring the damage back."""
    other = clone(scene.path / "bert", "bert", scene.remote)
    for folder in ("operations", "refs/replicas"):
        for name in other.storage.list(folder):
            scene.repo.storage.put(f"{folder}/{name}", other.storage.read(f"{folder}/{name}"))
    scene.reopen()
    scene.repo.refresh()
    damage(scene, "flip")
    scene.repair()
    scene.reopen()
    scene.assert_whole()
    scene.reopen()
    scene.assert_whole()


def _stopped_at(scene: Scene, at: int, calls: Callable[[], CountingCalls]) -> None:
    made = calls()
    repo = Repository.open(scene.repo.root, author="anna", host="anna", calls=made)
    if isinstance(made, FaultyCalls):
        made.arm(at)
    try:
        execute_repair(repo, known(repo), plan_repair(repo, scene.remote))
    except Stopped:
        assert at > 0
    finally:
        repo.close()


def _sweep(tmp_path: Path, step: int) -> None:
    counting = CountingCalls(Unsynced())
    counted = Scene(tmp_path / "counted")
    damage(counted, "flip")
    _stopped_at(counted, 0, lambda: counting)
    for at in range(1, len(counting.names) + 1, step):
        scene = Scene(tmp_path / f"at-{at}")
        damage(scene, "flip")
        scene.repo.close()
        _stopped_at(scene, at, lambda: FaultyCalls(Fault.STOP, 10**9, Unsynced()))
        scene.reopen()
        assert scene.repair().lost == {}
        scene.reopen()
        scene.assert_whole()


def test_stopped_here_and_there_a_second_repair_finishes(tmp_path: Path) -> None:
    """A repair that dies leaves nothing worse than it was; the next one completes it."""
    _sweep(tmp_path, step=17)


@pytest.mark.slow
def test_stopped_at_every_call_a_second_repair_finishes(tmp_path: Path) -> None:
    """The same at every call that changes the disk."""
    _sweep(tmp_path, step=1)
