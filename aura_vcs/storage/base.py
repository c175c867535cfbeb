"""The protocol of a place that keeps bytes under names.

Names are relative, with "/" between parts; a folder exists as soon as something lies in it.
Capabilities grow one protocol at a time: Readable, Writable, Deletable.

Guarantees of every implementation:
- `put` and `Upload.publish` replace as a whole: a reader sees the old bytes or the new, also
  after a power failure, and when they return the bytes are durable.
- `append` is durable when it returns; interrupted, it may leave part of `data` at the end.
- Errors are StorageError and its children; an absent name is FileNotFoundError.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import BinaryIO, Protocol

import msgspec

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.ids import Bytes


class FileStat(msgspec.Struct, frozen=True):
    """Size in bytes and modification time in nanoseconds since 1970."""

    size: int
    mtime_ns: int


class Upload(Protocol):
    """A file in the making; it has no name until it is published."""

    def write(self, data: Bytes) -> None:
        """Add bytes at the end."""

    def publish(self, name: str) -> None:
        """Make the bytes durable and give them their name, replacing what was there."""

    def discard(self) -> None:
        """Forget the bytes; harmless after `publish`."""


class Readable(Protocol):
    """Bytes can be looked at."""

    def open(self, name: str) -> BinaryIO:
        """Open the bytes as a seekable stream. Raises FileNotFoundError."""

    def read(self, name: str) -> bytes:
        """Read all the bytes. Raises FileNotFoundError."""

    def stat(self, name: str) -> FileStat | None:
        """Return size and time of a file or folder, None where nothing is."""

    def list(self, folder: str) -> list[str]:
        """List names of files and folders directly inside, sorted; [] where nothing is."""


class Writable(Readable, Protocol):
    """Bytes can be added and replaced."""

    def put(self, name: str, data: bytes) -> None:
        """Replace the bytes under `name`, durably and as a whole."""

    def upload(self) -> Upload:
        """Begin a file whose size or name is not known yet."""

    def append(self, name: str, data: bytes, *, at: int, durable: bool = True) -> None:
        """Write at offset `at`, cutting off what lies after it.

        Not `durable`, a power failure may take it back: for what only repeats something else.
        """

    def touch(self, name: str) -> None:
        """Set the modification time to now."""


class Deletable(Writable, Protocol):
    """Bytes can be removed."""

    def delete(self, name: str) -> None:
        """Remove a file, durably; absent is fine."""

    def delete_many(self, names: Iterable[str]) -> None:
        """Remove files, durably when it returns, in no order that would last; absent is fine."""

    def delete_folder(self, name: str) -> None:
        """Remove a folder if it is there and empty."""


_DOTTED = frozenset(("", ".", ".."))


@lru_cache(maxsize=512)
def check_storage_name(name: str) -> str:
    """Return `name` if it stays inside the place.

    Raises:
        UnsafePath: empty, absolute, or with "." or ".." in it.
    """
    if not name or name.startswith("/") or "\\" in name or "\0" in name:
        raise UnsafePath(name, "not a relative path")
    if not _DOTTED.isdisjoint(name.split("/")):
        raise UnsafePath(name, "it has empty or dotted parts")
    return name
