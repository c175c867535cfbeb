"""Notes from the markers of timelines, and markers of OpenTimelineIO from notes: other programs show and write them."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from aura_vcs.annotations.notes import Note, add_notes, notes
from aura_vcs.annotations.places import DOCUMENT_BYTES, find_now, make_target
from aura_vcs.annotations.project_markers import TimelineMarker, has_project_markers, read_project_markers, with_notes
from aura_vcs.annotations.targets import LONGEST_SECONDS
from aura_vcs.errors import InputError
from aura_vcs.errors.input import InvalidTarget
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Timeline
from aura_vcs.formats.timeline.otio import is_otio, read_range
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.formats.timeline.timecode import frames_to_ticks, read_timecode
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.recording.unversioned_output import leave_unversioned
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.new_output import NewOutput

MARKERS_LIMIT = 10_000
HALF_A_FRAME = 0.025
RATE = 24.0
"""Frames per second of a timeline that is made for a file that does not say its own."""
_SPOKEN = re.compile(r"(?:(\d+) h )?(?:(\d+) min )?(\d+(?:\.\d+)?) s", re.ASCII)
_COLORS = frozenset({"PINK", "RED", "ORANGE", "YELLOW", "GREEN", "CYAN", "BLUE", "PURPLE", "MAGENTA", "BLACK", "WHITE"})


def read_markers(repo: Repository, where: str) -> list[TimelineMarker]:
    """Read the markers of a timeline as a version has it: those of the whole; of OpenTimelineIO also those of clips.

    Raises:
        UnknownVersion, UnknownName: there is no such file. InvalidTarget: it is no timeline that can be read.
    """
    target = make_target(repo, where)
    if target.path is None or target.content is None:
        raise InvalidTarget(where, "this names a version, not a timeline")
    entry = locate(repo, f"{target.version}:{target.path}").entry
    data = repo.store.read(entry.id) if entry.size <= DOCUMENT_BYTES else b""
    document = parse_document(data)
    if isinstance(document, ParsedDocument) and is_otio(document.value):
        return [*_of_otio(document.value)][:MARKERS_LIMIT]
    if has_project_markers(data) and target.version is not None:
        return read_project_markers(repo, target.version, target.path, data)
    timeline = read_project(target.path, data)
    if not isinstance(timeline, Timeline):
        raise InvalidTarget(where, f"it is not a timeline that can be read: {timeline.reason}")
    return [*_of_timeline(timeline)][:MARKERS_LIMIT]


def _of_timeline(timeline: Timeline) -> Iterator[TimelineMarker]:
    for name, rest in timeline.markers:
        said = json.loads(rest) if rest.startswith("{") else {}
        start = _seconds(str(said.get("at", "")), timeline)
        comment = said.get("comment")
        text = "\n".join(part for part in (name, comment if isinstance(comment, str) else "") if part)
        if start is not None and text:
            yield TimelineMarker(text, start)


def _seconds(text: str, timeline: Timeline) -> float | None:
    if (match := _SPOKEN.fullmatch(text)) is not None:
        hours, minutes, seconds = match.groups()
        return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)
    frames = read_timecode(text, timeline.rate) if timeline.rate[0] and timeline.rate[1] else None
    return None if frames is None else max(0, frames_to_ticks(frames, timeline.rate)) / TICKS_PER_SECOND


def _of_otio(document: Any) -> Iterator[TimelineMarker]:
    """Walk through a document: markers of stacks and tracks count from its start, those of clips from theirs."""
    timeline = document if document.get("tracks") else next(iter(document.get("children", [])), {})
    stack = timeline.get("tracks") if isinstance(timeline, dict) else None
    if not isinstance(stack, dict):
        return
    yield from _in(stack, 0.0, 0.0)
    for track in _dicts(stack.get("children")):
        yield from _in(track, 0.0, 0.0)
        start = 0.0
        for item in _dicts(track.get("children")):
            if str(item.get("OTIO_SCHEMA", "")).startswith("Transition"):
                continue
            played = read_range(item.get("source_range")) or (0, 0)
            yield from _in(item, start, played[0] / TICKS_PER_SECOND)
            start += played[1] / TICKS_PER_SECOND


def _in(item: dict[str, Any], start: float, begins: float) -> Iterator[TimelineMarker]:
    for marker in _dicts(item.get("markers")):
        found = read_range(marker.get("marked_range"))
        texts = [marker.get("name"), marker.get("comment")]
        text = "\n".join(dict.fromkeys(part for part in texts if isinstance(part, str) and part))
        if found is None or not text:
            continue
        at = start + max(0.0, found[0] / TICKS_PER_SECOND - begins)
        end = at + found[1] / TICKS_PER_SECOND if found[1] else None
        own = marker.get("metadata")
        note = own.get("aura") if isinstance(own, dict) else None
        known = note.get("note") if isinstance(note, dict) else None
        color = marker.get("color")
        if at <= LONGEST_SECONDS:
            name = color.lower() if isinstance(color, str) else ""
            yield TimelineMarker(text, at, end, name[:32], known if isinstance(known, str) else "")


def _dicts(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def import_markers(repo: Repository, where: str) -> list[Note]:
    """Make a note of each marker of a timeline that there is none of yet, in one operation; return the new ones.

    Raises:
        UnknownVersion, UnknownName, InvalidTarget: as `read_markers`.
    """
    target, found = make_target(repo, where), read_markers(repo, where)
    targets = {None: target} | {
        path: make_target(repo, f"{target.version}:{path}") for path in {item.path for item in found} if path
    }
    known = notes(repo, where) + notes(repo, state="deleted")
    known += [note for path in targets if path is not None for note in notes(repo, path)]
    said = [
        (msgspec.structs.replace(targets[item.path], start=round(item.start, 6), end=item.end), item.text, item.color)
        for item in found
        if item.text and not any(_is_of(item, note) for note in known)
    ]
    return add_notes(repo, said) if said else []


def _is_of(marker: TimelineMarker, note: Note) -> bool:
    """Tell whether a marker was made from a note, or says the same at the same moment, give or take half a frame."""
    if marker.note and note.id.startswith(marker.note):
        return True
    is_near = abs(marker.start - (note.target.start or 0)) <= HALF_A_FRAME
    return is_near and marker.text.split() == note.text.split()


def export_markers(repo: Repository, where: str, output: str) -> int:
    """Write a new file with the open and resolved notes on a file as markers; return how many.

    Of an OpenTimelineIO timeline, and of a project of Final Cut Pro, Kdenlive or Shotcut, it is a copy with markers
    more; of another file, or where the new name ends with `.otio`, a timeline of OpenTimelineIO that plays it.

    Raises:
        UnknownVersion, UnknownName: there is no such file. TargetExists. InputError: a note on it has no place in time.
    """
    target = make_target(repo, where)
    if target.path is None:
        raise InvalidTarget(where, "this names a version, not a file")
    entry = locate(repo, f"{target.version}:{target.path}").entry
    data = repo.store.read(entry.id) if entry.size <= DOCUMENT_BYTES else b""
    if not output.lower().endswith(".otio") and has_project_markers(data):
        copy, written = with_notes(repo, where, target.path, data)
        _write(repo, output, copy)
        return written
    document = parse_document(data) if data else None
    is_timeline = isinstance(document, ParsedDocument) and is_otio(document.value)
    header = None
    if not is_timeline:
        with StoredSource(repo).open(target.path, entry) as file:
            header = read_header(file)
    rate = (header.frames_per_second if header is not None else None) or RATE
    markers = [marker for note in notes(repo, where) if (marker := _marker(repo, note, rate)) is not None]
    if not markers:
        raise InputError(
            f"No note on {target.path} is about a moment or stretch of it", hint="`aura note list` lists all."
        )
    value: Any = document.value if isinstance(document, ParsedDocument) and is_timeline else None
    made = _with_markers(value, markers) if value is not None else _playing(target.path, rate, header, markers)
    _write(repo, output, json.dumps(made, indent=4, ensure_ascii=False).encode() + b"\n")
    return len(markers)


def _write(repo: Repository, output: str, data: bytes) -> None:
    """Write a new file, which the project does not version where it lies in its folder."""
    with NewOutput(output, folder=False) as out:
        with open(out.path, "wb") as file:
            file.write(data)
        out.publish()
    leave_unversioned(repo, os.path.abspath(output))


def _marker(repo: Repository, note: Note, rate: float) -> dict[str, Any] | None:
    now = find_now(repo, note.target)
    start, end = (now.start, now.end) if now is not None and now.is_found else (note.target.start, note.target.end)
    if start is None:
        return None
    said = "\n".join([note.text, *(f"{reply.created_by}: {reply.text}" for reply in note.replies)])
    color = note.color.upper() if note.color.upper() in _COLORS else "GREEN" if note.state == "resolved" else "RED"
    length = max(0.0, (end or start) - start)
    return {
        "OTIO_SCHEMA": "Marker.2",
        "metadata": {"aura": {"note": note.id, "state": note.state, "by": note.created_by, "at": note.created_at}},
        "name": note.text.splitlines()[0][:200],
        "color": color,
        "comment": said,
        "marked_range": _range(start, length, rate),
    }


def _range(start: float, length: float, rate: float) -> dict[str, Any]:
    times = {"start_time": start, "duration": length}
    rational = {key: {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": round(seconds * rate, 3)}
                for key, seconds in times.items()}  # fmt: skip
    return {"OTIO_SCHEMA": "TimeRange.1", **rational}


def _with_markers(document: Any, markers: list[dict[str, Any]]) -> Any:
    """Return the document with these markers on its stack, in place of those that were made of the same notes."""
    copied = json.loads(json.dumps(document))
    timeline = copied if copied.get("tracks") else copied["children"][0]
    ids = {marker["metadata"]["aura"]["note"] for marker in markers}

    def is_ours(marker: dict[str, Any]) -> bool:
        own = marker.get("metadata")
        said = own.get("aura") if isinstance(own, dict) else None
        return isinstance(said, dict) and said.get("note") in ids

    kept = [marker for marker in _dicts(timeline["tracks"].get("markers")) if not is_ours(marker)]
    timeline["tracks"]["markers"] = [*kept, *markers]
    return copied


def _playing(path: str, rate: float, header: Any, markers: list[dict[str, Any]]) -> dict[str, Any]:
    """Build a timeline that plays a file, with markers on its stack."""
    ends = [m["marked_range"]["start_time"]["value"] + m["marked_range"]["duration"]["value"] for m in markers]
    seconds = (header.seconds if header is not None else None) or max(ends) / rate + 1
    clip = {
        "OTIO_SCHEMA": "Clip.2",
        "name": path.rpartition("/")[2],
        "source_range": _range(0.0, seconds, rate),
        "media_references": {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": path}},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }
    track = {"OTIO_SCHEMA": "Track.1", "name": "V1", "kind": "Video", "children": [clip]}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track], "markers": markers}
    return {"OTIO_SCHEMA": "Timeline.1", "name": path, "tracks": stack}
