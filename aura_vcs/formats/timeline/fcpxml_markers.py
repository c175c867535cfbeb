"""Markers of Final Cut Pro XML: they stand in the clips and gaps of the storyline, in the time of each."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from msgspec import Struct

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.fcpxml import NESTING, STORY
from aura_vcs.formats.timeline.file_markers import FileMarker, combined, on_frame, read_seconds, tagged
from aura_vcs.formats.xmldoc.edit import Tree, XmlEdits
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, parse_xml

MARKERS = ("marker", "chapter-marker")
MARKERS_LIMIT = 10_000
_BEHIND = ("audio-channel-source", "audio-role-source", "filter-video", "filter-video-mask", "filter-audio", "metadata")
"""What stands behind markers in a clip, as the document type asks for."""


class _Holder(Struct, frozen=True):
    """What can hold markers: where it begins on the timeline, its own time there, and how long it is."""

    element: Element
    place: Fraction
    start: Fraction
    duration: Fraction
    is_main: bool


def read_fcpxml_markers(data: bytes) -> list[FileMarker]:
    """List the markers of the first project, also of connected clips, at their places on the timeline."""
    document = parse_xml(data)
    return [] if isinstance(document, Unstructured) else [marker for marker, _ in _markers(document)]


def _markers(document: XmlDocument) -> Iterator[tuple[FileMarker, Element]]:
    count = 0
    for holder in _holders(document):
        for element in holder.element.all(*MARKERS):
            at = read_seconds(element.get("start"))
            text, note = combined(element.get("value"), element.get("note"))
            if at is None or not (text or note) or count >= MARKERS_LIMIT:
                continue
            count += 1
            start = max(Fraction(0), holder.place + at - holder.start)
            length = read_seconds(element.get("duration")) or Fraction(0)
            frame = _frame(document)
            end = start + length if length > frame else None
            yield FileMarker(text, start, end, note=note, is_resolved=element.get("completed") == "1"), element


def with_fcpxml_markers(data: bytes, markers: Sequence[FileMarker]) -> tuple[bytes, int]:
    """Write markers into the clips of the first project that play at their times; return how many had one.

    What was made of the same notes before is taken out; all else keeps every byte.
    """
    document = parse_xml(data)
    if isinstance(document, Unstructured) or not document.is_editable:
        return data, 0
    holders = [holder for holder in _holders(document) if holder.is_main]
    frame = _frame(document)
    rate = (frame.denominator, frame.numerator)
    notes = {marker.note for marker in markers if marker.note}
    old = {id(e) for found, e in _markers(document) if any(note.startswith(found.note) for note in notes if found.note)}
    added: dict[int, list[Tree]] = {}
    written = 0
    for marker in markers:
        at = on_frame(marker.start, rate)
        found = next((h for h in holders if h.place <= at < h.place + h.duration), None)
        if found is not None:
            written += 1
            added.setdefault(id(found.element), []).append(_tree(marker, found.start + at - found.place, frame))
    edits = XmlEdits(document)
    for holder in _holders(document):
        children = [child for child in holder.element.children if id(child) not in old]
        place = next((n for n, child in enumerate(children) if child.tag in _BEHIND), len(children))
        new: list[Element | Tree] = [*children[:place], *added.pop(id(holder.element), ()), *children[place:]]
        if len(new) != len(children) or len(children) != len(holder.element.children):
            edits.set_children(holder.element, new)
    return edits.render(), written


def _tree(marker: FileMarker, at: Fraction, frame: Fraction) -> Tree:
    length = (
        max(frame, on_frame(marker.end - marker.start, (frame.denominator, frame.numerator))) if marker.end else frame
    )
    attributes = {
        "start": _written(at),
        "duration": _written(length),
        "value": marker.text.splitlines()[0][:200],
        "completed": "1" if marker.is_resolved else "0",
        "note": tagged(marker.text, marker.note),
    }
    return {"tag": "marker", "attributes": attributes}


def _written(seconds: Fraction) -> str:
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"


def _frame(document: XmlDocument) -> Fraction:
    sequence = _sequence(document)
    formats = (each for holder in document.root.all("resources") for each in holder.all("format"))
    wanted = sequence.get("format") if sequence is not None else ""
    found = next((read_seconds(each.get("frameDuration")) for each in formats if each.get("id") == wanted), None)
    return found if found is not None and 0 < found <= 1 else Fraction(1, 25)


def _sequence(document: XmlDocument) -> Element | None:
    project = next((element for element in document.root.walk() if element.tag == "project"), None)
    return project.find("sequence") if project is not None else None


def _holders(document: XmlDocument) -> Iterator[_Holder]:
    sequence = _sequence(document)
    spine = sequence.find("spine") if sequence is not None else None
    if spine is not None:
        yield from _in_spine(spine, Fraction(0), Fraction(0), depth=0)


def _in_spine(spine: Element, place: Fraction, start: Fraction, depth: int) -> Iterator[_Holder]:
    at = Fraction(0)
    for child in spine.children:
        if child.tag not in STORY and child.tag != "gap":
            continue
        offset = read_seconds(child.get("offset"))
        offset = at if offset is None else offset
        length = max(Fraction(0), read_seconds(child.get("duration")) or Fraction(0))
        at = offset + length
        yield from _in_clip(child, place + offset - start, length, depth, is_main=depth == 0)


def _in_clip(element: Element, place: Fraction, length: Fraction, depth: int, *, is_main: bool) -> Iterator[_Holder]:
    start = read_seconds(element.get("start")) or Fraction(0)
    yield _Holder(element, place, start, length, is_main and element.tag != "audition")
    if depth > NESTING:
        return
    for child in element.children:
        if "lane" not in child.attributes:
            continue
        inner = place + (read_seconds(child.get("offset")) or Fraction(0)) - start
        if child.tag == "spine":
            yield from _in_spine(child, inner, Fraction(0), depth + 1)
        elif child.tag in STORY:
            own = max(Fraction(0), read_seconds(child.get("duration")) or Fraction(0))
            yield from _in_clip(child, inner, own, depth + 1, is_main=False)
