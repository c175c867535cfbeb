"""Large files that arrive in parts in a folder remote: nothing is sent twice, and no part is trusted."""

import io
import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError
from aura_vcs.progress import Silent
from aura_vcs.storage import resumable_upload as parts
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.resumable_upload import SLOTS, STALE_PART_SECONDS, open_part, part_name
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls

MIB = 1 << 20
NAME = f"packs/{'a' * 64}.pack"
DATA = random.Random(7).randbytes(10 * MIB + 12_345)


class Stopping(Silent):
    """Counts, and stops the work once so many bytes have arrived."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.done = 0

    def advance(self, amount: int) -> None:
        """Stops as Ctrl-C does."""
        self.done += amount
        if self.at is not None and self.done >= self.at:
            raise KeyboardInterrupt


class Sizes(FileCalls):
    """Counts bytes that are written, and copies nothing inside the system."""

    def __init__(self) -> None:
        self.written = 0

    def write(self, fd: int, data: object) -> int:
        """Counted."""
        count = super().write(fd, data)  # type: ignore[arg-type]
        self.written += count
        return count

    def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
        """It cannot."""
        return 0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a remote."""
    made = tmp_path / "remote"
    made.mkdir()
    return made


def interrupt(root: Path, at: int = 4 * MIB, source: BinaryIO | None = None, calls: FileCalls | None = None) -> Path:
    """Begin to create the file, and be stopped; returns the part that stays."""
    remote = FolderRemote(str(root), calls=calls or Sizes())
    with pytest.raises(KeyboardInterrupt):
        remote.create(NAME, source or io.BytesIO(DATA), progress=Stopping(at))
    assert remote.size(NAME) is None
    return root / "tmp" / part_name(NAME)


def finish(root: Path, source: BinaryIO | None = None) -> tuple[int, int]:
    """Create the file; returns how much was there before, and how much was written."""
    calls = Sizes()
    counted = Stopping()
    there = FolderRemote(str(root), calls=calls).create(NAME, source or io.BytesIO(DATA), progress=counted)
    assert (root / NAME).read_bytes() == DATA
    assert counted.done == len(DATA)
    return there, calls.written


def test_what_has_arrived_is_not_written_again(root: Path) -> None:
    """The next attempt begins where the last one was stopped, and leaves nothing but the file."""
    part = interrupt(root)
    arrived = part.stat().st_size
    assert arrived >= 4 * MIB
    assert finish(root) == (arrived, len(DATA) - arrived)
    assert os.listdir(root / "tmp") == []


def test_copies_inside_the_system_go_on_too(root: Path, tmp_path: Path) -> None:
    """Also where the bytes never come through here."""

    class Copying(FileCalls):
        copied = 0

        def clone(self, source_fd: int, target_fd: int) -> bool:
            return False

        def copy_range(self, source_fd: int, target_fd: int, count: int) -> int:
            done = super().copy_range(source_fd, target_fd, count)
            self.copied += done
            return done

    (tmp_path / "source").write_bytes(DATA)
    with (tmp_path / "source").open("rb", buffering=0) as source:
        arrived = interrupt(root, source=source, calls=Copying()).stat().st_size  # type: ignore[arg-type]
        calls = Copying()
        assert FolderRemote(str(root), calls=calls).create(NAME, source) == arrived  # type: ignore[arg-type]
    assert (root / NAME).read_bytes() == DATA
    assert calls.copied in {0, len(DATA) - arrived}


@pytest.mark.parametrize(
    "change",
    [
        lambda data: bytes(len(data)),
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data + DATA,
        lambda data: DATA + b"more",
        lambda data: b"",
        lambda data: b"x",
    ],
    ids=["zeros", "a flipped bit", "something else behind", "longer than the file", "nothing", "one byte"],
)
def test_a_part_that_is_not_the_files_beginning_is_not_used(root: Path, change: Callable[[bytes], bytes]) -> None:
    """Whatever lies there, the file is sent as a whole and is what it should be."""
    part = interrupt(root)
    part.write_bytes(change(part.read_bytes()))
    assert finish(root) == (0, len(DATA))


def test_a_part_that_is_whole_needs_nothing_more(root: Path) -> None:
    """Stopped between the last byte and the name."""
    part = interrupt(root)
    part.write_bytes(DATA)
    assert finish(root) == (len(DATA), 0)


def test_two_never_write_into_one_part(root: Path) -> None:
    """Somebody holds the part, perhaps the other side of a line that was cut: its bytes are copied, and it stays."""
    part = interrupt(root)
    arrived = part.stat().st_size
    held = open_part(LocalStorage(str(root)), "tmp", NAME)
    assert held is not None
    second = open_part(LocalStorage(str(root)), "tmp", NAME)
    assert second is not None
    assert second.path != held.path
    assert second.size == arrived
    second.release()
    there, _ = finish(root)
    assert there == arrived
    assert part.stat().st_size == arrived
    held.release()


def test_as_many_as_like_create_one_file(root: Path) -> None:
    """Where all parts are held an ordinary temporary file does; all but one are told that it is there."""
    storage = LocalStorage(str(root))
    held = [open_part(storage, "tmp", NAME) for _ in range(SLOTS)]
    assert None not in held
    assert open_part(storage, "tmp", NAME) is None
    assert finish(root)[0] == 0
    with pytest.raises(FileExistsError):
        FolderRemote(str(root)).create(NAME, io.BytesIO(DATA))
    for part in held:
        assert part is not None
        part.discard()
    assert os.listdir(root / "tmp") == []


def test_of_many_that_go_on_at_once_one_wins(root: Path) -> None:
    """They all find the part of an earlier attempt; one gives the file its name, and nothing is left over."""
    interrupt(root)

    def create(_: int) -> bool:
        try:
            FolderRemote(str(root)).create(NAME, io.BytesIO(DATA))
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(6) as executor:
        assert list(executor.map(create, range(6))).count(True) == 1
    assert (root / NAME).read_bytes() == DATA
    assert os.listdir(root / "tmp") == []


def test_a_part_that_somebody_made_of_another_file_is_not_written_to(root: Path, tmp_path: Path) -> None:
    """Links in the folder lead nowhere, whichever kind they are."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (root / "tmp").mkdir()
    (root / "tmp" / part_name(NAME, 0)).symlink_to(victim)
    (root / "tmp" / part_name(NAME, 1)).hardlink_to(victim)
    os.mkfifo(root / "tmp" / part_name(NAME, 2))
    (root / "tmp" / part_name(NAME, 3)).mkdir()
    assert finish(root) == (0, len(DATA))
    assert victim.read_bytes() == b"precious"


def test_a_disk_without_locks_has_no_parts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent as ever, and again from the start."""

    def refuse(fd: int, *, shared: bool) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(parts, "try_lock", refuse)
    assert finish(root) == (0, len(DATA))
    assert os.listdir(root / "tmp") == []


def test_a_full_disk_gets_its_room_back(root: Path) -> None:
    """Others need it; the file is sent from the start when there is room again."""
    interrupt(root)
    calls = FaultyCalls(Fault.FULL, 3)
    calls.copy_range = lambda *_: 0  # type: ignore[method-assign]
    with pytest.raises(RemoteError, match="No space"):
        FolderRemote(str(root), calls=calls).create(NAME, io.BytesIO(DATA))
    assert os.listdir(root / "tmp") == []
    assert finish(root) == (0, len(DATA))


def test_what_is_refused_is_thrown_away(root: Path) -> None:
    """A file that the check does not let pass is not a beginning of a better one."""

    def refuse(_: BinaryIO) -> None:
        raise RemoteCorrupt("remote", "not what it should be")

    interrupt(root)
    with pytest.raises(RemoteCorrupt):
        FolderRemote(str(root)).create(NAME, io.BytesIO(DATA), check=refuse)
    assert os.listdir(root / "tmp") == []
    assert not (root / NAME).exists()


def test_parts_are_swept_when_nobody_goes_on_with_them(root: Path) -> None:
    """After two weeks, unless somebody holds them; other temporary files after a day. Pushes do it by themselves."""
    fresh = interrupt(root)
    old = time.time() - STALE_PART_SECONDS - 60
    forgotten, held = (root / "tmp" / part_name(f"packs/{letter * 64}.pack") for letter in "bc")
    temporary = root / "tmp" / "123-0123456789abcdef"
    for path in (forgotten, held, temporary):
        path.write_bytes(b"x")
    holding = open_part(LocalStorage(str(root)), "tmp", f"packs/{'c' * 64}.pack")
    for path in (forgotten, held, temporary):
        os.utime(path, (old, old))
    FolderRemote(str(root)).create(f"records/{'d' * 64}", io.BytesIO(b"small"))
    assert sorted(os.listdir(root / "tmp")) == sorted([fresh.name, held.name])
    assert holding is not None
    holding.release()
    assert FolderRemote(str(root)).sweep() == 1


def test_nothing_is_no_part(root: Path) -> None:
    """Stopped before the first byte, there is nothing to go on with."""
    with pytest.raises(KeyboardInterrupt):
        FolderRemote(str(root)).create(NAME, io.BytesIO(DATA), progress=Stopping(0))
    assert os.listdir(root / "tmp") == []


def test_a_small_file_leaves_no_part(root: Path) -> None:
    """It is sent again as a whole."""
    with pytest.raises(KeyboardInterrupt):
        FolderRemote(str(root)).create(NAME, io.BytesIO(DATA[: MIB - 1]), progress=Stopping(1))
    assert os.listdir(root / "tmp") == []
