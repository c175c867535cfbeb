"""What differs in one file, made ready to be shown: rows of texts and fields with the words that changed."""

import json
from collections.abc import Iterator
from itertools import islice

import msgspec
from msgspec import UNSET

from aura_vcs.compare.diff.describe import DocumentDiff
from aura_vcs.compare.diff.text import Hunk, TextDiff, TextLine, highlights, side_by_side
from aura_vcs.formats.jsondoc.patch import PatchOperation
from aura_vcs.formats.jsondoc.values import JsonValue

FIELDS_LIMIT = 400
LINES_LIMIT = 2_000
VALUE_WIDTH = 2_000

Marked = tuple[tuple[str, bool], ...]
"""Pieces of a text, and whether each changed."""


class FieldRow(msgspec.Struct, frozen=True):
    """A changed field: its JSON pointer, and its value before and after; empty for none."""

    pointer: str
    old: Marked
    new: Marked
    note: str = ""


class TextRow(msgspec.Struct, frozen=True):
    """A line on both sides, with its numbers (0 for none); `title` alone begins a passage."""

    old_number: int = 0
    old: Marked = ()
    new_number: int = 0
    new: Marked = ()
    kind: str = ""
    title: str = ""


def field_rows(diff: DocumentDiff) -> tuple[FieldRow, ...]:
    """List the changed fields of a document."""
    return tuple(map(_field, diff.operations[:FIELDS_LIMIT]))


def _field(operation: PatchOperation) -> FieldRow:
    pointer = operation.path or "/"
    if operation.op == "move":
        return FieldRow(pointer, ((str(operation.source), False),), (), "moved here")
    old, new = operation.old, operation.value
    if operation.op == "replace" and isinstance(old, str) and isinstance(new, str):
        gone, come = highlights(old[:VALUE_WIDTH], new[:VALUE_WIDTH])
        return FieldRow(pointer, marked(old[:VALUE_WIDTH], gone), marked(new[:VALUE_WIDTH], come))
    return FieldRow(pointer, _plain(old), _plain(new))


def _plain(value: JsonValue) -> Marked:
    if value is UNSET:
        return ()
    written = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return ((written if len(written) <= VALUE_WIDTH else f"{written[:VALUE_WIDTH]}…", True),)


def text_rows(diff: TextDiff) -> tuple[TextRow, ...]:
    """List the changed passages of a text, both sides beside each other."""
    rows: list[TextRow] = []
    for hunk in diff.hunks:
        if len(rows) > LINES_LIMIT:
            rows.append(TextRow(title="and more changes"))
            break
        rows.append(TextRow(title=f"line {hunk.old_start:,} → {hunk.new_start:,}"))
        rows += islice(_hunk(hunk), LINES_LIMIT)
    return tuple(rows)


def _hunk(hunk: Hunk) -> Iterator[TextRow]:
    for old, gone, new, come in side_by_side(hunk.lines, hunk.old_start, hunk.new_start):
        left = (old, _line(gone)) if gone is not None else (0, ())
        right = (new, _line(come)) if come is not None else (0, ())
        yield TextRow(*left, *right) if gone is come else TextRow(*left, *right, "changed")


def _line(line: TextLine) -> Marked:
    shown = marked(line.text.rstrip("\r\n")[:VALUE_WIDTH], line.changed)
    return (*shown, (f" ({line.end})", False)) if line.end else shown


def marked(text: str, changed: tuple[tuple[int, int], ...]) -> Marked:
    """Cut a text into pieces, each with whether it changed."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in changed:
        parts += [(text[at:start], False), (text[start:end], True)]
        at = end
    return tuple(part for part in [*parts, (text[at:], False)] if part[0])
