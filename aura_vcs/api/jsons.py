"""JSON as a type."""

from collections.abc import Mapping, Sequence

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""Any JSON value: what a renderer keeps in a checkpoint, a field of a document, a setting."""
