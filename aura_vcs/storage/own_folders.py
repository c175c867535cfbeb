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

from aura_vcs.errors.integrity import LinkedPath

HAS_DIR_FD = os.open in os.supports_dir_fd and os.stat in os.supports_dir_fd and os.rename in os.supports_dir_fd
_FLAGS = os.O_RDONLY
for _name in ("O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK"):
    _FLAGS |= getattr(os, _name, 0)
_ROOT_FLAGS = _FLAGS & ~getattr(os, "O_NOFOLLOW", 0)
OPEN_FOLDERS = 24
"""So many folders stay open; those after them are opened for one call each."""


class OwnFolders:
    """The folders below `root`; names are relative to it, with "/" between parts. "" is the root itself.

    May be used from any thread. With `follow_root` false, the root is not a link either.
    """

    def __init__(self, root: str, *, follow_root: bool = True) -> None:
        self.root = root
        self.follow_root = follow_root
        self.kept: dict[str, tuple[int, int, int, str]] = {}
        """Open folders, each with device, inode and path."""
        self._outdated: list[int] = []
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

    def open_folder_of(self, name: str) -> tuple[str, int | None, int | None]:
        """Go to a file in one call, as `at` does: the name to use, the open folder, and what the caller is to close.

        For what is done for every file; the folder is to be used at once, and not kept.

        Raises:
            FileNotFoundError, NotADirectoryError, LinkedPath: see `at`.
        """
        folder, _, last = name.rpartition("/")
        if not HAS_DIR_FD:
            return os.path.join(self.check(folder), last), None, None
        kept = self.kept.get(folder)
        if kept is not None:  # as `enter` looks, without a call
            try:
                found = os.stat(kept[3], follow_symlinks=self.follow_root and not folder)
                if found.st_ino == kept[2] and found.st_dev == kept[1]:
                    return last, kept[0], None
            except OSError:
                pass  # `enter` finds out what is there now
        fd, is_mine = self.enter(folder)
        return last, fd, fd if is_mine else None

    def path(self, folder: str) -> str:
        """Return the path of a folder, for messages."""
        return os.path.join(self.root, *folder.split("/")) if folder else self.root

    def enter(self, folder: str) -> tuple[int, bool]:
        """Open a folder, and say whether the caller is to close it.

        Raises:
            FileNotFoundError, NotADirectoryError, LinkedPath: see `at`.
        """
        kept = self.kept.get(folder)
        if kept is not None:
            with suppress(OSError):
                found = os.stat(kept[3], follow_symlinks=self.follow_root and not folder)
                if found.st_ino == kept[2] and found.st_dev == kept[1]:
                    return kept[0], False
            if self.kept.get(folder) is kept:  # somebody moved it away, or removed it: begin anew
                del self.kept[folder]
                self._outdated.append(kept[0])
        fd = self._opened(folder)
        if len(self.kept) >= OPEN_FOLDERS:
            return fd, True
        found = os.fstat(fd)
        mine = (fd, found.st_dev, found.st_ino, self.path(folder))
        if self.kept.setdefault(folder, mine) is not mine:
            return fd, True  # another thread was quicker
        return fd, False

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
        kept, self.kept = self.kept, {}
        outdated, self._outdated = self._outdated, []
        for fd in (*(each[0] for each in kept.values()), *outdated):
            with suppress(OSError):
                os.close(fd)

    def __del__(self) -> None:
        self.close()

    def _opened(self, folder: str) -> int:
        if not folder:
            return self._enter(self.root, None, _ROOT_FLAGS if self.follow_root else _FLAGS, "")
        above, _, part = folder.rpartition("/")
        outer, is_mine = self.enter(above)
        try:
            return self._enter(part, outer, _FLAGS, folder)
        finally:
            if is_mine:
                os.close(outer)

    def _enter(self, part: str, outer: int | None, flags: int, folder: str) -> int:
        try:
            return os.open(part, flags, dir_fd=outer)
        except FileNotFoundError:
            raise
        except OSError as error:
            with suppress(OSError):
                if is_link(os.stat(part, dir_fd=outer, follow_symlinks=False)):
                    raise LinkedPath(self.path(folder)) from error
            raise


class FolderPath:
    """The way to one file, see OwnFolders.at, which fills it in: one is made for every file that is touched."""

    __slots__ = ("folders", "name", "to_close")
    folders: OwnFolders
    name: str
    to_close: int | None

    def __enter__(self) -> tuple[str, int | None]:
        last, fd, self.to_close = self.folders.open_folder_of(self.name)
        return last, fd

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.to_close is not None:
            os.close(self.to_close)


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
        folder = os.open(name, _FLAGS, dir_fd=dir_fd)
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
