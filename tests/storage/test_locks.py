"""Locks between processes: shared, exclusive, and free again when their holder dies."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors.input import LockBusy
from aura_vcs.locks import ProcessLocks
from aura_vcs.storage.local import LocalStorage


def test_shared_locks_share_and_exclusive_ones_wait(tmp_path: Path) -> None:
    """Two may share; who wants it alone waits for as long as it was told, and names the holder."""
    locks, others = (
        ProcessLocks(LocalStorage(str(tmp_path)), "locks"),
        ProcessLocks(LocalStorage(str(tmp_path)), "locks", wait_seconds=0.05),
    )
    with locks.shared("objects"), others.shared("objects"), pytest.raises(LockBusy), others.exclusive("objects"):
        pass
    with locks.exclusive("objects"):
        with pytest.raises(LockBusy) as caught, others.shared("objects"):
            pass
        assert str(os.getpid()) in caught.value.holder
    with others.exclusive("objects"):
        pass


def test_who_holds_a_lock_alone_may_ask_again(tmp_path: Path) -> None:
    """The same thread goes on holding it, until the outermost block ends; another thread waits."""
    locks = ProcessLocks(LocalStorage(str(tmp_path)), "locks", wait_seconds=0.05)
    with locks.exclusive("worktree"):
        with locks.exclusive("worktree"), locks.shared("worktree"):
            pass
        with ThreadPoolExecutor(1) as executor, pytest.raises(LockBusy):
            executor.submit(lambda: locks.shared("worktree").__enter__()).result()
    with ProcessLocks(LocalStorage(str(tmp_path)), "locks", wait_seconds=0).exclusive("worktree"):
        pass


def test_locks_of_different_names_are_different(tmp_path: Path) -> None:
    """Holding one does not hold another."""
    locks = ProcessLocks(LocalStorage(str(tmp_path)), "locks", wait_seconds=0.05)
    with locks.exclusive("refs"), locks.exclusive("objects"), locks.shared("worktree"):
        made = sorted(path.name for path in (tmp_path / "locks").iterdir())
        assert made == ["objects.lock", "refs.lock", "worktree.lock"]


def test_what_a_lock_file_says_decides_nothing(tmp_path: Path) -> None:
    """A file left behind, with the number of a process that lives, blocks nobody."""
    (tmp_path / "refs.lock").write_text(f"process {os.getpid()}\n")
    with ProcessLocks(LocalStorage(str(tmp_path)), "locks", wait_seconds=0).exclusive("refs"):
        assert (tmp_path / "refs.lock").read_text().startswith("process")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_cannot_be_locked_gives_way(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe or a socket in place of a lock holds nobody up: it is set aside."""
    (tmp_path / "locks").mkdir()
    monkeypatch.chdir(tmp_path / "locks")
    if kind == "pipe":
        os.mkfifo("refs.lock")
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("refs.lock")
    os.close(LocalStorage(str(tmp_path)).open_lock("locks/refs.lock"))
    assert (tmp_path / "locks/refs.lock").is_file()
