"""The side of the process that a person starts: hand the command to the helper, and wait.

Imports next to nothing, and gives way at any doubt: the caller then starts as if there were no helper. A command is
run by the copy only after this process has said `GO`; one that gave up waiting has not, so nothing is ever done twice.
"""

import _signal  # type: ignore[import-not-found]  # `signal` and `socket` themselves import enums, for some milliseconds
import _socket
import os
import sys
import time

from aura_vcs.cli.helper_protocol import (
    ANSWER,
    EXITED,
    GO,
    KILLED,
    PAGE,
    PAGED,
    READY,
    REFUSED,
    RUN,
    TYPE,
    is_in_background,
    pack_answer,
    pack_request,
    unpack_answer,
)

WAIT_SECONDS = 0.5
"""How long the helper may take until a copy of it is there; then the command starts by itself."""
_CREDENTIALS = 12
_STOPPED = 128
_TRIES = 3
_AT_ONCE = 0.05
"""Seconds: who comes back sooner was not stopped."""


def hand_over(path: str, mine: bytes) -> int | None:
    """Let the helper behind the socket run this process's command; None where it is to be started here.

    Raises:
        ConnectionError: nobody listens any more.
    """
    sock = connect(path)
    if sock is None:
        raise ConnectionError(path)
    try:
        return _run_there(sock, mine)
    finally:
        sock.close()


def connect(path: str) -> _socket.socket | None:
    """Connect with the helper behind the socket; None where there is none, or another user listens."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        sock.settimeout(WAIT_SECONDS)
        sock.connect(path)
        seen = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)
    except OSError:
        sock.close()
        return None
    if int.from_bytes(seen[4:8], sys.byteorder) != os.geteuid():
        sock.close()
        return None
    return sock


def peer_process(sock: _socket.socket) -> int:
    """Return the process id of the helper behind the connection."""
    return int.from_bytes(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _CREDENTIALS)[:4], sys.byteorder)


def send_request(sock: _socket.socket, request: bytes, files: list[int]) -> None:
    """Send all of it, the descriptors with its first bytes."""
    numbers = b"".join(fd.to_bytes(4, sys.byteorder) for fd in files)
    with_files = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)] if files else []
    sent = sock.sendmsg([request], with_files)
    if sent < len(request):
        sock.sendall(request[sent:])


def receive(sock: _socket.socket, size: int) -> bytes:
    """Receive so many bytes; fewer where the other side has gone."""
    data = b""
    while len(data) < size and (more := sock.recv(size - len(data))):
        data += more
    return data


def _run_there(sock: _socket.socket, mine: bytes) -> int | None:
    """Return the command's exit code; None if it did not begin there."""
    try:
        folder = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    passing = Passing()
    begun = False
    try:
        environment = [name + b"=" + value for name, value in os.environb.items()]
        request = pack_request(RUN, mine, [os.fsencode(one) for one in sys.argv], environment)
        send_request(sock, request, [0, 1, 2, folder])
        answer = receive(sock, ANSWER)
        kind, pid = unpack_answer(answer)
        if len(answer) < ANSWER or kind != READY:
            return None
        sock.settimeout(None)
        passing.begin(pid)
        sock.sendall(GO)
        code = _wait(sock, passing)
        begun = code is not None
    except OSError:
        return None  # nothing was begun: that takes the last of it
    finally:
        os.close(folder)
        if not begun:
            passing.end()
    return code


def _wait(sock: _socket.socket, passing: "Passing") -> int | None:
    """Wait for the end of the command, and end as it ended; start the pager that it wants. None: it did not begin."""
    while True:
        try:
            answer, files = _receive_answer(sock)
            kind, number = unpack_answer(answer) if len(answer) == ANSWER else (KILLED, int(_signal.SIGKILL))
            if kind == TYPE:
                passing.is_asking = number == 1
                if passing.is_asking:
                    sock.sendall(pack_answer(TYPE, int(wait_for_keys())))
                continue
            if kind != PAGE:
                break
            _page(receive(sock, number).split(b"\0"), files[0], sock)
        except OSError:  # the copy was killed
            kind, number = KILLED, int(_signal.SIGKILL)
            break
    if kind == REFUSED:
        return None
    if kind == EXITED:
        return number
    if number != _signal.SIGKILL:
        _signal.signal(number, _signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return _STOPPED + number


def _receive_answer(sock: _socket.socket) -> tuple[bytes, list[int]]:
    """Receive an answer, and the descriptors that come with it."""
    data, extra, _, _ = sock.recvmsg(ANSWER, _socket.CMSG_SPACE(4))
    files = [int.from_bytes(numbers[:4], sys.byteorder) for _, kind, numbers in extra if kind == _socket.SCM_RIGHTS]
    return (data + receive(sock, ANSWER - len(data)) if data else data), files


def _page(words: list[bytes], reading: int, sock: _socket.socket) -> None:
    """Run the pager, whose words are followed by what LESS is: say that it has started, or why not, and its end."""
    *command, less = words
    environment = {**os.environb, b"LESS": less}
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0)]
    signals = [_signal.SIGPIPE, _signal.SIGXFSZ]
    try:
        pid = os.posix_spawn(command[0], command, environment, file_actions=actions, setsigdef=signals)
    except OSError as error:
        sock.sendall(pack_answer(PAGED, error.errno or 1))
        return
    finally:
        os.close(reading)
    sock.sendall(pack_answer(PAGE))
    os.waitpid(pid, 0)
    sock.sendall(pack_answer(PAGED))


def wait_for_keys() -> bool:
    """Stop until the terminal's keys are for this process, as one stops that reads them in the background.

    False where it cannot be stopped: nobody could go on with it, or it was told to ignore that.
    """
    tries = 0
    while is_in_background() and tries < _TRIES:
        before = time.monotonic()
        os.kill(os.getpid(), _signal.SIGTTIN)
        tries = 0 if time.monotonic() - before > _AT_ONCE else tries + 1
    return tries < _TRIES


class Passing:
    """Sends the copy, and all it has started, the signals that a terminal or another process sends to this one."""

    def __init__(self) -> None:
        self.before: dict[int, object] = {}
        """What was done at each signal until now."""
        self.passed: list[int] = []
        self.is_asking = False
        """Whether the copy reads from the terminal."""

    def begin(self, pid: int) -> None:
        """Pass on from now on."""

        def pass_on(number: int, _: object) -> None:
            self.passed.append(number)
            _send(pid, number)

        def stop(_: int, __: object) -> None:
            _send(pid, _signal.SIGSTOP)  # outside this session, what a terminal sends would stop nobody
            os.kill(os.getpid(), _signal.SIGSTOP)
            if self.is_asking:
                wait_for_keys()
            _send(pid, _signal.SIGCONT)

        for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGWINCH, _signal.SIGUSR1, _signal.SIGUSR2):
            self._take(number, pass_on)
        self._take(_signal.SIGTSTP, stop)

    def end(self) -> None:
        """Do with signals what was done before, with those first that went to a copy that had not begun."""
        for number, handler in self.before.items():
            _signal.signal(number, handler)
        for number in self.passed:
            os.kill(os.getpid(), number)

    def _take(self, number: int, handler: object) -> None:
        before = _signal.getsignal(number)
        if before != _signal.SIG_IGN:
            self.before[number] = before
            _signal.signal(number, handler)


def _send(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except OSError:
        return  # it has ended; its answer is on the way
