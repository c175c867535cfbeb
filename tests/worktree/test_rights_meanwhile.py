"""Who may read and run a file, changed by a person at every moment of a checkout, is as they left it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import checkout

from tests.helpers.project import save, write
from tests.model.test_late_edits import MOMENTS, Meanwhile


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A project whose second version changes, removes and adds files, small and large."""
    root = tmp_path / "template"
    with Repository.init(str(root)) as repo:
        write(root, {"same": "s", "small": "1", "large": os.urandom(1 << 20), "in/gone": "g", "run": "#!/bin/sh\n"})
        save(repo, "One")
        write(root, {"small": "22", "large": os.urandom(1 << 20), "new": "n"})
        (root / "in/gone").unlink()
        (root / "run").chmod(0o755)
        save(repo, "Two")
        checkout(repo, "v1")
    return root


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and ".aura" not in path.parts and path.name[0] != "."]


def _sweep(template: Path, folder: Path, change: Callable[[Path], None], check: Callable[[Path], bool]) -> None:
    at = count = 1
    while at <= count:
        root = folder / str(at)
        shutil.copytree(template, root, symlinks=True)
        with Repository.open(str(root)) as repo:
            checkout(repo, "HEAD", clean=True)
        changed: list[Path] = []

        def meanwhile(root: Path = root, changed: list[Path] = changed) -> None:
            changed += _files(root)
            for path in changed:
                change(path)

        calls = Meanwhile(meanwhile, at, MOMENTS - {"chmod"}, stop=0)  # no system sets bits of a mode alone
        with Repository.open(str(root), calls=calls) as repo:
            checkout(repo, "main")
        assert [path.name for path in changed if not check(path)] == [], f"moment {at}"
        at, count = at + 1, calls.count
    assert count > 5


def test_a_right_to_run_that_is_given_meanwhile_stays(tmp_path: Path, template: Path) -> None:
    """Versions have it, so it is an edit: the file is left as it is."""
    _sweep(template, tmp_path, lambda path: path.chmod(0o755), lambda path: os.access(path, os.X_OK))


def test_what_is_made_private_meanwhile_is_open_to_nobody(tmp_path: Path, template: Path) -> None:
    """Also where it is replaced: the new file is for the same people."""

    def is_private(path: Path) -> bool:
        return not path.exists() or not path.stat().st_mode & 0o077  # what a version does not have goes

    _sweep(template, tmp_path, lambda path: path.chmod(path.stat().st_mode & 0o700), is_private)
