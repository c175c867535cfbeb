"""What an interrupted command left in the store goes by itself after a day, and nothing else does."""

import os
import re
import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
from aura_vcs import AuraError, Repository, layout
from aura_vcs.cli.main import cli
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import delete_version, undelete_version
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import Collected, GcPlan, execute_gc, plan_gc
from aura_vcs.maintenance.housekeeping import is_due, keep_house
from aura_vcs.maintenance.unrecorded import UNRECORDED_SECONDS
from aura_vcs.plain_text import now, parse_time
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls, Stopped
from click.testing import CliRunner

from tests.helpers.check import assert_whole, saved_contents
from tests.helpers.project import clone, duplicate, noise
from tests.helpers.sampling import chance

STRIDE = 4
"""By default every fourth call is struck."""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film with one version, and work that is not saved: small files and a large one."""
    root = tmp_path / "film"
    root.mkdir()
    (root / "notes.txt").write_text("gulls")
    with Repository.init(str(root), author="Ada") as repo:
        commit(repo, "First")
    _shoot(root, seed=1)
    return root


def _shoot(root: Path, seed: int) -> None:
    (root / "take.mov").write_bytes(noise(1_500_000, seed=seed))
    for number in range(6):
        (root / f"{number}.txt").write_text(f"{seed} {number}" * 100)


def _interrupted(root: Path, at: int, fault: Fault = Fault.STOP) -> bool:
    """Commit with a fault at a call; returns whether it struck."""
    calls = FaultyCalls(fault, at)
    repo = Repository.open(str(root), author="Ada", calls=calls)
    calls.arm(at)
    try:
        commit(repo, "Second")
    except (AuraError, Stopped):
        return True
    finally:
        repo.close()
    return False


def _until_stored(root: Path) -> None:
    """Interrupt a commit when its content is in the store and the operation is not in the log."""
    with Repository.open(str(root), author="Ada") as repo:

        def stop(*_: object, **__: object) -> None:
            raise Stopped

        repo.logs.append = stop  # type: ignore[method-assign]
        with pytest.raises(Stopped):
            commit(repo, "Second")


def _collect(repo: Repository) -> Collected:
    """Collect as if more than a day had gone by."""
    return execute_gc(repo, _plan(repo))


def _plan(repo: Repository) -> GcPlan:
    return plan_gc(repo, unrecorded_seconds=-1, dead_share=0.0)


def _lists(root: Path) -> list[str]:
    folder = root / ".aura" / layout.UNRECORDED
    return sorted(os.listdir(folder)) if folder.exists() else []


def _age(root: Path) -> None:
    """Let what was stored and listed be two days old."""
    past = time.time_ns() - 2 * UNRECORDED_SECONDS * 10**9
    for path in (root / ".aura" / "objects").rglob("*"):
        os.utime(path, ns=(past, past))
    for name in _lists(root):
        path = root / ".aura" / layout.UNRECORDED / name
        path.write_bytes(re.sub(rb"(?m)^\d+", str(past).encode(), path.read_bytes()))


def _garbage(repo: Repository) -> int:
    repo.adopt_unrecorded_objects()
    return len(repo.queries.unreferenced())


@pytest.mark.parametrize("fault", [Fault.STOP, Fault.FULL])
def test_nothing_is_left_of_an_interrupted_commit(film: Path, tmp_path: Path, fault: Fault) -> None:
    """Wherever it is struck: a day later the store holds what is saved and no more, and the commit works then."""
    counting = CountingCalls()
    with Repository.open(str(duplicate(film, tmp_path / "count")), author="Ada", calls=counting) as repo:
        counting.names.clear()
        commit(repo, "Second")
    for at in range(chance(__name__, str(fault)).randrange(1, STRIDE), len(counting.names), STRIDE):
        root = duplicate(film, tmp_path / f"struck-{at}")
        if not _interrupted(root, at, fault):
            break  # the last calls need no room
        with Repository.open(str(root), author="Ada") as repo:
            assert plan_gc(repo).to_delete == (), "what is young stays"
            _collect(repo)
            assert _garbage(repo) == 0, f"left after call {at}"
            assert not _lists(root)
            assert fsck(repo).problems == ()
            commit(repo, CommitRequest("Second", allow_empty=True))
            assert_whole(repo)
            assert (root / "take.mov").read_bytes() in saved_contents(repo)
        shutil.rmtree(root)


def test_it_goes_after_a_day_and_is_said(film: Path) -> None:
    """Until then the plan says when; then it is deleted, though other garbage of that age would stay."""
    _until_stored(film)
    with Repository.open(str(film), author="Ada") as repo:
        young = plan_gc(repo)
        assert young.to_delete == ()
        assert {item.id for item in young.in_grace_period} == set(young.unrecorded)
        left = parse_time(young.unrecorded_until) - parse_time(now())
        assert timedelta(hours=23) < left <= timedelta(days=1)
    _age(film)
    with Repository.open(str(film), author="Ada") as repo:
        plan = plan_gc(repo)
        assert sum(item.size for item in plan.to_delete) > 1_500_000
        assert plan.in_grace_period == ()
        execute_gc(repo, plan)
        assert _garbage(repo) == 0
        assert not _lists(film)


def test_a_commit_leaves_no_list(film: Path) -> None:
    """What is recorded is on none; nor is what a retry of a failed commit took over from it."""
    with Repository.open(str(film), author="Ada") as repo:
        commit(repo, "Second")
        assert not _lists(film)
    _shoot(film, seed=2)
    _until_stored(film)
    assert len(_lists(film)) == 1
    with Repository.open(str(film), author="Ada") as repo:
        commit(repo, "Third")
        assert_whole(repo)
        _collect(repo)
        assert not _lists(film)
        assert_whole(repo)
        assert (film / "take.mov").read_bytes() in saved_contents(repo)


def test_a_list_decides_about_nothing_in_use(film: Path) -> None:
    """A list that outlived its commit: neither what versions hold nor what an undo would bring back goes."""
    with Repository.open(str(film), author="Ada") as repo:
        repo.store.unrecorded.forget = lambda: None  # type: ignore[method-assign]
        made = commit(repo, "Second").version
        assert made is not None
    assert len(_lists(film)) == 1
    with Repository.open(str(film), author="Ada") as repo:
        assert _plan(repo).to_delete == ()
        (film / "take.mov").write_bytes(b"short")
        commit(repo, "Third")
        delete_version(repo, resolve(repo, "v2"))
    for rebuilt in (False, True):
        with Repository.open(str(film), author="Ada") as repo:
            if rebuilt:  # an index made anew has forgotten that anything was held
                repo.rebuild_index()
            assert _garbage(repo) > 0
            assert _plan(repo).to_delete == ()
            _collect(repo)
    with Repository.open(str(film), author="Ada") as repo:
        undelete_version(repo, resolve(repo, "v2"))
        assert_whole(repo)
        assert noise(1_500_000, seed=1) in saved_contents(repo)


def test_what_others_brought_stays(film: Path, tmp_path: Path) -> None:
    """Content on no list of this replica's may belong to a version on its way here."""
    _until_stored(film)
    other = clone(film, tmp_path / "other")  # a copy of the folder, lists and all, is another replica
    with Repository.open(str(other), author="Bert") as repo:
        assert _lists(other)
        assert _garbage(repo) > 0
        assert _plan(repo).to_delete == ()
    for path in (film / ".aura" / layout.UNRECORDED).iterdir():
        path.unlink()
    with Repository.open(str(film), author="Ada") as repo:
        assert _garbage(repo) > 0
        assert _plan(repo).to_delete == ()


def test_what_somebody_relies_on_is_young_again(film: Path) -> None:
    """A running command renews the date of what it finds stored: it is not due."""
    _until_stored(film)
    _age(film)
    with Repository.open(str(film), author="Ada") as repo:
        repo.adopt_unrecorded_objects()  # a pack that no row knows is not relied on, but stored anew
        found = {item.id for item in plan_gc(repo).to_delete}
        assert found
        assert repo.store.renew(found) == found
        assert plan_gc(repo).to_delete == ()


def test_damaged_lists_name_nothing(film: Path) -> None:
    """Torn lines, other bytes, folders and links in the place of lists: as if there were none."""
    _until_stored(film)
    folder = film / ".aura" / layout.UNRECORDED
    (name,) = _lists(film)
    whole = (folder / name).read_bytes()
    ages = (b"1", b"9" * 19, b"9" * 30, b"-1", b"x")
    for data in (b"", whole[:-1].rpartition(b"\n")[2], b"\0" * 100, *(age + b" pack ../../x\n" for age in ages)):
        (folder / name).write_bytes(data)
        with Repository.open(str(film), author="Ada") as repo:
            assert _plan(repo).to_delete == (), data
    (folder / name).write_bytes(b"9" * 19 + whole[whole.index(b" ") :])
    with Repository.open(str(film), author="Ada") as repo:
        assert not {item.size for item in plan_gc(repo).to_delete}, "from a clock that was ahead"
    (folder / name).unlink()
    (folder / name).symlink_to(film / "notes.txt")
    (folder / f"{name[:-1]}x").mkdir()
    with Repository.open(str(film), author="Ada") as repo:
        assert _plan(repo).to_delete == ()
        _collect(repo)
    assert (film / "notes.txt").read_text() == "gulls"


def test_it_goes_by_itself(film: Path) -> None:
    """Collecting by itself takes it; a list that names nothing any more goes with the next one."""
    _until_stored(film)
    with Repository.open(str(film), author="Ada") as repo:
        assert not is_due(repo)
    _age(film)
    with Repository.open(str(film), author="Ada") as repo:
        assert is_due(repo)
        done = keep_house(repo)
        assert done is not None
        assert done.freed_bytes > 1_000_000
        assert not is_due(repo)
        assert not _lists(film)
        repo.store.unrecorded.forget = lambda: None  # type: ignore[method-assign]
        commit(repo, "Second")
    _age(film)
    with Repository.open(str(film), author="Ada") as repo:
        assert is_due(repo)
        assert keep_house(repo) is None
        assert not _lists(film)
        assert not is_due(repo)
        assert_whole(repo)


def test_the_command_says_it(film: Path) -> None:
    """`aura gc` tells what was left, and when it goes."""
    _until_stored(film)
    run = CliRunner(env={"AURA_HOME": str(film.parent / "home"), "AURA_AUTHOR": "Ada"})
    said = run.invoke(cli, ["-C", str(film), "gc"]).output
    assert re.search(
        r"Left by an interrupted command, removed automatically after a day, 20\d\d-.*: \d+ objects, 1\.\d MB", said
    )
    _age(film)
    said = run.invoke(cli, ["-C", str(film), "gc", "--dry-run"]).output
    assert re.search(r"To delete: .*; of these an interrupted command left \d+ objects, 1\.\d MB", said)
    assert "Freed" in run.invoke(cli, ["-C", str(film), "gc"]).output
