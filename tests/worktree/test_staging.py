"""Checkouts of many small files: made aside, durable, and then put in place."""

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.status import status
from aura_vcs.ids import blob_id
from aura_vcs.layout import STAGED, TEMPORARY_FILE
from aura_vcs.model import Kind
from aura_vcs.storage.sweep import sweep_temporary
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.testing.recorded_calls import RecordedCall, RecordingCalls
from aura_vcs.worktree.checkout import safe_folder, staging_plan as staged, writer
from aura_vcs.worktree.snapshot.stable_read import FileSource

from tests.helpers.check import assert_whole

FILES = 40
FOLDERS = ("a", "b/inner", "b/other")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose first version has folders of many files, and whose folder is at the second, which has none."""
    monkeypatch.setattr(writer, "SYNC_BATCH", 4)
    folder = tmp_path / "film"
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        for number in range(FILES):
            (folder / name / f"{number}.json").write_text(_text(name, number))
    (folder / "a" / "0.json").chmod(0o755)
    (folder / "b" / "empty").mkdir()
    (folder / "plan.json").write_text("{}")
    with Repository.init(str(folder)) as repo:
        commit(repo, "First cut")
        shutil.rmtree(folder / "a")
        shutil.rmtree(folder / "b")
        commit(repo, "Second cut")
    return folder


def _text(name: str, number: int) -> str:
    return f'{{"name": "{name}", "number": {number}}}'


def _check_out(root: Path, calls: FileCalls | None = None) -> tuple[str, ...]:
    with Repository.open(str(root), **({"calls": calls} if calls is not None else {})) as repo:  # type: ignore[arg-type]
        return checkout(repo, "v1").skipped


def _is_first_cut(root: Path, but: str = "") -> None:
    for name in FOLDERS:
        for number in range(FILES):
            if f"{name}/{number}.json" != but:
                assert (root / name / f"{number}.json").read_text() == _text(name, number)
    assert os.access(root / "a" / "0.json", os.X_OK)
    assert (root / "b" / "empty").is_dir()
    assert not list((root / ".aura" / "local" / "tmp").iterdir())


linux = pytest.mark.skipif(sys.platform != "linux", reason="calls are recorded with /proc")


@linux
def test_a_new_folder_gets_its_name_once_and_is_durable_then(root: Path) -> None:
    """One rename for each new folder, none for a file; before it one sync of the disk."""
    calls = RecordingCalls()
    assert _check_out(root, calls) == ()
    _is_first_cut(root)
    store = str(root / ".aura")
    placed = [event for event in calls.events if event.call == "replace" and not event.target.startswith(store)]
    assert [event.target for event in placed] == [str(root / "a"), str(root / "b")]
    synced = [number for number, event in enumerate(calls.events) if event.call == "sync_disk"]
    assert len(synced) == 1
    assert synced[0] < calls.events.index(placed[0])
    after = [event.path for event in calls.events[calls.events.index(placed[-1]) :] if event.call == "fsync_folder"]
    assert str(root) in after


@linux
def test_files_in_old_folders_are_durable_before_they_get_their_names(root: Path) -> None:
    """Replaced files are written and synced together, and then change places with the old ones."""
    _check_out(root)
    for number in range(FILES):
        (root / "a" / f"{number}.json").write_text(f"third cut {number}")
    with Repository.open(str(root)) as repo:
        commit(repo, "Third cut")
    calls = RecordingCalls()
    assert _check_out(root, calls) == ()
    _is_first_cut(root)
    events = calls.events
    placed = [n for n, e in enumerate(events) if e.call == "exchange" and e.target.startswith(str(root / "a"))]
    created = [n for n, e in enumerate(events) if e.call == "create" and "/staged/files/" in e.path]
    synced = [n for n, e in enumerate(events) if e.call == "sync_disk"]
    assert len(placed) == len(created) == FILES
    assert max(created) < synced[0] < min(placed)


@linux
def test_names_in_many_folders_become_durable_together(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sync of the disk after the last file got its name, before the operation is recorded; else one a folder."""
    _check_out(root)
    for name in FOLDERS:
        for number in range(FILES):
            (root / name / f"{number}.json").write_text(f"third cut {number}")
    with Repository.open(str(root)) as repo:
        commit(repo, "Third cut")
    log = str(root / ".aura" / "operations")
    for version, together in (("v1", 2), ("v3", 4)):
        monkeypatch.setattr(safe_folder, "SYNC_DISK_FROM", together)
        calls = RecordingCalls()
        with Repository.open(str(root), calls=calls) as repo:
            assert checkout(repo, version).skipped == ()
        events = calls.events
        last = max(n for n, e in enumerate(events) if e.call == "exchange")
        recorded = next(n for n, e in enumerate(events) if n > last and log in e.path)
        between = [e for e in events[last:recorded] if e.call == "sync_disk" or str(root) in e.path]
        synced = [e.path for e in between if e.call == "fsync_folder" and "/.aura" not in e.path]
        disk = sum(e.call == "sync_disk" for e in between)
        assert (disk, synced) == ((1, []) if together == 2 else (0, sorted(str(root / name) for name in FOLDERS)))


@linux
def test_few_files_are_dated_back_and_an_edit_at_once_is_seen(root: Path) -> None:
    """Nobody waits for the clock of their dates; what is written in the same moment, as long as before, is found."""
    _check_out(root)
    with Repository.open(str(root)) as repo:
        path = root / "a" / "7.json"
        assert path.stat().st_mtime < time.time() - 1
        path.write_text(_text("A", 7))
        assert [change.path for change in status(repo).changes] == ["a/7.json"]


class _Meanwhile(FileCalls):
    """Does something when the disk has been synced: the last moment before folders get their names."""

    def __init__(self, what: Callable[[], object]) -> None:
        self.what = what

    def sync_disk(self, path: str) -> bool:
        """See FileCalls."""
        done = super().sync_disk(path)
        self.what()
        return done


def test_a_folder_that_somebody_made_meanwhile_keeps_what_is_in_it(root: Path) -> None:
    """The files are put beside it one by one; one of the same name is left alone."""

    def make() -> None:
        (root / "a").mkdir()
        (root / "a" / "mine.txt").write_text("mine")
        (root / "a" / "3.json").write_text("mine too")

    assert _check_out(root, _Meanwhile(make)) == ("a/3.json",)
    assert (root / "a" / "mine.txt").read_text() == "mine"
    assert (root / "a" / "3.json").read_text() == "mine too"
    _is_first_cut(root, but="a/3.json")


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few make links")
def test_a_link_put_in_the_way_leads_nowhere(root: Path, tmp_path: Path) -> None:
    """A link that appears where a folder is to come stays, and nothing is written through it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    left = _check_out(root, _Meanwhile(lambda: (root / "b").symlink_to(outside)))
    assert len(left) == 2 * FILES
    assert not list(outside.iterdir())
    assert (root / "b").is_symlink()


def test_what_was_laid_out_is_known(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at the folder next opens no file, and a commit finds nothing to do."""
    _check_out(root)
    monkeypatch.setattr(FileSource, "_open", lambda self: pytest.fail(f"{self.path} was opened"))
    with Repository.open(str(root)) as repo:
        assert status(repo).is_clean
        assert commit(repo, "Nothing").version is None


@pytest.mark.parametrize("back", [False, True])
def test_a_write_right_after_is_seen(root: Path, back: bool) -> None:
    """A file written as soon as it is there, with as many bytes, and even with its old date put back."""
    _check_out(root)
    path = root / "b" / "inner" / "7.json"
    before = path.stat()
    path.write_text(_text("b/inner", 8))
    if back:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with Repository.open(str(root)) as repo:
        assert [change.path for change in status(repo).changes] == ["b/inner/7.json"]


def test_damaged_content_is_told_before_anything_is_in_place(root: Path) -> None:
    """A flipped byte in a pack: the folder stays as it was, down to its temporary files."""
    for pack in (root / ".aura" / "objects" / "packs").iterdir():
        pack.chmod(0o644)
        data = bytearray(pack.read_bytes())
        data[len(data) // 4] ^= 1
        pack.write_bytes(data)
    with pytest.raises(ObjectCorrupt):
        _check_out(root)
    assert not (root / "a").exists()
    assert not list((root / ".aura" / "local" / "tmp").iterdir())


class _NoSyncOfAll(RecordingCalls):
    def sync_disk(self, path: str) -> bool:
        """See FileCalls."""
        del path
        return False


@linux
def test_where_the_disk_cannot_be_synced_at_once_every_file_is(root: Path) -> None:
    """Each file and each new folder is synced before the folder has its name."""
    calls = _NoSyncOfAll()
    _check_out(root, calls)
    _is_first_cut(root)

    def first(what: Callable[[RecordedCall], bool]) -> int:
        return next(number for number, event in enumerate(calls.events) if what(event))

    placed = first(lambda event: event.call == "replace" and event.target == str(root / "a"))
    files = [event for event in calls.events[:placed] if event.call == "fsync" and event.path.endswith(".json")]
    folders = {
        event.path for event in calls.events[:placed] if event.call == "fsync_folder" and "/staged/" in event.path
    }
    assert len({event.path for event in files if "/staged/" in event.path}) == len(FOLDERS) * FILES
    assert len(folders) >= len(FOLDERS) + 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bit")
def test_a_folder_takes_over_its_parents_group(root: Path) -> None:
    """Below a folder that hands its group down, a new one does so too."""
    root.chmod(root.stat().st_mode | stat.S_ISGID)
    _check_out(root)
    _is_first_cut(root)
    assert (root / "b").stat().st_mode & stat.S_ISGID
    assert (root / "b" / "inner").stat().st_mode & stat.S_ISGID


def test_what_a_killed_checkout_left_is_gone_after_the_next(root: Path) -> None:
    """Whoever changes the folder is alone: what lies where files are made is left over."""
    left = root / ".aura" / "local" / "tmp" / "staged" / "0123456789ab"
    left.mkdir(parents=True)
    (left / "half.json").write_text("half")
    assert _check_out(root) == ()
    _is_first_cut(root)


def test_a_forgotten_folder_is_swept(root: Path) -> None:
    """Garbage collection removes it when it is older than a day."""
    left = root / ".aura" / "local" / "tmp" / "staged"
    left.mkdir()
    (left / "half.json").write_text("half")
    os.utime(left, (1, 1))
    with Repository.open(str(root)) as repo:
        assert sweep_temporary(repo.storage) == 0
        assert sweep_temporary(repo.storage, made=TEMPORARY_FILE, folders=(STAGED,)) == 1
        assert not left.exists()
        assert_whole(repo)


@linux
def test_so_much_is_laid_out_aside_and_no_more(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the limit follows in rounds, also into new folders, each durable before it has its name."""
    monkeypatch.setattr(staged, "STAGED_BYTES", 10 * len(_text("a", 10)))
    calls = RecordingCalls()
    assert _check_out(root, calls) == ()
    _is_first_cut(root)
    aside = [event for event in calls.events if event.call == "create" and "/staged/" in event.path]
    assert len(aside) <= 11
    made: dict[str, int] = {}
    durable: set[int] = set()
    for event in calls.events:
        if event.call == "create":
            made[event.path] = event.file
        elif event.call == "fsync":
            durable.add(event.file)
        elif event.call == "sync_disk":
            durable.update(made.values())
        elif event.call in {"replace", "exchange"}:
            moved = {path: file for path, file in made.items() if f"{path}/".startswith(f"{event.path}/")}
            if event.target.endswith(".json") and "/.aura/" not in event.target:
                assert moved
                assert set(moved.values()) <= durable
            made.update((event.target + path[len(event.path) :], file) for path, file in moved.items())


def test_what_lies_in_no_pack_is_laid_out_too(root: Path) -> None:
    """Files that are stored one by one come with the others."""
    _check_out(root)
    texts = [f"third cut {number}" for number in range(3)]
    with Repository.open(str(root)) as repo:
        for number, text in enumerate(texts):
            (root / "a" / f"{number}.json").write_text(text)
            repo.store.put(Kind.BLOB, text.encode())
        repo.adopt_unrecorded_objects()
        made = commit(repo, "Third cut").version
        assert made is not None
        assert not any(repo.store.location(blob_id(text.encode())) for text in texts)
        checkout(repo, "v2")
        assert checkout(repo, made.id).skipped == ()
        assert status(repo).is_clean
    assert [(root / "a" / f"{number}.json").read_text() for number in range(3)] == texts
