"""Reading OpenTimelineIO files (`.otio`), as JSON and without the library.

Known: Timeline, SerializableCollection, Stack, Track, Clip (versions 1 and 2), Gap, Transition,
media references, Marker, Effect, LinearTimeWarp, FreezeFrame. Versions of a schema are read
alike where their fields agree. A test holds the times against the library's own. Lenient: what
is missing or odd is left out, never an error.
"""

from collections.abc import Iterable

from msgspec import structs

from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer
from aura_vcs.formats.timeline.model import (
    Clip,
    MediaReference,
    Ticks,
    Timeline,
    Track,
    is_absolute,
    seconds_to_ticks,
    spoken,
)
from aura_vcs.formats.timeline.studio import canonical

_CLIP_FIELDS = {
    *("OTIO_SCHEMA", "name", "source_range", "media_reference", "media_references"),
    *("active_media_reference_key", "effects", "markers", "children"),
}
_TIMELINE_FIELDS = {"OTIO_SCHEMA", "tracks", "global_start_time"}
_MEDIA_KEYS = ("target_url", "target_url_base", "name_prefix", "generator_kind")


def is_otio(value: JsonValue) -> bool:
    """Tell whether a document is an OpenTimelineIO timeline, or a collection that begins with one."""
    return _find_timeline(value)[0] is not None


def _find_timeline(value: JsonValue) -> tuple[dict[str, JsonValue] | None, str]:
    if _schema(value) == "SerializableCollection":
        for n, child in enumerate(_list(value.get("children"))):
            if _schema(child) == "Timeline":
                return child, f"/children/{n}"
    return (value, "") if _schema(value) == "Timeline" else (None, "")


def read_otio(value: JsonValue) -> Timeline:
    """Read the model of an OpenTimelineIO document (see `is_otio`)."""
    timeline, pointer = _find_timeline(value)
    assert timeline is not None
    stack = timeline.get("tracks")
    stack = stack if isinstance(stack, dict) else {}
    tracks = []
    for n, child in enumerate(_list(stack.get("children"))):
        if not isinstance(child, dict):
            continue
        place = f"{pointer}/tracks/children/{n}"
        items = _list(child.get("children")) if _schema(child) == "Track" else [child]
        start = f"{place}/children" if _schema(child) == "Track" else place.rpartition("/")[0]
        clips = tuple(_clips(items, start, offset=0 if _schema(child) == "Track" else n))
        kind = _text(child.get("kind")).lower() or "video"
        name = _text(child.get("name")) or f"{kind} track {n + 1}"
        tracks.append(Track(place, name, kind, clips, _named(child.get("markers")), _named(child.get("effects"))))
    settings = {key: part for key, part in timeline.items() if key not in _TIMELINE_FIELDS}
    settings["markers"] = stack.get("markers") or []
    begins = read_rational(timeline.get("global_start_time"))
    settings["start"] = spoken(begins) if begins is not None else None
    media = tuple(_files_of(timeline, pointer))
    return Timeline(tuple(tracks), settings, _duration(stack), _text(timeline.get("name")), media=media)


def _files_of(timeline: JsonValue, pointer: str) -> Iterable[MediaReference]:
    """Yield the files that references name in a timeline, in its order; numbered pictures as `name%04d.png`."""
    waiting: list[tuple[str, JsonValue]] = [(pointer, timeline)]
    while waiting:
        at, item = waiting.pop()
        if isinstance(item, list):
            waiting += [(f"{at}/{n}", part) for n, part in reversed([*enumerate(item)])]
        if not isinstance(item, dict):
            continue
        schema, path, field = _schema(item), "", "target_url"
        if schema == "ExternalReference":
            path = _text(item.get("target_url"))
        elif schema == "ImageSequenceReference":
            digits, field = item.get("frame_zero_padding"), "target_url_base"
            number = f"%0{digits}d" if isinstance(digits, int) and 0 < digits < 100 else "%d"
            start, end = (_text(item.get(key)) for key in ("name_prefix", "name_suffix"))
            base = _text(item.get(field)).rstrip("/")
            path = f"{base}/{start}{number}{end}" if base else f"{start}{number}{end}"
        if path:
            name = _text(item.get("name")) or path.rpartition("/")[2]
            place = at + join_pointer((field,))
            yield MediaReference(path, "file", name, is_absolute=is_absolute(path), writing="json", pointer=place)
        else:
            inner = ((at + join_pointer((key,)), part) for key, part in item.items())
            waiting += reversed([pair for pair in inner if isinstance(pair[1], dict | list)])


def read_containers(value: JsonValue) -> Timeline:
    """Read an OpenTimelineIO document with a track for everything that clips stand in, groups too.

    A group is a clip of what it stands in, and a track of its own.
    """
    timeline, pointer = _find_timeline(value)
    stack = timeline.get("tracks") if timeline is not None else None
    tracks: list[Track] = []
    waiting = [(f"{pointer}/tracks", stack, False)]
    while waiting:
        at, container, is_group = waiting.pop(0)
        items = _list(container.get("children")) if isinstance(container, dict) else []
        clips = tuple(clip for clip in _clips(items, f"{at}/children") if is_group or at != f"{pointer}/tracks")
        kind = ("group " if is_group else "") + _text(container.get("kind") if isinstance(container, dict) else "")
        name = _text(container.get("name")) if isinstance(container, dict) else ""
        tracks.append(Track(at, name or f"{kind} {len(tracks)}", kind, clips))
        for n, item in enumerate(items):
            if isinstance(item, dict) and _schema(item) in ("Track", "Stack"):
                waiting.append((f"{at}/children/{n}", item, is_group or at != f"{pointer}/tracks"))
    return Timeline(tuple(tracks), {})


def _clips(items: Iterable[JsonValue], place: str, *, offset: int = 0) -> Iterable[Clip]:
    """Yield the clips among a track's children, in order, with the time each one starts at."""
    start, number = 0, 0
    waiting = ""
    pending: Clip | None = None
    for n, item in enumerate(items):
        schema = _schema(item)
        if schema == "Transition":
            waiting = _transition(item)
            continue
        length = _duration(item)
        if schema and schema != "Gap":
            if pending is not None:
                yield pending
            number += 1
            pending = _clip(
                item, f"{place}/{n + offset}", number=number, start=start, length=length, transition=waiting
            )
            waiting = ""
        start += length
    if pending is not None:
        closing = (("closing transition", waiting),) if waiting else ()
        yield structs.replace(pending, details=(*pending.details, *closing))


def _clip(
    item: dict[str, JsonValue], pointer: str, *, number: int, start: Ticks, length: Ticks, transition: str
) -> Clip:
    reference = active_reference(item)
    played = read_range(item.get("source_range")) or read_range(reference.get("available_range"))
    nested = _list(item.get("children"))
    return Clip(
        pointer=pointer,
        noun="clip",
        number=number,
        name=_text(item.get("name")),
        media=_media(reference),
        source_start=played[0] if played else None,
        start=start,
        duration=length,
        speed=_speed(item),
        transition=transition,
        effects=_named(item.get("effects")),
        markers=_named(item.get("markers")),
        details=tuple((key, canonical(part)) for key, part in sorted(item.items()) if key not in _CLIP_FIELDS),
        parts=tuple(_clips(nested, f"{pointer}/children")),
    )


def read_children(items: list[JsonValue]) -> tuple[Clip, ...]:
    """Read every child as a clip of its own kind, gaps, transitions, tracks, effects and markers too.

    What is not a clip is known by all it says: its text is its canonical JSON.
    """
    children = []
    for n, item in enumerate(items):
        schema = _schema(item).lower()
        if schema in ("clip", "stack"):
            children.append(_clip(item, f"/{n}", number=n + 1, start=0, length=_duration(item), transition=""))
        else:
            text = "" if schema == "track" else canonical(item)
            name = _text(item.get("name")) if isinstance(item, dict) else ""
            children.append(Clip(f"/{n}", schema, n + 1, name=name, text=text))
    return tuple(children)


def active_reference(item: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the media reference a clip uses; empty when it has none."""
    found = item.get("media_reference")
    many = item.get("media_references")
    if isinstance(many, dict):
        found = many.get(_text(item.get("active_media_reference_key")) or "DEFAULT_MEDIA")
    return found if isinstance(found, dict) else {}


def _media(reference: dict[str, JsonValue]) -> str:
    return "".join(_text(reference.get(key)) for key in _MEDIA_KEYS)


def _duration(item: JsonValue) -> Ticks:
    """Return how long a child plays on its track; a transition takes no time of its own."""
    schema = _schema(item)
    if not schema or schema == "Transition":
        return 0
    own = read_range(item.get("source_range"))
    if own:
        return own[1]
    if schema == "Track":
        return sum(_duration(child) for child in _list(item.get("children")))
    if schema == "Stack":
        return max((_duration(child) for child in _list(item.get("children"))), default=0)
    available = read_range(active_reference(item).get("available_range"))
    return available[1] if available else 0


def read_range(value: JsonValue) -> tuple[Ticks, Ticks] | None:
    """Start and length of a TimeRange in ticks, None for anything else."""
    if not isinstance(value, dict):
        return None
    start, length = read_rational(value.get("start_time")), read_rational(value.get("duration"))
    return None if start is None or length is None else (start, max(0, length))


def read_rational(value: JsonValue) -> Ticks | None:
    """Read a RationalTime in ticks, None for anything else."""
    if not isinstance(value, dict):
        return None
    count, rate = value.get("value"), value.get("rate")
    if isinstance(count, bool) or isinstance(rate, bool):
        return None
    if not isinstance(count, int | float) or not isinstance(rate, int | float):
        return None
    if not 0 < rate < 1e9 or not abs(count) < 1e15:
        return None
    return seconds_to_ticks(count / rate)


def _speed(item: dict[str, JsonValue]) -> float:
    speed = 1.0
    for effect in _list(item.get("effects")):
        if _schema(effect) == "FreezeFrame":
            return 0.0
        scalar = effect.get("time_scalar") if _schema(effect) == "LinearTimeWarp" else None
        if isinstance(scalar, int | float) and abs(scalar) < 1e6:
            speed *= scalar
    return speed


def _transition(item: JsonValue) -> str:
    kind = _text(item.get("transition_type")) or "transition"
    length = (read_rational(item.get("in_offset")) or 0) + (read_rational(item.get("out_offset")) or 0)
    return f"{kind} {spoken(length)}" if length else kind


def _named(value: JsonValue) -> tuple[tuple[str, str], ...]:
    """Return effects or markers as (name, everything), without speed changes, which have a field of their own."""
    return tuple(
        (_text(part.get("name")) or _text(part.get("effect_name")) or _schema(part), canonical(part))
        for part in _list(value)
        if isinstance(part, dict) and _schema(part) not in ("LinearTimeWarp", "FreezeFrame")
    )


def _schema(value: JsonValue) -> str:
    """Return `Clip` of `Clip.2`; empty for what is not an OpenTimelineIO object."""
    return _text(value.get("OTIO_SCHEMA")).partition(".")[0] if isinstance(value, dict) else ""


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
