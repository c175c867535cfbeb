"""Going down to files of our own part by part, never through a link.

A project may come from a stranger, a remote lies where others write, and what looks like a folder of
ours may be a symbolic link that leads anywhere. So a file is only ever named from an open folder, and
each folder was opened from the one above it without following a link: a link that is put there while
we work leads nowhere either. Where the system cannot do that (Windows), every part is looked at first.

The folder `root` itself is the person's choice, and may be reached as they like.
"""

import os
import stat
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from aura_vcs.errors.integrity import LinkedPath

HAS_DIR_FD = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and os.rename in os.supports_dir_fd
FOLDER = os.O_RDONLY
"""How a folder is opened: no link, and nobody waits for a pipe."""
for _name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"):
    FOLDER |= getattr(os, _name, 0)
_ROOT_FLAGS = FOLDER & ~getattr(os, "O_NOFOLLOW", 0)
OPEN_FOLDERS = 24
"""So many folders stay open; those after them are opened for one call each."""


class OpenFolder:
    """An open folder. `fd` is None where the system names files by paths only; `mode` is as it was seen last."""

    __slots__ = ("device", "fd", "inode", "mode", "path")
    fd: int | None
    device: int
    inode: int
    mode: int
    path: str


class PassingFolder(OpenFolder):
    """A folder that is open for as long as anybody holds this."""

    __slots__ = ()

    def __del__(self) -> None:
        if self.fd is not None:
            with suppress(OSError):
                os.close(self.fd)


_BY_PATH = OpenFolder()
_BY_PATH.fd, _BY_PATH.mode = None, 0


class OwnFolders:
    """The folders below `root`; names are relative to it, with "/" between parts. "" is the root itself.

    May be used from any thread. With `follow_root` false, the root is not a link either.
    """

    def __init__(self, root: str, *, follow_root: bool = True) -> None:
        self.root = root
        self.follow_root = follow_root
        self._kept: dict[str, OpenFolder] = {}
        self._outdated: list[OpenFolder] = []
        """Folders that are no longer what their name leads to: another thread may be using one."""

    def at(self, name: str) -> "FolderPath":
        """Return the way to a file: in a `with`, the name to use and the open folder that it is relative to.

        Raises (on entering):
            FileNotFoundError, NotADirectoryError: its folder is not there.
            LinkedPath: a part of the way is a link.
        """
        way = FolderPath()
        way.folders, way.name = self, name
        return way

    def folder_of(self, name: str) -> tuple[str, OpenFolder]:
        """Go to a file as `at` does: the name to use, and the open folder, to be held while it is used.

        Folders stay open, and are looked at by their paths whenever they are used again: one that somebody
        moved away, or removed, is not what its name leads to.

        Raises:
            FileNotFoundError, NotADirectoryError, LinkedPath: see `at`.
        """
        folder, _, last = name.rpartition("/")
        kept = self._kept.get(folder)
        if kept is not None:
            try:
                found = os.stat(kept.path, follow_symlinks=self.follow_root and not folder)
                if found.st_ino == kept.inode and found.st_dev == kept.device:
                    kept.mode = found.st_mode
                    return last, kept
            except OSError:
                pass  # `_enter` finds out what is there now
        if HAS_DIR_FD:
            return last, self._enter(folder)
        return os.path.join(self.check(folder), last), _BY_PATH

    def path(self, folder: str) -> str:
        """Return the path of a folder, for messages."""
        return os.path.join(self.root, *folder.split("/")) if folder else self.root

    def _enter(self, folder: str) -> OpenFolder:
        """Open a folder from the nearest one above it that is open and still has its name."""
        below, above = [folder], folder
        outer: OpenFolder | None = None
        while above and outer is None:
            above = above.rpartition("/")[0]
            outer = self._kept.get(above)
            if outer is not None:
                try:
                    found = os.stat(outer.path, follow_symlinks=self.follow_root and not above)
                    if found.st_ino != outer.inode or found.st_dev != outer.device:
                        outer = None
                except OSError:
                    outer = None
            if outer is None:
                below.append(above)
        for name in reversed(below):
            if outer is None:
                path = part = self.root
                flags, dir_fd = _ROOT_FLAGS if self.follow_root else FOLDER, None
            else:
                part = name.rpartition("/")[2]
                path, flags, dir_fd = f"{outer.path}/{part}", FOLDER, outer.fd
            try:
                fd = os.open(part, flags, dir_fd=dir_fd)
            except FileNotFoundError:
                raise
            except OSError as error:
                _check_link(part, dir_fd, path, error)
                raise
            if (before := self._kept.pop(name, None)) is not None:
                self._outdated.append(before)
            is_kept = len(self._kept) < OPEN_FOLDERS
            outer = OpenFolder() if is_kept else PassingFolder()
            outer.fd, outer.path = fd, path
            found = os.fstat(fd)
            outer.device, outer.inode, outer.mode = found.st_dev, found.st_ino, found.st_mode
            if is_kept and self._kept.setdefault(name, outer) is not outer:
                self._outdated.append(outer)  # another thread was quicker
        assert outer is not None
        return outer

    def check(self, folder: str) -> str:
        """Return the real path of a folder, for systems without openat."""
        path = self.root
        for part in folder.split("/") if folder else ():
            path = os.path.join(path, part)
            if is_link(os.lstat(path)):
                raise LinkedPath(path)
        if not self.follow_root and is_link(os.lstat(self.root)):
            raise LinkedPath(self.root)
        return path

    def close(self) -> None:
        """Let go of every folder; the next use opens them again."""
        kept, self._kept = self._kept, {}
        outdated, self._outdated = self._outdated, []
        for folder in (*kept.values(), *outdated):
            if folder.fd is not None:
                with suppress(OSError):
                    os.close(folder.fd)

    def __del__(self) -> None:
        self.close()


def _check_link(part: str, dir_fd: int | None, path: str, error: OSError) -> None:
    """Say of what could not be opened that it is a link, if it is one.

    Raises:
        LinkedPath.
    """
    with suppress(OSError):
        if is_link(os.stat(part, dir_fd=dir_fd, follow_symlinks=False)):
            raise LinkedPath(path) from error


class HasFolders(Protocol):
    """Leads to files through open folders."""

    def folder_of(self, name: str) -> tuple[str, OpenFolder]:
        """See OwnFolders."""


class FolderPath:
    """The way to one file, see OwnFolders.at, which fills it in."""

    __slots__ = ("folder", "folders", "name")
    folders: HasFolders
    name: str
    folder: OpenFolder

    def __enter__(self) -> tuple[str, int | None]:
        last, self.folder = self.folders.folder_of(self.name)
        return last, self.folder.fd

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Keep the folder until here, and no longer."""
        del self.folder


def is_link(found: os.stat_result) -> bool:
    """Tell whether that is a link, or on Windows anything else that leads elsewhere."""
    leads_on = getattr(found, "st_reparse_tag", 0) == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)
    return stat.S_ISLNK(found.st_mode) or leads_on


def is_there(name: str, dir_fd: int | None) -> bool:
    """Tell whether anything has the name, be it a link."""
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return False
    return True


def remove_folder(name: str, dir_fd: int | None) -> None:
    """Remove a folder and all that is in it, as far as that can be; a link in it goes, and what it leads to stays.

    An interruption leaves some of it, and the folder.
    """
    if not HAS_DIR_FD:
        import shutil  # which imports every way to compress there is

        shutil.rmtree(name, ignore_errors=True)
        return
    with suppress(OSError):
        folder = os.open(name, FOLDER, dir_fd=dir_fd)
        try:
            with os.scandir(folder) as entries:
                inside = list(entries)
            for entry in inside:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        remove_folder(entry.name, folder)
                    else:
                        os.unlink(entry.name, dir_fd=folder)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=dir_fd)
