"""The difference of two versions of a document: fields for machines, lines for people."""

from msgspec import Struct

from aura_vcs.compare.diff.describe import LINES_LIMIT, readable_lines
from aura_vcs.compare.diff.json_values import parsed_fields
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.patch import PatchOperation


class DocumentDiff(Struct, frozen=True):
    """What changed in a JSON document.

    `fallback` is a sentence when the fields are not listed one by one: show a text difference then.
    `rewritten` means the bytes differ, but no field does; `is_complete` that the lines tell each
    change instead of counting them.
    """

    operations: tuple[PatchOperation, ...]
    lines: tuple[str, ...]
    fallback: str = ""
    rewritten: bool = False
    is_complete: bool = True


def diff_documents(old: bytes, new: bytes, *, limit: int = LINES_LIMIT) -> DocumentDiff:
    """Compare two versions of a JSON document field by field; at most `limit` lines."""
    if old == new:
        return DocumentDiff((), ())
    return diff_parsed(parse_document(old), parse_document(new), limit=limit)


def diff_parsed(
    old: ParsedDocument | Unstructured, new: ParsedDocument | Unstructured, *, limit: int = LINES_LIMIT
) -> DocumentDiff:
    """Compare two versions of a document that were read, and whose bytes differ; see `diff_documents`."""
    found = parsed_fields(old, new)
    rewritten = not found.operations and not found.fallback
    if rewritten:
        return DocumentDiff((), ("Only the writing changed (spaces or the order of fields)",), "", rewritten)
    if found.fallback:
        return DocumentDiff(found.operations, (found.fallback,), found.fallback)
    assert isinstance(new, ParsedDocument)
    lines = readable_lines(new.value, found.operations, limit=limit)
    return DocumentDiff(found.operations, lines, is_complete=len(found.operations) <= limit)
