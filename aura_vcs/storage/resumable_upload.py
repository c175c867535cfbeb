"""Large files on their way: what has arrived of one stays under a name that the next attempt finds.

A part lies among the temporary files, under the file's name with slashes as dashes, a number and
`.part`. Whoever writes it holds a lock of the operating system on it, so that no two ever write into
one part. Where the first is held (by somebody else, or by the other side of a line that was cut and
does not know yet), the next number is taken, and what the others have of the file is copied.

A part is not trusted. It may hold anything: before it is gone on with, its hash is compared with that
of the file's beginning, and the whole is checked as ever before it gets its name. A part is not a link,
and has one name only: a part that somebody made of another file would have that written to.
"""

import os
import re
import stat
import time
from contextlib import suppress
from typing import BinaryIO

from blake3 import blake3

from aura_vcs.errors.integrity import LinkedPath, StorageError
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import share_file, try_lock
from aura_vcs.storage.system_calls import storage_error, translated
from aura_vcs.storage.upload import LocalUpload

PART_BYTES = 1 << 20
"""A file of this size leaves a part when it is interrupted; of less, nothing is worth keeping."""
STALE_PART_SECONDS = 14 * 86400
"""As long as an upload that no manifest lists is kept: a push that is gone on with after a holiday."""
SLOTS = 4
"""So many parts of one file there are at most."""
_ENDING = ".part"
_READ_BYTES = 1 << 20
_ATTEMPTS = 3
_PART = rf"(packs-[0-9a-f]{{64}}\.pack|records-[0-9a-f]{{64}})\.[0-{SLOTS - 1}]{re.escape(_ENDING)}"


class PartialUpload(LocalUpload):
    """A part that is held: an upload that begins with what is there, and that may be left for later."""

    def __init__(self, storage: LocalStorage, name: str, fd: int) -> None:  # it is opened already
        self._storage = storage
        self._calls = storage.calls
        self._is_published = False
        self.name, self._place = name, None
        self.fd = fd

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self.fd).st_size

    def truncate(self, size: int) -> None:
        """Cut off what is after the first `size` bytes, and go on there."""
        with translated("write", self.path):
            if self.size > size:
                self._calls.truncate(self.fd, size)
            os.lseek(self.fd, size, os.SEEK_SET)

    def digest(self) -> str:
        """Return the BLAKE3 hash of what is there."""
        with translated("read", self.path), os.fdopen(os.dup(self.fd), "rb", buffering=0) as file:
            file.seek(0)
            return digest_of(file, self.size)

    def publish(self, name: str, *, durably: bool = True) -> None:
        """See Upload. It is held until it has its name."""
        if durably:
            self.sync()
        self._rename(name, durably=durably)
        self._close()

    def release(self) -> None:
        """Let go of it; what is there stays for the next attempt. Harmless after all else."""
        if self.fd >= 0 and not self.size:
            self.discard()
        self._close()

    def discard(self) -> None:
        """See Upload. Harmless after `publish`, when the name may be somebody else's part."""
        if self.fd < 0:
            return
        with suppress(OSError, LinkedPath), self._storage.at(self.name) as (last, dir_fd):  # else it is swept later
            self._calls.unlink(last, dir_fd=dir_fd)  # while it is held: nobody goes on with it
        self._close()


def open_part(storage: LocalStorage, folder: str, name: str) -> PartialUpload | None:
    """Take hold of a part of the file `name` in `folder`, with all that has arrived in any part of it.

    None where no part can be held: the disk has no such locks, or all are taken.

    Raises:
        StorageError: the disk refuses.
    """
    names = [f"{folder}/{part_name(name, slot)}" for slot in range(SLOTS)]
    for one in names:
        part = _take(storage, one)
        if part is None:
            continue
        for other in names:
            if other != one:
                append_from(part, other, storage)
        return part
    return None


def part_name(name: str, slot: int = 0) -> str:
    """Return what a part of a file is called."""
    return f"{name.replace('/', '-')}.{slot}{_ENDING}"


def is_part(name: str) -> bool:
    """Tell whether that is a part's name."""
    return name.endswith(_ENDING) and re.fullmatch(_PART, name) is not None


def drop_parts(storage: LocalStorage, folder: str, name: str) -> None:
    """Remove what is left of a file that is there as a whole, as far as nobody writes it."""
    for slot in range(SLOTS):
        _remove(storage, f"{folder}/{part_name(name, slot)}")


def sweep_parts(storage: LocalStorage, folder: str, *, older_than_seconds: float = STALE_PART_SECONDS) -> int:
    """Remove parts that nobody has written to for so long, and nobody holds; returns how many."""
    limit_ns = time.time_ns() - int(older_than_seconds * 1e9)
    removed = 0
    for name in filter(is_part, storage.list(folder)):
        with suppress(LinkedPath):
            found = storage.stat(f"{folder}/{name}")
            if found is not None and found.mtime_ns < limit_ns:
                removed += _remove(storage, f"{folder}/{name}")
    return removed


def resume_offset(source: BinaryIO, there: int, digest: str) -> int:
    """Return how many bytes that have arrived are continued: all, if a source begins with them, or none."""
    source.seek(0)
    return there if there and digest_of(source, there) == digest else 0


def digest_of(source: BinaryIO, length: int) -> str:
    """Return the BLAKE3 hash of the next `length` bytes of a stream; of fewer where it ends."""
    hasher, left = blake3(), length
    while left and (data := source.read(min(left, _READ_BYTES))):
        hasher.update(data)
        left -= len(data)
    return hasher.hexdigest()


def _take(storage: LocalStorage, name: str) -> PartialUpload | None:
    """Open a part, made if it is not there, and hold it; None if that cannot be."""
    for _ in range(_ATTEMPTS):
        fresh = False
        try:
            fd = _reopened(storage, name)
        except FileNotFoundError:
            made = _make(storage, name)
            if made is None:
                continue  # somebody was quicker
            fd, fresh = made, True
        except OSError:
            return None  # a link, or somebody else's who does not share
        try:
            held = _hold(fd)
        except OSError:  # there are no locks on that disk
            held = False
            if fresh:
                with suppress(OSError):
                    _unlink(storage, name)
        if held and _is_named(storage, fd, name):
            return PartialUpload(storage, name, fd)
        os.close(fd)
        if not held:
            return None
        # it got its file's name meanwhile, or was swept
    return None


def _reopened(storage: LocalStorage, name: str) -> int:
    with storage.at(name) as (last, dir_fd):
        return storage.calls.reopen(last, dir_fd=dir_fd)


def _unlink(storage: LocalStorage, name: str) -> None:
    with storage.at(name) as (last, dir_fd):
        storage.calls.unlink(last, dir_fd=dir_fd)


def _make(storage: LocalStorage, name: str) -> int | None:
    """Make a new part; None if there is one."""
    path = storage.path(name)
    with translated("write", path):
        storage.make_folder(name.rpartition("/")[0])
    try:
        last, folder = storage.folder_of(name)
        fd = storage.calls.create(last, dir_fd=folder.fd)
        share_file(storage.calls, fd, folder)
        return fd
    except FileExistsError:
        return None
    except OSError as error:
        raise storage_error("write", path, error) from error


def _hold(fd: int) -> bool:
    """Lock an open part, if it is one. Raises OSError where there are no locks."""
    found = os.fstat(fd)
    return stat.S_ISREG(found.st_mode) and found.st_nlink <= 1 and try_lock(fd, shared=False)


def _is_named(storage: LocalStorage, fd: int, name: str) -> bool:
    """Tell whether the open file is still the one of that name."""
    try:
        there = storage.look(name)
    except (LinkedPath, StorageError):
        return False
    return there is not None and os.path.samestat(there, os.fstat(fd))


def append_from(part: PartialUpload, name: str, storage: LocalStorage) -> None:
    """Add what another part has more of, as far as that can be; it may be growing, and only ever does."""
    try:
        opened = storage.open(name)
    except (FileNotFoundError, StorageError, LinkedPath):
        return
    with opened as other:
        found, size = os.fstat(other.fileno()), part.size
        if found.st_nlink > 1 or found.st_size <= size:
            return
        with suppress(StorageError):  # whoever goes on with it will meet the same, and says so
            part.truncate(size)
            other.seek(size)
            while size < found.st_size and (data := other.read(min(_READ_BYTES, found.st_size - size))):
                part.write(data)
                size += len(data)


def _remove(storage: LocalStorage, name: str) -> bool:
    """Remove a part that nobody holds."""
    try:
        fd = _reopened(storage, name)
    except (OSError, LinkedPath):
        return False
    try:
        if not _hold(fd) or not _is_named(storage, fd, name):
            return False
        _unlink(storage, name)  # while it is held: whoever takes it next sees that it has gone
    except OSError:
        return False  # swept later
    finally:
        os.close(fd)
    return True
