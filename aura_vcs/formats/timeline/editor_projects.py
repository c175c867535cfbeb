"""Reading the projects of editors that are no JSON: what one is, is seen from its content."""

from collections.abc import Callable

from aura_vcs.formats.jsondoc.parse import Unstructured, parse_document
from aura_vcs.formats.timeline.aaf import is_aaf, read_aaf
from aura_vcs.formats.timeline.containers import is_zip, open_zip
from aura_vcs.formats.timeline.edl import is_edl, read_edl
from aura_vcs.formats.timeline.fcpxml import is_fcpxml, read_fcpxml
from aura_vcs.formats.timeline.json_projects import read_json_project
from aura_vcs.formats.timeline.mlt import is_mlt, read_mlt
from aura_vcs.formats.timeline.model import ReadingLimitExceeded, Timeline
from aura_vcs.formats.timeline.openshot import PICKLE, is_old_openshot
from aura_vcs.formats.timeline.premiere import is_premiere, read_premiere
from aura_vcs.formats.timeline.reaper import is_reaper, read_reaper
from aura_vcs.formats.timeline.resolve import is_drp, read_drp
from aura_vcs.formats.timeline.timecode import Rate
from aura_vcs.formats.timeline.xmeml import is_xmeml, read_xmeml

_FLOWBLADE = "it is a stored Python object (Flowblade), which could run anything when it is loaded"
_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Timeline | Unstructured]], ...] = (
    (is_mlt, read_mlt),
    (is_fcpxml, read_fcpxml),
    (is_xmeml, read_xmeml),
    (is_reaper, read_reaper),
    (is_premiere, read_premiere),
    (is_aaf, read_aaf),
    (is_drp, read_drp),
)


def read_editor_project(data: bytes, ending: str, *, rate: Rate | None = None) -> Timeline | Unstructured:
    """Read a project file, or say why there is no model; see `project_file.read_project`."""
    if ending == "flb" or is_old_openshot(data):
        return Unstructured(_FLOWBLADE if ending == "flb" else PICKLE)
    for is_one, read in _READERS:
        if is_one(data):
            try:
                return read(data)
            except ReadingLimitExceeded as error:
                return Unstructured(str(error))
    if is_zip(data):
        return _bundle(data)
    if ending == "edl" or is_edl(data):
        return read_edl(data, rate)
    return Unstructured("it is not a project or timeline that is known")


def _bundle(data: bytes) -> Timeline | Unstructured:
    """Read an `.otioz`: a zip file with `content.otio` and its media."""
    archive = open_zip(data)
    if isinstance(archive, Unstructured):
        return archive
    if "content.otio" not in archive.names:
        return Unstructured("it is a zip file with no timeline that is known in it")
    content = archive.read("content.otio")
    return content if isinstance(content, Unstructured) else read_json_project(parse_document(content))
