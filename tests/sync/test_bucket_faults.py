"""Buckets over lines that break and behind servers that stop: nothing is lost, nothing is half there."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors.remotes import RemoteError
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remote_bucket import open_bucket
from aura_vcs.storage.remote_encrypted import EncryptedRemote
from aura_vcs.storage.remote_wrappers import RetryingRemote
from aura_vcs.sync.adding import add_remote
from aura_vcs.sync.addresses import parse_address
from aura_vcs.sync.known import Forgetful
from aura_vcs.sync.opening import open_remote
from aura_vcs.sync.sending import create_remote, push
from aura_vcs.sync.verifying import verify_remote
from aura_vcs.sync.view import load_view

from .faulty_line import FaultyLine, faulty_line
from .kinds import KEYS
from .machines import clone, files, known, machine, save, write
from .servers import BUCKET, Seaweed
from .test_carrying import media

pytestmark = pytest.mark.usefixtures("keys")
CUTS = [200, None, 30_000, 400_000, None, 5, 700_000, 100, 1_000_000, None, 60_000]
"""Where connections are cut: in the head, in the middle of a body, near its end."""


def patient(line: FaultyLine, path: Path) -> RetryingRemote:
    """A bucket behind the line, tried again without waiting long."""
    address = parse_address(f"s3://{BUCKET}/{path.name}?endpoint={line.endpoint}")
    bucket = open_bucket("s3", BUCKET, address.path, address.parameters, address.text)
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
        assert verify_remote(load_view(remote, Forgetful(), anna.format.project)).problems == ()
        assert line.cuts > 0


def test_a_volume_server_that_stops_and_comes_back(weed: Seaweed, tmp_path: Path) -> None:
    """A push meets a stopped server and is finished later; what was there before is there after."""
    address = parse_address(f"s3://{BUCKET}/{tmp_path.name}?endpoint={weed.endpoint}")
    anna = filled(tmp_path / "anna")
    assert add_remote(anna, "origin", address).finding is not None
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
    assert verify_remote(load_view(remote, Forgetful(), anna.format.project)).problems == ()
    assert files(clone(tmp_path / "bert", "bert", remote)) == files(anna)
