"""Scenes and assets of the worktree as rows of the index, brought up to date by dates and sizes.

A file is only opened when its date or size is not what it was; ten thousand files that did not
change cost a walk.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from aura_vcs.index.entities import AssetRow, Entities, SceneRow
from aura_vcs.layout import is_own_folder
from aura_vcs.plain_text import as_text, format_time
from aura_vcs.project.documents.assets import asset_type, is_temporary, mime_type
from aura_vcs.project.documents.load import PROJECT_NAME, is_scene_file
from aura_vcs.project.documents.models import ProjectDocument, SceneDocument
from aura_vcs.project.documents.validate import validate
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below

View = TypeVar("View", bound=msgspec.Struct)


class IndexedFile(msgspec.Struct, frozen=True):
    """A file of the folder: size in bytes, date in nanoseconds since 1970."""

    path: str
    size: int
    mtime_ns: int

    @property
    def stamp(self) -> str:
        """Changes when the file does."""
        return f"{self.mtime_ns}.{self.size}"


def refresh_folder(repo: Repository) -> Entities:
    """Bring the rows of scenes, assets and the project's words up to date; returns the index's entities."""
    entities = Entities(repo.index)
    known_scenes, known_assets = entities.stamps("scenes"), entities.stamps("assets")
    scenes, assets, here = list[SceneRow](), list[AssetRow](), set[str]()
    project: tuple[str, str, str] | None = None
    for seen in files_of(repo.root):
        here.add(as_text(seen.path))
        if is_scene_file(seen.path) and known_scenes.get(as_text(seen.path)) != seen.stamp:
            scenes.append(_scene(repo.root, seen))
        elif seen.path == PROJECT_NAME and entities.meta("project") != seen.stamp:
            project = _project(repo.root, seen)
        elif known_assets.get(as_text(seen.path)) != seen.stamp and (kind := asset_type(seen.path)) is not None:
            made = format_time_ns(seen.mtime_ns)
            temporary = is_temporary(seen.path)
            assets.append(
                AssetRow(as_text(seen.path), kind, mime_type(seen.path), seen.size, temporary, made, seen.stamp)
            )
    gone_scenes = sorted(known_scenes.keys() - here)
    gone_assets = sorted(known_assets.keys() - here)
    if PROJECT_NAME not in here and entities.meta("project") not in {None, ""}:
        project = ("", "", "")
    if scenes or gone_scenes or assets or gone_assets or project is not None:
        entities.update_folder(scenes, gone_scenes, assets, gone_assets, project)
    return entities


def files_of(root: str) -> Iterator[IndexedFile]:
    """Yield the regular files of a project folder, temporary ones included; `.aura` and links are left out."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            if not is_own_folder(entry.name):
                                waiting.append(path)
                        elif entry.is_file(follow_symlinks=False):
                            found = entry.stat(follow_symlinks=False)
                            yield IndexedFile(path, found.st_size, found.st_mtime_ns)
                    except OSError:
                        continue  # this one has gone, or cannot be looked at
        except OSError:
            continue  # gone meanwhile, or not ours to read: commits say so


def format_time_ns(stamp_ns: int) -> str:
    """Format nanoseconds since 1970 as records have times; the beginning of time where there is no such date."""
    try:
        return format_time(datetime.fromtimestamp(stamp_ns / 1e9, UTC))
    except (ValueError, OverflowError, OSError):
        return format_time(datetime.fromtimestamp(0, UTC))


def _scene(root: str, seen: IndexedFile) -> SceneRow:
    found = _view(root, seen.path, SceneDocument)
    return SceneRow(
        as_text(seen.path), found.id, found.index, found.heading, found.script_text, found.audio_file_path,
        found.image_file_path, found.duration_seconds, found.complete, found.created_at, seen.stamp,
    )  # fmt: skip


def _project(root: str, seen: IndexedFile) -> tuple[str, str, str]:
    found = _view(root, seen.path, ProjectDocument)
    return found.title, found.description, seen.stamp


def _view(root: str, path: str, view: type[View]) -> View:
    """Read what the document says; defaults where it is broken or gone: `project check` reports that."""
    try:
        with open(open_below(root, path), "rb") as file:
            return view_of(file.read(MAX_DOCUMENT_BYTES + 1), path, view)
    except (OSError, UnsafePath):
        return view()


def view_of(data: bytes, path: str, view: type[View]) -> View:
    """Decode the bytes of a document; defaults where they are broken."""
    try:
        value = parse(data, path).value()
    except AuraError:
        return view()
    found = validate(value, view, path)[0]
    return found if isinstance(value, dict) else view()
