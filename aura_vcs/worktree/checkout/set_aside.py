"""What came out of the project folder: looked at when it comes out, and once more before it goes.

A file that is replaced changes places with the new one, and then lies here under that one's name.
Everything that lies here was complete when it came, so after an interruption whatever is not in the
store is something a person wrote. Which path it had is in the list NAMES.
"""

import os
import stat
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

import msgspec
from blake3 import blake3

from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.objects.base import BUFFER_BYTES
from aura_vcs.storage.mounts import kind_of_disk
from aura_vcs.storage.own_folders import FolderPath
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import write_all
from aura_vcs.worktree.scan.cache import FileState, file_state

NAMES = "names"
"""The list: names and the paths they had, all ended by zero bytes."""
HELD_BYTES = 1 << 30
"""So much is held until the end of a command at most; what came out first is looked at and dropped sooner."""
_UNDATED = {"tmpfs", "ramfs"}
"""File systems on which a write through a memory map may leave all dates as they are."""


class SeenFile(msgspec.Struct, frozen=True):
    """A file as it was looked at, and what it held then: that content is in the store.

    Of one that is to go for good, no `id` is known: its dates decide.
    """

    state: FileState
    id: ObjectId | None

    @property
    def is_dated(self) -> bool:
        """Whether any later write shows in the state."""
        return self.id is None or self.state.id.hex() == self.id


class Unsaved(msgspec.Struct, frozen=True):
    """A file that came out and holds what the store may not have: the path it had, and what it is called now."""

    path: str
    name: str


class _Held(msgspec.Struct, frozen=True):
    path: str
    name: str
    id: ObjectId | None
    state: FileState
    """As it came out."""


class Aside:
    """The folder for what comes out of the project folder; what lies in it is named from there."""

    def __init__(self, folder: Scratch) -> None:
        self._folder = folder
        self._calls = folder.calls
        self._held: deque[_Held] = deque()
        self._held_bytes = 0
        self._unsaved: list[Unsaved] = []
        self._limit: int | None = None
        self._trusts_dates: bool | None = None
        self._names: int | None = None
        self._at: tuple[str, int] | None = None
        """The folder here that was used last, and that open."""
        self._made = 0
        self._token = os.urandom(4).hex()

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies here, of this command or of one that was interrupted."""
        return not self._folder.is_there()

    def at(self, name: str) -> FolderPath:
        """Return the way to what lies here; see OwnFolders.at."""
        return self._folder.at(name)

    def where(self, name: str) -> tuple[str, int | None]:
        """Return what to call something that lies here, and the open folder that this counts from, until the next call.

        Raises:
            FileNotFoundError, NotADirectoryError, LinkedPath: see OwnFolders.at.
        """
        folder, _, last = name.rpartition("/")
        if self._at is not None and self._at[0] == folder:
            return last, self._at[1]
        self._leave()
        with self._folder.at(name) as (last, fd):
            if fd is None:
                return last, None
            self._at = folder, os.dup(fd)
        return last, self._at[1]

    def _leave(self) -> None:
        if self._at is not None:
            os.close(self._at[1])
            self._at = None

    def real_path(self, name: str) -> str:
        """Return the path of what lies here, to read it."""
        return self._folder.path_of(name)

    def new_name(self, path: str) -> str:
        """Make a name for a file that changes places with the one at `path`."""
        self._begin()
        name = self._new_name()
        self._list([(name, path)])
        return name

    def _new_name(self) -> str:
        self._made += 1
        return f"{self._token}-{self._made:x}"  # what an interrupted command left here has other names

    def take_folder(self, scratch: Scratch, folder: str, paths: Iterable[tuple[str, str]]) -> str:
        """Take in a folder of complete files; `paths` are their names in it and the paths they are for.

        Returns what it is called here.
        """
        self._begin()
        name = self._new_name()
        self._list((f"{name}/{inner}", path) for inner, path in paths)
        with scratch.at(folder) as (last, dir_fd), self.at(name) as (target, to_fd):
            self._calls.rename_new(last, target, dir_fd=dir_fd, to_fd=to_fd)
        return name

    def _begin(self) -> None:
        if self._limit is None:
            with suppress(FileExistsError):
                self._folder.make_here()
            self._limit = min(HELD_BYTES, _free_bytes(self._folder.path) // 4)

    def _list(self, names: Iterable[tuple[str, str]]) -> None:
        data = b"".join(os.fsencode(name) + b"\0" + os.fsencode(path) + b"\0" for name, path in names)
        if self._names is None:
            with self.at(NAMES) as (last, dir_fd):
                self._names = self._calls.open_append(last, dir_fd=dir_fd)
            os.lseek(self._names, 0, os.SEEK_END)
        write_all(self._calls, self._names, data)

    def close(self) -> None:
        """Let go of the list; what lies here stays."""
        self._leave()
        if self._names is not None:
            os.close(self._names)
            self._names = None

    def trusts_dates(self, content: ObjectId | None) -> bool:
        """Tell whether a file of this disk that has its dates has its content, or none is known to compare it with."""
        if content is None:
            return True
        if self._trusts_dates is None:
            self._trusts_dates = kind_of_disk(os.path.dirname(self._folder.path)) not in _UNDATED
        return self._trusts_dates

    def hold(self, path: str, name: str, seen: SeenFile, found: FileState) -> None:
        """Hold what came out of `path` as it should, until it is looked at again."""
        self._held.append(_Held(path, name, seen.id, found))
        self._held_bytes += found.size
        while self._held and self._limit is not None and self._held_bytes > self._limit:
            self._release(self._held.popleft())

    def keep(self, path: str, name: str) -> None:
        """Keep what came out and is not what was saved."""
        self._unsaved.append(Unsaved(path, name))

    def forget(self, name: str) -> None:
        """Remove a file of our own that did not get its name."""
        with suppress(OSError):
            self._folder.unlink(name)

    def content_id(self, name: str) -> ObjectId | None:
        """Return the id of what a file that lies here holds; None if it cannot be read."""
        with suppress(OSError), self.at(name) as (last, dir_fd):
            return content_id(last, dir_fd=dir_fd)
        return None

    def unsaved(self) -> list[Unsaved]:
        """Look at everything once more; what is as it came out goes, the rest is returned."""
        while self._held:
            self._release(self._held.popleft())
        return self._unsaved

    def hand_over_unsaved(self) -> list[Unsaved]:
        """Return what `unsaved` does and forget it; the caller sees to it, and may `keep` some of it again."""
        found, self._unsaved = self.unsaved(), []
        return found

    @property
    def has_unsaved(self) -> bool:
        """Whether something was kept that nobody has seen to."""
        return bool(self._unsaved)

    def _release(self, held: _Held) -> None:
        self._held_bytes -= held.state.size
        try:
            last, dir_fd = self.where(held.name)
            found = file_state(os.stat(last, dir_fd=dir_fd, follow_symlinks=False))
        except OSError:
            return
        if (found != held.state or not self.trusts_dates(held.id)) and content_id(last, dir_fd=dir_fd) != held.id:
            self.keep(held.path, held.name)
            return
        try:
            self._calls.unlink(last, dir_fd=dir_fd)
        except OSError:
            return  # `clear` tries once more

    def copy(self, unsaved: Unsaved) -> str:
        """Copy a file that lies here, as it is now; returns what the copy is called."""
        name = self.new_name(unsaved.path)
        fd = self._folder.create(name, 0o600)
        with open(self._folder.open(unsaved.name), "rb", buffering=0) as file:
            try:
                while data := file.read(BUFFER_BYTES):
                    write_all(self._calls, fd, data)
            finally:
                os.close(fd)
        return name

    def interrupted_files(self) -> list[Unsaved]:
        """List everything that an interrupted command left here."""
        paths = self._listed()
        found = []
        for inner, mode in self._folder.walk():
            if inner != NAMES and (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
                found.append(Unsaved(paths.get(inner, f"found/{inner.replace('/', '-')}"), inner))
        return sorted(found, key=lambda unsaved: unsaved.path)

    def _listed(self) -> dict[str, str]:
        try:
            with open(self._folder.open(NAMES), "rb") as file:
                parts = file.read().split(b"\0")
        except OSError:
            return {}
        return dict(zip(map(os.fsdecode, parts[0:-1:2]), map(os.fsdecode, parts[1::2]), strict=False))

    def clear(self) -> None:
        """Remove all that is left; the caller has seen to what is unsaved."""
        self.close()
        self._held.clear()
        self._held_bytes = 0
        self._unsaved = []
        self._limit = None
        if not self.is_empty:
            self._folder.discard()


def content_id(path: str, *, dir_fd: int | None = None) -> ObjectId | None:
    """Return the id of what a file or link holds; None if it cannot be read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        found = os.stat(path, dir_fd=dir_fd, follow_symlinks=False).st_mode
        if stat.S_ISLNK(found):
            return blob_id(os.fsencode(os.readlink(path, dir_fd=dir_fd)))
        if not stat.S_ISREG(found):
            return None
        with open(os.open(path, flags, dir_fd=dir_fd), "rb", buffering=0) as file:
            hasher = blake3()
            while data := file.read(BUFFER_BYTES):
                hasher.update(data)
    except OSError:
        return None
    return ObjectId(hasher.hexdigest())


def _free_bytes(path: str) -> int:
    if not hasattr(os, "statvfs"):
        return HELD_BYTES
    with suppress(OSError):
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize
    return HELD_BYTES
