"""The database of an Aura studio: its projects become folders with their history."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import Options, StrPath, open_studio, repository_options
from aura_vcs.api.reporting import Reporter
from aura_vcs.studio.database.import_database import DatabaseSource, import_database as _import
from aura_vcs.studio.database.media import PathMap
from aura_vcs.studio.database.report import DatabaseImported, ImportedProject, LeftRows as _Rows


@dataclass(frozen=True, slots=True)
class LeftRows:
    """Something that could not be taken as it is: what, why, how many, and some of them."""

    what: str
    reason: str
    count: int
    examples: tuple[str, ...]

    @classmethod
    def _of(cls, found: _Rows) -> Self:
        """Take over what the library says."""
        return cls(found.what, found.reason, found.count, found.examples)


@dataclass(frozen=True, slots=True)
class DatabaseProject:
    """A project of the database: its folder, and how much came. `branch` is where its versions went."""

    path: Path
    id: str
    title: str
    is_new: bool
    versions: int
    known: int
    branch: str
    scenes: int
    media: int
    checkpoints: int
    exports: int

    @classmethod
    def _of(cls, found: ImportedProject) -> Self:
        """Take over what the library says."""
        return cls(
            Path(found.path),
            found.id,
            found.title,
            found.is_new,
            found.versions,
            found.known,
            found.branch,
            found.scenes,
            found.media,
            found.checkpoints,
            found.exports,
        )


@dataclass(frozen=True, slots=True)
class DatabaseImport:
    """What an import did; with `dry_run`, what it would do. `left` is empty if everything could be taken."""

    projects: tuple[DatabaseProject, ...]
    settings: tuple[str, ...]
    templates: tuple[str, ...]
    left: tuple[LeftRows, ...]
    notes: tuple[str, ...]

    @classmethod
    def _of(cls, done: DatabaseImported) -> Self:
        """Take over what the library says."""
        return cls(
            tuple(map(DatabaseProject._of, done.projects)),
            done.settings,
            done.templates,
            tuple(map(LeftRows._of, done.left)),
            done.notes,
        )


def import_database(
    file: StrPath,
    folder: StrPath = ".",
    *,
    roots: Iterable[StrPath] = (),
    maps: Iterable[str] = (),
    titles: Iterable[str] = (),
    with_studio: bool = True,
    dry_run: bool = False,
    **options: Unpack[Options],
) -> DatabaseImport:
    """Make projects of all that the database of an Aura studio has, each a folder in `folder`.

    Media are taken from the database's own folder, below `roots`, and where `maps` (`OLD=NEW`) lead. Settings and
    templates go into the studio that the credentials name, if they do. Again, only what is new comes.

    Raises:
        NotADatabase: the file is none, or damaged. InputError: there is no project of a title, or a map is none.
    """
    home, author = (options.get("credentials") or Credentials()).home, options.get("author")
    wanted = DatabaseSource(
        database=os.path.abspath(file),
        folder=os.path.abspath(folder),
        media_roots=tuple(os.path.abspath(root) for root in roots),
        maps=tuple(PathMap.parse(text) for text in maps),
        titles=tuple(titles),
        with_studio=with_studio,
        dry_run=dry_run,
    )
    studio = None if home is None else lambda: open_studio(home, author)
    opened = repository_options(options, Reporter(options.get("progress")))
    return DatabaseImport._of(_import(wanted, studio, dict(opened)))
