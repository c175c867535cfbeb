"""A remote in a folder: a local disk, a mounted NAS, a USB stick.

Written by the same durable writer as a project. What may race is decided under a lock of the
operating system on `lock`, which a machine that dies lets go of. The folder itself is never
made here: a mount point without its disk is an error, not an empty remote.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import BinaryIO

from blake3 import blake3

from aura_vcs.errors.input import LockBusy, RefMoved
from aura_vcs.errors.integrity import (
    IntegrityError,
    LinkedPath,
    RecordUnreadable,
    StorageDenied,
    StorageError,
    StorageFull,
)
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteDenied, RemoteError, RemoteFull, RemoteUnreachable
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import try_lock
from aura_vcs.storage.remotes.base import SMALL_BYTES, RemoteEntry, RemoteFile, check_range
from aura_vcs.storage.resumable_upload import (
    PART_BYTES,
    PartialUpload,
    drop_parts,
    open_part,
    resume_offset,
    sweep_parts,
)
from aura_vcs.storage.sweep import sweep_temporary
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls
from aura_vcs.storage.upload import LocalUpload

COPY_BYTES = 4 << 20
WAIT_SECONDS = 30.0
_POLL_SECONDS = 0.005
_TEMPORARY = "tmp"
_LOCK = "lock"

ResumeCheck = Callable[[int, str], int]
"""Given how many bytes have arrived and their BLAKE3, says from where to go on: from there, or from 0."""


class FolderRemote:
    """The folder `root`, which exists. `place` is how the person calls it."""

    pack_bytes: int | None = None

    def __init__(self, root: str, *, place: str | None = None, calls: FileCalls = REAL_CALLS) -> None:
        self.root = os.path.abspath(root)
        self.location = place or root
        self._storage = LocalStorage(self.root, temporary=_TEMPORARY, calls=calls)
        self._swept = False
        if not os.path.isdir(self.root):
            raise RemoteUnreachable(
                self.location, "there is no such folder", hint="Is the disk mounted? `aura remote add` makes a new one."
            )

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        data = self._read(name, 0, SMALL_BYTES + 1)
        if len(data) > SMALL_BYTES:
            raise RemoteCorrupt(self.location, f"{name} has more than {SMALL_BYTES:,} bytes, which no such file has")
        return RemoteFile(data, _token(data))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        check_range(offset, length)
        return self._read(name, offset, length)

    def _read(self, name: str, offset: int, length: int) -> bytes:
        """Read a part of a file; what the disk cannot read is damaged, as if other bytes had come."""
        with self._open(name) as file:
            try:
                if offset:
                    file.seek(offset)
                data = file.read(min(length, COPY_BYTES))
                if len(data) in {0, length}:
                    return data
                pieces, left = [data], length - len(data)
                while left and (data := file.read(min(left, COPY_BYTES))):
                    pieces.append(data)
                    left -= len(data)
                return b"".join(pieces)
            except RecordUnreadable as error:
                raise RemoteCorrupt(self.location, f"{name} cannot be read: {error.reason}") from error
            except OSError as error:
                raise RemoteCorrupt(self.location, f"{name} cannot be read: {error.strerror or error}") from error

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        found = self._plain(name)
        return None if found is None else found.st_size

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        with self._translated():
            names = self._storage.list(check_storage_name(folder))
            found = [(f"{folder}/{name}", self._storage.look_around(f"{folder}/{name}")) for name in names]
        return [RemoteEntry(name, s.st_size) for name, s in found if s is not None and stat.S_ISREG(s.st_mode)]

    def create(
        self,
        name: str,
        source: BinaryIO,
        *,
        check: Callable[[BinaryIO], None] | None = None,
        agree: ResumeCheck | None = None,
        progress: Progress = SILENT,
    ) -> int:
        """See Creatable. `check` may look at what arrived before it gets its name, and refuse it.

        A file of PART_BYTES or more goes on where an earlier attempt was interrupted. `agree` decides
        that where the source is not at hand: it is asked once, before anything is read of the source.
        """
        size = source.seek(0, os.SEEK_END)
        with self._translated():
            self._check_free(name)
            self._sweep_once()
            part = open_part(self._storage, _TEMPORARY, name) if size >= PART_BYTES else None
            upload = part or self._storage.upload()
            try:
                start = self._resume_offset(part, source, size, agree)
                progress.advance(start)
                _fill(upload, source, start, progress)
                self._publish(upload, name, check)
            except (FileExistsError, RemoteCorrupt, IntegrityError, StorageFull):
                upload.discard()  # of no use to the next attempt; and a full disk is needed by others
                raise
            finally:
                upload.discard() if part is None else part.release()
            if part is not None:
                drop_parts(self._storage, _TEMPORARY, name)
        return start

    def create_checked(
        self, name: str, source: BinaryIO, *, check: Callable[[BinaryIO], None], progress: Progress = SILENT
    ) -> int:
        """See CreateChecked."""
        return self.create(name, source, check=check, progress=progress)

    def _resume_offset(self, part: PartialUpload | None, source: BinaryIO, size: int, agree: ResumeCheck | None) -> int:
        """Return how much of a part is continued: all of it, if it is how the source begins, or nothing."""
        there = part.size if part is not None else 0
        there = there if there <= size else 0
        digest = part.digest() if part is not None and there else ""
        start = (agree or partial(resume_offset, source))(there, digest)
        if part is not None:
            part.truncate(start)
        return start

    def _publish(self, upload: LocalUpload, name: str, check: Callable[[BinaryIO], None] | None) -> None:
        """Give what has arrived its name, if `check` has nothing against it."""
        if check is None:
            upload.sync()  # before the lock is taken: others need not wait for the disk
        else:
            _check_while_syncing(upload, check)
        with self._locked():
            self._check_free(name)
            upload.publish(name)

    def _check_free(self, name: str) -> None:
        if self._storage.look_around(name) is not None:
            raise FileExistsError(name)

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable. The token is a hash of the bytes: the same bytes are the same state."""
        with self._translated(), self._locked():
            try:
                current: str | None = self.load(name).token
            except FileNotFoundError:
                current = None
            if current != token:
                raise RefMoved(f"{self.location}/{name}", token or "nothing", current or "nothing")
            self._storage.put(name, data)
        return _token(data)

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        with self._translated():
            self._storage.delete(name)

    def close(self) -> None:
        """Let go of open folders."""
        self._storage.close()

    def sweep(self) -> int:
        """Remove what nobody will go on with: temporary files after a day, parts after two weeks; returns how many.

        Done by itself before the first file is created.
        """
        with self._translated():
            return sweep_temporary(self._storage) + sweep_parts(self._storage, _TEMPORARY)

    def _sweep_once(self) -> None:
        """Sweep, if nobody has yet; a place that does not let us is no reason not to create a file."""
        swept, self._swept = self._swept, True
        if not swept:
            with suppress(RemoteError, OSError):
                self.sweep()

    def _open(self, name: str) -> BinaryIO:
        with self._translated():
            try:
                return self._storage.open(name)
            except (FileNotFoundError, RecordUnreadable):
                self._plain(name)  # says what is wrong, where more is than that
                raise

    def _plain(self, name: str) -> os.stat_result | None:
        """Return the stat of a regular file. A link is refused: it would lead out of the remote."""
        found = self._lstat(name)
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise RemoteCorrupt(self.location, f"{name} is not a regular file")
        return found

    def _lstat(self, name: str) -> os.stat_result | None:
        with self._translated():
            found = self._storage.look(name)
        if found is None and not os.path.isdir(self.root):
            raise RemoteUnreachable(self.location, "the folder is gone; is the disk still mounted?")
        return found

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except LinkedPath as error:
            reason = f"{error.path} is a link, and none is followed in a remote"
            raise RemoteCorrupt(self.location, reason) from error
        except RecordUnreadable as error:
            kind = RemoteDenied if isinstance(error.__cause__, PermissionError) else RemoteError
            raise kind(self.location, error.message, hint=error.hint) from error
        except StorageDenied as error:
            raise RemoteDenied(self.location, error.message, hint=error.hint) from error
        except StorageFull as error:
            raise RemoteFull(self.location, f"the disk there is full ({error.reason})") from error
        except StorageError as error:
            raise RemoteError(self.location, error.message, hint=error.hint) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            fd = self._storage.open_lock(_LOCK)
        except StorageError as error:
            raise RemoteDenied(self.location, f"cannot lock it: {error.reason}") from error
        try:
            start = time.monotonic()
            while not try_lock(fd, shared=False):
                if time.monotonic() - start > WAIT_SECONDS:
                    raise LockBusy(f"{self.location} remote", WAIT_SECONDS)
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(fd)  # closing lets go


def _fill(upload: LocalUpload, source: BinaryIO, start: int, progress: Progress) -> None:
    """Add the source from `start` on; inside the system, where that can be."""
    at = start
    if start == 0 and upload.clone_from(source):
        at = os.lseek(upload.fd, 0, os.SEEK_END)
        progress.advance(at)
    while count := upload.copy_piece(source, at, COPY_BYTES):
        at += count
        progress.advance(count)
    source.seek(at)
    while data := source.read(COPY_BYTES):
        upload.write(data)
        progress.advance(len(data))


def _check_while_syncing(upload: LocalUpload, check: Callable[[BinaryIO], None]) -> None:
    """Let `check` read what arrived while the disk is busy making it durable."""
    from concurrent.futures import ThreadPoolExecutor  # slow to import, and not needed to look

    # a copy of the descriptor: some network disks let nobody else read what is held
    with ThreadPoolExecutor(1) as executor, os.fdopen(os.dup(upload.fd), "rb", buffering=0) as arrived:
        syncing = executor.submit(upload.sync)
        check(arrived)
        syncing.result()


def _token(data: bytes) -> str:
    return blake3(data).hexdigest()[:32]
