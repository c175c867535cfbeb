"""A file that another program writes to every time it is opened: no pause of the scheduler can make it stable."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_restless: set[str] = set()


@contextmanager
def restless(path: str | os.PathLike[str]) -> Iterator[None]:
    """Append to the file before each opening by this process, until the block ends."""
    _hook()
    _restless.add(os.path.realpath(path))
    try:
        yield
    finally:
        _restless.clear()


@cache
def _hook() -> None:
    """Python's audit hooks stay for good; this one sleeps while no file is restless."""

    def opening(event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not _restless or arguments[0] not in _restless:
            return
        path = str(arguments[0])
        _restless.discard(path)  # the line below opens it too
        try:
            with open(path, "ab", buffering=0) as file:
                file.write(b"frame")
        finally:
            _restless.add(path)

    sys.addaudithook(opening)
