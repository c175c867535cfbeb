"""One path that cannot be looked at or read: it alone is left out, with a word, and everything else goes on."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.diff.worktree_diff import compare_worktree
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.history.status import status
from aura_vcs.maintenance.fsck import fsck

from tests.helpers.project import noise, save, write

FAULTS = [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO]
LOOKS = ("lstat", "open", "read", "readlink", "scandir")


class Faults:
    """Answers system calls on one path with an error, whoever asks, until it is turned off."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = str(path)
        self.number = 0
        self.call = ""
        self._fds: set[int] = set()
        for name in ("lstat", "readlink", "scandir", "open", "stat"):
            monkeypatch.setattr(os, name, self._faulty(name, getattr(os, name)))
        monkeypatch.setattr(os, "read", self._faulty_read(os.read))

    def _faulty(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **options: Any) -> Any:
            at = self._place(path, options.get("dir_fd"))
            named = {"stat": ("lstat",), "scandir": ("scandir", "open")}.get(name, (name,))
            is_meant = at == self.path and self.call in named
            if is_meant and self.number:
                raise OSError(self.number, os.strerror(self.number), at)
            found = real(path, *args, **options)
            if name == "open" and at == self.path:
                self._fds.add(found)
            return _Listing(found, self) if name == "scandir" else found

        return call

    def _faulty_read(self, real: Callable[[int, int], bytes]) -> Callable[[int, int], bytes]:
        def read(fd: int, size: int) -> bytes:
            if self.number and self.call == "read" and os.readlink(f"/proc/self/fd/{fd}") == self.path:
                raise OSError(self.number, os.strerror(self.number))
            return real(fd, size)

        return read

    def _place(self, path: Any, dir_fd: int | None) -> str:
        if isinstance(path, int):
            return os.path.realpath(f"/proc/self/fd/{path}")
        text = os.fsdecode(path)
        if dir_fd is not None:
            return os.path.join(os.path.realpath(f"/proc/self/fd/{dir_fd}"), text)
        return os.path.abspath(text)


class _Listing:
    """A listing whose entries have the fault too."""

    def __init__(self, real: Any, faults: Faults) -> None:
        self._real = real
        self._faults = faults

    def __enter__(self) -> "_Listing":
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def close(self) -> None:
        """Close it."""
        self._real.close()

    def __iter__(self) -> Iterator["_Item"]:
        return (_Item(item, self._faults) for item in self._real)


class _Item:
    """An entry of a folder."""

    def __init__(self, real: "os.DirEntry[str]", faults: Faults) -> None:
        self._real = real
        self._faults = faults
        self.name, self.path = real.name, real.path

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """As os.DirEntry has it."""
        return self._real.is_dir(follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """As os.DirEntry has it."""
        return self._real.is_file(follow_symlinks=follow_symlinks)

    def is_symlink(self) -> bool:
        """As os.DirEntry has it."""
        return self._real.is_symlink()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """As os.DirEntry has it, or the fault."""
        faults = self._faults
        if faults.number and faults.call == "lstat" and os.path.abspath(self.path) == faults.path:
            raise OSError(faults.number, os.strerror(faults.number), self.path)
        return self._real.stat(follow_symlinks=follow_symlinks)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of two versions, with an edit of every file since."""
    root = tmp_path / "film"
    with Repository.init(str(root)) as repo:
        write(
            root, {"brief.json": "1", "scenes/1.json": "1", "scenes/2.json": "1", "a/deep/x.mov": "1", "big.mov": "1"}
        )
        (root / "link").symlink_to("brief.json")
        save(repo, "One")
        write(
            root, {"brief.json": "22", "scenes/1.json": "2", "a/deep/x.mov": "22", "big.mov": noise(1_100_000, seed=1)}
        )
        save(repo, "Two")
    _edit(root)
    return root


def _edit(root: Path) -> None:
    write(root, {"brief.json": "333", "scenes/1.json": "3", "a/deep/x.mov": "3", "big.mov": noise(1_100_000, seed=2)})
    (root / "link").unlink()
    (root / "link").symlink_to("scenes")


def _kept(repo: Repository, tree: Any, path: str) -> bool:
    """Whether a tree has at the path what v2 has there."""
    return repo.trees.entry(tree, path) == repo.trees.entry(resolve(repo, "v2").tree, path)


PATHS = ["scenes/1.json", "scenes", "link", "big.mov", "a/deep"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks up open files in /proc")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("call", LOOKS)
def test_one_path_fails_and_all_else_goes_on(root: Path, path: str, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call on one path fails in every way: status, diff, commit, autosave, checkout and restore do the rest."""
    faults = Faults(root / path, monkeypatch)
    with Repository.open(str(root)) as repo:
        for number in FAULTS:
            faults.call, faults.number = call, number
            shown = status(repo)
            changed = {change.path for change in shown.changes}
            assert "brief.json" in changed
            assert not [change for change in shown.changes if change.change == "deleted"]
            compare_worktree(repo, worktree_base(repo).tree)
            faults.number = 0
        faults.number = errno.EIO
        saved = autosave(repo).version
        point = restore_point(repo, "PreTest").version
        done = commit(repo, "Three")
        assert done.version is not None
        assert saved is not None
        assert point is not None
        for made in (saved, point, done.version):
            assert not _kept(repo, made.tree, "brief.json")
            is_kept = _kept(repo, made.tree, path)
            assert is_kept == (path in {skipped.path for skipped in done.skipped})
        checkout(repo, "v1")
        assert (root / "brief.json").read_text() == "1"
        restore(repo, "v2", ["brief.json"])
        assert (root / "brief.json").read_text() == "22"
        faults.number = 0
        assert fsck(repo).is_clean


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_a_process_at_its_limit_does_not_pass_everything_over(
    root: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no file can be opened it is not the files: the commit fails, and nothing is recorded."""
    faults = Faults(root / "scenes/1.json", monkeypatch)
    with Repository.open(str(root)) as repo:
        faults.call, faults.number = "open", number
        with pytest.raises((AuraError, OSError)):
            commit(repo, "Three")
        faults.number = 0
        assert repo.head().version == worktree_base(repo).head.version


def test_what_goes_while_it_is_looked_at_was_never_there(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the listing and the look, or the look and the reading: nothing is told, and the version has it not."""
    faults = Faults(root / "scenes/1.json", monkeypatch)
    with Repository.open(str(root)) as repo:
        for call in ("lstat", "open"):
            faults.call, faults.number = call, errno.ENOENT
            shown = status(repo)
            assert not shown.skipped
            assert ("scenes/1.json", "deleted") in [(change.path, change.change) for change in shown.changes]
        done = commit(repo, "Three")
        assert done.version is not None
        assert not done.skipped
        assert repo.trees.entry(done.version.tree, "scenes/1.json") is None
        faults.number = 0
        assert [change.path for change in status(repo).changes] == ["scenes/1.json"]


def test_a_path_too_long_for_the_system_is_named(root: Path) -> None:
    """A folder whose path has more than 4096 bytes is passed over; what lies before is saved."""
    here = os.open(root, os.O_RDONLY)
    try:
        for _ in range(25):
            os.mkdir("n" * 200, dir_fd=here)
            inner = os.open("n" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
    finally:
        os.close(here)
    with Repository.open(str(root)) as repo:
        done = commit(repo, "Three")
        assert done.version is not None
        (skipped,) = done.skipped
        assert skipped.path.count("/") in range(15, 22)
        checkout(repo, "v1")
        assert (root / "brief.json").read_text() == "1"
