"""Fixtures of all tests of remotes."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from . import machines, servers


@pytest.fixture(autouse=True)
def _close_projects() -> Iterator[None]:
    """Every project that a test opened lets go of its files."""
    yield
    while machines.OPENED:
        machines.OPENED.pop().close()


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
        make_bucket(made.endpoint)
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
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, where they belong."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testtest")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", servers.AZURE_KEY)
