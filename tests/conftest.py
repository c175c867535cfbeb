"""Fixtures for all suites: real folders, a small real project."""

import compileall
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aura_vcs
import pytest
from aura_vcs import Repository
from aura_vcs.index import reference_counts as counts

from tests.helpers import file_clock
from tests.helpers.project import save, write_project
from tests.helpers.sampling import SEED
from tests.sync.machines import OPENED

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # never the keyring of whoever runs the tests


OPEN_FILES = Path("/proc/self/fd")
MOST_OPEN_FILES = 600
MEMORY = "/dev/shm"
MEMORY_BYTES = 6 << 30
"""With so much room, the folders of tests are in memory, where syncing costs nothing: half the time of a run."""


def pytest_configure(config: pytest.Config) -> None:
    """Have `tmp_path` in memory, but for `make test-slow` and where --basetemp says otherwise; see `disk_path`.

    Whoever runs the tests has a home with settings, projects and keys of their own: all processes get another one.
    """
    if hasattr(config, "workerinput"):
        return
    home = tempfile.mkdtemp(prefix="aura-test-home-")
    os.environ["HOME"] = home
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in [name for name in os.environ if name.startswith(("AURA_", "XDG_")) and name != "AURA_TEST_SEED"]:
        del os.environ[name]
    os.environ.pop("PYTHONUNBUFFERED", None)  # what a command has not written yet is to be found, as at a person's
    os.environ["AURA_NO_WATCHER"] = "1"
    os.environ["AURA_NO_HELPER"] = "1"  # no test finds, or leaves behind, a process beside it; tests of it take it away
    if config.option.basetemp is not None or config.option.markexpr != "not slow":
        return
    with suppress(OSError):
        room = os.statvfs(MEMORY)
        if os.access(MEMORY, os.W_OK) and room.f_bavail * room.f_frsize >= MEMORY_BYTES:
            folder = tempfile.mkdtemp(prefix="aura-test-", dir=MEMORY)
            config.option.basetemp = os.path.join(folder, "tests")
            config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile the package: where Python may keep no bytecode, each of hundreds of processes would do it for itself."""
    if not hasattr(session.config, "workerinput"):
        compileall.compile_dir(os.path.dirname(aura_vcs.__file__), quiet=2)


def pytest_report_header() -> str:
    """Say what the samples of long sweeps begin with."""
    return f"samples: AURA_TEST_SEED={SEED} takes the same ones again"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again where somebody wants to know."""
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(pytest_report_header())


@pytest.fixture(autouse=True)
def _counts_are_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the counts of small folders are left for later: what is wrong about that shows everywhere."""
    monkeypatch.setattr(counts, "MIN_DEFERRED", 1)


@pytest.fixture(autouse=True)
def _close_projects() -> Iterator[None]:
    """Every project that a test opened lets go of its files, before they are more than `select` can count to."""
    yield
    while OPENED:
        OPENED.pop().close()
    if OPEN_FILES.is_dir():
        assert len(os.listdir(OPEN_FILES)) < MOST_OPEN_FILES, "tests leave files open: close what they open"


@pytest.fixture(scope="session", autouse=True)
def _dates_in_memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the tests' folders are in memory, whose dates are fine, a fresh file is waited for as long as that takes.

    The program itself waits as long as the coarsest clock needs; `disk_path` has that, as have all processes.
    """
    base = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        if str(base).startswith(f"{MEMORY}/"):
            file_clock.wait_for(file_clock.tick_ns(base), patch)
        yield


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
def disk_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a disk, for what is not the same in memory: dates of mapped files, how finely time is kept."""
    file_clock.wait_for(file_clock.REAL_TICK_NS, monkeypatch)
    with tempfile.TemporaryDirectory(prefix="aura-test-") as folder:
        yield Path(folder)


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
    base = MEMORY if os.access(MEMORY, os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="aura-test-", dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
