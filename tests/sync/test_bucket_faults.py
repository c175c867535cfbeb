"""Buckets over lines that break and behind servers that stop: nothing is lost, nothing is half there."""

import io
import random
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors import Interrupted
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes import bucket as remote_bucket
from aura_vcs.storage.remotes.bucket import PART_BYTES, BucketRemote, BucketRequest, open_bucket
from aura_vcs.storage.remotes.retry import RetryingRemote
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.add import add_remote
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.state.snapshot import load_snapshot

from .faulty_proxy import FaultyLine, faulty_line
from .kinds import KEYS
from .machines import clone, files, known, machine, save, write
from .servers import BUCKET, Seaweed
from .test_buckets import few_writers
from .test_push_pull import media

pytestmark = pytest.mark.usefixtures("keys")
CUTS = [200, None, 30_000, 400_000, None, 5, 700_000, 100, 1_000_000, None, 60_000]
"""Where connections are cut: in the head, in the middle of a body, near its end."""


def patient(line: FaultyLine, path: Path) -> RetryingRemote:
    """A bucket behind the line, tried again without waiting long."""
    address = parse_address(f"s3://{BUCKET}/{path.name}?endpoint={line.endpoint}")
    bucket = open_bucket(BucketRequest("s3", BUCKET, address.path, address.parameters, address.text))
    return RetryingRemote(bucket, pauses_seconds=[0.01] * 20)


def filled(path: Path) -> Repository:
    """A project with media."""
    repo = machine(path, "anna")
    write(repo, "take.wav", media(1_500_000))
    save(repo, "brief.json", '{"topic": "tides"}')
    return repo


@pytest.mark.parametrize("encrypted", [False, True], ids=["open", "encrypted"])
def test_connections_that_are_cut_in_the_middle(moto: str, tmp_path: Path, encrypted: bool) -> None:
    """Push and clone come through, whatever was cut on the way there or back; all of it is whole."""
    anna = filled(tmp_path / "anna")
    with faulty_line(moto) as line:
        remote = patient(line, tmp_path)
        if encrypted:
            remote = EncryptedRemote(remote, KEYS)  # type: ignore[assignment]
        create_remote(remote, anna.format.project, "anna")
        line.cut_up += CUTS
        line.cut_down += CUTS[1:]
        push(anna, remote, known(anna))
        line.cut_down += CUTS
        bert = clone(tmp_path / "bert", "bert", remote)
        assert files(bert) == files(anna)
        assert fsck_remote(load_snapshot(remote, NullCache(), anna.format.project)).problems == ()
        assert line.cuts > 0


def test_a_volume_server_that_stops_and_comes_back(
    weed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push meets a stopped server and is finished later; what was there before is there after."""
    few_writers(monkeypatch)
    address = parse_address(f"s3://{BUCKET}/{tmp_path.name}?endpoint={weed.endpoint}")
    anna = filled(tmp_path / "anna")
    assert add_remote(anna, "origin", address).probe is not None
    push(anna, open_remote(address), known(anna))
    write(anna, "second.wav", media(1_200_000))
    save(anna, "brief.json", '{"topic": "moons"}')
    weed.stop_volume()
    with ThreadPoolExecutor(1) as executor:
        pushing = executor.submit(push, anna, open_remote(address), known(anna))
        weed.start_volume()
        try:
            pushing.result()
        except RemoteError:
            push(anna, open_remote(address), known(anna))
    remote = open_remote(address)
    assert fsck_remote(load_snapshot(remote, NullCache(), anna.format.project)).problems == ()
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)


MIB = 1 << 20
NAME = f"packs/{'e' * 64}.pack"


def bucket(endpoint: str, path: Path) -> BucketRemote:
    """A bucket, without anything around it."""
    return open_bucket(BucketRequest("s3", BUCKET, path.name, {"endpoint": endpoint}, "bucket"))


def unfinished(endpoint: str) -> bytes:
    """What the server says of uploads that were begun."""
    with urllib.request.urlopen(f"{endpoint}/{BUCKET}?uploads", timeout=30) as answer:
        return bytes(answer.read())


class Reading(io.BytesIO):
    """Notes how much is read at once."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.most = 0

    def read(self, size: int | None = -1) -> bytes:
        """As it is asked for."""
        data = super().read(size)
        self.most = max(self.most, len(data))
        return data


def test_a_pack_that_takes_longer_than_any_request_may(
    moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow line a whole pack takes longer than a server may be silent: it goes, and comes back, in parts."""
    stall_seconds = 2.5
    monkeypatch.setattr(remote_bucket, "STALL_SECONDS", stall_seconds)
    data = random.Random(1).randbytes(48 * MIB)
    with faulty_line(moto) as line:
        remote = bucket(line.endpoint, tmp_path)
        line.rate_up = 16 * MIB
        assert len(data) / line.rate_up > stall_seconds
        source = Reading(data)
        remote.create(NAME, source)
        assert line.passed_up < len(data) + MIB
        assert source.most <= PART_BYTES
        line.rate_down = 4 * MIB
        assert remote.read_range(NAME, 0, 11 * MIB) == data[: 11 * MIB]


def test_ctrl_c_leaves_no_parts(moto: str, tmp_path: Path) -> None:
    """The upload is given up there, the name is free, what went wrong here is what is told, and the next one comes."""

    class Stops(Silent):
        def __init__(self) -> None:
            self.left = 20 * MIB

        def advance(self, amount: int) -> None:
            self.left -= amount
            if self.left < 0:
                raise Interrupted("Stopped")

    data = random.Random(2).randbytes(30 * MIB)
    remote = bucket(moto, tmp_path)
    with pytest.raises(Interrupted):
        remote.create(NAME, io.BytesIO(data), progress=Stops())
    assert remote.size(NAME) is None
    assert b"UploadId>" not in unfinished(moto)
    remote.create(NAME, io.BytesIO(data))
    assert remote.size(NAME) == len(data)
    with pytest.raises(FileExistsError):
        remote.create(NAME, io.BytesIO(data))
    assert remote.read_range(NAME, len(data) - 5, 10) == data[-5:]


def test_parts_that_are_cut_are_sent_again_alone(moto: str, tmp_path: Path) -> None:
    """A connection that breaks in a part costs that part, not the pack."""
    data = random.Random(3).randbytes(40 * MIB)
    with faulty_line(moto) as line:
        remote = bucket(line.endpoint, tmp_path)
        line.cut_up += [None, None, 3 * MIB, None, 4 * MIB, 4 * MIB, None]
        remote.create(NAME, io.BytesIO(data))
        assert line.cuts == 3
        assert line.passed_up < len(data) + 3 * PART_BYTES
    assert bucket(moto, tmp_path).read_range(NAME, 0, len(data)) == data
