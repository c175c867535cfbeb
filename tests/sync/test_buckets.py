"""Remotes in buckets: real servers, one of which lies."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import HelperMissing, PushRejected, RemoteError, RemoteUnreachable, RemoteUnsafe
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes import probe
from aura_vcs.sync.remotes.add import AddRequest, add_remote
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import Address, parse_address

from .machines import clone, content, files, known, machine, save, write
from .servers import BUCKET, bucket_address
from .test_push_pull import media

pytestmark = pytest.mark.usefixtures("keys")


SERVERS = ["moto", "seaweed", "google", pytest.param("azurite", marks=pytest.mark.slow)]


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Address:
    """A place of its own in the bucket of the server that the parameter names."""
    if request.param == "seaweed":
        few_writers(monkeypatch)
    return bucket_address(request.param, request.getfixturevalue(request.param), tmp_path.name)


def few_writers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Race as few as can race: SeaweedFS lets everybody who lost wait for a second, one after the other."""
    monkeypatch.setattr(probe, "WRITERS", 2)
    monkeypatch.setattr(probe, "ROUNDS", 2)


@pytest.mark.slow
def test_a_bucket_is_raced_by_many(seaweed: str, tmp_path: Path) -> None:
    """What else is raced by two is safe for eight."""
    anna = filled(tmp_path / "anna")
    checked = add_remote(anna, "origin", bucket_address("seaweed", seaweed, tmp_path.name))
    assert checked.probe is not None
    assert checked.probe.is_safe


def filled(path: Path) -> Repository:
    """A project with media and a document."""
    repo = machine(path, "anna")
    write(repo, "take.wav", media(1_500_000))
    save(repo, "brief.json", '{"topic": "tides"}')
    return repo


@pytest.mark.parametrize("address", SERVERS, indirect=True)
def test_a_project_lives_in_a_bucket(address: Address, tmp_path: Path) -> None:
    """Add, push, clone, sync and pull; a small push takes at most 6 requests and lists nothing."""
    anna = filled(tmp_path / "anna")
    checked = add_remote(anna, "origin", address)
    assert checked.probe is not None
    assert checked.probe.is_safe
    remote = RecordingRemote(open_remote(address))
    push(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", remote)
    assert files(bert) == files(anna)
    save(bert, "brief.json", '{"topic": "moons"}')
    remote.requests.clear()
    push(bert, remote, known(bert))
    assert remote.count() <= 6
    assert "list" not in remote.by_verb()
    pull(anna, remote, known(anna))
    assert files(anna) == files(bert)
    remote.requests.clear()
    sync(anna, remote, known(anna))
    assert remote.count() <= 3


@pytest.mark.parametrize("address", SERVERS, indirect=True)
def test_racing_pushes_to_a_bucket(address: Address, tmp_path: Path) -> None:
    """Machines that push at once: exactly one wins, the others are told, and sync loses nothing."""
    anna = filled(tmp_path / "anna")
    add_remote(anna, "origin", address)
    remote = open_remote(address)
    push(anna, remote, known(anna))
    others = [clone(tmp_path / name, name, remote) for name in ("bert", "carl", "dora")]
    made = [save(repo, "brief.json", f'{{"topic": "{repo.author}"}}').id for repo in others]
    paths = [repo.root for repo in others]

    def race(path: str) -> bool:
        with Repository.open(path) as repo:
            try:
                push(repo, open_remote(address), known(repo))
            except PushRejected as error:
                return "aura sync" not in error.hint
            return True

    with ThreadPoolExecutor(3) as executor:
        assert list(executor.map(race, paths)).count(True) == 1
    for repo in others:
        repo.refresh()
        sync(repo, remote, known(repo))
    for repo in others:
        sync(repo, remote, known(repo))
        assert all(repo.refs.label(version) is not None for version in made)  # type: ignore[arg-type]


def test_a_liar_is_refused_and_taken_with_a_single_writer(rclone: str, tmp_path: Path) -> None:
    """rclone's `serve s3` heeds no condition: it is found out, without luck, and taken for one machine."""
    address = parse_address(f"s3://{BUCKET}/{tmp_path.name}?endpoint={rclone}")
    anna = filled(tmp_path / "anna")
    with pytest.raises(
        RemoteUnsafe, match=r"overwrite each other's work .*a state that it was not in any more"
    ) as caught:
        add_remote(anna, "origin", address)
    assert "--single-writer" in caught.value.hint
    assert remotes(anna) == {}
    checked = add_remote(anna, "origin", address, request=AddRequest(single_writer=True))
    assert checked.probe is not None
    assert not checked.probe.is_safe
    remote = open_remote(address, single_writer=True)
    push(anna, remote, known(anna))
    save(anna, "brief.json", '{"topic": "moons"}')
    push(anna, remote, known(anna))
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


def test_a_bucket_that_is_not_there_is_one_clear_error(moto: str, tmp_path: Path) -> None:
    """A wrong bucket or a dead endpoint is said in one line, without a request's headers."""
    anna = filled(tmp_path / "anna")
    with pytest.raises(RemoteError) as caught:
        add_remote(anna, "origin", parse_address(f"s3://no-such-bucket/x?endpoint={moto}"))
    assert "\n" not in caught.value.message
    assert remotes(anna) == {}


def test_without_obstore_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, the error says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(HelperMissing, match="not installed") as caught:
        open_remote(parse_address("s3://films/x"))
    assert "aura-vcs[buckets]" in caught.value.hint


@pytest.mark.slow
def test_a_dead_endpoint_is_unreachable(tmp_path: Path) -> None:
    """Nobody listens: unreachable, after the retries."""
    remote = open_remote(parse_address("s3://films/x?endpoint=http://127.0.0.1:9"))
    with pytest.raises(RemoteUnreachable):
        remote.inner.size("manifest.json")  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["moto", "google"], indirect=True)
def test_what_a_bucket_holds_is_offloaded_and_comes_back(address: Address, tmp_path: Path) -> None:
    """The proof takes few requests for each pack, and lists nothing; content comes when it is read."""
    anna = filled(tmp_path / "anna")
    first = save(anna, "notes.txt", "first")
    wanted = content(anna, first)
    save(anna, "take.wav", "gone")
    add_remote(anna, "origin", address)
    push(anna, open_remote(address), known(anna))
    remote = RecordingRemote(open_remote(address))
    witness = StorageProver("origin", remote, anna.format.project)
    plan = plan_offload(anna, [witness], select_files(anna, []), everything=True)
    packs = len(witness.snapshot.manifest.packs)
    assert remote.count() <= 2 + 3 * packs + 4
    assert "list" not in remote.by_verb()
    assert execute_offload(anna, plan).freed_bytes > 1_400_000
    assert fsck(anna).offloaded == 1
    enable_lazy_fetch(anna, lambda _: open_remote(address))
    assert content(anna, first) == wanted
