"""Reading Final Cut Pro XML, versions 1.8 to 1.13: the file itself, or `Info.fcpxml` of a `.fcpxmld` folder.

Times are fractions of seconds. A clip's children are placed in the clip's own time; those with a lane are connected
clips, on a track for their lane. Ids such as `r1` mean nothing outside of one file.
"""

from functools import lru_cache

from msgspec import Struct, structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.fingerprint import digest_of, element_value
from aura_vcs.formats.timeline.model import (
    OF_MEDIA,
    Clip,
    MediaReference,
    ReadingLimitExceeded,
    Ticks,
    Timeline,
    Track,
    check_clip_count,
    path_of_address,
    shown,
    spoken,
)
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import UNKNOWN, Rate, make_rate, read_rational_seconds
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, parse_xml_of, start_tag_end

STORY = ("clip", "asset-clip", "ref-clip", "sync-clip", "mc-clip", "video", "audio", "title", "audition")
"""Elements that stand in a spine or are connected to what does."""
MARKERS = ("marker", "chapter-marker", "rating", "keyword")
NOISE_ATTRIBUTES = ("modDate", "id", "ref", "offset", "start", "duration", "name", "lane", "format", "location")
_NOISE_ELEMENTS = ("bookmark", "md", "metadata")
_NOT_EFFECTS = {
    *STORY,
    *MARKERS,
    "gap",
    "spine",
    "transition",
    "note",
    "timeMap",
    "conform-rate",
    "audio-channel-source",
}
NESTING = 30


def is_fcpxml(data: bytes) -> bool:
    """Tell whether bytes begin like Final Cut Pro XML."""
    return b"<fcpxml" in data[:4_096]


def read_fcpxml(data: bytes) -> Timeline | Unstructured:
    """Read the model of a Final Cut Pro XML document, or say why there is none."""
    document = parse_xml_of(data, "fcpxml", "Final Cut Pro XML")
    return document if isinstance(document, Unstructured) else _Reader(document).timeline()


class _Span(Struct, frozen=True):
    """Where what stands in an element is on the timeline: its own time `start` is at `at`."""

    at: Ticks
    start: Ticks


class _Reader:
    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.root = document.root
        self.resources: dict[str, Element] = {}
        self.media: list[MediaReference] = []
        self.reference_of: dict[str, int] = {}
        self.count = 0
        for resource in (each for holder in self.root.all("resources") for each in holder.children):
            self.resources[resource.get("id")] = resource
            self._add_media(resource)

    def timeline(self) -> Timeline:
        projects = [element for element in self.root.walk() if element.tag == "project"]
        tracks: list[Track] = []
        rate, is_drop, start = UNKNOWN, False, 0
        settings: dict[str, JsonValue] = {}
        main = ""
        for number, project in enumerate(projects):
            sequence = project.find("sequence")
            if sequence is None:
                continue
            if not number:
                rate, main = self._rate(sequence), project.get("name")
                is_drop, start = sequence.get("tcFormat") == "DF", _ticks(sequence.get("tcStart"))
                settings = {k: v for k, v in sequence.attributes.items() if k not in ("duration", "format")}
                settings["format"] = self._format(sequence.get("format"))
            tracks += self._sequence(sequence, project.get("name") if number else "", project.get("uid"))
        for resource in self.resources.values():
            inner = resource.find("sequence") if resource.tag == "media" else None
            if inner is not None:
                tracks += self._sequence(inner, resource.get("name") or "compound clip", resource.get("uid"))
                rate = rate if rate[0] else self._rate(inner)
        tracks += self._loose(bool(projects))
        length = max((c.start + c.duration for t in tracks if not t.sequence for c in t.clips), default=0)
        return Timeline(
            tuple(tracks),
            settings,
            length,
            main,
            format="fcpxml",
            rate=rate,
            is_drop_frame=is_drop,
            start=start,
            media=tuple(self.media),
            other=self._other(),
            noise=self._noise(),
        )

    def _loose(self, has_projects: bool) -> list[Track]:
        """Read the clips of an event that are in no project, as a track of its bin."""
        tracks = []
        for event in (element for element in self.root.walk() if element.tag == "event"):
            clips = [child for child in event.children if child.tag in STORY]
            if clips:
                found = [structs.replace(self._clip(clip, 0), number=n + 1, start=0) for n, clip in enumerate(clips)]
                name = f"clips of event {event.get('name') or 'event'}"
                tracks.append(
                    Track(
                        f"event {event.get('name')}",
                        name,
                        "bin",
                        tuple(found),
                        sequence=name if has_projects else "bin",
                    )
                )
        return tracks

    def _rate(self, sequence: Element) -> Rate:
        found = self.resources.get(sequence.get("format"))
        text = found.get("frameDuration") if found is not None else ""
        above, _, below = text.strip().rstrip("s").partition("/")
        return make_rate(below or "1", above) if above else UNKNOWN

    def _format(self, name: str) -> dict[str, str]:
        found = self.resources.get(name)
        return {k: v for k, v in found.attributes.items() if k != "id"} if found is not None else {}

    def _add_media(self, resource: Element) -> None:
        if resource.tag != "asset":
            return
        self.reference_of[resource.get("id")] = len(self.media)
        places = [*resource.all("media-rep")] or [resource]
        for place in places:
            written = place.get("src")
            path = path_of_address(written)
            start, end = self._attribute_span(place, "src")
            is_proxy = place.get("kind") == "proxy-media"
            self.media.append(
                MediaReference(
                    path,
                    "proxy" if is_proxy else "file",
                    resource.get("name"),
                    resource.get("uid"),
                    is_absolute="://" in written or written.startswith("/"),
                    start=start,
                    end=end,
                    writing="xml-url" if end else "",
                    pointer=f"asset {resource.get('id')}: src",
                    digest=f"fcpxml:{place.get('sig')}" if place.get("sig") else "",
                )
            )

    def _attribute_span(self, element: Element, name: str) -> tuple[int, int]:
        if not self.document.is_editable or name not in element.attributes:
            return 0, 0
        data, end = self.document.data, start_tag_end(self.document.data, element)
        for quote in (b'"', b"'"):
            at = data.find(b" " + name.encode() + b"=" + quote, element.start, end)
            if at >= 0:
                start = at + len(name) + 3
                return start, data.find(quote, start, end)
        return 0, 0

    def _sequence(self, sequence: Element, name: str, identity: str) -> list[Track]:
        lanes: dict[int, list[Clip]] = {0: []}
        spine = sequence.find("spine")
        if spine is not None:
            self._spine(spine, _Span(0, 0), 0, lanes, 0)
        tracks = []
        for lane in sorted(lanes):
            clips = sorted(lanes[lane], key=lambda clip: clip.start)
            numbered = tuple(structs.replace(clip, number=n + 1) for n, clip in enumerate(clips))
            called = "primary storyline" if not lane else f"lane {lane:+d}"
            kind = "audio" if lane < 0 else "video"
            tracks.append(
                Track(
                    f"{identity or name} {lane}", called, kind, numbered, sequence=name, identity=f"{identity} {lane}"
                )
            )
        return tracks

    def _spine(self, spine: Element, span: _Span, lane: int, lanes: dict[int, list[Clip]], depth: int) -> None:
        """Read everything in a storyline; `span` is where the storyline itself is."""
        at = 0
        waiting = ""
        for child in spine.children:
            if child.tag == "transition":
                waiting = f"{shown(child.get('name')) or 'transition'} {spoken(_ticks(child.get('duration')))}"
                continue
            if child.tag not in STORY and child.tag != "gap":
                continue
            offset = _ticks(child.get("offset")) if "offset" in child.attributes else at
            place = span.at + offset - span.start
            at = offset + self._length(child)
            if child.tag == "gap":
                self._children(child, place, lanes, lane, depth)
                continue
            clip = self._clip(child, place)
            lanes.setdefault(lane, []).append(structs.replace(clip, transition=waiting))
            waiting = ""
            self._children(child, place, lanes, lane, depth)
        if waiting and lanes.get(lane):
            last = lanes[lane][-1]
            lanes[lane][-1] = structs.replace(last, details=(*last.details, ("closing transition", waiting)))

    def _children(self, parent: Element, at: Ticks, lanes: dict[int, list[Clip]], lane: int, depth: int) -> None:
        """Read the items that are connected to a clip or a gap."""
        if depth > NESTING:
            raise ReadingLimitExceeded(f"clips are connected to others more than {NESTING} times over")
        start = _ticks(parent.get("start"))
        for child in parent.children:
            if "lane" not in child.attributes:
                continue
            number = lane + _lane(child.get("lane"))
            place = at + _ticks(child.get("offset")) - start
            if child.tag == "spine":
                self._spine(child, _Span(place, 0), number, lanes, depth + 1)
            elif child.tag in STORY:
                lanes.setdefault(number, []).append(self._clip(child, place))
                self._children(child, place, lanes, number, depth + 1)

    def _length(self, element: Element) -> Ticks:
        if "duration" in element.attributes:
            return max(0, _ticks(element.get("duration")))
        resource = self.resources.get(self._ref(element))
        if resource is not None and "duration" in resource.attributes:
            return max(0, _ticks(resource.get("duration")))
        sequence = resource.find("sequence") if resource is not None else None
        return max(0, _ticks(sequence.get("duration"))) if sequence is not None else 0

    def _ref(self, element: Element) -> str:
        """Return the resource that an element plays; that of a `clip` is named by what is in it."""
        if element.get("ref") or element.tag == "mc-clip":
            return element.get("ref")
        for child in element.walk():
            if child.tag in ("video", "audio", "asset-clip", "ref-clip") and child.get("ref"):
                return child.get("ref")
        return ""

    def _clip(self, element: Element, at: Ticks) -> Clip:
        self.count += 1
        check_clip_count(self.count)
        ref = self._ref(element)
        resource = self.resources.get(ref)
        reference = self.reference_of.get(ref, -1)
        if reference >= 0:
            media = self.media[reference].identity or self.media[reference].path
        elif resource is not None:
            media = f"{resource.tag} {resource.get('uid') or resource.get('name')}"
        else:
            media = ""
        noun = "title" if element.tag == "title" else "clip"
        words = " ".join(e.text.strip() for e in element.walk() if e.tag == "text-style" and e.text.strip())
        details = [(k, v) for k, v in sorted(element.attributes.items()) if k not in NOISE_ATTRIBUTES]
        details = [("enabled", "false") if pair == ("enabled", "0") else pair for pair in details]
        note = element.text_of("note")
        return Clip(
            pointer=f"{element.tag} at byte {element.start}",
            noun=noun,
            number=0,
            name=element.get("name") or (resource.get("name") if resource is not None else ""),
            media=self.media[reference].path if reference >= 0 else media,
            source_start=_ticks(element.get("start")),
            start=at,
            duration=self._length(element),
            speed=_speed(element.find("timeMap")),
            text=words,
            effects=tuple(
                self._effect(child)
                for child in element.children
                if child.tag not in _NOT_EFFECTS and child.tag not in _NOISE_ELEMENTS
            ),
            markers=tuple(_marker(child) for child in element.all(*MARKERS)),
            details=tuple([*details, ("note", note)] if note else details),
            reference=reference,
            other=self._other_of(element),
        )

    def _effect(self, element: Element) -> tuple[str, str]:
        name = element.get("name") or element.tag.removeprefix("adjust-")
        params = {p.get("name") or p.get("key"): p.get("value") or element_value(p) for p in element.all("param")}
        rest = {k: v for k, v in element.attributes.items() if k not in ("ref", "name")}
        others = [element_value(c, without=("ref",)) for c in element.children if c.tag not in ("param", "data")]
        return shown(name), canonical({**rest, **params, **({"more": digest_of(others)} if others else {})})

    def _other_of(self, element: Element) -> str:
        """Fingerprint the parts of a clip that the model has no field for."""
        parts = [
            element_value(c, without=("ref", "id"))
            for c in element.all("audio-channel-source", "conform-rate", "timeMap")
        ]
        parts += [
            element_value(c, without=("ref",))
            for child in element.all("filter-video", "filter-audio")
            for c in child.all("data")
        ]
        return digest_of(parts)

    def _other(self) -> dict[str, str]:
        known = ("asset", "media", "format", "effect")
        rest = [element_value(r, without=("id",)) for r in self.resources.values() if r.tag not in known]
        assets = {
            f"{OF_MEDIA}{self.media[self.reference_of[r.get('id')]].path}": element_value(
                r,
                without=("id", "format", "src", "sig", "uid", "name"),
                names=("bookmark", "metadata", "media-rep"),
            )
            for r in self.resources.values()
            if r.tag == "asset"
        }
        collections = [
            element_value(e) for e in self.root.walk() if e.tag in ("smart-collection", "keyword-collection")
        ]
        found = {"other resources": rest, **assets, "collections": collections}
        return {name: digest_of(value) for name, value in found.items() if value}

    def _noise(self) -> dict[str, str]:
        dates = [e.get("modDate") for e in self.root.walk() if "modDate" in e.attributes]
        bookmarks = [e.text for e in self.root.walk() if e.tag == "bookmark"]
        places = [e.get("location") for e in self.root.all("library")]
        metadata = [element_value(e) for r in self.resources.values() for e in r.all("metadata")]
        version = self.root.get("version")
        found = {
            "dates": dates,
            "bookmarks": bookmarks,
            "folder": places,
            "metadata of media": metadata,
            "version of the editor": version,
        }
        return {name: digest_of(value) for name, value in found.items()}


@lru_cache(1 << 14)
def _ticks(value: str) -> Ticks:
    return (read_rational_seconds(value) or 0) if value else 0


def _lane(value: str) -> int:
    try:
        return max(-999, min(999, int(value)))
    except ValueError:
        return 0


def _marker(element: Element) -> tuple[str, str]:
    at = read_rational_seconds(element.get("start"))
    rest = {k: v for k, v in element.attributes.items() if k not in ("value", "start", "duration")}
    return shown(element.get("value") or element.tag), canonical({"at": spoken(at or 0), "kind": element.tag, **rest})


def _speed(time_map: Element | None) -> float:
    """Return how fast a clip plays: the slope of the two points of its time map; 1 for none or any other."""
    points = [*time_map.all("timept")] if time_map is not None else []
    if len(points) != 2:
        return 1.0
    times = [(_ticks(point.get("time")), _ticks(point.get("value"))) for point in points]
    across = times[1][0] - times[0][0]
    return round((times[1][1] - times[0][1]) / across, 6) if across else 1.0
