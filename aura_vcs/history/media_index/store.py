"""The media index of a project: entries under content ids, in `local/media-index`, which can all be made again.

`local/media-index/<version>/<ab>/<rest of the content id>` is an entry; see `formats/media/index_entry.py`, which
also says what is none; that of a sequence goes by its `sequence_key`.
`local/media-index/proxies/<ab>/<rest>` is what was made of a content for browsers.

An entry is as private as the content that it was made from: its owner's alone, or, in a
project that a group works in, open to those who can read the stored content.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.media.index_entry import VERSION, MediaEntry, NoEntryError, open_entry
from aura_vcs.ids import ObjectId
from aura_vcs.layout import MEDIA_INDEX
from aura_vcs.storage.local import LocalStorage
from aura_vcs.worktree.checkout.new_file import StoredReaders

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

PROXIES = "proxies"
"""The folder beside the versions of entries that has what browsers can play."""
ROOM_BYTES = 2 << 30
"""What all entries together may take: those that were not used for longest go first."""
FRESH_SECONDS = 86_400
"""A use is noted at most once in this time."""
_OWNER_ALONE = 0o600
ModeOf = Callable[[ObjectId], int]


class IndexRoom(msgspec.Struct, frozen=True):
    """What the media index takes: so many entries, and so many bytes on disk."""

    entries: int
    bytes: int


class MediaIndexStore:
    """Entries by content id. Several processes may use it at once: each entry appears as a whole, or not at all."""

    def __init__(
        self, storage: LocalStorage, mode_of: ModeOf = lambda _: _OWNER_ALONE, room_bytes: int = ROOM_BYTES
    ) -> None:
        self._storage = storage
        self._mode_of = mode_of
        self.room_bytes = room_bytes
        """What all entries together may take."""

    @classmethod
    def of(cls, repo: "Repository") -> "MediaIndexStore":
        """Return the index of a project; of one that can only be read, one that is gone when it is closed."""
        storage = repo.scratch_storage
        if not storage.is_shared:
            return cls(storage)
        readers = StoredReaders(repo.store)
        return cls(storage, lambda content: readers.making_mode(content, None, None) | _OWNER_ALONE)

    def get(self, content: ObjectId) -> MediaEntry | None:
        """Return the entry for a content id; None where there is none, or only a damaged one or another version's."""
        path = _path(content)
        try:
            found = self._storage.stat(path)
            if found is None:
                return None

            def read(at: int, count: int) -> bytes:
                with self._storage.open(path) as file:
                    file.seek(at)
                    return file.read(count)

            entry = open_entry(read, content, found.size)
        except (IntegrityError, OSError, NoEntryError):
            return None
        if time.time_ns() - found.mtime_ns > FRESH_SECONDS * 1_000_000_000:
            with suppress(IntegrityError, OSError):
                self._storage.touch(path)
        return entry

    def has(self, content: ObjectId) -> bool:
        """Tell whether there is an entry."""
        return self.get(content) is not None

    def put(self, content: ObjectId, data: bytes, members: Collection[ObjectId] = ()) -> None:
        """Keep an entry. It is not made durable: after a power failure it is there, or no entry.

        That of a sequence was made from `members`: who cannot read one of these cannot read it.

        Raises:
            StorageError: the disk refuses.
        """
        upload = self._storage.upload(reduce(and_, map(self._mode_of, members or (content,))))
        try:
            upload.write(data)
            upload.publish(_path(content), durably=False)
        finally:
            upload.discard()

    def forget(self, content: ObjectId) -> None:
        """Remove an entry, which is made anew where it is needed."""
        with suppress(IntegrityError, OSError):
            self._storage.forget(_path(content))

    def open_proxy(self, content: ObjectId) -> BinaryIO | None:
        """Open what was made of a content so that browsers can play it; None where nothing was."""
        try:
            return self._storage.open(_proxy_path(content))
        except (IntegrityError, OSError):
            return None

    @contextmanager
    def new_proxy(self, content: ObjectId) -> Iterator[Callable[[bytes], object]]:
        """Take the pieces of a proxy, which appears when all went well, as an entry does.

        Raises:
            StorageError: the disk refuses.
        """
        upload = self._storage.upload(self._mode_of(content))
        try:
            yield upload.write
            upload.publish(_proxy_path(content), durably=False)
        finally:
            upload.discard()

    def room(self) -> IndexRoom:
        """Measure what all entries take, those of other versions included."""
        sizes = [size for _, size in self._storage.walk(MEDIA_INDEX)]
        return IndexRoom(len(sizes), sum(sizes))

    def trim(self) -> int:
        """Let entries go until the rest fits into the room, older versions' first; return the freed bytes."""
        found = sorted(self._entries())
        left = sum(size for _, _, _, size in found)
        freed = 0
        for is_current, _, path, size in found:
            if is_current and left - freed <= self.room_bytes:
                break
            with suppress(IntegrityError, OSError):
                self._storage.forget(path)
                freed += size
        return freed

    def clear(self) -> IndexRoom:
        """Remove everything; return what it took. Interrupted, some is left, which is as good as before."""
        room = self.room()
        for path, _ in list(self._storage.walk(MEDIA_INDEX)):
            self._storage.forget(path)
        self._storage.discard_folder(MEDIA_INDEX)
        return room

    def _entries(self) -> Iterator[tuple[bool, int, str, int]]:
        """Yield whether an entry may stay, when it was used last, its path and size."""
        for path, size in self._storage.walk(MEDIA_INDEX):
            version = path.removeprefix(f"{MEDIA_INDEX}/").partition("/")[0]
            is_current = not version.isdecimal() or int(version) >= VERSION
            found = self._storage.look_around(path)
            yield is_current, found.st_mtime_ns if found is not None else 0, path, size


def _proxy_path(content: ObjectId) -> str:
    return f"{MEDIA_INDEX}/{PROXIES}/{content[:2]}/{content[2:]}"


def _path(content: ObjectId) -> str:
    return f"{MEDIA_INDEX}/{VERSION}/{content[:2]}/{content[2:]}"
