"""Keeping true what is known of the files: which are not as the scan cache has them.

A file is compared when it is watched and has no writer (see storage.open_writers): from then on nothing changes its
content without an event. Whatever an event names is compared anew before the next answer; what cannot be watched like
that is looked at for each answer. Folders are watched before their names are compared, and before the folders inside
them. So every answer names at least what a look at every file would have found, at the moment when the last event was
read, but for files of which nothing changed except the date of the last change of anything (ctime).
"""

import errno
import os
import stat
import time
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

from aura_vcs.storage.open_writers import has_writer
from aura_vcs.worktree.scan.cache import ScanCache
from aura_vcs.worktree.scan.prefetch import changed_files
from aura_vcs.worktree.watch import inotify
from aura_vcs.worktree.watch.disks import Untrusted
from aura_vcs.worktree.watch.folders import BEYOND, DENIED, HELD, SHARED, WatchedFolder
from aura_vcs.worktree.watch.inotify import Inotify, StartOver, is_full, watch_limit
from aura_vcs.worktree.watch.quiet_open import open_quietly

SHARE = 0.75
"""How much of the watches that a user may have one project takes."""
TRIED_AGAIN = 200
"""So many files of a folder that had a writer are tried again for each answer; the others are only looked at."""
DRAINED_EVERY = 4000
"""Watches that are removed between two looks at the queue, which holds some 16,000 events."""
MOST_EVENTS = 500_000
"""So many events at once are more than a look at all files."""
MOST_WATCHES_MADE = 4_000_000
"""Numbers of watches are not used twice; then all begins anew."""
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NAMES = inotify.CREATE | inotify.DELETE | inotify.MOVED_FROM | inotify.MOVED_TO
_ENDED = inotify.DELETE_SELF | inotify.MOVE_SELF | inotify.IGNORED


class WatchedFiles:
    """The files of the scan cache in the folder that is open as `root`."""

    def __init__(self, root: int, cache: ScanCache, share: float = SHARE) -> None:
        self.root = root
        self.device = os.fstat(root).st_dev
        self.cache = cache
        self.notify = Inotify()
        self.room = int(watch_limit() * share)
        """So many watches may be there."""
        self.count = 0
        self.folders = {path: WatchedFolder(path, folder) for path, folder in cache.folders.items()}
        self._of: list[WatchedFolder | None] = [None]
        """Folder of each watch, by its number."""
        self._number = array("i", [-1])
        """Number of each watch's file, -1 for a folder's own."""
        self._waiting: list[tuple[int, int, bytes]] = []
        self._removed = 0
        self._order = sorted(self.folders)
        self.fresh: dict[WatchedFolder, None] = dict.fromkeys(self.folders[path] for path in self._order)
        """Folders that are to be watched, or compared, as a whole; those above come first."""
        self.heard: dict[WatchedFolder, None] = {}
        """Folders of which something was heard, or in which files wait to be compared."""

    def close(self) -> None:
        """End all watches."""
        self.notify.close()

    def listen(self) -> None:
        """Read all events that there are, and note what they name.

        Raises:
            StartOver: some were lost, or the disk has gone.
        """
        heard = 0
        while True:
            events = chain(self._waiting, self.notify.read())
            self._waiting = []
            for event in events:
                self._hear(*event)
                heard += 1
                if heard > MOST_EVENTS:
                    raise StartOver("events come faster than they are read")
            if not self._waiting:
                return

    def work(self, seconds: float) -> bool:
        """Watch and compare what waits for it, for so long; whether all is done.

        Raises:
            Untrusted: a folder cannot be watched. StartOver: see `listen`.
        """
        until = time.monotonic() + seconds
        for folder in sorted(self.fresh, key=lambda each: each.path):
            self._watch_folder(folder)
            if time.monotonic() > until:
                return False
        for folder in list(self.heard):
            if folder in self.fresh:
                continue
            if not self._compare_heard(folder, until):
                return False
            del self.heard[folder]
            folder.forget_places()
        return not self.fresh

    def look(self) -> None:
        """Compare what cannot be watched, and try again to watch what had a writer, or two names."""
        for folder in self.folders.values():
            if not folder.unwatched or not folder.is_known:
                continue
            again = [number for number, why in folder.unwatched.items() if why in {HELD, SHARED}][:TRIED_AGAIN]
            try:
                with self._opened(folder) as fd:
                    for number in again:
                        self._compare(folder, number, fd)
                    if len(folder.unwatched) * 2 > len(folder.watches):  # the quickest loop, for most of them or all
                        folder.differing = set(changed_files(folder.cached, fd))
                        continue
                    for number in folder.unwatched:
                        self._note(folder, number, self._state(folder, number, fd))
            except OSError:
                folder.differing.update(folder.unwatched)

    def waiting(self) -> int:
        """Count the files that wait to be compared."""
        return sum(len(folder.touched) for folder in (*self.fresh, *self.heard))

    def exceptions(self) -> Iterator[tuple[int, Sequence[int] | None]]:
        """Yield number (in the cache) and differing files of each folder that is not as in the cache; None for all."""
        for number, path in enumerate(self.cache.folders):
            found = self.folders[path].exceptions()
            if found is None or found:
                yield number, found

    def adopt(self, cache: ScanCache) -> None:
        """Compare with a newer cache from now on; what it has as before stays known."""
        for path in self.folders.keys() - cache.folders.keys():
            self._forget(self.folders.pop(path))
        for path, cached in cache.folders.items():
            folder = self.folders.get(path)
            if folder is None:
                folder = self.folders[path] = WatchedFolder(path, cached)
                self.fresh[folder] = None
                continue
            watches = folder.watches
            self._unwatch_all(folder.adopt(cached))
            if folder.watches is not watches:
                for number, watch in enumerate(folder.watches):
                    self._number[watch] = number if watch else -1
            if folder.touched or folder.asked:
                self.heard[folder] = None
        self.cache = cache
        self._order = sorted(self.folders)

    # What events say.

    def _hear(self, watch: int, kind: int, name: bytes) -> None:
        if kind & inotify.OVERFLOW:
            raise StartOver("more happened at once than the system remembers")
        if kind & inotify.UNMOUNT:
            raise StartOver("the disk was unmounted")
        folder = self._of[watch] if 0 < watch < len(self._of) else None
        if folder is None:
            return
        number = self._number[watch]
        if number >= 0:
            folder.touched.add(number)
            self.heard[folder] = None
        elif kind & _ENDED or (not name and not folder.is_known):
            self._renew(folder)
        elif not name:  # its own rights or owner: names may be seen that were not
            folder.asked.update(folder.cached.names, folder.cached.folders)
            folder.asked.update(name.rstrip("/") for name in folder.cached.ignored)
            folder.touched.update(range(len(folder.cached.names)))
            self.heard[folder] = None
        else:
            self._hear_name(folder, os.fsdecode(name), kind)

    def _hear_name(self, folder: WatchedFolder, name: str, kind: int) -> None:
        folder.asked.add(name)
        self.heard[folder] = None
        if (number := folder.place(name)) is not None:
            folder.touched.add(number)
        if kind & inotify.IS_FOLDER:
            inner = self.folders.get(f"{folder.path}/{name}" if folder.path else name)
            if inner is not None and (kind & _NAMES or not inner.is_known):
                self._renew(inner)

    def _renew(self, top: WatchedFolder) -> None:
        """Know nothing any more of a folder and all below: its path may lead to another one."""
        first, last = f"{top.path}/", f"{top.path}0"  # "0" comes after "/"
        inside = self._order[bisect_left(self._order, first) : bisect_left(self._order, last)]
        for folder in map(self.folders.__getitem__, [top.path, *inside] if top.path else self._order):
            if folder in self.fresh and not folder.watch:
                continue
            self._forget(folder)
            folder.is_known = False
            folder.touched = set(range(len(folder.cached.names)))
            folder.differing.clear()
            self.fresh[folder] = None

    def _forget(self, folder: WatchedFolder) -> None:
        self._unwatch_all([folder.watch, *folder.watches])
        folder.watch = 0
        folder.watches = array("i", bytes(4 * len(folder.cached.names)))
        folder.unwatched.clear()
        self.fresh.pop(folder, None)
        self.heard.pop(folder, None)

    def _unwatch_all(self, watches: Iterable[int]) -> None:
        for watch in watches:
            self._unwatch(watch)

    def _unwatch(self, watch: int) -> None:
        """End a watch. What is queued of it says nothing any more: what it watched is compared after this."""
        if not watch or self._of[watch] is None:
            return
        self._of[watch] = None
        self.count -= 1
        self.notify.remove(watch)
        self._removed += 1
        if self._removed % DRAINED_EVERY == 0:
            self._waiting += self.notify.read()

    def _own(self, watch: int, folder: WatchedFolder, number: int) -> bool:
        """Say whose a watch is; False if it is another's already."""
        if watch > MOST_WATCHES_MADE:
            raise StartOver("the numbers of watches are used up")
        missing = watch + 1 - len(self._of)
        if missing > 0:
            self._of += [None] * missing
            self._number.extend([-1] * missing)
        if self._of[watch] is not None:
            return False
        self._of[watch] = folder
        self._number[watch] = number
        self.count += 1
        return True

    # Looking and watching.

    @contextmanager
    def _opened(self, folder: WatchedFolder) -> Iterator[int]:
        fd = os.open(folder.path or ".", _FOLDER, dir_fd=self.root)
        try:
            yield fd
        finally:
            os.close(fd)

    def _watch_folder(self, folder: WatchedFolder) -> None:
        self._forget(folder)
        try:
            with self._opened(folder) as fd:
                if os.fstat(fd).st_dev != self.device:
                    raise Untrusted(f"{folder.path} is on another disk than the project")
                self._watch_open_folder(folder, fd)
        except (FileNotFoundError, NotADirectoryError):
            return  # the folder above says that it is not there; nobody asks for it
        except PermissionError:
            return  # what it holds is not known: whoever asks looks, and meets the same
        except OSError as error:
            if error.errno == errno.ELOOP:
                return
            raise Untrusted(f"{folder.path or 'the project folder'} cannot be watched: {error.strerror}") from error

    def _watch_open_folder(self, folder: WatchedFolder, fd: int) -> None:
        watch = self.notify.add(fd, inotify.OF_FOLDERS)
        if not self._own(watch, folder, -1):
            raise StartOver("a folder has two paths")  # it was moved just now, or is mounted twice
        folder.watch = watch
        with os.scandir(fd) as listing:
            folder.compare_names({item.name: item.is_dir(follow_symlinks=False) for item in listing})
        folder.touched = set(range(len(folder.cached.names)))
        self.heard[folder] = None

    def _compare_heard(self, folder: WatchedFolder, until: float) -> bool:
        """Compare what was heard of in a folder; whether all was."""
        if not folder.is_known:
            return True  # it is not there, or may not be looked at
        try:
            with self._opened(folder) as fd:
                while folder.asked:
                    self._compare_name(folder, folder.asked.pop(), fd)
                numbers = folder.touched
                self._unwatch_all([folder.watches[number] for number in numbers])  # of all, before any is watched anew
                for number in list(numbers):
                    self._compare(folder, number, fd)
                    numbers.discard(number)
                    if time.monotonic() > until:
                        return False
        except OSError:
            folder.is_known = False  # it went just now; events are on their way
        return True

    def _compare_name(self, folder: WatchedFolder, name: str, fd: int) -> None:
        if not folder.path and name == ".aura":
            return
        try:
            here: bool | None = stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            here = None
        if here is folder.expected(name):
            folder.wrong.discard(name)
        else:
            folder.wrong.add(name)

    def _compare(self, folder: WatchedFolder, number: int, fd: int) -> None:
        """Watch a file from before it is compared, if that can be."""
        self._unwatch(folder.watches[number])
        folder.watches[number] = 0
        folder.unwatched.pop(number, None)
        state = self._state(folder, number, fd)
        if state == folder.stamp(number):
            state = self._watch_file(folder, number, fd, is_link=stat.S_ISLNK(state[4]))
        self._note(folder, number, state)

    def _watch_file(self, folder: WatchedFolder, number: int, fd: int, *, is_link: bool) -> tuple[int, ...] | None:
        """Watch a regular file, or a link, and return its state since then."""
        file = -1
        try:
            if self.count >= self.room:
                folder.unwatched[number] = BEYOND
            elif is_link:  # what it leads to cannot be changed, only replaced
                self._own_file(self.notify.add_link(fd, folder.cached.names[number]), folder, number)
            else:
                file = self._open(folder, number, fd)
                if file >= 0 and self._own_file(self.notify.add(file, inotify.OF_FILES), folder, number):
                    self._ask_for_writers(folder, number, file)
        except OSError as error:
            if is_full(error):
                self._make_room()
            folder.unwatched[number] = BEYOND
        try:
            return _state(os.fstat(file)) if file >= 0 else self._state(folder, number, fd)
        finally:
            if file >= 0:
                os.close(file)

    def _open(self, folder: WatchedFolder, number: int, fd: int) -> int:
        try:
            return open_quietly(folder.cached.names[number], fd)
        except OSError:
            folder.unwatched[number] = DENIED
            return -1

    def _own_file(self, watch: int, folder: WatchedFolder, number: int) -> bool:
        if self._own(watch, folder, number):
            folder.watches[number] = watch
            return True
        self._share(watch, folder, number)
        return False

    def _ask_for_writers(self, folder: WatchedFolder, number: int, file: int) -> None:
        found = has_writer(file)
        if found is not False:
            self._unwatch(folder.watches[number])
            folder.watches[number] = 0
            folder.unwatched[number] = HELD if found else DENIED

    def _share(self, watch: int, folder: WatchedFolder, number: int) -> None:
        """Look each time at a file with two names in the project, under either."""
        folder.unwatched[number] = SHARED
        other, its = self._of[watch], self._number[watch]
        if other is not None and its >= 0:
            other.unwatched[its] = SHARED
            other.watches[its] = 0
            self._unwatch(watch)

    def _make_room(self) -> None:
        """Leave a tenth of the watches to other programs, which get none either."""
        self.room = self.count * 9 // 10
        for folder in self.folders.values():
            for number, watch in enumerate(folder.watches):
                if self.count <= self.room:
                    return
                if watch:
                    self._unwatch(watch)
                    folder.watches[number] = 0
                    folder.unwatched[number] = BEYOND

    def _state(self, folder: WatchedFolder, number: int, fd: int) -> tuple[int, ...] | None:
        try:
            return _state(os.stat(folder.cached.names[number], dir_fd=fd, follow_symlinks=False))
        except OSError:
            return None

    def _note(self, folder: WatchedFolder, number: int, state: tuple[int, ...] | None) -> None:
        if state == folder.stamp(number):
            folder.differing.discard(number)
        else:
            folder.differing.add(number)


def _state(found: os.stat_result) -> tuple[int, int, int, int, int]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode
