"""Files with holes: zeros that take no room come back as such."""

import sys
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.worktree.checkout import writer

from tests.helpers.project import noise

HOLE = 8 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="not every disk elsewhere has holes")
LAYOUTS = {
    "in front": [None, b"end"],
    "at the end": [b"start", None],
    "between": [noise(2 << 20, seed=3), None, noise(1 << 20, seed=4), None, b"x"],
    "nothing else": [None],
}


def _write(path: Path, parts: list[bytes | None]) -> bytes:
    with path.open("wb") as file:
        for part in parts:
            if part is None:
                file.truncate(file.seek(HOLE, 1))
            else:
                file.write(part)
    return b"".join(bytes(HOLE) if part is None else part for part in parts)


def _room(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.mark.parametrize("name", LAYOUTS)
def test_holes_stay_holes(name: str, tmp_path: Path) -> None:
    """After a restore, and where many large files come at once, by a checkout."""
    root = tmp_path / "film"
    root.mkdir()
    path = root / "disk.img"
    data = _write(path, LAYOUTS[name])
    room = _room(path)
    with Repository.init(str(root)) as repo:
        commit(repo, "First cut")
        path.unlink()
        commit(repo, "Second cut")
        restore(repo, "v1", ["disk.img"])
        assert path.read_bytes() == data
        assert _room(path) <= room + (1 << 20)
        assert status(repo).changes[0].path == "disk.img"
        checkout(repo, "v1")
        assert path.read_bytes() == data
        assert status(repo).is_clean


def test_many_large_files_with_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are synced together."""
    monkeypatch.setattr(writer, "SYNC_BATCH", 2)
    root = tmp_path / "film"
    root.mkdir()
    written = {root / f"{n}.img": _write(root / f"{n}.img", parts) for n, parts in enumerate(LAYOUTS.values())}
    with Repository.init(str(root)) as repo:
        commit(repo, "First cut")
        for path in written:
            path.write_bytes(b"gone")
        commit(repo, "Second cut")
        checkout(repo, "v1")
    for path, data in written.items():
        assert path.read_bytes() == data
        assert _room(path) < (5 << 20)
