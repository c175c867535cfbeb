"""How many functions of ours a commit and a push call: what they do more of, somebody waits for each time.

Counted in the thread that asks, once everything is imported. The limits leave some room; whoever needs more says
why, and whoever needs less lowers them.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import aura_vcs
import pytest
from aura_vcs import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from tests.helpers.project import save, write

PACKAGE = str(Path(aura_vcs.__file__).parent)
COMMIT_CALLS = 1_220
PUSH_CALLS = 1_320
VERSION_CALLS = 65
"""Of a push, for each version and pack that are there already."""
MANY = 200


def calls(work: Callable[[], object]) -> int:
    """Count the calls of functions of ours meanwhile, in this thread."""
    found = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal found
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            found += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def edit(root: Path, text: str) -> None:
    """Change one file, and let the clock of the disk go on: what was written just now is read again later."""
    write(root, {"f003.txt": text * 10})
    time.sleep(0.05)


def commit_calls(root: Path, text: str) -> int:
    """Count the calls of a commit of one small file."""
    edit(root, text)

    def work() -> None:
        with Repository.open(root, author="Test") as repo:
            save(repo, text)

    return calls(work)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A project with a few small files and two versions."""
    root = tmp_path / "film"
    root.mkdir()
    with Repository.init(str(root), author="Test") as repo:
        write(root, {f"f{number:03}.txt": f"file {number}\n" * 10 for number in range(20)})
        save(repo, "First")
    commit_calls(root, "warm")
    return root


def test_a_commit_of_one_file_calls_little(film: Path) -> None:
    """Opening the project, looking at its files, storing one and recording it.

    Every second time, what is known of so few files is written anew: 1,069 calls, else 1,036. A file read twice,
    because the clock of the disk did not go on, takes 16 more.
    """
    found = [commit_calls(film, text) for text in ("one", "two", "three")]
    assert max(found) <= COMMIT_CALLS, found


def test_files_that_did_not_change_cost_a_commit_no_calls(film: Path) -> None:
    """Twice as many files beside the changed one, and as many calls."""
    found = []
    for part in ("a", "b"):
        write(film, {f"{part}{number:03}.txt": f"{part} {number}\n" for number in range(MANY)})
        commit_calls(film, f"more {part}")
        found.append(commit_calls(film, f"then {part}"))
    assert found[1] - found[0] < MANY // 2, found  # one call for each would be more, whatever else varies


def test_a_push_of_one_version_calls_little(film: Path, tmp_path: Path) -> None:
    """Looking at a folder, sending a pack and a record, moving its manifest; a little more for each version there."""
    place = tmp_path / "nas"
    place.mkdir()
    with Repository.open(film, author="Test") as repo:
        create_remote(FolderRemote(str(place)), repo.format.project, "Test")

    def work() -> None:
        with Repository.open(film, author="Test") as repo:
            remote = FolderRemote(str(place))
            push(repo, remote, RemoteCache(repo, "nas"))
            remote.close()

    found = []
    for number in range(6):
        commit_calls(film, f"version {number}")
        found.append(calls(work))
    assert found[1] <= PUSH_CALLS, found
    assert found[5] - found[1] <= 4 * VERSION_CALLS, found
