"""Progress on a terminal: what is done, how fast, and how long it will take."""

import sys
import threading
import time
from contextlib import suppress

import click

from aura_vcs.cli.output.console import Console, escape, faint, is_dumb, is_terminal, uses_colour, written
from aura_vcs.cli.output.humanize import duration, size

PATIENCE_SECONDS = 1.0
"""Shorter phases are not worth a line."""
_DRAW_SECONDS = 0.1


class ProgressMeter:
    """Draws one line on stderr and redraws it; notes go above it. See progress.Progress.

    The same note is told once. Safe from several threads. Nothing is drawn where stderr is not a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._draws = is_terminal(sys.stderr) and not is_dumb() and not console.as_json
        self._lock = threading.Lock()
        self._phase = ""
        self._unit = ""
        self._total: int | None = None
        self._done = 0
        self._started = self._drawn = 0.0
        self._width = 0
        self._told: set[str] = set()

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """See Progress."""
        with self._lock:
            self._wipe()
            self._phase, self._total, self._unit, self._done = phase, total, unit, 0
            self._started = self._drawn = time.monotonic()

    def advance(self, amount: int) -> None:
        """See Progress."""
        self._done += amount
        if not self._draws:
            return
        moment = time.monotonic()
        if moment - self._drawn < _DRAW_SECONDS or moment - self._started < PATIENCE_SECONDS:
            return
        with self._lock:
            self._drawn = moment
            self._draw(progress_line(self._phase, self._done, self._total, self._unit, moment - self._started))

    def finish(self) -> None:
        """See Progress."""
        with self._lock:
            self._wipe()

    def note(self, message: str) -> None:
        """See Progress."""
        with self._lock:
            if message in self._told:
                return
            self._told.add(message)
            self._wipe()
            _write(f"{written([faint(message)])}\n", color=uses_colour())

    def _draw(self, text: str) -> None:
        text = escape(text)
        _write(f"\r{text.ljust(self._width)}")
        self._width = len(text)

    def _wipe(self) -> None:
        if self._width:
            _write(f"\r{' ' * self._width}\r")
            self._width = 0


def _write(text: str, *, color: bool | None = None) -> None:
    """Write to stderr; where nothing can be written, it is not said, and the work goes on."""
    with suppress(OSError):
        click.echo(text, err=True, nl=False, color=color)


def progress_line(phase: str, done: int, total: int | None, unit: str, seconds: float) -> str:
    """Format a progress line: "Reading: 43 %, 1.2 of 2.8 GB, 55 MB/s, 29 s left"."""
    amount = size if unit == "bytes" else _counter(unit)
    rate = done / seconds if seconds > 0 else 0.0
    speed = f"{amount(int(rate))}/s"
    if not total or done > total:
        return f"{phase}: {amount(done)}, {speed}"
    left = f", {duration((total - done) / rate)} left" if rate > 0 and done < total else ""
    return f"{phase}: {100 * done // total} %, {amount(done)} of {amount(total)}, {speed}{left}"


def _counter(unit: str):  # type: ignore[no-untyped-def]
    return lambda count: f"{count:,} {unit}"
