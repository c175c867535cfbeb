"""A check beside others speaks of no damage that is none."""

import subprocess
import sys
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import commit
from aura_vcs.maintenance.confirm_damage import confirm_damage
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.record_checks import ref_problems

from tests.helpers.project import write

BUSY = """
import os, random, sys
from aura_vcs import Repository
from aura_vcs.history.autosave import autosave
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import undo
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.errors import AuraError
root = sys.argv[1]
for number in range(int(sys.argv[2])):
    for name in range(3):
        with open(os.path.join(root, f"f{random.randrange(20)}"), "w") as file:
            file.write(str(random.random()))
    with Repository.open(root) as repo:
        try:
            commit(repo, f"c{number}")
            if number % 3 == 0:
                undo(repo)
                execute_gc(repo, plan_gc(repo, grace_seconds=0))
        except AuraError:
            continue
"""


def test_what_is_half_done_is_no_damage(tmp_path: Path) -> None:
    """A commit between two looks of one check is looked at again, and is not a problem."""
    write(tmp_path, {"a.txt": "one"})
    with Repository.init(str(tmp_path)) as repo, Repository.open(str(tmp_path)) as other:
        commit(repo, "First")
        looks = []

        def look() -> list[str]:
            looks.append(1)
            if len(looks) < 3:
                write(tmp_path, {"a.txt": f"more {len(looks)}"})
                commit(other, f"Beside {len(looks)}")
            return [] if len(looks) > 2 else ["seems wrong"]

        with repo.locks.shared("objects"):
            assert confirm_damage(repo, look, lambda found: not found) == []
        assert len(looks) == 3


def test_damage_that_stays_is_told_at_once(tmp_path: Path) -> None:
    """Where nobody records anything, one look is enough."""
    write(tmp_path, {"a.txt": "one"})
    with Repository.init(str(tmp_path)) as repo:
        commit(repo, "First")
        label = next((tmp_path / ".aura/refs/versions").iterdir())
        label.write_bytes(b"{")
        looks = []

        def look() -> list[object]:
            looks.append(1)
            return list(ref_problems(repo))

        with repo.locks.shared("objects"):
            assert confirm_damage(repo, look, lambda found: not found)
        assert len(looks) == 1


def test_a_last_look_keeps_others_waiting(tmp_path: Path) -> None:
    """Who is always interrupted looks at last while nobody can record anything."""
    write(tmp_path, {"a.txt": "one"})
    with Repository.init(str(tmp_path)) as repo, Repository.open(str(tmp_path), lock_seconds=0.1) as other:
        commit(repo, "First")
        looks = []

        def look() -> list[str]:
            looks.append(1)
            write(tmp_path, {"a.txt": f"more {len(looks)}"})
            try:
                commit(other, f"Beside {len(looks)}")
            except Exception:
                return []
            return ["seems wrong"]

        with repo.locks.shared("objects"):
            assert confirm_damage(repo, look, lambda found: not found) == []


@pytest.mark.parametrize("rounds", [6, pytest.param(40, marks=pytest.mark.slow)])
def test_checks_beside_commits_and_collections(tmp_path: Path, rounds: int) -> None:
    """Two processes commit, undo and collect; every check meanwhile finds everything whole."""
    write(tmp_path, {f"f{number}": str(number) for number in range(20)})
    with Repository.init(str(tmp_path)) as repo:
        commit(repo, "First")
    command = [sys.executable, "-c", BUSY, str(tmp_path), str(rounds)]
    busy = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        while any(process.poll() is None for process in busy):
            with Repository.open(str(tmp_path)) as repo:
                assert fsck(repo).problems == ()
    finally:
        for process in busy:
            process.wait(timeout=120)
    with Repository.open(str(tmp_path)) as repo:
        assert fsck(repo).problems == ()
