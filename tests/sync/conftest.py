"""Fixtures of all tests of remotes."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.storage.encryption.remote import EncryptedRemote
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.remotes.connect import Surroundings, open_remote
from aura_vcs.sync.remotes.url import parse_address

from . import film as film_module, servers
from .kinds import KEYS, MAKERS, served


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Ssh]:
    """An sshd on loopback that reaches this very aura."""
    with servers.ssh_server(tmp_path_factory.mktemp("sshd")) as made:
        yield made


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's S3, with a bucket."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with servers.moto_server(tmp_path_factory.mktemp("moto")) as endpoint:
        make_bucket(endpoint)
        yield endpoint


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Seaweed]:
    """SeaweedFS, with a bucket."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with servers.seaweed_server(tmp_path_factory.mktemp("weed")) as made:
        yield made


@pytest.fixture
def seaweed(weed: servers.Seaweed) -> str:
    """The endpoint of SeaweedFS' S3."""
    return weed.endpoint


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Azurite's blobs, with a container."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with servers.azurite_server(tmp_path_factory.mktemp("azurite")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """fake-gcs-server, with a bucket."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with servers.google_server(tmp_path_factory.mktemp("google")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """rclone's S3, which lies, with a bucket."""
    pytest.importorskip("obstore", reason="the extra 'buckets' is not installed")
    with servers.rclone_server(tmp_path_factory.mktemp("rclone")) as endpoint:
        yield endpoint


def make_bucket(endpoint: str) -> None:
    """Make the bucket, as soon as the server lets us."""
    end = time.monotonic() + 40
    while True:
        try:
            request = urllib.request.Request(f"{endpoint}/{servers.BUCKET}", method="PUT")
            urllib.request.urlopen(request, timeout=10).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Credentials in the environment, where they belong."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testtest")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", servers.AZURE_KEY)
    account = servers.write_google_account(tmp_path_factory.mktemp("account"))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(account))


@pytest.fixture(params=["folder", "memory"])
def film(tmp_path: Path, request: pytest.FixtureRequest) -> film_module.Film:
    """The project, on each kind of remote."""
    return film_module.Film(tmp_path, MemoryRemote() if request.param == "memory" else None)


def remote_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of the kind that the fixture's parameter names, closed in the end."""
    if request.param in MAKERS:
        made = MAKERS[request.param](tmp_path)
    elif request.param in {"pipe", "encrypted pipe"}:
        (tmp_path / "remote").mkdir()
        made = served(tmp_path / "remote")
        if request.param == "encrypted pipe":
            made = EncryptedRemote(made, KEYS)
    elif request.param == "ssh":
        (tmp_path / "remote").mkdir()
        host = request.getfixturevalue("ssh_host")
        made = open_remote(
            parse_address(f"ssh://studio{tmp_path}/remote"), surroundings=Surroundings(tuple(host.command))
        )
    else:
        request.getfixturevalue("keys")
        endpoint = request.getfixturevalue(request.param)
        made = open_remote(servers.bucket_address(request.param, endpoint, tmp_path.name))
    yield made
    made.close()


@pytest.fixture(
    params=[
        *MAKERS,
        "pipe",
        "encrypted pipe",
        "moto",
        "seaweed",
        "google",
        "ssh",
        pytest.param("azurite", marks=pytest.mark.slow),
    ]
)
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemoteStorage]:
    """A new remote of every kind."""
    yield from remote_of(request, tmp_path)
