"""Clones of many small files: a worker process hashes what came, and lays files out while this one records."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import StorageError, StorageFull
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.status import status
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.progress import Progress
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.sync import fetch as receiving
from aura_vcs.sync.clone import Cloned, CloneRequest, clone
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.sync.transfer import download as incoming, fetch_negotiation as wanted
from aura_vcs.worktree.checkout import staging
from aura_vcs.worktree.checkout.staging_plan import StagedFile
from aura_vcs.worktree.scan.cache import FileState
from aura_vcs.worktree.worktree import Worktree

from tests.helpers.check import assert_whole
from tests.helpers.two_processes import always_two

from .machines import files, save
from .test_push_pull import media

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a worker process is only started on Linux")
FILES = 60


@pytest.fixture(autouse=True)
def _always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    always_two(monkeypatch)


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Repository]:
    """A project of many small files, pushed to a folder; a branch has others."""
    root = tmp_path / "film"
    for name in ("a", "b/inner"):
        (root / name).mkdir(parents=True)
        for number in range(FILES):
            (root / name / f"{number:03}.json").write_text(f'{{"name": "{name}", "number": {number}}}')
    (root / "a" / "010.json").chmod(0o755)
    (root / "b" / "link").symlink_to("inner/000.json")
    (root / "plan.json").write_text("{}")
    (tmp_path / "nas").mkdir()
    with Repository.init(str(root)) as repo:
        first = commit(repo, "First cut").version
        assert first is not None
        create_branch(repo, "director", first.id)
        checkout(repo, "director")
        for number in range(FILES):
            (root / "a" / f"{number:03}.json").write_text(f"the director's {number}")
        commit(repo, "Director's cut")
        checkout(repo, "main")
        remote = FolderRemote(str(tmp_path / "nas"))
        create_remote(remote, repo.format.project, "anna")
        push(repo, remote, RemoteCache(repo, "origin"))
        yield repo


def _clone(film: Repository, *, branch: str | None = None) -> Cloned:
    folder = Path(film.root).parent
    place = str(folder / "nas")
    return clone(FolderRemote(place), parse_address(place), str(folder / "copy"), request=CloneRequest(branch=branch))


def _stopped(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while files are laid out."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(staging.Staging, "_write_all", stop)
        with pytest.raises(KeyboardInterrupt):
            _clone(film)


def _is_whole(film: Repository) -> None:
    """The copy has what the project has, and nothing is left over."""
    root = Path(film.root).parent / "copy"
    with Repository.open(str(root)) as repo:
        here, there = files(repo), files(film)
        assert {path: data for path, data in here.items() if path in there} == there
        assert os.access(root / "a" / "010.json", os.X_OK)
        assert status(repo).is_clean
        assert_whole(repo)
        assert fsck(repo).problems == ()
    assert not list((root / ".aura" / "local" / "tmp").iterdir())
    assert not [p for p in (root / ".aura" / "local" / "remotes").rglob("*.pack*") if p.is_file()]


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which of the works that were begun ahead were of use."""
    found: list[str] = []
    told, fill = incoming.Quarantine._intact_packs, staging.Staging.write

    def note_told(self: incoming.Quarantine) -> set[str]:
        sound = told(self)
        found.extend("hashed" for _ in sound)
        return sound

    def note_fill(self: staging.Staging, *args: object, **options: int) -> object:
        before = dict(self._states)
        staged = fill(self, *args, **options)  # type: ignore[arg-type]
        found.extend(["laid out"] if before and before == self._states else [])
        return staged

    monkeypatch.setattr(incoming.Quarantine, "_intact_packs", note_told)
    monkeypatch.setattr(staging.Staging, "write", note_fill)
    return found


def test_a_clone_is_hashed_and_laid_out_ahead(film: Repository, used: list[str]) -> None:
    """Both are begun by a worker process and used; the copy is what it would have been."""
    _clone(film)
    assert used == ["hashed", "hashed", "laid out"]
    _is_whole(film)


def test_another_branch_is_laid_out_if_it_is_asked_for(film: Repository, used: list[str]) -> None:
    """The files of the branch that was named."""
    _clone(film, branch="director")
    assert "laid out" in used
    checkout(film, "director")
    _is_whole(film)


@pytest.mark.parametrize("after", [0, 5, FILES])
def test_a_second_process_that_dies_is_not_missed(
    film: Repository, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it hashes, and after some files that it laid out: all is done here."""
    first, count = os.getpid(), iter(range(10_000))
    write = staging.Staging._write_file

    def write_and_die(self: staging.Staging, *args: object) -> object:
        if os.getpid() != first and next(count) >= after:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(staging.Staging, "_write_file", write_and_die)
    monkeypatch.setattr(
        incoming.Quarantine, "_hash_in_worker", lambda *_: os.kill(os.getpid(), signal.SIGKILL), raising=True
    )
    _clone(film)
    _is_whole(film)


def test_a_file_cut_off_by_its_death_is_written_again(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker process made and did not tell of is not believed."""
    first, write = os.getpid(), staging.Staging._write_file

    def cut_off(
        self: staging.Staging, file: StagedFile, name: str, dir_fd: int | None, data: bytes, digest: bytes
    ) -> FileState:
        if os.getpid() != first and b"3" in data:
            write(self, file, name, dir_fd, data[: len(data) // 2], digest)
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, file, name, dir_fd, data, digest)

    monkeypatch.setattr(staging.Staging, "_write_file", cut_off)
    _clone(film)
    _is_whole(film)


def test_a_damaged_pack_is_found_as_ever(film: Repository) -> None:
    """The worker process finds it, the first one looks itself and says so; nothing of it was taken over."""
    pack = next((Path(film.root).parent / "nas").rglob("*.pack"))
    data = bytearray(pack.read_bytes())
    data[len(data) // 3] ^= 1
    pack.chmod(0o644)
    pack.write_bytes(data)
    with pytest.raises(RemoteCorrupt):
        _clone(film)
    assert not list((Path(film.root).parent / "copy" / ".aura" / "objects").rglob("*.pack"))


def test_what_comes_in_the_way_meanwhile_is_kept(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that somebody makes while files are laid out goes into a restore point before it is replaced."""
    lay_out, copy = Worktree.stage, Path(film.root).parent / "copy"

    def lay_out_and_meet(self: Worktree, progress: Progress) -> None:
        lay_out(self, progress)
        (copy / "a").mkdir()
        (copy / "a" / "003.json").write_text("mine")

    monkeypatch.setattr(Worktree, "stage", lay_out_and_meet)
    made = _clone(film).files
    assert made is not None
    assert made.restore_point is not None
    _is_whole(film)
    with Repository.open(str(copy)) as repo:
        entry = repo.trees.entry(made.restore_point.tree, "a/003.json")
        assert entry is not None
        assert repo.store.read(entry.id) == b"mine"


def test_nothing_is_left_over_where_it_cannot_be_recorded(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was laid out goes with the command; the next attempt goes on."""

    def refuse(*_: object) -> None:
        assert list((Path(film.root).parent / "copy" / ".aura" / "local" / "tmp" / "staged").iterdir())
        raise StorageError("write", "index", "the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "_record", refuse)
        with pytest.raises(StorageError):
            _clone(film)
    assert not (Path(film.root).parent / "copy" / ".aura" / "local" / "tmp" / "staged").exists()
    _clone(film)
    _is_whole(film)


def test_a_full_disk_is_said_once_the_files_are_put_in_place(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails early is tried again, and says so then; the project is there, and the next attempt finishes it."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(staging.Staging, "_write_all", refuse)
        with pytest.raises(StorageFull):
            _clone(film)
    _clone(film)
    _is_whole(film)


def test_folders_that_are_not_at_hand_are_planned_later(
    film: Repository, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are more folders than are kept in memory, the plan waits until they are in the store."""
    monkeypatch.setattr(wanted, "CACHED_ENTRIES", 1)
    _clone(film)
    assert used[-1] == "laid out"
    _is_whole(film)


def test_stopped_while_files_are_laid_out_nothing_is_fetched_again(
    film: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was in the store and not yet recorded is taken from there, hashed once more."""
    folder = Path(film.root).parent
    address = parse_address(str(folder / "nas"))
    save(film, "take.wav", media(3_000_000))
    push(film, FolderRemote(address.path), RemoteCache(film, "origin"))

    _stopped(film, monkeypatch)
    assert not (folder / "copy" / ".aura" / "local" / "tmp" / "staged").exists()
    recording = RecordingRemote(FolderRemote(address.path))
    clone(recording, address, str(folder / "copy"))
    assert recording.received() < 100_000
    _is_whole(film)


def test_what_rotted_in_the_store_meanwhile_is_fetched_again(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack of ours is believed no more than one of the remote's."""

    _stopped(film, monkeypatch)
    for pack in (Path(film.root).parent / "copy" / ".aura" / "objects" / "packs").iterdir():
        data = bytearray(pack.read_bytes())
        data[len(data) // 3] ^= 1
        pack.chmod(0o644)
        pack.write_bytes(data)
    _clone(film)
    _is_whole(film)


def test_what_was_laid_out_in_vain_is_not_believed(film: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else is laid out in the end, and who writes half of it dies: all of it is written, nothing left out."""
    lay_out, first, copy = Worktree.stage, os.getpid(), Path(film.root).parent / "copy"
    write, count = staging.Staging._write_file, iter(range(10_000))

    def die(self: staging.Staging, *args: object) -> object:
        if os.getpid() != first and next(count) >= 3:  # where the other one meets it, it has not written all before
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, *args)  # type: ignore[arg-type]

    def lay_out_and_meet(self: Worktree, progress: Progress) -> None:
        lay_out(self, progress)
        (copy / "mine.txt").write_text("mine")
        monkeypatch.setattr(staging.Staging, "_write_file", die)

    monkeypatch.setattr(Worktree, "stage", lay_out_and_meet)
    _clone(film)
    for path, data in files(film).items():
        assert (copy / path).read_bytes() == data
