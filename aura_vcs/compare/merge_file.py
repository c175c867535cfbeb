"""Joining the contents of one file that both sides changed, by what kind of file it is."""

from msgspec import Struct

from aura_vcs.compare.documents import Document, parse_document
from aura_vcs.compare.merge_json import merge_parsed, merge_values
from aura_vcs.compare.merge_model import Choice, Conflict, TextConflict
from aura_vcs.compare.merge_text import common_text, merge_text
from aura_vcs.compare.merge_timeline import merge_timeline_values, resolve_timeline
from aura_vcs.compare.resolve import resolve_document
from aura_vcs.compare.resolve_text import resolve_text
from aura_vcs.compare.text_lines import NO_TEXT
from aura_vcs.compare.timeline_diff import is_timeline
from aura_vcs.errors.comparing import ChoiceImpossible, PointerInvalid

DOCUMENT_SUFFIXES = (".json", ".otio")
JOIN_BYTES_LIMIT = 32 * 2**20
"""Larger files are media as far as joining goes: both are kept."""


class MergedFile(Struct, frozen=True):
    """The joined content, None when the file is one that cannot be joined (then both are kept).

    `by` says how it was joined: "timeline", "fields", "text" or "" (not at all). `reason` says why a
    document or text was not joined.
    """

    data: bytes | None
    by: str = ""
    conflicts: tuple[Conflict, ...] = ()
    text_conflicts: tuple[TextConflict, ...] = ()
    reason: str = ""


def merge_file(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> MergedFile:
    """Join two changed versions of a file; `base` is None when both added it.

    JSON and OpenTimelineIO documents join by field or clip; text by line and word; everything
    else, and documents that cannot be read without loss and are no text either, not at all.
    A document never joins by line: the result of a join is always valid JSON.
    """
    if max(len(ours), len(theirs), len(base or b"")) > JOIN_BYTES_LIMIT:
        return MergedFile(None)
    if path.lower().endswith(DOCUMENT_SUFFIXES):
        return _merge_document(base, ours, theirs)
    merged = merge_text(common_text(ours, theirs) if base is None else base, ours, theirs)
    if merged.fallback:
        return MergedFile(None, reason="" if merged.fallback.endswith(NO_TEXT) else merged.fallback)
    return MergedFile(merged.data, "text", text_conflicts=merged.conflicts)


def _merge_document(base: bytes | None, ours: bytes, theirs: bytes) -> MergedFile:
    sides = (_common(base, ours), ours, theirs)
    values = []
    for side, data in zip(("before both", "in ours", "in theirs"), sides, strict=True):
        parsed = parse_document(data)
        if not isinstance(parsed, Document):
            return MergedFile(None, reason=f"not joined by field: {side}, {parsed.reason}")
        values.append(parsed.value)
    if all(is_timeline(value) for value in (values if base is not None else values[1:])):
        merged = merge_parsed(sides, values, merge_timeline_values)
        return MergedFile(merged.data, "timeline", merged.conflicts)
    merged = merge_parsed(sides, values, merge_values)
    return MergedFile(merged.data, "fields", merged.conflicts)


def _common(base: bytes | None, ours: bytes) -> bytes:
    """What stands for the common version of a document that both sides added: an empty one."""
    if base is not None:
        return base
    return b"[]" if ours.lstrip()[:1] == b"[" else b"{}"


def resolve_file(data: bytes, merged: MergedFile, place: str, choice: Choice) -> MergedFile:
    """Decide conflicts of a joined file: `place` is a JSON pointer, a line number, or "" for all.

    Raises:
        ConflictUnknown: there is no open conflict at that place.
        ChoiceImpossible: the choice does not fit what is there.
        PointerInvalid: `place` is neither a pointer nor a line.
        NotStructural: the file cannot be read any more.
    """
    if merged.by == "text":
        if place and not place.isdecimal():
            raise PointerInvalid(place, "conflicts in a text are named by their line")
        text = resolve_text(data, merged.text_conflicts, int(place) if place else None, choice)
        return MergedFile(text.data, "text", text_conflicts=text.conflicts)
    if not merged.by:
        hint = "Choose one of the two files and delete the other."
        raise ChoiceImpossible(place, choice, "the file was not joined", hint=hint)
    resolve = resolve_timeline if merged.by == "timeline" else resolve_document
    document = resolve(data, merged.conflicts, place, choice)
    return MergedFile(document.data, merged.by, document.conflicts)
