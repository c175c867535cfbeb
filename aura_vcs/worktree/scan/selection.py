"""Which paths a command is about."""

from collections.abc import Sequence


class Selection:
    """The paths a command was given; None for everything. A slash at the end: the folder, but nothing in it.

    Asking costs what a path is deep, not how many there are.
    """

    def __init__(self, paths: Sequence[str] | None) -> None:
        self._paths = None if paths is None or "" in paths else frozenset(paths)
        self._above = frozenset(above for path in self._paths or () for above in folders_of(path))

    @property
    def paths(self) -> frozenset[str]:
        """What was given; nothing, where it is everything."""
        return self._paths or frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether no path was given."""
        return self._paths is None

    def covers(self, path: str) -> bool:
        """Tell whether the path, or a folder above it, was given."""
        if self._paths is None or path in self._paths:
            return True
        return any(above in self._paths for above in folders_of(path))

    def leads_into(self, path: str) -> bool:
        """Tell whether something below the path was given."""
        return self._paths is None or not path or path in self._above


def folders_of(path: str) -> list[str]:
    """List the folders that a path is in, the outermost first."""
    return [path[:at] for at, letter in enumerate(path) if letter == "/"]
