"""What the person's process and the helper say to each other, over a socket that only the same user can open.

A request is `LENGTH` bytes of its size, then fields with NUL between them (no argument and no variable has one):
the identity of the caller's program, the number of arguments, the arguments, the environment. With its first byte
travel stdin, stdout, stderr and the current folder, as descriptors. An answer is a letter and a number.

Imports nothing that takes time: every command passes here.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH = 4
MOST_BYTES = 16 << 20
"""More than a system hands to a program as arguments and environment."""
FILES = 4
"""Descriptors with a request: stdin, stdout, stderr, the current folder."""
NUMBER = 8
ANSWER = 1 + NUMBER
READY, REFUSED, EXITED, KILLED, ABOUT, PAGE, PAGED, TYPE = b"R", b"N", b"E", b"S", b"A", b"P", b"D", b"T"
"""A copy is there, with its process id; nothing was begun, and the caller is to start by itself; the exit code; the
signal that ended it; how many commands were run; start a pager, with the size of the words that follow and what it
reads from, and said back: it has started; it has ended, or its start failed with this error number. Pagers belong to
the caller's session: there they get the terminal's keys and signals. `TYPE`: the person is asked something (1), or
has answered (0); what is typed is for the copy when the caller has said the same back with 1, and not with 0."""
GO = b"G"
RUN, STOP, ASK = b"run", b"stop", b"ask"
SERVED = frozenset({
    "status", "log", "history", "diff", "show", "commit", "save", "ls", "ops", "blame", "branch", "checkout", "init",
    "redo", "restore", "switch", "tag", "undo",
})  # fmt: skip
"""Commands that the helper runs: those of every minute. None talks to a remote but for content that is only there."""
SWITCH = "AURA_NO_HELPER"
"""Set to anything, this process neither asks a helper nor starts one."""
_SHELL_PIPES = (b"/dev/fd/", b"/proc/self/", b"/proc/thread-self/")
_MOST_PATH = 70
"""A socket's whole path has at most 107 bytes."""
_MOST_NAMES = 1_099_511_627_689
"""A prime below 2^40."""
_AT_START = ("PYTHON", "LC_", "LANG", "TZ", "MALLOC_", "GLIBC_")
"""How variables begin that Python or the C library reads when a process starts, and not again."""
_FLAGS = (
    "debug", "inspect", "interactive", "optimize", "dont_write_bytecode", "no_user_site", "no_site",
    "ignore_environment", "verbose", "bytes_warning", "isolated", "dev_mode", "utf8_mode",
)  # fmt: skip


def may_be_served(arguments: list[str]) -> bool:
    """Tell whether the command is one of those, and this process was started in an ordinary way."""
    environment = os.environ
    if sys.platform != "linux" or environment.get(SWITCH) or sys.warnoptions or set(sys._xoptions) - {"utf8"}:
        return False
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        return False
    if (sys.stdout.isatty() and not sys.stderr.isatty()) or is_in_background():
        return False  # a pager reads its keys from there; a copy would take answers from the shell
    words = iter(arguments)
    for word in words:
        if word == "-C":
            next(words, None)
        elif word != "--no-pager":
            break
    else:
        return False
    if word not in SERVED or any(part in os.fsencode(one) for one in arguments for part in _SHELL_PIPES):
        return False
    # A variable without a name can be inherited, but not be set.
    return not any(not name or (name.startswith(("LD_", "_AURA")) and value) for name, value in environment.items())


def is_in_background() -> bool:
    """Tell whether stdin is the terminal, and its keys are for another process just now."""
    try:
        return os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        return False  # no terminal, or not the one that this process belongs to


def identity() -> bytes:
    """Return what two processes must have in common to be the same program, started in the same way."""
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    program = os.stat(sys.executable)
    parts = [
        package, sys.executable, str(program.st_ino), str(program.st_mtime_ns), sys.version, sys.prefix,
        sys.getfilesystemencoding(),
        *[str(getattr(sys.flags, name, "")) for name in _FLAGS],
        *sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_AT_START)),
    ]  # fmt: skip
    return b"\x01".join(os.fsencode(part) for part in parts)


def socket_path(identity_: bytes) -> str:
    """Return where the helper of this program listens.

    It is below XDG_RUNTIME_DIR, or else (also where that is too long) in a folder of the user's in /tmp. The name says
    which program, that several can be used beside each other; who is asked still compares the whole identity.
    """
    name = f"{int.from_bytes(identity_, 'big') % _MOST_NAMES:010x}.sock"
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base.startswith("/") and len(os.fsencode(base)) < _MOST_PATH and _is_own_alone(base):
        return f"{base}/aura_vcs/{name}"
    return f"/tmp/aura_vcs-{os.geteuid()}/{name}"  # noqa: S108 (whose the folder is gets checked before it is used)


def is_safe_folder(path: str) -> bool:
    """Tell whether the folder of the socket is there, this user's, and open to nobody else."""
    return _is_own_alone(os.path.dirname(path))


def _is_own_alone(folder: str) -> bool:
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return found.st_mode & 0o170077 == 0o040000 and found.st_uid == os.geteuid()


def pack_request(kind: bytes, identity_: bytes, arguments: "Sequence[bytes]", environment: "Sequence[bytes]") -> bytes:
    """Return the bytes of a request, its size first."""
    body = b"\0".join([kind, identity_, str(len(arguments)).encode(), *arguments, *environment])
    return len(body).to_bytes(LENGTH, "big") + body


def unpack_request(body: bytes) -> "tuple[bytes, bytes, list[bytes], list[bytes]]":
    """Return kind, identity, arguments and environment.

    Raises:
        ValueError: it is no request.
    """
    kind, identity_, count, *rest = body.split(b"\0")
    number = int(count)
    if number > len(rest):
        raise ValueError("fewer arguments than announced")
    return kind, identity_, rest[:number], rest[number:]


def pack_answer(kind: bytes, number: int = 0) -> bytes:
    """Return the bytes of an answer."""
    return kind + number.to_bytes(NUMBER, "big", signed=True)


def unpack_answer(data: bytes) -> "tuple[bytes, int]":
    """Return the letter and the number of an answer."""
    return data[:1], int.from_bytes(data[1:], "big", signed=True)
