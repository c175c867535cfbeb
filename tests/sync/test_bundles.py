"""A project in one file: made, checked, cloned; damaged ones are found out."""

import os
import zipfile
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NameTaken
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteMismatch, RemoteUnreachable
from aura_vcs.history.status import status
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.bundle_file import BundleRemote
from aura_vcs.sync.bundle import create_bundle, verify_bundle
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.add import add_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.manifest import MANIFEST
from aura_vcs.sync.state.snapshot import load_snapshot

from .machines import clone, files, folder_remote, known, machine, manifest, save, write
from .test_push_pull import media


@pytest.fixture
def anna(tmp_path: Path) -> Repository:
    """A project with media and two versions."""
    repo = machine(tmp_path / "anna", "anna")
    write(repo, "take.wav", media(1_300_000))
    save(repo, "brief.json", '{"topic": "tides"}')
    save(repo, "brief.json", '{"topic": "moons"}')
    return repo


def test_a_bundle_is_the_project(anna: Repository, tmp_path: Path) -> None:
    """What is cloned from the file is what went in; nothing else is left beside it."""
    done = create_bundle(anna, str(tmp_path / "film.aurabundle"))
    assert done.versions == 2
    assert done.stored_bytes == (tmp_path / "film.aurabundle").stat().st_size
    assert sorted(p.name for p in tmp_path.iterdir()) == ["anna", "film.aurabundle"]
    report = verify_bundle(done.path)
    assert report.is_clean
    assert report.versions == 2
    bundle = BundleRemote(done.path)
    assert files(clone(tmp_path / "bert", "bert", bundle)) == files(anna)
    with pytest.raises(RemoteError, match="only read"):
        bundle.swap(MANIFEST, b"", None)
    bundle.close()
    with zipfile.ZipFile(done.path) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize("private", [False, True])
def test_a_bundle_is_for_those_who_can_read_what_is_in_it(anna: Repository, tmp_path: Path, private: bool) -> None:
    """One private file in any version makes it its owner's alone."""
    if private:
        write(anna, "contract.txt", "secret")
        Path(anna.root, "contract.txt").chmod(0o600)
        save(anna, "brief.json", "{}")
    before = os.umask(0o022)
    try:
        done = create_bundle(anna, str(tmp_path / "film.aurabundle"))
    finally:
        os.umask(before)
    assert Path(done.path).stat().st_mode & 0o777 == (0o600 if private else 0o644)


@pytest.mark.parametrize("name", [b"film.aurabundle", b"caf\xe9.aurabundle"])
def test_a_bundle_in_the_project_is_in_no_version(anna: Repository, name: bytes) -> None:
    """As an export; what becomes of it later is somebody's work."""
    done = create_bundle(anna, os.path.join(anna.root, os.fsdecode(name)))
    assert status(anna).is_clean
    Path(done.path).write_bytes(b"something else")
    assert [change.path for change in status(anna).changes] == [os.fsdecode(name)]


def test_refusals(anna: Repository, tmp_path: Path) -> None:
    """An existing file, a folder that is not there, a project without versions, a file that is none."""
    (tmp_path / "taken").write_bytes(b"mine")
    with pytest.raises(NameTaken):
        create_bundle(anna, str(tmp_path / "taken"))
    assert (tmp_path / "taken").read_bytes() == b"mine"
    with pytest.raises(InputError, match="no folder"):
        create_bundle(anna, str(tmp_path / "absent/film"))
    with pytest.raises(InputError, match="no versions"):
        create_bundle(machine(tmp_path / "empty", "x"), str(tmp_path / "film"))
    assert not (tmp_path / "film").exists()
    with pytest.raises(RemoteUnreachable):
        verify_bundle(str(tmp_path / "film"))
    with pytest.raises(RemoteCorrupt, match="not a bundle"):
        verify_bundle(str(tmp_path / "taken"))


@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.8, 0.97])
def test_a_damaged_bundle_is_found_out(anna: Repository, tmp_path: Path, share: float) -> None:
    """One wrong byte anywhere that matters, or a file cut off, never verifies as whole."""
    path = tmp_path / "film.aurabundle"
    whole = Path(create_bundle(anna, str(path)).path).read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RemoteCorrupt) as caught:
        verify_bundle(str(path))
    assert "aura bundle create" in caught.value.hint
    assert "push" not in caught.value.hint
    damaged = bytearray(whole)
    start = whole.index(b"AURAPACK")
    damaged[start + 8 + int(1_300_000 * share)] ^= 1
    path.write_bytes(damaged)
    report = verify_bundle(str(path))
    assert report.problems


def test_a_remote_is_looked_through(anna: Repository, tmp_path: Path) -> None:
    """A missing pack is told with what it takes away; a whole remote is clean."""
    remote = folder_remote(tmp_path / "remote", anna)
    push(anna, remote, known(anna))
    save(anna, "brief.json", '{"topic": "suns"}')
    push(anna, remote, known(anna))
    report = fsck_remote(load_snapshot(remote, NullCache(), None))
    assert report.is_clean
    assert report.versions == 3
    remote.delete(f"packs/{manifest(remote).packs[-1].name}.pack")
    problems = fsck_remote(load_snapshot(remote, NullCache(), None)).problems
    assert any("is missing" in problem.detail for problem in problems)
    assert len(problems) > 1


def test_a_pipe_is_no_bundle(tmp_path: Path) -> None:
    """Nobody waits for what may never come."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RemoteUnreachable, match="not a regular file"):
        verify_bundle(str(tmp_path / "pipe"))


def test_a_folder_whose_format_is_a_pipe_is_no_remote(anna: Repository, tmp_path: Path) -> None:
    """Whoever names it as a remote is told at once."""
    (tmp_path / "trap/.aura").mkdir(parents=True)
    os.mkfifo(tmp_path / "trap/.aura/format.json")
    with pytest.raises(RemoteMismatch):
        add_remote(anna, "trap", parse_address(str(tmp_path / "trap")))
