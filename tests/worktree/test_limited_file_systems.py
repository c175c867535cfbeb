"""Disks that keep less than a version has: USB sticks, memory cards, some network disks."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.worktree import NameUnfit
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.model import Entry, EntryKind
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.testing.faulty_calls import CountingCalls
from aura_vcs.sync.clone import clone
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.worktree.scan.filesystem import FilesystemTraits

from tests.helpers.check import assert_whole
from tests.helpers.project import write_project

TARGET = b"sky.png"


class PoorCalls(FileCalls):
    """A disk on which every file is executable, without links and without colons in names."""

    def create(self, path: str, mode: int = 0o666, *, dir_fd: int | None = None) -> int:
        """See FileCalls."""
        _refuse_colon(path)
        fd = super().create(path, mode, dir_fd=dir_fd)
        os.fchmod(fd, 0o777)
        return fd

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """See FileCalls."""
        _refuse_colon(target)
        super().replace(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def chmod(self, fd: int, mode: int) -> None:
        """Changes nothing, and says nothing."""

    def symlink(self, target: str, path: str, *, dir_fd: int | None = None) -> None:
        """See FileCalls."""
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def _refuse_colon(path: str) -> None:
    if ":" in os.path.basename(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A mounted exFAT disk in a file."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk in a file")
    for program in ("mkfs.exfat", "mount.exfat-fuse", "losetup"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("exfat")
    image, target = folder / "image", folder / "disk"
    target.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    loop = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
    if loop.returncode:
        pytest.skip(f"this system has no loop devices: {loop.stderr.strip()}")
    device = loop.stdout.strip()
    mounted = subprocess.run(["mount.exfat-fuse", device, target], check=False, capture_output=True, text=True)
    try:
        if mounted.returncode:
            pytest.skip(f"this system cannot mount exFAT: {mounted.stderr.strip()}")
        yield target
        subprocess.run(["umount", target], check=True)
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)


@pytest.fixture(params=["poor", "exfat"])
def poor(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, FileCalls]:
    """An empty folder on a disk that keeps little, and the calls that reach it."""
    if request.param == "poor":
        return tmp_path / "poor", PoorCalls()
    place: Path = request.getfixturevalue("stick") / tmp_path.name
    place.mkdir()
    return place, FileCalls()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The same project on a good disk, with one version."""
    root = tmp_path / "home"
    root.mkdir()
    write_project(root)
    with Repository.init(str(root)) as repo:
        commit(repo, "First cut")
    return root


def entries(repo: Repository) -> dict[str, Entry]:
    """The files of the version that HEAD is on."""
    head = repo.head().version
    assert head is not None
    tree = repo.trees.version(head).tree
    return {path: entry for path, entry in repo.trees.walk(tree) if entry.kind is not EntryKind.DIR}


def copied_blindly(home: Path, place: Path, calls: FileCalls) -> Path:
    """The project folder as a file manager copies it to such a disk."""
    root = place / "copied"
    shutil.copytree(home, root, ignore=lambda folder, names: [n for n in names if os.path.islink(f"{folder}/{n}")])
    (root / "assets" / "cover.png").write_bytes(TARGET)
    if isinstance(calls, PoorCalls):
        for path in root.rglob("*"):
            path.chmod(0o777)
    return root


def test_a_folder_that_was_copied_to_it_has_not_changed(poor: tuple[Path, FileCalls], home: Path) -> None:
    """Bits and links that the disk lost are no changes, and a new version has them still."""
    place, calls = poor
    root = copied_blindly(home, place, calls)
    with Repository.open(str(root), calls=calls) as repo:
        before = entries(repo)
        assert status(repo).is_clean
        (root / "brief.json").write_text('{"topic": "Tides"}')
        (root / "new.json").write_text("{}")
        commit(repo, "On the stick")
        assert status(repo).is_clean
        after = entries(repo)
        assert after["assets/cover.png"] == before["assets/cover.png"]
        assert {path for path, entry in after.items() if entry.executable} == {"render.sh"}
        assert after.keys() - before.keys() == {"new.json"}
        assert_whole(repo)


def test_a_version_is_put_on_it_and_taken_from_it(poor: tuple[Path, FileCalls], home: Path, tmp_path: Path) -> None:
    """Cloned to the disk, edited, pushed and cloned again: the link is a link, the program can be run."""
    place, calls = poor
    (tmp_path / "remote").mkdir()
    address = parse_address(str(tmp_path / "remote"))
    remote = open_remote(address)
    with Repository.open(str(home)) as repo:
        create_remote(remote, repo.format.project, "Ada")
        push(repo, remote, RemoteCache(repo, "stick"))
    root = place / "film"
    clone(remote, address, str(root), calls=calls)
    with Repository.open(str(root), calls=calls) as repo:
        assert status(repo).is_clean
        assert (root / "assets" / "cover.png").read_bytes() == TARGET
        (root / "assets" / "cover.png").write_bytes(b"voice.wav")
        commit(repo, "Another cover")
        checkout(repo, "v1")
        assert (root / "assets" / "cover.png").read_bytes() == TARGET
        undo(repo)
        assert status(repo).is_clean
        restore(repo, "v1", ["brief.json"])
        push(repo, remote, RemoteCache(repo, "origin"))
    clone(remote, address, str(tmp_path / "back"))
    assert os.readlink(tmp_path / "back" / "assets" / "cover.png") == "voice.wav"
    assert os.access(tmp_path / "back" / "render.sh", os.X_OK)
    assert not os.access(tmp_path / "back" / "brief.json", os.X_OK)


def test_a_name_that_it_cannot_have_is_told_before_anything_is_changed(
    poor: tuple[Path, FileCalls], home: Path
) -> None:
    """The version stays in the history; the folder stays as it is."""
    place, calls = poor
    with Repository.open(str(home)) as repo:
        (home / "take 3: final.txt").write_text("good")
        commit(repo, "A colon")
    (home / "take 3: final.txt").unlink()
    root = copied_blindly(home, place, calls)
    with Repository.open(str(root), calls=calls) as repo:
        with pytest.raises(NameUnfit) as caught:
            restore(repo, "v2")
        assert caught.value.paths == ("take 3: final.txt",)
        assert [(c.path, c.change) for c in status(repo).changes] == [("take 3: final.txt", "deleted")]
        checkout(repo, "v1")
        assert status(repo).is_clean


def test_an_edit_within_a_tick_of_two_seconds_is_seen(stick: Path, tmp_path: Path) -> None:
    """Of the same size, and with the same date as the disk counts them: it is another content."""
    root = stick / f"{tmp_path.name}-ticks"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        for number in range(3):
            (root / "brief.json").write_text(f'{{"topic": {number}}}')
            made = commit(repo, f"Cut {number}")
            assert made.version is not None
            (root / "brief.json").write_text(f'{{"topic": {number + 5}}}')
            assert [c.path for c in status(repo).changes] == ["brief.json"]


def test_a_good_disk_is_asked_little(tmp_path: Path) -> None:
    """Each question is tried out once; nothing of it stays."""
    calls = CountingCalls()
    disk = FilesystemTraits(Scratch(LocalStorage(str(tmp_path), calls=calls), "tmp"), calls)
    assert disk.keeps_all
    assert disk.unsupported_names(["a:b"]) == []
    assert disk.keeps_all
    assert calls.names == ["mkdir", "fsync_folder", "create", "chmod", "unlink", "symlink", "unlink"]
    assert os.listdir(tmp_path / "tmp") == []
