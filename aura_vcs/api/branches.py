"""Branches and tags of a project."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from aura_vcs.api.opened import Part, has
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.values import VersionLike, name_of
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.names import branches, tags
from aura_vcs.history.names.revisions import resolve
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch, the id of the version it is on, and its heads if machines moved it apart."""

    name: str
    version: str
    diverged: tuple[str, ...]

    @classmethod
    def _of(cls, found: branches.Branch) -> Self:
        """Take over what the refs say."""
        return cls(found.name, found.version, tuple(found.diverged))


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that stays on a version."""

    name: str
    version: str
    message: str
    created_at: datetime
    created_by: str


class Branches(Part):
    """The branches of a project, by name."""

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._opened.run(NO_CALL, _branches))

    def __len__(self) -> int:
        return len(self._opened.run(NO_CALL, _branches))

    def __getitem__(self, name: str) -> Branch:
        return self._opened.run(NO_CALL, _branch, name)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    @property
    def current(self) -> str | None:
        """The branch that your files are on; None on an older version."""
        return self._opened.run(NO_CALL, Repository.head).branch

    def create(self, name: str, version: VersionLike = "HEAD") -> Branch:
        """Start a branch on a version; your files stay where they are."""
        return self._opened.run(NO_CALL, _created, name, name_of(version))

    def rename(self, old: str, new: str) -> Branch:
        """Give a branch another name."""
        return self._opened.run(NO_CALL, _renamed, old, new)

    def delete(self, name: str) -> None:
        """Delete a branch; its versions stay."""
        self._opened.run(NO_CALL, branches.delete_branch, name)


class Tags(Part):
    """The tags of a project, by name."""

    def __iter__(self) -> Iterator[Tag]:
        return iter(self._opened.run(NO_CALL, _tags))

    def __len__(self) -> int:
        return len(self._opened.run(NO_CALL, _tags))

    def __getitem__(self, name: str) -> Tag:
        found = {tag.name: tag for tag in self}
        if name not in found:
            raise UnknownName("tag", name, list(found))
        return found[name]

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def create(self, name: str, version: VersionLike = "HEAD", message: str = "") -> None:
        """Give a version a name that stays.

        Raises:
            NameTaken, InvalidName.
        """
        self._opened.run(NO_CALL, _tagged, name, name_of(version), message)

    def delete(self, name: str) -> None:
        """Remove a tag; its version stays."""
        self._opened.run(NO_CALL, tags.delete_tag, name)


def _branches(repo: Repository) -> list[Branch]:
    return list(map(Branch._of, branches.branches(repo)))


def _branch(repo: Repository, name: str) -> Branch:
    return Branch._of(branches.get_branch(repo, name))


def _created(repo: Repository, name: str, version: str) -> Branch:
    branches.create_branch(repo, name, resolve(repo, version).id)
    return _branch(repo, name)


def _renamed(repo: Repository, old: str, new: str) -> Branch:
    branches.rename_branch(repo, old, new)
    return _branch(repo, new)


def _tagged(repo: Repository, name: str, version: str, message: str) -> None:
    tags.create_tag(repo, name, resolve(repo, version).id, message)


def _tags(repo: Repository) -> list[Tag]:
    return [
        Tag(name, tag.version, tag.message, parse_time(tag.created_at), tag.created_by)
        for name, tag in sorted(repo.refs.tags().items())
        if tag.version is not None
    ]
