"""Adds, changes, removes and moves scenes: what would have to be written, as bytes.

A scene is a file of `scenes/` and a place in timeline.json. Both are changed together as long as
they are in step (one timeline scene per file, indices 0, 1, 2 …); a timeline that is not, or is
no JSON, is left alone and `SceneChanges.notes` says so. Files keep their names when a scene
moves: the order is their `index`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from aura_vcs.errors.documents import InvalidValue
from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.jsondoc.edit import set_value, set_values
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.ids import new_uuid
from aura_vcs.project.documents.load import PROJECT_NAME, SCENES_FOLDER, ProjectView, SceneFile, load_project
from aura_vcs.project.documents.set_field import edit_document
from aura_vcs.project.scenes.timeline_sync import TimelineEditor, total_seconds

FIELDS = ("heading", "script_text", "audio_file_path", "image_file_path", "duration_seconds")
"""What a person sets of a scene."""
MANAGED_FIELDS = {
    "id": "a scene keeps its id",
    "index": "a scene's index changes by moving it",
    "created_at": "it says when the scene was made, and stays",
    "is_completed": "it follows from the scene's sound and picture",
}
"""What nobody sets of a scene, and why."""


class SceneChanges(msgspec.Struct, frozen=True):
    """Files to write (name to bytes) and to delete, and what a person should know."""

    write: dict[str, bytes]
    delete: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def list_scenes(source: ContentSource) -> tuple[SceneFile, ...]:
    """List the scenes in the order of the film."""
    return load_project(source).scenes


def find_scene(scenes: tuple[SceneFile, ...], name: str) -> SceneFile:
    """Find the scene that `name` means: an index, an id or the start of one, a file's name or its stem.

    Raises:
        UnknownName: no scene, or several, go by that name.
    """
    for matches in (
        [scene for scene in scenes if name in (scene.document.id, scene.name, _stem(scene.name))],
        [scene for scene in scenes if name == str(scene.document.index)],
        [scene for scene in scenes if len(name) >= 4 and scene.document.id.startswith(name)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            several = " and ".join(match.name for match in matches[:3])
            raise UnknownName("scene", name, hint=f"{several} both go by it; use the file's name.")
    raise UnknownName("scene", name, [_stem(scene.name) for scene in scenes[:12]])


def set_scene(source: ContentSource, name: str, values: Mapping[str, Any]) -> SceneChanges:
    """Change fields (`FIELDS`, or others the file has) of one scene.

    The timeline's heading, script, narration, picture and length of that scene follow, and the
    starts of the scenes after it.

    Raises:
        UnknownName: there is no such scene.
        UnknownField, InvalidValue: a field that a scene does not have, or a value it cannot have.
    """
    files = _Files(source)
    scene = find_scene(files.view.scenes, name)
    for field, value in values.items():
        if field in MANAGED_FIELDS:
            raise InvalidValue(scene.name, f"/{field}", MANAGED_FIELDS[field])
        data = edit_document(files.read(scene.name), scene.name, f"/{field}", value)
        files.write[scene.name] = data
    files.timeline.change(scene.document.index, values, scene.document)
    return files.changes()


def add_scene(
    source: ContentSource,
    values: Mapping[str, Any],
    *,
    at: int | None = None,
    scene_id: str | None = None,
    created_at: str | None = None,
) -> SceneChanges:
    """Add a scene with `values` (`FIELDS`) at index `at`, at the end without one; `created_at` goes into it.

    Raises:
        InvalidValue, UnknownField: values that a scene cannot have, or an index beyond the end.
    """
    files = _Files(source)
    scenes = files.view.scenes
    place = len(scenes) if at is None else at
    if not 0 <= place <= len(scenes):
        raise InvalidValue(SCENES_FOLDER, "", f"there is no index {place}", hint=f"Use 0 to {len(scenes)}.")
    document = {"id": scene_id or new_uuid(), "index": place, **dict.fromkeys(("heading", "script_text"), "")}
    data = (json.dumps(document, indent=2) + "\n").encode()
    name = _new_name(files.view, place, str(values.get("heading") or ""))
    for field, value in values.items():
        data = edit_document(data, name, f"/{field}", value)
    data = set_values(data, {"/id": document["id"], "/index": place})
    if created_at is not None:
        data = edit_document(data, name, "/created_at", created_at)
    files.renumber([*scenes[:place], None, *scenes[place:]])
    files.write[name] = data
    files.timeline.add(place, values)
    return files.changes()


def remove_scene(source: ContentSource, name: str) -> SceneChanges:
    """Take a scene out: its file is deleted, the scenes after it move up. Its media stays.

    Raises:
        UnknownName: there is no such scene.
    """
    files = _Files(source)
    scene = find_scene(files.view.scenes, name)
    files.renumber([other for other in files.view.scenes if other is not scene])
    files.timeline.remove(scene.document.index)
    return files.changes(delete=(scene.name,))


def move_scene(source: ContentSource, name: str, to: int) -> SceneChanges:
    """Put a scene at index `to` of the film; the others keep their order.

    Raises:
        UnknownName: there is no such scene.
        InvalidValue: there is no such index.
    """
    files = _Files(source)
    scenes = list(files.view.scenes)
    scene = find_scene(files.view.scenes, name)
    if not 0 <= to < len(scenes):
        raise InvalidValue(SCENES_FOLDER, "", f"there is no index {to}", hint=f"Use 0 to {len(scenes) - 1}.")
    start = scenes.index(scene)
    scenes.insert(to, scenes.pop(start))
    files.renumber(list(scenes))
    files.timeline.move(start, to)
    return files.changes()


class _Files:
    """The documents of a project while scenes change."""

    def __init__(self, source: ContentSource) -> None:
        self.source = source
        self.view = load_project(source)
        self.write: dict[str, bytes] = {}
        timeline = self.read("timeline.json") if "timeline.json" in self.view.names else None
        self.timeline = TimelineEditor(timeline, [scene.document.index for scene in self.view.scenes])

    def read(self, name: str) -> bytes:
        if name not in self.write:
            with self.source.open(name) as stream:
                return stream.read()
        return self.write[name]

    def renumber(self, order: list[SceneFile | None]) -> None:
        """Write `index` into the files whose place changed; None stands for a scene to come."""
        for place, scene in enumerate(order):
            if scene is not None and scene.document.index != place:
                self.write[scene.name] = set_value(self.read(scene.name), "/index", place, name=scene.name)

    def changes(self, *, delete: tuple[str, ...] = ()) -> SceneChanges:
        """Collect everything that differs from what is there."""
        self.write = {name: data for name, data in self.write.items() if name not in delete}
        if self.timeline.data is not None:
            self.write["timeline.json"] = self.timeline.data
        self._total()
        unchanged = [
            name for name in self.write if name in self.view.names and self._original(name) == self.write[name]
        ]
        for name in unchanged:
            del self.write[name]
        return SceneChanges(self.write, delete, self.timeline.notes)

    def _original(self, name: str) -> bytes:
        with self.source.open(name) as stream:
            return stream.read()

    def _total(self) -> None:
        """Update project.json's duration to the timeline's if it was the same before."""
        before = self.view.timeline
        stated = self.view.project.duration_seconds if self.view.project else None
        after = self.timeline.total()
        if before is None or stated is None or after is None:
            return
        if abs(stated - total_seconds(before.scenes)) < 0.01:
            data = set_value(self.read(PROJECT_NAME), "/duration_seconds", after, name=PROJECT_NAME)
            self.write[PROJECT_NAME] = data


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".json")


def _new_name(view: ProjectView, place: int, heading: str) -> str:
    """Choose a free file name that sorts where the scene stands, if the neighbours' numbers leave room."""
    words = re.findall(r"[a-z0-9]+", heading.lower())
    slug = "-".join(words)[:40].strip("-") or "scene"
    before = _number(view.scenes[place - 1].name) if place else 0
    after = _number(view.scenes[place].name) if place < len(view.scenes) else None
    number = (place + 1) * 10
    if before is not None and after is None:
        number = before // 10 * 10 + 10
    elif before is not None and after is not None and after - before > 1:
        number = (before + after) // 2
    taken = {name.casefold() for name in view.names}
    stem = f"{SCENES_FOLDER}/{number:03d}-{slug}"
    names = (stem + (f"-{attempt}" if attempt > 1 else "") + ".json" for attempt in range(1, len(taken) + 3))
    return next(name for name in names if name.casefold() not in taken)


def _number(name: str) -> int | None:
    found = re.match(r"\d{1,6}", _stem(name))
    return int(found[0]) if found else None
