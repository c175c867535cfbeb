"""A file that somebody goes on writing to while a commit reads it: all of it is saved, or nothing is kept of it."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import commit
from aura_vcs.objects import base, batch
from aura_vcs.objects.packs import writer as pack_writer
from aura_vcs.worktree.snapshot.stable_read import FileSource

from tests.helpers.check import assert_whole
from tests.helpers.project import noise, write

SIZE = 12 << 20


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a recording of some blocks, whose packs are small; commits do not wait long for it."""
    monkeypatch.setattr(pack_writer, "PACK_BYTES", 3 << 20)
    monkeypatch.setattr(batch, "PAUSES_SECONDS", base.PAUSES_SECONDS[:2])
    folder = tmp_path / "film"
    write(folder, {"rec.mkv": noise(SIZE, seed=1), "script.md": "words"})
    return folder


def _grow(monkeypatch: pytest.MonkeyPatch, path: Path, *, times: int, at: int = 2) -> None:
    """Let the file grow when it is asked for the `at`-th time whether it is still, so often."""
    asked, left = 0, times
    is_still = FileSource.is_unchanged

    def growing(self: FileSource, file: object) -> bool:
        nonlocal asked, left
        asked += 1
        if asked % at == 0 and left:
            left -= 1
            with path.open("ab") as recording:
                recording.write(b"frame")
        return is_still(self, file)  # type: ignore[arg-type]

    monkeypatch.setattr(FileSource, "is_unchanged", growing)


def _stored(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / ".aura" / "objects").rglob("*") if path.is_file())


@pytest.mark.parametrize("tried", [1 << 20, 64 << 20])
def test_nothing_is_kept_of_what_was_not_saved(root: Path, monkeypatch: pytest.MonkeyPatch, tried: int) -> None:
    """Neither in packs that were full already nor in the one being written."""
    monkeypatch.setattr(batch, "TRIAL_BYTES", tried)
    _grow(monkeypatch, root / "rec.mkv", times=1000)
    with Repository.init(str(root)) as repo:
        done = commit(repo, "First cut")
        assert done.unstable == ("rec.mkv",)
        assert done.version is not None
        assert repo.trees.entry(done.version.tree, "rec.mkv") is None
        assert_whole(repo)
    assert _stored(root) < 1 << 20
    assert not list((root / ".aura" / "local" / "tmp").iterdir())


def test_a_recording_that_ends_is_saved_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written in the first round is written again, with all that is in it."""
    _grow(monkeypatch, root / "rec.mkv", times=1)
    with Repository.init(str(root)) as repo:
        version = commit(repo, "First cut").version
        assert version is not None
        entry = repo.trees.entry(version.tree, "rec.mkv")
        assert entry is not None
        assert repo.store.read(entry.id) == noise(SIZE, seed=1) + b"frame"
        assert_whole(repo)
    assert _stored(root) < SIZE + (1 << 20)
