"""The versions of a project, what is in them, and what differs between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from aura_vcs.api.opened import Opened, StrPath
from aura_vcs.api.results import DocumentDiff, MediaDiff, TextDiff, TimelineDiff
from aura_vcs.api.values import FileInfo, Version, VersionLike, path_or_none, paths_of, version_or_none
from aura_vcs.codec import format_time
from aura_vcs.errors import InputError
from aura_vcs.history.commit import project_path
from aura_vcs.history.compare_versions import compare_versions
from aura_vcs.history.diff import file_diff
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.log import log
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.sources.comparison import StoredContents, is_file
from aura_vcs.history.versions import delete_version, edit_version, purge_version, undelete_version
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What differs in a file: `lines` say it in words, the rest is there as far as its `kind` has it.

    `is_complete` is False where lines count changes instead of telling each.
    """

    kind: str
    lines: tuple[str, ...]
    is_complete: bool
    timeline: TimelineDiff | None
    document: DocumentDiff | None
    text: TextDiff | None
    media: MediaDiff | None

    @classmethod
    def of(cls, found: file_diff.FileDiff) -> Self:
        """Take over what was found."""
        return cls(found.kind, found.lines, found.is_complete, found.timeline, found.document, found.text, found.media)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that differs between the two sides of a `Diff`; sizes are None where it is not there."""

    path: Path
    change: str
    """`added`, `modified`, `deleted`, `renamed` …"""
    old_path: Path | None
    old_size: int | None
    new_size: int | None
    _comparison: Comparison
    _change: PathChange

    def inside(self) -> FileDiff:
        """Compare the content: fields of a document, clips of a timeline, lines of a text."""
        return FileDiff.of(file_diff.diff_change(self._comparison, self._change))


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs: `old` is None before the first version, `new` for the folder as it is."""

    old: Version | None
    new: Version | None
    changes: tuple[FileChange, ...]
    documents: dict[str, bool]
    """Whether each document of a video (`brief`, `script` …) differs."""
    unstable: tuple[Path, ...]

    def __iter__(self) -> Iterator[FileChange]:
        return iter(self.changes)

    def __len__(self) -> int:
        return len(self.changes)


class Versions:
    """The versions of a project: iterate over them (newest first), or look one up by any of its names."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Version]:
        return iter(self.list())

    def __getitem__(self, version: VersionLike) -> Version:
        return Version.of(self._opened.run(None, resolve, name_of(version)))

    def list(
        self,
        *,
        limit: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        author: str | None = None,
        search: str | None = None,
        important: bool = False,
        deleted: bool = False,
        everything: bool = False,
        paths: Iterable[StrPath] = (),
    ) -> list[Version]:
        """List versions, newest first; see `Project.log`."""
        wanted = VersionFilter(
            since=time_text(since),
            until=time_text(until),
            author=author,
            grep=search,
            important=True if important else None,
            deleted=deleted,
            limit=limit,
        )
        chosen = project_paths(self._opened, paths)
        return [Version.of(found) for found in self._opened.run(None, log, wanted, everything=everything, paths=chosen)]

    def edit(
        self,
        version: VersionLike,
        *,
        name: str | None = None,
        description: str | None = None,
        important: bool | None = None,
    ) -> Version:
        """Change a version's name, description or importance; what is None stays."""
        record = self._record(version)
        edited = self._opened.run(None, edit_version, record, name=name, description=description, important=important)
        return Version.of(edited)

    def delete(self, version: VersionLike) -> Version:
        """Hide a version; gc frees its content after the grace period."""
        return Version.of(self._opened.run(None, delete_version, self._record(version)))

    def undelete(self, version: VersionLike) -> Version:
        """Show a deleted version again."""
        return Version.of(self._opened.run(None, undelete_version, self._record(version)))

    def purge(self, version: VersionLike, reason: str = "") -> Version:
        """Give a version's content up for good; the version stays as a record of who, when and why."""
        return Version.of(self._opened.run(None, purge_version, self._record(version), reason))

    def _record(self, version: VersionLike) -> VersionRecord:
        return self._opened.run(None, resolve, name_of(version))


def name_of(version: VersionLike) -> str:
    """Return what the library calls a version."""
    return version.id if isinstance(version, Version) else version


def project_paths(opened: Opened, paths: Iterable[StrPath]) -> list[str]:
    """Paths as versions have them. Relative ones count from the project's folder.

    Raises:
        InputError: one lies outside the project.
    """
    return [project_path(opened.repo, str(path), str(opened.root)) for path in paths]


def time_text(moment: datetime | None) -> str | None:
    """Write a time as records have it; one without a zone is local time."""
    return None if moment is None else format_time(moment.astimezone())


def compare(repo: Repository, old: VersionLike | None, new: VersionLike | None, paths: list[str]) -> Diff:
    """Compare; see `Project.diff`.

    Raises:
        InputError: `new` was given without `old`.
    """
    if new is not None and old is None:
        raise InputError("A comparison with a version needs the one before it, too", hint="Give old and new.")
    found = compare_versions(repo, [name_of(version) for version in (old, new) if version is not None], paths)
    comparison = found.comparison
    changes = tuple(_file_change(comparison, change) for change in comparison.changes)
    sides = version_or_none(found.old), version_or_none(found.new)
    return Diff(*sides, changes, comparison.documents, paths_of(comparison.unstable))


def _file_change(comparison: Comparison, change: PathChange) -> FileChange:
    return FileChange(
        Path(change.path),
        change.change,
        path_or_none(change.old_path),
        None if change.old is None else change.old.size,
        None if change.new is None else change.new.size,
        comparison,
        change,
    )


def list_files(repo: Repository, version: str, folder: StrPath) -> list[FileInfo]:
    """List what is in a version; see `Project.files`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged.
    """
    inside = project_path(repo, str(folder), repo.root) if str(folder) else ""
    located = locate(repo, f"{version}:{inside}")
    prefix = f"{inside}/" if inside else ""
    return [FileInfo.of(path, entry) for path, entry in repo.trees.walk(located.entry.id, prefix)]


def open_content(repo: Repository, version: str, path: StrPath) -> BinaryIO:
    """Open a file of a version; see `Project.open_file`.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged, IntegrityError. InputError: it is no file.
    """
    inside = project_path(repo, str(path), repo.root)
    located = locate(repo, f"{version}:{inside}")
    if not is_file(located.entry):
        raise InputError(f"{inside} is no file in {version}", hint="`files` lists what a folder has.")
    return StoredContents(repo.store).open(inside, located.entry)
