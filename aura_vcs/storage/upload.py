"""A file in the making: it lies among the temporary files until it has its name."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO, Protocol

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.ids import Bytes
from aura_vcs.storage.own_folders import FolderPath, OpenFolder, is_there
from aura_vcs.storage.plain_files import share_file
from aura_vcs.storage.system_calls import FileCalls, storage_error, translated, write_all, write_pieces

COPY_BYTES = 64 << 20
"""So much is copied by one call at most: between two of them Ctrl-C is heard."""


class UploadStorage(Protocol):
    """What an upload asks of the storage that it is made in."""

    @property
    def calls(self) -> FileCalls:
        """The calls that change the disk."""

    def path(self, name: str) -> str:
        """Return the path of a file, for messages."""

    def at(self, name: str) -> FolderPath:
        """Return the way to a file."""

    def folder_of(self, name: str) -> tuple[str, OpenFolder]:
        """Return what a file is called in its folder, and that, open."""

    def open(self, name: str) -> BinaryIO:
        """Open the bytes of a file."""

    def make_folder(self, name: str) -> None:
        """Make a folder, durably."""

    def set_aside(self, name: str) -> str | None:
        """Move away whatever has a name."""


class LocalUpload:
    """A temporary file that becomes a stored one."""

    def __init__(self, storage: UploadStorage, temporary: str, *, mode: int = 0o666) -> None:
        self._storage = storage
        self._calls = storage.calls
        self._is_published = False
        self.name = f"{temporary}/{os.getpid()}-{os.urandom(8).hex()}"
        try:
            try:
                last, folder = storage.folder_of(self.name)
                self.fd = self._calls.create(last, mode, dir_fd=folder.fd)
            except FileNotFoundError:
                storage.make_folder(temporary)
                last, folder = storage.folder_of(self.name)
                self.fd = self._calls.create(last, mode, dir_fd=folder.fd)
            self._place: tuple[str, OpenFolder] | None = last, folder
            if mode & 0o060 and folder.mode & stat.S_IWGRP:
                share_file(self._calls, self.fd, folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    @property
    def path(self) -> str:
        """The file's path, for messages."""
        return self._storage.path(self.name)

    def write(self, data: Bytes) -> None:
        """See Upload."""
        try:
            written = self._calls.write(self.fd, data)
            if written != len(data):
                write_all(self._calls, self.fd, memoryview(data).cast("B")[written:])
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    def write_pieces(self, pieces: Sequence[Bytes]) -> None:
        """Add pieces at the end, without joining them first."""
        try:
            write_pieces(self._calls, self.fd, pieces)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    def clone_from(self, file: BinaryIO) -> bool:
        """Become a clone of an open file, if the disk can share blocks; nothing was written before."""
        try:
            fd = file.fileno()
        except (OSError, AttributeError):
            return False  # a stream that is not a file
        with translated("write", self.path):
            return self._calls.clone(fd, self.fd)

    def copy_piece(self, file: BinaryIO, offset: int, length: int) -> int:
        """Add at most `length` bytes of an open file from `offset` on, copied inside the system.

        Returns how many: 0 at its end, and where the system cannot. The file's position is lost.
        """
        try:
            fd = file.fileno()
        except (OSError, AttributeError):
            return 0  # a stream that is not a file
        with translated("write", self.path):
            length = min(length, os.fstat(fd).st_size - offset)
            if length <= 0:
                return 0
            os.lseek(fd, offset, os.SEEK_SET)
            return self._calls.copy_range(fd, self.fd, length)

    def read_back(self, offset: int, length: int) -> bytes:
        """Read bytes that were written, from the file itself; from any thread."""
        if hasattr(os, "pread"):
            try:
                return os.pread(self.fd, length, offset)
            except OSError as error:
                raise storage_error("read", self.path, error) from error
        with translated("read", self.path), self._storage.open(self.name) as file:
            file.seek(offset)
            return file.read(length)

    def sync(self) -> None:
        """Make what was written durable, still without a name."""
        try:
            self._calls.fsync(self.fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    def publish(self, name: str, *, durably: bool = True) -> None:
        """See Upload."""
        if durably:
            self.sync()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        self._rename(name, durably=durably)

    def _rename(self, name: str, *, durably: bool = True) -> None:
        try:
            try:
                self._move(name, durably=durably)
            except FileNotFoundError:
                self._storage.make_folder(name.rpartition("/")[0])
                self._move(name, durably=durably)
            except IsADirectoryError:
                self._storage.set_aside(name)  # a tool's leftover, or damage: nothing of ours is a folder here
                self._move(name, durably=durably)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("write", self._storage.path(name), error) from error

    def _move(self, name: str, *, durably: bool) -> None:
        last, folder = self._place or self._storage.folder_of(self.name)
        target, to = self._storage.folder_of(name)
        self._calls.replace(last, target, dir_fd=folder.fd, to_fd=to.fd)
        self._is_published = True
        if durably:
            self._calls.fsync_folder(".", dir_fd=to.fd)

    def discard(self) -> None:
        """See Upload."""
        if self._is_published and self.fd < 0:
            return
        self._close()
        with suppress(OSError, LinkedPath), self._storage.at(self.name) as (last, dir_fd):  # else swept later
            if is_there(last, dir_fd):
                self._calls.unlink(last, dir_fd=dir_fd)

    def _close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
