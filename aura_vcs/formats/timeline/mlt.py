"""Reading MLT XML: projects of Kdenlive (from 17 to today), of Shotcut, and what `melt` itself writes.

The layouts were found by looking at projects; of MLT's own documentation the DTD and the page on MLT XML help. Ids of
elements are given anew at every save and mean nothing outside of one file.
"""

from msgspec import structs

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.fingerprint import digest_of, element_value
from aura_vcs.formats.timeline.mlt_notes import MltNotes, read_guides, read_markers, read_settings
from aura_vcs.formats.timeline.mlt_parts import (
    MAX_FRAMES,
    Properties,
    effects_of,
    is_internal,
    media_kind,
    other_of,
    played_streams,
    properties_of,
    read_frames,
    references_of,
    split_speed,
    transition_name,
    with_points,
)
from aura_vcs.formats.timeline.model import (
    OF_MEDIA,
    Clip,
    MediaReference,
    Ticks,
    Timeline,
    Track,
    check_clip_count,
    spoken,
)
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import Rate, frames_to_ticks, make_rate
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, parse_xml_of

_BLACK = ("black_track", "background", "black")
_ENTRY_NOISE = ("kdenlive:activeeffect", "kdenlive:id", "kdenlive:collapsed", "kdenlive:playlistid", "kdenlive:uuid")


def is_mlt(data: bytes) -> bool:
    """Tell whether bytes begin like an MLT document."""
    start = data[:4_096]
    return b"<mlt" in start and start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def read_mlt(data: bytes) -> Timeline | Unstructured:
    """Read the model of an MLT document, or say why there is none."""
    document = parse_xml_of(data, "mlt", "MLT document")
    return document if isinstance(document, Unstructured) else MltReader(document).timeline()


class MltReader:
    """One document under way: its elements by id, what they play, and the sequences in it."""

    def __init__(self, document: XmlDocument) -> None:
        self.document = document
        self.root = document.root
        self.by_id: dict[str, Element] = {}
        self.rate = self._rate()
        commas = self.root.get("LC_NUMERIC", "C")
        self.has_commas = commas not in ("C", "POSIX", "") and not commas.startswith("en_")
        self.media: list[MediaReference] = []
        self.reference_of: dict[int, int] = {}
        self.notes = MltNotes()
        self.count = 0
        self.times: dict[str, int | None] = {}
        self.played: dict[tuple[int, str], Clip] = {}
        for element in self.root.walk():
            if element.tag in ("producer", "chain", "playlist", "tractor", "multitrack") and "id" in element.attributes:
                self.by_id[element.get("id")] = element
            if element.tag in ("producer", "chain", "filter", "transition"):
                self._add_media(element)
        self.bin = self.by_id.get("main_bin") or self.by_id.get("main bin")
        is_shotcut = "shotcut:" in document.data[: 1 << 20].decode("ascii", "replace")
        self.flavour = "kdenlive" if self.bin is not None else "shotcut" if is_shotcut else "mlt"
        self.in_bin = self._bin_producers()

    def _rate(self) -> Rate:
        profile = self.root.find("profile")
        if profile is None:
            return 25, 1
        found = make_rate(profile.get("frame_rate_num", "25"), profile.get("frame_rate_den", "1"))
        return found if found[0] else (25, 1)

    def _add_media(self, element: Element) -> None:
        for reference in references_of(self.document, element, self.root.get("root")):
            if element.tag in ("producer", "chain"):
                self.reference_of.setdefault(id(element), len(self.media))
            self.media.append(reference)

    def _bin_producers(self) -> dict[str, Element]:
        """Map `kdenlive:id` to the bin's own producer: names and markers of a clip stand there."""
        found: dict[str, Element] = {}
        for entry in self.bin.all("entry") if self.bin is not None else ():
            producer = self.by_id.get(entry.get("producer"))
            if producer is not None and (name := properties_of(producer).get("kdenlive:id")):
                found[name] = producer
        return found

    def frames(self, value: str, default: int = 0) -> int:
        """Read a time in the document as frames, within reason."""
        if value not in self.times:
            found = read_frames(value, self.rate) if value else None
            self.times[value] = None if found is None else max(-MAX_FRAMES, min(MAX_FRAMES, found))
        known = self.times[value]
        return default if known is None else known

    def ticks(self, frames: int) -> Ticks:
        """Convert frames to ticks."""
        return frames_to_ticks(frames, self.rate)

    def timeline(self) -> Timeline:
        """Read the whole document."""
        sequences = self.sequences()
        tracks: list[Track] = []
        for number, (name, tractor) in enumerate(sequences):
            tracks += self._tracks(tractor, name if number else "")
        guides: list[tuple[str, str]] = []
        for name, tractor in sequences:
            guides += read_guides(properties_of(tractor), tractor, self.rate, name if len(sequences) > 1 else "")
        bin_properties = properties_of(self.bin) if self.bin is not None else {}
        guides += read_guides(bin_properties, None, self.rate, "")
        settings = read_settings(self.root, bin_properties, [properties_of(t) for _, t in sequences], self.notes)
        self._others(sequences)
        length = max(
            (clip.start + clip.duration for track in tracks if not track.sequence for clip in track.clips), default=0
        )
        return Timeline(
            tuple(tracks),
            settings,
            length,
            sequences[0][0] if sequences else "",
            format=self.flavour,
            rate=self.rate,
            media=tuple(self.media),
            markers=tuple(guides),
            other=self.notes.other,
            noise=self.notes.noise,
        )

    def sequences(self) -> list[tuple[str, Element]]:
        """Return names and tractors of the sequences, the main one first."""
        if self.bin is not None:
            found = [
                (properties_of(t).get("kdenlive:clipname", ""), t)
                for t in self.root.all("tractor")
                if "kdenlive:uuid" in (p := properties_of(t)) and "kdenlive:projectTractor" not in p
            ]
            main = properties_of(self.bin).get("kdenlive:docproperties.uuid", "")
            found.sort(key=lambda each: properties_of(each[1]).get("kdenlive:uuid") != main)
            if found:
                return [(name or f"sequence {n + 1}", t) for n, (name, t) in enumerate(found)]
            maintractor = self.by_id.get("maintractor") or self._last_tractor()
            return [("", maintractor)] if maintractor is not None else []
        marked = [t for t in self.root.all("tractor") if properties_of(t).get("shotcut") == "1"]
        chosen = marked[-1] if marked else self.by_id.get(self.root.get("producer")) or self._last_tractor()
        if chosen is None or chosen.tag in ("producer", "chain"):
            lists = list(self.root.all("playlist"))
            chosen = lists[-1] if lists else None
        return [("", chosen)] if chosen is not None else []

    def _last_tractor(self) -> Element | None:
        found = list(self.root.all("tractor"))
        return found[-1] if found else None

    def _tracks(self, tractor: Element, sequence: str) -> list[Track]:
        if tractor.tag == "playlist":
            return [self._track(tractor, (tractor,), "", sequence, 1)]
        holder = tractor.find("multitrack") or tractor
        found: list[tuple[int, Element, tuple[Element, ...], str]] = []
        for number, track in enumerate(holder.all("track")):
            source = self.by_id.get(track.get("producer")) or next(iter(track.children), None)
            if source is None or self.is_black(source):
                continue
            lists = self.playlists(source)
            if lists:
                found.append((number, source, lists, track.get("hide")))
        tracks = [self._track(source, lists, hide, sequence, 0) for _, source, lists, hide in found]
        tracks = _named(tracks, self.flavour)
        places = {number: place for place, (number, *_) in enumerate(found)}
        return self._with_compositions(tractor, tracks, places)

    def playlists(self, source: Element) -> tuple[Element, ...]:
        """Return the playlists that a track is: itself, or the two of a track of Kdenlive."""
        if source.tag == "playlist":
            return (source,)
        if source.tag != "tractor":
            return ()
        inner = (self.by_id.get(track.get("producer")) for track in source.all("track"))
        return tuple(element for element in inner if element is not None and element.tag == "playlist")

    def is_black(self, source: Element) -> bool:
        """Tell whether a track is the black one behind all others."""
        found = properties_of(source)
        return source.get("id") in _BLACK or found.get("kdenlive:playlistid") == "black_track"

    def _track(self, source: Element, lists: tuple[Element, ...], hide: str, sequence: str, _number: int) -> Track:
        found: Properties = {}
        for element in (*lists, source):
            found |= properties_of(element)
        is_audio = found.get("kdenlive:audio_track") == "1" or (
            found.get("shotcut:audio") == "1" and "shotcut:video" not in found
        )
        name = found.get("kdenlive:track_name") or found.get("shotcut:name") or ""
        clips: list[Clip] = []
        for playlist in lists:
            clips += self._clips(playlist)
        clips.sort(key=lambda clip: clip.start)
        clips = [structs.replace(clip, number=n + 1) for n, clip in enumerate(clips)]
        if len(lists) > 1:
            clips = self._with_mixes(source, clips)
        state = {
            "muted or hidden": hide if hide in ("both", "audio" if is_audio else "video") else "",
            "locked": "yes" if found.get("kdenlive:locked_track") == "1" or found.get("shotcut:lock") == "1" else "",
        }
        details = tuple((key, value) for key, value in state.items() if value)
        effects = tuple(e for element in dict.fromkeys((*lists, source)) for e in self._effects(element))
        kind = "audio" if is_audio else "video"
        return Track(source.get("id"), name, kind, tuple(clips), (), effects, sequence, "", details)

    def _effects(self, element: Element) -> tuple[tuple[str, str], ...]:
        return effects_of(element, has_commas=self.has_commas)

    def _clips(self, playlist: Element) -> list[Clip]:
        """Read the clips of a playlist; the position of each is the running sum."""
        at = 0
        clips: list[Clip] = []
        for n, child in enumerate(playlist.children):
            if child.tag == "blank":
                at += max(0, self.frames(child.get("length")))
            elif child.tag == "entry":
                self.count += 1
                check_clip_count(self.count)
                clip, length = self._clip(child, f"{playlist.get('id')}/{n}", at)
                if clip is not None:
                    clips.append(clip)
                at += length
        return clips

    def _clip(self, entry: Element, pointer: str, at: int) -> tuple[Clip | None, int]:
        producer = self.by_id.get(entry.get("producer")) or next(
            (child for child in entry.children if child.tag in ("producer", "chain", "tractor", "playlist")), None
        )
        first = self.frames(entry.get("in"), self.frames(producer.get("in")) if producer is not None else 0)
        last = self.frames(entry.get("out")) if "out" in entry.attributes else self.last_of(producer)
        length = max(0, last - first + 1)
        start, duration = self.ticks(at), self.ticks(length)
        if producer is None:
            return Clip(pointer, "clip", 0, "missing", start=start, duration=duration), length
        own = properties_of(entry)
        played = self._played(producer, own.get("kdenlive:id", ""))
        if played.noun == "transition":
            return structs.replace(played, pointer=pointer, start=start, duration=duration), length
        said = {k: with_points(v, has_commas=self.has_commas) for k, v in own.items() if k not in _ENTRY_NOISE}
        return structs.replace(
            played,
            pointer=pointer,
            source_start=self.ticks(first),
            start=start,
            duration=duration,
            effects=(*self._effects(entry), *played.effects) if entry.children else played.effects,
            other=digest_of([said, played.other]) if said else played.other,
        ), length

    def _played(self, producer: Element, known: str) -> Clip:
        """Describe a clip by what it plays, without times; `known` is the bin's number of it that the clip gives."""
        key = id(producer), known
        if key not in self.played:
            self.played[key] = self._read_played(producer, known)
        return self.played[key]

    def _read_played(self, producer: Element, known: str) -> Clip:
        found = properties_of(producer)
        home = self.in_bin.get(known or found.get("kdenlive:id", ""))
        named = properties_of(home) if home is not None else found
        if "shotcut:transition" in found:
            name = next((properties_of(t).get("mlt_service", "") for t in producer.all("transition")), "transition")
            return Clip("", "transition", 0, name, other=digest_of(self._transition_value(producer)))
        resource = found.get("resource", "").strip()
        service = found.get("mlt_service", "")
        _, speed, path = split_speed(resource) if service == "timewarp" else ("", 1.0, resource)
        if producer.tag in ("tractor", "playlist"):
            kind, path = "sequence", f"sequence {named.get('kdenlive:clipname') or named.get('kdenlive:uuid', '')}"
        else:
            kind = media_kind(service, path)
        name = named.get("kdenlive:clipname") or found.get("shotcut:caption") or path.rpartition("/")[2] or service
        return Clip(
            pointer="",
            noun="clip",
            number=0,
            name=name.strip(),
            media=path if kind != "title" else "title " + digest_of(found.get("xmldata", path)),
            speed=speed,
            effects=self._effects(producer),
            markers=read_markers(named, self.rate),
            details=played_streams(found) if kind == "file" else (),
            reference=self.reference_of.get(id(producer), -1),
            other=other_of(found),
        )

    def last_of(self, producer: Element | None) -> int:
        """Return the last frame of what a producer plays."""
        if producer is None:
            return -1
        found = producer.get("out")
        return self.frames(found, self.frames(properties_of(producer).get("length", ""), 1) - 1)

    def _transition_value(self, tractor: Element) -> list[object]:
        """Return the parts of a transition between two clips of a track, without ids."""
        parts: list[object] = []
        for track in tractor.all("track"):
            source = self.by_id.get(track.get("producer"))
            played = properties_of(source).get("resource", "") if source is not None else ""
            parts.append([played, self.frames(track.get("in")), self.frames(track.get("out"))])
        for child in tractor.all("transition"):
            parts.append(element_value(child, without=("id",)))
        return parts

    def _with_mixes(self, tractor: Element, clips: list[Clip]) -> list[Clip]:
        """Add Kdenlive's mixes, transitions between the two playlists of a track, to the clips that they lead to."""
        mixes = [t for t in tractor.all("transition") if not is_internal(t) and "in" in t.attributes]
        for mix in mixes:
            first, last = self.frames(mix.get("in")), self.frames(mix.get("out"))
            text = f"{transition_name(mix)} {spoken(self.ticks(last - first + 1))}"
            clips = [
                structs.replace(clip, transition=text) if clip.start == self.ticks(first) else clip for clip in clips
            ]
        return clips

    def _with_compositions(self, tractor: Element, tracks: list[Track], places: dict[int, int]) -> list[Track]:
        """Add transitions between tracks to the clip of the upper track that they begin on."""
        for transition in tractor.all("transition"):
            found = properties_of(transition)
            place = places.get(self.frames(found.get("b_track", ""), -1))
            if is_internal(transition) or "in" not in transition.attributes or place is None:
                continue
            start = self.ticks(self.frames(transition.get("in")))
            length = self.frames(transition.get("out")) - self.frames(transition.get("in")) + 1
            called = transition_name(transition)
            text = f"{called} {spoken(self.ticks(length))}"
            kept = {
                k: v
                for k, v in found.items()
                if k not in ("a_track", "b_track", "mlt_service", "kdenlive_id", "factory")
            }
            clips = list(tracks[place].clips)
            on = [n for n, clip in enumerate(clips) if clip.start <= start < clip.start + clip.duration]
            if on:
                whole = f"{clips[on[0]].transition} + {text}" if clips[on[0]].transition else text
                details = (*clips[on[0]].details, (f"{called} settings", canonical(kept)))
                clips[on[0]] = structs.replace(clips[on[0]], transition=whole, details=details)
                tracks[place] = structs.replace(tracks[place], clips=tuple(clips))
            else:
                effects = (
                    *tracks[place].effects,
                    (f"{called} at {spoken(start)}", canonical(kept)),
                )
                tracks[place] = structs.replace(tracks[place], effects=effects)
        return tracks

    def _others(self, sequences: list[tuple[str, Element]]) -> None:
        """Record fingerprints of the parts that are not looked into."""
        for name, tractor in sequences:
            self.notes.keep(f"effects of {name or 'the whole'}", [list(e) for e in self._effects(tractor)])
        known = {"profile", "producer", "chain", "playlist", "tractor"}
        rest = [element_value(child, without=("id",)) for child in self.root.children if child.tag not in known]
        self.notes.keep("other elements", rest)
        media: dict[str, set[str]] = {}
        for element in self.root.all("producer", "chain"):
            found = properties_of(element)
            place = self.reference_of.get(id(element), -1)
            if place >= 0 and not self.is_black(element):
                name = self.media[place].path or self.media[place].name
                media.setdefault(name, set()).add(other_of(found))
        for name, said in media.items():
            self.notes.keep(f"{OF_MEDIA}{name}", sorted(said))


def _named(tracks: list[Track], flavour: str) -> list[Track]:
    """Name tracks without a name as the editor shows them: V1, V2 from below, A1, A2 from above."""
    sounds = [n for n, track in enumerate(tracks) if track.kind == "audio"]
    pictures = [n for n, track in enumerate(tracks) if track.kind != "audio"]
    if flavour == "kdenlive":
        sounds.reverse()
    names = {n: f"A{k + 1}" for k, n in enumerate(sounds)} | {n: f"V{k + 1}" for k, n in enumerate(pictures)}
    return [structs.replace(t, name=t.name or names[n]) for n, t in enumerate(tracks)]
