"""Reading Premiere projects (`.prproj`): gzip of XML, objects that refer to each other by ObjectID and ObjectUID.

As far as sequences, tracks, clips, media, order, speed and effects by name go. Everything else is a fingerprint for
each sort of object. Times are in 254,016,000,000ths of a second.
"""

import zlib
from collections.abc import Iterator

from msgspec import structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.containers import gunzip, is_gzip
from aura_vcs.formats.timeline.fingerprint import digest_of, element_value
from aura_vcs.formats.timeline.model import (
    TICKS_PER_SECOND,
    Clip,
    MediaReference,
    Ticks,
    Timeline,
    Track,
    check_clip_count,
    is_absolute,
    shown,
)
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import UNKNOWN, Rate, clamp, make_rate
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, parse_xml_of, start_tag_end

PER_SECOND = 254_016_000_000
_IDS = ("ObjectID", "ObjectRef", "ObjectURef", "Index", "Version", "ClassID")
_LOOKED_INTO = (
    *("Sequence", "VideoTrackGroup", "AudioTrackGroup", "VideoClipTrack", "AudioClipTrack", "VideoClipTrackItem"),
    *("AudioClipTrackItem", "SubClip", "VideoClip", "AudioClip", "MasterClip", "Media", "VideoMediaSource"),
    *("AudioMediaSource", "VideoTransitionTrackItem", "AudioTransitionTrackItem"),
)
_VIEWS = ("Project", "WorkspaceSettings", "RootProjectItem")
_NOISE_PARTS = ("Properties", "ModificationState", "MasterClipChangeVersion", "LastMetadataState", "LastContentState")


def is_premiere(data: bytes) -> bool:
    """Tell whether bytes are XML of Premiere, packed or not."""
    if is_gzip(data):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, 512)
        except zlib.error:
            return False
    return b"<PremiereData" in data[:512]


def read_premiere(data: bytes) -> Timeline | Unstructured:
    """Read the model of a Premiere project, or say why there is none."""
    unpacked = gunzip(data) if is_gzip(data) else data
    if isinstance(unpacked, Unstructured):
        return unpacked
    document = parse_xml_of(unpacked, "PremiereData", "Premiere project")
    return document if isinstance(document, Unstructured) else _Reader(document).timeline()


class _Reader:
    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.objects: dict[str, Element] = {}
        for element in document.root.children:  # those inside of others have numbers of their own
            for key in ("ObjectID", "ObjectUID"):
                if key in element.attributes:
                    self.objects.setdefault(element.get(key), element)
        self.media: list[MediaReference] = []
        self.reference_of: dict[str, int] = {}
        self.count = 0
        for element in document.root.all("Media"):
            if "ObjectUID" in element.attributes:
                self._add_media(element)

    def timeline(self) -> Timeline:
        sequences = [e for e in self.document.root.all("Sequence") if "ObjectUID" in e.attributes]
        tracks: list[Track] = []
        rate: Rate = UNKNOWN
        name = ""
        for number, sequence in enumerate(sequences):
            called = sequence.text_of("Name") or f"sequence {number + 1}"
            found, its_rate = self._sequence(sequence, called if number else "")
            tracks += found
            if not number:
                name, rate = called, its_rate
        length = max((c.start + c.duration for t in tracks if not t.sequence for c in t.clips), default=0)
        other, noise = self._rest()
        return Timeline(
            tuple(tracks),
            {},
            length,
            name,
            format="premiere",
            rate=rate,
            media=tuple(self.media),
            other=other,
            noise=noise,
        )

    def _follow(self, element: Element | None, *path: str) -> Element | None:
        """Return the object that the last element of a path refers to."""
        for tag in path:
            element = element.find(tag) if element is not None else None
        return self._target(element)

    def _target(self, element: Element | None) -> Element | None:
        if element is None:
            return None
        return self.objects.get(element.get("ObjectRef") or element.get("ObjectURef"))

    def _add_media(self, element: Element) -> None:
        path, actual = element.text_of("FilePath"), element.text_of("ActualMediaFilePath")
        is_file = is_absolute(path) or "/" in path or "\\" in path or "." in path
        self.reference_of[element.get("ObjectUID")] = len(self.media)
        for tag, written in (
            ("FilePath", path),
            ("ActualMediaFilePath", actual),
            ("RelativePath", element.text_of("RelativePath")),
        ):
            place = element.find(tag)
            if place is None or not written:
                continue
            start = start_tag_end(self.document.data, place) if self.document.is_editable else 0
            end = self.document.data.rfind(b"</", start, place.end) if start else 0
            self.media.append(
                MediaReference(
                    written,
                    "file" if is_file else "generator",
                    element.text_of("Title"),
                    element.get("ObjectUID"),
                    is_absolute=is_absolute(written),
                    start=start,
                    end=end,
                    writing="xml" if end else "",
                    pointer=f"Media {element.get('ObjectUID')}: {tag}",
                )
            )

    def _sequence(self, sequence: Element, name: str) -> tuple[list[Track], Rate]:
        groups = sequence.find("TrackGroups")
        tracks: list[Track] = []
        rate = UNKNOWN
        for group in groups.all("TrackGroup") if groups is not None else ():
            target = self._follow(group, "Second")
            if target is None or target.tag not in ("VideoTrackGroup", "AudioTrackGroup"):
                continue
            inner = target.find("TrackGroup")
            frame = inner.text_of("FrameRate") if inner is not None else ""
            kind = "video" if target.tag == "VideoTrackGroup" else "audio"
            if kind == "video" and frame.isdecimal() and len(frame) < 22 and int(frame):
                rate = make_rate(PER_SECOND, frame)
            holder = inner.find("Tracks") if inner is not None else None
            for n, place in enumerate(holder.all("Track") if holder is not None else ()):
                track = self._target(place)
                if track is not None:
                    tracks.append(self._track(track, kind, f"{kind[0].upper()}{n + 1}", name))
        return tracks, rate

    def _track(self, element: Element, kind: str, called: str, sequence: str) -> Track:
        part = element.find("ClipTrack") or element
        own = part.find("Track")
        items = part.find("ClipItems")
        listed = items.find("TrackItems") if items is not None else None
        clips: list[Clip] = []
        for place in listed.all("TrackItem") if listed is not None else ():
            self.count += 1
            check_clip_count(self.count)
            item = self._target(place)
            if item is not None:
                clips.append(self._clip(item))
        crossings = part.find("TransitionItems")
        inner = crossings.find("TrackItems") if crossings is not None else None
        transitions = [
            t
            for place in (inner.all("TrackItem") if inner is not None else ())
            if (t := self._target(place)) is not None
        ]
        clips = self._with_transitions(sorted(clips, key=lambda clip: clip.start), transitions)
        details = []
        for tag, word in (("IsMuted", "muted or hidden"), ("IsLocked", "locked")):
            if own is not None and own.text_of(tag) == "true":
                details.append((word, "yes"))
        numbered = tuple(structs.replace(clip, number=n + 1) for n, clip in enumerate(clips))
        return Track(
            element.get("ObjectUID"), called, kind, numbered, (), (), sequence, element.get("ObjectUID"), tuple(details)
        )

    def _with_transitions(self, clips: list[Clip], transitions: list[Element]) -> list[Clip]:
        for transition in transitions:
            part = next((e for e in transition.walk() if e.tag == "TrackItem"), None)
            if part is None:
                continue
            start, end = _ticks(part.text_of("Start")), _ticks(part.text_of("End"))
            name = next(
                (e.text.strip() for e in transition.walk() if e.tag in ("DisplayName", "MatchName") and e.text.strip()),
                "transition",
            )
            near = min(range(len(clips)), key=lambda n: abs(clips[n].start - (start + end) // 2), default=-1)
            if near >= 0:
                clips[near] = structs.replace(
                    clips[near], transition=f"{shown(name)} {(end - start) / TICKS_PER_SECOND:g} s"
                )
        return clips

    def _clip(self, element: Element) -> Clip:
        part = element.find("ClipTrackItem") or element
        place = part.find("TrackItem")
        start = _ticks(place.text_of("Start")) if place is not None else 0
        end = _ticks(place.text_of("End")) if place is not None else 0
        sub = self._follow(part, "SubClip")
        clip = self._follow(sub, "Clip") if sub is not None else None
        body = clip.find("Clip") if clip is not None else None
        source = self._follow(body, "Source") if body is not None else None
        inner = source.find("MediaSource") if source is not None else None
        media = self._follow(inner, "Media") if inner is not None else None
        reference = self.reference_of.get(media.get("ObjectUID"), -1) if media is not None else -1
        nested = self._follow(source.find("SequenceSource"), "Sequence") if source is not None else None
        path = self.media[reference].path if reference >= 0 else ""
        if nested is not None:
            path = f"sequence {nested.text_of('Name')}"
        speed = body.text_of("PlaybackSpeed") if body is not None else ""
        muted = part.text_of("IsMuted") == "true"
        name = sub.text_of("Name") if sub is not None else ""
        return Clip(
            pointer=f"{element.tag} {element.get('ObjectID')}",
            noun="clip",
            number=0,
            name=name or path.replace("\\", "/").rpartition("/")[2],
            media=path,
            source_start=_ticks(body.text_of("InPoint")) if body is not None else None,
            start=start,
            duration=max(0, end - start),
            speed=_speed(speed),
            effects=tuple(self._effects(part)),
            details=(("enabled", "false"),) if muted else (),
            reference=reference,
        )

    def _effects(self, part: Element) -> Iterator[tuple[str, str]]:
        owner = part.find("ComponentOwner")
        chain = self._follow(owner, "Components")
        inner = chain.find("ComponentChain") if chain is not None else None
        listed = inner.find("Components") if inner is not None else None
        for place in listed.all("Component") if listed is not None else ():
            component = self._target(place)
            if component is None:
                continue
            name = next(
                (e.text.strip() for e in component.walk() if e.tag in ("DisplayName", "MatchName") and e.text.strip()),
                component.tag,
            )
            params = {}
            for n, param in enumerate(e for e in component.walk() if e.tag == "Param"):
                target = self._target(param)
                if target is not None:
                    values = [
                        e.text.strip() for e in target.walk() if e.tag in ("StartKeyframe", "Keyframes", "CurrentValue")
                    ]
                    params[target.text_of("Name") or f"parameter {n + 1}"] = " ".join(values)
            yield shown(name), canonical(params)

    def _rest(self) -> tuple[dict[str, str], dict[str, str]]:
        """Fingerprint the sorts of objects that are not looked into, and what is noise."""
        other: dict[str, list[str]] = {}
        views: list[object] = []
        for element in self.document.root.children:
            if element.tag in _VIEWS:
                views.append(element_value(element, without=_IDS))
                continue
            views += [element_value(e, without=_IDS) for e in element.walk() if e.tag == "Properties"]
            if element.tag not in _LOOKED_INTO:
                value = element_value(element, without=(*_IDS, "ObjectUID"), names=_NOISE_PARTS)
                other.setdefault(_words(element.tag), []).append(digest_of(value))
        found = {f"{name} objects": digest_of(sorted(values)) for name, values in other.items()}
        return found, {"window, playhead and views": digest_of(views)}


def _words(tag: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in tag).strip()


def _ticks(text: str) -> Ticks:
    return (
        clamp(round(int(text) * TICKS_PER_SECOND / PER_SECOND))
        if text.removeprefix("-").isdecimal() and len(text) < 22
        else 0
    )


def _speed(text: str) -> float:
    try:
        value = float(text) if text else 1.0
    except ValueError:
        return 1.0
    return value if abs(value) < 1e6 else 1.0
