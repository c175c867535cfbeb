"""Looking at the project's files in a second process, while this one is still starting.

Asking for the state of tens of thousands of files takes as long as starting Python and importing
what a command needs: two cores do both at once. The second process compares with the scan cache
and tells which files differ; what it saw counts only for the very cache that it read.
"""

import os
import struct
from array import array
from collections.abc import Iterator, Sequence

from aura_vcs.layout import AURA, FORMAT, SCAN_CACHE
from aura_vcs.worktree.cache import CachedFolder, ScanCache, load_scan_cache

WORTHWHILE_BYTES = 100_000
"""A cache of a thousand files; less is looked at sooner than a process starts."""
LOOK_YOURSELF = 0xFFFFFFFF
"""Instead of the number of differing files: names came, went, or became something else."""
_COUNT = struct.Struct("<I")
_DIGEST_BYTES = 16


class Ahead:
    """What the process `pid` writes into the pipe `fd`: a digest, then for each folder which files differ.

    It looks at the project folder `root`.
    """

    def __init__(self, root: str, pid: int, fd: int) -> None:
        self.root = root
        self._pid = pid
        self._fd = fd

    def differing(self, cache: ScanCache) -> dict[str, Sequence[int]]:
        """The numbers of differing files of each folder that is otherwise as the cache has it; asked once.

        Empty if another cache was read, or the process ended early.
        """
        try:
            with open(self._fd, "rb") as pipe:
                data = pipe.read()
        finally:
            _, status = os.waitpid(self._pid, 0)
        if status != 0 or data[:_DIGEST_BYTES] != cache.digest:
            return {}
        return _decode(data, cache)


def look_ahead(folder: str) -> Ahead | None:
    """Start looking at the files of the project around `folder`; None where that cannot be, or is not worth it.

    To be called before the process has threads: it forks.
    """
    root = folder
    while not os.path.isfile(os.path.join(root, AURA, FORMAT)):
        root, below = os.path.dirname(root), root
        if root == below:
            return None
    cache_path = os.path.join(root, AURA, *SCAN_CACHE.split("/"))
    try:
        if os.stat(cache_path).st_size < WORTHWHILE_BYTES or len(os.sched_getaffinity(0)) < 2:
            return None
        reading, writing = os.pipe()
        pid = os.fork()
    except (OSError, AttributeError):  # not everywhere are there processors to ask for, or forks
        return None
    if pid:
        os.close(writing)
        return Ahead(root, pid, reading)
    status = 1
    try:
        os.close(reading)
        _look(root, cache_path, writing)
        status = 0
    except BaseException:  # nobody is there to tell; the first process looks for itself
        status = 1
    finally:
        os._exit(status)


def _look(root: str, cache_path: str, fd: int) -> None:
    cache = load_scan_cache(cache_path)
    found = [cache.digest]
    for path, folder in cache.folders.items():
        differing = _differing(f"{root}/{path}" if path else root, folder, is_root=not path)
        if differing is None:
            found.append(_COUNT.pack(LOOK_YOURSELF))
        else:
            found.append(_COUNT.pack(len(differing)) + array("I", differing).tobytes())
    data = memoryview(b"".join(found))
    while data:
        data = data[os.write(fd, data) :]


def _differing(real_path: str, folder: CachedFolder, *, is_root: bool) -> list[int] | None:
    """Numbers of files that are not as they were; None if the names in the folder are not those it had."""
    others = {*folder.folders, *folder.ignored}
    folders = set(folder.folders)
    items = {}
    try:
        listing = os.scandir(real_path)
    except OSError:
        return None
    with listing:
        for item in listing:
            name = item.name
            if name in others:
                if name in folders and not item.is_dir(follow_symlinks=False):
                    return None
                others.discard(name)
            elif not (is_root and name == AURA):
                items[name] = item
    if others or items.keys() != set(folder.names):
        return None
    if any(item.is_dir(follow_symlinks=False) for item in items.values()):
        return None
    return list(_changed(folder, items))


def _changed(folder: CachedFolder, items: "dict[str, os.DirEntry[str]]") -> Iterator[int]:
    for number, (name, state) in enumerate(folder.stamped()):
        try:
            found = items[name].stat(follow_symlinks=False)
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
