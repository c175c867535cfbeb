"""Joining two versions of a timeline file by clip, whichever of the two formats it has."""

from aura_vcs.compare.merge.json_values import merge_documents, merge_values
from aura_vcs.compare.merge.model import Choice, Conflict, MergedDocument, MergedValue
from aura_vcs.compare.merge.otio import merge_otio
from aura_vcs.compare.merge.resolve_json import resolve_value
from aura_vcs.compare.merge.studio import lay_scenes, laying_of, merge_studio
from aura_vcs.errors.compare import NotStructural
from aura_vcs.formats.jsondoc.parse import Unstructured, parse_document
from aura_vcs.formats.jsondoc.style import write_like
from aura_vcs.formats.jsondoc.values import JsonValue, same
from aura_vcs.formats.timeline.otio import is_otio
from aura_vcs.formats.timeline.studio import is_studio_timeline


def merge_timeline(base: bytes, ours: bytes, theirs: bytes) -> MergedDocument:
    """Join two changed versions of a `timeline.json` or OpenTimelineIO file.

    Both may trim different ends of a clip, one may trim and one move, also to another track. The
    promises of `merge_json` hold: no clip or scene of either side disappears unless the other
    side took it out and this one had not changed it.
    """
    return merge_documents(base, ours, theirs, merge_timeline_values)


def merge_timeline_values(base: JsonValue, ours: JsonValue, theirs: JsonValue) -> MergedValue:
    """Merge parsed documents as `merge_timeline` does; what is not a timeline joins as any document does."""
    if same(base, ours) or same(ours, theirs):
        return MergedValue(theirs)
    if same(base, theirs):
        return MergedValue(ours)
    sides = (base, ours, theirs)
    if all(is_studio_timeline(side) for side in sides):
        return merge_studio(base, ours, theirs)
    if all(is_otio(side) for side in sides):
        return merge_otio(base, ours, theirs)
    return merge_values(base, ours, theirs)


def resolve_timeline(data: bytes, conflicts: tuple[Conflict, ...], pointer: str, choice: Choice) -> MergedDocument:
    """Decide conflicts of a timeline like `resolve_document`; laid scenes stay laid.

    Raises:
        NotStructural: the document cannot be read any more.
        ConflictUnknown: there is no open conflict at or below `pointer`.
        ChoiceImpossible: the choice does not fit what is there.
    """
    document = parse_document(data)
    if isinstance(document, Unstructured):
        raise NotStructural(document.reason)
    value = document.value
    merged = resolve_value(value, conflicts, pointer, choice)
    decided = merged.value
    if is_studio_timeline(value) and is_studio_timeline(decided):
        decided = lay_scenes(decided, laying_of((value,), value))
    return MergedDocument(write_like(decided, data, value), merged.conflicts)
