"""What is wrong with a project's documents, as plain data."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]
"""An error makes a document mean nothing there; a warning is probably not what its author wants."""


class DocumentProblem(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, and where.

    `pointer` is a JSON pointer into `file` (empty: the whole file), `expected` says what would be
    right there (empty where the message says it all).
    """

    file: str
    pointer: str
    severity: Severity
    message: str
    expected: str = ""


class Reference(msgspec.Struct, frozen=True):
    """A place in a document that names a media file of the project."""

    file: str
    pointer: str
    path: str
    types: tuple[str, ...]
    """The asset types that make sense there."""
