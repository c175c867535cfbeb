"""Which paths a command is about."""

from collections.abc import Sequence


class Selection:
    """The paths a command was given; None for everything."""

    def __init__(self, paths: Sequence[str] | None) -> None:
        self._paths = None if paths is None or "" in paths else frozenset(paths)

    @property
    def is_everything(self) -> bool:
        """Whether no path was given."""
        return self._paths is None

    def covers(self, path: str) -> bool:
        """Whether the path, or a folder above it, was given."""
        if self._paths is None or path in self._paths:
            return True
        return any(path.startswith(f"{chosen}/") for chosen in self._paths)

    def leads_into(self, path: str) -> bool:
        """Whether something below the path was given."""
        if self._paths is None or not path:
            return True
        return any(chosen.startswith(f"{path}/") for chosen in self._paths)
