"""A project's folder as a remote: what is committed goes both ways, and nobody's files are touched."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
from aura_vcs.errors import AuraError
from aura_vcs.errors.remotes import PushRejected, RemoteDenied, RemoteError, RemoteMismatch
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.layout import EXCHANGE
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.sync.clone import clone
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import plan_remote_gc
from aura_vcs.sync.merge_heads import merge_heads
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.project_remote import ProjectRemote, open_project
from aura_vcs.sync.pull import pull, sync, take_pushed
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.add import AddRequest, add_remote
from aura_vcs.sync.remotes.connect import Surroundings, open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.ssh_server import serve_folder
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from .kinds import served
from .machines import OPENED, files, known, machine, save, write
from .test_push_pull import media

HERE = Surroundings(open_project=open_project)


def _opened(path: Path) -> Repository:
    repo = Repository.open(str(path))
    OPENED.append(repo)
    return repo


class Desk:
    """Mira's film, and Ben's clone of its folder; nothing else."""

    def __init__(self, path: Path) -> None:
        self.film = path / "film"
        self.remotes: list[ProjectRemote] = []
        mira = machine(self.film, "mira")
        write(mira, "take.wav", media(1_100_000))
        save(mira, "brief.json", '{"topic": "tides"}')
        mira.close()
        address = parse_address(str(self.film))
        remote = open_remote(address, surroundings=HERE)
        clone(remote, address, str(path / "ben"), author="ben", host="ben")
        remote.close()
        self.ben = _opened(path / "ben")

    def remote(self) -> ProjectRemote:
        """The folder of the film, as Ben has it as his `origin`."""
        self.remotes.append(open_project(str(self.film), "film"))
        return self.remotes[-1]

    def mira(self) -> Repository:
        """The film, as Mira has it."""
        return _opened(self.film)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two people, two folders."""
    made = Desk(tmp_path)
    yield made
    for remote in made.remotes:
        remote.close()


def test_what_is_committed_goes_both_ways(desk: Desk) -> None:
    """A push touches no file there; status tells whoever sits there, and pull takes it, their unsaved work kept."""
    mira = desk.mira()
    write(mira, "notes.txt", "unsaved")
    before = files(mira)
    theirs = save(desk.ben, "voice.json", '{"rate": 0.9}')
    remote = desk.remote()
    push(desk.ben, remote, known(desk.ben))
    mira.refresh()
    assert files(mira) == before
    assert status(mira).behind == theirs.id
    taken = take_pushed(mira)
    assert taken.head.version == theirs.id
    assert files(mira) == before | {"voice.json": b'{"rate": 0.9}'}
    assert [change.path for change in status(mira).changes] == ["notes.txt"]
    ours = save(mira, "plan.json", "{}")
    assert pull(desk.ben, remote, known(desk.ben)).head.version == ours.id
    assert files(desk.ben)["notes.txt"] == b"unsaved"  # a commit takes everything
    assert sync(desk.ben, remote, known(desk.ben)).pushed.is_empty
    undo(mira)
    for repo in (mira, desk.ben):
        assert fsck(repo).problems == ()
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).problems == ()


def test_only_what_is_committed_travels(desk: Desk, tmp_path: Path) -> None:
    """A clone of a folder with unsaved work has none of it, and the folder stays as it is."""
    write(desk.mira(), "secret.txt", "not yet")
    before = files(desk.mira())
    address = parse_address(str(desk.film))
    remote = open_remote(address, surroundings=HERE)
    clone(remote, address, str(tmp_path / "other"))
    remote.close()
    assert not (tmp_path / "other/secret.txt").exists()
    assert files(desk.mira()) == before


def test_moved_apart_is_refused_and_a_sync_merges(desk: Desk) -> None:
    """As with any remote: the push moves nothing, the sync brings both together, and one history is on both sides."""
    mira = desk.mira()
    save(mira, "mira.txt", "m")
    save(desk.ben, "ben.txt", "b")
    remote = desk.remote()
    with pytest.raises(PushRejected):
        push(desk.ben, remote, known(desk.ben))
    sync(desk.ben, remote, known(desk.ben), merge=partial(merge_heads, policy="clean"))
    mira.refresh()
    take_pushed(mira)
    assert files(mira) == files(desk.ben)
    assert mira.head().version == desk.ben.head().version


def test_two_that_push_at_once_lose_nothing(desk: Desk, tmp_path: Path) -> None:
    """The second finds the manifest moved, looks again, and goes on."""
    address = parse_address(str(desk.film))
    first = desk.remote()
    clone(first, address, str(tmp_path / "eva"), author="eva", host="eva")
    eva = _opened(tmp_path / "eva")
    save(desk.ben, "ben.txt", "b")
    save(eva, "eva.txt", "e")
    stale = first.load("manifest.json")
    push(desk.ben, first, known(desk.ben))
    with pytest.raises(AuraError):
        first.swap("manifest.json", stale.data, stale.token)
    sync(eva, first, known(eva), merge=partial(merge_heads, policy="clean"))
    mira = desk.mira()
    take_pushed(mira)
    assert {"ben.txt", "eva.txt"} <= files(mira).keys()


def test_media_lie_once(desk: Desk) -> None:
    """Packs of the project are read where they are; what arrived is dropped when the project has it."""
    write(desk.ben, "more.wav", media(1_200_000, 2))
    save(desk.ben, "brief.json", '{"topic": "moons"}')
    remote = desk.remote()
    push(desk.ben, remote, known(desk.ben))
    remote.load("manifest.json")
    folder = Path(desk.film, ".aura", EXCHANGE)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 100_000


def test_it_goes_on_after_gc(desk: Desk) -> None:
    """Packs that were written anew are listed anew; what Ben needs is still there."""
    mira = desk.mira()
    for number in range(4):
        save(mira, "brief.json", f'{{"topic": "{number}"}}')
    remote = desk.remote()
    pull(desk.ben, remote, known(desk.ben))
    execute_gc(mira, plan_gc(mira, grace_seconds=0))
    last = save(mira, "brief.json", '{"topic": "last"}')
    assert pull(desk.ben, remote, known(desk.ben)).head.version == last.id
    assert fsck_remote(load_snapshot(remote, NullCache(), None)).problems == ()


def test_what_is_damaged_on_its_way_is_refused(desk: Desk) -> None:
    """A pack that does not hash, a manifest that names what is not there: nothing is taken, and nothing moves."""
    save(desk.ben, "voice.json", '{"rate": 0.9}')
    remote = desk.remote()
    before = remote.load("manifest.json")
    real = remote.create

    def damaged(name: str, source: io.BufferedIOBase, **options: object) -> int:
        source.seek(0)
        data = bytearray(source.read())
        if name.startswith("packs/"):
            data[len(data) // 3] ^= 255
        return real(name, io.BytesIO(bytes(data)), **options)  # type: ignore[arg-type]

    remote.create = damaged  # type: ignore[method-assign, assignment]
    with pytest.raises(RemoteError):
        push(desk.ben, remote, known(desk.ben))
    mira = desk.mira()
    assert status(mira).behind is None
    assert fsck(mira).problems == ()
    for data in (b"{}", b"no json", before.data.replace(b'"format": 1', b'"format": 9')):
        with pytest.raises(RemoteError):
            remote.swap("manifest.json", data, before.token)
    assert remote.load("manifest.json").token == before.token


def test_another_project_is_refused_before_anything_is_written(desk: Desk, tmp_path: Path) -> None:
    """A settings file can name any folder of this machine."""
    other = machine(tmp_path / "other", "mira")
    save(other, "brief.json", "{}")
    with pytest.raises(RemoteMismatch):
        add_remote(desk.ben, "x", parse_address(other.root), request=AddRequest(surroundings=HERE))
    with pytest.raises(RemoteMismatch):
        add_remote(desk.ben, "x", parse_address(desk.ben.root), request=AddRequest(surroundings=HERE))
    assert not Path(other.root, ".aura", EXCHANGE).exists()
    assert (
        add_remote(desk.ben, "mira", parse_address(str(desk.film)), request=AddRequest(surroundings=HERE)).probe
        is not None
    )


def test_a_project_keeps_nothing_for_others(desk: Desk) -> None:
    """Its gc decides about its content: nobody offloads to it, collects it or encrypts it from elsewhere."""
    remote = desk.remote()
    with pytest.raises(RemoteMismatch, match="project's own folder"):
        StorageProver("origin", remote, desk.ben.format.project)
    with pytest.raises(RemoteMismatch, match="project's own folder"):
        plan_remote_gc(desk.ben, remote, known(desk.ben))
    with pytest.raises(RemoteMismatch):
        remote.create("encryption.json", io.BytesIO(b"{}"))
    pack = next(entry.name for entry in remote.list("packs"))
    with pytest.raises(RemoteDenied):
        remote.delete(pack)


def test_over_ssh_it_is_the_same(desk: Desk) -> None:
    """`aura serve`, which ssh runs, serves a project's folder too; without what opens projects, it refuses."""
    theirs = save(desk.ben, "voice.json", '{"rate": 0.9}')
    remote = served(desk.film)
    push(desk.ben, remote, known(desk.ben))
    mira = desk.mira()
    assert status(mira).behind == theirs.id
    ours = save(mira, "plan.json", "{}")
    assert ours.id in sync(desk.ben, remote, known(desk.ben)).pulled.fetched.plan.versions
    remote.close()
    with pytest.raises(RemoteMismatch):
        serve_folder(str(desk.film), io.BytesIO(), io.BytesIO())


def test_stopped_at_any_call_nothing_is_lost(desk: Desk, tmp_path: Path) -> None:
    """Whoever takes what was pushed dies: the next push goes on, and the project is whole."""
    save(desk.ben, "voice.json", '{"rate": 0.9}')
    shutil.copytree(desk.film, tmp_path / "template")
    counting = CountingCalls()

    def play(calls: CountingCalls) -> None:
        repo = Repository(str(desk.film), calls=calls)
        remote = ProjectRemote(repo, "film")
        try:
            push(desk.ben, remote, known(desk.ben))
        finally:
            remote.close()

    shutil.copytree(desk.ben.root, tmp_path / "ben-template")
    play(counting)
    for at in range(1, len(counting.names) + 1, max(1, len(counting.names) // 6)):
        shutil.rmtree(desk.film)
        shutil.copytree(tmp_path / "template", desk.film)
        known(desk.ben).clear()
        with suppress(Stopped, AuraError):
            play(FaultyCalls(Fault.STOP, at))
        remote = desk.remote()
        push(desk.ben, remote, known(desk.ben))
        with Repository.open(str(desk.film)) as mira:
            assert status(mira).behind == desk.ben.head().version, at
            assert fsck(mira).problems == (), at


@pytest.mark.parametrize("room", ["local", "local/tmp", "local/exchange"])
def test_what_is_committed_is_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    """A clone, and later what is new; nothing can be sent there until it can be written to, nothing is left behind."""
    film = tmp_path / "film"
    with Repository.init(str(film), author="Mira") as mira:
        write(mira, "take.wav", media(1_100_000))
        save(mira, "brief.json", '{"topic": "tides"}')
    place = film / ".aura" / room
    place.mkdir(exist_ok=True)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place and real(path, mode))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    address = parse_address(str(film))
    with closing(open_remote(address, surroundings=HERE)) as remote:
        clone(remote, address, str(tmp_path / "ben"), author="ben", host="ben")
    assert not list((film / ".aura" / EXCHANGE).rglob("*"))
    ben = _opened(tmp_path / "ben")
    assert files(ben)["brief.json"] == b'{"topic": "tides"}'
    monkeypatch.setattr(os, "access", real)
    with Repository.open(str(film)) as mira:
        newer = save(mira, "plan.json", "{}")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != place and real(path, mode))
    with closing(open_remote(address, surroundings=HERE)) as remote:
        assert pull(ben, remote, known(ben)).head.version == newer.id
        save(ben, "voice.json", "{}")
        with pytest.raises(RemoteDenied, match="can only be read"):
            push(ben, remote, known(ben))
    monkeypatch.setattr(os, "access", real)
    with closing(open_remote(address, surroundings=HERE)) as remote:
        push(ben, remote, known(ben))
    assert not list(scratch.iterdir())
    with Repository.open(str(film)) as mira:
        assert status(mira).behind == ben.head().version
