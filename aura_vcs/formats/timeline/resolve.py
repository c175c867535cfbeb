"""Reading DaVinci Resolve projects (`.drp`): a zip file of XML, one document for each timeline and for the media pool.

Names, tracks, order, places and media are readable; what is done to a clip is packed in fields of hexadecimal digits:
those are fingerprints.
"""

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.containers import is_zip, open_zip
from aura_vcs.formats.timeline.fingerprint import digest_of, element_value
from aura_vcs.formats.timeline.model import Clip, MediaReference, Timeline, Track, check_clip_count, is_absolute
from aura_vcs.formats.timeline.timecode import Rate, frames_to_ticks, make_rate
from aura_vcs.formats.xmldoc.parse import Element, parse_xml

_ITEMS = ("Sm2TiVideoClip", "Sm2TiAudioClip", "Sm2TiItem")
_KNOWN = ("Name", "Start", "Duration", "In", "MediaFilePath", "MediaRef", "DbId", "Sequence", "UniqueId")


def is_drp(data: bytes) -> bool:
    """Tell whether bytes look like a project of Resolve."""
    return is_zip(data) and (b"project.xml" in data[: 64 << 10] or b"SeqContainer" in data or b"MpFolder" in data)


def read_drp(data: bytes) -> Timeline | Unstructured:
    """Read the model of a project of Resolve, or say why there is none."""
    archive = open_zip(data)
    if isinstance(archive, Unstructured):
        return archive
    tracks: list[Track] = []
    media: list[MediaReference] = []
    other: dict[str, str] = {}
    rate: Rate = (0, 1)
    count = 0
    for name in sorted(archive.names):
        if not name.lower().endswith(".xml"):
            other[name] = archive.checksums().get(name, "")
            continue
        content = archive.read(name)
        document = content if isinstance(content, Unstructured) else parse_xml(content)
        if isinstance(document, Unstructured):
            return Unstructured(f"{name} in it: {document.reason}")
        items = [e for e in document.root.walk() if e.tag in _ITEMS]
        if not items:
            other[name.rpartition("/")[2]] = digest_of(element_value(document.root, without=("DbId",)))
            continue
        found = next((e.text for e in document.root.walk() if e.tag == "FrameRate" and e.text.strip()), "")
        rate = rate if rate[0] else make_rate(found.strip() or 24)
        for holder in (e for e in document.root.walk() if e.tag == "Sm2TiTrack"):
            clips = [e for e in holder.walk() if e.tag in _ITEMS]
            count += len(clips)
            check_clip_count(count)
            tracks.append(_track(holder, clips, rate, f"{name.rpartition('/')[2]}", media, len(tracks)))
    if not tracks:
        return Unstructured("it has no timeline that can be read")
    main = tracks[0].sequence
    tracks = [
        Track(t.pointer, t.name, t.kind, t.clips, sequence="" if t.sequence == main else t.sequence) for t in tracks
    ]
    length = max((c.start + c.duration for t in tracks if not t.sequence for c in t.clips), default=0)
    return Timeline(tuple(tracks), {}, length, main, format="resolve", rate=rate, media=tuple(media), other=other)


def _track(
    holder: Element, items: list[Element], rate: Rate, sequence: str, media: list[MediaReference], place: int
) -> Track:
    clips = []
    for n, item in enumerate(items):
        path = item.text_of("MediaFilePath")
        if path:
            media.append(
                MediaReference(
                    path,
                    "file",
                    path.replace("\\", "/").rpartition("/")[2],
                    item.text_of("MediaRef"),
                    is_absolute=is_absolute(path),
                    pointer=f"{sequence}: {item.get('DbId')}",
                )
            )
        rest = [element_value(c, without=("DbId",)) for c in item.children if c.tag not in _KNOWN]
        clips.append(
            Clip(
                f"{sequence} track {place + 1} clip {n + 1}",
                "clip",
                n + 1,
                item.text_of("Name"),
                media=path or item.text_of("MediaRef"),
                source_start=_frames(item.text_of("In"), rate),
                start=_frames(item.text_of("Start"), rate),
                duration=max(0, _frames(item.text_of("Duration"), rate)),
                reference=len(media) - 1 if path else -1,
                other=digest_of(rest),
            )
        )
    kind = "audio" if items and items[0].tag == "Sm2TiAudioClip" else "video"
    clips.sort(key=lambda clip: clip.start)
    return Track(
        f"{sequence} track {place + 1}",
        holder.text_of("Name") or f"track {place + 1}",
        kind,
        tuple(clips),
        sequence=sequence,
    )


def _frames(text: str, rate: Rate) -> int:
    value = text.partition("|")[0].strip()
    try:
        number = float(value) if value else 0.0
    except ValueError:
        return 0
    return frames_to_ticks(round(number), rate) if abs(number) < 1e10 else 0
