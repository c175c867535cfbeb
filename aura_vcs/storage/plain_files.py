"""Opening files of our own: regular ones, never through a link, with the mode that their folder asks for."""

import errno
import os
import stat
from contextlib import suppress
from typing import NamedTuple

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.ids import Bytes
from aura_vcs.layout import check_entry_name
from aura_vcs.storage.own_folders import OwnFolders, is_link
from aura_vcs.storage.system_calls import FileCalls, write_all

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
        return _regular(os.open(name, flags, dir_fd=dir_fd))
    except OSError as error:
        if error.errno in _LINK and _leads_on(name, dir_fd):  # the system said so in its own words
            raise LinkedPath(path) from error
        raise


def open_regular(path: str) -> int:
    """Open a regular file that somebody named, for reading; links are followed, and nobody waits for a pipe.

    Raises:
        OSError: it cannot be opened, or is not a regular file.
    """
    return _regular(os.open(path, READ & ~getattr(os, "O_NOFOLLOW", 0)))


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


def open_held(calls: FileCalls, name: str, path: str, dir_fd: int | None) -> int:
    """Open a file that is written in place, made if it is not there; the people of its folder share it.

    Raises:
        LinkedPath: it is a link. OSError: it cannot be opened, or is not a regular file.
    """
    if dir_fd is None and _leads_on(name, None):
        raise LinkedPath(path)
    try:
        fd = _regular(calls.open_append(name, dir_fd=dir_fd))
    except OSError as error:
        if error.errno in _LINK and _leads_on(name, dir_fd):
            raise LinkedPath(path) from error
        raise
    share_file(calls, fd, dir_fd, in_place=True)
    return fd


class Append(NamedTuple):
    """Bytes to be written at an offset of a file, cutting off what lies after it.

    `is_fresh` says that the file is new: then its name is made durable, too.
    """

    data: Bytes
    at: int
    durable: bool
    is_fresh: bool


def append_held(calls: FileCalls, name: str, path: str, dir_fd: int | None, what: Append) -> None:
    """Append to a file that is written in place; where that fails, what was written is taken back.

    Raises:
        LinkedPath: it is a link. OSError: the disk refuses.
    """
    fd = open_held(calls, name, path, dir_fd)
    try:
        if os.fstat(fd).st_size > what.at:
            calls.truncate(fd, what.at)
        os.lseek(fd, what.at, os.SEEK_SET)
        write_all(calls, fd, what.data)
        if what.durable:
            calls.fsync(fd)
            if what.is_fresh:
                calls.fsync_folder(".", dir_fd=dir_fd)
    except OSError:
        _cut(calls, fd, what.at)
        raise
    finally:
        os.close(fd)


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


def share_file(calls: FileCalls, fd: int, dir_fd: int | None, *, in_place: bool = False) -> None:
    """Let the group write a new file of ours, if it is to write the folder's files.

    A folder says so by its set-group-id bit and the group's right to write. For a file that is written
    `in_place`, which nobody replaces, that right is enough. Bits are only ever added, so that an access
    control list that the folder hands down stays.
    """
    if dir_fd is None:
        return
    above, found = os.fstat(dir_fd).st_mode, os.fstat(fd)
    wanted = found.st_mode | 0o060
    if is_shared(above, in_place=in_place) and wanted != found.st_mode and found.st_uid == os.geteuid():
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


def _regular(fd: int) -> int:
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode):
        return fd
    os.close(fd)
    code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(code, os.strerror(code) if stat.S_ISDIR(mode) else "it is not a regular file")
