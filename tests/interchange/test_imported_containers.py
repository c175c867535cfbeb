"""gzip files and ZIP archives that come from git or out of a ZIP are cut as those that are committed."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from aura_vcs.formats.deflate.containers import inflated
from aura_vcs.index.queries import VersionFilter
from aura_vcs.interchange.folder_import import import_folder
from aura_vcs.interchange.folder_plan import plan_folder
from aura_vcs.interchange.git_import import import_git
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Kind
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.repository.repository import Repository

from tests.interchange.repositories import ENVIRONMENT, commit, start


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """An empty project."""
    (tmp_path / "project").mkdir()
    with Repository.init(str(tmp_path / "project"), author="Tess") as repo:
        yield repo


def content() -> bytes:
    """What gets a little smaller when it is packed, and in which nothing repeats: it is soon written again."""
    return bytes(byte & 127 for byte in Random(5).randbytes(1_300_000))


def packed() -> dict[str, bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("project.xml", (2026, 1, 1, 0, 0, 0)), content()[::-1], zipfile.ZIP_DEFLATED)
    return {"film.prproj": gzip.compress(content(), 6, mtime=0), "grade.drp": made.getvalue()}


def assert_cut_at_streams(repo: Repository) -> None:
    """The stream of each is a chunk of its own, which a collection takes apart; both come back."""
    newest = max(repo.queries.all_versions(VersionFilter()), key=lambda version: version.number)
    for path, data in packed().items():
        assert len(data) > LARGE_BYTES
        entry = repo.trees.entry(newest.tree, path)
        assert entry is not None
        assert repo.store.read(entry.id) == data
        chunks = [repo.store.read(chunk, Kind.CHUNK) for chunk in repo.store.chunk_ids(entry.id)]
        assert any(unwrapped is not None for chunk in chunks if (unwrapped := inflated(chunk, 1 << 21)))
    assert not fsck(repo).problems


def test_from_git(repo: Repository, tmp_path: Path) -> None:
    """Blobs come as a stream that is read once."""
    place = tmp_path / "git"
    start(place)
    for path, data in packed().items():
        (place / path).write_bytes(data)
    commit(place, "Both")
    import_git(repo, str(place), environment=ENVIRONMENT)
    assert_cut_at_streams(repo)


def test_out_of_a_zip(repo: Repository, tmp_path: Path) -> None:
    """Members of an archive are streams, too."""
    copies = tmp_path / "copies"
    copies.mkdir()
    with zipfile.ZipFile(copies / "film_v1.zip", "w") as archive:
        for path, data in packed().items():
            archive.writestr(path, data)
    import_folder(repo, plan_folder(str(copies)))
    assert_cut_at_streams(repo)
