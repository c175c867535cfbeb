"""What a video project is made of: its scenes and media."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.opened import Opened, Part, StrPath, has, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import moment, path_or_none, paths_of
from aura_vcs.errors.input import UnknownName
from aura_vcs.formats.media.wav_png import HeaderFacts
from aura_vcs.history.file_edits import RemovedFiles
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.index.entities import AssetRow, SceneRow
from aura_vcs.project.documents.folder_index import refresh_folder
from aura_vcs.project.render.probe import probe_media
from aura_vcs.project.scenes.actions import (
    SceneChanged,
    change_scene,
    clean_temporary,
    drop_scene,
    new_scene,
    place_scene,
    plan_cleaning,
)
from aura_vcs.project.scenes.scenes import find_scene, list_scenes
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest


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
    def _of(cls, row: SceneRow) -> Self:
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
    def _of(cls, row: AssetRow) -> Self:
        """Take over what the index has of a file."""
        written = moment(row.created_at)
        return cls(Path(row.file_path), row.asset_type, row.mime_type, row.file_size_bytes, row.is_temporary, written)


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What a media file is, as far as it says."""

    duration_seconds: float | None
    width: int | None
    height: int | None
    video_codec: str | None
    audio_codec: str | None

    @classmethod
    def _of(cls, found: HeaderFacts) -> Self:
        """Take over what was found."""
        return cls(found.duration_seconds, found.width, found.height, found.video_codec, found.audio_codec)


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did: the files it wrote and deleted, and notes for the person."""

    written: tuple[Path, ...]
    deleted: tuple[Path, ...]
    notes: tuple[str, ...]

    @classmethod
    def _of(cls, done: SceneChanged) -> Self:
        """Take over what was done."""
        return cls(paths_of(done.written), paths_of(done.deleted), done.notes)


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """Temporary media that would be deleted; a file that is written meanwhile stays."""

    assets: tuple[Asset, ...]
    bytes: int
    _plan: tuple[AssetRow, ...]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Temporary media that was deleted, `bytes` in all; files `left` were written meanwhile."""

    deleted: tuple[Path, ...]
    bytes: int
    left: tuple[Path, ...]

    @classmethod
    def _of(cls, done: RemovedFiles) -> Self:
        """Take over what was done."""
        return cls(paths_of(done.paths), done.size, paths_of(done.skipped))


class Scenes(Part):
    """The scenes in the order of the film. Name a scene by its index (from "0"), its id, or its file's name."""

    def __iter__(self) -> Iterator[Scene]:
        return iter(self._opened.run(NO_CALL, _scenes))

    def __getitem__(self, scene: str) -> Scene:
        return self._opened.run(NO_CALL, _scene, scene)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def add(self, values: Mapping[str, str], *, at: int | None = None) -> Edited:
        """Add a scene (`heading`, `script_text`, `audio_file_path` …) at an index, or at the end."""
        return self._opened.run(NO_CALL, _added, values, at, self._opened)

    def set(self, scene: str, values: Mapping[str, str]) -> Edited:
        """Set fields of a scene, and what the timeline says about it."""
        return self._opened.run(NO_CALL, _changed, scene, values, self._opened)

    def move(self, scene: str, to: int) -> Edited:
        """Move a scene to another index."""
        return self._opened.run(NO_CALL, _moved, scene, to, self._opened)

    def remove(self, scene: str) -> Edited:
        """Remove a scene; its media stays."""
        return self._opened.run(NO_CALL, _dropped, scene, self._opened)


class Assets(Part):
    """The media files of the folder, by path."""

    def __iter__(self) -> Iterator[Asset]:
        return iter(self.list())

    def __getitem__(self, path: StrPath) -> Asset:
        return self._opened.run(NO_CALL, _asset, path)

    def __contains__(self, name: StrPath) -> bool:
        return has(self.__getitem__, name)

    def list(self, *, type: str | None = None, temporary: bool | None = None) -> list[Asset]:  # noqa: A002  # as assets have it
        """List media files; of a type (`Image`, `Audio`, `Video` …), or only those that are temporary or not."""
        return self._opened.run(NO_CALL, _assets, type, temporary)

    def facts(self, path: StrPath, **call: Unpack[Call]) -> AssetFacts:
        """Look into a media file: its length, size in pixels and codecs.

        Raises:
            MediaUnreadable: it is not a picture, sound or clip, or damaged. ExtraMissing. FileUnreadable.
        """
        return self._opened.run(call, _facts, path)

    def plan_clean(self, *, unused_for: timedelta = timedelta(0)) -> CleaningPlan:
        """Find temporary media that no version has and that nobody has written to for this long. Changes nothing."""
        return self._opened.run(NO_CALL, _cleaning_plan, unused_for)

    def clean(self, plan: CleaningPlan | None = None, *, for_good: bool = False, **call: Unpack[Call]) -> Cleaned:
        """Delete temporary media, as planned; with `for_good`, nothing of it is kept for undo."""
        return self._opened.run(call, _cleaned, self.plan_clean() if plan is None else plan, for_good)


def _scenes(repo: Repository) -> list[Scene]:
    return [Scene._of(row) for row in refresh_folder(repo).scenes()]


def _scene(repo: Repository, name: str) -> Scene:
    file = find_scene(list_scenes(FolderSource(repo.root)), name).name
    return next(scene for scene in _scenes(repo) if scene.file == Path(file))


def _added(repo: Repository, values: Mapping[str, str], at: int | None, opened: Opened) -> Edited:
    return Edited._of(new_scene(repo, values, at=at, expire_days=opened.expire_days(repo)))


def _changed(repo: Repository, scene: str, values: Mapping[str, str], opened: Opened) -> Edited:
    return Edited._of(change_scene(repo, scene, values, expire_days=opened.expire_days(repo)))


def _moved(repo: Repository, scene: str, to: int, opened: Opened) -> Edited:
    return Edited._of(place_scene(repo, scene, to, expire_days=opened.expire_days(repo)))


def _dropped(repo: Repository, scene: str, opened: Opened) -> Edited:
    return Edited._of(drop_scene(repo, scene, expire_days=opened.expire_days(repo)))


def _assets(repo: Repository, type_: str | None, temporary: bool | None) -> list[Asset]:
    return [Asset._of(row) for row in refresh_folder(repo).assets(type_=type_, temporary=temporary)]


def _asset(repo: Repository, path: StrPath) -> Asset:
    found = {asset.path.as_posix(): asset for asset in _assets(repo, None, None)}
    wanted = project_paths(repo, [path])[0]
    if wanted not in found:
        raise UnknownName("asset", wanted, suggest(wanted, found))
    return found[wanted]


def _facts(repo: Repository, path: StrPath) -> AssetFacts:
    return AssetFacts._of(probe_media(FolderSource(repo.root), project_paths(repo, [path])[0], environment={}))


def _cleaning_plan(repo: Repository, unused_for: timedelta) -> CleaningPlan:
    rows = plan_cleaning(repo, older_than_seconds=unused_for.total_seconds())
    return CleaningPlan(tuple(map(Asset._of, rows)), sum(row.file_size_bytes for row in rows), tuple(rows))


def _cleaned(repo: Repository, plan: CleaningPlan, for_good: bool) -> Cleaned:
    return Cleaned._of(clean_temporary(repo, plan._plan, for_good=for_good))
