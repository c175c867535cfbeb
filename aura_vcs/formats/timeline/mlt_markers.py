"""Markers of MLT documents: guides of Kdenlive's sequences, markers of the clips in its bin, markers of Shotcut."""

import json
from collections.abc import Iterator, Sequence
from fractions import Fraction

from aura_vcs.formats.jsondoc.parse import Unstructured, value_in
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.file_markers import FileMarker, tagged, untagged
from aura_vcs.formats.timeline.mlt import MltReader
from aura_vcs.formats.timeline.mlt_notes import MARKERS_LIMIT
from aura_vcs.formats.timeline.mlt_parts import properties_of, read_frames
from aura_vcs.formats.timeline.timecode import Rate
from aura_vcs.formats.xmldoc.edit import Tree, XmlEdits
from aura_vcs.formats.xmldoc.parse import Element, parse_xml_of

_GUIDES = ("kdenlive:sequenceproperties.guides", "kdenlive:docproperties.guides")
_CLIP_MARKERS = "kdenlive:markers"
_SHOTCUT = "shotcut:markers"
_COLORS = ("purple", "blue", "green", "", "yellow", "orange", "", "", "red")
"""What the categories of Kdenlive are painted in; the first is that of a marker of which nobody said anything."""
_FRAMES = 10**9


def read_mlt_markers(data: bytes) -> list[FileMarker]:
    """List the guides of the main sequence, and the markers of clips in the bin with what they play."""
    reader = _reader(data)
    if reader is None:
        return []
    found: list[FileMarker] = []
    holder, name = _guides(reader)
    if holder is not None and name:
        found += _read(properties_of(holder).get(name, ""), reader.rate, "")
    for _, tractor in reader.sequences()[:1]:
        found += _of_shotcut(tractor, reader.rate)
    for producer in reader.in_bin.values():
        properties = properties_of(producer)
        found += _read(properties.get(_CLIP_MARKERS, ""), reader.rate, properties.get("resource", ""))
    return found[:MARKERS_LIMIT]


def read_bin_media(data: bytes) -> list[str]:
    """List what the clips in the bin of Kdenlive play, as the project names it."""
    reader = _reader(data)
    producers = reader.in_bin.values() if reader is not None else ()
    return [resource for each in producers if (resource := properties_of(each).get("resource", ""))]


def with_mlt_markers(data: bytes, markers: Sequence[FileMarker]) -> tuple[bytes, int]:
    """Write markers as guides, those of media into the clips of the bin that play these; return how many had a place.

    What was made of the same notes before is taken out; all else keeps every byte.
    """
    reader = _reader(data)
    if reader is None or not reader.document.is_editable:
        return data, 0
    edits = XmlEdits(reader.document)
    guides = [marker for marker in markers if not marker.media]
    written = 0
    if reader.flavour == "kdenlive":
        holder, name = _guides(reader)
        if holder is not None and guides:
            _put(edits, holder, name, guides, reader.rate)
            written += len(guides)
        for producer in reader.in_bin.values():
            resource = properties_of(producer).get("resource", "")
            own = [marker for marker in markers if marker.media and marker.media == resource]
            if own:
                _put(edits, producer, _CLIP_MARKERS, own, reader.rate)
                written += len(own)
    elif guides and (sequences := reader.sequences()):
        _put_shotcut(edits, sequences[0][1], guides, reader.rate)
        written += len(guides)
    return edits.render(), written


def _reader(data: bytes) -> MltReader | None:
    document = parse_xml_of(data, "mlt", "MLT document")
    return None if isinstance(document, Unstructured) else MltReader(document)


def _guides(reader: MltReader) -> tuple[Element | None, str]:
    """Find the element that holds the guides, and the property that they are in."""
    if reader.bin is None:
        return None, ""
    sequences = reader.sequences()
    if sequences and "kdenlive:uuid" in properties_of(sequences[0][1]):
        return sequences[0][1], _GUIDES[0]
    return reader.bin, _GUIDES[1]


def _entries(text: str) -> list[dict[str, JsonValue]]:
    found = value_in(text)
    return [entry for entry in found if isinstance(entry, dict)][:MARKERS_LIMIT] if isinstance(found, list) else []


def _read(text: str, rate: Rate, media: str) -> Iterator[FileMarker]:
    for entry in _entries(text):
        at, comment, length, kind = (entry.get(key) for key in ("pos", "comment", "duration", "type"))
        if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at < _FRAMES or not isinstance(comment, str):
            continue
        said, note = untagged(comment)
        start = _seconds(at, rate)
        is_long = isinstance(length, int) and 0 < length < _FRAMES
        end = start + _seconds(length, rate) if is_long and isinstance(length, int) else None
        color = _COLORS[kind] if isinstance(kind, int) and 0 < kind < len(_COLORS) else ""
        if said.strip() or note:
            yield FileMarker(said.strip(), start, end, color, note, media)


def _of_shotcut(tractor: Element, rate: Rate) -> Iterator[FileMarker]:
    for each in _shotcut_markers(tractor):
        marker = properties_of(each)
        at, until = (read_frames(marker.get(key, ""), rate) for key in ("start", "end"))
        said, note = untagged(marker.get("text", ""))
        if at is not None and 0 <= at < _FRAMES and (said.strip() or note):
            end = _seconds(until, rate) if until is not None and at < until < _FRAMES else None
            yield FileMarker(said.strip(), _seconds(at, rate), end, note=note)


def _shotcut_markers(tractor: Element) -> Iterator[Element]:
    for holder in tractor.all("properties"):
        if holder.get("name") == _SHOTCUT:
            yield from holder.all("properties")


def _put(edits: XmlEdits, holder: Element, name: str, markers: Sequence[FileMarker], rate: Rate) -> None:
    """Write entries into a property of an element, which may not have it yet."""
    before = _entries(properties_of(holder).get(name, ""))
    notes = [marker.note for marker in markers if marker.note]
    kept = [entry for entry in before if not _is_of(entry.get("comment"), notes)]
    made: list[dict[str, JsonValue]] = [_entry(marker, rate) for marker in markers]
    every = sorted([*kept, *made], key=lambda entry: at if isinstance(at := entry.get("pos"), int) else 0)
    text = json.dumps(every, indent=4, ensure_ascii=False) + "\n"
    known = next((child for child in holder.all("property") if child.get("name") == name), None)
    if known is not None:
        edits.set_text(known, text)
        return
    place = next((n for n, child in enumerate(holder.children) if child.tag != "property"), len(holder.children))
    tree: Tree = {"tag": "property", "attributes": {"name": name}, "text": text}
    edits.set_children(holder, [*holder.children[:place], tree, *holder.children[place:]])


def _entry(marker: FileMarker, rate: Rate) -> dict[str, JsonValue]:
    start = _frames(marker.start, rate)
    length = max(0, _frames(marker.end, rate) - start) if marker.end is not None else 0
    kind = _COLORS.index(marker.color) if marker.color in _COLORS[1:] and marker.color else 0
    text = tagged(" ".join(marker.text.split()), marker.note)
    return {"comment": text, "duration": length, "pos": start, "type": kind}


def _put_shotcut(edits: XmlEdits, tractor: Element, markers: Sequence[FileMarker], rate: Rate) -> None:
    notes = [marker.note for marker in markers if marker.note]
    holder = next((each for each in tractor.all("properties") if each.get("name") == _SHOTCUT), None)
    kept = list(holder.children) if holder is not None else []
    kept = [each for each in kept if not _is_of(properties_of(each).get("text"), notes)]
    taken = [int(each.get("name")) for each in kept if each.get("name").isdecimal() and len(each.get("name")) < 9]
    first = max(taken, default=-1) + 1
    made = [_shotcut_tree(first + number, marker, rate) for number, marker in enumerate(markers)]
    if holder is not None:
        edits.set_children(holder, [*kept, *made])
        return
    place = next((n for n, child in enumerate(tractor.children) if child.tag != "property"), len(tractor.children))
    tree: Tree = {"tag": "properties", "attributes": {"name": _SHOTCUT}, "children": made}
    edits.set_children(tractor, [*tractor.children[:place], tree, *tractor.children[place:]])


def _shotcut_tree(number: int, marker: FileMarker, rate: Rate) -> Tree:
    start = _frames(marker.start, rate)
    end = max(start, _frames(marker.end, rate)) if marker.end is not None else start
    values = {"text": tagged(marker.text, marker.note), "start": str(start), "end": str(end)}
    children = [{"tag": "property", "attributes": {"name": key}, "text": text} for key, text in values.items()]
    return {"tag": "properties", "attributes": {"name": str(number)}, "children": children}


def _is_of(comment: object, notes: Sequence[str]) -> bool:
    said = untagged(comment)[1] if isinstance(comment, str) else ""
    return bool(said) and any(note.startswith(said) for note in notes)


def _seconds(frames: int, rate: Rate) -> Fraction:
    return Fraction(frames * rate[1], rate[0])


def _frames(seconds: Fraction, rate: Rate) -> int:
    return round(seconds * rate[0] / rate[1])
