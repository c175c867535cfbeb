"""The process that decodes people's media, because decoders have bugs and files have authors.

FFmpeg and Pillow see hostile files only in a child process with limits (`limits.py`), an environment that
holds no keys, and no way back but what it writes to its standard output. A crash there is an error message
here. Where the system has no such limits (Windows) the clock of whoever asks remains.

The child is Python's own executable with `-P`: nothing is imported from the current folder, which
may be somebody else's project.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

Started = Callable[["subprocess.Popen[bytes]"], None]
"""Told of a process that was started, for who may want to end it early."""


def can_start() -> bool:
    """Tell whether there is a Python to start."""
    return bool(sys.executable)


@contextmanager
def media_process(
    module: str,
    request: bytes,
    *,
    environment: Mapping[str, str] | None = None,
    started: Started | None = None,
    files: Sequence[int] = (),
    own_group: bool = False,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a module of ours that decodes, and send it the request; it is gone when the `with` ends.

    `environment` is all that it gets of one: a decoder that is taken over finds no keys there. Windows needs
    SYSTEMROOT in it. `files` are open files that it gets under the same numbers (not on Windows). With `own_group`,
    what it starts itself ends with it. What it writes to its standard output is to be read by the caller, who has
    a clock.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment or {}),
        close_fds=True,
        pass_fds=tuple(files),
        start_new_session=own_group,
    )
    try:
        if started is not None:
            started(process)
        assert process.stdin is not None
        threading.Thread(target=_send, args=(process.stdin, request), daemon=True).start()  # it may not read it
        yield process
    finally:
        if own_group and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None and not pipe.closed:
                with suppress(OSError):
                    pipe.close()


def _send(pipe: IO[bytes], data: bytes) -> None:
    try:
        pipe.write(data)
        pipe.close()
    except (OSError, ValueError):
        return  # it died while starting: the missing answer says so


def why_it_ended(code: int) -> str:
    """Say in words what an exit code of the process means."""
    signals = {-9: "it needed too much memory or time", -24: "it needed too much processor time"}
    if code in signals:
        return signals[code]
    return f"the decoder crashed (signal {-code})" if code < 0 else f"the decoder gave up (exit code {code})"
