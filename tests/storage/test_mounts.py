"""Disks that lead to another machine are told from those that do not."""

import os
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import commit
from aura_vcs.storage import mounts

from tests.helpers.check import versions

pytestmark = pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="only Linux tells")


def mounted(folder: Path, kind: str, tmp_path: Path) -> str:
    """What the system would tell if a disk of that kind were at the folder."""
    device = os.stat(folder).st_dev
    here = f"{os.major(device)}:{os.minor(device)}"
    path = tmp_path / "mountinfo"
    path.write_text(
        "22 1 0:998 / /proc rw - proc proc rw\n"
        f"36 35 {here} / {folder} rw,noatime master:1 shared:2 - {kind} server:/films rw\n"
    )
    return str(path)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("nfs4", True),
        ("cifs", True),
        ("9p", True),
        ("fuse.sshfs", True),
        ("fuse.rclone", True),
        ("ext4", False),
        ("exfat", False),
        ("fuseblk", False),
        ("fuse.bindfs", False),
    ],
)
def test_kinds(kind: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name that the system has for the kind."""
    monkeypatch.setattr(mounts, "_MOUNTS", mounted(tmp_path, kind, tmp_path))
    assert mounts.is_on_network(str(tmp_path)) is expected


def test_a_system_that_does_not_tell_has_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the list, or without the folder's disk in it, it counts as a disk."""
    monkeypatch.setattr(mounts, "_MOUNTS", str(tmp_path / "none"))
    assert not mounts.is_on_network(str(tmp_path))
    (tmp_path / "none").write_text("22 1 0:998 / /proc rw - proc proc rw\n")
    assert not mounts.is_on_network(str(tmp_path))
    assert not mounts.is_on_network("/dev/null")


def test_the_index_of_a_project_on_a_network_disk_lies_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each copy has its own; deleted, it is built anew; without the network it lies in the project."""
    film, indexes = tmp_path / "film", tmp_path / "cache" / "indexes"
    film.mkdir()
    (film / "brief.json").write_text("{}")
    local = film / ".aura" / "local" / "index.sqlite"
    monkeypatch.setattr(mounts, "_MOUNTS", mounted(film, "nfs4", tmp_path))
    with Repository.init(str(film), index_folder=str(indexes)) as repo:
        commit(repo, "First cut")
        assert repo.index.path == str(indexes / f"{repo.format.project}-{repo.replica}.sqlite")
    assert not local.exists()
    for path in indexes.iterdir():
        path.unlink()
    with Repository.open(str(film), index_folder=str(indexes)) as repo:
        assert [found.name for found in versions(repo)] == ["First cut"]
    monkeypatch.undo()
    with Repository.open(str(film), index_folder=str(indexes)) as repo:
        assert [found.name for found in versions(repo)] == ["First cut"]
        assert repo.index.path == str(local)
