"""A worker process looks and reads: what it says is what one process alone would have found."""

import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository, forked_worker as second_process
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.worktree.checkout import staging
from aura_vcs.worktree.scan.prefetch import ScanPrefetch, prefetch_scan
from aura_vcs.worktree.snapshot import parallel_read as reading
from aura_vcs.worktree.snapshot.stable_read import TICK_NS

from tests.helpers.changing_file import restless
from tests.helpers.check import assert_whole
from tests.helpers.two_processes import always_two

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a worker process is only started on Linux")
FILES = 60


@pytest.fixture(autouse=True)
def _always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    always_two(monkeypatch)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project of two folders with FILES files each, and one version."""
    root = tmp_path / "film"
    for name in ("a", "b/inner"):
        (root / name).mkdir(parents=True)
        for number in range(FILES):
            (root / name / f"{number:03}.json").write_text(f'{{"name": "{name}", "number": {number}}}')
    (root / "b" / "link").symlink_to("inner/000.json")
    (root / "b" / "render.tmp").write_text("ignored")
    (root / ".auraignore").write_text("proxies/\n")
    (root / "b" / "proxies").mkdir()
    with Repository.init(str(root)) as repo:
        commit(repo, "First cut")
        assert status(repo).is_clean  # the cache now knows every file and folder
    yield root
    shutil.rmtree(root, ignore_errors=True)


def _seen(root: Path) -> ScanPrefetch:
    found = prefetch_scan(str(root / "a"))
    assert found is not None
    return found


def _changes(root: Path, seen: ScanPrefetch | None) -> list[tuple[str, str]]:
    with Repository.open(str(root), ahead=seen) as repo:
        return [(change.change, change.path) for change in status(repo).changes]


def _rewrite(root: Path) -> None:
    (root / "a" / "007.json").write_text("other")


def _same_size(root: Path) -> None:
    path = root / "b" / "inner" / "001.json"
    path.write_text(path.read_text().replace("1", "2"))


def _replace_by_folder(root: Path) -> None:
    (root / "a" / "003.json").unlink()
    (root / "a" / "003.json").mkdir()
    (root / "a" / "003.json" / "new").write_text("new")


def _replace_folder_by_file(root: Path) -> None:
    shutil.rmtree(root / "b" / "inner")
    (root / "b" / "inner").write_text("a file")


def _replace_ignored_folder_by_file(root: Path) -> None:
    (root / "b" / "proxies").rmdir()
    (root / "b" / "proxies").write_text("a file, which the rule does not mean")


def _track_ignored(root: Path) -> None:
    (root / "b" / "render.tmp").unlink()


CHANGES: list[Callable[[Path], object]] = [
    lambda root: None,
    _rewrite,
    _same_size,
    lambda root: (root / "a" / "new.json").write_text("new"),
    lambda root: (root / "a" / "010.json").unlink(),
    lambda root: (root / "a" / "010.json").rename(root / "b" / "010.json"),
    lambda root: (root / "a" / "011.json").chmod(0o755),
    lambda root: (root / "empty").mkdir(),
    lambda root: shutil.rmtree(root / "b" / "inner"),
    _replace_by_folder,
    _replace_folder_by_file,
    _replace_ignored_folder_by_file,
    _track_ignored,
    lambda root: ((root / "b" / "link").unlink(), (root / "b" / "link").symlink_to("inner/001.json")),
    lambda root: (root / os.fsdecode(b"a/\xff")).write_text("no text"),
    lambda root: (root / ".auraignore").write_text("*.json\n"),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_seen_ahead_is_what_is_there(folder: Path, number: int, when: str) -> None:
    """Every kind of change, made before the worker process looked: the same answer as without it.

    Made after it looked, the change may be missed by a status that had begun, never by the next one.
    """
    if when == "before":
        CHANGES[number](folder)
        assert _changes(folder, _seen(folder)) == _changes(folder, None)
    else:
        _changes(folder, _late(folder, CHANGES[number]))
    expected = _changes(folder, None)
    assert _changes(folder, _seen(folder)) == expected
    with Repository.open(str(folder), ahead=_seen(folder)) as repo:
        done = commit(repo, "Second cut")
        assert (done.version is not None) == bool(expected)
        assert_whole(repo)
        assert status(repo).is_clean


def _late(folder: Path, change: Callable[[Path], object]) -> ScanPrefetch:
    seen = _seen(folder)
    os.waitid(os.P_PID, seen.second.pid, os.WEXITED | os.WNOWAIT)
    change(folder)
    return seen


def test_another_cache_makes_what_was_seen_worthless(folder: Path) -> None:
    """Between the look and the scan another command saved the cache: everything is looked at again."""
    seen = _seen(folder)
    os.waitid(os.P_PID, seen.second.pid, os.WEXITED | os.WNOWAIT)
    _rewrite(folder)
    with Repository.open(str(folder)) as other:
        commit(other, "Meanwhile")
    (folder / "a" / "008.json").write_text("later")
    assert _changes(folder, seen) == [("modified", "a/008.json")]


def test_a_second_process_that_dies_is_not_missed(folder: Path) -> None:
    """Killed while it looked, it has said nothing; killed while it read, the rest is read here."""
    _rewrite(folder)
    seen = _seen(folder)
    os.kill(seen.second.pid, signal.SIGKILL)
    assert _changes(folder, seen) == [("modified", "a/007.json")]


def test_a_reader_that_dies_is_not_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after its first message, the rest of the files are read by the first process."""
    for number in range(FILES):
        (folder / "a" / f"{number:03}.json").write_text(f"again {number} " * 50)
    time.sleep(3 * TICK_NS / 1e9)  # the worker process leaves out what was written just now
    started = reading.start_reader
    monkeypatch.setattr(reading, "FRAME_BYTES", 1000)

    def start_and_kill(count: int, take: reading.Take) -> reading.ParallelReader | None:
        reader = started(count, take)
        assert reader is not None
        frames, pid = reader.frames(), reader.second.pid

        def frames_and_kill() -> Iterator[object]:
            yield next(frames)
            os.kill(pid, signal.SIGKILL)
            yield from frames

        monkeypatch.setattr(reader, "frames", frames_and_kill)
        return reader

    monkeypatch.setattr("aura_vcs.worktree.snapshot.snapshot.start_reader", start_and_kill)
    with Repository.open(str(folder)) as repo:
        commit(repo, "Second cut")
        assert_whole(repo)
        assert status(repo).is_clean


@pytest.mark.parametrize("seed", range(20))
def test_two_that_go_through_a_list_from_both_ends_leave_nothing_out(seed: int) -> None:
    """However they take turns; at most a few are taken by both."""
    rng = random.Random(seed)
    count = rng.randrange(0, 60)
    meeting = reading.SharedCursor(count)
    front, taken, pace = meeting.from_front(), list[int](), rng.random()
    while True:
        if rng.random() < pace:
            taken += meeting.from_back()
            continue
        number = next(front, None)
        if number is None:
            break
        taken.append(number)
    assert set(taken) == set(range(count))
    assert len(taken) <= count + reading.OWN_FILES


def test_what_is_known_or_there_twice_is_stored_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that another process made may hold what the store has, or what came in an earlier frame."""
    monkeypatch.setattr(reading, "FRAME_BYTES", 400)
    for number in range(FILES):
        text = (folder / "a" / f"{number:03}.json").read_text()
        (folder / "b" / f"{number:03}.copy").write_text(text if number % 3 else f"new {number % 2}")
    time.sleep(3 * TICK_NS / 1e9)
    with Repository.open(str(folder)) as repo:
        before = repo.index.database.connection.execute("SELECT count(*) FROM objects").fetchone()[0]
        done = commit(repo, "Second cut")
        assert done.version is not None
        assert done.unstable == ()
        after = repo.index.database.connection.execute("SELECT count(*) FROM objects").fetchone()[0]
        assert after - before == 5  # two contents, the trees of b and of the project, the version
        assert_whole(repo)
        assert fsck(repo).problems == ()
        assert status(repo).is_clean


def test_a_restless_file_among_many_is_named(folder: Path) -> None:
    """The worker process leaves it out, the first one tries again and gives up in the end."""
    for number in range(FILES):
        (folder / "a" / f"{number:03}.json").write_text(f"again {number}")
    with Repository.open(str(folder)) as repo, restless(folder / "a" / "005.json"):
        assert commit(repo, "Second cut").unstable == ("a/005.json",)
        assert_whole(repo)


@pytest.fixture
def second_cut(folder: Path) -> Path:
    """A second version in which every file is another one; the folder is at the first."""
    for path in [*(folder / "a").iterdir(), *(folder / "b" / "inner").iterdir()]:
        path.write_text(f"{path.name} in the second cut")
    (folder / "a" / "010.json").chmod(0o755)
    with Repository.open(str(folder)) as repo:
        commit(repo, "Second cut")
        checkout(repo, "v1")
    return folder


def _is_second_cut(folder: Path) -> bool:
    with Repository.open(str(folder)) as repo:
        assert status(repo).is_clean
        assert_whole(repo)
    files = [*(folder / "a").iterdir(), *(folder / "b" / "inner").iterdir()]
    assert os.access(folder / "a" / "010.json", os.X_OK)
    return all(path.read_text() == f"{path.name} in the second cut" for path in files)


def test_two_processes_write_what_one_would(second_cut: Path) -> None:
    """A checkout of many small files, half of them by the worker process."""
    with Repository.open(str(second_cut)) as repo:
        assert checkout(repo, "v2").skipped == ()
    assert _is_second_cut(second_cut)


@pytest.mark.parametrize("after", [0, 5, FILES])
def test_a_writer_that_dies_is_not_missed(second_cut: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after some files, it has told nothing: all that it was given is written here."""
    write, first, count = staging.Staging._write_file, os.getpid(), iter(range(10_000))

    def write_and_die(self: staging.Staging, *args: object) -> object:
        if os.getpid() != first and next(count) >= after:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(staging.Staging, "_write_file", write_and_die)
    with Repository.open(str(second_cut)) as repo:
        assert checkout(repo, "v2").skipped == ()
    assert _is_second_cut(second_cut)


def test_a_file_edited_meanwhile_is_left_alone_by_both(second_cut: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edited after the scan: whichever process meets it, it stays, and is listed once."""
    edited = [second_cut / "a" / "001.json", second_cut / "b" / "inner" / "059.json"]
    started = staging.fork_worker

    def edit_and_start(work: Callable[[int], None]) -> second_process.ForkedWorker | None:
        for path in edited:
            path.write_text("edited meanwhile")
        return started(work)

    monkeypatch.setattr(staging, "fork_worker", edit_and_start)
    with Repository.open(str(second_cut)) as repo:
        assert sorted(checkout(repo, "v2").skipped) == ["a/001.json", "b/inner/059.json"]
    assert [path.read_text() for path in edited] == ["edited meanwhile"] * 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_nobody_may_read_is_named(folder: Path) -> None:
    """The first process meets the same error, names the file, and has it as it was."""
    for number in range(FILES):
        (folder / "a" / f"{number:03}.json").write_text(f"again {number}")
    (folder / "a" / "005.json").chmod(0)
    with Repository.open(str(folder)) as repo:
        assert [skipped.path for skipped in commit(repo, "Second cut").skipped] == ["a/005.json"]


def test_a_file_gone_meanwhile_is_not_in_the_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that went between the scan and its reading: as if it had gone before, as with one process."""
    for number in range(FILES):
        (folder / "a" / f"{number:03}.json").write_text(f"again {number}")
    started = reading.start_reader

    def start_late(count: int, take: reading.Take) -> reading.ParallelReader | None:
        (folder / "a" / "030.json").unlink()
        return started(count, take)

    monkeypatch.setattr("aura_vcs.worktree.snapshot.snapshot.start_reader", start_late)
    with Repository.open(str(folder)) as repo:
        done = commit(repo, "Second cut")
        assert done.version is not None
        assert not done.skipped
        assert repo.trees.entry(done.version.tree, "a/030.json") is None
        assert repo.trees.entry(done.version.tree, "a/031.json") is not None


def test_the_second_process_is_not_started_beside_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread may hold a lock at that moment, which nobody would open in the copy."""
    monkeypatch.undo()
    goes_on = threading.Event()
    thread = threading.Thread(target=goes_on.wait)
    thread.start()
    try:
        assert second_process.fork_worker(lambda _: None) is None
    finally:
        goes_on.set()
        thread.join()


def test_a_process_with_very_many_files_open_reads_as_well(folder: Path) -> None:
    """Numbers of files above 1023 are too large for some calls."""
    import resource  # which Windows has not

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], min(limits[1], 3000)), limits[1]))
    many: list[int] = []
    try:
        while not many or many[-1] < 1100:
            many.append(os.open(os.devnull, os.O_RDONLY))
        for number in range(FILES):
            (folder / "a" / f"{number:03}.json").write_text(f"again {number}")
        with Repository.open(str(folder)) as repo:
            commit(repo, "Second cut")
            assert_whole(repo)
    finally:
        for fd in many:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
