"""Copies of a project: each is a replica of its own, from its first command on."""

import shutil
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.branches import need_branch
from aura_vcs.history.commit import commit
from aura_vcs.storage.faults import CountingCalls, Fault, FaultyCalls, Stopped


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """A project with three versions and something unsaved."""
    root = tmp_path / "original"
    root.mkdir()
    with Repository.init(str(root)) as repo:
        for take in range(3):
            (root / "plan.json").write_text(f'{{"take": {take}}}')
            commit(repo, f"Take {take}")
    (root / "plan.json").write_text('{"take": "unsaved"}')
    return root


def test_a_copy_is_another_replica_and_stays_one(original: Path, tmp_path: Path) -> None:
    """A blind copy chooses an id of its own once; renaming its folder does not make another."""
    copy = shutil.copytree(original, tmp_path / "copy")
    with Repository.open(str(original)) as ours, Repository.open(str(copy)) as theirs:
        assert theirs.has_moved
        assert not ours.has_moved
        assert ours.replica != theirs.replica
        replica = theirs.replica
    renamed = copy.rename(tmp_path / "renamed")
    with Repository.open(str(renamed)) as again:
        assert (again.replica, again.has_moved) == (replica, False)


def test_head_follows_the_first_commit_of_a_copy_wherever_that_dies(original: Path, tmp_path: Path) -> None:
    """The original's HEAD.json, with its higher sequence number, does not hide what the copy did."""
    template = shutil.copytree(original, tmp_path / "template")
    counting = CountingCalls()
    counted = shutil.copytree(template, tmp_path / "counted")
    with Repository.open(str(counted), calls=counting) as repo:
        counting.names.clear()
        commit(repo, "On the train")
    for at in range(1, len(counting.names) + 1):
        root = shutil.copytree(template, tmp_path / f"copy-{at}")
        Repository.open(str(root)).close()
        calls = FaultyCalls(Fault.STOP, at)
        repo = Repository.open(str(root), calls=calls)
        calls.arm(at)
        try:
            commit(repo, "On the train")
        except Stopped:
            pass
        finally:
            repo.close()
        with Repository.open(str(root)) as repo:
            assert need_branch(repo, "main").version == repo.head().version, f"died at call {at}"


def test_copies_write_no_file_of_each_other(original: Path, tmp_path: Path) -> None:
    """What one of them changed outside `local`, the other did not: a sync tool has nothing to decide."""
    copy = shutil.copytree(original, tmp_path / "copy")
    before = _shared(original)
    for root, name in ((original, "At the desk"), (copy, "On the train")):
        (root / "plan.json").write_text(f'{{"where": "{name}"}}')
        with Repository.open(str(root)) as repo:
            commit(repo, name)
    ours, theirs = ({item for item in _shared(root).items() if item not in before.items()} for root in (original, copy))
    assert ours
    assert theirs
    assert {path for path, _ in ours} & {path for path, _ in theirs} == set()


def _shared(root: Path) -> dict[str, bytes]:
    """Every file of the store that a sync tool would carry."""
    store = root / ".aura"
    names = [path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()]
    return {name: (store / name).read_bytes() for name in names if not name.startswith("local/")}
