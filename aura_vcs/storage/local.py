"""A folder on a local disk (or a mount that behaves like one).

Publishing: temporary file on the same file system, write, fsync, rename, fsync the folder.
A killed process leaves at most files, and folders of them, in the temporary folder; `sweep_temporary` removes them
once nobody can be writing them any more.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

from aura_vcs.ids import Bytes
from aura_vcs.storage.base import FileStat, check_storage_name
from aura_vcs.storage.calls import REAL_CALLS, FileCalls, storage_error, translated, write_all, write_pieces

STALE_SECONDS = 24 * 3600
"""A temporary file that nobody wrote to for so long belongs to nobody."""


COPY_BYTES = 64 << 20
"""So much is copied by one call at most: between two of them Ctrl-C is heard."""


class LocalStorage:
    """Bytes under names in the folder `root`; temporary files lie in `root/temporary`."""

    def __init__(self, root: str, *, temporary: str = "tmp", calls: FileCalls = REAL_CALLS) -> None:
        self.root = root
        self.calls = calls
        self._temporary = temporary

    def path(self, name: str) -> str:
        """The path in the file system, for messages and for libraries that want one."""
        return os.path.join(self.root, *check_storage_name(name).split("/"))

    def open(self, name: str) -> BinaryIO:
        """See Readable."""
        path = self.path(name)
        with translated("read", path):
            return open(path, "rb", buffering=0)

    def read(self, name: str) -> bytes:
        """See Readable."""
        path = self.path(name)
        with translated("read", path), open(path, "rb", buffering=0) as file:
            return file.read()

    def stat(self, name: str) -> FileStat | None:
        """See Readable."""
        path = self.path(name)
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise storage_error("look at", path, error) from error
        return FileStat(found.st_size, found.st_mtime_ns)

    def list(self, folder: str) -> list[str]:
        """See Readable."""
        path = self.path(folder)
        try:
            return sorted(os.listdir(path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise storage_error("list", path, error) from error

    def put(self, name: str, data: bytes, *, private: bool = False) -> None:
        """See Writable. A `private` file is its owner's alone (mode 0600), from the first moment on."""
        upload = LocalUpload(self, self._temporary, mode=0o600 if private else 0o666)
        try:
            upload.write(data)
            upload.publish(name)
        finally:
            upload.discard()

    def upload(self) -> "LocalUpload":
        """See Writable."""
        return LocalUpload(self, self._temporary)

    def append(self, name: str, data: bytes, *, at: int) -> None:
        """See Writable. What is cut off are bytes that no fsync has promised."""
        path = self.path(name)
        with translated("append to", path):
            fresh = not os.path.exists(path)
            if fresh:
                self.make_folder(os.path.dirname(path))
            fd = self.calls.open_append(path)
            try:
                if os.fstat(fd).st_size > at:
                    self.calls.truncate(fd, at)
                os.lseek(fd, at, os.SEEK_SET)
                try:
                    write_all(self.calls, fd, data)
                    self.calls.fsync(fd)
                    if fresh:
                        self.calls.fsync_folder(os.path.dirname(path))
                except OSError:
                    self._cut(fd, at)
                    raise
            finally:
                os.close(fd)

    def _cut(self, fd: int, size: int) -> None:
        """Take back what an append wrote that then failed: nobody has been promised it."""
        try:
            self.calls.truncate(fd, size)
        except OSError:
            return  # a broken disk; readers tell a torn line from a whole one

    def adopt(self, source: str, name: str) -> None:
        """Take over a file of the same disk that is durable already, replacing what was under `name`."""
        target = self.path(name)
        with translated("write", target):
            self.make_folder(os.path.dirname(target))
            self.calls.replace(source, target)
            self.calls.fsync_folder(os.path.dirname(target))

    def touch(self, name: str) -> None:
        """See Writable."""
        path = self.path(name)
        with translated("renew", path):
            self.calls.touch(path)

    def delete(self, name: str) -> None:
        """See Deletable."""
        path = self.path(name)
        try:
            with translated("delete", path):
                self.calls.unlink(path)
                self.calls.fsync_folder(os.path.dirname(path))
        except FileNotFoundError:
            return

    def link(self, name: str, other: str) -> bool:
        """Give a file a second name; False where the disk cannot, or the file is gone.

        Not made durable. A name that exists stays as it is.
        """
        target = self.path(other)
        self.make_folder(os.path.dirname(target))
        try:
            self.calls.link(self.path(name), target)
        except FileExistsError:
            return True
        except (OSError, NotImplementedError):
            return False
        return True

    def forget(self, name: str) -> None:
        """Remove a file that nobody needs, not durably; absent is fine."""
        path = self.path(name)
        try:
            with translated("delete", path):
                self.calls.unlink(path)
        except FileNotFoundError:
            return

    def delete_many(self, names: Iterable[str]) -> None:
        """See Deletable. Each folder is synced once."""
        folders: dict[str, None] = {}
        for name in names:
            path = self.path(name)
            try:
                with translated("delete", path):
                    self.calls.unlink(path)
            except FileNotFoundError:
                continue
            folders[os.path.dirname(path)] = None
        for folder in folders:
            with translated("delete in", folder):
                self.calls.fsync_folder(folder)

    def delete_folder(self, name: str) -> None:
        """See Deletable."""
        try:
            self.calls.rmdir(self.path(name))
        except OSError:
            return  # not there, or not empty: both are fine

    def discard_folder(self, name: str) -> None:
        """Remove a folder of scratch files and what is in it, as far as that can be; nothing is synced."""
        import shutil  # which imports every way to compress there is

        shutil.rmtree(self.path(name), ignore_errors=True)

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it, durably."""
        if os.path.isdir(path):
            return
        parent = os.path.dirname(path)
        self.make_folder(parent)
        try:
            self.calls.mkdir(path)
        except FileExistsError:
            return
        self.calls.fsync_folder(parent)

    def sweep_temporary(
        self, *, older_than_seconds: float = STALE_SECONDS, spare: Callable[[str], bool] = lambda _: False
    ) -> int:
        """Remove forgotten temporary files and folders, but for names to `spare`; returns how many."""
        limit_ns = time.time_ns() - int(older_than_seconds * 1e9)
        removed = 0
        for name in self.list(self._temporary):
            found = self.stat(f"{self._temporary}/{name}")
            if found is not None and found.mtime_ns < limit_ns and not spare(name):
                if os.path.isdir(self.path(f"{self._temporary}/{name}")):
                    self.discard_folder(f"{self._temporary}/{name}")
                else:
                    self.delete(f"{self._temporary}/{name}")
                removed += 1
        return removed


class LocalUpload:
    """A temporary file that becomes a stored one."""

    def __init__(self, storage: LocalStorage, temporary: str, *, mode: int = 0o666) -> None:
        self._storage = storage
        self._calls = storage.calls
        self.path = os.path.join(storage.root, *temporary.split("/"), f"{os.getpid()}-{os.urandom(8).hex()}")
        with translated("write", self.path):
            try:
                self.fd = self._calls.create(self.path, mode)
            except FileNotFoundError:
                storage.make_folder(os.path.dirname(self.path))
                self.fd = self._calls.create(self.path, mode)

    def write(self, data: Bytes) -> None:
        """See Upload."""
        with translated("write", self.path):
            write_all(self._calls, self.fd, data)

    def write_pieces(self, pieces: Sequence[Bytes]) -> None:
        """Add pieces at the end, without joining them first."""
        with translated("write", self.path):
            write_pieces(self._calls, self.fd, pieces)

    def clone_from(self, file: BinaryIO) -> bool:
        """Become a clone of an open file, if the disk can share blocks; nothing was written before."""
        try:
            fd = file.fileno()
        except (OSError, AttributeError):
            return False  # a stream that is no file
        with translated("write", self.path):
            return self._calls.clone(fd, self.fd)

    def copy_from(self, file: BinaryIO) -> int:
        """Add the bytes of an open file, copied inside the system; nothing was written before.

        Returns how many were copied: fewer than there are where the system cannot; the rest is for
        `write`. Where the disk can share blocks, they are shared.
        """
        if self.clone_from(file):
            return os.lseek(self.fd, 0, os.SEEK_END)
        copied = 0
        while count := self.copy_piece(file, copied, COPY_BYTES):
            copied += count
        return copied

    def copy_piece(self, file: BinaryIO, offset: int, length: int) -> int:
        """Add at most `length` bytes of an open file from `offset` on, copied inside the system.

        Returns how many: 0 at its end, and where the system cannot. The file's position is lost.
        """
        try:
            fd = file.fileno()
        except (OSError, AttributeError):
            return 0  # a stream that is no file
        with translated("write", self.path):
            length = min(length, os.fstat(fd).st_size - offset)
            if length <= 0:
                return 0
            os.lseek(fd, offset, os.SEEK_SET)
            return self._calls.copy_range(fd, self.fd, length)

    def read_back(self, offset: int, length: int) -> bytes:
        """Bytes that were written, from the file itself; from any thread."""
        with translated("read", self.path):
            if hasattr(os, "pread"):
                return os.pread(self.fd, length, offset)
            with open(self.path, "rb") as file:
                file.seek(offset)
                return file.read(length)

    def sync(self) -> None:
        """Make what was written durable, still without a name."""
        with translated("write", self.path):
            self._calls.fsync(self.fd)

    def publish(self, name: str) -> None:
        """See Upload."""
        self.sync()
        self._close()
        self._rename(name)

    def _rename(self, name: str) -> None:
        target = self._storage.path(name)
        with translated("write", target):
            try:
                self._calls.replace(self.path, target)
            except FileNotFoundError:
                self._storage.make_folder(os.path.dirname(target))
                self._calls.replace(self.path, target)
            self._calls.fsync_folder(os.path.dirname(target))

    def discard(self) -> None:
        """See Upload."""
        self._close()
        try:
            if os.path.lexists(self.path):
                self._calls.unlink(self.path)
        except OSError:
            return  # swept later

    def _close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
