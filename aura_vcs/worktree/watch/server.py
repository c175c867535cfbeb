"""The process of the watcher: hears what happens to the files of one project, and answers who asks.

It ends when the project or its socket has gone, when the program has ended for which it was started, when nobody has
asked for a day, when the program on disk is another one, or when it is told to. Whatever it does not know is no answer:
the caller looks at every file.
"""

import fcntl
import os
import select
import socket
import struct
import sys
import time
from array import array
from collections.abc import Callable
from contextlib import suppress

import msgspec

from aura_vcs.errors.integrity import LinkedPath
from aura_vcs.layout import AURA, CONFLICTS, WATCHER_LOCK
from aura_vcs.storage.own_folders import OwnFolders
from aura_vcs.worktree.scan.cache import NOT_COMPARED, ScanCache
from aura_vcs.worktree.scan.cache_file import load_scan_cache
from aura_vcs.worktree.scan.watched import (
    ABOUT,
    ANSWER,
    ASK,
    BUSY,
    QUESTION,
    REFUSED,
    SOCKET,
    STAY,
    STOP,
    SURE,
    TOLD,
    cache_stamp,
    mount_number,
    namespace,
    open_local,
    program,
)
from aura_vcs.worktree.watch import inotify
from aura_vcs.worktree.watch.about import WatcherState
from aura_vcs.worktree.watch.disks import Untrusted, why_not
from aura_vcs.worktree.watch.folders import BEYOND, DENIED, HELD, SHARED
from aura_vcs.worktree.watch.inotify import Inotify, StartOver
from aura_vcs.worktree.watch.watched import WatchedFiles

IDLE_SECONDS = 86400
LOOK_SECONDS = 60
QUIET_SECONDS = 0.2
"""Files of which something was heard are compared when nothing was heard for so long, or when somebody asks."""
SLICE_SECONDS = 0.05
ANSWER_SECONDS = 0.3
"""How long what waits may be compared while somebody waits for an answer."""
REQUEST_SECONDS = 0.25
MOST_EXCEPTIONS = 5000
"""Of more files, a caller looks at all sooner."""
VERIFIED_EVERY = 50
VERIFIED_SECONDS = 86400
"""Every so many answers, and once a day, the caller looks at every file to verify what it was told."""
MOST_RESTARTS = 5
"""Within LOOK_SECONDS."""
LONGEST_REST = 3600
"""After so many seconds at the most it tries again what failed; after LOOK_SECONDS the first time, then twice that."""
JUMP_SECONDS = 1.0
_CREDENTIALS = 12
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_TREE = bytes(32)
_NO_DIGEST = bytes(16)


class Clocks:
    """Tells whether the system slept, or its date was set."""

    def __init__(self) -> None:
        self._seen = self._now()

    def have_jumped(self) -> bool:
        """Tell whether they did since the last call."""
        before, self._seen = self._seen, self._now()
        return any(abs(now - then) > JUMP_SECONDS for now, then in zip(self._seen, before, strict=True))

    def _now(self) -> tuple[float, float]:
        going = time.monotonic()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - going, time.time() - going


class Watcher:
    """The watcher of the project in `path`, listening on `listening`; `is_current` says whether the program is."""

    def __init__(self, path: str, local: int, listening: socket.socket, is_current: Callable[[], bool]) -> None:
        self.root = os.open(path, _FOLDER)
        self.local = local
        """The folder of the project for what belongs to this machine, open."""
        self.listening, self.is_current = listening, is_current
        self.inode = os.stat(SOCKET, dir_fd=self.local, follow_symlinks=False).st_ino
        self.started = time.time()
        self.answers = self.since_verified = self.restarts = 0
        self.verified = self.asked = time.monotonic()
        self.mounts = open("/proc/self/mountinfo", "rb", buffering=0)  # noqa: SIM115 (open for as long as it runs)
        self.mount_poll = select.poll()
        self.mount_poll.register(self.mounts, select.POLLPRI)
        self.clocks = Clocks()
        self.recent: list[float] = []
        self.cache_events = Inotify()
        self.cache_events.add(local, inotify.MODIFY | inotify.MOVED_TO | inotify.DELETE | inotify.DELETE_SELF)
        self.starter = -1
        """Readable once the program has ended for which this was started."""
        self.heard = 0.0
        self.reason = ""
        """Why it cannot be believed now; "" where it can."""
        self.failed = 0.0
        """When it gave up, and is to try again after `rest` seconds; 0 where it did not."""
        self.rest = LOOK_SECONDS
        self.stamp = (0, 0, 0)
        self.files = WatchedFiles(self.root, ScanCache(b"", {}))
        self._load()

    def end_with(self, pid: int) -> None:
        """End when the process with this id has."""
        try:
            self.starter = os.pidfd_open(pid)
        except OSError:  # it has ended already, or the system cannot tell
            self.asked = -2.0 * IDLE_SECONDS

    def serve(self) -> None:
        """Serve until there is a reason to end."""
        while self._goes_on():
            poll = select.poll()
            for fd in (self.listening.fileno(), self.files.notify.fd, self.cache_events.fd, self.starter):
                if fd >= 0:
                    poll.register(fd, select.POLLIN)
            ready = {fd for fd, _ in poll.poll(self._pause() * 1000)}
            if self.starter in ready or (self.listening.fileno() in ready and not self._answer()):
                return
            if self.cache_events.fd in ready:
                list(self.cache_events.read())
            self._keep_up(has_heard=self.files.notify.fd in ready)

    def close(self) -> None:
        """Take the socket away, if it is still its own."""
        with suppress(OSError):
            if os.stat(SOCKET, dir_fd=self.local, follow_symlinks=False).st_ino == self.inode:
                os.unlink(SOCKET, dir_fd=self.local)

    def _goes_on(self) -> bool:
        if time.monotonic() - self.asked > IDLE_SECONDS:
            return False
        try:
            found = os.stat(SOCKET, dir_fd=self.local, follow_symlinks=False)
        except OSError:
            return False
        return found.st_ino == self.inode

    def _pause(self) -> float:
        """Return how long to wait for something to happen."""
        if self.reason or not (self.files.fresh or self.files.heard):
            return LOOK_SECONDS
        return max(0.0, self.heard + QUIET_SECONDS - time.monotonic())

    def _keep_up(self, *, has_heard: bool) -> None:
        """Hear what happened, and compare what waits, a little at a time."""
        if has_heard:
            self.heard = time.monotonic()
        if self._catch_up() and time.monotonic() - self.heard >= QUIET_SECONDS:
            self._try(lambda: self.files.work(SLICE_SECONDS))

    def _catch_up(self) -> bool:
        """Bring what is known to this moment, but for comparing files; whether it can be believed then."""
        jumped, mounted = self.clocks.have_jumped(), self._mounts_changed()
        has_rested = self.failed > 0 and time.monotonic() - self.failed > self.rest
        if jumped or has_rested or (mounted and self.reason):
            self._begin_anew()
        if has_rested:
            self.rest = min(2 * self.rest, LONGEST_REST)
        if mounted or has_rested or not self.reason:
            self.reason, self.failed = why_not(self.root, self._path()), 0.0
        if self.reason:
            return False
        if cache_stamp(self.local) != self.stamp:
            self._try(self._load)
        return self._try(self.files.listen)

    def _mounts_changed(self) -> bool:
        return bool(self.mount_poll.poll(0))

    def _path(self) -> str:
        return os.readlink(f"/proc/self/fd/{self.root}")

    def _try(self, work: Callable[[], object]) -> bool:
        """Do something with what is known; False where nothing is known any more."""
        try:
            work()
            if self._mounts_changed():  # what was looked at just now may have been something else
                raise StartOver("something was mounted meanwhile")
        except StartOver:
            self._begin_anew()
            return False
        except (Untrusted, LinkedPath, OSError) as error:
            self._give_up(str(error))
            return False
        return True

    def _begin_anew(self) -> None:
        self.restarts += 1
        self.recent = [then for then in self.recent if time.monotonic() - then < LOOK_SECONDS] + [time.monotonic()]
        if len(self.recent) > MOST_RESTARTS:
            self._give_up("it had to start over too often")
        self.files.close()
        self.files = WatchedFiles(self.root, self.files.cache)
        self.heard = time.monotonic()

    def _give_up(self, reason: str) -> None:
        """Answer nobody until some time has passed; then everything is looked at anew."""
        self.reason, self.failed = reason, time.monotonic()

    def _load(self) -> None:
        """Take over the scan cache as it is on disk."""
        self.stamp = cache_stamp(self.local)
        folders = OwnFolders(f"/proc/self/fd/{self.root}/{AURA}", follow_root=False)
        try:
            cache = load_scan_cache(folders)
        finally:
            folders.close()
        if cache.digest != self.files.cache.digest:
            self.files.adopt(cache)

    # Answers.

    def _answer(self) -> bool:
        """Answer one caller; whether to go on."""
        try:
            sock = self.listening.accept()[0]
        except OSError:
            return True
        with sock:
            try:
                sock.settimeout(REQUEST_SECONDS)
                seen = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
                if int.from_bytes(seen[4:8], sys.byteorder) != os.geteuid():
                    return True
                data = b""
                while len(data) < QUESTION.size and (more := sock.recv(QUESTION.size - len(data))):
                    data += more
                question = QUESTION.unpack(data)
                kind = question[0]
                sock.sendall(self._do(kind, question))
            except (OSError, msgspec.MsgspecError, ValueError, struct.error):
                return True
        return bool(kind != STOP)

    def _do(self, kind: bytes, question: tuple[bytes, bytes, int, int, int, int, int, int, int]) -> bytes:
        if kind == ASK:
            return self._differing(*question[1:])
        if kind == STAY:
            self.starter = -1
        about = msgspec.json.encode(self._about()) if kind == ABOUT else b""
        return ANSWER.pack(TOLD, False, False, len(about), _NO_DIGEST, _NO_DIGEST, _NO_TREE, 0) + about

    def _differing(self, theirs: bytes, *seen: int) -> bytes:
        """Say which files are not as the cache has them, or that it is not known."""
        self.asked = time.monotonic()
        here = os.fstat(self.root)
        mine = here.st_dev, here.st_ino, mount_number(self.root), namespace()
        if theirs != program() or not self.is_current():
            with suppress(OSError):
                os.unlink(SOCKET, dir_fd=self.local)  # its time is over
            return _nothing(REFUSED)
        is_alike = seen[:4] == mine and self._catch_up() and self.stamp == seen[4:]
        if not is_alike or not self._try(lambda: self.files.work(ANSWER_SECONDS)):
            return _nothing(REFUSED)
        if self.files.waiting() > MOST_EXCEPTIONS or not self.files.cache.digest:
            return _nothing(BUSY)
        return self._sure(self.files.cache) if self._try(self.files.look) else _nothing(REFUSED)

    def _sure(self, cache: ScanCache) -> bytes:
        told = array("I")
        for folder, numbers in self.files.exceptions():
            told.extend((folder, NOT_COMPARED) if numbers is None else (folder, len(numbers), *numbers))
            if len(told) > MOST_EXCEPTIONS:
                return _nothing(BUSY)
        self.answers += 1
        self.rest = LOOK_SECONDS
        self.since_verified += 1
        now = time.monotonic()
        verify = self.since_verified >= VERIFIED_EVERY or now - self.verified > VERIFIED_SECONDS
        if verify:
            self.since_verified, self.verified = 0, now
        root = cache.folders.get("")
        is_whole = not told and all(folder.tree and not folder.held for folder in cache.folders.values())
        tree = root.tree if is_whole and root is not None else _NO_TREE
        has_conflicts = root is not None and CONFLICTS in root.names
        count = sum(len(folder.names) for folder in cache.folders.values())
        named = told.tobytes()
        head = SURE, verify, has_conflicts, len(named), cache.digest, cache.fingerprint, tree, count
        return ANSWER.pack(*head) + named

    def _about(self) -> WatcherState:
        believed = self._catch_up()
        unwatched = {HELD: 0, DENIED: 0, BEYOND: 0, SHARED: 0}
        files = 0
        for folder in self.files.folders.values():
            files += len(folder.cached.names)
            for why in folder.unwatched.values():
                unwatched[why] += 1
        return WatcherState(
            pid=os.getpid(),
            started=self.started,
            believed=believed,
            reason=self.reason,
            files=files,
            waiting=self.files.waiting(),
            watches=self.files.count,
            room=self.files.room,
            open_for_writing=unwatched[HELD],
            unreadable=unwatched[DENIED],
            beyond_the_limit=unwatched[BEYOND],
            two_names=unwatched[SHARED],
            answers=self.answers,
            restarts=self.restarts,
        )


def _nothing(what: int) -> bytes:
    return ANSWER.pack(what, False, False, 0, _NO_DIGEST, _NO_DIGEST, _NO_TREE, 0)


def serve(root: str, is_current: Callable[[], bool], *, only_for: int | None = None) -> None:
    """Watch a project until there is a reason to end; return at once where another watcher does.

    `only_for` is the process for which it is started: it ends with that.

    Raises:
        OSError, LinkedPath: the project, or its folder for what belongs to this machine, is not there.
    """
    local = open_local(root)
    lock = os.open(os.path.basename(WATCHER_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600,
                   dir_fd=local)  # fmt: skip
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    os.chdir("/")
    os.umask(0o077)
    with suppress(FileNotFoundError):
        os.unlink(SOCKET, dir_fd=local)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(f"/proc/self/fd/{local}/{SOCKET}")
        listening.listen(16)
        watcher = Watcher(root, local, listening, is_current)
        if only_for is not None:
            watcher.end_with(only_for)
        try:
            watcher.serve()
        finally:
            watcher.close()
