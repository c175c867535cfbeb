"""How the library says what it is doing, without knowing who listens; and moments in which it is not interrupted.

The command line draws it, an app may show a bar, tests record it. A phase is started with
what is known of its size; `advance` counts units of it; `note` says something worth a line
(an index that is being rebuilt, a checkout that is being finished).
"""

import _signal as signal  # type: ignore[import-not-found]  # without the enums, which take long to make
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

HELD = (signal.SIGINT, signal.SIGTERM)
"""Signals that wait."""


class Progress(Protocol):
    """Receives what a long job reports. Called often: implementations must be cheap."""

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """Begin a phase; `total` counts `unit` ("bytes", "files", "objects"), None if unknown."""

    def advance(self, amount: int) -> None:
        """Count `amount` more units as done."""

    def finish(self) -> None:
        """End the phase."""

    def note(self, message: str) -> None:
        """Note something a person wants to know, one line, without a full stop."""


class Silent:
    """Listens to nothing."""

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """Ignored."""

    def advance(self, amount: int) -> None:
        """Ignored."""

    def finish(self) -> None:
        """Ignored."""

    def note(self, message: str) -> None:
        """Ignored."""


SILENT = Silent()


@contextmanager
def hold_back() -> Iterator[None]:
    """Let an interrupt that comes meanwhile take effect afterwards, and not in the middle.

    For moments alone: an import, the first look at a type. Only what a handler in Python would turn into an
    exception is held back, and only the main thread is ever interrupted so. Masking signals would not do: a
    second thread takes what the first one masks, and the handler runs in the first one all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: handler for number in HELD if callable(handler := signal.getsignal(number))}

    def remember(number: int, _: FrameType | None) -> None:
        came.append(number)

    try:
        for number in before:
            signal.signal(number, remember)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
