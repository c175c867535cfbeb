"""The loop of the helper: wait for callers, compare them with itself, fork a copy for each.

It has one thread, no open project and no lock of one; a copy is a process of its own from its first moment. The
helper ends when nobody has asked for half an hour, when its socket has gone, when the program on disk is no longer the
one it has imported, or when it is told to.
"""

import array
import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from aura_vcs.cli.helper.conditions import Conditions
from aura_vcs.cli.helper.worker import Request, become_the_caller
from aura_vcs.cli.helper_protocol import (
    ABOUT,
    ASK,
    EXITED,
    FILES,
    KILLED,
    LENGTH,
    MOST_BYTES,
    REFUSED,
    STOP,
    identity,
    is_safe_folder,
    pack_answer,
    socket_path,
    unpack_request,
)

IDLE_SECONDS = 1800
LOOK_SECONDS = 60
"""So often the helper looks whether its socket is still there."""
REQUEST_SECONDS = 0.25
MOST_REFUSED = 5
BACKLOG = 16
_CREDENTIALS = 12


class ProgramFiles:
    """The files that this process has imported, as they were then."""

    def __init__(self) -> None:
        found = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        own = [path for path in found if path and f"{os.sep}aura_vcs{os.sep}" in path]
        folders = {os.path.dirname(os.path.dirname(path)) for path in found if path and "site-packages" in path}
        self.paths = [*own, *folders, sys.executable]
        self.seen = self._look()

    def are_the_same(self) -> bool:
        """Tell whether nothing was installed, edited or removed since."""
        return self._look() == self.seen

    def _look(self) -> list[tuple[int, int, int]] | None:
        try:
            return [(found.st_ino, found.st_mtime_ns, found.st_size) for found in map(os.stat, self.paths)]
        except OSError:
            return None


class Server:
    """A helper that listens; `run` is what a copy runs, with `sys.argv` and everything else as the caller has it."""

    def __init__(self, listening: socket.socket, path: str, run: Callable[[], object]) -> None:
        self.listening, self.path, self.run = listening, path, run
        self.identity, self.program = identity(), ProgramFiles()
        self.inode = os.lstat(path).st_ino
        self.served = 0
        self.refused = 0
        """Callers in a row that this process is not like."""
        self.copies: dict[int, socket.socket] = {}
        """Copies at work, by process id, and the connections of their callers."""
        self.abandoned: set[int] = set()
        """Copies whose caller was killed."""
        self.last = time.monotonic()
        self.woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Serve until there is a reason to end; copies at work go on to their end."""
        going = True
        while going or self.copies:
            poll = select.poll()
            poll.register(self.woken, select.POLLIN)
            if going:
                poll.register(self.listening, select.POLLIN)
            for pid, sock in self.copies.items():
                if pid not in self.abandoned:
                    poll.register(sock, select.POLLRDHUP)  # what a caller says is the copy's to read
            ready = {fd for fd, _ in poll.poll(LOOK_SECONDS * 1000)}
            with suppress(BlockingIOError):
                os.read(self.woken, 4096)
            self._end_abandoned(ready)
            self._reap()
            if going and not (self._goes_on() and (self.listening.fileno() not in ready or self._answer())):
                going = False
                self._close()

    def _goes_on(self) -> bool:
        if time.monotonic() - self.last > IDLE_SECONDS:
            return False
        try:
            return os.lstat(self.path).st_ino == self.inode
        except OSError:
            return False

    def _answer(self) -> bool:
        """Answer one caller; whether to go on. A caller without an answer starts by itself."""
        files: list[int] = []
        sock = None
        try:
            sock = self.listening.accept()[0]
            sock.settimeout(REQUEST_SECONDS)
            request = _receive_request(sock, files)
            return _peer(sock)[1] != os.geteuid() or self._do(request, files, sock)
        except (OSError, KeyError, ValueError):
            return True
        finally:
            for fd in files:
                os.close(fd)
            if sock is not None and sock not in self.copies.values():
                sock.close()

    def _do(self, request: bytes, files: list[int], sock: socket.socket) -> bool:
        """Do what is asked, or refuse; whether to go on.

        Raises:
            OSError, KeyError, ValueError: the caller has gone, or asks for nothing that there is.
        """
        kind, theirs, arguments, environment = unpack_request(request)
        if kind in {STOP, ASK}:
            sock.sendall(pack_answer(ABOUT, self.served))
            return kind != STOP
        if not self.program.are_the_same():
            return False
        caller = Conditions(_peer(sock)[0])
        if theirs != self.identity or len(files) != FILES or not Conditions("self").allows(caller):
            sock.sendall(pack_answer(REFUSED))
            self.refused += 1
            return self.refused < MOST_REFUSED  # another one, started by such a caller, may suit it
        self.refused = 0
        self._fork(Request(arguments, environment, files, caller), sock)
        return True

    def _fork(self, request: Request, sock: socket.socket) -> None:
        pid = os.fork()
        if pid:
            self.served += 1
            self.last = time.monotonic()
            self.copies[pid] = sock
            return
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in (self.listening, *self.copies.values()):
            other.close()
        os.close(self.woken)
        os.close(self._wake)
        become_the_caller(request, sock, self.run)

    def _end_abandoned(self, ready: set[int]) -> None:
        """Stop copies whose caller was killed, as Ctrl-C stops them: in order."""
        for pid, sock in self.copies.items():
            if sock.fileno() in ready and pid not in self.abandoned:
                self.abandoned.add(pid)
                with suppress(OSError):
                    os.killpg(pid, signal.SIGTERM)

    def _reap(self) -> None:
        for pid in list(self.copies):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            sock = self.copies.pop(pid)
            self.abandoned.discard(pid)
            if os.WIFSIGNALED(status):
                answer = pack_answer(KILLED, os.WTERMSIG(status))
            else:
                answer = pack_answer(EXITED, os.WEXITSTATUS(status))  # the second word of one that said so itself
            with suppress(OSError):
                sock.sendall(answer)
            sock.close()

    def _close(self) -> None:
        with suppress(OSError):
            if os.lstat(self.path).st_ino == self.inode:
                os.unlink(self.path)
        self.listening.close()


def serve(run: Callable[[], object], load: Callable[[], None]) -> None:
    """Load what commands need, then listen; return at once where another helper of this program does."""
    path = socket_path(identity())
    with suppress(FileExistsError):
        os.mkdir(os.path.dirname(path), 0o700)
    if not is_safe_folder(path):
        return
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return
    os.chdir("/")  # no disk is kept from being ejected
    load()
    if len(os.listdir("/proc/self/task")) > 1:
        return  # a process with threads is not copied: one of them may hold a lock just then
    gc.collect()
    gc.freeze()
    with suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen(BACKLOG)
        Server(listening, path, run).serve()
    os.close(lock)


def _receive_request(sock: socket.socket, files: list[int]) -> bytes:
    """Receive a whole request; its descriptors are appended to `files`, for the caller to close."""
    data = b""
    while len(data) < LENGTH or len(data) < LENGTH + int.from_bytes(data[:LENGTH], "big"):
        more, extra, _, _ = sock.recvmsg(1 << 16, socket.CMSG_SPACE(FILES * 4))
        for level, kind, numbers in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.extend(array.array("i", numbers[: len(numbers) // 4 * 4]))
        if not more or len(data) > MOST_BYTES:
            raise ValueError("no whole request")
        data += more
    return data[LENGTH:]


def _peer(sock: socket.socket) -> tuple[int, int]:
    """Return process and user of the caller, as the system tells them."""
    seen = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
    return int.from_bytes(seen[:4], sys.byteorder), int.from_bytes(seen[4:8], sys.byteorder)
