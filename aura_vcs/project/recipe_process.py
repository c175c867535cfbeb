"""The command of a recipe, as a process: what it starts ends with it, and of what it says only the end is held."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from aura_vcs.errors.documents import RecipeFailed

_MESSAGE = 600
_TAIL = 4_096
_JOIN_SECONDS = 2


def run_command(
    output: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float | None
) -> None:
    """Run a command in a folder, without a shell, until it ends; what it has started is ended then, too.

    `output` is the file that it is to make, for errors. An interruption ends the command.

    Raises:
        RecipeFailed: it cannot be run, took longer than `seconds`, or failed.
    """
    null = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=null, stdout=null, stderr=subprocess.PIPE, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise RecipeFailed(output, f"{words[0]} cannot be run: {error}") from error
    said = bytearray()
    assert process.stderr is not None
    reader = threading.Thread(target=_read_end, args=(process.stderr, said), daemon=True)
    reader.start()
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        raise RecipeFailed(output, f"it took longer than {seconds:g} s") from error
    finally:
        _end(process)
        reader.join(_JOIN_SECONDS)
    if code != 0:
        text = bytes(said).decode("utf-8", "replace").strip()[-_MESSAGE:]
        raise RecipeFailed(output, f"{words[0]} ended with {code}" + (f": {text}" if text else ""))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and all that it has started in its group."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _read_end(pipe: IO[bytes], said: bytearray) -> None:
    """Read a pipe until it is closed, and keep its end: a command may say any amount."""
    with pipe, suppress(OSError, ValueError):
        while piece := os.read(pipe.fileno(), 65_536):
            said += piece
            del said[:-_TAIL]
