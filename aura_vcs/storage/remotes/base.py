"""The protocol of a place far away that several machines share.

It grows on `storage.base` one capability at a time: RangeReadable, Listable, Creatable,
Swappable, Removable. Two rules make it safe to share: a file that exists is never replaced by
`create`, and the one file that changes moves by `swap` from the state that was seen.

Names are as in `storage.base`. Guarantees of every implementation:
- `create` and `swap` are atomic and durable: a reader sees all bytes or none, old or new.
- Of several that `create` one name, or `swap` from one token, exactly one succeeds.
- Absent is FileNotFoundError, present is FileExistsError, a stale token is RefMoved; all else
  is RemoteError and its children. Safe to use from several threads.
"""

from collections.abc import Callable
from typing import BinaryIO, Protocol

import msgspec

from aura_vcs.progress import SILENT, Progress

SMALL_BYTES = 64 << 20
"""The largest file that is loaded as a whole; more is an attack or a mistake."""


class RemoteFile(msgspec.Struct, frozen=True):
    """The bytes of a small file, and a token of their state that `swap` takes."""

    data: bytes
    token: str


class RemoteEntry(msgspec.Struct, frozen=True):
    """A file in a listing; `name` is the whole name, `size` in bytes."""

    name: str
    size: int


def check_range(offset: int, length: int) -> None:
    """Refuse a range that no file has, before anything is asked.

    Raises:
        ValueError: it begins before the file, or is shorter than nothing.
    """
    if offset < 0 or length < 0:
        raise ValueError("a range does not begin before the file")


class RangeReadable(Protocol):
    """Bytes can be looked at, also a part of them. `location` says where, for messages."""

    location: str

    def load(self, name: str) -> RemoteFile:
        """Read a small file.

        Raises:
            FileNotFoundError: nothing is there.
            RemoteCorrupt: it has more than SMALL_BYTES.
        """

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Read `length` bytes from `offset` on, fewer only where the file ends.

        Raises:
            FileNotFoundError: nothing is there.
        """

    def size(self, name: str) -> int | None:
        """Return the size of a file in bytes, None where nothing is."""

    def close(self) -> None:
        """Let go of connections."""


class Listable(RangeReadable, Protocol):
    """Names can be listed. A listing may be late: it proves presence, never absence."""

    def list(self, folder: str) -> list[RemoteEntry]:
        """List files directly in a folder, sorted by name; [] where nothing is."""


class CreateChecked(Protocol):
    """Adds a file as `create` does, and lets `check` look at what arrived before it gets its name, and refuse it."""

    def __call__(
        self, name: str, source: BinaryIO, *, check: Callable[[BinaryIO], None], progress: Progress = SILENT
    ) -> int:
        """Store the source under a name that is free; see Creatable.create."""


class Creatable(Listable, Protocol):
    """Files can be added.

    `pack_bytes` says how large a pack should be there, None: as large as they come. It is wanted
    where an interrupted file is sent again from its beginning. `create_checked` is None where what
    arrived cannot be looked at without sending it back.
    """

    pack_bytes: int | None

    @property
    def create_checked(self) -> CreateChecked | None:
        """How to add a file that is looked at where it arrives."""

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """Store all of `source`, which can seek, under a name that is free.

        Returns how many of its bytes had arrived before, by an attempt that was interrupted, and
        were not sent again. `progress` counts bytes as they arrive, those that had arrived too; what
        it raises ends the attempt. Interrupted, a large file may leave what has arrived of it, without
        its name, for the next attempt.

        Raises:
            FileExistsError: the name is taken; what is there stays as it is.
        """


class Swappable(Creatable, Protocol):
    """Small files can be replaced if they are as they were seen."""

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """Replace the bytes that had `token` (None: that were not there); returns the new token.

        Raises:
            RefMoved: the file is in another state.
        """


class RemoteStorage(Swappable, Protocol):
    """Everything, removal included."""

    def delete(self, name: str) -> None:
        """Remove a file; absent is fine."""
