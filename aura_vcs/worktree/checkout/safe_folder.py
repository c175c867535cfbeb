"""Changing the project folder without ever leaving it.

Every part of a path is opened on its own and never through a symbolic link, so a link that
stands where a version has a folder cannot lead a write outside, however late it was put there.
New content is complete before it gets its name.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.errors.worktree import FileHeld
from aura_vcs.layout import check_entry_name, check_windows_name
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.worktree.checkout.new_file import NewFile, with_executable
from aura_vcs.worktree.checkout.replacement_gate import ReplacementGate
from aura_vcs.worktree.checkout.set_aside import Aside, SeenFile
from aura_vcs.worktree.scan.cache import RACY, FileState, file_state

_NO_EMPTY_FOLDER = {errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}
_REPLACED = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
_HELD = {errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY}
_HAS_DIR_FD = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_FILE_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


SYNC_DISK_FROM = 16
"""From so many folders on, one sync of the disk is cheaper than one for each."""
_check_here = check_windows_name if os.name == "nt" else check_entry_name


class SafeFolder:
    """The project folder `root`, opened for changes; temporary files lie in `temporary`.


    Instead of a project's, it may be a folder of ours, `made`.
    """

    def __init__(
        self, root: str, temporary: Scratch, calls: FileCalls, aside: Aside | None = None, made: Scratch | None = None
    ) -> None:
        self._root = root
        self._made = made
        self._temporary = temporary
        self._calls = calls
        self.gate = ReplacementGate(aside or Aside(temporary.below("aside")), calls)
        self._current = ("", -1)
        self.touched: set[str] = set()
        """Folders whose names changed, to be synced at the end."""

    def close(self) -> None:
        """Let go of the folder that was used last."""
        self._let_go()

    def state(self, path: str) -> FileState | None:
        """Return what is at the path now, not following a link; None if nothing is."""
        try:
            with self._inside(path) as (name, fd):
                return file_state(os.stat(name, dir_fd=fd, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError, UnsafePath):
            return None

    def make_folder(self, path: str) -> bool:
        """Make one folder. False if something else has the name, or the folder that it is in is gone."""
        way = self._way_in(path)
        if way is None:
            return False
        name, fd = way
        try:
            self._calls.mkdir(name, dir_fd=fd)
        except FileExistsError:
            return self._is_folder(name, fd)
        except FileNotFoundError:
            return False
        return True

    def remove_folder(self, path: str) -> None:
        """Remove a folder if it is empty; what is not versioned may still be in it. Absent is fine."""
        if not self._is_reachable(path):
            return
        with self._inside(path) as (name, fd):
            try:
                self._calls.rmdir(name, dir_fd=fd)
            except OSError as error:
                if error.errno not in _NO_EMPTY_FOLDER:
                    raise

    def remove_file(self, path: str) -> None:
        """Remove a file or link; absent is fine."""
        if not self._is_reachable(path):
            return
        with self._inside(path) as (name, fd):
            try:
                with _replacing(path):
                    self._calls.unlink(name, dir_fd=fd)
            except FileNotFoundError:
                return

    def _is_reachable(self, path: str) -> bool:
        """Tell whether the folder that the path is in is there, and a folder."""
        try:
            with self._inside(path):
                return True
        except (FileNotFoundError, UnsafePath):
            return False

    def new_file(self, mode: int = 0o666) -> NewFile:
        """Create a file in the making, with this mode or, by the umask, a stricter one."""
        return NewFile(self._temporary, mode)

    def place(self, new: NewFile, path: str, seen: SeenFile | None) -> FileState | None:
        """Give a finished file its name; returns its state.

        What has the name must be what was `seen` (None: nothing), and the folder must be there. Else nothing
        is changed, and None is returned.
        """
        aside = self.gate.aside.new_name(path)
        with self.gate.aside.at(aside) as (last, dir_fd):
            new.move_to(last, dir_fd)
        state = self._put(aside, new.state, path, seen)
        # Somebody may have written to it since: then it is not known what it holds.
        return state if state is None or state[0] == new.state[0] else state._replace(ctime_ns=RACY)

    def take_out(self, path: str, seen: SeenFile) -> bool:
        """Take a file or link out of the folder; absent is fine. False if it is not what was `seen`, and stays."""
        if not self._is_reachable(path):
            return True
        with self._inside(path) as (name, fd), _replacing(path):
            return self.gate.take(path, name, fd, seen)

    def return_beside(self, taken: str, path: str) -> None:
        """Give what came out its name again or, where something else has that, the first free one: `NAME~2` and so on.

        It stays aside if the folder that it was in is gone.
        """
        way = self._way_in(path)
        if way is None:
            self.gate.aside.keep(path, taken)
            return
        name, fd = way
        for free in (name, *(f"{name}~{number}" for number in range(2, 100))):
            if self.gate.return_file(taken, free, fd):
                return
        self.gate.aside.keep(path, taken)

    def place_folder(self, made: str, path: str) -> None:
        """Give a folder that lies aside, as `made`, its name.

        Raises:
            OSError: something has the name, or the folder that it is in is gone.
        """
        way = self._way_in(path)
        if way is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        name, fd = way
        with self.gate.aside.at(made) as (last, dir_fd):
            self._calls.rename_new(last, name, dir_fd=dir_fd, to_fd=fd)

    def place_file(self, made: str, path: str, state: FileState, seen: SeenFile | None) -> FileState | None:
        """Give a file that lies aside, as `made`, its name; see `place`.

        `state` is the one it had when it was finished; returns the one it has.
        """
        found = self._put(made, state, path, seen)
        if found is None:
            return None
        # Somebody may have written to it since: then it is not known what it holds.
        is_same = (found.mtime_ns, found.inode, found.size) == (state.mtime_ns, state.inode, state.size)
        return found._replace(id=state.id) if is_same else found._replace(ctime_ns=RACY)

    def make_link(self, path: str, target: bytes, seen: SeenFile | None) -> FileState | None:
        """Make a symbolic link; see `place`.

        Raises:
            OSError: this system or disk has no links.
        """
        aside = self.gate.aside.new_name(path)
        with self.gate.aside.at(aside) as (made, dir_fd):
            self._calls.symlink(os.fsdecode(target), made, dir_fd=dir_fd)
            state = file_state(os.stat(made, dir_fd=dir_fd, follow_symlinks=False))
        return self._put(aside, state, path, seen)

    def _put(self, made: str, state: FileState, path: str, seen: SeenFile | None) -> FileState | None:
        """Give what lies aside its name; see Gate.put. None also where the folder that it goes into is gone."""
        way = self._way_in(path)
        if way is None:
            self.gate.aside.forget(made)
            return None
        with _replacing(path):
            return self.gate.put(made, state, path, *way, seen)

    def is_as_seen(self, path: str, seen: SeenFile | None) -> bool:
        """Tell whether what is at the path can still be what was `seen` (None: nothing)."""
        try:
            with self._inside(path) as (name, fd):
                return self.gate.is_as_seen(name, fd, seen)
        except (FileNotFoundError, NotADirectoryError, UnsafePath):
            return seen is None

    def set_executable(self, path: str, executable: bool, seen: SeenFile) -> FileState | None:
        """Set or clear the executable bits of a file; None, and nothing done, if it is not what was `seen`."""
        if not self.is_as_seen(path, seen):
            return None
        with self._inside(path) as (name, dir_fd):
            try:
                fd = os.open(name, _FILE_FLAGS, dir_fd=dir_fd)
            except OSError as error:
                if error.errno not in _REPLACED:
                    raise
                return None
            try:
                before = os.fstat(fd)
                self._calls.chmod(fd, with_executable(before.st_mode, executable))
                found = file_state(os.fstat(fd))
            finally:
                os.close(fd)
        is_same = (before.st_mtime_ns, before.st_ino) == (seen.state.mtime_ns, seen.state.inode)
        return found if is_same and found.mtime_ns == seen.state.mtime_ns else found._replace(ctime_ns=RACY)

    def sync(self) -> None:
        """Make every change of names durable: one sync of the disk for many folders, which asks it once."""
        self._let_go()
        root = self._folder_at("")
        touched = [(path, found.st_dev) for path in sorted(self.touched) if (found := self._folder_at(path))]
        together = len(touched) >= SYNC_DISK_FROM and self._calls.sync_disk(self._root)
        for path, device in touched:
            if not together or root is None or device != root.st_dev:
                with suppress(FileNotFoundError, NotADirectoryError):  # somebody moved it away just now
                    self._calls.fsync_folder(os.path.join(self._root, path))
        self.touched.clear()

    def _folder_at(self, path: str) -> os.stat_result | None:
        """Look at a folder; None if it has gone, or is none any more."""
        try:
            found = os.stat(os.path.join(self._root, path) if path else self._root, follow_symlinks=not path)
        except OSError:
            return None
        return found if stat.S_ISDIR(found.st_mode) else None

    def way_to(self, path: str) -> tuple[str, int | None]:
        """Return what to call the path, and the folder that this is relative to; good until the next call.

        Raises:
            UnsafePath: a part is a link or reserved.
        """
        parent, _, name = path.rpartition("/")
        _check_here(name)
        if self._current[0] == parent and self._current[1] >= 0:
            return name, self._current[1]
        if not _HAS_DIR_FD:
            return os.path.join(self._checked(parent), name), None
        return name, self._open(parent)

    def _way_in(self, path: str) -> tuple[str, int | None] | None:
        """Open the way to a path that is about to change; None if the folder around it is gone, or none any more.

        Whoever moved, removed or replaced that folder did so since the path was looked at.

        Raises:
            UnsafePath: a part is reserved.
        """
        self.touched.add(path.rpartition("/")[0])
        try:
            return self.way_to(path)
        except (FileNotFoundError, UnsafePath):
            for part in path.split("/"):
                _check_here(part)
            return None

    @staticmethod
    def _is_folder(name: str, fd: int | None) -> bool:
        try:
            return stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return False

    @contextmanager
    def _inside(self, path: str) -> Iterator[tuple[str, int | None]]:
        """Yield the last part of a path and its folder, opened part by part.

        Raises:
            UnsafePath: a part is a link or reserved.
        """
        self.touched.add(path.rpartition("/")[0])
        yield self.way_to(path)

    def _open(self, path: str) -> int:
        if self._current[1] >= 0 and self._current[0] == path:
            return self._current[1]
        self._let_go()
        fd = self._opened_root()
        for part in path.split("/") if path else ():
            _check_here(part)
            try:
                inner = os.open(part, _FOLDER_FLAGS, dir_fd=fd)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise UnsafePath(path, f"{part!r} is not a folder ({error.strerror})") from error
            finally:
                os.close(fd)
            fd = inner
        self._current = (path, fd)
        return fd

    def _opened_root(self) -> int:
        if self._made is None:
            return os.open(self._root, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        with self._made.at("-") as (_, fd):
            assert fd is not None
            return os.dup(fd)

    def _checked(self, path: str) -> str:
        """Return the real path of a folder, for systems without openat."""
        real_path = self._root
        for part in path.split("/") if path else ():
            real_path = os.path.join(real_path, _check_here(part))
            if os.path.islink(real_path):
                raise UnsafePath(path, f"{part!r} is a link")
        return real_path

    def _let_go(self) -> None:
        if self._current[1] >= 0:
            os.close(self._current[1])
        self._current = ("", -1)


@contextmanager
def _replacing(path: str) -> Iterator[None]:
    """Name the file that another program (on Windows: any that has it open) does not let go.

    Raises:
        FileHeld: the system does not permit it, or says that it is busy.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _HELD:
            raise FileHeld(path, error.strerror or str(error)) from error
        raise
