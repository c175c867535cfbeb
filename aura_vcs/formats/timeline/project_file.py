"""Reading the project file of any editor into the one model: what it is, is seen from its content."""

from collections.abc import Callable

from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.timeline.aaf import is_aaf, read_aaf
from aura_vcs.formats.timeline.containers import is_zip, open_zip
from aura_vcs.formats.timeline.edl import is_edl, read_edl
from aura_vcs.formats.timeline.endings import ending_of
from aura_vcs.formats.timeline.fcpxml import is_fcpxml, read_fcpxml
from aura_vcs.formats.timeline.mlt import is_mlt, read_mlt
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.openshot import PICKLE, is_old_openshot, is_openshot, read_openshot
from aura_vcs.formats.timeline.otio import is_otio, read_otio
from aura_vcs.formats.timeline.premiere import is_premiere, read_premiere
from aura_vcs.formats.timeline.reaper import is_reaper, read_reaper
from aura_vcs.formats.timeline.resolve import is_drp, read_drp
from aura_vcs.formats.timeline.studio import is_studio_timeline, read_studio_timeline
from aura_vcs.formats.timeline.timecode import Rate
from aura_vcs.formats.timeline.xmeml import is_xmeml, read_xmeml

_FLOWBLADE = "it is a stored Python object (Flowblade), which could run anything when it is loaded"
_READERS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], Timeline | Unstructured]], ...] = (
    ("mlt", is_mlt, read_mlt),
    ("fcpxml", is_fcpxml, read_fcpxml),
    ("xmeml", is_xmeml, read_xmeml),
    ("reaper", is_reaper, read_reaper),
    ("premiere", is_premiere, read_premiere),
    ("aaf", is_aaf, read_aaf),
    ("resolve", is_drp, read_drp),
)


def read_project(path: str, data: bytes, *, rate: Rate | None = None) -> Timeline | Unstructured:
    """Read a project file or timeline, or say why there is no model. Never loads a stored object, never runs anything.

    `rate` is for edit lists, whose frame rate is not in the file.
    """
    ending = ending_of(path)
    if ending == "flb" or is_old_openshot(data):
        return Unstructured(_FLOWBLADE if ending == "flb" else PICKLE)
    for _, is_one, read in _READERS:
        if is_one(data):
            return read(data)
    if is_zip(data) or data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return _bundle(data) if is_zip(data) else _json(data)
    if ending == "edl" or is_edl(data):
        return read_edl(data, rate)
    return Unstructured("it is not a project or timeline that is known")


def _json(data: bytes) -> Timeline | Unstructured:
    document = parse_document(data)
    if isinstance(document, Unstructured):
        return document
    assert isinstance(document, ParsedDocument)
    if is_openshot(document.value):
        return read_openshot(data)
    if is_studio_timeline(document.value):
        return read_studio_timeline(document.value)
    if is_otio(document.value):
        return read_otio(document.value)
    return Unstructured("it is neither the studio's timeline nor an OpenTimelineIO timeline")


def _bundle(data: bytes) -> Timeline | Unstructured:
    """Read an `.otioz`: a zip file with `content.otio` and its media."""
    archive = open_zip(data)
    if isinstance(archive, Unstructured):
        return archive
    if "content.otio" not in archive.names:
        return Unstructured("it is a zip file with no timeline that is known in it")
    content = archive.read("content.otio")
    return content if isinstance(content, Unstructured) else _json(content)
