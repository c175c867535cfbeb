"""How the library says what it is doing, without knowing who listens.

The command line draws it, an app may show a bar, tests record it. A phase is started with
what is known of its size; `advance` counts units of it; `note` says something worth a line
(an index that is being rebuilt, a checkout that is being finished).
"""

from typing import Protocol


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
