"""Opening, reading and locking files of our own: regular ones, never through a link, with the mode of their folder.

A file of the store that cannot be read is named, and waits for nobody. What the disk refuses is tried a second time: a
network disk that was away for a moment, or a handle that went stale, is not damage. What is refused twice is
RecordUnreadable. Callers take that for damage of this one file, but neither delete nor overwrite it: it may be readable
again a moment later.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from io import FileIO
from typing import NoReturn, TypeVar

from aura_vcs.errors.integrity import LinkedPath, RecordUnreadable
from aura_vcs.ids import Bytes
from aura_vcs.layout import check_entry_name
from aura_vcs.storage.own_folders import OpenFolder, OwnFolders, is_link
from aura_vcs.storage.system_calls import EXHAUSTED, FileCalls, storage_error, write_all

READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    READ |= getattr(os, _name, 0)
_LINK = {errno.ELOOP, getattr(errno, "EMLINK", errno.ELOOP)}


def open_plain(name: str, flags: int, path: str, *, dir_fd: int | None) -> int:
    """Open a regular file that is there; `path` is what messages call it.

    Raises:
        LinkedPath: it is a link. OSError: it cannot be opened, or is not a regular file.
    """
    if dir_fd is None and _leads_on(name, None):  # nothing else would stop it there
        raise LinkedPath(path)
    try:
        fd = os.open(name, flags, dir_fd=dir_fd)
    except OSError as error:
        if error.errno in _LINK and _leads_on(name, dir_fd):  # the system said so in its own words
            raise LinkedPath(path) from error
        raise
    if not stat.S_ISREG(mode := os.fstat(fd).st_mode):
        _refuse(fd, mode)
    return fd


def open_regular(path: str) -> int:
    """Open a regular file that somebody named, for reading; links are followed, and nobody waits for a pipe.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    fd = os.open(path, READ & ~getattr(os, "O_NOFOLLOW", 0))
    if not stat.S_ISREG(mode := os.fstat(fd).st_mode):
        _refuse(fd, mode)
    return fd


def open_below(root: str, path: str) -> int:
    """Open a regular file below a folder of the person's, for reading; no part of the way to it is a link.

    Raises:
        UnsafePath: the path leads out of the folder, into `.aura`, or through a link.
        OSError: it cannot be opened, or is not a regular file.
    """
    for part in path.split("/"):
        check_entry_name(part)
    folders = OwnFolders(root)
    try:
        with folders.at(path) as (last, dir_fd):
            return open_plain(last, READ, os.path.join(root, path), dir_fd=dir_fd)
    finally:
        folders.close()


def open_held(calls: FileCalls, name: str, path: str, folder: OpenFolder) -> int:
    """Open a file that is written in place, made if it is not there; the people of its folder share it.

    Raises:
        LinkedPath: it is a link. OSError: it cannot be opened, or is not a regular file.
    """
    dir_fd = folder.fd
    if dir_fd is None and _leads_on(name, None):
        raise LinkedPath(path)
    try:
        fd = calls.open_append(name, dir_fd=dir_fd)
    except OSError as error:
        if error.errno in _LINK and _leads_on(name, dir_fd):
            raise LinkedPath(path) from error
        raise
    if not stat.S_ISREG(mode := os.fstat(fd).st_mode):
        _refuse(fd, mode)
    if folder.mode & stat.S_IWGRP:
        share_file(calls, fd, folder, in_place=True)
    return fd


def write_at(calls: FileCalls, fd: int, folder: OpenFolder, data: Bytes, *, at: int, durable: bool) -> None:
    """Write bytes at an offset of an open file, cutting off what lies after it; where that fails, take them back.

    Of a file with nothing in it, the name is made durable, too.

    Raises:
        OSError: the disk refuses.
    """
    try:
        size = os.fstat(fd).st_size
        if size > at:
            calls.truncate(fd, at)
        os.lseek(fd, at, os.SEEK_SET)
        written = calls.write(fd, data)
        if written != len(data):
            write_all(calls, fd, memoryview(data).cast("B")[written:])
        if durable:
            calls.fsync(fd)
            if size == 0:
                calls.fsync_folder(".", dir_fd=folder.fd)
    except OSError:
        _cut(calls, fd, at)
        raise


def _cut(calls: FileCalls, fd: int, size: int) -> None:
    """Take back what an append wrote that then failed: nobody has been promised it."""
    try:
        if os.fstat(fd).st_size > size:
            calls.truncate(fd, size)
    except OSError:
        return  # a broken disk; readers tell a torn line from a whole one


def readers_of(mode: int) -> int:
    """Return the mode of a file of ours that holds what a file of this mode holds: nobody else can read it."""
    return 0o600 | (mode & 0o044) | (mode & 0o044) >> 1


def share_file(calls: FileCalls, fd: int, folder: OpenFolder, *, in_place: bool = False) -> None:
    """Let the group write a new file of ours, if it is to write the folder's files.

    A folder says so by its set-group-id bit and the group's right to write. For a file that is written
    `in_place`, which nobody replaces, that right is enough. Bits are only ever added, so that an access
    control list that the folder hands down stays.
    """
    if not is_shared(folder.mode, in_place=in_place):
        return
    found = os.fstat(fd)
    wanted = found.st_mode | 0o060
    if wanted != found.st_mode and found.st_uid == os.geteuid():
        with suppress(OSError):  # a disk without modes
            calls.chmod(fd, stat.S_IMODE(wanted))


def make_root(calls: FileCalls, path: str) -> None:
    """Make a folder that a storage begins at, and those above it, durably."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    make_root(calls, parent)
    try:
        calls.mkdir(path)
    except FileExistsError:
        return
    share_folder(calls, path, None, above=parent)
    calls.fsync_folder(parent)


def share_folder(calls: FileCalls, name: str, dir_fd: int | None, *, above: str = "") -> None:
    """Let the group use a new folder of ours, if it is to use the one that it is in."""
    if os.name == "nt":
        return
    around = os.fstat(dir_fd) if dir_fd is not None else os.stat(above)
    if not is_shared(around.st_mode):
        return
    with suppress(OSError):
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
        try:
            wanted = os.fstat(fd).st_mode | 0o070 | stat.S_ISGID
            if wanted != os.fstat(fd).st_mode:
                calls.chmod(fd, stat.S_IMODE(wanted))
        finally:
            os.close(fd)


def is_shared(mode: int, *, in_place: bool = False) -> bool:
    """Tell whether a folder of that mode is one that a group works in."""
    return bool(mode & stat.S_IWGRP) and (in_place or bool(mode & stat.S_ISGID))


def _leads_on(name: str, dir_fd: int | None) -> bool:
    try:
        return is_link(os.stat(name, dir_fd=dir_fd, follow_symlinks=False))
    except OSError:
        return False


def _refuse(fd: int, mode: int) -> NoReturn:
    """Close what was opened and is not a regular file.

    Raises:
        OSError.
    """
    os.close(fd)
    code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "it is not a regular file")


T = TypeVar("T")
PIECE_BYTES = 1 << 20


class StoredFile(FileIO):
    """An open file whose reads raise RecordUnreadable where the disk refuses twice."""

    def __init__(self, path: str, fd: int) -> None:
        super().__init__(fd, "rb")
        self.name = self._path = path

    def read(self, size: int | None = -1) -> bytes:
        """Read as FileIO does, for ever until there is data or the end."""
        try:
            found = super().read(size)
        except OSError:
            found = _again("read", self._path, lambda: super(StoredFile, self).read(size))
        return b"" if found is None else found

    def readall(self) -> bytes:
        """Read all, as FileIO does."""
        return self.read()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer, as FileIO does."""
        try:
            return super().readinto(buffer) or 0
        except OSError:
            return _again("read", self._path, lambda: super(StoredFile, self).readinto(buffer)) or 0


def open_stored(path: str, descriptor: Callable[[], int]) -> StoredFile:
    """Open once more a file for reading that the disk has refused; `descriptor` opens it, `path` is what it is called.

    Raises:
        FileNotFoundError: nothing is there.
        RecordUnreadable: the disk refuses, or it is not a regular file.
        StorageError: this process may open no more files.
    """
    return StoredFile(path, _again("read", path, descriptor))


def read_all(fd: int) -> bytes:
    """Read all bytes of an open file and close it, with no more calls than it takes."""
    try:
        size = os.fstat(fd).st_size
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data
        pieces = [data]
        while data := os.read(fd, PIECE_BYTES):
            pieces.append(data)
        return b"".join(pieces)
    finally:
        os.close(fd)


def unreadable(action: str, path: str, error: OSError) -> Exception:
    """Build the error for a file or folder of the store that cannot be looked at."""
    if error.errno in EXHAUSTED:
        return storage_error(action, path, error)
    return RecordUnreadable(action, path, error.strerror or str(error), denied=isinstance(error, PermissionError))


def _again(action: str, path: str, call: Callable[[], T]) -> T:
    """Do once more what the disk has refused; a name that is not there any more is no refusal."""
    try:
        return call()
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from error
    except OSError as error:
        raise unreadable(action, path, error) from error


if os.name == "nt":
    from aura_vcs.storage.windows_calls import handle_of, kernel, lock_file

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Take the lock if it is free; closing the file lets go."""
        return lock_file(handle_of(fd), kernel(), shared=shared)
else:
    import fcntl

    def try_lock(fd: int, *, shared: bool) -> bool:
        """Take the lock if it is free; closing the file lets go."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
