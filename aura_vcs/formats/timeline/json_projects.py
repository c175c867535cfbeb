"""Reading projects and timelines that are JSON; the readers of other editors' files are not imported for them."""

from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.otio import is_otio, read_otio
from aura_vcs.formats.timeline.studio import is_studio_timeline, read_studio_timeline


def is_openshot(value: JsonValue) -> bool:
    """Tell whether a document looks like an OpenShot project."""
    keys = ("clips", "files", "layers")
    return isinstance(value, dict) and all(isinstance(value.get(key), list) for key in keys)


def read_json_project(document: ParsedDocument | Unstructured) -> Timeline | Unstructured:
    """Read the model of a timeline of the studio, of OpenTimelineIO or of OpenShot, or say why there is none."""
    if isinstance(document, Unstructured):
        return document
    value = document.value
    if is_openshot(value):
        from aura_vcs.formats.timeline.openshot import read_openshot  # with all that digests what is not looked into

        return read_openshot(value)
    if is_studio_timeline(value):
        return read_studio_timeline(value)
    if is_otio(value):
        return read_otio(value)
    return Unstructured("it is neither the studio's timeline nor an OpenTimelineIO timeline")
