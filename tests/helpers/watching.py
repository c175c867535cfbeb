"""A watcher of a project, in a process of its own, and what it says held against a look at every file."""

import ctypes
import faulthandler
import mmap
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from aura_vcs.ids import blob_id
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.worktree.scan import prefetch
from aura_vcs.worktree.scan.cache import FileState, ScanCache, file_state
from aura_vcs.worktree.scan.cache_file import load_scan_cache
from aura_vcs.worktree.scan.watched import STOP, WatcherAnswer, ask_watcher, talk

SERVE = """
import sys
from aura_vcs.worktree.watch import server
server.VERIFIED_EVERY = 10**9
server.serve(sys.argv[1], lambda: True)
"""
SECONDS = 20.0


class Mapping:
    """A file that another process has mapped, to write to; its descriptor is closed."""

    def __init__(self, path: Path, size: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        libc.msync.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        fd = os.open(path, os.O_RDWR)
        place = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, 0)
        os.close(fd)
        assert place not in {None, ctypes.c_void_p(-1).value}
        theirs, self._ours = socket.socketpair()
        self._pid = os.fork()  # a file that is cut short ends who writes beyond its end
        if self._pid == 0:
            faulthandler.disable()
            self._ours.close()
            try:
                while word := theirs.recv(2):
                    ctypes.memset(place, word[0], 1)
                    if word[1]:
                        libc.msync(place, size, 4)
                    theirs.send(b".")
            finally:
                os._exit(0)
        theirs.close()
        libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
        libc.munmap(place, size)

    def write(self, byte: int, *, sync: bool = False) -> None:
        """Have a byte written at the beginning."""
        with suppress(OSError):
            self._ours.send(bytes([byte, sync]))
            self._ours.recv(1)

    def close(self) -> None:
        """End the mapping."""
        self._ours.close()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


class Watching:
    """A project whose watcher is started, stopped and killed; `root` is its folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.process: subprocess.Popen[bytes] | None = None
        self.answers = 0

    def start(self, *, wait: bool = True) -> None:
        """Start the watcher; with `wait`, until it answers."""
        self.process = subprocess.Popen([sys.executable, "-c", SERVE, str(self.root)], stdin=subprocess.DEVNULL)
        if wait:
            self.ask()

    def ask(self) -> WatcherAnswer:
        """Ask until there is an answer."""
        until = time.monotonic() + SECONDS
        while (answer := ask_watcher(str(self.root))) is None:
            assert time.monotonic() < until, "the watcher says nothing"
            time.sleep(0.02)
        return answer

    def kill(self) -> None:
        """End the watcher as a power failure would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop(self) -> None:
        """Tell the watcher to end, and wait for it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        talk(str(self.root), STOP)
        assert self.process.wait(SECONDS) == 0
        self.process = None

    def cache(self) -> ScanCache:
        """The scan cache as it is on disk."""
        folders = OwnFolders(str(self.root / ".aura"))
        try:
            return load_scan_cache(folders)
        finally:
            folders.close()

    def check(self, what: object = "", *, alone: bool = True) -> bool:
        """Compare what the watcher says with every file, if it says anything; whether it did.

        It may name more than what differs; what it does not name must be as the cache has it. Where others are at work
        just now (not `alone`), what they did since the answer must be in the next one.
        """
        answer = ask_watcher(str(self.root))
        cache = self.cache()
        if answer is None or answer.digest != cache.digest:
            return False
        self.answers += 1
        untold = self._untold(answer, cache)
        if untold and not alone:
            answer = self.ask()
            untold &= self._untold(answer, cache)
        assert not untold, f"{what}: {sorted(untold)} differ, and it said nothing"
        return True

    def _untold(self, answer: WatcherAnswer, cache: ScanCache) -> set[str]:
        """Look at every file, and return what differs and is not named; folders whose names differ end with a slash."""
        claims = answer.claims(cache)
        waiting, found = [""], set[str]()
        while waiting:
            path = waiting.pop()
            real = f"{self.root}/{path}" if path else str(self.root)
            if path in claims:
                differing = prefetch._differing(real, cache.folders[path], is_root=not path)
                folder = cache.folders[path]
                names = [folder.names[number] for number in set(differing or ()) - set(claims[path])]
                found |= {f"{path}/{name}" for name in names if not self._is_as_before(path, name, folder.files[name])}
                found |= {f"{path}/"} if differing is None else set()
            inside = cache.folders[path].folders
            below = (f"{path}/{name}" if path else name for name in inside)
            waiting += [each for each in below if each in cache.folders and _is_folder(self.root / each)]
        return found

    def _is_as_before(self, folder: str, name: str, before: FileState) -> bool:
        """Tell whether only the date of the last change of anything is another, and the content is the same."""
        path = self.root / folder / name
        try:
            found = file_state(path.lstat(), before.id)
        except OSError:
            return False
        if found._replace(ctime_ns=before.ctime_ns) != before:
            return False
        content = os.fsencode(os.readlink(path)) if found.is_symlink else path.read_bytes()
        return bytes.fromhex(blob_id(content)) == before.id

    def settles(self, is_so: Callable[[WatcherAnswer], bool]) -> bool:
        """Ask until the answer is like that; whether it ever was."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            answer = ask_watcher(str(self.root))
            if answer is not None and is_so(answer):
                return True
            time.sleep(0.02)
        return False


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def has_inotify() -> bool:
    """Tell whether tests of the watcher can run here."""
    return sys.platform == "linux" and os.path.exists("/proc/sys/fs/inotify/max_user_watches")
