"""Ctrl-C and SIGTERM held back for moments in which a library would not stand an exception."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)


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
