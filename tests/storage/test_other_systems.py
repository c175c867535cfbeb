"""What is asked of macOS and Windows, and what is made of their answers, with stand-ins for both systems."""

import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.storage import macos_calls, mounts, plain_files, system_calls, windows_calls
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.resumable_upload import open_part


class Mac:
    """A Mac's library and fcntl; its disk is APFS unless `code` says what a clone fails with."""

    def __init__(self, code: int = 0, *, sync_error: int = 0, flags: int = 0, kind: bytes = b"apfs") -> None:
        self.code, self.sync_error, self.flags, self.kind = code, sync_error, flags, kind
        self.full_syncs: list[int] = []

    def control(self, fd: int, command: int, argument: object) -> object:
        """See fcntl.fcntl."""
        if command == macos_calls.F_GETPATH:
            return os.fsencode(os.readlink(f"/proc/self/fd/{fd}")).ljust(1024, b"\0")
        assert command == macos_calls.F_FULLFSYNC
        if self.sync_error:
            raise OSError(self.sync_error, "no")
        self.full_syncs.append(fd)
        return 0

    def fclonefileat(self, source_fd: int, folder_fd: int, target: bytes, flags: int) -> int:
        """See clonefile(2): a new file with the source's bytes and mode; never over one that is there."""
        assert folder_fd == -2
        assert flags == macos_calls.CLONE_NOOWNERCOPY
        assert not os.path.lexists(target)
        if self.code:
            ctypes.set_errno(self.code)
            return -1
        shutil.copyfile(f"/proc/self/fd/{source_fd}", target)
        os.chmod(target, os.fstat(source_fd).st_mode & 0o777)
        return 0

    def statfs(self, path: bytes, found: object) -> int:
        """See statfs(2)."""
        if not os.path.lexists(path):
            return -1
        answer = ctypes.cast(found, ctypes.POINTER(macos_calls._StatFs)).contents  # type: ignore[arg-type]
        answer.typename, answer.flags = self.kind, self.flags
        return 0


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the stand-in asks /proc")


def _pair(folder: Path) -> tuple[int, int]:
    """Return an open source that nobody may write, and a new empty target."""
    source = folder / "source"
    source.write_bytes(b"frames" * 1000)
    source.chmod(0o444)
    target_fd = system_calls.REAL_CALLS.create(str(folder / "target"), 0o640)
    return os.open(source, os.O_RDONLY), target_fd


@needs_proc
def test_a_clone_on_a_mac_is_behind_the_descriptor_and_the_name(tmp_path: Path) -> None:
    """The bytes are there, the permissions are the target's own, it can be written on, nothing lies beside it."""
    source_fd, target_fd = _pair(tmp_path)
    mac = Mac()
    mode = os.fstat(target_fd).st_mode
    assert macos_calls.clone_into(source_fd, target_fd, mac, mac.control)
    assert os.path.samestat(os.fstat(target_fd), os.stat(tmp_path / "target"))
    assert os.fstat(target_fd).st_mode == mode
    assert os.pread(target_fd, 6, 0) == b"frames"
    os.lseek(target_fd, 0, os.SEEK_END)
    os.write(target_fd, b"!")
    assert (tmp_path / "target").read_bytes() == b"frames" * 1000 + b"!"
    assert (tmp_path / "source").read_bytes() == b"frames" * 1000
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]
    assert not os.get_inheritable(target_fd)
    os.close(source_fd), os.close(target_fd)


@needs_proc
@pytest.mark.parametrize("code", [errno.ENOTSUP, errno.EXDEV])
def test_where_a_mac_cannot_clone_nothing_is_done(code: int, tmp_path: Path) -> None:
    """HFS+, exFAT, or two disks: the bytes are copied then."""
    source_fd, target_fd = _pair(tmp_path)
    mac = Mac(code)
    assert not macos_calls.clone_into(source_fd, target_fd, mac, mac.control)
    assert os.fstat(target_fd).st_size == 0
    os.close(source_fd), os.close(target_fd)


@needs_proc
def test_a_full_disk_is_no_reason_to_copy(tmp_path: Path) -> None:
    """It is an error at once."""
    source_fd, target_fd = _pair(tmp_path)
    mac = Mac(errno.ENOSPC)
    with pytest.raises(OSError, match="No space"):
        macos_calls.clone_into(source_fd, target_fd, mac, mac.control)
    os.close(source_fd), os.close(target_fd)


@needs_proc
def test_a_clone_that_cannot_take_the_name_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target stays what it was, and the clone goes."""
    source_fd, target_fd = _pair(tmp_path)
    mac = Mac()

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "replace", refuse)
    assert not macos_calls.clone_into(source_fd, target_fd, mac, mac.control)
    assert sorted(os.listdir(tmp_path)) == ["source", "target"]
    assert os.fstat(target_fd).st_size == 0
    os.close(source_fd), os.close(target_fd)


def test_syncs_on_a_mac_go_through_the_drives_cache() -> None:
    """F_FULLFSYNC where there is one, fsync on a network disk, and errors of the disk are errors."""
    plain: list[int] = []
    mac = Mac()
    macos_calls.full_sync(7, mac.control, plain.append)
    assert (mac.full_syncs, plain) == ([7], [])
    macos_calls.full_sync(7, Mac(sync_error=errno.ENOTSUP).control, plain.append)
    assert plain == [7]
    with pytest.raises(OSError, match="no"):
        macos_calls.full_sync(7, Mac(sync_error=errno.EIO).control, plain.append)


def test_every_sync_on_a_mac_is_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and folders of the store are synced by the one call that asks which system it is."""
    synced: list[int] = []
    monkeypatch.setattr(macos_calls, "full_sync", lambda fd, control: synced.append(fd))
    monkeypatch.setattr(sys, "platform", "darwin")
    LocalStorage(str(tmp_path)).put("refs/main", b"1")
    assert len(synced) >= 2


@pytest.mark.parametrize(
    ("kind", "flags", "away"),
    [(b"apfs", macos_calls.MNT_LOCAL, False), (b"smbfs", 0, True), (b"nfs", 0, True), (b"macfuse", 0, True)],
)
def test_network_disks_of_a_mac(
    kind: bytes, flags: int, away: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system says whether a disk is of this machine, whatever its kind is called."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(macos_calls, "system_library", lambda: Mac(flags=flags, kind=kind))
    assert mounts.is_on_network(str(tmp_path)) is away
    assert mounts.kind_of_disk(str(tmp_path)) == kind.decode()
    assert not mounts.is_on_network(str(tmp_path / "none"))


class Windows:
    """kernel32, as far as it locks and opens files: who holds which handle's file, and how."""

    def __init__(self) -> None:
        self.shared: set[int] = set()
        self.alone: int | None = None
        self.error = 0
        self.opened: list[tuple[object, ...]] = []
        self.attributes = 0xFFFFFFFF

    def LockFileEx(self, handle: int, flags: int, reserved: int, low: int, high: int, place: object) -> int:  # noqa: N802
        """See LockFileEx: handles of one file."""
        at = ctypes.cast(place, ctypes.POINTER(windows_calls.Overlapped)).contents  # type: ignore[arg-type]
        assert (reserved, low, high) == (0, 1, 0)
        assert at.offset_high << 32 | at.offset == windows_calls.LOCK_AT
        assert flags & windows_calls.LOCKFILE_FAIL_IMMEDIATELY
        wants_all = bool(flags & windows_calls.LOCKFILE_EXCLUSIVE_LOCK)
        if self.error:
            return 0
        if self.alone is not None or (wants_all and self.shared):
            self.error = windows_calls.ERROR_LOCK_VIOLATION
            return 0
        if wants_all:
            self.alone = handle
        else:
            self.shared.add(handle)
        return 1

    def GetFileAttributesW(self, path: str) -> int:  # noqa: N802
        """See GetFileAttributesW."""
        return self.attributes

    def CreateFileW(self, *arguments: object) -> int | None:  # noqa: N802
        """See CreateFileW."""
        self.opened.append(arguments)
        return windows_calls._INVALID if self.error else 99

    def last_error(self) -> int:
        """See GetLastError."""
        code, self.error = self.error, 0
        return code


def test_locks_on_windows_are_shared_or_not() -> None:
    """Two may share a lock, nobody has it alone meanwhile, and the holder's text can still be read."""
    system = Windows()

    def take(handle: int, *, shared: bool) -> bool:
        return windows_calls.lock_file(handle, system, shared=shared, error_number=system.last_error)

    assert take(1, shared=True)
    assert take(2, shared=True)
    assert not take(3, shared=False)
    system.shared.clear()
    assert take(3, shared=False)
    assert not take(1, shared=True)
    system.alone, system.error = None, 50
    with pytest.raises(OSError, match="error 50"):
        take(1, shared=True)


def test_files_on_windows_can_be_renamed_while_they_are_open() -> None:
    """They are opened so that others may rename them; links are refused, errors are Python's own."""
    system = Windows()

    def opened(how: str) -> int:
        return windows_calls.open_renamable(
            "C:\\film\\part", how, system, descriptor=lambda handle: handle + 1, error_number=system.last_error
        )

    assert opened("new") == 100
    path, access, sharing, _, how, flags, _ = system.opened[0]
    assert (path, access, how) == ("C:\\film\\part", windows_calls.GENERIC_READ_WRITE, 1)
    assert isinstance(sharing, int)
    assert sharing & 4  # FILE_SHARE_DELETE
    assert isinstance(flags, int)
    assert flags & windows_calls.OPEN_REPARSE_POINT
    for code, kind in ((2, FileNotFoundError), (80, FileExistsError), (32, PermissionError), (1117, OSError)):
        system.error = code
        with pytest.raises(kind):
            opened("existing")
    system.attributes = windows_calls.ATTRIBUTE_REPARSE_POINT
    with pytest.raises(OSError, match="symbolic links"):
        opened("existing")


def test_parts_of_pushes_are_kept_wherever_there_are_locks(tmp_path: Path) -> None:
    """No system is left out by its name: a part that is held is found again, one that cannot be held is none."""
    storage = LocalStorage(str(tmp_path))
    part = open_part(storage, "tmp", "packs/" + "a" * 64 + ".pack")
    assert part is not None
    part.write(b"half")
    part.release()
    again = open_part(storage, "tmp", "packs/" + "a" * 64 + ".pack")
    assert again is not None
    assert again.size == 4
    again.release()


def test_both_kinds_of_locks_answer_alike(tmp_path: Path) -> None:
    """What this system's locks do is what the stand-in above does."""
    (tmp_path / "lock").write_bytes(b"")
    fds = [os.open(tmp_path / "lock", os.O_RDWR) for _ in range(3)]
    take: Callable[..., bool] = plain_files.try_lock
    assert take(fds[0], shared=True)
    assert take(fds[1], shared=True)
    assert not take(fds[2], shared=False)
    os.close(fds[0]), os.close(fds[1])
    assert take(fds[2], shared=False)
    assert stat.S_ISREG(os.fstat(fds[2]).st_mode)
    os.close(fds[2])
