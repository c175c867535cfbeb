"""Reading the studio's `timeline.json`. Lenient: what is missing or odd is left out, never an error."""

import json

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.timeline.model import Clip, Ticks, Timeline, Track, read_time, spoken

_NOUNS = {"image": "picture", "video": "video", "audio": "sound", "text": "text"}
_SCENE_FIELDS = {
    *("id", "index", "heading", "script", "start", "duration", "narration_audio_path"),
    *("visual_assets", "transition_type", "transition_duration", "effects", "markers"),
}
_ASSET_FIELDS = {"id", "type", "file_path", "start", "duration", "effects", "speed"}


def is_studio_timeline(value: JsonValue) -> bool:
    """Tell whether a document looks like the studio's timeline."""
    return isinstance(value, dict) and isinstance(value.get("scenes"), list) and "OTIO_SCHEMA" not in value


def read_studio_timeline(value: dict[str, JsonValue]) -> Timeline:
    """Read the model of a `timeline.json` (see `is_studio_timeline`)."""
    clips: list[Clip] = []
    end = 0
    for position, scene in enumerate(value["scenes"]):
        if isinstance(scene, dict):
            clips.append(read_scene(scene, f"/scenes/{position}", position, end))
            end = clips[-1].start + clips[-1].duration
    settings = {key: part for key, part in value.items() if key != "scenes"}
    name = value.get("name")
    track = Track("/scenes", "scenes", "scenes", tuple(clips))
    length = max([clip.start + clip.duration for clip in clips], default=0)
    return Timeline((track,), settings, length, name if isinstance(name, str) else "")


def read_scene(scene: dict[str, JsonValue], pointer: str, position: int, end: Ticks = 0) -> Clip:
    """Read one scene; it starts at `end` when it does not say where."""
    start = read_time(scene.get("start"))
    assets = scene.get("visual_assets")
    return Clip(
        pointer=pointer,
        noun="scene",
        number=position + 1,
        name=_text(scene.get("heading")),
        identity=_name(scene.get("id")),
        media=_text(scene.get("narration_audio_path")),
        start=end if start is None else start,
        duration=read_time(scene.get("duration")) or 0,
        text=_text(scene.get("script")),
        transition=_transition(scene),
        effects=_effects(scene.get("effects")),
        markers=_effects(scene.get("markers")),
        details=_details(scene, _SCENE_FIELDS),
        parts=tuple(
            [
                read_asset(asset, f"{pointer}/visual_assets/{n}", n)
                for n, asset in enumerate(assets if isinstance(assets, list) else [])
                if isinstance(asset, dict)
            ]
        ),
    )


def read_asset(asset: dict[str, JsonValue], pointer: str, position: int) -> Clip:
    """Read one visual asset of a scene."""
    speed = asset.get("speed")
    return Clip(
        pointer=pointer,
        noun=_NOUNS.get(_text(asset.get("type")).lower(), "asset"),
        number=position + 1,
        identity=_name(asset.get("id")),
        media=_text(asset.get("file_path")),
        start=read_time(asset.get("start")) or 0,
        duration=read_time(asset.get("duration")) or 0,
        speed=float(speed) if isinstance(speed, int | float) and abs(speed) < 1e9 else 1.0,
        effects=_effects(asset.get("effects")),
        details=_details(asset, _ASSET_FIELDS),
    )


def _transition(scene: dict[str, JsonValue]) -> str:
    kind, duration = scene.get("transition_type"), scene.get("transition_duration")
    if kind in (None, "", "None", "none"):
        return ""
    ticks = read_time(duration)
    return f"{kind} {spoken(ticks)}" if ticks else str(kind)


def _effects(value: JsonValue) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple([(name, canonical(part)) for name, part in sorted(value.items())])
    if isinstance(value, list):
        return tuple([(_text(part.get("name")) if isinstance(part, dict) else "", canonical(part)) for part in value])
    return ()


def _details(record: dict[str, JsonValue], known: set[str]) -> tuple[tuple[str, str], ...]:
    return tuple([(key, canonical(part)) for key, part in sorted(record.items()) if key not in known])


def canonical(value: JsonValue) -> str:
    """Write a value as text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _name(value: JsonValue) -> str:
    return canonical(value) if isinstance(value, str | int) and value != "" else ""
