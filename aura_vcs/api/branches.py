"""Branches and tags of a project."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aura_vcs.api.opened import Opened
from aura_vcs.api.values import VersionLike
from aura_vcs.api.versions import name_of
from aura_vcs.codec import parse_time
from aura_vcs.history.names import branches, tags
from aura_vcs.history.names.revisions import resolve
from aura_vcs.ids import VersionId
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch, the id of the version it is on, and its heads where machines moved it apart."""

    name: str
    version: str
    diverged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that stays on a version."""

    name: str
    version: str
    message: str
    created_at: datetime
    created_by: str


class Branches:
    """The branches of a project, by name."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Branch]:
        return map(_branch, self._opened.run(None, branches.branches))

    def __getitem__(self, name: str) -> Branch:
        return _branch(self._opened.run(None, branches.need_branch, name))

    def __contains__(self, name: str) -> bool:
        return self._opened.run(None, branches.branch, name) is not None

    @property
    def current(self) -> str | None:
        """The branch that the folder is on."""
        return self._opened.run(None, Repository.head).branch

    def create(self, name: str, version: VersionLike = "HEAD") -> Branch:
        """Start a branch on a version; the folder stays where it is."""
        self._opened.run(None, branches.create_branch, name, _id(self._opened, version))
        return self[name]

    def rename(self, old: str, new: str) -> Branch:
        """Give a branch another name."""
        self._opened.run(None, branches.rename_branch, old, new)
        return self[new]

    def delete(self, name: str) -> None:
        """Delete a branch; its versions stay."""
        self._opened.run(None, branches.delete_branch, name)


class Tags:
    """The tags of a project, by name."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Tag]:
        return iter(self._opened.run(None, _tags))

    def create(self, name: str, version: VersionLike = "HEAD", message: str = "") -> None:
        """Give a version a name that stays."""
        self._opened.run(None, tags.create_tag, name, _id(self._opened, version), message)

    def delete(self, name: str) -> None:
        """Remove a tag; its version stays."""
        self._opened.run(None, tags.delete_tag, name)


def _id(opened: Opened, version: VersionLike) -> VersionId:
    return opened.run(None, resolve, name_of(version)).id


def _branch(found: branches.Branch) -> Branch:
    return Branch(found.name, found.version, tuple(found.diverged))


def _tags(repo: Repository) -> list[Tag]:
    return [
        Tag(name, tag.version, tag.message, parse_time(tag.created_at), tag.created_by)
        for name, tag in sorted(repo.refs.tags().items())
        if tag.version is not None
    ]
