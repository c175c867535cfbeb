"""A folder on a local disk (or a mount that behaves like one).

Publishing: temporary file on the same file system, write, fsync, rename, fsync the folder.
A killed process leaves at most files, and folders of them, in the temporary folder; see `sweep`.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.storage.base import FileStat, check_storage_name
from aura_vcs.storage.own_folders import FOLDER, FolderPath, OpenFolder, OwnFolders, is_link, remove_folder
from aura_vcs.storage.plain_files import (
    READ,
    StoredFile,
    is_shared,
    make_root,
    open_held,
    open_plain,
    open_stored,
    read_all,
    readers_of,
    share_folder,
    unreadable,
    write_at,
)
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls, storage_error, translated

if TYPE_CHECKING:
    from aura_vcs.storage.upload import LocalUpload


class LocalStorage:
    """Bytes under names in the folder `root`; temporary files lie in `root/temporary`.

    No part of a name is ever a link that is followed; see OwnFolders. `root` may be one if `follow_root`.
    A subclass that has files elsewhere replaces `open`, `read`, `stat` and `append` too: they ask no other method.
    """

    def __init__(
        self,
        root: str,
        *,
        temporary: str = "tmp",
        aside: str = "damaged",
        calls: FileCalls = REAL_CALLS,
        follow_root: bool = True,
    ) -> None:
        self.root = self._shown_root = root
        self.aside, self.temporary, self.calls = aside, temporary, calls
        self._folders, self._prefix = OwnFolders(root, follow_root=follow_root), ""

    def below(self, folder: str) -> "LocalStorage":
        """Return what lies in a folder of this storage, as a storage of its own."""
        inner = LocalStorage(self.path(folder), calls=self.calls)
        inner._folders, inner._prefix = self._folders, f"{self._prefix}{folder}/"
        return inner

    def path(self, name: str) -> str:
        """Return the path in the file system, for messages only: whoever opens it may be led elsewhere."""
        return os.path.join(self.root, *check_storage_name(name).split("/"))

    def at(self, name: str) -> FolderPath:
        """Return the way to a file, for calls of one's own; see OwnFolders.at."""
        way = FolderPath()
        way.folders, way.name = self, name
        return way

    def folder_of(self, name: str) -> tuple[str, OpenFolder]:
        """Go to a file, to change it; see OwnFolders.folder_of."""
        return self._folders.folder_of(self._prefix + check_storage_name(name))

    def open(self, name: str) -> BinaryIO:
        """See Readable."""
        path = f"{self._shown_root}/{check_storage_name(name)}"
        try:
            last, folder = self._folders.folder_of(self._prefix + name)
            return StoredFile(path, open_plain(last, READ, path, dir_fd=folder.fd))
        except FileNotFoundError:
            raise
        except OSError:
            return open_stored(path, lambda: self._open(name, path))

    def read(self, name: str) -> bytes:
        """See Readable."""
        path = f"{self._shown_root}/{check_storage_name(name)}"
        try:
            last, folder = self._folders.folder_of(self._prefix + name)
            return read_all(open_plain(last, READ, path, dir_fd=folder.fd))
        except FileNotFoundError:
            raise
        except OSError:  # a handle that was open may have gone stale
            with open_stored(path, lambda: self._open(name, path)) as file:
                return file.read()

    def _open(self, name: str, path: str) -> int:
        last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
        return open_plain(last, READ, path, dir_fd=folder.fd)

    def stat(self, name: str) -> FileStat | None:
        """See Readable."""
        try:
            last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
            found = os.stat(last, dir_fd=folder.fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable("look at", self.path(name), error) from error
        if stat.S_ISLNK(found.st_mode) or (os.name == "nt" and is_link(found)):
            raise LinkedPath(self.path(name))
        return FileStat(found.st_size, found.st_mtime_ns)

    def look(self, name: str) -> os.stat_result | None:
        """Return what the system knows of a file or folder, None where nothing is.

        Raises:
            LinkedPath: it is a link.
        """
        if (found := self.look_around(name)) is not None and is_link(found):
            raise LinkedPath(self.path(name))
        return found

    def look_around(self, name: str) -> os.stat_result | None:
        """Return what the system knows of whatever has the name, a link of the link itself; None where nothing is."""
        try:
            last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
            return os.stat(last, dir_fd=folder.fd, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise unreadable("look at", self.path(name), error) from error

    def list(self, folder: str) -> list[str]:
        """See Readable."""
        try:
            last, above = self._folders.folder_of(self._prefix + check_storage_name(folder))
            if above.fd is None:
                return sorted(os.listdir(self._folders.check(self._prefix + folder)))
            fd = os.open(last, FOLDER, dir_fd=above.fd)
            try:
                return sorted(os.listdir(fd))
            finally:
                os.close(fd)
        except FileNotFoundError:
            return []
        except OSError as error:
            self.look(folder)  # which says so where it is a link
            if isinstance(error, NotADirectoryError):
                return []
            raise unreadable("list", self.path(folder), error) from error

    def walk(self, folder: str) -> Iterator[tuple[str, int]]:
        """Yield all files below a folder ("" is the storage itself), and their sizes; a link is a file of no size."""
        for path, found in self.stats(folder):
            if found is None or not stat.S_ISDIR(found.st_mode):
                yield path, found.st_size if found is not None else 0

    def stats(self, folder: str = "") -> Iterator[tuple[str, os.stat_result | None]]:
        """Yield everything below a folder and what the system says of it; None for a link.

        A folder comes before what is in it; so does the storage itself, "", where it is asked for.
        """
        if folder:
            names = self.list(folder)
        else:
            with self._inside("") as (_, dir_fd):
                place = self.root if dir_fd is None else dir_fd
                names, own = sorted(os.listdir(place)), os.stat(place)
            yield "", own
        for name in names:
            path = f"{folder}/{name}" if folder else name
            try:
                found = self.look(path)
            except LinkedPath:
                yield path, None
                continue
            if found is not None:
                yield path, found
                if stat.S_ISDIR(found.st_mode):
                    yield from self.stats(path)

    def put(self, name: str, data: bytes, *, private: bool = False, mode: int = 0o666, durably: bool = True) -> None:
        """See Writable. A `private` file is its owner's alone (mode 0600), from the first moment on."""
        upload = self.upload(0o600 if private else mode)
        try:
            upload.write(data)
            upload.publish(name, durably=durably)
        except BaseException:
            upload.discard()
            raise

    def put_unsynced(self, name: str, data: bytes) -> None:
        """Replace the bytes under `name` as a whole, not durably: whoever reads them can tell."""
        self.put(name, data, durably=False)

    def upload(self, mode: int = 0o666) -> "LocalUpload":
        """See Writable. Nobody can read it who cannot read a file of that mode."""
        from aura_vcs.storage.upload import LocalUpload  # whoever only looks writes nothing

        return LocalUpload(self, self.temporary, mode=mode)

    def readers(self, name: str) -> int:
        """Return who can read a file, as a mode for another that nobody else shall read; 0o666 if it is not there."""
        found = self.look(name)
        return 0o666 if found is None else readers_of(found.st_mode)

    def restrict(self, name: str, mode: int) -> None:
        """Let nobody read a file who cannot read one of that mode; absent is fine, and so is one of another owner."""
        with suppress(OSError), self.at(name) as (last, dir_fd):
            fd = open_plain(last, READ, self.path(name), dir_fd=dir_fd)
            try:
                found = stat.S_IMODE(os.fstat(fd).st_mode)
                if found & ~readers_of(mode):
                    self.calls.chmod(fd, found & readers_of(mode))
            finally:
                os.close(fd)

    @property
    def is_shared(self) -> bool:
        """Whether several people write here: what is private must lie apart from what is not."""
        try:
            return is_shared(os.stat(self.root).st_mode)
        except OSError:
            return False

    def append(self, name: str, data: bytes, *, at: int, durable: bool = True) -> None:
        """See Writable. What is cut off are bytes that no fsync has promised."""
        try:
            try:
                last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
                fd = open_held(self.calls, last, f"{self._shown_root}/{name}", folder)
            except FileNotFoundError:
                self.make_folder(name.rpartition("/")[0])
                last, folder = self.folder_of(name)
                fd = open_held(self.calls, last, f"{self._shown_root}/{name}", folder)
            try:
                write_at(self.calls, fd, folder, data, at=at, durable=durable)
            finally:
                os.close(fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("append to", self.path(name), error) from error

    def is_writable(self) -> bool:
        """Tell whether files can be made here, by what the system shows."""
        return os.access(self.root, os.W_OK)

    def open_lock(self, name: str, *, to_read: bool = False) -> int:
        """Open a file to lock it, made if it is not there; with `to_read`, one that is there and may not be written.

        Raises:
            StorageError: the disk refuses, or it is not a file. LinkedPath.
        """
        try:
            if to_read:
                return self._open(name, f"{self._shown_root}/{name}")
            try:
                last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
                return open_held(REAL_CALLS, last, f"{self._shown_root}/{name}", folder)
            except FileNotFoundError:
                self.make_folder(name.rpartition("/")[0])
                return self._open_lock(name)
            except IsADirectoryError:
                self.delete_folder(name)  # an empty one holds nothing, and nobody can have locked it
                return self._open_lock(name)
            except OSError:
                found = self.look(name)
                if found is None or stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode):
                    raise
                self.set_aside(name)  # a pipe, a socket, a device: nobody can have locked it
                return self._open_lock(name)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise storage_error("lock", self.path(name), error) from error

    def _open_lock(self, name: str) -> int:
        last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
        return open_held(REAL_CALLS, last, f"{self._shown_root}/{name}", folder)

    def adopt(self, source: "LocalStorage", found: str, name: str) -> None:
        """Take over a file of another storage on the same disk, that is durable already, replacing `name`."""
        with translated("write", self.path(name)):
            self.make_folder(name.rpartition("/")[0])
            with source.at(found) as (last, dir_fd), self.at(name) as (target, to_fd):
                self.calls.replace(last, target, dir_fd=dir_fd, to_fd=to_fd)
                self.calls.fsync_folder(".", dir_fd=to_fd)

    def set_aside(self, name: str) -> str | None:
        """Move what lies under a name, whatever it is, to where nothing is looked for; returns where, if there was any.

        For what is damaged or cannot be read, before something else takes its name.
        """
        for number in range(1000):
            target = f"{self.aside}/{name}" + (f".{number}" if number else "")
            if self.look_around(target) is None:
                break
        try:
            self.adopt(self, name, target)
        except FileNotFoundError:
            return None
        return target

    def touch(self, name: str) -> None:
        """See Writable."""
        with translated("renew", self.path(name)), self.at(name) as (last, dir_fd):
            self.calls.touch(last, dir_fd=dir_fd)

    def delete(self, name: str) -> None:
        """See Deletable."""
        self.delete_many([name])

    def link(self, name: str, other: str) -> bool:
        """Give a file a second name; False where the disk cannot, or the file is gone.

        Not made durable. A name that exists stays as it is.
        """
        self.make_folder(other.rpartition("/")[0])
        try:
            with self.at(name) as (last, dir_fd), self.at(other) as (target, to_fd):
                self.calls.link(last, target, dir_fd=dir_fd, to_fd=to_fd)
        except FileExistsError:
            return True
        except (OSError, NotImplementedError):
            return False
        return True

    def forget(self, name: str) -> None:
        """Remove a file that nobody needs, not durably; absent is fine."""
        self._unlink(name)

    def _unlink(self, name: str) -> bool:
        """Remove a file; tell whether there was one."""
        try:
            last, folder = self._folders.folder_of(self._prefix + check_storage_name(name))
            self.calls.unlink(last, dir_fd=folder.fd)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error("delete", self.path(name), error) from error
        return True

    def delete_many(self, names: Iterable[str]) -> None:
        """See Deletable. Each folder is synced once."""
        for folder in {name.rpartition("/")[0]: None for name in names if self._unlink(name)}:
            path = self._folders.path(self._prefix + folder)
            with translated("delete in", path), self._inside(folder) as (_, dir_fd):
                self.calls.fsync_folder(".", dir_fd=dir_fd)

    def delete_folder(self, name: str) -> None:
        """See Deletable."""
        with suppress(OSError), self.at(name) as (last, dir_fd):  # not there, or not empty: both are fine
            self.calls.rmdir(last, dir_fd=dir_fd)

    def discard_folder(self, name: str) -> None:
        """Remove a folder of scratch files and what is in it, as far as that can be; nothing is synced.

        A link or pipe that has its name goes, unopened.
        """
        with suppress(OSError), self.at(name) as (last, dir_fd):
            if stat.S_ISDIR(os.stat(last, dir_fd=dir_fd, follow_symlinks=False).st_mode):
                remove_folder(last, dir_fd)
            else:
                self.calls.unlink(last, dir_fd=dir_fd)

    def make_folder(self, name: str) -> None:
        """Make a folder and those above it, durably; "" is the storage itself.

        Raises:
            LinkedPath: one of them is a link.
        """
        self._make(f"{self._prefix}{name}".strip("/"))

    def _make(self, folder: str) -> None:
        """Make a folder that is named from where the links end."""
        with suppress(FileNotFoundError):
            self._folders.folder_of(f"{folder}/-" if folder else "-")
            return
        if not folder:
            make_root(self.calls, self._folders.root)
            return
        self._make(folder.rpartition("/")[0])
        with self._folders.at(folder) as (last, dir_fd):
            try:
                self.calls.mkdir(last, dir_fd=dir_fd)
            except FileExistsError:
                return
            share_folder(self.calls, last, dir_fd)
            self.calls.fsync_folder(".", dir_fd=dir_fd)

    def _inside(self, folder: str) -> FolderPath:
        return self._folders.at(f"{self._prefix}{folder}/-".removeprefix("/"))

    def close(self) -> None:
        """Let go of open folders; the next use opens them again."""
        self._folders.close()
