"""The scan cache: what every file looked like when it was last hashed.

A file whose size, times, inode and mode are as they were has the content it had: files are only
hashed when they have held still for longer than a tick of their file system's clock (see
`sources`), so two contents never share a stamp (the racy-clean rule). The cache is a convenience:
damaged, it is ignored, and every file is hashed again.
"""

import os
import stat
from typing import NamedTuple

import msgspec
from blake3 import blake3

from aura_vcs.storage.calls import FileCalls, write_all

MAGIC = b"AURASCAN1"
_DIGEST = 16
UNSETTLED = -1
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
        """The same with its content's id."""
        return FileState(self[0], self[1], self[2], self[3], self[4], object_id)

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def is_executable(self) -> bool:
        """Whether its owner may run it."""
        return bool(self.mode & 0o100) and not self.is_symlink


class FolderState(msgspec.Struct, array_like=True):
    """A folder as it was seen; `tree` is empty unless every file below was hashed."""

    files: dict[str, FileState]
    folders: list[str]
    ignored: list[str]
    tree: bytes = b""


class ScanCache(msgspec.Struct, array_like=True):
    """Folders by their path, "" for the project folder itself."""

    ignore_fingerprint: bytes
    folders: dict[str, FolderState]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ScanCache)


def file_state(found: os.stat_result, content: bytes = b"") -> FileState:
    """The state that a stat shows."""
    return FileState(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode, content)


def load_scan_cache(path: str, fingerprint: bytes) -> ScanCache:
    """The cache in a file; an empty one if it is absent, damaged, or made under other ignore rules."""
    empty = ScanCache(fingerprint, {})
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except OSError:
        return empty
    start = len(MAGIC) + _DIGEST
    if data[: len(MAGIC)] != MAGIC or blake3(data[start:]).digest()[:_DIGEST] != data[len(MAGIC) : start]:
        return empty
    try:
        cache = _decoder.decode(data[start:])
    except msgspec.DecodeError:
        return empty
    return cache if cache.ignore_fingerprint == fingerprint else empty


def save_scan_cache(path: str, cache: ScanCache, calls: FileCalls) -> None:
    """Write the cache. It is not synced: after a power failure its checksum tells."""
    data = _encoder.encode(cache)
    temporary = f"{path}-{os.getpid()}"
    try:
        fd = calls.create(temporary)
        try:
            write_all(calls, fd, MAGIC + blake3(data).digest()[:_DIGEST] + data)
        finally:
            os.close(fd)
        calls.replace(temporary, path)
    except OSError:
        if os.path.lexists(temporary):
            os.unlink(temporary)
