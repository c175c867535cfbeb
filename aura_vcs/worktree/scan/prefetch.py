"""Looking at the project's files in a worker process, while this one is still starting.

Asking for the state of tens of thousands of files takes longer than starting Python and importing
what a command needs: two cores do both at once. The worker process compares with the scan cache
and tells which files differ, folder by folder; what it saw counts only for the very cache that it
read. Once this process has started, it looks too, from the last folder on, until they meet.
"""

import os
import stat
import struct
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.forked_worker import ForkedWorker, fork_worker, send
from aura_vcs.layout import AURA, FORMAT, SCAN_CACHE, WATCHER_SOCKET
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.storage.owners import foreign_owner
from aura_vcs.worktree.scan.cache import NOT_COMPARED, OUTDATED_SECONDS, CachedFolder, CleanFolder, ScanCache
from aura_vcs.worktree.scan.cache_file import load_scan_cache

WORTHWHILE_BYTES = 100_000
"""A cache of a thousand files; less is looked at sooner than a process starts."""
_COUNT = struct.Struct("<I")
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_DIGEST_BYTES = 16
_NUMBER_BYTES = array("I").itemsize
_PIPE_BYTES = 65536
MESSAGE_FOLDERS = 500
"""After so many files the worker process tells what it saw."""


class LookAhead(Protocol):
    """Who has looked at the folder `root` already."""

    root: str

    @property
    def is_to_be_verified(self) -> bool:
        """Whether everything is to be looked at all the same, to hold it against what was told."""

    @property
    def clean(self) -> "CleanFolder | None":
        """The tree to which the folder is equal in every file; None where it is to none, or that is not known."""

    def differing(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """Map folders to the numbers of their differing files, where all else is as the cache has it."""


class ScanPrefetch:
    """What a worker process tells of the folder `root`: which cache it read, and which files differ."""

    is_to_be_verified = False
    clean = None

    def __init__(self, root: str, second: ForkedWorker) -> None:
        self.root = root
        self.second = second
        self._since = time.monotonic()

    def differing(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """Map folders to the numbers of their differing files, where all else is as the cache has it; asked once.

        Empty if another cache was read, or the look is older than OUTDATED_SECONDS.
        """
        told = _PipeReader(self.second.fd)
        try:
            if time.monotonic() - self._since > OUTDATED_SECONDS:
                return {}
            if told.digest() != cache.digest:
                return {}
            return self._meet(told, cache)
        finally:
            self.second.stop()

    def _meet(self, told: "_PipeReader", cache: ScanCache) -> dict[str, Sequence[int]]:
        """Look at folders from the last one on, until those are left that the worker process has looked at."""
        found: dict[str, Sequence[int] | None] = {}
        paths = list(cache.folders)
        first, last = 0, len(paths)
        while first < last:
            for differing in told.folders():
                found[paths[first]] = differing
                first += 1
            if first < last:
                last -= 1
                path = paths[last]
                found[path] = _differing(_real(self.root, path), cache.folders[path], is_root=not path)
        return {path: differing for path, differing in found.items() if differing is not None}


class _PipeReader:
    """What came through the pipe of the worker process so far; nothing more comes from one that died."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._data = b""

    def digest(self) -> bytes:
        """Read the digest of the cache that the worker process read, and wait for it."""
        while len(self._data) < _DIGEST_BYTES and (more := os.read(self._fd, _PIPE_BYTES)):
            self._data += more
        digest, self._data = self._data[:_DIGEST_BYTES], self._data[_DIGEST_BYTES:]
        os.set_blocking(self._fd, False)
        return digest

    def folders(self) -> Iterator[Sequence[int] | None]:
        """Yield the differing files of each folder that has come since; None for a folder to be looked at here."""
        with suppress(BlockingIOError):
            while more := os.read(self._fd, _PIPE_BYTES):
                self._data += more
        at = 0
        while len(self._data) - at >= _COUNT.size:
            count = _COUNT.unpack_from(self._data, at)[0]
            is_told = count != NOT_COMPARED
            end = at + _COUNT.size + (count * _NUMBER_BYTES if is_told else 0)
            if end > len(self._data):
                break
            yield array("I", self._data[at + _COUNT.size : end]) if is_told else None
            at = end
        self._data = self._data[at:]


def ask_ahead(root: str) -> LookAhead | None:
    """Ask the watcher of a project folder which files differ; None where there is none, or it is not to be believed."""
    if not os.path.lexists(os.path.join(root, AURA, WATCHER_SOCKET)):
        return None
    from aura_vcs.worktree.scan.watched import ask_watcher  # few projects have a watcher

    return ask_watcher(root)


def prefetch_scan(folder: str) -> LookAhead | None:
    """Start looking at the files of the project around `folder`; None where that cannot be, or is not worth it.

    Where a watcher knows which files differ, none is looked at.
    """
    root = folder
    while not os.path.isfile(os.path.join(root, AURA, FORMAT)):
        root, below = os.path.dirname(root), root
        if root == below:
            return None
    if foreign_owner(os.path.join(root, AURA)) is not None:
        return None  # only the command knows whether it is to be used
    if (answer := ask_ahead(root)) is not None:
        return answer
    folders = OwnFolders(os.path.join(root, AURA), follow_root=False)
    try:
        with folders.at(SCAN_CACHE) as (last, dir_fd):
            if os.stat(last, dir_fd=dir_fd, follow_symlinks=False).st_size < WORTHWHILE_BYTES:
                return None
    except (OSError, LinkedPath):
        return None  # if that is a reason to refuse, the command says so
    second = fork_worker(partial(_prefetch, root, folders))
    return ScanPrefetch(root, second) if second is not None else None


def _prefetch(root: str, folders: OwnFolders, fd: int) -> None:
    cache = load_scan_cache(folders)
    send(fd, cache.digest)
    found: list[bytes] = []
    files = 0
    for path, folder in cache.folders.items():
        differing = _differing(_real(root, path), folder, is_root=not path)
        if differing is None:
            found.append(_COUNT.pack(NOT_COMPARED))
        else:
            found.append(_COUNT.pack(len(differing)) + array("I", differing).tobytes())
        files += len(folder.names)
        if files >= MESSAGE_FOLDERS:
            send(fd, b"".join(found))
            found.clear()
            files = 0
    send(fd, b"".join(found))


def _real(root: str, path: str) -> str:
    return f"{root}/{path}" if path else root


def _differing(real_path: str, folder: CachedFolder, *, is_root: bool) -> list[int] | None:
    """List the numbers of files that are not as they were; None if the names in the folder are not those it had."""
    try:
        fd = os.open(real_path, _FOLDER_FLAGS)
    except OSError:
        return None
    try:
        if not _has_same_names(fd, folder, AURA if is_root else None):
            return None
        return list(changed_files(folder, fd))
    except OSError:
        return None  # a folder went while it was looked at
    finally:
        os.close(fd)


def _has_same_names(fd: int, folder: CachedFolder, left_out: str | None) -> bool:
    """Tell whether the names of files and of folders are those that the cache has."""
    if folder.ignored:  # an ignored folder may have become a file, which may be versioned
        with os.scandir(fd) as listing:
            kinds = {item.name: item.is_dir(follow_symlinks=False) for item in listing}
        kinds.pop(left_out or "", None)
        here = {f"{name}/" if is_folder else name for name, is_folder in kinds.items()}
        return here == {*folder.names, *(f"{name}/" for name in folder.folders), *folder.ignored}
    listed = os.listdir(fd)  # a fifth quicker, with thousands of them
    if listed == folder.names and not folder.folders:
        return True  # in the order in which the disk listed them before, as in nearly every folder of files alone
    names = set(listed)
    names.discard(left_out or "")
    if names != {*folder.names, *folder.folders}:
        return False
    return all(stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode) for name in folder.folders)


def changed_files(folder: CachedFolder, fd: int) -> Iterator[int]:
    """Yield numbers of changed files in the folder that is open as `fd`, in the loop that all files go through."""
    look = os.stat
    for number, (name, (mtime_ns, ctime_ns, size, inode, mode)) in enumerate(folder.stamped()):
        try:
            found = look(name, dir_fd=fd, follow_symlinks=False)
        except OSError:
            yield number
            continue
        if (
            found.st_mtime_ns != mtime_ns
            or found.st_ctime_ns != ctime_ns
            or found.st_size != size
            or found.st_ino != inode
            or found.st_mode != mode
        ):
            yield number
