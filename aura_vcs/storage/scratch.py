"""A folder of our own for what has no name yet: files in the making, early syncs of them, questions to the disk."""

import os
from collections.abc import Iterator
from threading import Thread

from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.own_folders import FolderPath, is_there
from aura_vcs.storage.plain_files import share_folder
from aura_vcs.storage.system_calls import FileCalls

EARLY_BYTES = 32 << 20
"""After so many bytes the disk begins with them."""


class BackgroundSync:
    """Syncs an open file from time to time, on another thread. It promises nothing: the caller syncs at the end.

    `wait_current` or `wait` comes before the file is closed.
    """

    def __init__(self, calls: FileCalls, fd: int) -> None:
        self._calls = calls
        self._fd = fd
        self._bytes = 0
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def wrote(self, count: int) -> None:
        """Count bytes that were written; start a sync where it is time for one and none is under way."""
        self._bytes += count
        if self._bytes < EARLY_BYTES or (self._thread is not None and self._thread.is_alive()):
            return
        self.wait_current()
        self._bytes = 0
        self._thread = Thread(target=self._sync, daemon=True)
        self._thread.start()

    def wait_current(self) -> None:
        """Wait for the sync under way.

        Raises:
            OSError: one failed. The system tells that once, and a later sync would not know of it.
        """
        self.wait()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Wait for the sync under way, however it ends."""
        if self._thread is not None:
            self._thread.join()

    def _sync(self) -> None:
        try:
            self._calls.fsync(self._fd)
        except BaseException as error:
            self._error = error


class Scratch:
    """The folder `folder` of a storage; made when something is put into it, and never entered by a link."""

    def __init__(self, storage: LocalStorage, folder: str) -> None:
        self._storage, self._folder = storage, folder
        self.calls: FileCalls = storage.calls
        """The calls that change the disk."""
        self.path = storage.path(folder)
        """For messages, and to ask which disk it is on."""

    def at(self, name: str) -> FolderPath:
        """Return the way to what is in it; see OwnFolders.at."""
        return self._storage.at(f"{self._folder}/{name}")

    def path_of(self, name: str) -> str:
        """Return the path of what is in it, for systems that want one."""
        return os.path.join(self.path, *name.split("/"))

    def below(self, name: str) -> "Scratch":
        """Return a folder in it."""
        return Scratch(self._storage, f"{self._folder}/{name}")

    def make_here(self) -> None:
        """Make the folder in the one above it, which is there; not durably.

        Raises:
            FileExistsError: something has the name.
        """
        with self._storage.at(self._folder) as (last, dir_fd):
            self.calls.mkdir(last, dir_fd=dir_fd)
            share_folder(self.calls, last, dir_fd)

    def is_there(self) -> bool:
        """Tell whether the folder is there."""
        return self._storage.stat(self._folder) is not None

    def walk(self) -> Iterator[tuple[str, int]]:
        """Yield all that is below it and no folder: what it is called here, and its mode."""
        for name, _ in self._storage.walk(self._folder):
            found = self._storage.look_around(name)
            if found is not None:
                yield name.removeprefix(f"{self._folder}/"), found.st_mode

    def make(self) -> None:
        """Make the folder, if it is not there."""
        self._storage.make_folder(self._folder)

    def create(self, name: str, mode: int = 0o666) -> int:
        """Create a new file for reading and writing; the folder is made if it is not there."""
        try:
            last, folder = self._storage.folder_of(f"{self._folder}/{name}")
            return self.calls.create(last, mode, dir_fd=folder.fd)
        except FileNotFoundError:
            self.make()
            last, folder = self._storage.folder_of(f"{self._folder}/{name}")
            return self.calls.create(last, mode, dir_fd=folder.fd)

    def open(self, name: str) -> int:
        """Open a file of ours, for reading."""
        with self.at(name) as (last, dir_fd):
            return os.open(last, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0), dir_fd=dir_fd)

    def unlink(self, name: str) -> None:
        """Remove a file or link."""
        last, folder = self._storage.folder_of(f"{self._folder}/{name}")
        self.calls.unlink(last, dir_fd=folder.fd)

    def symlink(self, target: str, name: str) -> None:
        """Make a symbolic link; the folder is made if it is not there."""
        try:
            last, folder = self._storage.folder_of(f"{self._folder}/{name}")
            self.calls.symlink(target, last, dir_fd=folder.fd)
        except FileNotFoundError:
            self.make()
            last, folder = self._storage.folder_of(f"{self._folder}/{name}")
            self.calls.symlink(target, last, dir_fd=folder.fd)

    def has(self, name: str) -> bool:
        """Tell whether something has the name."""
        with self.at(name) as (last, dir_fd):
            return is_there(last, dir_fd)

    def discard(self) -> None:
        """Remove the folder with all that is in it, as far as that can be."""
        self._storage.discard_folder(self._folder)
