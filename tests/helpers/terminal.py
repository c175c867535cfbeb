"""Wait for what a terminal says, however many files the test process has open."""

import select


def readable(descriptor: int, seconds: float) -> bool:
    """Tell whether there is something to read within so many seconds, or the other end is closed.

    `select.select` takes no descriptor above 1023.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
