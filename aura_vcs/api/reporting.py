"""How a call says what it is doing, and how another thread stops it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypedDict

from aura_vcs.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Step:
    """How far a call is: `done` of `total` (None if unknown) in its phase, in `unit`; or a `note` for the person."""

    phase: str
    done: int
    total: int | None
    unit: str
    note: str = ""


Listener = Callable[[Step], None]
"""What `progress=` takes: called often, from the thread that works; an error that it raises ends the call."""


class CancelToken:
    """Ends the calls that it was given to, from any thread. Once cancelled, it stays cancelled.

    The call raises `Interrupted` at its next report of progress, or at once if it has not begun. After an
    interruption, the project is as before the call or as after it, in every byte that counts. Objects that were
    already stored are used by the next call, or are garbage that `gc` frees; what a transfer has sent or received
    is not transferred again; files that were being replaced are finished or taken back when anybody next uses the
    project.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """End the calls."""
        self._event.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is cancelled, at most this long; return whether it is."""
        return self._event.wait(seconds)


class Call(TypedDict, total=False):
    """What every call takes that may take long: who is told how far it is, and what ends it.

    Without `progress`, the listener that was given to `open` is called.
    """

    progress: Listener | None
    cancel: CancelToken | None


NO_CALL: Call = {}
"""For calls that are quick."""


class Reporter:
    """Passes what the library reports on to whoever listens to the call at work; see progress.Progress."""

    def __init__(self, listener: Listener | None = None) -> None:
        self._listener = listener
        self._token: CancelToken | None = None
        self._is_cancelled = False
        self._step = Step("", 0, None, "")

    @contextmanager
    def listening(self, call: Call) -> Iterator[None]:
        """Tell the listener of one call, without one whoever listens to all; a call in a call has its own."""
        before = self._listener, self._token
        self._listener = call.get("progress") or self._listener
        self._token = call.get("cancel") or self._token
        self._is_cancelled = False
        try:
            self._check()
            yield
        finally:
            self._listener, self._token = before

    def cancel(self) -> None:
        """End the call at work at its next report. May be called from any thread."""
        self._is_cancelled = True

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """Begin a phase."""
        self._report(Step(phase, 0, total, unit))

    def advance(self, amount: int) -> None:
        """Count what is done."""
        now = self._step
        self._report(Step(now.phase, now.done + amount, now.total, now.unit))

    def finish(self) -> None:
        """End the phase; what is done is not cancelled any more."""

    def note(self, message: str) -> None:
        """Pass on a line for the person."""
        now = self._step
        if self._listener is not None:
            self._listener(Step(now.phase, now.done, now.total, now.unit, message))

    def _report(self, step: Step) -> None:
        self._step = step
        self._check()
        if self._listener is not None:
            self._listener(step)

    def _check(self) -> None:
        if self._is_cancelled or (self._token is not None and self._token.is_cancelled):
            raise Interrupted("Cancelled")
