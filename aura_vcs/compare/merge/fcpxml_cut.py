"""Final Cut Pro XML as cuts that merge: what stands in a storyline are clips, what is connected to one goes with it.

Ids of resources and styles mean nothing outside of one file: a clip says what it plays by what the resource is. Each
sequence, compound clips included, is a track. Times are exact: whole flicks, of which every frame rate and sample rate
in use has a whole number.
"""

import re
from collections.abc import Sequence
from fractions import Fraction

from msgspec import structs

from aura_vcs.compare.merge.cut_model import Cut, Piece, Record
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.fcpxml import STORY
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument

FLICKS = 705_600_000
"""In a second: a multiple of 24, 25, 30, 48, 60, 90, 120 thousand, of 1000/1001 of those, and of sample rates."""
REFERRING = ("ref", "format", "dataLocator")
"""Attributes that name a resource of the file by its id."""
STYLE = "\0style "
"""Begins what is said for the id of a style; for that of a resource it is NUL and the resource's name."""
TIMES = ("offset", "start", "duration")
_TIME = re.compile(r"(-?\d{1,18})(?:/(\d{1,12}))?s", re.ASCII)
_LONGEST = 10**7
"""Seconds of the longest time that is believed."""


class FcpxmlCut:
    """One document as a cut, with the elements that its parts come from.

    Raises:
        ValueError: it cannot be merged by clip; the message says why.
    """

    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.root = document.root
        self.resources: dict[str, Element] = {}
        self.keys: dict[str, str] = {}
        self.places: dict[str, Element] = {}
        self.spines: dict[str, tuple[Element, Element]] = {}
        self.transitions: dict[str, list[Element]] = {}
        self.holder = self.root.find("resources")
        self.styles = self._styles()
        self._read_resources()
        self.cut = self._read()
        self.frame = digest_of(self._skeleton(self.root))

    def _styles(self) -> dict[str, str]:
        """Name styles of titles by their place in their title: ids are given anew at every save."""
        found: dict[str, str] = {}
        for element in self.root.walk():
            for n, style in enumerate(element.all("text-style-def")):
                found.setdefault(style.get("id"), f"{STYLE}{n}")
        return found

    def _read_resources(self) -> None:
        """Give every resource a name that holds over saves: what it is, never its id."""
        found = list(self.holder.children) if self.holder is not None else []
        for resource in found:
            told = (
                resource.get("uid")
                or resource.get("src")
                or next((r.get("src") for r in resource.all("media-rep")), "")
            )
            told = told or digest_of(
                [resource.get("name"), {k: v for k, v in resource.attributes.items() if k != "id"}]
            )
            key = f"{resource.tag} {told}"
            while key in self.resources:
                key += " again"
            self.resources[key] = resource
            self.keys[resource.get("id")] = key

    def _read(self) -> Cut:
        pieces: list[Piece] = []
        sequences: Record = {}
        for key, sequence in self._sequences():
            spine = sequence.find("spine")
            if spine is None:
                continue
            if key in self.spines:
                raise ValueError("it has two projects of one name")
            self.spines[key] = sequence, spine
            pieces += self._spine(spine, key, read_flicks(sequence.get("tcStart")))
            sequences[key] = {
                "attributes": self._attributes(sequence, without=("duration",)),
                "children": [self.canonical(child) for child in sequence.children if child is not spine],
            }
        if not self.spines:
            raise ValueError("it has no project with a storyline in it")
        rest: Record = {
            "resources": {key: self.resource_body(element) for key, element in self.resources.items()},
            "sequences": sequences,
        }
        return Cut(tuple(pieces), tuple(self.spines), rest, (FLICKS, 1))

    def _sequences(self) -> list[tuple[str, Element]]:
        """List the sequences of projects, then those of compound clips, under names that hold over saves."""
        found = []
        for project in (e for e in self.root.walk() if e.tag == "project"):
            name = f"project {project.get('uid') or project.get('name')}"
            found += [(name, sequence) for sequence in project.all("sequence")]
        for key, resource in self.resources.items():
            found += [(key, sequence) for sequence in resource.all("sequence") if resource.tag == "media"]
        return found

    def _spine(self, spine: Element, track: str, zero: int) -> list[Piece]:
        """Read a storyline: clips, and gaps with something connected; transitions go with the clip behind them."""
        pieces: list[Piece] = []
        waiting: list[Element] = []
        at = zero
        for child in spine.children:
            if child.tag == "transition":
                waiting.append(child)
                continue
            if child.tag not in STORY and child.tag != "gap":
                raise ValueError(f"there is a {child.tag} in a storyline")
            start = read_flicks(child.get("offset"), at)
            if start < at:
                raise ValueError("clips of its storyline overlap")
            length = self.length_of(child)
            at = start + length
            if child.tag == "gap" and not child.children and not waiting:
                continue
            piece = self._piece(child, track, start - zero, length)
            stem = piece.name if track == next(iter(self.spines)) else f"{track.partition(' ')[2]} {piece.name}"
            name, number = stem, 2
            while name in self.places:
                name, number = f"{stem} ({number})", number + 1
            self._attach(piece, waiting, start, "before")
            waiting = []
            pieces.append(structs.replace(piece, id=name))
            self.places[name] = child
        if waiting and pieces:
            last = pieces[-1]
            self._attach(last, waiting, last.start + zero, "after")
        elif waiting:
            raise ValueError("a transition stands where there is no clip")
        return pieces

    def _attach(self, piece: Piece, transitions: Sequence[Element], start: int, word: str) -> None:
        for transition in transitions:
            made = self.canonical(transition)
            offset = read_flicks(made["attributes"].pop("offset", ""), start)
            piece.body.setdefault(word, []).append({"by": offset - start, "transition": made})

    def _piece(self, element: Element, track: str, start: int, length: int) -> Piece:
        body = self.canonical(element)
        for name in TIMES:
            body["attributes"].pop(name, None)
        resource = self.resources.get(self.keys.get(_plays(element), ""))
        media = self.keys.get(_plays(element), "") or f"{element.tag}"
        name = element.get("name") or (resource.get("name") if resource is not None else "") or element.tag
        timing = element.find("timeMap")
        speed = "" if timing is None else digest_of(self.canonical(timing))
        return Piece("", track, start, length, self.first_of(element), body, name, media, speed=speed)

    def first_of(self, element: Element) -> int:
        """Return from where of its media an element plays."""
        if "start" in element.attributes:
            return read_flicks(element.get("start"))
        resource = self.resources.get(self.keys.get(element.get("ref"), ""))
        return read_flicks(resource.get("start")) if resource is not None and element.tag == "asset-clip" else 0

    def length_of(self, element: Element) -> int:
        """Return how long an element plays; what says nothing of it plays all of its media."""
        if element.tag == "audition":  # the first clip in it is the one that plays
            return self.length_of(element.children[0]) if element.children else 0
        resource = self.resources.get(self.keys.get(element.get("ref"), ""))
        said = element.get("duration") or (resource.get("duration") if resource is not None else "")
        if not said and resource is not None and (sequence := resource.find("sequence")) is not None:
            said = sequence.get("duration")
        length = read_flicks(said)
        if length < 0 or not said:
            raise ValueError(f"nothing says how long {element.get('name') or 'a clip'} is")
        return length

    def resource_body(self, resource: Element) -> Record:
        """Describe a resource; the storyline of a compound clip is a track, and bookmarks are of one computer."""
        inner = [s for s in resource.all("sequence") if resource.tag == "media" and s.find("spine") is not None]
        children = [c for c in resource.children if c not in inner]
        made: Record = {"tag": resource.tag, "attributes": self._attributes(resource, without=("id",))}
        made["children"] = [self.canonical(_without_bookmark(child)) for child in children if child.tag != "bookmark"]
        return made

    def _attributes(self, element: Element, *, without: Sequence[str] = ()) -> Record:
        return {k: self.named(k, v) for k, v in element.attributes.items() if k not in without}

    def named(self, attribute: str, value: str) -> str:
        """Write an attribute with the name of the resource for its id."""
        return "\0" + self.keys[value] if attribute in REFERRING and value in self.keys else value

    def canonical(self, element: Element) -> Record:
        """Describe an element without ids of its file."""
        made: Record = {"tag": element.tag, "attributes": self._attributes(element)}
        for tag, name in (("text-style-def", "id"), ("text-style", "ref")):
            if element.tag == tag and name in element.attributes:
                made["attributes"][name] = self.styles.get(element.get(name), element.get(name))
        text = element.text if not element.children else element.text.strip()
        if text.strip() or (text and element.tag == "text-style"):
            made["text"] = text
        if element.children:
            made["children"] = [self.canonical(child) for child in element.children]
        return made

    def _skeleton(self, element: Element) -> JsonValue:
        """Describe what is around resources and storylines: it is taken whole from one side."""
        attributes = sorted(
            (k, self.named(k, v)) for k, v in element.attributes.items() if k not in ("modDate", "location")
        )
        if element is self.root or element.tag in ("library", "event", "project"):
            children = [self._skeleton(c) for c in element.children if c.tag not in ("resources", "sequence")]
            return [element.tag, attributes, children]
        return self.canonical(element)


def _plays(element: Element) -> str:
    """Return the id of what an element plays; that of a `clip` is named by what is in it."""
    if element.get("ref") or element.tag in ("mc-clip", "gap"):
        return element.get("ref")
    for child in element.walk():
        if (
            child.tag in ("video", "audio", "asset-clip", "ref-clip")
            and "lane" not in child.attributes
            and child.get("ref")
        ):
            return child.get("ref")
    return ""


def _without_bookmark(element: Element) -> Element:
    """Return an element of media without its bookmark, which only the computer that wrote it understands."""
    if not any(child.tag == "bookmark" for child in element.children):
        return element
    bare = Element(element.tag, element.attributes, element.start)
    bare.children = [child for child in element.children if child.tag != "bookmark"]
    return bare


def read_flicks(text: str, default: int = 0) -> int:
    """Read a time of the document, exactly.

    Raises:
        ValueError: it is none, or no whole number of flicks.
    """
    if not text:
        return default
    match = _TIME.fullmatch(text.strip())
    if match is None or int(match.group(2) or 1) == 0:
        raise ValueError(f"{text[:40]!r} is not a time that can be counted exactly")
    value = Fraction(int(match.group(1)), int(match.group(2) or 1)) * FLICKS
    if value.denominator != 1 or abs(value) > _LONGEST * FLICKS:
        raise ValueError(f"{text[:40]!r} is not a time that can be counted exactly")
    return int(value)


def write_flicks(flicks: int, like: Sequence[str]) -> str:
    """Write a time as one of these is written, the first that can say it; else in lowest terms."""
    for text in like:
        match = _TIME.fullmatch(text.strip()) if text else None
        if match is None:
            continue
        if match.group(2) is None:
            if flicks % FLICKS == 0:
                return f"{flicks // FLICKS}s"
            continue
        number = Fraction(flicks * int(match.group(2)), FLICKS)
        if number.denominator == 1:
            return f"{number}/{match.group(2)}s" if flicks else "0s"
    value = Fraction(flicks, FLICKS)
    return f"{value.numerator}s" if value.denominator == 1 else f"{value.numerator}/{value.denominator}s"
