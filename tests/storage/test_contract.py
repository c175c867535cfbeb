"""What every storage promises, asked of each of them and of the wrappers of file calls."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import StorageError, StorageFull, UnsafePath
from aura_vcs.storage.base import Deletable
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.memory import MemoryStorage
from aura_vcs.storage.sweep import sweep_temporary
from aura_vcs.storage.testing.faulty_calls import CountingCalls, Fault, FaultyCalls
from aura_vcs.storage.testing.recorded_calls import RecordingCalls

Make = Callable[[Path], Deletable]

STORAGES: dict[str, Make] = {
    "local": lambda path: LocalStorage(str(path / "store")),
    "memory": lambda _: MemoryStorage(),
    "counted": lambda path: LocalStorage(str(path / "store"), calls=CountingCalls()),
    "recorded": lambda path: LocalStorage(str(path / "store"), calls=RecordingCalls()),
    "short": lambda path: LocalStorage(str(path / "store"), calls=FaultyCalls(Fault.SHORT, 1)),
}


@pytest.fixture(params=list(STORAGES))
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Deletable:
    """A storage with nothing in it."""
    return STORAGES[request.param](tmp_path)


def test_put_replaces_as_a_whole(storage: Deletable) -> None:
    """What was put is read back; putting again replaces all of it."""
    storage.put("a/b", b"long content")
    storage.put("a/b", b"short")
    assert storage.read("a/b") == b"short"
    with storage.open("a/b") as file:
        file.seek(2)
        assert file.read(2) == b"or"


def test_absent_names_are_absent(storage: Deletable) -> None:
    """Reading what is not there is FileNotFoundError; looking, listing and deleting are not errors."""
    for read in (storage.read, storage.open, storage.touch):
        with pytest.raises(FileNotFoundError):
            read("a/b")
    assert storage.stat("a/b") is None
    assert storage.list("a") == []
    storage.delete("a/b")
    storage.delete_folder("a")


def test_folders_are_where_something_lies(storage: Deletable) -> None:
    """Listing names files and folders directly inside, sorted."""
    for name in ("x/b", "x/a/deep", "y"):
        storage.put(name, b"1")
    assert storage.list("x") == ["a", "b"]
    stat = storage.stat("x")
    assert stat is not None
    storage.delete("x/a/deep")
    storage.delete_folder("x/a")
    storage.delete_folder("x")
    assert storage.list("x") == ["b"]


def test_an_upload_has_no_name_until_it_is_published(storage: Deletable) -> None:
    """Bytes on their way are not listed; discarded, they never were."""
    upload = storage.upload()
    upload.write(b"one ")
    upload.write(memoryview(b"two"))
    assert storage.stat("a/b") is None
    upload.publish("a/b")
    upload.discard()
    assert storage.read("a/b") == b"one two"
    other = storage.upload()
    other.write(b"never")
    other.discard()
    assert storage.list("a") == ["b"]


def test_append_cuts_off_what_lies_after(storage: Deletable) -> None:
    """Appending at an offset drops a torn tail behind it."""
    storage.append("log", b"one\n", at=0)
    storage.append("log", b"torn", at=4)
    storage.append("log", b"two\n", at=4)
    assert storage.read("log") == b"one\ntwo\n"


def test_touch_renews_the_date(storage: Deletable) -> None:
    """A touched file is not older than before."""
    storage.put("a", b"1")
    before = storage.stat("a")
    storage.touch("a")
    after = storage.stat("a")
    assert before is not None
    assert after is not None
    assert after.mtime_ns >= before.mtime_ns
    assert after.size == 1


@pytest.mark.parametrize("name", ["", "/etc/x", "../x", "a/../b", "a//b", "./a", "a/", "a\\b", "a\0b"])
def test_names_stay_inside(storage: Deletable, name: str) -> None:
    """No name leads out of the place."""
    for use in (storage.read, storage.open, storage.stat, storage.list, storage.delete):
        with pytest.raises(UnsafePath):
            use(name)
    with pytest.raises(UnsafePath):
        storage.put(name, b"1")


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.BROKEN, Fault.UNSYNCED])
def test_a_fault_at_any_call_leaves_the_old_bytes_or_the_new(fault: Fault, tmp_path: Path) -> None:
    """C4: a failing put says so, leaves no litter, and the name holds one content as a whole."""
    for at in range(1, 9):
        LocalStorage(str(tmp_path / str(at))).put("a/b", b"old")
        calls = FaultyCalls(fault, at)
        try:
            LocalStorage(str(tmp_path / str(at)), calls=calls).put("a/b", b"new content")
        except StorageError as error:
            assert isinstance(error, StorageFull) == (fault is Fault.FULL)  # noqa: PT017
        assert (tmp_path / str(at) / "a" / "b").read_bytes() in {b"old", b"new content"}
        if calls.struck_call != "unlink":
            assert not list((tmp_path / str(at) / "tmp").iterdir())


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.BROKEN, Fault.UNSYNCED])
def test_a_failed_append_is_taken_back(fault: Fault, tmp_path: Path) -> None:
    """C3, C4: what an append wrote before it failed is cut off again."""
    for at in range(1, 5):
        root = str(tmp_path / str(at))
        LocalStorage(root).append("log", b"one\n", at=0)
        calls = FaultyCalls(fault, at)
        try:
            LocalStorage(root, calls=calls).append("log", b"two two\n", at=4)
        except StorageError:
            assert LocalStorage(root).read("log") == b"one\n"


def test_forgotten_temporary_files_are_swept(tmp_path: Path) -> None:
    """Only those that nobody can be writing to any more."""
    storage = LocalStorage(str(tmp_path))
    storage.put("a", b"1")
    (tmp_path / "tmp" / "77-0123456789abcdef").write_bytes(b"x")
    assert sweep_temporary(storage) == 0
    assert sweep_temporary(storage, older_than_seconds=-1) == 1
    assert storage.list("tmp") == []
