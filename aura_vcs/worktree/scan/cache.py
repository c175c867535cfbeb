"""The scan cache: what every file looked like when it was last hashed.

A file whose size, times, inode and mode are as they were has the content it had: files are only
hashed when they have held still for longer than a tick of their file system's clock (see
`sources`), so two contents never share a stamp (the racy-clean rule). The cache is a convenience:
damaged, it is ignored, and every file is hashed again.

The file: MAGIC, a digest of the rest, `_HEAD`, a `_FOLDER` for each folder, all names joined by
zero bytes (a folder's path, then its files, folders, ignored and held names), a `_STAMP` for each file.
It opens in a few milliseconds for tens of thousands of files: states are only made of the folders
that somebody asks for.
"""

import os
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

from blake3 import blake3

from aura_vcs.errors.integrity import LinkedPath, StorageError
from aura_vcs.layout import SCAN_CACHE
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.storage.plain_files import READ, open_plain

if TYPE_CHECKING:
    from aura_vcs.storage.local import LocalStorage

MAGIC = b"AURASCAN3"
_DIGEST = 16
_HEAD = struct.Struct("<16sIQ")
"""The ignore rules' fingerprint, how many folders, the bytes of names."""
_FOLDER = struct.Struct("<IIII32s")
"""How many files, folders, ignored and held names; the folder's tree, zeros if it is not known."""
_STAMP = struct.Struct("<qqQQI32s")
"""A FileState."""
_NO_TREE = bytes(32)
RACY = -1
"""Instead of the time of change, in the stamp of a file that may be written again unnoticed: no file
has such a time, so it is read again."""


class FileState(NamedTuple):
    """A file as it was seen; `id` is empty until it has been hashed. Times in nanoseconds."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    mode: int
    id: bytes

    def hashed(self, object_id: bytes) -> "FileState":
        """Return the same state with its content's id."""
        return FileState(self[0], self[1], self[2], self[3], self[4], object_id)

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_executable(self) -> bool:
        """Whether its owner may run it."""
        return bool(self.mode & 0o100) and not self.is_symlink


class CachedFolder:
    """A folder as it was seen; `tree` is empty unless every file below was hashed.

    `held` are those of its files and folders that are versioned although a rule ignores them.
    """

    __slots__ = ("_files", "folders", "held", "ignored", "names", "stamps", "tree")

    def __init__(  # one for each folder of every project
        self, names: list[str], stamps: bytes, folders: list[str], ignored: list[str], held: list[str], tree: bytes
    ) -> None:
        self.names = names
        self.stamps = stamps
        """A _STAMP for each of `names`."""
        self.folders = folders
        self.ignored = ignored
        self.held = held
        self.tree = tree
        self._files: dict[str, FileState] | None = None

    @property
    def files(self) -> dict[str, FileState]:
        """The files by name; the same dictionary every time."""
        if self._files is None:
            self._files = dict(zip(self.names, map(FileState._make, _STAMP.iter_unpack(self.stamps)), strict=True))
        return self._files

    def sizes(self) -> list[int]:
        """Return the size of every file in bytes."""
        return [state[2] for state in _STAMP.iter_unpack(self.stamps)]

    def stamped(self) -> Iterator[tuple[str, tuple[int, int, int, int, int, bytes]]]:
        """Name and state of every file, the state as a plain tuple."""
        return zip(self.names, _STAMP.iter_unpack(self.stamps), strict=True)


class ScanCache:
    """Folders by their path, "" for the project folder itself, in the order in which they were seen.

    `digest` tells one cache from another.
    """

    def __init__(self, fingerprint: bytes, folders: Mapping[str, CachedFolder], digest: bytes = b"") -> None:
        self.fingerprint = fingerprint
        self.folders = folders
        self.digest = digest

    def files_only(self, fingerprint: bytes) -> "ScanCache":
        """Return what stays known when the rules change: what is in files, and not which of them are versioned."""
        folders = {path: CachedFolder(f.names, f.stamps, [], [], [], b"") for path, f in self.folders.items()}
        return ScanCache(fingerprint, folders)


def cached_folder(
    files: Mapping[str, FileState], folders: list[str], ignored: list[str], held: list[str], tree: bytes = b""
) -> CachedFolder:
    """Build the cache of a folder; every file has its id. Files dated beyond the year 2262 are left out."""
    try:
        stamps = b"".join([_STAMP.pack(*state) for state in files.values()])
    except struct.error:
        kept = {name: state for name, state in files.items() if _fits(state)}
        return cached_folder(kept, folders, ignored, held)
    return CachedFolder(list(files), stamps, folders, ignored, held, tree)


def _fits(state: FileState) -> bool:
    try:
        return bool(_STAMP.pack(*state))
    except struct.error:
        return False


def file_state(found: os.stat_result, content: bytes = b"") -> FileState:
    """Return the state that a stat shows."""
    seen = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode, content)
    return tuple.__new__(FileState, seen)  # FileState(…) takes three times as long, and every file is here


def load_scan_cache(place: "LocalStorage | OwnFolders") -> ScanCache:
    """Load the cache in a store; an empty one if it is absent or damaged."""
    empty = ScanCache(b"", {})
    try:
        with place.at(SCAN_CACHE) as (last, dir_fd):
            fd = open_plain(last, READ, SCAN_CACHE, dir_fd=dir_fd)
        with open(fd, "rb", buffering=0) as file:
            data = file.read()
    except (OSError, LinkedPath):
        return empty
    start = len(MAGIC) + _DIGEST
    digest = data[len(MAGIC) : start]
    if data[: len(MAGIC)] != MAGIC or blake3(memoryview(data)[start:]).digest()[:_DIGEST] != digest:
        return empty
    try:
        return _decode(data, start, digest)
    except (ValueError, IndexError, struct.error):
        return empty  # whoever made it knew how to make a digest, but not a cache


def _decode(data: bytes, start: int, digest: bytes) -> ScanCache:
    fingerprint, count, text_bytes = _HEAD.unpack_from(data, start)
    table = start + _HEAD.size
    text = table + count * _FOLDER.size
    stamp = text + text_bytes
    names = data[text:stamp].decode("utf-8").split("\0")
    folders, at = {}, 0
    for files, inner, ignored, held, tree in _FOLDER.iter_unpack(data[table:text]):
        path, at = names[at], at + 1
        ends = tuple(accumulate((files, inner, ignored, held), initial=at))
        stamps = data[stamp : stamp + files * _STAMP.size]
        stamp += len(stamps)
        own, below, hidden, kept = (names[start:end] for start, end in pairwise(ends))
        folders[path] = CachedFolder(own, stamps, below, hidden, kept, b"" if tree == _NO_TREE else tree)
        at = ends[-1]
    if at != len(names) or stamp != len(data):
        raise ValueError("names or stamps are left over, or lacking")
    return ScanCache(fingerprint, folders, digest)


def save_scan_cache(storage: "LocalStorage", cache: ScanCache) -> None:
    """Write the cache. It is not synced: after a power failure its digest tells."""
    data = _encode(cache)
    with suppress(FileNotFoundError, StorageError, LinkedPath):
        storage.put_unsynced(SCAN_CACHE, MAGIC + blake3(data).digest()[:_DIGEST] + data)


def _encode(cache: ScanCache) -> bytes:
    table, names, stamps = [], [], []
    for path, folder in cache.folders.items():
        counts = len(folder.names), len(folder.folders), len(folder.ignored), len(folder.held)
        table.append(_FOLDER.pack(*counts, folder.tree or _NO_TREE))
        names.append(path)
        names += folder.names
        names += folder.folders
        names += folder.ignored
        names += folder.held
        stamps.append(folder.stamps)
    text = "\0".join(names).encode("utf-8")
    return b"".join([_HEAD.pack(cache.fingerprint, len(table), len(text)), *table, text, *stamps])
