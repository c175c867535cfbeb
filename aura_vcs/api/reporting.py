"""How a call says what it is doing, and how another thread stops it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aura_vcs.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Step:
    """How far a call is: `done` of `total` (None if unknown) of its phase, in `unit`; or a `note` for the person."""

    phase: str
    done: int
    total: int | None
    unit: str
    note: str = ""


Listener = Callable[[Step], None]
"""What `progress=` takes: called often, from the thread that works; an error that it raises ends the call."""


class Reporter:
    """Passes what the library reports on to whoever listens to the call at work; see progress.Progress."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self._is_cancelled = False
        self._step = Step("", 0, None, "")

    @contextmanager
    def listening(self, listener: Listener | None) -> Iterator[None]:
        """Tell `listener` of one call, without one whoever listens to all."""
        before = self._listener
        self._listener = listener or before
        self._is_cancelled = False
        try:
            yield
        finally:
            self._listener = before

    def cancel(self) -> None:
        """End the call at work at its next report. May be called from any thread."""
        self._is_cancelled = True

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """Begin a phase."""
        self._say(Step(phase, 0, total, unit))

    def advance(self, amount: int) -> None:
        """Count what is done."""
        now = self._step
        self._say(Step(now.phase, now.done + amount, now.total, now.unit))

    def finish(self) -> None:
        """End the phase; what is done is not cancelled any more."""

    def note(self, message: str) -> None:
        """Pass on a line for the person."""
        now = self._step
        if self._listener is not None:
            self._listener(Step(now.phase, now.done, now.total, now.unit, message))

    def _say(self, step: Step) -> None:
        self._step = step
        if self._is_cancelled:
            raise Interrupted("Cancelled")
        if self._listener is not None:
            self._listener(step)
