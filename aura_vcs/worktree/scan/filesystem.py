"""What the disk with the project folder keeps of a file besides its bytes.

USB sticks and memory cards (FAT, exFAT), some network disks and Windows have no executable bits,
no symbolic links, or not every name. What such a disk cannot keep, it cannot take away either: a
file keeps the bit that the version has, and a small file with a link's target stands for the
link, as git does it with `core.fileMode` and `core.symlinks` off.
"""

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.layout import check_windows_name
from aura_vcs.model import Entry, EntryKind
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls

_CANNOT = {errno.ENOSYS, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
"""What a disk says that has no such thing. A full or a broken one says something else."""


class FilesystemTraits:
    """The disk that the folder `temporary` lies on. Each question is tried out once, and only when it matters."""

    def __init__(self, temporary: Scratch, calls: FileCalls) -> None:
        self._temporary = temporary
        self._calls = calls

    @property
    def keeps_all(self) -> bool:
        """Whether a file comes back from the disk with all that a version has of it."""
        return self.keeps_executable and self.has_links

    @cached_property
    def keeps_executable(self) -> bool:
        """Whether a file is executable here because somebody made it so."""
        name = _new_name()
        try:
            fd = self._temporary.create(name, 0o600)
        except OSError:
            return True  # a disk that cannot be written to is believed
        try:
            return self._makes_executable(fd)
        finally:
            os.close(fd)
            with suppress(OSError):
                self._temporary.unlink(name)

    def try_out(self, fd: int) -> None:
        """Find out with a new file of somebody's, who removes it, what a file of our own would be made for."""
        if "keeps_executable" not in self.__dict__:
            self.__dict__["keeps_executable"] = self._makes_executable(fd)

    def _makes_executable(self, fd: int) -> bool:
        try:
            before = os.fstat(fd).st_mode
            self._calls.chmod(fd, 0o700)
            return not before & stat.S_IXUSR and bool(os.fstat(fd).st_mode & stat.S_IXUSR)
        except OSError as error:
            return error.errno not in _CANNOT

    @cached_property
    def has_links(self) -> bool:
        """Whether symbolic links can be made."""
        name = _new_name()
        try:
            self._temporary.symlink("nowhere", name)
        except OSError as error:
            return error.errno not in _CANNOT
        with suppress(OSError):
            self._temporary.unlink(name)
        return True

    def with_version_mode(self, entry: Entry, base: Entry | None) -> Entry:
        """Return a file as the disk shows it, with what the disk cannot store as `base`, its version, has it."""
        if base is None:
            loses = entry.executable and not self.keeps_executable
            return _changed(entry, entry.kind, executable=False) if loses else entry
        if entry.kind is EntryKind.FILE and base.kind is EntryKind.SYMLINK and not self.has_links:
            return _changed(entry, EntryKind.SYMLINK, executable=False)
        is_file = entry.kind is base.kind is EntryKind.FILE
        if is_file and entry.executable != base.executable and not self.keeps_executable:
            return _changed(entry, entry.kind, executable=base.executable)
        return entry

    def with_disk_mode(self, entry: Entry) -> Entry:
        """Return the entry of a version as it will look on this disk."""
        if entry.kind is EntryKind.SYMLINK and not self.has_links:
            return _changed(entry, EntryKind.FILE, executable=False)
        if entry.executable and not self.keeps_executable:
            return _changed(entry, entry.kind, executable=False)
        return entry

    def unsupported_names(self, paths: Iterable[str]) -> list[str]:
        """Find paths whose last part the disk does not take as a name; only asked of disks without links."""
        return [] if self.has_links else [path for path in paths if not self._takes(path.rpartition("/")[2])]

    def _takes(self, name: str) -> bool:
        if _is_fit_everywhere(name):
            return True
        folder = _new_name()
        with self._temporary.at(folder) as (last, dir_fd):
            self._calls.mkdir(last, dir_fd=dir_fd)
        with self._temporary.at(f"{folder}/-") as (last, dir_fd):
            path = "" if dir_fd is not None else os.path.dirname(last)
            try:
                os.close(self._calls.create(os.path.join(path, name), dir_fd=dir_fd))
                return _listed(path, dir_fd) == [name]
            except OSError as error:
                return error.errno not in {*_CANNOT, errno.EILSEQ, errno.ENOENT}
            finally:
                for found in _listed(path, dir_fd):
                    self._calls.unlink(os.path.join(path, found), dir_fd=dir_fd)
                with self._temporary.at(folder) as (made, above_fd):
                    self._calls.rmdir(made, dir_fd=above_fd)


def _new_name() -> str:
    return os.urandom(12).hex()


def _listed(path: str, dir_fd: int | None) -> list[str]:
    return os.listdir(path if dir_fd is None else dir_fd)


def _is_fit_everywhere(name: str) -> bool:
    try:
        check_windows_name(name).encode("utf-8")
    except (UnsafePath, UnicodeEncodeError):
        return False
    return True


def _changed(entry: Entry, kind: EntryKind, *, executable: bool) -> Entry:
    return Entry(entry.name, kind, entry.id, entry.size, executable)
