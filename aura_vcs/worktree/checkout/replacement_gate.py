"""The one gate through which every file of the person's goes when it is replaced or removed.

Nothing is ever destroyed on the strength of an earlier look: the new file and the old one change
places, or the old one is moved aside, and what came out is looked at. If it is not what was saved,
it goes back to where it was. What came out as it should is held until the command ends (see `aside`).
A new file takes over who may read the one that it replaces.
"""

import os
import stat
from contextlib import suppress

from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.worktree.checkout.set_aside import Aside, SeenFile, content_id
from aura_vcs.worktree.scan.cache import FileState, file_state

_RIGHTS = 0o7777
_COPIED_ATTRIBUTES = ("user.", "system.posix_acl_access")
"""How the extended attributes begin that a new file takes over."""


class ReplacementGate:
    """Puts files into open folders of the project and takes files out of them; `aside` holds what came out."""

    def __init__(self, aside: Aside, calls: FileCalls) -> None:
        self.aside = aside
        self._calls = calls
        self._can_exchange = True
        self._owner: tuple[int, int] | None = None
        """User and group of the files that this process makes."""

    def put(
        self, made: str, new: FileState, path: str, name: str, fd: int | None, seen: SeenFile | None
    ) -> FileState | None:
        """Give a file in the folder of `aside`, in the state `new`, its name in the open folder `fd`; its state then.

        What has the name must be what was `seen` (None: nothing); else that stays, and None is
        returned. The file is gone from `made` in any case.

        Raises:
            OSError: the system refused; what has the name is what had it.
        """
        if seen is None:
            return self._put_new(made, name, fd)
        before = _look(name, fd)
        if before is None or not self._may_be(seen, before, name, fd):
            self.aside.forget(made)
            return None
        out, out_fd = self.aside.where(made)
        self._take_over_rights(out, out_fd, new, before)
        if self._can_exchange:
            try:
                self._can_exchange = self._calls.exchange(out, name, dir_fd=out_fd, to_fd=fd)
            except FileNotFoundError:
                self.aside.forget(made)
                return None
        if not self._can_exchange:
            return self._put_in_two_steps(made, path, name, fd, seen)
        found = os.stat(out, dir_fd=out_fd, follow_symlinks=False)
        if not self._is_what_was_saved(seen, out, out_fd, found):
            self._exchange_back(made, new, path, name, fd)
            return None
        self.aside.hold(path, made, seen, file_state(found))
        if stat.S_ISREG(found.st_mode):
            if (found.st_mode, found.st_uid, found.st_gid) != (before.st_mode, before.st_uid, before.st_gid):
                self._take_over_late_rights(name, fd, new, found)
            self._take_over_attributes(made, name, fd)
        return _state(name, fd)

    def take(self, path: str, name: str, fd: int | None, seen: SeenFile) -> bool:
        """Take a file out of the open folder `fd`; False if it is not what was `seen`, and stays.

        Raises:
            OSError: the system refused; nothing was done.
        """
        before = _look(name, fd)
        if before is None:
            return True
        if not self._may_be(seen, before, name, fd):
            return False
        taken = self.aside.new_name(path)
        with self.aside.at(taken) as (out, out_fd):
            try:
                self._calls.rename_new(name, out, dir_fd=fd, to_fd=out_fd)
            except FileNotFoundError:
                return True
            found = os.stat(out, dir_fd=out_fd, follow_symlinks=False)
            if self._is_what_was_saved(seen, out, out_fd, found):
                self.aside.hold(path, taken, seen, file_state(found))
                return True
        self._return_or_set_aside(taken, name, fd, path)
        return False

    def is_as_seen(self, name: str, fd: int | None, seen: SeenFile | None) -> bool:
        """Tell whether what has the name in the open folder `fd` can be what was `seen` (None: nothing)."""
        found = _look(name, fd)
        if found is None or seen is None:
            return found is None and seen is None
        return self._may_be(seen, found, name, fd)

    def _put_new(self, made: str, name: str, fd: int | None) -> FileState | None:
        try:
            with self.aside.at(made) as (out, out_fd):
                self._calls.rename_new(out, name, dir_fd=out_fd, to_fd=fd)
        except (FileExistsError, FileNotFoundError):  # in the second case the folder is gone
            self.aside.forget(made)
            return None
        return _state(name, fd)

    def _put_in_two_steps(self, made: str, path: str, name: str, fd: int | None, seen: SeenFile) -> FileState | None:
        """Replace a file where names cannot change places: for a moment nothing has the name."""
        if not self.take(path, name, fd, seen):
            self.aside.forget(made)
            return None
        return self._put_new(made, name, fd)

    def _exchange_back(self, made: str, new: FileState, path: str, name: str, fd: int | None) -> None:
        """Put what came out back; if somebody wrote to the new file meanwhile, preserve that too."""
        with self.aside.at(made) as (out, out_fd):
            try:
                self._calls.exchange(out, name, dir_fd=out_fd, to_fd=fd)
            except FileNotFoundError:
                self._return_or_set_aside(made, name, fd, path)
                return
            is_ours = _stamp(os.stat(out, dir_fd=out_fd, follow_symlinks=False)) == _stamp_of(new)
        if is_ours:
            self.aside.forget(made)
        else:
            self.aside.keep(path, made)

    def return_file(self, taken: str, name: str, fd: int | None) -> bool:
        """Give what came out a name in the open folder; False if something has it, or the folder is gone."""
        try:
            with self.aside.at(taken) as (out, out_fd):
                self._calls.rename_new(out, name, dir_fd=out_fd, to_fd=fd)
        except (FileExistsError, FileNotFoundError):
            return False
        return True

    def _return_or_set_aside(self, taken: str, name: str, fd: int | None, path: str) -> None:
        """Give what came out its name again; if something else has it by now, that stays, and both are preserved."""
        if not self.return_file(taken, name, fd):
            self.aside.keep(path, taken)

    def _may_be(self, seen: SeenFile, found: os.stat_result, name: str, fd: int | None) -> bool:
        """Tell whether the file at the name can still be what was seen, judged without moving it."""
        if _may_run(found.st_mode) != _may_run(seen.state.mode):
            return False
        if _stamp(found) == _stamp_of(seen.state) and found.st_ctime_ns == seen.state.ctime_ns:
            return True
        return seen.id is not None and content_id(name, dir_fd=fd) == seen.id

    def _is_what_was_saved(self, seen: SeenFile, out: str, out_fd: int | None, found: os.stat_result) -> bool:
        """Tell whether what came out is what was seen. Moving it gave it another time of change."""
        if _may_run(found.st_mode) != _may_run(seen.state.mode):
            return False
        if _stamp(found) == _stamp_of(seen.state) and seen.is_dated and self.aside.trusts_dates(seen.id):
            return True
        return seen.id is not None and content_id(out, dir_fd=out_fd) == seen.id

    def _take_over_rights(self, made: str, made_fd: int | None, new: FileState, before: os.stat_result) -> None:
        """Let the new file belong to whom the old one belongs, and be open to nobody else."""
        if not (stat.S_ISREG(new.mode) and stat.S_ISREG(before.st_mode)):
            return
        if self._owner is None:
            own = os.stat(made, dir_fd=made_fd, follow_symlinks=False)
            self._owner = own.st_uid, own.st_gid
        mode = replacing_mode(before.st_mode, new.mode)
        is_same_owner = self._owner == (before.st_uid, before.st_gid)
        if is_same_owner and mode == stat.S_IMODE(new.mode):
            return
        fd = os.open(made, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0), dir_fd=made_fd)
        try:
            if not is_same_owner:
                mode = self._give(fd, before, mode)
            self._calls.chmod(fd, mode)
        finally:
            os.close(fd)

    def _take_over_late_rights(self, name: str, fd: int | None, new: FileState, found: os.stat_result) -> None:
        """Do the same where somebody changed them just before the files changed places."""
        placed = _look(name, fd)
        if placed is not None and placed.st_ino == new.inode:  # else it is somebody's by now
            self._take_over_rights(name, fd, new._replace(mode=placed.st_mode), found)

    def _give(self, fd: int, before: os.stat_result, mode: int) -> int:
        """Give a file its owner and group as far as that is allowed; the mode that then says as little as before."""
        for uid, gid in ((before.st_uid, before.st_gid), (-1, before.st_gid)):
            try:
                self._calls.chown(fd, uid, gid)
                break
            except (OSError, NotImplementedError):
                continue
        if os.fstat(fd).st_gid != before.st_gid:
            mode &= ~0o070 | (mode & 0o007) << 3  # the group is another: it may do what anybody may
        return mode

    def _take_over_attributes(self, made: str, name: str, fd: int | None) -> None:
        """Copy the access list and the person's own attributes, where there are any and the disk has them."""
        if not hasattr(os, "listxattr"):
            return
        with suppress(OSError):
            real_path = self.aside.real_path(made)
            names = [
                key for key in os.listxattr(real_path, follow_symlinks=False) if key.startswith(_COPIED_ATTRIBUTES)
            ]
            if names:
                new = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=fd)
                try:
                    for key in names:
                        self._calls.set_attribute(new, key, os.getxattr(real_path, key, follow_symlinks=False))
                finally:
                    os.close(new)


def _look(name: str, fd: int | None) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _state(name: str, fd: int | None) -> FileState | None:
    found = _look(name, fd)
    return file_state(found) if found is not None else None


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode & ~_RIGHTS)


def _may_run(mode: int) -> bool:
    """Tell whether a file of this mode counts as executable: that is part of what a version has of it."""
    return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)


def _stamp_of(state: FileState) -> tuple[int, int, int, int]:
    return (state.mtime_ns, state.size, state.inode, state.mode & ~_RIGHTS)


def replacing_mode(old: int, new: int) -> int:
    """Return the mode of a file that replaces one: the same people may read and write it, who may run it is new."""
    mode = old & 0o666
    return mode | (mode & 0o444) >> 2 if new & 0o100 else mode
