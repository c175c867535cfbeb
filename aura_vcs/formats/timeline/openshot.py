"""Reading OpenShot projects (`.osp`, from version 2 on), which are JSON.

Version 1 stored Python objects, which are never loaded.
"""

import json
from collections.abc import Iterator

from msgspec import structs

from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer
from aura_vcs.formats.timeline.fingerprint import digest_of
from aura_vcs.formats.timeline.model import (
    OF_MEDIA,
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
from aura_vcs.formats.timeline.timecode import UNKNOWN, Rate, make_rate, timecode

NOISE = {
    "undo history": ("history",),
    "playhead": ("playhead_position",),
    "zoom": ("scale", "tick_pixels", "scroll", "scroll_position"),
    "version of the editor": ("version", "modified"),
    "window": ("ui", "selected"),
    "render settings": ("export_path", "export_settings", "import_path"),
}
"""Fields of a project that change by looking at it."""
CLIP_NOISE = ("image", "ui", "selected", "thumbnail")
DIGITS = 12
"""Significant digits of a number that mean something: OpenShot rounds floats anew at every save."""
PICKLE = "it is a stored Python object (OpenShot 1), which could run anything when it is loaded"
_CLIP_FIELDS = {
    "id",
    "layer",
    "position",
    "start",
    "end",
    "file_id",
    "title",
    "effects",
    "reader",
    "duration",
    *CLIP_NOISE,
}
_KNOWN = {
    "id",
    "fps",
    "clips",
    "files",
    "layers",
    "effects",
    "markers",
    *(name for names in NOISE.values() for name in names),
}


def is_old_openshot(data: bytes) -> bool:
    """Tell whether bytes begin like a project of OpenShot 1."""
    return data.startswith((b"(iclasses.project\n", b"\x80\x02cclasses.project", b"(iopenshot"))


def read_openshot(value: dict[str, JsonValue]) -> Timeline:
    """Read the model of an OpenShot project (see `json_projects.is_openshot`)."""
    return _Reader(value).timeline()


def rounded(value: JsonValue) -> JsonValue:
    """Return the value with numbers that are written differently and mean the same made equal."""
    stack: list[JsonValue] = [value]
    if isinstance(value, float):
        return _number(value)
    if not isinstance(value, dict | list):
        return value
    top: JsonValue = dict(value) if isinstance(value, dict) else list(value)
    stack = [top]
    while stack:
        item = stack.pop()
        places = list(item) if isinstance(item, dict) else range(len(item))
        for place in places:
            part = item[place]
            if isinstance(part, float):
                item[place] = _number(part)
            elif isinstance(part, dict | list):
                item[place] = dict(part) if isinstance(part, dict) else list(part)
                stack.append(item[place])
    return top


def _number(value: float) -> JsonValue:
    near = float(f"{value:.{DIGITS}g}")
    return int(near) if near.is_integer() and abs(near) < 10**15 else near


class _Reader:
    def __init__(self, value: dict[str, JsonValue]) -> None:
        self.value = value
        fps = value.get("fps")
        self.rate: Rate = make_rate(fps.get("num"), fps.get("den")) if isinstance(fps, dict) else UNKNOWN
        self.files = {str(file.get("id")): (n, file) for n, file in _records(value["files"])}
        self.media: list[MediaReference] = []
        self.reference_of: dict[str, int] = {}
        self._read_media()

    def timeline(self) -> Timeline:
        layers = sorted((n for n, _ in _records(self.value["layers"])), key=self._height)
        tracks = [self._track(n, self.value["layers"][n], place) for place, n in enumerate(layers)]
        known = {track.identity for track in tracks}
        stray = sorted({str(clip.get("layer")) for _, clip in _records(self.value["clips"])} - known)
        tracks += [self._track(-1, {"number": number}, len(tracks)) for number in stray]
        length = max((clip.start + clip.duration for track in tracks for clip in track.clips), default=0)
        noise = {word: digest_of([self.value.get(key) for key in keys]) for word, keys in NOISE.items()}
        pictures = [clip.get("image") for _, clip in _records(self.value["clips"])]
        files = [file.get("image") for _, file in _records(self.value["files"])]
        shown = [part for part in (*pictures, *files) if part]
        noise["thumbnails"] = digest_of(shown)
        settings = {key: rounded(part) for key, part in self.value.items() if key not in _KNOWN}
        other = {
            f"{OF_MEDIA}{file.get('path')}": digest_of(
                {k: rounded(v) for k, v in file.items() if k not in (*CLIP_NOISE, "path", "id", "name")}
            )
            for _, file in _records(self.value["files"])
        }
        return Timeline(
            tuple(tracks),
            settings,
            length,
            format="openshot",
            rate=self.rate,
            media=tuple(self.media),
            markers=tuple(self._markers()),
            other=other,
            noise=noise,
        )

    def _height(self, n: int) -> float:
        number = self.value["layers"][n].get("number")
        return number if isinstance(number, int | float) else 0

    def _read_media(self) -> None:
        for name, (n, file) in self.files.items():
            path = file.get("path")
            if not isinstance(path, str):
                continue
            pointer = join_pointer(("files", n, "path"))
            size = file.get("file_size")
            self.reference_of[name] = len(self.media)
            self.media.append(
                MediaReference(
                    path,
                    "file",
                    _text(file.get("name")) or path.replace("\\", "/").rpartition("/")[2],
                    name,
                    is_absolute=is_absolute(path),
                    size=_size(size),
                    writing="json",
                    pointer=pointer,
                )
            )

    def _track(self, n: int, layer: dict[str, JsonValue], place: int) -> Track:
        number = str(layer.get("number"))
        clips = [self._clip(m, clip) for m, clip in _records(self.value["clips"]) if str(clip.get("layer")) == number]
        clips += [
            self._transition(m, effect)
            for m, effect in _records(self.value.get("effects"))
            if str(effect.get("layer")) == number
        ]
        clips.sort(key=lambda clip: (clip.start, clip.pointer))
        ordered = tuple(structs.replace(clip, number=k + 1) for k, clip in enumerate(clips))
        details = (("locked", "yes"),) if layer.get("lock") is True else ()
        name = _text(layer.get("label")) or f"Track {place + 1}"
        return Track(f"/layers/{n}", name, "video", ordered, identity=number, details=details)

    def _clip(self, n: int, clip: dict[str, JsonValue]) -> Clip:
        name = str(clip.get("file_id"))
        reader = clip.get("reader")
        reference = self.reference_of.get(name, -1)
        path = self.media[reference].path if reference >= 0 else ""
        if not path and isinstance(reader, dict):
            path = _text(reader.get("path"))
        start, end = _ticks(clip.get("start")), _ticks(clip.get("end"))
        time = clip.get("time")
        details = [
            (key, canonical(rounded(part)))
            for key, part in sorted(clip.items())
            if key not in _CLIP_FIELDS and key != "time"
        ]
        return Clip(
            pointer=f"/clips/{n}",
            noun="clip",
            number=0,
            name=_text(clip.get("title")) or path.replace("\\", "/").rpartition("/")[2],
            identity=canonical(clip.get("id")) if clip.get("id") else "",
            media=path,
            source_start=start,
            start=_ticks(clip.get("position")),
            duration=max(0, end - start),
            speed=_speed(time),
            effects=tuple(_effect(effect) for _, effect in _records(clip.get("effects"))),
            details=tuple(_constants(details)),
            reference=reference,
            other=digest_of(rounded(time)) if time is not None else "",
        )

    def _transition(self, n: int, effect: dict[str, JsonValue]) -> Clip:
        start, end = _ticks(effect.get("start")), _ticks(effect.get("end"))
        skipped = ("id", "layer", "position", "start", "end", "title", "type", *CLIP_NOISE)
        rest = {key: rounded(part) for key, part in effect.items() if key not in skipped}
        name = _text(effect.get("title")) or _text(effect.get("type")) or "transition"
        return Clip(
            pointer=f"/effects/{n}",
            noun="transition",
            number=0,
            name=name,
            identity=canonical(effect.get("id")) if effect.get("id") else "",
            start=_ticks(effect.get("position")),
            duration=max(0, end - start),
            other=digest_of(rest),
        )

    def _markers(self) -> Iterator[tuple[str, str]]:
        for _, marker in _records(self.value.get("markers")):
            at = (
                timecode(_ticks(marker.get("position")), self.rate)
                if self.rate[0]
                else spoken(_ticks(marker.get("position")))
            )
            rest = {key: part for key, part in marker.items() if key not in ("id", "position", "name", *CLIP_NOISE)}
            yield _text(marker.get("name")), canonical({"at": at, **rest})


def _records(value: JsonValue) -> list[tuple[int, dict[str, JsonValue]]]:
    return [(n, item) for n, item in enumerate(value if isinstance(value, list) else []) if isinstance(item, dict)]


def _ticks(value: JsonValue) -> Ticks:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return seconds_to_ticks(float(value)) if is_number and abs(value) < 10**12 else 0


def _size(value: JsonValue) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() and len(str(value)) < 16 else -1


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _effect(effect: dict[str, JsonValue]) -> tuple[str, str]:
    name = _text(effect.get("name")) or _text(effect.get("type")) or "effect"
    skipped = ("id", "name", "type", "class_name", "description", "short_name", "has_audio", "has_video", *CLIP_NOISE)
    return name, canonical({key: _simple(rounded(part)) for key, part in effect.items() if key not in skipped})


def _simple(value: JsonValue) -> JsonValue:
    """Simplify a curve of one point to the number that it is."""
    points = value.get("Points") if isinstance(value, dict) else None
    if isinstance(points, list) and len(points) == 1 and isinstance(points[0], dict):
        co = points[0].get("co")
        if isinstance(co, dict) and "Y" in co:
            return co["Y"]
    return value


def _constants(details: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for key, value in details:
        yield key, canonical(_simple(json.loads(value)))


def _speed(time: JsonValue) -> float:
    """Return how fast a clip plays: two points of its curve of time; 1 for any other curve."""
    points = time.get("Points") if isinstance(time, dict) else None
    if not isinstance(points, list) or len(points) != 2:
        return 1.0
    try:
        (x1, y1), (x2, y2) = ((float(p["co"]["X"]), float(p["co"]["Y"])) for p in points)
    except (KeyError, TypeError, ValueError):
        return 1.0
    return round((y2 - y1) / (x2 - x1), 6) if x2 != x1 and abs(y2 - y1) < 1e9 else 1.0
