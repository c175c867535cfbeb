"""A version's files as a folder or archive: as they are, never over something else, the same bytes each time."""

import errno
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest
import zstandard
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.history.commit import commit
from aura_vcs.interchange import export_version as room
from aura_vcs.interchange.export_version import export_version
from aura_vcs.interchange.git_export import export_git
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.bundle import create_bundle

from tests.interchange.repositories import ENVIRONMENT

CLIP = os.urandom(3 << 20)


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """A project with a clip, a program, links and an empty folder in its one version."""
    root = tmp_path / "project"
    (root / "media/empty").mkdir(parents=True)
    with Repository.init(str(root), author="Tess") as repo:
        (root / "media/clip.mov").write_bytes(CLIP)
        (root / "run.sh").write_text("#!/bin/sh\n")
        (root / "run.sh").chmod(0o755)
        (root / "latest").symlink_to("media/clip.mov")
        (root / "away").symlink_to("/etc")
        commit(repo, "First")
        (root / "run.sh").write_text("changed\n")
        yield repo


def check(folder: Path) -> None:
    """The folder is as the version."""
    assert (folder / "media/clip.mov").read_bytes() == CLIP
    assert (folder / "media/empty").is_dir()
    assert os.readlink(folder / "latest") == "media/clip.mov"
    assert os.readlink(folder / "away") == "/etc"
    assert (folder / "run.sh").read_text() == "#!/bin/sh\n"
    assert os.access(folder / "run.sh", os.X_OK)
    assert not os.access(folder / "media/clip.mov", os.X_OK)


def test_a_folder(tmp_path: Path, repo: Repository) -> None:
    """Also an empty one that is there; never one with something in it, nor a file or link."""
    (tmp_path / "out").mkdir()
    done = export_version(repo, "v1", str(tmp_path / "out"))
    check(tmp_path / "out")
    assert (done.number, done.files, done.size_bytes) == (1, 4, len(CLIP) + 10 + 14 + 4)
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("out", "link", "file"):
        with pytest.raises(TargetExists):
            export_version(repo, "v1", str(tmp_path / name))
    check(tmp_path / "out")
    with pytest.raises(InputError, match="inside the project"):
        export_version(repo, "v1", str(tmp_path / "project/out"))


def test_archives(tmp_path: Path, repo: Repository) -> None:
    """What other programs unpack is the version; a second archive has the same bytes."""
    for suffix in (".zip", ".tar.zst"):
        one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
        export_version(repo, "v1", str(one))
        export_version(repo, "v1", str(two))
        assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("media/clip.mov") == CLIP
        assert archive.read("latest") == b"media/clip.mov"
        assert archive.getinfo("run.sh").external_attr >> 16 & 0o111
        assert "media/empty/" in archive.namelist()
    data = zstandard.ZstdDecompressor().stream_reader((tmp_path / "one.tar.zst").read_bytes()).read()
    (tmp_path / "one.tar").write_bytes(data)
    (tmp_path / "unpacked").mkdir()
    subprocess.run(["tar", "-xf", str(tmp_path / "one.tar"), "-C", str(tmp_path / "unpacked")], check=True)
    check(tmp_path / "unpacked")
    with tarfile.open(tmp_path / "one.tar") as tar:
        assert {member.uid for member in tar} == {0}


def test_only_some_paths(tmp_path: Path, repo: Repository) -> None:
    """A folder with all below it, and files; a path that is not there is an error, and nothing is left."""
    export_version(repo, "v1", str(tmp_path / "some"), ["media", "run.sh"])
    assert sorted(os.listdir(tmp_path / "some")) == ["media", "run.sh"]
    with pytest.raises(UnknownName):
        export_version(repo, "v1", str(tmp_path / "none"), ["gone.txt"])
    assert sorted(os.listdir(tmp_path)) == ["project", "some"]


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar.zst"])
def test_interrupted_nothing_is_left(
    tmp_path: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Neither the target nor what was made beside it."""

    def stop(*_: object) -> Iterator[bytes]:
        yield b"some"
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "_pieces", stop)
    with pytest.raises(KeyboardInterrupt):
        export_version(repo, "v1", str(tmp_path / name))
    assert os.listdir(tmp_path) == ["project"]


def test_a_disk_that_fails_while_a_large_file_is_written_leaves_nothing(
    tmp_path: Path, repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing goes on beside reading; what goes wrong there ends the export."""
    (Path(repo.root) / "long.mov").write_bytes(CLIP * 6)
    commit(repo, "Long")
    real, calls = room._write_pieces, []

    def full(member: IO[bytes], pieces: Sequence[bytes]) -> None:
        calls.append(len(pieces))
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(member, pieces)

    monkeypatch.setattr(room, "_write_pieces", full)
    with pytest.raises(StorageFull):
        export_version(repo, "v2", str(tmp_path / "out.zip"))
    assert os.listdir(tmp_path) == ["project"]
    export_version(repo, "v2", str(tmp_path / "out.zip"), ["long.mov"])
    assert zipfile.ZipFile(tmp_path / "out.zip").read("long.mov") == CLIP * 6


def test_names_that_a_zip_cannot_hold(tmp_path: Path, repo: Repository) -> None:
    """Are an error that says what can; a tar takes them."""
    Path(os.fsdecode(os.fsencode(repo.root) + b"/caf\xe9")).write_text("x")
    commit(repo, "Second")
    with pytest.raises(InputError, match="ZIP"):
        export_version(repo, "HEAD", str(tmp_path / "out.zip"))
    export_version(repo, "HEAD", str(tmp_path / "out.tar.zst"))
    assert sorted(os.listdir(tmp_path)) == ["out.tar.zst", "project"]


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tar.zst", "git"])
def test_private_content_goes_out_private(tmp_path: Path, repo: Repository, name: str) -> None:
    """What only its owner can read in the folder and the store, nobody else can read in what is exported."""
    (tmp_path / "project/key.txt").write_text("secret")
    (tmp_path / "project/key.txt").chmod(0o600)
    commit(repo, "Private")
    target = tmp_path / name
    if name == "git":
        export_git(repo, str(target), environment=ENVIRONMENT)
        assert target.stat().st_mode & 0o777 == 0o700
    else:
        export_version(repo, "v2", str(target))
        assert (target / "key.txt" if name == "out" else target).stat().st_mode & 0o777 == 0o600
        export_version(repo, "v1", str(tmp_path / f"other {name}"))
        assert (tmp_path / f"other {name}").stat().st_mode & 0o044


def test_nothing_is_written_into_the_store_of_a_project(tmp_path: Path, repo: Repository) -> None:
    """Neither an archive, nor a bundle, nor what a link leads there."""
    (tmp_path / "link").symlink_to(Path(repo.root, ".aura"))
    for target in (Path(repo.root, ".aura/out.zip"), tmp_path / "link/out.zip"):
        with pytest.raises(InputError, match="own storage"):
            export_version(repo, "v1", str(target))
        with pytest.raises(InputError, match="own storage"):
            create_bundle(repo, str(target))
    assert not Path(repo.root, ".aura/out.zip").exists()
