"""timeline.json while scenes are added, changed, removed and moved.

Works on the bytes: what the operation does not touch keeps its spelling, clock strings stay clock
strings and numbers stay numbers. Starts are counted anew from the first scene that changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aura_vcs.errors.documents import DocumentMalformed
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc import edit as json_edit
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.timeline.durations import parse_duration, same_spelling
from aura_vcs.project.documents.models import SceneDocument
from aura_vcs.project.documents.timeline import TimelineScene

NAME = "timeline.json"
_SAME_FIELDS = {
    "heading": "heading",
    "script_text": "script",
    "audio_file_path": "narration_audio_path",
}


def total_seconds(scenes: Iterable[TimelineScene]) -> float:
    """Sum up the scenes' lengths in seconds."""
    return round(sum(scene.duration for scene in scenes), 7)


class TimelineEditor:
    """The bytes of timeline.json, or nothing when there is none to keep in step."""

    def __init__(self, data: bytes | None, indices: Sequence[int]) -> None:
        """Read a timeline; `indices` are those of the scene files, in order."""
        self.notes: tuple[str, ...] = ()
        self.data = data
        if data is not None and not self._in_step(data, list(indices)):
            self.data = None

    def _in_step(self, data: bytes, indices: list[int]) -> bool:
        try:
            value = parse(data, NAME).value()
        except (DocumentMalformed, LimitExceeded) as error:
            self.notes = (f"{NAME} was left alone: {error.message}",)
            return False
        scenes = value.get("scenes") if isinstance(value, dict) else None
        objects = _objects(scenes)
        placed = [scene.get("index") for scene in objects]
        lengths = [parse_duration(scene.get("duration")) for scene in objects]
        if isinstance(scenes, list) and placed == indices == list(range(len(indices))) and None not in lengths:
            return True
        self.notes = (f"{NAME} was left alone: its scenes are not those of the scene files, in order",)
        return False

    def _scenes(self) -> list[dict[str, Any]]:
        scenes: list[dict[str, Any]] = json_edit.get(self.data or b"", "/scenes", name=NAME)
        return scenes

    def total(self) -> float | None:
        """Return the film's length in seconds; None without a timeline."""
        if self.data is None:
            return None
        return round(sum(parse_duration(scene["duration"]) or 0.0 for scene in self._scenes()), 7)

    def change(self, index: int, values: Mapping[str, Any], before: SceneDocument) -> None:
        """Follow a scene file whose fields took `values`; `before` is what it said."""
        if self.data is None:
            return
        place = f"/scenes/{index}"
        scene = self._scenes()[index]
        edits = {f"{place}/{_SAME_FIELDS[field]}": values[field] for field in _SAME_FIELDS if field in values}
        length = parse_duration(values.get("duration_seconds"))
        old_length = parse_duration(scene["duration"])
        if length is not None:
            edits[f"{place}/duration"] = same_spelling(length, scene["duration"])
        for number, asset in enumerate(_objects(scene.get("visual_assets"))):
            home = f"{place}/visual_assets/{number}"
            picture = asset.get("file_path") == before.image_file_path
            if "image_file_path" in values and picture and values["image_file_path"]:
                edits[f"{home}/file_path"] = values["image_file_path"]
            covers = not parse_duration(asset.get("start", 0)) and parse_duration(asset.get("duration")) == old_length
            if length is not None and covers:
                edits[f"{home}/duration"] = same_spelling(length, asset["duration"])
        self.data = json_edit.set_values(self.data, edits, name=NAME)
        self._retime()

    def add(self, index: int, values: Mapping[str, Any]) -> None:
        """Give a new scene its place, spelled like its neighbours."""
        if self.data is None:
            return
        scenes = self._scenes()
        like: Mapping[str, Any] = scenes[max(0, index - 1)] if scenes else {"duration": "", "start": ""}
        length = parse_duration(values.get("duration_seconds")) or 0.0
        picture = values.get("image_file_path")
        duration = same_spelling(length, like["duration"])
        asset = {
            "id": "picture",
            "type": "Image",
            "file_path": picture,
            "start": same_spelling(0, like["duration"]),
        }
        scene = {
            "index": index,
            "heading": values.get("heading", ""),
            "script": values.get("script_text", ""),
            "start": same_spelling(0, like.get("start", like["duration"])),
            "duration": duration,
            "narration_audio_path": values.get("audio_file_path"),
            "visual_assets": [{**asset, "duration": duration}] if picture else [],
            "transition_type": "None",
        }
        self.data = json_edit.insert(self.data, f"/scenes/{index}", scene, name=NAME)
        self._retime()

    def remove(self, index: int) -> None:
        """Take a scene's place out."""
        if self.data is not None:
            self.data = json_edit.remove(self.data, f"/scenes/{index}", name=NAME)
            self._retime()

    def move(self, start: int, to: int) -> None:
        """Put a scene elsewhere."""
        if self.data is not None:
            self.data = json_edit.move_item(self.data, "/scenes", start, to, name=NAME)
            self._retime()

    def _retime(self) -> None:
        """Count indices and starts anew, where the file states them."""
        assert self.data is not None
        edits: dict[str, Any] = {}
        now = 0.0
        for place, scene in enumerate(self._scenes()):
            if scene.get("index") != place:
                edits[f"/scenes/{place}/index"] = place
            stated = parse_duration(scene.get("start"))
            if stated is not None and abs(stated - now) > 1e-6:
                edits[f"/scenes/{place}/start"] = same_spelling(now, scene["start"])
            now = round(now + (parse_duration(scene["duration"]) or 0.0), 7)
        self.data = json_edit.set_values(self.data, edits, name=NAME)


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; in place of anything else stands an empty one."""
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []
