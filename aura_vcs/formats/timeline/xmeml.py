"""Reading Final Cut Pro 7 XML (`xmeml`), which Premiere and Resolve exchange.

A file is described where its id occurs first; later only the id stands. Times are frames of the sequence's time base.
"""

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.fingerprint import digest_of, element_value
from aura_vcs.formats.timeline.model import (
    Clip,
    MediaReference,
    Timeline,
    Track,
    check_clip_count,
    path_of_address,
    shown,
    spoken,
)
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import Rate, frames_to_ticks, make_rate, timecode
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, parse_xml_of, start_tag_end

_ITEM_KNOWN = (
    *("name", "start", "end", "in", "out", "file", "rate", "duration", "enabled", "filter", "marker", "link", "label"),
    *("masterclipid", "sequence", "comments", "logginginfo", "colorinfo", "sourcetrack", "timecode", "ismasterclip"),
)
MAX_FRAMES = 10**10


def is_xmeml(data: bytes) -> bool:
    """Tell whether bytes begin like Final Cut Pro 7 XML."""
    return b"<xmeml" in data[:4_096]


def read_xmeml(data: bytes) -> Timeline | Unstructured:
    """Read the model of a Final Cut Pro 7 XML document, or say why there is none."""
    document = parse_xml_of(data, "xmeml", "Final Cut Pro 7 XML")
    return document if isinstance(document, Unstructured) else _Reader(document).timeline()


class _Reader:
    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.root = document.root
        self.media: list[MediaReference] = []
        self.reference_of: dict[str, int] = {}
        self.count = 0
        self.rate: Rate = (25, 1)
        self.nested: dict[str, Element] = {}
        for element in self.root.walk():
            if element.tag == "file" and element.children:
                self._add_media(element)
            elif element.tag == "sequence" and element.children:
                self.nested.setdefault(element.get("id"), element)

    def timeline(self) -> Timeline:
        sequences = list(self.nested.values())
        tracks: list[Track] = []
        markers: list[tuple[str, str]] = []
        settings: dict[str, object] = {}
        name, start, is_drop, main_rate = "", 0, False, (0, 1)
        for number, sequence in enumerate(sequences):
            self.rate = _rate(sequence.find("rate"))
            called = sequence.text_of("name")
            if not number:
                name, main_rate = called, self.rate
                start = frames_to_ticks(_number(sequence.text_of("timecode", "frame")) or 0, self.rate)
                is_drop = sequence.text_of("timecode", "displayformat") == "DF"
                for kind in ("video", "audio"):
                    media = sequence.find("media")
                    format_ = media.find(kind) if media is not None else None
                    format_ = format_.find("format") if format_ is not None else None
                    if format_ is not None:
                        settings[f"{kind} format"] = element_value(format_)
            markers += [_marker(m, self.rate) for m in sequence.all("marker")]
            tracks += self._sequence(sequence, called if number else "")
        length = max((c.start + c.duration for t in tracks if not t.sequence for c in t.clips), default=0)
        return Timeline(
            tuple(tracks),
            settings,
            length,
            name,
            format="xmeml",
            rate=main_rate,
            is_drop_frame=is_drop,
            start=start,
            media=tuple(self.media),
            markers=tuple(markers),
        )

    def _add_media(self, element: Element) -> None:
        written = element.text_of("pathurl")
        self.reference_of.setdefault(element.get("id"), len(self.media))
        start, end = 0, 0
        place = element.find("pathurl")
        if place is not None and self.document.is_editable:
            start = start_tag_end(self.document.data, place)
            end = self.document.data.rfind(b"</", start, place.end)
        path = path_of_address(written)
        self.media.append(
            MediaReference(
                path,
                "file" if path else "generator",
                element.text_of("name"),
                element.get("id"),
                is_absolute="://" in written or written.startswith("/"),
                start=start,
                end=end,
                writing="xml-url" if end else "",
                pointer=f"file {element.get('id')}: pathurl",
            )
        )

    def _sequence(self, sequence: Element, name: str) -> list[Track]:
        media = sequence.find("media")
        tracks: list[Track] = []
        for kind in ("video", "audio"):
            holder = media.find(kind) if media is not None else None
            for n, track in enumerate(holder.all("track") if holder is not None else ()):
                clips = self._clips(track)
                details = [("muted or hidden", "yes")] if track.text_of("enabled").upper() == "FALSE" else []
                details += [("locked", "yes")] if track.text_of("locked").upper() == "TRUE" else []
                called = f"{kind[0].upper()}{n + 1}"
                tracks.append(Track(f"{name} {called}", called, kind, clips, sequence=name, details=tuple(details)))
        return tracks

    def _clips(self, track: Element) -> tuple[Clip, ...]:
        """Read the clips of a track. A start or end of -1 is where the transition beside it says."""
        clips: list[Clip] = []
        items = [child for child in track.children if child.tag in ("clipitem", "generatoritem", "transitionitem")]
        self.count += len(items)
        check_clip_count(self.count)
        for n, item in enumerate(items):
            if item.tag == "transitionitem":
                continue
            before = items[n - 1] if n and items[n - 1].tag == "transitionitem" else None
            after = items[n + 1] if n + 1 < len(items) and items[n + 1].tag == "transitionitem" else None
            clip = self._clip(item, before, after, len(clips) + 1)
            clips.append(clip)
        return tuple(clips)

    def _clip(self, item: Element, before: Element | None, after: Element | None, number: int) -> Clip:
        first, last = _frames(item, "in"), _frames(item, "out")
        start, end = _frames(item, "start"), _frames(item, "end")
        if start < 0 and before is not None:
            start = (_frames(before, "start") + _frames(before, "end")) // 2
        if end < 0:
            end = (_frames(after, "start") + _frames(after, "end")) // 2 if after is not None else start + last - first
        file = item.find("file")
        reference = self.reference_of.get(file.get("id"), -1) if file is not None else -1
        inner = item.find("sequence")
        media = self.media[reference].path or self.media[reference].name if reference >= 0 else ""
        if inner is not None:
            described = self.nested.get(inner.get("id"), inner)
            media = f"sequence {described.text_of('name')}"
        filters = [child.find("effect") for child in item.all("filter")]
        effects = [e for e in filters if e is not None and e.text_of("effectid") != "timeremap"]
        if item.tag == "generatoritem":
            effects += list(item.all("effect"))
        details = [("enabled", "false")] if item.text_of("enabled").upper() == "FALSE" else []
        rest = [element_value(c, without=("id",)) for c in item.children if c.tag not in (*_ITEM_KNOWN, "effect")]
        return Clip(
            pointer=f"{item.tag} at byte {item.start}",
            noun="clip",
            number=number,
            name=item.text_of("name"),
            media=media,
            source_start=self._ticks(max(0, first)),
            start=self._ticks(max(0, start)),
            duration=self._ticks(max(0, end - max(0, start))),
            speed=_speed(filters),
            transition=self._transition(before),
            effects=tuple(_effect(e) for e in effects),
            markers=tuple(_marker(m, self.rate) for m in item.all("marker")),
            details=tuple(details),
            reference=reference,
            other=digest_of(rest),
        )

    def _transition(self, item: Element | None) -> str:
        if item is None:
            return ""
        length = self._ticks(max(0, _frames(item, "end") - _frames(item, "start")))
        return f"{shown(item.text_of('effect', 'name')) or 'transition'} {spoken(length)}"

    def _ticks(self, frames: int) -> int:
        return frames_to_ticks(frames, self.rate)


def _rate(element: Element | None) -> Rate:
    if element is None:
        return 25, 1
    base = _number(element.text_of("timebase")) or 25
    is_ntsc = element.text_of("ntsc").upper() == "TRUE"
    found = make_rate(base * 1000, 1001) if is_ntsc else make_rate(base)
    return found if found[0] else (25, 1)


def _number(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 12 else None


def _frames(element: Element, tag: str) -> int:
    return max(-1, min(MAX_FRAMES, _number(element.text_of(tag)) or 0))


def _effect(effect: Element) -> tuple[str, str]:
    values = {}
    for parameter in effect.all("parameter"):
        name = parameter.text_of("name") or parameter.text_of("parameterid")
        keys = [element_value(key) for key in parameter.all("keyframe")]
        value = parameter.find("value")
        plain = (value.text.strip() or digest_of(element_value(value))) if value is not None else ""
        values[name] = [plain, digest_of(keys)] if keys else plain
    return shown(effect.text_of("name")) or "effect", canonical(values)


def _speed(filters: list[Element | None]) -> float:
    for effect in filters:
        if effect is not None and effect.text_of("effectid") == "timeremap":
            for parameter in effect.all("parameter"):
                if parameter.text_of("parameterid") == "speed":
                    text = parameter.text_of("value")
                    return (
                        round(float(text) / 100, 6)
                        if text.replace(".", "", 1).lstrip("-").isdecimal() and len(text) < 12
                        else 1.0
                    )
    return 1.0


def _marker(element: Element, rate: Rate) -> tuple[str, str]:
    at = timecode(frames_to_ticks(max(0, _frames(element, "in")), rate), rate)
    return shown(element.text_of("name")) or "marker", canonical({"at": at, "comment": element.text_of("comment")})
