"""Copies are told apart: an independent film has an id of its own, a copied folder is noticed."""

import json
import shutil
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.project.duplicate import duplicate
from aura_vcs.repository.listed_mark import mark_listed, original_of
from aura_vcs.repository.repository import Repository

from tests.helpers.check import assert_whole


def _film(path: Path) -> Repository:
    path.mkdir()
    (path / "project.json").write_text('{"id": "0b7c2a10-44d1-4c7b-9b5e-6f2a7d1e0001", "title": "Tides", "x": [1,2]}')
    (path / "clip.mov").write_bytes(b"media")
    (path / "run.sh").write_text("#!/bin/sh")
    (path / "run.sh").chmod(0o755)
    with start_project(str(path), author="Mira") as (repo, _):
        commit(repo, "First cut")
        return Repository.open(str(path), author="Mira")


def test_a_duplicate_is_a_film_of_its_own(tmp_path: Path) -> None:
    """The files of the version, another id and title, one version; nothing of the original changes."""
    with _film(tmp_path / "film") as repo:
        (tmp_path / "film/unsaved.txt").write_text("not yet")
        done = duplicate(repo, str(tmp_path / "copy"))
        document = json.loads((tmp_path / "copy/project.json").read_text())
        assert document["title"] == "Tides (copy)"
        assert document["x"] == [1, 2]
        assert document["id"] == done.project != repo.format.project
        assert (tmp_path / "copy/clip.mov").read_bytes() == b"media"
        assert (tmp_path / "copy/run.sh").stat().st_mode & 0o100
        assert not (tmp_path / "copy/unsaved.txt").exists()
        with Repository.open(str(tmp_path / "copy")) as made:
            assert made.format.project == done.project
            assert_whole(made)
        with pytest.raises(TargetExists):
            duplicate(repo, str(tmp_path / "copy"))
        with pytest.raises(InputError):
            duplicate(repo, str(tmp_path / "other"), title="x" * 501)
        assert not (tmp_path / "other").exists()


def test_a_copied_folder_is_noticed(tmp_path: Path) -> None:
    """It goes on as a machine of its own, and knows where it was copied from while that is still there."""
    with _film(tmp_path / "film") as repo:
        mark_listed(repo.root, str(tmp_path / "home"))
        assert original_of(repo) is None
        shutil.copytree(tmp_path / "film", tmp_path / "copy")
        with Repository.open(str(tmp_path / "copy")) as copied:
            assert copied.has_moved
            assert copied.replica != repo.replica
            assert original_of(copied) == str(tmp_path / "film")
            shutil.rmtree(tmp_path / "film/.aura")
            assert original_of(copied) is None
