"""Notes and the markers of projects of Final Cut Pro, Kdenlive and Shotcut: read from them, written into a copy."""

import os
import posixpath
from collections.abc import Iterable
from fractions import Fraction

import msgspec

from aura_vcs.annotations.notes import Note, notes
from aura_vcs.annotations.places import find_now
from aura_vcs.annotations.targets import LONGEST_SECONDS
from aura_vcs.errors import InputError
from aura_vcs.formats.timeline.fcpxml import is_fcpxml
from aura_vcs.formats.timeline.fcpxml_markers import read_fcpxml_markers, with_fcpxml_markers
from aura_vcs.formats.timeline.file_markers import FileMarker
from aura_vcs.formats.timeline.mlt import is_mlt
from aura_vcs.formats.timeline.mlt_markers import read_bin_media, read_mlt_markers, with_mlt_markers
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.ids import VersionId
from aura_vcs.repository.repository import Repository

_DENOMINATOR = 10**9


class TimelineMarker(msgspec.Struct, frozen=True):
    """A marker of a timeline: what it says, and where, in seconds; `note` is how the id of the note begins that it was
    made from, `path` the file that it is on where that is not the timeline.
    """

    text: str
    start: float
    end: float | None = None
    color: str = ""
    note: str = ""
    path: str | None = None


def has_project_markers(data: bytes) -> bool:
    """Tell whether a file is a project into which markers can be written."""
    return is_fcpxml(data) or is_mlt(data)


def read_project_markers(repo: Repository, version: VersionId, path: str, data: bytes) -> list[TimelineMarker]:
    """Read the markers of a project that lies at a path; those of media that the version has are on these."""
    record = repo.queries.version(version)
    found = []
    for marker in read_fcpxml_markers(data) if is_fcpxml(data) else read_mlt_markers(data):
        on = media_path(repo, path, marker.media) if marker.media else None
        entry = repo.trees.entry(record.tree, on) if record is not None and on is not None else None
        if marker.start > LONGEST_SECONDS or (marker.media and entry is None):
            continue
        end = float(marker.end) if marker.end is not None else None
        found.append(TimelineMarker(marker.text, float(marker.start), end, marker.color, marker.note, on))
    return found


def media_path(repo: Repository, project: str, resource: str) -> str | None:
    """Return the path in the folder of what a project names; None for what lies elsewhere, or is no file."""
    if os.path.isabs(resource):
        named = os.path.relpath(resource, repo.root).replace(os.sep, "/")
    else:
        named = posixpath.normpath(posixpath.join(posixpath.dirname(project), resource))
    return None if named.startswith("../") or unsafe_reason(named) else named


def with_notes(repo: Repository, where: str, path: str, data: bytes) -> tuple[bytes, int]:
    """Write the notes on a project into a copy of its bytes, those on its media into its clips; return how many.

    Raises:
        InputError: none of them has a place there.
    """
    markers = list(_markers(repo, notes(repo, where), ""))
    if not is_fcpxml(data):
        for resource in dict.fromkeys(read_bin_media(data)):
            on = media_path(repo, path, resource)
            if on is not None and on != path:
                markers += _markers(repo, notes(repo, on), resource) if _is_known(repo, on) else []
    written, count = with_fcpxml_markers(data, markers) if is_fcpxml(data) else with_mlt_markers(data, markers)
    if not count:
        raise InputError(f"No note on {path} is about a moment or stretch of it", hint="`aura note list` lists all.")
    return written, count


def _is_known(repo: Repository, path: str) -> bool:
    head = repo.head().version
    record = repo.queries.version(head) if head is not None else None
    return record is not None and repo.trees.entry(record.tree, path) is not None


def _markers(repo: Repository, found: Iterable[Note], media: str) -> Iterable[FileMarker]:
    for note in found:
        now = find_now(repo, note.target)
        is_found = now is not None and now.is_found
        start, end = (now.start, now.end) if now is not None and is_found else (note.target.start, note.target.end)
        if start is None:
            continue
        said = "\n".join([note.text, *(f"{reply.created_by}: {reply.text}" for reply in note.replies)])
        until = _fraction(end) if end is not None and end > start else None
        color = note.color.lower() or ("" if note.state == "resolved" else "red")
        yield FileMarker(said, _fraction(start), until, color, note.id, media, note.state == "resolved")


def _fraction(seconds: float) -> Fraction:
    return Fraction(round(seconds * _DENOMINATOR), _DENOMINATOR)
