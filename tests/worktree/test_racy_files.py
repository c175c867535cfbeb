"""Files that change while they are looked at, clocks that hide it, and a compressor that lies."""

import os
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.compression import compress
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.objects.packs import writer as pack_writer

from tests.helpers.changing_file import restless


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one version."""
    with Repository.init(str(tmp_path)) as repo:
        (tmp_path / "voice.json").write_text('{"rate": 1}')
        commit(repo, "First cut")
    return tmp_path


def _content(repo: Repository, version: str, path: str) -> bytes:
    entry = repo.trees.entry(repo.trees.version(version).tree, path)  # type: ignore[arg-type]
    assert entry is not None
    return repo.store.read(entry.id)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no ctime that tells")
def test_same_size_and_date_do_not_hide_a_change(root: Path) -> None:
    """An edit that keeps the size and puts the old date back is seen by status and commit."""
    path = root / "voice.json"
    with Repository.open(str(root)) as repo:
        for take in range(5):
            before = path.stat()
            path.write_text(f'{{"rate": {take + 2}}}')
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert [change.path for change in status(repo).changes] == ["voice.json"]
            done = commit(repo, f"Take {take}")
            assert done.version is not None
            assert _content(repo, done.version.id, "voice.json") == path.read_bytes()


def test_a_clock_in_the_future_or_past_does_not_hide_a_change(root: Path) -> None:
    """Whatever date a file claims, in 1970 or 2100, its next content is noticed."""
    path = root / "voice.json"
    with Repository.open(str(root)) as repo:
        for take, seconds in enumerate((0, 4_102_444_800, 2_147_483_648, 1)):
            path.write_text(f'{{"take": {take}}}')
            os.utime(path, (seconds, seconds))
            done = commit(repo, f"Take {take}")
            assert done.version is not None
            assert _content(repo, done.version.id, "voice.json") == path.read_bytes()


def test_a_file_that_is_being_written_is_named(root: Path) -> None:
    """While a renderer appends, the version has the file as it was before, and the commit says so."""
    path = root / "film.mov"
    path.write_bytes(b"begin")
    with Repository.open(str(root)) as repo:
        commit(repo, "Before the render")
        path.write_bytes(b"begin again")
        (root / "brief.json").write_text("{}")
        with restless(path):
            during = commit(repo, "While it renders")
        assert during.version is not None
        assert during.unstable == ("film.mov",)
        assert _content(repo, during.version.id, "film.mov") == b"begin"
        assert _content(repo, during.version.id, "brief.json") == b"{}"
        after = commit(repo, "When it is done")
        assert after.version is not None
        assert _content(repo, after.version.id, "film.mov") == path.read_bytes()


def test_a_compressor_that_lies_is_found_out_before_anything_is_recorded(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is read back and hashed; the commit fails, and the next one works."""
    for number in range(5):
        (root / f"scene-{number}.json").write_text(f'{{"script": "{number} and so on"}}' * 50)
    with Repository.open(str(root)) as repo:
        with monkeypatch.context() as patched:
            patched.setattr(pack_writer, "compress", lambda data, level: compress(b"\0" * len(data), level))
            with pytest.raises(IntegrityError):
                commit(repo, "Second cut")
        assert fsck(repo).problems == ()
        assert repo.head().version is not None
        done = commit(repo, "Second cut")
        assert done.version is not None
        assert _content(repo, done.version.id, "scene-3.json") == (root / "scene-3.json").read_bytes()
        assert fsck(repo).problems == ()
