"""Timelines that the tests of this folder share, in the studio's and in OpenTimelineIO's form."""

import copy
import json
from pathlib import Path
from typing import Any

OTIO_SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "otio"
PLANETS = ("Sun", "Mercury", "Venus", "Earth", "Mars", "Jupiter")


def scene(heading: str, seconds: float = 6.0, **fields: Any) -> dict[str, Any]:
    """A scene with one picture; its words are its own."""
    return {
        "index": 0,
        "heading": heading,
        "script": f"{heading} comes on stage, and {heading.lower()}s tale is told.",
        "start": 0,
        "duration": seconds,
        "narration_audio_path": f"assets/{heading.lower()}.wav",
        "visual_assets": [
            {
                "id": f"{heading}-1",
                "type": "image",
                "file_path": f"assets/{heading.lower()}.png",
                "start": 0,
                "duration": seconds,
                "z_index": 0,
                "opacity": 1.0,
                "effects": {"brightness": 1.0},
            }
        ],
        "transition_type": "fade",
        "transition_duration": 0.5,
        **fields,
    }


def studio(scenes: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """A timeline.json with these scenes one after another; starts and indices are laid anew."""
    scenes = copy.deepcopy(scenes)
    at: float = 0
    for index, each in enumerate(scenes):
        each["index"], each["start"] = index, at
        at += each["duration"]
    return {
        "scenes": scenes,
        "background_music_path": "assets/calm.mp3",
        "subtitles": {"enabled": True},
        **fields,
    }


def planets() -> list[dict[str, Any]]:
    """Six scenes of six seconds."""
    return [scene(heading) for heading in PLANETS]


def set_seconds(each: dict[str, Any], seconds: float) -> None:
    """Let a scene and its picture play for so long."""
    each["duration"] = each["visual_assets"][0]["duration"] = seconds


def _time(seconds: float, rate: int = 24) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": round(seconds * rate)}


def otio_range(start: float, seconds: float) -> dict[str, Any]:
    """A TimeRange at 24 frames per second."""
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(start), "duration": _time(seconds)}


def otio_clip(media: str, start: float = 0, seconds: float = 4, **fields: Any) -> dict[str, Any]:
    """A clip of an external file."""
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": fields.pop("name", media),
        "source_range": otio_range(start, seconds),
        "media_references": {
            "DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": f"file:///{media}.mov"}
        },
        "active_media_reference_key": "DEFAULT_MEDIA",
        "effects": [],
        "markers": [],
        "metadata": {},
        **fields,
    }


def otio_gap(seconds: float) -> dict[str, Any]:
    """Empty time."""
    return {"OTIO_SCHEMA": "Gap.1", "name": "", "source_range": otio_range(0, seconds)}


def otio(*tracks: list[dict[str, Any]], kinds: tuple[str, ...] = ("Video", "Audio")) -> dict[str, Any]:
    """A timeline with tracks V1, A1 …"""
    children = [
        {
            "OTIO_SCHEMA": "Track.1",
            "name": f"{kinds[n % 2][0]}{n // 2 + 1}",
            "kind": kinds[n % 2],
            "children": track,
        }
        for n, track in enumerate(tracks)
    ]
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": copy.deepcopy(children)}
    return {"OTIO_SCHEMA": "Timeline.1", "name": "cut", "metadata": {}, "tracks": stack}


def as_bytes(document: Any) -> bytes:
    """The document as a file holds it."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
