"""Long output on a terminal: one page at a time, by the person's pager."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import click

FIRST_CHOICE = "less"
LEAVE_IF_IT_FITS = "FRX"
"""What LESS is where it says nothing: leave at once where all fits on the screen, show colours."""
LEAVE_ON_DUMB = "FXd"
"""The same where TERM is "dumb": no colours, nor anything else but the lines, and no word on what it lacks."""

Waiting = Callable[[], None]
"""Waits for the end of a pager."""
start: "Callable[[Sequence[str], int], Waiting]"
"""How a pager is started: with its command, and the descriptor it reads from."""


def page(lines: Iterable[str], *, colour: bool | None) -> None:
    """Write the lines through the pager that PAGER names, or else less; straight to stdout where none can be started.

    A pager that is left before the end is no error. Ctrl-C is the pager's while it is open: less stops a search.
    """
    if sys.platform == "win32":
        click.echo_via_pager(_separated(lines), color=colour)
        return
    os.environ.setdefault("LESS", LEAVE_ON_DUMB if os.environ.get("TERM") == "dumb" else LEAVE_IF_IT_FITS)
    command = _command()
    if command is None:
        _write(lines, colour)
        return
    in_colour = colour is None and os.path.basename(command[0]) == FIRST_CHOICE and "r" in os.environ["LESS"].lower()
    reading, writing = os.pipe()
    try:
        wait = start(command, reading)
    except OSError:  # a program that is none
        os.close(writing)
        _write(lines, colour)
        return
    except BaseException:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    try:
        with suppress(BrokenPipeError), open(writing, "w", encoding="utf-8", errors="replace") as stream:
            for line in lines:
                stream.write(f"{line if in_colour else click.unstyle(line)}\n")
    finally:
        wait()


def _write(lines: Iterable[str], colour: bool | None) -> None:
    for line in lines:
        click.echo(line, color=colour)


def _command() -> list[str] | None:
    """Return the pager and its arguments; None where there is none that could be started."""
    try:
        wanted = shlex.split(os.environ.get("PAGER", ""))
    except ValueError:
        wanted = []
    for command in filter(None, (wanted, [FIRST_CHOICE], ["more"])):
        if path := shutil.which(command[0]):
            return [path, *command[1:]]
    return None


def _separated(lines: Iterable[str]) -> Iterable[str]:
    for number, line in enumerate(lines):
        yield f"\n{line}" if number else line


def start_here(command: Sequence[str], reading: int) -> Waiting:
    """Start the pager as a child of this process."""
    process = subprocess.Popen(command, stdin=reading)

    def wait() -> None:
        while True:
            try:
                process.wait()
            except KeyboardInterrupt:
                continue
            return

    return wait


start = start_here
