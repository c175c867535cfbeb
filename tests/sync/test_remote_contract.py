"""What every kind of remote promises, held against each of them."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteUnreachable
from aura_vcs.progress import Silent
from aura_vcs.storage.remotes import folder as remote_folder
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.retry import RetryingRemote
from aura_vcs.storage.testing import memory_remote as remote_memory
from aura_vcs.storage.testing.faulty_remote import FaultyRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote

from .kinds import MAKERS

RACERS = 8
FILE = "records/" + "f" * 64
RECORD = "probe/e-5"
NAMES = ["records/" + "a" * 64, "records/" + "b" * 64]

LARGE = random.Random(11).randbytes(11 << 20)


class Stopping(Silent):
    """Counts bytes, and stops the work once there are so many."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.done = 0

    def advance(self, amount: int) -> None:
        """Stops as Ctrl-C does."""
        self.done += amount
        if self.at is not None and self.done >= self.at:
            raise KeyboardInterrupt


def put(remote: RemoteStorage, name: str, data: bytes) -> None:
    """Create a file from bytes."""
    remote.create(name, io.BytesIO(data))


def test_what_was_created_is_read_back(remote: RemoteStorage) -> None:
    """Bytes come back whole, in ranges, and with their size."""
    data = bytes(range(256)) * 5000
    put(remote, FILE, data)
    assert remote.load(FILE).data == data
    assert remote.size(FILE) == len(data)
    assert remote.read_range(FILE, 1000, 10) == data[1000:1010]
    assert remote.read_range(FILE, len(data) - 3, 100) == data[-3:]
    assert remote.read_range(FILE, 5, 0) == b""
    assert remote.read_range(FILE, len(data), 10) == b""
    assert remote.read_range(FILE, len(data) + 70_000, 10) == b""


def test_an_empty_file_is_a_file(remote: RemoteStorage) -> None:
    """No bytes are still something."""
    put(remote, RECORD, b"")
    assert remote.load(RECORD).data == b""
    assert remote.size(RECORD) == 0


def test_absent_is_not_empty(remote: RemoteStorage) -> None:
    """What is not there is FileNotFoundError or None, never nothing."""
    assert remote.size(FILE) is None
    with pytest.raises(FileNotFoundError):
        remote.load(FILE)
    with pytest.raises(FileNotFoundError):
        remote.read_range(FILE, 0, 1)
    remote.delete(FILE)
    assert remote.list("records") == []


def test_create_never_replaces(remote: RemoteStorage) -> None:
    """The second file of a name is refused and the first one stays."""
    put(remote, FILE, b"first")
    with pytest.raises(FileExistsError):
        put(remote, FILE, b"second")
    assert remote.load(FILE).data == b"first"


def test_create_reads_its_source_from_the_beginning(remote: RemoteStorage) -> None:
    """A source that was read before is stored whole all the same."""
    source = io.BytesIO(b"whole")
    source.seek(3)
    remote.create(RECORD, source)
    assert remote.load(RECORD).data == b"whole"


def test_swap_goes_on_from_what_was_seen(remote: RemoteStorage) -> None:
    """Each swap takes the token of the last; an old token is refused."""
    first = remote.swap("manifest.json", b"1", None)
    assert remote.load("manifest.json").token == first
    second = remote.swap("manifest.json", b"2", first)
    with pytest.raises(RefMoved):
        remote.swap("manifest.json", b"3", first)
    with pytest.raises(RefMoved):
        remote.swap("manifest.json", b"3", None)
    assert remote.load("manifest.json").data == b"2"
    remote.swap("manifest.json", b"3", second)


def test_swap_does_not_make_what_is_gone(remote: RemoteStorage) -> None:
    """A token does not fit where nothing is any more."""
    token = remote.swap("manifest.json", b"1", None)
    remote.delete("manifest.json")
    with pytest.raises(RefMoved):
        remote.swap("manifest.json", b"2", token)


def test_a_listing_names_what_lies_directly_inside(remote: RemoteStorage) -> None:
    """Whole names and sizes, sorted, nothing from other folders."""
    for name in (NAMES[1], NAMES[0], RECORD):
        put(remote, name, name.encode())
    assert [(e.name, e.size) for e in remote.list("records")] == [(name, len(name)) for name in NAMES]


def test_deleted_is_gone(remote: RemoteStorage) -> None:
    """After delete the name is free again."""
    put(remote, FILE, b"1")
    remote.delete(FILE)
    assert remote.size(FILE) is None
    put(remote, FILE, b"2")
    assert remote.load(FILE).data == b"2"


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "packs//a", "", "a\\b", "a\0b", "./a"])
def test_names_stay_inside(remote: RemoteStorage, name: str) -> None:
    """A name that would leave the remote is refused before anything is asked."""
    with pytest.raises(UnsafePath):
        put(remote, name, b"x")
    with pytest.raises(UnsafePath):
        remote.load(name)
    with pytest.raises(UnsafePath):
        remote.swap(name, b"x", None)


def test_of_racing_creators_one_wins(remote: RemoteStorage) -> None:
    """However many create one name at once, one succeeds and its bytes stay."""

    def create(number: int) -> bool:
        try:
            put(remote, FILE, b"%d" % number)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as executor:
        won = list(executor.map(create, range(RACERS)))
    assert won.count(True) == 1
    assert remote.load(FILE).data == b"%d" % won.index(True)


def test_of_racing_swaps_none_is_lost(remote: RemoteStorage) -> None:
    """Many threads that each add their number by compare-and-swap end with all numbers there, once."""
    remote.swap("manifest.json", b"", None)

    def add(number: int) -> None:
        while True:
            seen = remote.load("manifest.json")
            if number in seen.data:
                return  # the answer was lost, the swap was not
            try:
                remote.swap("manifest.json", seen.data + bytes([number]), seen.token)
            except RefMoved:
                continue
            return

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(add, range(12)))
    assert sorted(remote.load("manifest.json").data) == list(range(12))


def test_a_large_file_is_created_once(remote: RemoteStorage) -> None:
    """Also what goes in parts: it comes back, and is not replaced."""
    counted = Stopping(None)
    assert remote.create(FILE, io.BytesIO(LARGE), progress=counted) == 0
    assert counted.done >= len(LARGE)
    assert remote.size(FILE) == len(LARGE)
    assert remote.read_range(FILE, 0, len(LARGE) + 1) == LARGE
    with pytest.raises(FileExistsError):
        put(remote, FILE, LARGE[::-1])
    assert remote.read_range(FILE, len(LARGE) - 3, 10) == LARGE[-3:]


def test_an_interrupted_create_is_finished_by_the_next(remote: RemoteStorage) -> None:
    """What was interrupted is not there, in no listing, and does not stand in the way."""
    for at in (1, len(LARGE) // 2):
        with pytest.raises(KeyboardInterrupt):
            remote.create(FILE, io.BytesIO(LARGE), progress=Stopping(at))
        if not isinstance(remote, MemoryRemote):
            assert remote.size(FILE) is None
            assert remote.list("records") == []
    arrived = remote.create(FILE, io.BytesIO(LARGE))
    assert 0 <= arrived <= len(LARGE) + 200_000
    assert remote.read_range(FILE, 0, len(LARGE) + 1) == LARGE
    assert [(entry.name, entry.size) for entry in remote.list("records")] == [(FILE, len(LARGE))]


# What only some of them can show


def test_a_lost_answer_is_not_a_lost_race() -> None:
    """A request that was carried out although it seemed to fail counts as done when it is repeated."""
    inner = MemoryRemote()
    remote = RetryingRemote(FaultyRemote(inner, lose_at=[1]), sleep=lambda _: None)
    put(remote, FILE, b"mine")
    remote = RetryingRemote(FaultyRemote(inner, lose_at=[1]), sleep=lambda _: None)
    token = remote.swap("manifest.json", b"mine", None)
    assert inner.load("manifest.json").token == token


def test_a_lost_answer_does_not_hide_somebody_elses_file() -> None:
    """When the name was taken by other bytes meanwhile, the repeated request still loses."""
    inner = MemoryRemote()
    put(inner, FILE, b"others")
    inner.swap("manifest.json", b"others", None)
    remote = RetryingRemote(FaultyRemote(inner, fail_at=[1]), sleep=lambda _: None)
    with pytest.raises(FileExistsError):
        put(remote, FILE, b"myself")
    remote = RetryingRemote(FaultyRemote(inner, fail_at=[1]), sleep=lambda _: None)
    with pytest.raises(RefMoved):
        remote.swap("manifest.json", b"myself", None)


def test_retrying_gives_up_with_growing_pauses() -> None:
    """What stays unreachable is reported after the last pause."""
    pauses: list[float] = []
    remote = RetryingRemote(FaultyRemote(MemoryRemote(), fail_at=range(1, 100)), sleep=pauses.append)
    with pytest.raises(RemoteUnreachable):
        remote.size("manifest.json")
    assert len(pauses) == 5
    assert pauses[4] > pauses[0]


def test_a_folder_that_is_not_there_is_not_an_empty_remote(tmp_path: Path) -> None:
    """A mount point without its disk is an error, at opening and later."""
    with pytest.raises(RemoteUnreachable, match="no such folder"):
        FolderRemote(str(tmp_path / "absent"))
    root = tmp_path / "stick"
    root.mkdir()
    remote = FolderRemote(str(root))
    root.rmdir()
    with pytest.raises(RemoteUnreachable, match="gone"):
        remote.size("manifest.json")


def test_links_in_a_folder_remote_are_not_followed(tmp_path: Path) -> None:
    """A link that somebody put there would lead out of the remote."""
    root = tmp_path / "remote"
    (root / "records").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    (root / FILE).symlink_to(secret)
    remote = FolderRemote(str(root))
    with pytest.raises(RemoteCorrupt):
        remote.read_range(FILE, 0, 6)
    assert remote.list("records") == []
    with pytest.raises(FileExistsError):
        put(remote, FILE, b"mine")
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_a_huge_small_file_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest that would fill the memory is not loaded."""
    monkeypatch.setattr(remote_memory, "SMALL_BYTES", 1000)
    monkeypatch.setattr(remote_folder, "SMALL_BYTES", 1000)
    remote = MAKERS[kind](tmp_path)
    put(remote, "manifest.json", b"x" * 1001)
    with pytest.raises(RemoteCorrupt):
        remote.load("manifest.json")
