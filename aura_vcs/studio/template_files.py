"""What a template holds: the documents of a project without what is one project's alone.

Texts may say {{title}} and {{topic}}; a project made from the template has its own there. Ids,
dates and media are left out, and the timeline is made from the scenes.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.studio import TemplateUnusable
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from aura_vcs.formats.timeline.durations import parse_duration
from aura_vcs.history.sources.content_source import ContentSource, unsafe_reason
from aura_vcs.ids import new_uuid
from aura_vcs.project.documents.load import PROJECT_NAME, SCENES_FOLDER, TIMELINE_NAME
from aura_vcs.project.documents.set_field import view_of

Documents = dict[str, dict[str, Any]]
"""Documents by file name."""

RENDER_NAME = "render.json"
FILE_LIMIT = 1000
"""Documents in one template."""
TEXTS = (".auraignore",)
"""Files beside the documents that a template takes along."""
TEXT_BYTES_LIMIT = 64 << 10
DEFAULT_SECONDS = 5.0
"""How long a scene is that does not say it."""
_OWN = {
    "id", "title", "created_at", "updated_at", "completed_at", "created_by", "modified_by", "status",
    "current_stage", "current_wizard_step", "progress_percent", "job_id", "error_message", "output_file_path",
    "thumbnail_path", "template_id", "is_completed", "audio_file_path", "image_file_path",
}  # fmt: skip
"""Fields that belong to one project, or to one of its scenes."""


def documents_of(source: ContentSource, name: str) -> Documents:
    """Read the documents of a project in the form of a template.

    Raises:
        TemplateUnusable: a document is not a JSON object; a template of it would be none.
    """
    found: Documents = {}
    for path in sorted(source.names()):
        if view_of(path) is None or path == TIMELINE_NAME:
            continue
        try:
            with source.open(path) as stream:
                value = parse(stream.read(MAX_DOCUMENT_BYTES + 1), path).value()
        except AuraError as error:
            raise TemplateUnusable(name, error.message) from error
        if not isinstance(value, dict):
            raise TemplateUnusable(name, f"{path} is not a JSON object")
        own = _OWN if path == PROJECT_NAME or path.startswith(f"{SCENES_FOLDER}/") else set[str]()
        found[path] = {key: item for key, item in value.items() if key not in own}
    return check_documents(found, name)


def texts_of(source: ContentSource) -> dict[str, str]:
    """Read the texts that a template takes along of any project, whatever it is made with: the ignore rules."""
    found: dict[str, str] = {}
    for path in TEXTS:
        with suppress(AuraError, UnicodeDecodeError), source.open(path) as stream:
            data = stream.read(TEXT_BYTES_LIMIT + 1)
            if len(data) <= TEXT_BYTES_LIMIT:
                found[path] = data.decode("utf-8-sig")
    return found


def check_texts(texts: Mapping[str, Any], name: str) -> dict[str, str]:
    """Check that a project may begin with the texts; return them.

    Raises:
        TemplateUnusable: a file that no template has, or one that is too long.
    """
    for path, text in texts.items():
        if path not in TEXTS:
            raise TemplateUnusable(name, f"{path!r}: no template has such a file")
        if not isinstance(text, str) or len(text.encode("utf-8", "replace")) > TEXT_BYTES_LIMIT:
            raise TemplateUnusable(name, f"{path} is not text of at most {TEXT_BYTES_LIMIT:,} bytes")
    return dict(texts)


def check_documents(documents: Mapping[str, Any], name: str) -> Documents:
    """Check that a project may begin with the documents; return them.

    Raises:
        TemplateUnusable: a file that is not a document, or names a place outside the project.
    """
    if not documents or len(documents) > FILE_LIMIT:
        raise TemplateUnusable(name, f"it has {len(documents)} documents; 1 to {FILE_LIMIT} make a template")
    for path, value in documents.items():
        reason = unsafe_reason(path) or ("" if view_of(path) is not None else "it is not a document of a project")
        if reason:
            raise TemplateUnusable(name, f"{path!r}: {reason}")
        if not isinstance(value, dict):
            raise TemplateUnusable(name, f"{path} is not a JSON object")
    return dict(documents)


class NewProject(msgspec.Struct, frozen=True):
    """What a new project is to say of itself.

    `render_defaults` are fields that go over those of the template's render.json.
    """

    title: str
    topic: str
    project: str
    template_id: str
    at: str
    by: str
    render_defaults: Mapping[str, Any] | None = None


def project_files(documents: Documents, new: NewProject) -> dict[str, bytes]:
    """Build the files of a new project: every document with its own title, ids and dates, and a timeline."""
    words = {"title": new.title, "topic": new.topic}
    files = {path: _filled(value, words) for path, value in documents.items() if path != TIMELINE_NAME}
    if new.render_defaults:
        files[RENDER_NAME] = {**files.get(RENDER_NAME, {}), **new.render_defaults}
    scenes = sorted((path for path in files if path.startswith(f"{SCENES_FOLDER}/")), key=lambda p: _index(files[p], p))
    for index, path in enumerate(scenes):
        rest = {key: value for key, value in files[path].items() if key not in {"id", "index"}}
        files[path] = {"id": new_uuid(), "index": index, **rest, "created_at": new.at}
    rest = {key: value for key, value in files.get(PROJECT_NAME, {}).items() if key not in _OWN}
    files[PROJECT_NAME] = {"id": new.project, "title": new.title, **rest, "template_id": new.template_id}
    if scenes:
        files[TIMELINE_NAME] = _timeline([files[path] for path in scenes])
        files[PROJECT_NAME]["duration_seconds"] = sum(_seconds(files[path]) for path in scenes)
    files[PROJECT_NAME] |= {"created_at": new.at, "created_by": new.by}
    return {path: (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode() for path, value in files.items()}


def script_structure(documents: Documents) -> list[dict[str, Any]]:
    """List the headings and lengths of the scenes, in order."""
    scenes = [(path, value) for path, value in documents.items() if path.startswith(f"{SCENES_FOLDER}/")]
    ordered = sorted(scenes, key=lambda item: _index(item[1], item[0]))
    return [{"heading": str(value.get("heading", "")), "duration_seconds": _seconds(value)} for _, value in ordered]


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, words) for item in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace("{{" + word + "}}", text)
    return value


def _timeline(scenes: list[dict[str, Any]]) -> dict[str, Any]:
    """Build a timeline with every scene after the one before it, without media."""
    start, placed = 0.0, []
    for index, scene in enumerate(scenes):
        seconds = _seconds(scene)
        placed.append(
            {
                "index": index,
                "heading": scene.get("heading", ""),
                "script": scene.get("script_text", ""),
                "start": start,
                "duration": seconds,
                "visual_assets": [],
                "transition_type": "Fade" if index else "None",
                "transition_duration": 0.5 if index else 0,
            }
        )
        start += seconds
    return {"scenes": placed, "subtitles": {"enabled": False}}


def _seconds(scene: Mapping[str, Any]) -> float:
    return parse_duration(scene.get("duration_seconds")) or DEFAULT_SECONDS


def _index(scene: Mapping[str, Any], path: str) -> tuple[float, str]:
    value = scene.get("index")
    return (float(value) if isinstance(value, int) else 1e9, path)
