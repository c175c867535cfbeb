"""Programs that write through memory maps: while a page is dirty, a write to it changes neither size nor dates."""

import mmap
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.autosave import autosave
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.storage import open_writers
from aura_vcs.worktree.snapshot import stable_read as sources

from tests.helpers.check import assert_kept

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the pages of other systems are another matter")
LARGE = 1_200_000


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), 0)
    try:
        yield shared
    finally:
        shared.close()


def _repo(folder: Path, size: int) -> Repository:
    root = folder / "film"
    root.mkdir()
    (root / "cache.dat").write_bytes(bytes(size))
    repo = Repository.init(str(root))
    commit(repo, "First cut")
    return repo


@pytest.mark.parametrize("size", [8192, LARGE])
@pytest.mark.parametrize("look", [lambda repo: commit(repo, "Draft"), autosave, status])
def test_a_write_to_a_dirty_page_is_seen(disk_path: Path, look: Callable[[Repository], object], size: int) -> None:
    """After a command has read the file, the next write through the map changes its dates."""
    with _repo(disk_path, size) as repo, _mapped(disk_path / "film" / "cache.dat") as page:
        page[0:5] = b"draft"
        time.sleep(0.1)  # settled
        look(repo)
        stamp = os.stat(disk_path / "film" / "cache.dat").st_mtime_ns
        page[0:5] = b"final"
        assert os.stat(disk_path / "film" / "cache.dat").st_mtime_ns > stamp
        checkout(repo, "v1")
        assert_kept(repo, {b"final".ljust(size, b"\0")})


def test_a_write_on_a_disk_without_such_dates_is_kept(quick_path: Path) -> None:
    """In memory (tmpfs) no date may ever change; the content is compared before the file goes."""
    with _repo(quick_path, 8192) as repo, _mapped(quick_path / "film" / "cache.dat") as page:
        page[0:5] = b"draft"
        time.sleep(0.1)
        commit(repo, "Draft")
        page[0:5] = b"final"
        left = checkout(repo, "v1").skipped
        assert_kept(repo, {b"final".ljust(8192, b"\0")})
        assert left == ("cache.dat",) or status(repo).is_clean


def test_files_that_nobody_writes_to_are_not_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit of new files costs no sync of each."""
    monkeypatch.setattr(sources, "write_out", lambda _: pytest.fail("a file was written out"))
    with _repo(tmp_path, 8192) as repo:
        (tmp_path / "film" / "new.txt").write_text("new")
        assert commit(repo, "Second cut").version is not None


def test_where_leases_are_refused_recent_files_are_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk, or of an owner, that gives none, what was changed a moment ago may be mapped."""
    import fcntl

    written: list[int] = []

    def refuse(fd: int, command: int, argument: int = 0) -> int:
        raise PermissionError(fd, command, argument)

    monkeypatch.setattr(sources, "write_out", written.append)
    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert open_writers.has_writer(0) is None
    _repo(tmp_path, 8192).close()
    assert written
    written.clear()
    monkeypatch.setattr(sources, "WRITTEN_OUT_NS", 0)
    with Repository.open(tmp_path / "film") as repo:
        (tmp_path / "film" / "new.txt").write_text("new")
        commit(repo, "Second cut")
    assert not written
