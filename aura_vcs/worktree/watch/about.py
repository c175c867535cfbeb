"""What a watcher says of itself."""

import msgspec


class WatcherState(msgspec.Struct, frozen=True):
    """A watcher that runs. Where `believed` is false, `reason` says why, and every command looks at every file.

    `waiting` files are being compared just now. `open_for_writing`, `unreadable`, `beyond_the_limit` and `two_names`
    count files that cannot be watched, and are looked at for each answer.
    """

    pid: int
    started: float
    """Seconds since 1970."""
    believed: bool
    reason: str
    files: int
    waiting: int
    watches: int
    room: int
    """How many watches the project may take."""
    open_for_writing: int
    unreadable: int
    beyond_the_limit: int
    two_names: int
    answers: int
    restarts: int
    """How often it began anew, because events were lost, the system slept or mounts changed."""
