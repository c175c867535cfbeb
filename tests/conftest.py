"""Fixtures for all suites: real folders, a small real project."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.index import reference_counts as counts

from tests.helpers.project import save, write_project

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # never the keyring of whoever runs the tests


@pytest.fixture(autouse=True)
def _counts_are_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the counts of small folders are left for later: what is wrong about that shows everywhere."""
    monkeypatch.setattr(counts, "OWED_LEAST", 1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a small video project in it, not under version control yet."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    return root


@pytest.fixture
def repo(project: Path) -> Iterator[Repository]:
    """The small project under version control, nothing committed."""
    with Repository.init(project, author="Ada", host="studio") as opened:
        yield opened


@pytest.fixture
def first(repo: Repository) -> Repository:
    """The small project with its first version."""
    save(repo, "First cut")
    return repo


@pytest.fixture
def quick_path() -> Iterator[Path]:
    """A folder where syncing costs nothing (in memory, where the system has that)."""
    with _quick() as path:
        yield path


@pytest.fixture(scope="module")
def quick_folder() -> Iterator[Path]:
    """The same, for all tests of a module."""
    with _quick() as path:
        yield path


@contextmanager
def _quick() -> Iterator[Path]:
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="aura-test-", dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
