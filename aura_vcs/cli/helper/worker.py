"""What a copy of the helper does: become the caller's process, run the command, say how it ended."""

import atexit
import io
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn, TextIO

from click import termui

from aura_vcs.cli.helper.conditions import Conditions
from aura_vcs.cli.helper_protocol import (
    ANSWER,
    EXITED,
    GO,
    PAGE,
    PAGED,
    READY,
    REFUSED,
    TYPE,
    pack_answer,
    unpack_answer,
)
from aura_vcs.cli.output import pager

GO_SECONDS = 2.0
"""A caller that has not said `GO` by then is told to start the command by itself."""
STOPPED = 130
"""The exit code after Ctrl-C."""


class Request:
    """What a caller wants run, and as whom: arguments, environment, files, and what it is that a copy can become."""

    def __init__(
        self, arguments: Sequence[bytes], environment: Sequence[bytes], files: Sequence[int], caller: Conditions
    ) -> None:
        self.arguments = [os.fsdecode(one) for one in arguments]
        self.environment = environment
        self.files = files
        self.caller = caller


def become_the_caller(request: Request, sock: socket.socket, run: Callable[[], object]) -> NoReturn:
    """Run the command in this process, which is a copy of the helper; never returns.

    Nothing is done before the caller has said `GO`. However it ends, the caller learns the exit code; of a signal
    that ends it, or where it ends without a word, the helper tells. What fails before the command begins is no end of
    it: the caller starts by itself.
    """
    code, begun = 1, False
    try:
        signal.signal(signal.SIGINT, _stop_at_once)
        os.setpgid(0, 0)
        sock.settimeout(GO_SECONDS)
        sock.sendall(pack_answer(READY, os.getpid()))
        if sock.recv(1) != GO:
            raise ConnectionAbortedError("the caller has gone")
        sock.settimeout(None)
        _take_over(request)
        pager.start = partial(_start_pager, sock)
        termui.visible_prompt_func = partial(_ask, sock, termui.visible_prompt_func)
        termui.hidden_prompt_func = partial(_ask, sock, termui.hidden_prompt_func)
        begun = True
        code = _exit_code(run)
        _finish()
    except BaseException:  # nobody is there to hear of it; the caller sees the exit code
        code = code or 1
    finally:
        _tell(sock, pack_answer(EXITED, code & 0xFF) if begun else pack_answer(REFUSED))
        os._exit(code)


def _stop_at_once(*_: object) -> NoReturn:
    os._exit(STOPPED)


def _start_pager(sock: socket.socket, command: Sequence[str], reading: int) -> pager.Waiting:
    """Have the caller start the pager, which is then a child of the process that the person's shell has started.

    Raises:
        OSError: it cannot be started.
    """
    words = b"\0".join([*map(os.fsencode, command), os.fsencode(os.environ.get("LESS", ""))])
    socket.send_fds(sock, [pack_answer(PAGE, len(words)) + words], [reading])
    heard = b""

    def hear(size: int) -> bytes:
        nonlocal heard  # Ctrl-C between two parts of an answer loses none of it
        while len(heard) < size and (more := sock.recv(size - len(heard))):
            heard += more
        return heard

    kind, number = unpack_answer(hear(ANSWER))
    if kind == PAGED:
        raise OSError(number, os.strerror(number), command[0])

    def wait() -> None:
        while True:
            try:
                hear(2 * ANSWER)
            except KeyboardInterrupt:
                continue
            return

    return wait


def _ask(sock: socket.socket, read: Callable[[str], str], text: str = "") -> str:
    """Read an answer from the terminal when its keys are for the caller, which stops until they are.

    Raises:
        EOFError: the caller cannot get them.
    """
    sock.sendall(pack_answer(TYPE, 1))
    heard = b""
    while len(heard) < ANSWER and (more := sock.recv(ANSWER - len(heard))):
        heard += more
    if heard != pack_answer(TYPE, 1):
        raise EOFError
    try:
        return read(text)
    finally:
        sock.sendall(pack_answer(TYPE, 0))


def _take_over(request: Request) -> None:
    for fd, given in enumerate(request.files[:3]):
        os.dup2(given, fd)
    os.fchdir(request.files[3])
    for given in request.files:
        os.close(given)
    os.umask(request.caller.umask)
    os.environb.clear()
    os.environb.update(entry.partition(b"=")[::2] for entry in request.environment)
    time.tzset()
    sys.argv[:] = request.arguments
    sys.stdin, sys.stdout, sys.stderr = (_stream(fd) for fd in range(3))
    for name, stream in (("__stdin__", sys.stdin), ("__stdout__", sys.stdout), ("__stderr__", sys.stderr)):
        setattr(sys, name, stream)
    ours = Conditions("self").ignored
    for number in request.caller.ignored - ours:
        signal.signal(number, signal.SIG_IGN)
    for number in ours - request.caller.ignored:
        signal.signal(number, signal.SIG_DFL)


def _stream(fd: int) -> TextIO:
    """Make a standard stream as Python makes it at its start; the old one says how text is encoded."""
    before: io.TextIOWrapper = (sys.stdin, sys.stdout, sys.stderr)[fd]  # type: ignore[assignment]
    at_once = before.write_through
    raw = open(fd, "rb" if fd == 0 else "wb", buffering=0 if at_once and fd else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        raw,
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=fd == 2 or os.isatty(fd),
        write_through=at_once,
    )


def _exit_code(run: Callable[[], object]) -> int:
    try:
        run()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _finish() -> None:
    """Do what Python does at its end, but for taking itself apart."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the end of a process does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _tell(sock: socket.socket, answer: bytes) -> None:
    try:
        sock.sendall(answer)
    except OSError:
        return  # the caller was killed
