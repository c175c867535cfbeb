"""Where something was written, and when it changed."""

from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import StrPath, project_paths
from aura_vcs.api.values import Version, path_or_none, version_or_none
from aura_vcs.history import blame as blame_room
from aura_vcs.history.lookup import field_history as field_room
from aura_vcs.history.names.revisions import resolve
from aura_vcs.index.full_text import Found as StoredFound
from aura_vcs.project import search as search_room
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Blamed:
    """A line or field of a file, and the version that wrote it; `place` is its number or JSON pointer."""

    place: str
    text: str
    version: Version


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A version that gave a field another value; `before` and `after` are None also where the field was not there."""

    version: Version
    path: Path
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Found:
    """Where words were found; `excerpt` marks them with [ ].

    `kind` is "project", "scene", "version" or "script"; `path` the document's; `version` the one that is meant, or
    that first had the document, None for what is in the folder.
    """

    kind: str
    name: str
    excerpt: str
    path: Path | None
    version: Version | None


def blame(repo: Repository, version: str, path: StrPath) -> list[Blamed]:
    """See `Project.blame`."""
    found = blame_room.blame(repo, resolve(repo, version).id, project_paths(repo, [path])[0])
    versions = {part.version.id: Version._of(part.version) for part in found}
    return [Blamed(part.place, part.text, versions[part.version.id]) for part in found]


def field_history(repo: Repository, path: StrPath, pointer: str) -> list[FieldChange]:
    """See `Project.field_history`."""
    found = field_room.field_history(repo, resolve(repo, "HEAD").id, project_paths(repo, [path])[0], pointer)
    return [
        FieldChange(Version._of(it.version), Path(it.path), *(None if v is UNSET else v for v in (it.before, it.after)))
        for it in found
    ]


def search(repo: Repository, words: str, limit: int) -> list[Found]:
    """See `Project.search`."""
    return [_found(repo, item) for item in search_room.search(repo, words, limit)]


def _found(repo: Repository, item: StoredFound) -> Found:
    version = None if item.version is None else repo.queries.version(item.version)
    return Found(item.kind, item.name, item.excerpt, path_or_none(item.path), version_or_none(version))
