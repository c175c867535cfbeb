"""What `status` says of documents without reading them again, and what it reads again."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.history.status import status
from aura_vcs.project.documents import cached_check
from aura_vcs.project.documents.cached_check import CachedCheck, folder_problems, read_remembered
from aura_vcs.project.documents.check import check_project
from aura_vcs.repository.repository import Repository

SCENE = {"id": "a", "index": 0, "heading": "A", "script_text": "t", "image_file_path": "assets/x.png"}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with start_project(str(tmp_path / "film"), title="Film") as (made, _):
        for name, data in {"scenes/1.json": json.dumps(SCENE), "assets/x.png": "x", "notes/a.txt": "a"}.items():
            place = Path(made.root, name)
            place.parent.mkdir(exist_ok=True)
            place.write_text(data)
        commit(made, "One")
        yield made


def _is_right(repo: Repository) -> bool:
    return folder_problems(repo, status(repo)) == check_project(FolderSource(repo.root))


def _every(repo: Repository) -> dict[str, str]:
    known = read_remembered(repo, "problems", CachedCheck)
    assert known is not None
    return known.every


def test_unsaved_changes_of_other_files_leave_the_answer_as_it_is(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after the next commit, whose tree is another; what a document says or names is read when it changes."""
    monkeypatch.setattr(cached_check, "TICK_NS", -(1 << 60))  # all files are old enough
    Path(repo.root, "notes/a.txt").write_text("b")
    assert _is_right(repo)
    before = _every(repo)
    assert {"scenes/1.json", "assets/x.png", "", "scenes"} <= before.keys()
    Path(repo.root, "notes/b.txt").write_text("c")
    commit(repo, "Two")
    assert _is_right(repo)
    assert _every(repo) == before
    scene = Path(repo.root, "scenes/1.json")
    found = scene.stat()
    scene.write_text(json.dumps(SCENE).replace('"index": 0', '"index": 5'))
    os.utime(scene, ns=(found.st_atime_ns, found.st_mtime_ns))  # size and date are as they were
    assert _is_right(repo)
    Path(repo.root, "assets/x.png").rename(Path(repo.root, "notes/x.png"))
    assert _is_right(repo)
    Path(repo.root, "notes/x.png").rename(Path(repo.root, "notes/y.png"))
    assert _is_right(repo)
    Path(repo.root, "scenes/2.json").write_text("{")
    assert _is_right(repo)
    Path(repo.root, "scenes/2.json").unlink()
    Path(repo.root, "notes/y.png").rename(Path(repo.root, "assets/x.png"))
    assert _is_right(repo)
    Path(repo.root, "project.json").unlink()
    assert _is_right(repo)


def test_what_changed_just_now_is_read_again(repo: Repository) -> None:
    """It may change again within the same tick of the disk's clock."""
    Path(repo.root, "notes/a.txt").write_text("b")
    Path(repo.root, "scenes/1.json").write_text(json.dumps(SCENE | {"index": 1}))
    assert _is_right(repo)
    assert read_remembered(repo, "problems", CachedCheck) is None
    Path(repo.root, "scenes/1.json").write_text(json.dumps(SCENE | {"index": 2}))
    assert _is_right(repo)
