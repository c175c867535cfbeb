"""Where something was written, and when it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.values import Version, path_or_none, version_or_none
from aura_vcs.history import blame as blame_room
from aura_vcs.history.lookup import clip_history as clip_room, field_history as field_room
from aura_vcs.history.names.revisions import resolve
from aura_vcs.index.full_text import SearchHit as StoredFound
from aura_vcs.project import search as search_room
from aura_vcs.project.search_texts import TextHit, search_texts
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Blamed:
    """A line or field of a file, and the version that wrote it; `place` is its number or JSON pointer.

    For a clip, `place` is its position and name, `text` what was done to it, and `kind` "added", "trimmed",
    "moved" or "changed".
    """

    place: str
    text: str
    version: Version
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A version that changed the value of a field; `before` and `after` are None also if the field did not exist."""

    version: Version
    path: Path
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class ClipChange:
    """A version that did something to a clip of the project file `path`: what it did, in sentences and stable words."""

    version: Version
    path: Path
    texts: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Where words were found; `excerpt` marks them with [ ].

    `kind` is "project", "scene", "version", "script", "note", "text", "subtitle", "clip", "document", "file" (a
    file's name) or "tag"; `name` is what has that name, the note's id, or where in the file the words are; `path`
    is the file's. `version` is the version that was found, or the last that had the text, None for what is in the
    folder. `first` is the first version that had the text, None if none has it yet.
    """

    kind: str
    name: str
    excerpt: str
    path: Path | None
    version: Version | None
    in_folder: bool
    first: Version | None


def blame(repo: Repository, version: str, path: StrPath) -> list[Blamed]:
    """See `Project.blame`."""
    found = blame_room.blame(repo, resolve(repo, version).id, project_paths(repo, [path])[0])
    versions = {part.version.id: Version._of(part.version) for part in found}
    return [Blamed(part.location, part.text, versions[part.version.id], part.kind) for part in found]


def clip_history(repo: Repository, name: str, paths: Sequence[StrPath]) -> list[ClipChange]:
    """See `Project.clip_history`."""
    found = clip_room.clip_history(repo, resolve(repo, "HEAD").id, name, project_paths(repo, paths) if paths else ())
    return [ClipChange(Version._of(it.version), Path(it.path), it.texts, it.kinds) for it in found]


def field_history(repo: Repository, path: StrPath, pointer: str) -> list[FieldChange]:
    """See `Project.field_history`."""
    found = field_room.field_history(repo, resolve(repo, "HEAD").id, project_paths(repo, [path])[0], pointer)
    return [
        FieldChange(Version._of(it.version), Path(it.path), *(None if v is UNSET else v for v in (it.before, it.after)))
        for it in found
    ]


def search(repo: Repository, words: str, limit: int) -> list[Found]:
    """See `Project.search`."""
    texts = [_text(hit) for hit in search_texts(repo, words, limit)[0]]
    found = [*(_found(repo, item) for item in search_room.search(repo, words, limit)), *texts]
    return sorted(found, key=lambda item: not item.in_folder)[:limit]


def _text(hit: TextHit) -> Found:
    first, last = version_or_none(hit.first), version_or_none(hit.last)
    path = None if hit.kind == "tag" else Path(hit.path)
    name = hit.path if hit.kind == "tag" else hit.place
    return Found(hit.kind, name, hit.excerpt, path, None if hit.in_folder else last, hit.in_folder, first)


def _found(repo: Repository, item: StoredFound) -> Found:
    version = None if item.version is None else repo.queries.version(item.version)
    of = version_or_none(version)
    return Found(item.kind, item.name, item.excerpt, path_or_none(item.path), of, of is None, of)
