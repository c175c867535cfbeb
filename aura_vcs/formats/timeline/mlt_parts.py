"""The parts of an MLT document: properties, times, effects, media; see `mlt`."""

import re

from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.model import MediaKind, MediaReference, is_absolute
from aura_vcs.formats.timeline.studio import canonical
from aura_vcs.formats.timeline.timecode import Rate, nominal, read_timecode
from aura_vcs.formats.xmldoc.parse import Element, XmlDocument, start_tag_end

Properties = dict[str, str]

MAX_FRAMES = 10**10
_CLOCK = re.compile(r"(-)?(?:(\d{1,6}):)?(\d{1,4}):(\d{1,2})(?:[.,](\d{1,9}))?", re.ASCII)
_COMMA = re.compile(r"(?<=\d),(?=\d)")
_SPEED = re.compile(r"(-?\d{1,6}(?:[.,]\d{1,9})?):")
_KIND: dict[str, MediaKind] = {
    **dict.fromkeys(("color", "colour", "noise", "tone", "count", "blipflash", "hold", "null"), "generator"),
    **dict.fromkeys(("kdenlivetitle", "qtext", "pango", "pgm", "text"), "title"),
    "tractor": "sequence",
}
_PATHS = ("resource", "av.file", "luma", "filename", "warp_resource", "kdenlive:originalurl", "kdenlive:proxy")
EFFECT_NOISE = re.compile(
    r"_.*|kdenlive:(?:collapsed|selected|ui.*)|kdenlive_(?:ix|info|zone.*)|shotcut:(?:hidden|filter)|tag|version"
    r"|internal_added|mlt_service|kdenlive_id|in|out|factory"
)
MEDIA_NOISE = re.compile(
    r"meta\..*|_.*|kdenlive:(?:id|folderid|monitorPosition|zone.*|zoom.*|activeeffect|collapsed|thumbs.*|audio_max.*"
    r"|control_uuid|file_hash|file_size|duration|clipname|originalurl|proxy|markers|playlistid|clip_type|clipzone.*)"
    r"|shotcut:(?:hash|caption|detail|skipConvert|defaultAudioIndex|userAudioIndex.*)|length|eof|ignore_points|out|in"
    r"|resource|warp_resource|warp_speed|mlt_service|xml|global_feed|seekable|xmldata|aspect_ratio|progressive"
    r"|mlt_image_format|set\.test_.*|astream|vstream|creation_time|audio_index|video_index|mute_on_pause|force_reload"
    r"|ttl|loop|is_not_recorded|format|producer|kdenlive:.*hash"
)


def properties_of(element: Element) -> Properties:
    """Collect the `property` children by name; the last one of a name counts, as in MLT."""
    return {child.attributes.get("name", ""): child.text for child in element.children if child.tag == "property"}


def read_frames(value: str, rate: Rate) -> int | None:
    """Read a time of MLT as frames: a number, `hh:mm:ss.mmm` with point or comma, or a timecode."""
    value = value.strip()
    if value.lstrip("-").isdecimal() and len(value) < 12:
        return int(value)
    frames = read_timecode(value, rate) if value.count(":") == 3 or ";" in value else None
    if frames is not None:
        return frames
    match = _CLOCK.fullmatch(value)
    if match is None:
        return None
    sign, hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    nanos = whole * 10**9 + int((fraction or "0").ljust(9, "0"))
    number, denominator = rate if rate[0] > 0 else (nominal(rate), 1)
    found = (nanos * number * 2 + denominator * 10**9) // (2 * denominator * 10**9)
    return -found if sign else found


def with_points(value: str, *, has_commas: bool) -> str:
    """Write a value with a point in its decimals, whichever the author's computer writes."""
    return _COMMA.sub(".", value) if has_commas else value


def read_effect(element: Element, *, has_commas: bool) -> tuple[str, str]:
    """Read the name of a filter and its parameters, as canonical JSON."""
    found = properties_of(element)
    name = found.get("kdenlive_id") or found.get("shotcut:filter") or found.get("mlt_service") or "filter"
    kept = {
        key: with_points(value, has_commas=has_commas)
        for key, value in found.items()
        if not EFFECT_NOISE.fullmatch(key)
    }
    for key in ("in", "out"):
        if key in element.attributes:
            kept[key] = with_points(element.attributes[key], has_commas=has_commas)
    return name, canonical(kept)


def effects_of(element: Element, *, has_commas: bool) -> tuple[tuple[str, str], ...]:
    """List the effects that a person put on something; what the editor adds by itself is none."""
    return tuple(
        read_effect(child, has_commas=has_commas)
        for child in element.children
        if child.tag == "filter" and not is_internal(child)
    )


def is_internal(element: Element) -> bool:
    """Tell whether the editor added a filter or transition by itself."""
    found = properties_of(element)
    return bool(found.get("internal_added")) or found.get("_loader") == "1"


def split_speed(resource: str) -> tuple[str, float, str]:
    """Split `2.5:` and 2.5 off the front of a path, and return the path; "" and 1.0 where there is no speed."""
    match = _SPEED.match(resource)
    if match is None or (len(match.group(1)) == 1 and match.group(1).isalpha()):
        return "", 1.0, resource
    return match.group(), float(match.group(1).replace(",", ".")), resource[match.end() :]


def media_kind(service: str, resource: str) -> MediaKind:
    """Return the kind of media that a producer plays."""
    kind = _KIND.get(service.removeprefix("avformat-"))
    if kind is not None:
        return kind
    return "generator" if service.startswith("frei0r.") or not resource else "file"


def references_of(document: XmlDocument, element: Element, root: str) -> list[MediaReference]:
    """List the files that a producer, chain, filter or transition names, the one that it plays first."""
    found = properties_of(element)
    service = found.get("mlt_service", "")
    plays = element.tag in ("producer", "chain")
    digest = found.get("kdenlive:file_hash") or found.get("shotcut:hash") or ""
    size = found.get("kdenlive:file_size", "")
    references = []
    for name in _PATHS:
        if not found.get(name, "").strip():
            continue
        value = found[name].strip()
        prefix, _, path = split_speed(value) if service == "timewarp" and name == "resource" else ("", 1.0, value)
        kind: MediaKind = media_kind(service, path) if plays else "data"
        if name == "kdenlive:proxy":
            if path == "-":
                continue
            kind = "proxy"
        elif name == "resource" and plays and found.get("kdenlive:proxy", "-") not in ("-", ""):
            kind = "proxy" if found.get("kdenlive:originalurl", path) != path else kind
        if kind == "data" and not ("." in path or "/" in path):
            continue
        start, end = _text_span(document, element, name)
        references.append(
            MediaReference(
                path=path if kind in ("file", "proxy", "data") else "",
                kind=kind,
                name=found.get("kdenlive:clipname") or found.get("shotcut:caption") or path.rpartition("/")[2],
                identity=found.get("kdenlive:control_uuid") or found.get("shotcut:uuid") or "",
                folder=root,
                is_absolute=is_absolute(path),
                size=int(size) if size.isdecimal() and len(size) < 16 else -1,
                digest=f"{'kdenlive' if 'kdenlive:file_hash' in found else 'shotcut'}:{digest}" if digest else "",
                start=start + len(prefix) if end else 0,
                end=end,
                writing="xml" if end else "",
                pointer=f"{element.tag} {element.get('id')}: {name}",
                prefix=prefix,
            )
        )
    return sorted(references, key=lambda reference: not reference.pointer.endswith(": resource"))


def _text_span(document: XmlDocument, element: Element, name: str) -> tuple[int, int]:
    """Return where the text of a property stands, without the space around it."""
    if not document.is_editable:
        return 0, 0
    for child in element.children:
        if child.tag == "property" and child.get("name") == name:
            start = start_tag_end(document.data, child)
            end = document.data.rfind(b"</", start, child.end)
            text = document.data[start:end]
            return start + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))
    return 0, 0


def other_of(found: Properties) -> str:
    """Fingerprint what a producer says beside its media and what is known to be noise."""
    return digest_of({key: value for key, value in found.items() if not MEDIA_NOISE.fullmatch(key)})


def transition_name(element: Element) -> str:
    """Return what a transition is called: by its editor, by MLT, or at all."""
    found = properties_of(element)
    return found.get("kdenlive_id") or found.get("mlt_service") or "transition"


def played_streams(found: Properties) -> tuple[tuple[str, str], ...]:
    """Return which streams of its file a clip plays, where that is not both."""
    off = [
        name
        for name in ("video", "audio")
        if found.get(f"{name}_index") == "-1" or found.get(f"set.test_{name if name == 'audio' else 'image'}") == "1"
    ]
    return (("without", " and ".join(off)),) if len(off) == 1 else ()
