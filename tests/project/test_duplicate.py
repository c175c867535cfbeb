"""Copies are told apart: an independent film has an id of its own, a copied folder is noticed."""

import json
import os
import shutil
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branches, create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.status import status
from aura_vcs.history.versions import purge_version
from aura_vcs.ids import blob_id
from aura_vcs.index.queries import VersionFilter
from aura_vcs.project.duplicate import duplicate
from aura_vcs.repository.listed_mark import mark_listed, original_of
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.checkout.new_file import StoredReaders

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


def test_the_history_comes_along(tmp_path: Path) -> None:
    """Versions, merges, branches, tags, words and rights are those of the original, under new ids."""
    with _film(tmp_path / "film") as repo:
        root = tmp_path / "film"
        create_branch(repo, "sound", resolve(repo, "HEAD").id)
        (root / "large.mov").write_bytes(os.urandom(5 << 20))
        (root / "secret.txt").write_text("for me")
        (root / "secret.txt").chmod(0o600)
        (root / "empty").mkdir()
        (root / "away").symlink_to("/etc")
        commit(repo, "On main")
        checkout(repo, "sound")
        (root / "sound.txt").write_text("la")
        commit(repo, "On sound")
        create_tag(repo, "mixed", resolve(repo, "HEAD").id, "To be heard")
        checkout(repo, "main")
        merge(repo, "sound")
        done = duplicate(repo, str(tmp_path / "copy"))
        old = {record.number: record for record in repo.queries.all_versions(VersionFilter())}
        with Repository.open(str(tmp_path / "copy"), author="Mira") as made:
            assert_whole(made)
            new = {record.number: record for record in made.queries.all_versions(VersionFilter())}
            assert done.versions == len(new) == len(old) + 1
            for number, record in old.items():
                again = new[number]
                assert (again.name, again.created_at, again.author) == (record.name, record.created_at, record.author)
                assert (again.tree, again.documents, again.branch) == (record.tree, record.documents, record.branch)
                parents = [repo.queries.version(one).number for one in record.parents]  # type: ignore[union-attr]
                assert [made.queries.version(one).number for one in again.parents] == parents  # type: ignore[union-attr]
                assert made.trees.version(again.id).project == done.project
            assert {found.name for found in branches(made)} == {"main", "sound"}
            assert made.refs.tags()["mixed"].message == "To be heard"
            assert status(made).is_clean
            checkout(made, "sound")
            assert (tmp_path / "copy/sound.txt").read_text() == "la"
            checkout(made, "main")
            assert (tmp_path / "copy/secret.txt").stat().st_mode & 0o077 == 0
            assert StoredReaders(made.store).of_stored(blob_id(b"for me")) & 0o077 == 0


def test_a_version_is_duplicated_with_what_led_to_it(tmp_path: Path) -> None:
    """Or alone, where no history is wanted."""
    with _film(tmp_path / "film") as repo:
        for name in ("Second", "Third"):
            (tmp_path / "film/clip.mov").write_text(name)
            commit(repo, name)
        done = duplicate(repo, str(tmp_path / "two"), version="v2")
        assert (done.versions, done.branches) == (3, ("main",))
        assert (tmp_path / "two/clip.mov").read_text() == "Second"
        alone = duplicate(repo, str(tmp_path / "alone"), with_history=False)
        assert (alone.versions, alone.branches) == (1, ())
        for folder in ("two", "alone"):
            with Repository.open(str(tmp_path / folder)) as made:
                assert_whole(made)


def test_content_that_was_freed_stays_freed(tmp_path: Path) -> None:
    """Of such a version, who made it and when comes along; its content is no fault."""
    with _film(tmp_path / "film") as repo:
        (tmp_path / "film/clip.mov").write_bytes(b"else")
        commit(repo, "Second")
        purge_version(repo, resolve(repo, "v1"))
        duplicate(repo, str(tmp_path / "copy"))
        with Repository.open(str(tmp_path / "copy")) as made:
            assert_whole(made)
            first = made.queries.versions_numbered(1)[0]
            assert (first.name, first.is_live) == ("First cut", False)


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
