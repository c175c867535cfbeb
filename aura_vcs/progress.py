"""How the library says what it is doing, without knowing who listens.

The command line draws it, an app may show a bar, tests record it. A phase is started with
what is known of its size; `advance` counts units of it; `note` says something worth a line
(an index that is being rebuilt, a checkout that is being finished).
"""

from typing import Protocol


class Progress(Protocol):
    """Receives what a long job reports. Called often: implementations must be cheap."""

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """A phase begins; `total` counts `unit` ("bytes", "files", "objects"), None if unknown."""

    def advance(self, amount: int) -> None:
        """`amount` more units are done."""

    def finish(self) -> None:
        """The phase is over."""

    def note(self, message: str) -> None:
        """Something a person wants to know, one line, without a full stop."""


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
