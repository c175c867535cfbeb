"""The scan cache: what every file looked like when it was last hashed.

A file whose size, times, inode and mode are as they were has the content it had: files are only
hashed when they have been unchanged for longer than a tick of their file system's clock (see
`sources`), so two contents never share a stamp (the racy-clean rule). The cache is a convenience:
damaged, it is ignored, and every file is hashed again. Where it lies: see cache_file.
"""

import os
import stat
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple

from aura_vcs.ids import Bytes

STAMP = struct.Struct("<qqQQI32s")
"""A FileState."""
_LOOK = struct.Struct("<qqQQI32x")
"""The same without the id of the content: what a look at a file shows."""
RACY = -1
"""Instead of the time of change, in the stamp of a file that may be written again unnoticed: no file
has such a time, so it is read again."""

NOT_COMPARED = 0xFFFFFFFF
"""Where a look ahead tells how many files of a folder differ: names came, went, or became something else."""
OUTDATED_SECONDS = 2
"""What was seen ahead is looked at again by a command that waited longer, for a lock or an answer."""


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


id_of = itemgetter(5)
"""Returns the id of a state."""


class CleanFolder:
    """A project folder that is equal to a tree in every file, by the rules with this fingerprint.

    `has_conflicts` tells whether the file that merges leave is there.
    """

    __slots__ = ("files", "fingerprint", "has_conflicts", "tree")

    def __init__(self, tree: str, fingerprint: bytes, files: int, has_conflicts: bool) -> None:
        self.tree = tree
        self.fingerprint = fingerprint
        self.files = files
        self.has_conflicts = has_conflicts


class CachedFolder:
    """A folder as it was seen; `tree` is empty unless every file below was hashed.

    `held` are those of its files and folders that are versioned although a rule ignores them.
    """

    __slots__ = ("_files", "folders", "held", "ignored", "names", "stamps", "tree")

    def __init__(  # one for each folder of every project
        self, names: list[str], stamps: Bytes, folders: list[str], ignored: list[str], held: list[str], tree: bytes
    ) -> None:
        self.names = names
        self.stamps = stamps
        """A STAMP for each of `names`: of a cache that was read, a part of that, which is not copied."""
        self.folders = folders
        self.ignored = ignored
        self.held = held
        self.tree = tree
        self._files: dict[str, FileState] | None = None

    @property
    def files(self) -> dict[str, FileState]:
        """The files by name; the same dictionary every time."""
        if self._files is None:
            make = partial(tuple.__new__, FileState)  # `_make` takes twice as long, for the files of every project
            self._files = dict(zip(self.names, map(make, STAMP.iter_unpack(self.stamps)), strict=True))
        return self._files

    def sizes(self) -> list[int]:
        """Return the size of every file in bytes."""
        return [state[2] for state in STAMP.iter_unpack(self.stamps)]

    def stamped(self) -> Iterator[tuple[str, tuple[int, int, int, int, int]]]:
        """Name and state of every file, the state as a plain tuple without the id of its content."""
        return zip(self.names, _LOOK.iter_unpack(self.stamps), strict=True)


class ScanCache:
    """Folders by their path, "" for the project folder itself, in the order in which they were seen.

    `digest` tells one cache from another.
    """

    def __init__(
        self,
        fingerprint: bytes,
        folders: dict[str, CachedFolder],
        digest: bytes = b"",
        inode: int = 0,
        first_bytes: int = 0,
        all_bytes: int = 0,
    ) -> None:
        self.fingerprint = fingerprint
        self.folders = folders
        self.digest = digest
        self.inode = inode
        self.first_bytes = first_bytes
        """How long the first segment is."""
        self.all_bytes = all_bytes
        """How long all segments are that count, the first among them."""

    def files_only(self, fingerprint: bytes) -> "ScanCache":
        """Return what stays known when the rules change: what is in files, and not which of them are versioned."""
        folders = {path: CachedFolder(f.names, f.stamps, [], [], [], b"") for path, f in self.folders.items()}
        return ScanCache(fingerprint, folders)


class FolderChange:
    """What of a folder is not as the cache has it. `lists` are its folders, ignored and held names, if they changed."""

    __slots__ = ("files", "gone", "lists", "path", "tree")

    def __init__(
        self,
        path: str,
        tree: bytes,
        files: Mapping[str, FileState],
        gone: Sequence[str],
        lists: tuple[Sequence[str], Sequence[str], Sequence[str]] | None,
    ) -> None:
        self.path = path
        self.tree = tree
        self.files = files
        self.gone = gone
        self.lists = lists


def cached_folder(
    files: Mapping[str, FileState], folders: list[str], ignored: list[str], held: list[str], tree: bytes = b""
) -> CachedFolder:
    """Build the cache of a folder; every file has its id. Files dated beyond the year 2262 are left out."""
    try:
        stamps = b"".join([STAMP.pack(*state) for state in files.values()])
    except struct.error:
        kept = {name: state for name, state in files.items() if _fits(state)}
        return cached_folder(kept, folders, ignored, held)
    return CachedFolder(list(files), stamps, folders, ignored, held, tree)


def _fits(state: FileState) -> bool:
    try:
        return bool(STAMP.pack(*state))
    except struct.error:
        return False


def file_state(found: os.stat_result, content: bytes = b"") -> FileState:
    """Return the state that a stat shows."""
    seen = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode, content)
    return tuple.__new__(FileState, seen)  # FileState(…) takes three times as long, and every file is here
