"""Reads all documents of a project into views, and collects what is wrong with each on the way."""

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.documents import DocumentMalformed
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.spans import DocumentSpans, parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES, escape
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.model import DOCUMENTS
from aura_vcs.project.documents.models import (
    BriefDocument,
    PlanDocument,
    ProjectDocument,
    RenderDocument,
    SceneDocument,
    VoiceDocument,
)
from aura_vcs.project.documents.problems import DocumentProblem, Reference
from aura_vcs.project.documents.timeline import TimelineDocument
from aura_vcs.project.documents.validate import validate

PROJECT_NAME = "project.json"
TIMELINE_NAME = "timeline.json"
OTIO_NAME = "timeline.otio"
SCENES_FOLDER = "scenes"
MAX_SCENE_FILES = 5000
"""More scene files than this are not read; `check_project` says so."""
_MAX_ODDITIES = 20

View = TypeVar("View", bound=msgspec.Struct)


class SceneFile(msgspec.Struct, frozen=True):
    """One file of `scenes/` and what it says."""

    name: str
    document: SceneDocument


class ProjectView(msgspec.Struct, frozen=True):
    """Everything the documents say. A document that is not there, or is not JSON, is None."""

    names: frozenset[str]
    project: ProjectDocument | None
    brief: BriefDocument | None
    plan: PlanDocument | None
    voice: VoiceDocument | None
    render: RenderDocument | None
    timeline: TimelineDocument | None
    scenes: tuple[SceneFile, ...]
    """In the order of the film: by index, then by file name."""
    references: tuple[Reference, ...]
    problems: tuple[DocumentProblem, ...]


def is_studio_project(root: str) -> bool:
    """Tell whether a folder has any of the studio's documents beside project.json; nothing is read."""
    names = [*(f"{name}.json" for name in DOCUMENTS), SCENES_FOLDER]
    return any(os.path.lexists(os.path.join(root, name)) for name in names)


def load_project(source: ContentSource) -> ProjectView:
    """Read every document of `source`.

    What is wrong becomes a `DocumentProblem`, never an exception. Memory grows with the documents, of
    which each is at most 8 MiB, not with the media.
    """
    names = source.names()
    reader = _Reader(source, frozenset(names))
    scenes = reader.scenes(names)
    timeline = reader.document(TIMELINE_NAME, TimelineDocument)
    if timeline is None and OTIO_NAME in reader.names:
        reader.otio()
    return ProjectView(
        reader.names,
        reader.document(PROJECT_NAME, ProjectDocument),
        reader.document("brief.json", BriefDocument),
        reader.document("plan.json", PlanDocument),
        reader.document("voice.json", VoiceDocument),
        reader.document("render.json", RenderDocument),
        timeline,
        scenes,
        tuple(reader.references),
        tuple(reader.problems),
    )


def plain_document(source: ContentSource, name: str) -> Any:
    """Read the JSON of a document, unknown fields and all; None where there is none, or none that can be read."""
    try:
        with source.open(name) as stream:
            return parse(stream.read(MAX_DOCUMENT_BYTES + 1), name).value()
    except (AuraError, OSError):
        return None


class _Reader:
    def __init__(self, source: ContentSource, names: frozenset[str]) -> None:
        self.source, self.names = source, names
        self.problems: list[DocumentProblem] = []
        self.references: list[Reference] = []

    def scenes(self, names: Sequence[str]) -> tuple[SceneFile, ...]:
        files = sorted(name for name in names if is_scene_file(name))
        if len(files) > MAX_SCENE_FILES:
            message = f"there are {len(files):,} scene files; only the first {MAX_SCENE_FILES:,} are looked at"
            self.problems.append(DocumentProblem(SCENES_FOLDER, "", "warning", message))
        found = []
        for name in files[:MAX_SCENE_FILES]:
            document = self.document(name, SceneDocument)
            if document is not None:
                found.append(SceneFile(name, document))
        return tuple(sorted(found, key=lambda scene: (scene.document.index, scene.name)))

    def document(self, name: str, view: type[View]) -> View | None:
        if name not in self.names:
            return None
        document = self.parsed(name)
        if document is None:
            return None
        result, problems, references = validate(document.value(), view, name)
        self.problems += problems
        self.references += references
        return result if document.root.kind == "object" else None

    def parsed(self, name: str) -> DocumentSpans | None:
        """Parse the document's JSON; return None after noting why it cannot be had."""
        try:
            with self.source.open(name) as stream:
                document = parse(stream.read(MAX_DOCUMENT_BYTES + 1), name)
        except DocumentMalformed as error:
            place = f"line {error.line}, column {error.column}"
            self.problems.append(
                DocumentProblem(name, "", "error", f"this is not valid JSON: {error.detail} ({place})")
            )
        except LimitExceeded as error:
            self.problems.append(DocumentProblem(name, "", "error", f"too large to be looked at: {error.message}"))
        except AuraError as error:
            self.problems.append(DocumentProblem(name, "", "error", error.message))
        except OSError as error:
            self.problems.append(DocumentProblem(name, "", "error", f"cannot be read: {error.strerror or error}"))
        else:
            for oddity in document.oddities()[:_MAX_ODDITIES]:
                self.problems.append(DocumentProblem(name, oddity.pointer, "warning", oddity.message))
            return document
        return None

    def otio(self) -> None:
        """Media that an OpenTimelineIO file names by relative paths."""
        document = self.parsed(OTIO_NAME)
        if document is None:
            return
        value = document.value()
        if not isinstance(value, dict) or "OTIO_SCHEMA" not in value:
            expected = "an object with OTIO_SCHEMA"
            self.problems.append(
                DocumentProblem(OTIO_NAME, "", "error", "this is not an OpenTimelineIO document", expected)
            )
            return
        todo: list[tuple[str, Any]] = [("", value)]
        while todo:
            pointer, item = todo.pop()
            if isinstance(item, list):
                todo += [(f"{pointer}/{index}", part) for index, part in enumerate(item)]
            if not isinstance(item, dict):
                continue
            todo += [(f"{pointer}/{escape(key)}", part) for key, part in item.items()]
            target = item.get("target_url")
            external = str(item.get("OTIO_SCHEMA", "")).startswith("ExternalReference")
            if external and isinstance(target, str) and target.startswith("assets/"):
                reference = Reference(OTIO_NAME, f"{pointer}/target_url", target, ("Audio", "Image", "Video"))
                self.references.append(reference)


def is_scene_file(name: str) -> bool:
    """Tell whether `name` is a scene: a JSON file directly in `scenes/`, hidden ones apart."""
    folder, _, file = name.rpartition("/")
    return folder == SCENES_FOLDER and file.endswith(".json") and not file.startswith(".")
