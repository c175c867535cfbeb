"""What a video project is made of: its scenes and media."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from aura_vcs.api.opened import Opened
from aura_vcs.api.results import CleanedAssets, SceneChanged
from aura_vcs.api.values import moment, path_or_none
from aura_vcs.index.entities import AssetRow, SceneRow
from aura_vcs.project.documents.folder_index import refresh_folder
from aura_vcs.project.scenes.actions import (
    change_scene,
    clean_temporary,
    drop_scene,
    new_scene,
    place_scene,
    plan_cleaning,
)
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Scene:
    """A scene, as its file in the folder has it."""

    file: Path
    id: str
    index: int
    heading: str
    script_text: str
    audio_file: Path | None
    image_file: Path | None
    duration_seconds: float | None
    is_completed: bool
    created_at: datetime | None

    @classmethod
    def of(cls, row: SceneRow) -> Self:
        """Take over what the index has of a scene."""
        return cls(
            file=Path(row.file),
            id=row.id,
            index=row.scene_index,
            heading=row.heading,
            script_text=row.script_text,
            audio_file=path_or_none(row.audio_file_path),
            image_file=path_or_none(row.image_file_path),
            duration_seconds=row.duration_seconds,
            is_completed=row.is_completed,
            created_at=moment(row.created_at),
        )


@dataclass(frozen=True, slots=True)
class Asset:
    """A media file of the folder."""

    path: Path
    type: str
    mime_type: str
    size: int
    is_temporary: bool
    written_at: datetime | None

    @classmethod
    def of(cls, row: AssetRow) -> Self:
        """Take over what the index has of a file."""
        written = moment(row.created_at)
        return cls(Path(row.file_path), row.asset_type, row.mime_type, row.file_size_bytes, row.is_temporary, written)


class Scenes:
    """The scenes in the order of the film. A scene goes by its index (from "0"), its id, or its file's name."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Scene]:
        return iter(self._opened.run(None, _scenes))

    def add(self, values: Mapping[str, str], *, at: int | None = None) -> SceneChanged:
        """Add a scene (`heading`, `script_text`, `audio_file_path` …) at an index, or at the end."""
        return self._opened.run(None, new_scene, values, at=at)

    def set(self, scene: str, values: Mapping[str, str]) -> SceneChanged:
        """Set fields of a scene."""
        return self._opened.run(None, change_scene, scene, values)

    def move(self, scene: str, to: int) -> SceneChanged:
        """Move a scene to another index."""
        return self._opened.run(None, place_scene, scene, to)

    def remove(self, scene: str) -> SceneChanged:
        """Remove a scene; its media stays."""
        return self._opened.run(None, drop_scene, scene)


class Assets:
    """The media files of the folder."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Asset]:
        return iter(self.list())

    def list(self, *, kind: str | None = None, temporary: bool | None = None) -> list[Asset]:
        """List media files; of a kind (`Image`, `Audio`, `Video` …), or only those that are temporary or not."""
        return self._opened.run(None, _assets, kind, temporary)

    def clean(self, *, unused_for: timedelta = timedelta(0), for_good: bool = False) -> CleanedAssets:
        """Delete temporary media that was not written for so long; with `for_good`, undo keeps nothing of it."""
        plan = self._opened.run(None, plan_cleaning, older_than_seconds=unused_for.total_seconds())
        return self._opened.run(None, clean_temporary, plan, for_good=for_good)


def _scenes(repo: Repository) -> list[Scene]:
    return [Scene.of(row) for row in refresh_folder(repo).scenes()]


def _assets(repo: Repository, type_: str | None, temporary: bool | None) -> list[Asset]:
    return [Asset.of(row) for row in refresh_folder(repo).assets(type_=type_, temporary=temporary)]
