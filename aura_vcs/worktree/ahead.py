"""Looking at the project's files in a second process, while this one is still starting.

Asking for the state of tens of thousands of files takes as long as starting Python and importing
what a command needs: two cores do both at once. The second process compares with the scan cache
and tells which files differ; what it saw counts only for the very cache that it read.
"""

import os
import stat
import struct
from array import array
from collections.abc import Iterator, Sequence
from functools import partial

from aura_vcs.layout import AURA, FORMAT, SCAN_CACHE
from aura_vcs.worktree.cache import CachedFolder, ScanCache, load_scan_cache
from aura_vcs.worktree.second_process import SecondProcess, send, start_second

WORTHWHILE_BYTES = 100_000
"""A cache of a thousand files; less is looked at sooner than a process starts."""
LOOK_YOURSELF = 0xFFFFFFFF
"""Instead of the number of differing files: names came, went, or became something else."""
_COUNT = struct.Struct("<I")
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_DIGEST_BYTES = 16


class Ahead:
    """What a second process tells of the folder `root`: which cache it read, and which files differ."""

    def __init__(self, root: str, second: SecondProcess) -> None:
        self.root = root
        self.second = second

    def differing(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """The numbers of differing files of each folder that is otherwise as the cache has it; asked once.

        Empty if another cache was read, or the process ended early.
        """
        try:
            with open(self.second.fd, "rb") as pipe:
                data = pipe.read()
        finally:
            is_whole = self.second.ended()
        if not is_whole or data[:_DIGEST_BYTES] != cache.digest:
            return {}
        return _decode(data, cache)


def look_ahead(folder: str) -> Ahead | None:
    """Start looking at the files of the project around `folder`; None where that cannot be, or is not worth it."""
    root = folder
    while not os.path.isfile(os.path.join(root, AURA, FORMAT)):
        root, below = os.path.dirname(root), root
        if root == below:
            return None
    cache_path = os.path.join(root, AURA, *SCAN_CACHE.split("/"))
    try:
        if os.stat(cache_path).st_size < WORTHWHILE_BYTES:
            return None
    except OSError:
        return None
    second = start_second(partial(_look, root, cache_path))
    return Ahead(root, second) if second is not None else None


def _look(root: str, cache_path: str, fd: int) -> None:
    cache = load_scan_cache(cache_path)
    found = [cache.digest]
    for path, folder in cache.folders.items():
        differing = _differing(f"{root}/{path}" if path else root, folder, is_root=not path)
        if differing is None:
            found.append(_COUNT.pack(LOOK_YOURSELF))
        else:
            found.append(_COUNT.pack(len(differing)) + array("I", differing).tobytes())
    send(fd, b"".join(found))


def _differing(real_path: str, folder: CachedFolder, *, is_root: bool) -> list[int] | None:
    """Numbers of files that are not as they were; None if the names in the folder are not those it had."""
    try:
        fd = os.open(real_path, _FOLDER_FLAGS)
    except OSError:
        return None
    try:
        if not _has_same_names(fd, folder, AURA if is_root else None):
            return None
        return list(_changed(folder, fd))
    except OSError:
        return None  # a folder went while it was looked at
    finally:
        os.close(fd)


def _has_same_names(fd: int, folder: CachedFolder, left_out: str | None) -> bool:
    """Whether the names of files and of folders are those that the cache has."""
    if folder.ignored:  # an ignored folder may have become a file, which may be versioned
        with os.scandir(fd) as listing:
            kinds = {item.name: item.is_dir(follow_symlinks=False) for item in listing}
        kinds.pop(left_out or "", None)
        here = {f"{name}/" if is_folder else name for name, is_folder in kinds.items()}
        return here == {*folder.names, *(f"{name}/" for name in folder.folders), *folder.ignored}
    names = set(os.listdir(fd))  # a fifth quicker, with thousands of them
    names.discard(left_out or "")
    if names != {*folder.names, *folder.folders}:
        return False
    return all(stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode) for name in folder.folders)


def _changed(folder: CachedFolder, fd: int) -> Iterator[int]:
    """The loop that every file of a large project goes through: from an open folder, names are found soonest."""
    look = os.stat
    for number, (name, state) in enumerate(folder.stamped()):
        try:
            found = look(name, dir_fd=fd, follow_symlinks=False)
        except OSError:
            yield number
            continue
        if (
            found.st_mtime_ns != state[0]
            or found.st_ctime_ns != state[1]
            or found.st_size != state[2]
            or found.st_ino != state[3]
            or found.st_mode != state[4]
        ):
            yield number


def _decode(data: bytes, cache: ScanCache) -> dict[str, Sequence[int]]:
    found: dict[str, Sequence[int]] = {}
    at = _DIGEST_BYTES
    for path in cache.folders:
        count = _COUNT.unpack_from(data, at)[0]
        at += _COUNT.size
        if count != LOOK_YOURSELF:
            end = at + count * 4
            found[path] = array("I", data[at:end])
            at = end
    return found
