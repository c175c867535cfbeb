"""Joining the contents of one file that both sides changed, by what kind of file it is."""

from msgspec import Struct

from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.compare.merge.checks import check_document, check_text
from aura_vcs.compare.merge.cues import CUE_ENDINGS, merge_cues, resolve_cues
from aura_vcs.compare.merge.json_values import MergeFunction, merge_values, only_changed
from aura_vcs.compare.merge.model import Choice, Conflict, MixedPassage, TextConflict
from aura_vcs.compare.merge.openshot import why_covered
from aura_vcs.compare.merge.openshot_clips import merge_openshot
from aura_vcs.compare.merge.project import is_project, merge_project, resolve_project
from aura_vcs.compare.merge.resolve_json import resolve_document
from aura_vcs.compare.merge.resolve_text import resolve_text
from aura_vcs.compare.merge.text import common_text, merge_text
from aura_vcs.compare.merge.timeline import merge_timeline_values, resolve_timeline
from aura_vcs.compare.timeline.diff import is_timeline
from aura_vcs.errors.compare import ChoiceImpossible, PointerInvalid
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.text import NO_TEXT, ending_of, is_json, read_text, why_not_by_line
from aura_vcs.formats.timeline.json_projects import is_openshot

DOCUMENT_SUFFIXES = (".json", ".otio")
MERGE_BYTES_LIMIT = 32 * 2**20
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
    mixed: tuple[MixedPassage, ...] = ()
    """Lines of a text in which words of both sides stand, for somebody to read."""


def merge_file(path: str, base: bytes | None, ours: bytes, theirs: bytes) -> MergedFile:
    """Join two changed versions of a file; `base` is None when both added it.

    JSON and OpenTimelineIO documents merge by field or clip, whatever they are called; plain text by line and
    word; everything else, and documents that cannot be read without loss, not at all. What is merged
    is looked at before it counts: a document is valid JSON, whose ids and references are as they were.
    """
    sides = [data for data in (base, ours, theirs) if data is not None]
    if max(map(len, sides)) > MERGE_BYTES_LIMIT:
        return MergedFile(None)
    if base is not None and (project := _merge_project(base, ours, theirs)) is not None:
        return project
    if path.lower().endswith(DOCUMENT_SUFFIXES) or is_json(path, sides):
        return _merge_document(base, ours, theirs)
    if reason := why_not_by_line(path, sides):
        return MergedFile(None, reason="" if _is_no_text(sides) else f"not merged by line: {reason}")
    return _merge_text(path, common_text(ours, theirs) if base is None else base, ours, theirs)


def _merge_project(base: bytes, ours: bytes, theirs: bytes) -> MergedFile | None:
    merged = merge_project(base, ours, theirs)
    if merged is None or merged.data is None:
        return None if merged is None else MergedFile(None, reason=merged.reason)
    return MergedFile(merged.data, "timeline", merged.conflicts)


def _is_no_text(sides: list[bytes]) -> bool:
    """Tell whether somebody would not expect them to merge in the first place: bytes that are not text."""
    return any(read_text(data) == Unstructured(NO_TEXT) for data in sides)


def _merge_text(path: str, base: bytes, ours: bytes, theirs: bytes) -> MergedFile:
    counted = merge_cues(base, ours, theirs) if ending_of(path) in CUE_ENDINGS else None
    merged = counted or merge_text(base, ours, theirs)
    if merged.fallback:
        return MergedFile(None, reason="" if merged.fallback.endswith(NO_TEXT) else merged.fallback)
    reason = check_text(path, (base, ours, theirs), merged.data, is_open=bool(merged.conflicts))
    if reason:
        return MergedFile(None, reason=f"not merged: {reason}")
    return MergedFile(merged.data, "text", text_conflicts=merged.conflicts, mixed=merged.mixed)


def _merge_document(base: bytes | None, ours: bytes, theirs: bytes) -> MergedFile:
    sides = (_common(base, ours), ours, theirs)
    values = []
    for side, data in zip(("before both", "in ours", "in theirs"), sides, strict=True):
        parsed = parse_document(data)
        if not isinstance(parsed, ParsedDocument):
            return MergedFile(None, reason=f"not merged by field: {side}, {parsed.reason}")
        values.append(parsed.value)
    names = [strong_identity(value) for value in values[1:]]
    if None not in names and names[0] != names[1]:
        return MergedFile(None, reason="not merged by field: by their ids they are two documents")
    merge: MergeFunction
    if all(is_timeline(value) for value in (values if base is not None else values[1:])):
        by, merge = "timeline", merge_timeline_values
    else:
        by, merge = "fields", merge_values
    changed = only_changed(*sides)
    if changed is not None:
        return MergedFile(changed, by)
    is_cut = base is not None and all(map(is_openshot, values))
    merged = merge_openshot(values) if is_cut else merge(values[0], values[1], values[2])
    reason = merged.reason or check_document(values[0], values[1], values[2], merged.value)
    if is_cut:
        reason = reason or why_covered(values, merged.value, [conflict.pointer for conflict in merged.conflicts])
    if reason:
        return MergedFile(None, reason=f"not merged: {reason}")
    return MergedFile(write_like(merged.value, ours, values[1]), by, merged.conflicts)


def _common(base: bytes | None, ours: bytes) -> bytes:
    """Return the stand-in for the common version of a document that both sides added: an empty one."""
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
        line = int(place) if place else None
        counted = resolve_cues(data, merged.text_conflicts, line, choice)
        text = counted or resolve_text(data, merged.text_conflicts, line, choice)
        return MergedFile(text.data, "text", text_conflicts=text.conflicts)
    if not merged.by:
        hint = "Choose one of the two files and delete the other."
        raise ChoiceImpossible(place, choice, "the file was not merged", hint=hint)
    resolve = resolve_timeline if merged.by == "timeline" else resolve_document
    if merged.by == "timeline" and is_project(data):
        resolve = resolve_project
    document = resolve(data, merged.conflicts, place, choice)
    return MergedFile(document.data, merged.by, document.conflicts)
