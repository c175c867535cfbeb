"""The disk begins early with a large file; what goes wrong there is no less an error."""

import os
import threading
from pathlib import Path

import pytest
from aura_vcs import AuraError, Repository
from aura_vcs.history.checkout import restore
from aura_vcs.storage import scratch
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from aura_vcs.worktree.checkout.new_file import NewFile

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, save, write

SIZE = 3_000_000


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "EARLY_BYTES", 100_000)


@pytest.fixture
def film(first: Repository) -> Repository:
    """A project with a large file that is not in the folder any more."""
    write(Path(first.root), {"film.mp4": noise(SIZE, seed=3)})
    save(first, "With a film")
    (Path(first.root) / "film.mp4").unlink()
    return first


def test_an_early_sync_that_fails_fails_the_file(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    calls = FaultyCalls(Fault.UNSYNCED, 1)
    with NewFile(Scratch(LocalStorage(str(tmp_path), calls=calls), "tmp")) as new:
        new.write(noise(SIZE, seed=1))
        with pytest.raises(OSError, match="Input/output error"):
            new.finish(executable=False, sync=True, now_ns=0)
    assert calls.struck
    assert os.listdir(tmp_path / "tmp") == []


def test_the_file_is_not_closed_before_the_disk_is_done_with_it(tmp_path: Path) -> None:
    begun, goes_on = threading.Event(), threading.Event()
    seen: list[int] = []

    class Slow(FileCalls):
        def fsync(self, fd: int) -> None:
            begun.set()
            assert goes_on.wait(10)
            seen.append(os.fstat(fd).st_size)

    with NewFile(Scratch(LocalStorage(str(tmp_path), calls=Slow()), "tmp")) as new:
        new.write(noise(SIZE, seed=1))
        assert begun.wait(10)
        threading.Timer(0.05, goes_on.set).start()
    assert seen == [SIZE]


@pytest.mark.parametrize("fault", [Fault.UNSYNCED, Fault.STOP])
def test_a_large_file_is_there_whole_or_not_at_all(film: Repository, fault: Fault) -> None:
    root = film.root
    film.close()
    counting = CountingCalls()
    with Repository.open(root, calls=counting) as repo:
        restore(repo, "HEAD", ["film.mp4"])
    assert counting.names.count("fsync") > 3
    for at in range(1, len(counting.names) + 1, 2):
        Path(root, "film.mp4").unlink(missing_ok=True)
        calls = FaultyCalls(fault, at)
        with Repository.open(root, calls=calls) as repo:
            try:
                restore(repo, "HEAD", ["film.mp4"])
            except (AuraError, OSError, Stopped):
                assert calls.struck
        found = Path(root, "film.mp4")
        assert not found.exists() or found.read_bytes() == noise(SIZE, seed=3)
    with Repository.open(root) as repo:
        assert_whole(repo)


def test_a_stream_that_is_left_early_takes_no_lock(film: Repository) -> None:
    """It may be left to Python's search for garbage, which runs where such a lock is held already."""
    head = film.trees.entry(film.trees.version(film.head().version or pytest.fail("no head")).tree, "film.mp4")
    assert head is not None
    stream = film.store.stream(head.id)
    next(stream)
    held, too_long = threading._active_limbo_lock, threading.Event()  # type: ignore[attr-defined]
    release = threading.Timer(5, lambda: (too_long.set(), held.release()))
    release.start()
    held.acquire()  # as a thread does that is being started
    stream.close()
    release.cancel()
    assert not too_long.is_set()
    held.release()
