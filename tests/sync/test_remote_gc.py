"""Collecting garbage on a remote, beside machines that push, fetch, are offline, or stop in the middle."""

import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import PlanStale
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteRewound, RemoteUnsafe
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteEntry, RemoteStorage
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.maintenance import gc as collecting
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import RemoteCollected, RemoteGcPlan, execute_remote_gc, plan_remote_gc
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import MANIFEST, encode_manifest
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import load_snapshot

from .conftest import remote_of
from .film import Film
from .machines import clone, content, known, machine, manifest, save
from .test_push_pull import media

TAKE = media(1_300_000)


@pytest.fixture(
    params=[
        "memory",
        "folder",
        "retrying over faults",
        "encrypted over faults",
        "pipe",
        "moto",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("ssh", "seaweed", "google", "azurite")),
    ]
)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of every kind."""
    yield from remote_of(request, tmp_path)


class Scene:
    """A project with a precious take in its second version, pushed; the take is gone in the third."""

    def __init__(self, path: Path, remote: RemoteStorage | None = None) -> None:
        self.path = path
        self.remote = remote if remote is not None else MemoryRemote()
        self.anna = machine(path / "anna", "anna")
        create_remote(self.remote, self.anna.format.project, "anna")
        save(self.anna, "brief.json", "{}")
        self.with_take = save(self.anna, "take.wav", TAKE)
        (path / "anna/take.wav").unlink()
        self.without = save(self.anna, "plan.json", "{}")
        self.push(self.anna)

    def push(self, repo: Repository) -> None:
        """Send everything that the machine has."""
        push(repo, self.remote, known(repo))

    def purge(self) -> None:
        """Anna purges the take and says so."""
        purge_version(self.anna, self.with_take, "not cleared")
        self.push(self.anna)

    def collect(self, repo: Repository | None = None, *, grace: float = 0.0) -> tuple[RemoteGcPlan, RemoteCollected]:
        """Plan and execute."""
        repo = repo or self.anna
        plan = plan_remote_gc(repo, self.remote, known(repo), grace_seconds=grace)
        return plan, execute_remote_gc(repo, self.remote, known(repo), plan)

    def stored(self) -> int:
        """Bytes of all files there."""
        return sum(entry.size for folder in ("packs", "records") for entry in self.remote.list(folder))

    def check(self, *versions: VersionRecord) -> None:
        """Everything is intact there, and a new clone has the versions' files."""
        problems = fsck_remote(load_snapshot(self.remote, NullCache(), None)).problems
        assert problems == ()
        self.path.joinpath("clones").mkdir(exist_ok=True)
        number = len(list(self.path.joinpath("clones").iterdir()))
        copy = clone(self.path / "clones" / str(number), "eve", self.remote)
        for version in versions:
            assert content(copy, version) == content(self.anna, version)


def test_purged_content_leaves_every_kind_of_remote(tmp_path: Path, remote: RemoteStorage) -> None:
    """The pack with it is written anew and the old one goes; what others hold stays; again is nothing to do."""
    scene = Scene(tmp_path, remote)
    scene.purge()
    before = scene.stored()
    plan, done = scene.collect()
    assert plan.bytes > len(TAKE) * 0.9
    assert done.freed_bytes > len(TAKE) * 0.9
    assert scene.stored() < before - len(TAKE) * 0.9
    scene.check(scene.without)
    again, _ = scene.collect()
    assert again.is_empty, again
    save(scene.anna, "plan.json", '{"more": 1}')
    scene.push(scene.anna)
    scene.check(scene.without)


def test_nothing_goes_within_the_grace_time(tmp_path: Path) -> None:
    """What was purged a moment ago is kept: undo may want it back."""
    scene = Scene(tmp_path)
    scene.purge()
    plan, done = scene.collect(grace=3600)
    assert plan.shrinks == ()
    assert done.removed_files == 0


def test_what_is_condemned_waits_until_the_other_machines_have_seen_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a grace period, a condemned pack stays until everybody who pushes there has looked, or the time is over."""
    scene = Scene(tmp_path)
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    save(bert, "brief.json", '{"by": "bert"}')
    scene.push(bert)
    fetch(scene.anna, scene.remote, known(scene.anna))
    scene.purge()
    before = scene.stored()
    monkeypatch.setattr(collecting, "_ago", lambda seconds: "9999" if seconds == 60 else "2000")
    plan, done = scene.collect(grace=60)  # the purge is older than the grace period
    assert plan.shrinks
    assert done.removed_files == 0
    assert scene.stored() > before - len(TAKE) // 2
    monkeypatch.setattr(collecting, "_ago", lambda _: "2000")  # nothing that was condemned is old
    plan, done = scene.collect(grace=60)
    assert plan.waiting
    assert plan.waiting_for == ("bert",)
    assert done.removed_files == 0
    sync(bert, scene.remote, known(bert))
    plan, done = scene.collect(grace=60)
    assert plan.to_delete
    assert done.freed_bytes > len(TAKE) * 0.9
    scene.check(scene.without)


def test_an_upload_under_way_is_not_garbage(tmp_path: Path) -> None:
    """A file that nobody lists is noted first; listed meanwhile, it is forgotten about."""
    scene = Scene(tmp_path)
    late = save(scene.anna, "late.bin", b"late" * 1000)
    cut = FaultyRemote(scene.remote, fail_at=range(5, 20))
    with pytest.raises(RemoteError):
        push(scene.anna, cut, known(scene.anna))
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    unlisted = {e.name for e in scene.remote.list("packs")} - {f"packs/{p.name}.pack" for p in _packs(scene)}
    plan, done = scene.collect(bert, grace=3600)
    assert {entry.name for entry in plan.noted} >= unlisted
    assert done.removed_files == 0
    scene.push(scene.anna)
    assert not manifest(scene.remote).leaving.keys() & unlisted
    scene.check(late)


def test_what_was_given_up_goes_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads that nobody came back for, records that were joined with others, and probes do not stay for ever."""
    scene = Scene(tmp_path)
    for take in range(6):
        save(scene.anna, "plan.json", f'{{"take": {take}}}')
        scene.push(scene.anna)
    for name in (f"packs/{'a' * 64}.pack", f"records/{'b' * 64}", f"probe/{'c' * 32}"):
        scene.remote.create(name, io.BytesIO(b"given up"))
    scene.collect(grace=3600)
    assert scene.remote.size(f"packs/{'a' * 64}.pack") is not None
    monkeypatch.setattr(collecting, "_ago", lambda _: "9999")
    for _ in range(3):
        scene.collect(grace=3600)
    names = {e.name for folder in ("packs", "records", "probe") for e in scene.remote.list(folder)}
    now = manifest(scene.remote)
    assert names == {*(f"packs/{p.name}.pack" for p in now.packs), *(f"records/{r.name}" for r in now.records)}
    assert now.leaving == {}
    monkeypatch.undo()
    scene.check(scene.without)


def test_a_push_that_began_before_looks_again(tmp_path: Path) -> None:
    """A machine that is uploading while the remote is collected, without any grace, loses nothing."""
    scene = Scene(tmp_path)
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    made = save(bert, "take.wav", TAKE)
    scene.purge()
    verbs = ("create", "read_range", "swap")
    for verb in verbs:
        remote = _Between(scene.remote, verb, scene.collect)
        sync(bert, remote, known(bert))
        made = save(bert, "plan.json", f'{{"verb": "{verb}"}}')
    scene.push(bert)
    fetch(scene.anna, scene.remote, known(scene.anna))
    scene.check(made)


def test_a_machine_that_was_offline_sends_again_what_it_needs(tmp_path: Path) -> None:
    """Bert used the purged take offline: his push brings it back, under a name that was never spent."""
    scene = Scene(tmp_path)
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    made = save(bert, "copy.wav", TAKE)
    scene.purge()
    scene.collect()
    spent = manifest(scene.remote).gone.keys()
    assert spent
    sync(bert, scene.remote, known(bert))
    now = manifest(scene.remote)
    assert not now.gone.keys() & {f"packs/{p.name}.pack" for p in now.packs}
    fetch(scene.anna, scene.remote, known(scene.anna))
    scene.check(made)


def test_what_was_offloaded_is_still_to_be_had_from_what_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remote has the only copy, and it is condemned: the machine that has not looked yet still gets it."""
    remote = MemoryRemote()
    film = Film(tmp_path, remote)
    film.offload()
    scene = Scene.__new__(Scene)
    scene.path, scene.remote = tmp_path, remote
    scene.anna = clone(tmp_path / "carl", "carl", remote)
    oldest = Queries(scene.anna.index).versions_numbered(1)[0]
    purge_version(scene.anna, oldest, "not cleared")
    scene.push(scene.anna)
    monkeypatch.setattr(collecting, "_ago", lambda seconds: "9999" if seconds == 60 else "2000")
    plan, done = scene.collect(grace=60)
    assert plan.shrinks
    assert done.removed_files == 0
    film.assert_readable()


def test_a_name_that_is_spent_is_never_listed_again(tmp_path: Path) -> None:
    """A whole pack whose name was condemned travels under another name: a late deletion hits nothing."""
    scene = Scene(tmp_path)
    packs = {pack.name for pack in _packs(scene)}
    empty = msgspec.structs.replace(
        manifest(scene.remote), packs=(), records=(), branches={}, generation=100, features=("leaving",)
    )
    gone = {f"packs/{name}.pack": "2026-11-23T08:00:00.000000Z" for name in packs}
    other = MemoryRemote()
    other.swap(MANIFEST, encode_manifest(msgspec.structs.replace(empty, gone=gone)), None)
    known(scene.anna).clear()
    push(scene.anna, other, known(scene.anna))
    now = manifest(other)
    assert now.packs
    assert not {pack.name for pack in now.packs} & packs
    assert fsck_remote(load_snapshot(other, NullCache(), None)).is_clean


def test_a_fetch_that_began_before_looks_again(tmp_path: Path) -> None:
    """A machine that was about to fetch a pack that was just written anew fetches the new one."""
    scene = Scene(tmp_path)
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    save(scene.anna, "more.wav", media(1_200_000))
    doomed = scene.anna.head().version
    assert doomed is not None
    scene.push(scene.anna)
    scene.purge()
    remote = _Between(scene.remote, "read_range", scene.collect)
    fetch(bert, remote, known(bert))
    assert content(bert, scene.without) == content(scene.anna, scene.without)


def test_many_small_packs_are_gathered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote of a thousand small pushes is written into few packs, which a clone then fetches."""
    scene = Scene(tmp_path)
    monkeypatch.setattr(collecting, "SMALL_PACKS", 4)
    last = scene.without
    for take in range(8):
        last = save(scene.anna, "plan.json", f'{{"take": {take}}}')
        scene.push(scene.anna)
    assert len(_packs(scene)) > 8
    scene.collect()
    assert len(_packs(scene)) <= 3
    scene.check(last)
    again, _ = scene.collect()
    assert again.is_empty


@pytest.mark.parametrize(
    "listing",
    [lambda _: [], lambda found: found[1:], lambda found: [RemoteEntry(e.name, e.size + 1) for e in found]],
    ids=["empty", "partial", "other sizes"],
)
def test_a_listing_that_looks_wrong_changes_nothing(tmp_path: Path, listing: object) -> None:
    """A remote that does not show what its manifest lists is left alone."""
    scene = Scene(tmp_path)
    scene.purge()
    before = dict(scene.remote.files)
    liar = FaultyRemote(scene.remote, listing=listing)  # type: ignore[arg-type]
    with pytest.raises(RemoteCorrupt, match="nothing was deleted"):
        plan_remote_gc(scene.anna, liar, known(scene.anna), grace_seconds=0)
    assert scene.remote.files == before


def test_a_state_from_the_past_changes_nothing(tmp_path: Path) -> None:
    """Refs that went back, or fewer versions than were seen: refused, nothing changed."""
    scene = Scene(tmp_path)
    old = scene.remote.load(MANIFEST).data
    save(scene.anna, "plan.json", '{"more": 1}')
    scene.push(scene.anna)
    token = scene.remote.load(MANIFEST).token
    good = scene.remote.load(MANIFEST).data
    scene.remote.swap(MANIFEST, old, token)
    with pytest.raises(RemoteRewound):
        plan_remote_gc(scene.anna, scene.remote, known(scene.anna), grace_seconds=0)
    scene.remote.swap(MANIFEST, good, scene.remote.load(MANIFEST).token)
    forged = msgspec.structs.replace(
        manifest(scene.remote), generation=50, records=manifest(scene.remote).records[:0], branches={}, tags={}
    )
    fewer = MemoryRemote()
    fewer.files = dict(scene.remote.files)
    scene.anna.refresh()
    fewer.swap(MANIFEST, encode_manifest(forged), fewer.load(MANIFEST).token)
    with pytest.raises(RemoteRewound):
        plan_remote_gc(scene.anna, fewer, known(scene.anna), grace_seconds=0)


def test_unreadable_trees_change_nothing(tmp_path: Path) -> None:
    """Where it cannot be told what is in use, nothing is condemned."""
    scene = Scene(tmp_path)
    scene.purge()
    before = dict(scene.remote.files)
    reading = FaultyRemote(
        scene.remote, reading=lambda name, data: bytes(len(data)) if name.startswith("packs") else data
    )
    fresh = clone(tmp_path / "eve", "eve", scene.remote)
    known(fresh).clear()
    for pack in fresh.store.packs.names():
        fresh.store.packs.delete(pack)
    with pytest.raises(AuraError):
        plan_remote_gc(fresh, reading, known(fresh), grace_seconds=0)
    assert scene.remote.files == before


def test_a_remote_that_lies_about_conditions_is_refused(tmp_path: Path) -> None:
    """Without compare-and-swap, a push beside the collection could list what goes: refused."""
    scene = Scene(tmp_path)
    scene.purge()
    plan = plan_remote_gc(scene.anna, scene.remote, known(scene.anna), grace_seconds=0)
    liar = _Liar(scene.remote)
    with pytest.raises(RemoteUnsafe):
        execute_remote_gc(scene.anna, liar, known(scene.anna), plan)
    scene.check(scene.without)


def test_a_plan_that_is_stale_deletes_nothing(tmp_path: Path) -> None:
    """Somebody pushed since the plan was shown: the plan is not executed."""
    scene = Scene(tmp_path)
    scene.purge()
    plan = plan_remote_gc(scene.anna, scene.remote, known(scene.anna), grace_seconds=0)
    bert = clone(tmp_path / "bert", "bert", scene.remote)
    save(bert, "brief.json", '{"by": "bert"}')
    scene.push(bert)
    with pytest.raises(PlanStale):
        execute_remote_gc(scene.anna, scene.remote, known(scene.anna), plan)
    scene.check(scene.without)


def test_deleted_versions_come_back_within_the_grace_time(tmp_path: Path) -> None:
    """A deleted version's content stays on the remote until the grace is over, then goes."""
    scene = Scene(tmp_path)
    delete_version(scene.anna, scene.with_take)
    scene.push(scene.anna)
    assert scene.collect(grace=3600)[0].shrinks == ()
    _, done = scene.collect(grace=0)
    assert done.freed_bytes > len(TAKE) * 0.9
    scene.check(scene.without)


def _sweep(tmp_path: Path, kind: str, step: int) -> None:
    counted = Scene(tmp_path / "counted")
    counted.purge()
    counting = FaultyRemote(counted.remote)
    counted.remote = counting  # type: ignore[assignment]
    counted.collect()
    scene = Scene(tmp_path / "scene")
    scene.purge()
    state = dict(scene.remote.files)
    for number in range(1, counting.calls + 1, step):
        scene.remote.files = dict(state)
        known(scene.anna).clear()
        good = scene.remote
        scene.remote = FaultyRemote(good, **{kind: [number]})  # type: ignore[assignment]
        try:
            scene.collect()
        except RemoteError:
            assert number > 0
        scene.remote = good
        assert fsck_remote(load_snapshot(good, NullCache(), None)).is_clean, f"{kind} {number}"
        for _ in range(2):
            scene.collect()
        assert scene.stored() < len(TAKE) // 2, f"{kind} {number}"
        scene.check(scene.without)


@pytest.mark.parametrize("kind", ["fail_at", "lose_at"])
def test_cut_off_here_and_there(tmp_path: Path, kind: str) -> None:
    """After a cut the remote is whole, and the next collections finish the work."""
    _sweep(tmp_path, kind, step=9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fail_at", "lose_at"])
def test_cut_off_at_every_request(tmp_path: Path, kind: str) -> None:
    """The same for every request of a collection."""
    _sweep(tmp_path, kind, step=1)


def _packs(scene: Scene) -> tuple[object, ...]:
    return manifest(scene.remote).packs


class _Between(FaultyRemote):
    """Lets something happen once, before the first request of a kind."""

    def __init__(self, inner: RemoteStorage, verb: str, action: object) -> None:
        super().__init__(inner)
        self._verb = {"read_range": "read"}.get(verb, verb)
        self._action = action

    def _run(self, verb, name, request, *values):  # type: ignore[no-untyped-def]
        action, waits = self._action, verb == self._verb and not name.startswith("probe")
        if waits and action is not None:
            self._action = None
            action()
        return super()._run(verb, name, request, *values)


class _Liar(FaultyRemote):
    """Overwrites whatever the condition, as rclone's `serve s3` does."""

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """Never refuses."""
        try:
            token = self.inner.load(name).token
        except FileNotFoundError:
            token = None
        return self.inner.swap(name, data, token)
