"""MLT documents (Kdenlive, Shotcut) as cuts that merge: what clips play is said in full, never by ids of one file."""

import re
from typing import Any

from msgspec import Struct, structs

from aura_vcs.compare.merge.cut_model import Cut, Piece, Record
from aura_vcs.formats.jsondoc.parse import value_in
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.mlt import MltReader
from aura_vcs.formats.timeline.mlt_notes import is_noise
from aura_vcs.formats.timeline.mlt_parts import is_internal, properties_of, split_speed
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument

DEPTH = 8
REFERRING = ("entry", "track")
"""Elements whose attribute `producer` names another one."""
_NUMBERS = re.compile(r"[-+\d.,;:=~|\s%*/xX!@]+")
_COMMA, _POINT = re.compile(r"(?<=\d),(?=\d)"), re.compile(r"(?<=\d)\.(?=\d)")
_DROPPED = re.compile(
    r"_.*|kdenlive:(?:monitorPosition|activeeffect|collapsed|zone.*|thumbs.*|audio_max.*)|xml|global_feed"
)
GUIDES = ("kdenlive:docproperties.guides", "kdenlive:sequenceproperties.guides", "kdenlive:markers")
GROUPS = ("kdenlive:docproperties.groups", "kdenlive:sequenceproperties.groups")


class Place(Struct, frozen=True):
    """Where a clip is in the document, and what it plays there."""

    entry: Element
    playlist: Element
    producer: Element | None


class Sequence(Struct, frozen=True):
    """The id of a nested sequence in its document, and the one that holds over saves."""

    id: str
    uuid: str


class MltCut:
    """One document as a cut, with the elements that its parts come from."""

    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.reader = MltReader(document)
        self.commas = self.reader.has_commas
        self.bodies: dict[int, Record] = {}
        self.bin_names: dict[str, str] = {}
        self.bin: dict[str, Element] = {}
        self.places: dict[str, Place] = {}
        self.tractors: dict[str, Element] = {}
        self.tracks: dict[str, tuple[Element, Element, tuple[Element, ...]]] = {}
        self.compositions: dict[str, list[tuple[Element, Record]]] = {}
        self.sequences = [
            Sequence(e.get("id"), uuid)
            for e in self.reader.root.all("tractor")
            if (uuid := properties_of(e).get("kdenlive:uuid"))
        ]
        self._read_bin()
        self.cut = self._read()
        times = [entry.get("out") for entry in self.reader.root.walk() if entry.tag in ("entry", "producer", "chain")]
        written = [text for text in times if text]
        self.uses_clock = any(":" in text for text in written)
        self.clock_comma = any(":" in text and "," in text for text in written)

    def _read_bin(self) -> None:
        """Read what the editor calls the media of its bin: an id that holds over saves, or what they are."""
        for entry in self.reader.bin.all("entry") if self.reader.bin is not None else ():
            producer = self.reader.by_id.get(entry.get("producer"))
            found = properties_of(producer) if producer is not None else {}
            if producer is None or "kdenlive:uuid" in found or producer.tag == "tractor":
                continue
            name = found.get("kdenlive:control_uuid") or found.get("resource") or digest_of(found)
            number = found.get("kdenlive:id")
            while name in self.bin:
                name += " again"
            self.bin[name] = producer
            if number:
                self.bin_names[number] = name

    def _read(self) -> Cut:
        pieces: list[Piece] = []
        free: set[str] = set()
        tracks: Record = {}
        sequences: Record = {}
        for number, (_, tractor) in enumerate(self.reader.sequences()):
            key = properties_of(tractor).get("kdenlive:uuid", "") if number else ""
            self.tractors[key] = tractor
            places: dict[int, str] = {}
            for index, source, lists, element in self._lists(tractor):
                name = f"{key} {index}".strip()
                places[index] = name
                self.tracks[name] = (element, source, lists)
                tracks[name] = self._holder(source, lists, element)
                found = [piece for part, playlist in enumerate(lists) for piece in self._pieces(playlist, name, part)]
                mixes = [t for t in source.all("transition") if not is_internal(t)] if len(lists) > 1 else []
                if mixes or any(p.body["part"] for p in found):
                    free.add(name)
                self._attach(mixes, found, name, "mixes")
                pieces += sorted(found, key=lambda p: p.start)
            sequences[key] = self._sequence(tractor, pieces, places)
        self._number(pieces)
        named = tuple(self.renamed)
        rest: Record = {"tracks": tracks, "sequences": sequences, "bin": {n: self.body(e) for n, e in self.bin.items()}}
        rest["project"] = self._properties(self.reader.bin) if self.reader.bin is not None else {}
        profile = self.reader.root.find("profile")
        rest["profile"] = dict(profile.attributes) if profile is not None else {}
        return Cut(named, tuple(tracks), rest, self.reader.rate, frozenset(free))

    def _lists(self, tractor: Element) -> list[tuple[int, Element, tuple[Element, ...], Element]]:
        """List the tracks of a sequence that have clips: number, source, playlists, and the element that names it."""
        if tractor.tag == "playlist":
            return [(0, tractor, (tractor,), tractor)]
        found = []
        for n, track in enumerate((tractor.find("multitrack") or tractor).all("track")):
            source = self.reader.by_id.get(track.get("producer"))
            lists = self.reader.playlists(source) if source is not None and not self.reader.is_black(source) else ()
            if source is not None and lists:
                found.append((n, source, lists, track))
        return found

    def _pieces(self, playlist: Element, track: str, part: int) -> list[Piece]:
        at, found = 0, []
        for child in playlist.children:
            if child.tag == "blank":
                at += max(0, self.reader.frames(child.get("length")))
                continue
            if child.tag != "entry":
                continue
            producer = self.reader.by_id.get(child.get("producer"))
            first = self.reader.frames(child.get("in"))
            last = self.reader.frames(child.get("out"), self.reader.last_of(producer))
            length = max(0, last - first + 1)
            plays = self.body(producer) if producer is not None else {"missing": child.get("producer")}
            body: Record = {"entry": self.children(child), "plays": plays, "part": part}
            name, media = self._called(child, producer)
            speed = _speed(producer)
            piece = Piece(f"{len(self.places)}", track, at, length, first, body, name, media, speed=speed)
            self.places[piece.id] = Place(child, playlist, producer)
            found.append(piece)
            at += length
        return found

    def _called(self, entry: Element, producer: Element | None) -> tuple[str, str]:
        """Return the name of a clip, and what it plays."""
        if producer is None:
            return "missing", entry.get("producer")
        found = properties_of(producer)
        known = properties_of(entry).get("kdenlive:id") or found.get("kdenlive:id", "")
        home = self.bin_names.get(known, "")
        resource = found.get("resource", "").strip()
        _, _, path = split_speed(resource) if found.get("mlt_service") == "timewarp" else ("", 1.0, resource)
        named = properties_of(self.bin[home]) if home else found
        name = named.get("kdenlive:clipname") or found.get("shotcut:caption") or path.rpartition("/")[2]
        name = name or found.get("kdenlive:clipname", "") or found.get("shotcut:transition", "") or producer.tag
        if found.get("kdenlive:uuid") and producer.tag == "tractor":
            return name, f"sequence {found['kdenlive:uuid']}"
        if producer.tag in ("tractor", "playlist"):
            return name, f"{producer.tag} {digest_of(self.body(producer))}"
        title = digest_of(found["xmldata"]) if "xmldata" in found else ""
        return name, title or path or home

    def _number(self, pieces: list[Piece]) -> None:
        """Call clips by track and name, so that a person finds them."""
        counts: dict[str, int] = {}
        self.renamed: list[Piece] = []
        places: dict[str, Place] = {}
        names = {
            track: properties_of(source).get("kdenlive:track_name") or properties_of(source).get("shotcut:name")
            for track, (_, source, _) in self.tracks.items()
        }
        for piece in pieces:
            name = f"{names.get(piece.track) or 'track ' + piece.track} {piece.name}"
            counts[name] = counts.get(name, 0) + 1
            called = name if counts[name] == 1 else f"{name} ({counts[name]})"
            self.renamed.append(structs.replace(piece, id=called))
            places[called] = self.places[piece.id]
        self.places = places

    def body(self, producer: Element, depth: int = 0) -> Record:
        """Describe what a producer, a chain, a nested tractor or playlist is, without ids."""
        known = self.bodies.get(id(producer))
        if known is not None:
            return known
        found = properties_of(producer)
        if producer.tag == "tractor" and found.get("kdenlive:uuid"):
            made: Record = {"sequence": found["kdenlive:uuid"]}
        else:
            attributes = {
                key: self.point(value) for key, value in producer.attributes.items() if key not in ("id", "title")
            }
            made = {"tag": producer.tag, "attributes": attributes, "children": self.children(producer, depth)}
        self.bodies[id(producer)] = made
        return made

    def children(self, element: Element, depth: int = 0) -> list[JsonValue]:
        """List what is in an element, without what means nothing."""
        return [self.canonical(child, depth) for child in element.children if not dropped(child)]

    def canonical(self, element: Element, depth: int = 0) -> Record:
        """Describe an element without ids of its file, with points in its numbers."""
        attributes = {k: self.point(v) for k, v in element.attributes.items() if k != "id"}
        made: Record = {"tag": element.tag, "attributes": attributes}
        if element.tag in REFERRING and "producer" in attributes:
            producer = self.reader.by_id.get(attributes.pop("producer"))
            if producer is not None and depth < DEPTH:
                made["plays"] = self.body(producer, depth + 1)
        text = element.text if not element.children else element.text.strip()
        if element.get("name") == "kdenlive:id" and text in self.bin_names:
            made["bin"] = self.bin_names[text]
        elif text:
            made["text"] = self.point(text)
        if element.children:
            made["children"] = self.children(element, depth)
        return made

    def point(self, value: str) -> str:
        """Write a value with points in its decimals."""
        return _COMMA.sub(".", value) if self.commas and _NUMBERS.fullmatch(value) else value

    def local(self, value: str) -> str:
        """Write a value as this document writes decimals."""
        return _POINT.sub(",", value) if self.commas and _NUMBERS.fullmatch(value) else value

    def _holder(self, source: Element, lists: tuple[Element, ...], track: Element) -> Record:
        """Describe what a track says of itself."""
        said = {"filters": [self.canonical(f) for f in source.all("filter")], "hide": track.get("hide")}
        properties: Record = {}
        for element in dict.fromkeys((*lists, source)):
            properties |= self._properties(element)
        return {**said, "properties": properties}

    def _properties(self, element: Element) -> Record:
        found: Record = {}
        for name, value in properties_of(element).items():
            if name not in GROUPS and not is_noise(name):
                found[name] = self.property_value(name, value)
        return found

    def property_value(self, name: str, text: str) -> JsonValue:
        """Read what a property says; lists of markers as JSON."""
        return _as_json(text) if name in GUIDES else self.point(text)

    def _sequence(self, tractor: Element, pieces: list[Piece], places: dict[int, str]) -> Record:
        """Describe what a sequence says of itself; transitions between tracks belong to the clip that they begin on."""
        loose: list[JsonValue] = []
        for transition in tractor.all("transition"):
            found = properties_of(transition)
            if is_internal(transition) or "in" not in transition.attributes:
                continue
            track = places.get(self.reader.frames(found.get("b_track", ""), -1), "")
            mine = [piece for piece in pieces if piece.track == track]
            if not self._attach([transition], mine, track, "compositions"):
                loose.append(self.canonical(transition))
        filters = [self.canonical(f) for f in tractor.all("filter")]
        more = [self.canonical(f) for f in tractor.all("properties")]
        return {"properties": self._properties(tractor), "filters": filters, "loose": loose, "more": more}

    def _attach(self, transitions: list[Element], pieces: list[Piece], track: str, kind: str) -> bool:
        """Tell transitions of the clip that they begin on, by how far behind its beginning that is."""
        done = bool(transitions)
        for transition in transitions:
            start, end = (self.reader.frames(transition.get(key)) for key in ("in", "out"))
            on = [p for p in pieces if p.start <= start < p.start + p.length]
            if kind == "mixes":
                on = [p for p in on if p.start == start] or on
            if not on:
                done = False
                continue
            made = self.canonical(transition)
            for key in ("in", "out"):
                made["attributes"].pop(key, None)
            record = {"offset": start - on[-1].start, "length": end - start + 1, "transition": made}
            on[-1].body.setdefault(kind, []).append(record)
            self.compositions.setdefault(track, []).append((transition, record))
        return done


def _speed(producer: Element | None) -> str:
    """Say how fast media are played, "" for as they are."""
    found = properties_of(producer) if producer is not None else {}
    return found.get("resource", "").partition(":")[0] if found.get("mlt_service") == "timewarp" else ""


def dropped(element: Element) -> bool:
    """Tell whether an element is a property that means nothing."""
    return element.tag == "property" and _DROPPED.fullmatch(element.get("name")) is not None


def _as_json(text: str) -> Any:
    value = value_in(text)
    return {"json": value} if isinstance(value, list | dict) else text
