"""How large a JSON document may be: one answer for reading, comparing, merging and editing."""

from msgspec import Struct

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
"""Above this a document is compared as bytes, and not edited; a project's documents have a few KB."""
MAX_VALUES = 1_000_000
"""Values in one document, containers counted; a 10 MB timeline has a quarter of that."""
MAX_DEPTH = 200
"""Levels of nesting; real documents have under 30."""


class Limits(Struct, frozen=True):
    """How large a document may be that is read by structure."""

    size: int
    values: int
    depth: int


DOCUMENT_LIMITS = Limits(MAX_DOCUMENT_BYTES, MAX_VALUES, MAX_DEPTH)
