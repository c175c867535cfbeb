"""Writing the studio's timeline as OpenTimelineIO, for editors. Pure.

Scenes become markers, pictures and clips tracks of video, narration and music tracks of audio; clips that overlap go
to further tracks. What OpenTimelineIO has no field for stands in `metadata.aura`. Times are whole frames.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Clip, Ticks
from aura_vcs.formats.timeline.studio import read_studio_timeline

UrlOf = Callable[[str], str]
"""Returns what a clip calls a file of the project."""
_AUDIO = frozenset({"sound"})


class _Item(Struct, frozen=True):
    name: str
    media: str
    start: int
    length: int
    source_start: int
    metadata: dict[str, Any]


def studio_as_otio(value: dict[str, JsonValue], *, rate: float, name: str, url_of: UrlOf) -> dict[str, Any]:
    """Return the OpenTimelineIO document of a `timeline.json`; `rate` is frames per second."""
    timeline = read_studio_timeline(value)
    scenes = timeline.tracks[0].clips
    pictures, sounds = _parts(scenes, rate)
    narration = [_item(scene, scene.start, rate, scene.label) for scene in scenes if scene.media]
    music = timeline.settings.get("background_music_path")
    tracks = [_track("Video", f"Pictures {n}", row, rate, url_of) for n, row in enumerate(_rows(pictures), 1)]
    for title, items in (("Narration", narration), ("Sound", sounds)):
        rows = list(_rows(items))
        names = [title if len(rows) == 1 else f"{title} {n}" for n in range(1, len(rows) + 1)]
        tracks += [_track("Audio", said, row, rate, url_of) for said, row in zip(names, rows, strict=True)]
    if isinstance(music, str) and music:
        whole = _Item(music.rpartition("/")[2], music, 0, _frames(timeline.duration, rate), 0, {})
        tracks.append(_track("Audio", "Music", [whole], rate, url_of))
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {"aura": {key: part for key, part in timeline.settings.items() if key != "name"}},
        "name": timeline.name or name,
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "metadata": {},
            "name": "tracks",
            "source_range": None,
            "effects": [],
            "markers": [_marker(scene, rate) for scene in scenes],
            "children": tracks,
        },
    }


def _parts(scenes: Sequence[Clip], rate: float) -> tuple[list[_Item], list[_Item]]:
    pictures: list[_Item] = []
    sounds: list[_Item] = []
    for scene in scenes:
        for part in scene.parts:
            if not part.media:
                continue
            made = _item(part, scene.start + part.start, rate, part.name or part.media.rpartition("/")[2])
            (sounds if part.noun in _AUDIO else pictures).append(made)
    return pictures, sounds


def _item(clip: Clip, start: Ticks, rate: float, name: str) -> _Item:
    fields = {"noun": clip.noun, "identity": clip.identity, "transition": clip.transition, "text": clip.text}
    metadata: dict[str, Any] = {key: text for key, text in fields.items() if text}
    metadata |= dict(clip.details)
    if clip.effects:
        metadata["effects"] = dict(clip.effects)
    first = _frames(start, rate)
    length = max(1, _frames(start + clip.duration, rate) - first)
    return _Item(name, clip.media, first, length, _frames(clip.source_start or 0, rate), metadata)


def _rows(items: Sequence[_Item]) -> Iterator[list[_Item]]:
    """Deal clips out to as few tracks as it takes for none to overlap."""
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda item: item.start):
        for row in rows:
            if row[-1].start + row[-1].length <= item.start:
                row.append(item)
                break
        else:
            rows.append([item])
    yield from rows


def _track(kind: str, name: str, items: Sequence[_Item], rate: float, url_of: UrlOf) -> dict[str, Any]:
    children: list[dict[str, Any]] = []
    at = 0
    for item in items:
        if item.start > at:
            children.append({
                "OTIO_SCHEMA": "Gap.1", "metadata": {}, "name": "", "effects": [], "markers": [],
                "source_range": _range(0, item.start - at, rate),
            })  # fmt: skip
        children.append({
            "OTIO_SCHEMA": "Clip.1", "metadata": {"aura": item.metadata}, "name": item.name, "effects": [],
            "markers": [], "source_range": _range(item.source_start, item.length, rate),
            "media_reference": {
                "OTIO_SCHEMA": "ExternalReference.1", "metadata": {}, "name": "", "available_range": None,
                "target_url": url_of(item.media),
            },
        })  # fmt: skip
        at = item.start + item.length
    return {
        "OTIO_SCHEMA": "Track.1", "metadata": {}, "name": name, "kind": kind, "source_range": None, "effects": [],
        "markers": [], "children": children,
    }  # fmt: skip


def _marker(scene: Clip, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Marker.2", "metadata": {"aura": {"script": scene.text} if scene.text else {}},
        "name": scene.name or scene.label, "color": "GREEN",
        "marked_range": _range(_frames(scene.start, rate), max(1, _frames(scene.duration, rate)), rate),
    }  # fmt: skip


def _range(start: int, length: int, rate: float) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(start)},
        "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(length)},
    }


def _frames(ticks: Ticks, rate: float) -> int:
    return round(ticks * rate / TICKS_PER_SECOND)
