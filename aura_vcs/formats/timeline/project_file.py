"""Reading the project file of any editor into the one model: what it is, is seen from its content."""

from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, looks_like_json, parse_document
from aura_vcs.formats.timeline.endings import ending_of
from aura_vcs.formats.timeline.json_projects import read_json_project
from aura_vcs.formats.timeline.model import ReadingLimitExceeded, Timeline, check_clip_count
from aura_vcs.formats.timeline.timecode import Rate


def read_project(
    path: str, data: bytes, *, rate: Rate | None = None, document: ParsedDocument | Unstructured | None = None
) -> Timeline | Unstructured:
    """Read a project file or timeline, or say why there is no model. Never loads a stored object, never runs anything.

    `rate` is for edit lists, whose frame rate is not in the file; `document` is what it says as JSON, if that was read.
    """
    ending = ending_of(path)
    if looks_like_json(data) and ending != "flb":
        return _of_size(read_json_project(document or parse_document(data)))
    from aura_vcs.formats.timeline.editor_projects import read_editor_project  # a dozen readers, and what they need

    return _of_size(read_editor_project(data, ending, rate=rate))


def _of_size(found: Timeline | Unstructured) -> Timeline | Unstructured:
    """Refuse a model of more clips than are read, also of a format that says so only at its end."""
    if isinstance(found, Unstructured):
        return found
    try:
        check_clip_count(sum([len(track.clips) for track in found.tracks]))
    except ReadingLimitExceeded as error:
        return Unstructured(str(error))
    return found
