"""Fixtures for the suites of this folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.maintenance.fsck import fsck

from tests.helpers.project import save
from tests.history.lines import Lines


@pytest.fixture
def lines(quick_path: Path, project: Path) -> Iterator[Lines]:
    """The small project with its first version, and two branches on it."""
    root = quick_path / "film"
    shutil.move(project, root)
    with Repository.init(root, author="Ada", host="studio") as repo:
        save(repo, "First cut")
        yield Lines(repo)
        assert not fsck(repo).problems
