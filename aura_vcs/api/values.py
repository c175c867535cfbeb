"""What calls answer: values with `datetime` times and `Path` paths, relative to the project's folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from aura_vcs.errors import AuraError
from aura_vcs.history import (
    checkout as checkout_room,
    commit as commit_room,
    status as status_room,
    undo as undo_room,
    undo_session as session_room,
)
from aura_vcs.history.recording.scan_differences import WorktreeChange as ScanChange
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Entry, Head, Operation as StoredOperation
from aura_vcs.plain_text import format_time, parse_time
from aura_vcs.project.autosave_loop import AutosaveRound
from aura_vcs.repository.repository import Repository

_LABELS = "versions/"


@dataclass(frozen=True, slots=True)
class Version:
    """A version: what the whole project was at one moment."""

    id: str
    number: int
    name: str
    description: str
    author: str
    created_at: datetime
    type: str
    trigger: str | None
    parents: tuple[str, ...]
    branch: str | None
    important: bool
    size: int
    """Bytes of all its files."""
    deleted_at: datetime | None
    deleted_by: str | None
    purged_at: datetime | None
    purged_by: str | None
    purge_reason: str | None

    def __str__(self) -> str:
        """Name the version as a person does: `v12`."""
        return f"v{self.number}"

    @classmethod
    def _of(cls, record: VersionRecord) -> Self:
        """Take over what the index has of a version."""
        return cls(
            id=record.id,
            number=record.number,
            name=record.name,
            description=record.description,
            author=record.author,
            created_at=parse_time(record.created_at),
            type=str(record.type),
            trigger=record.trigger,
            parents=tuple(record.parents),
            branch=record.branch,
            important=record.important,
            size=record.size_bytes,
            deleted_at=moment(record.deleted_at),
            deleted_by=record.deleted_by,
            purged_at=moment(record.purged_at),
            purged_by=record.purged_by,
            purge_reason=record.purge_reason,
        )


VersionType = Literal["manual", "autosave", "restore_point"]
VersionLike = Version | str
"""A version, or its name: `v12`, `HEAD`, `HEAD~2`, a branch, a tag, the beginning of its id, `@{2 hours ago}`."""


@dataclass(frozen=True, slots=True)
class Change:
    """A path that differs; `old_path` is where a renamed file was."""

    path: Path
    change: str
    old_path: Path | None = None

    @classmethod
    def _of(cls, change: ScanChange) -> Self:
        """Take over a difference."""
        return cls(Path(change.path), change.change, path_or_none(change.old_path))


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file, link or folder of a version."""

    path: Path
    kind: str
    size: int
    executable: bool
    id: str

    @classmethod
    def _of(cls, path: str, entry: Entry) -> Self:
        """Take over an entry of a tree."""
        return cls(Path(path), str(entry.kind), entry.size, entry.executable, entry.id)


@dataclass(frozen=True, slots=True)
class Status:
    """What has changed in the folder since the version it is based on."""

    branch: str | None
    head: Version | None
    changes: tuple[Change, ...]
    diverged: tuple[str, ...]
    """Ids of the heads of a branch that machines moved apart."""
    behind: str | None
    """Id of the branch's version, if it has moved past the version of your files."""
    awaited: tuple[str, ...]
    """Ids of versions of other machines that a sync tool has not brought yet."""
    conflicts: tuple[str, ...]
    """Places that merges left open; see `Project.conflicts`."""
    held: tuple[Path, ...]
    """Files that are ignored now but stay in versions until they are untracked."""
    unreadable: tuple[Path, ...]
    unstable: tuple[Path, ...]
    interrupted: str | None
    is_clean: bool
    tags_apart: tuple[tuple[str, str], ...] = ()
    """Names of tags that machines gave to different versions, each with the name under which the other one is kept."""

    @classmethod
    def _of(cls, found: status_room.Status) -> Self:
        """Take over what the look at the folder found."""
        return cls(
            branch=found.branch,
            head=version_or_none(found.head),
            changes=tuple(map(Change._of, found.changes)),
            diverged=tuple(found.diverged),
            behind=found.behind,
            awaited=tuple(found.missing_heads),
            held=paths_of(found.tracked_ignored),
            conflicts=found.conflicts,
            unreadable=paths_of(skipped.path for skipped in found.skipped if not skipped.is_evicted),
            unstable=paths_of(found.unstable),
            interrupted=found.interrupted,
            is_clean=found.is_clean,
            tags_apart=found.tags_apart,
        )


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made; `version` is None if nothing had changed."""

    version: Version | None
    unstable: tuple[Path, ...]
    """Files that kept changing: the version has them as they were before."""
    unreadable: tuple[Path, ...]
    new_branch: str | None
    """The branch that was started for the commit, on an older version."""
    beside: Version | None
    """The branch's other head, if another machine had moved the branch meanwhile."""
    amended: Version | None
    """The version that this one replaces."""
    folders_for_files: tuple[Path, ...] = ()
    """Paths at which the version has a folder, and the one before it a file."""
    stored_bytes: int = 0
    """How much disk space the commit took; content that was already stored takes none."""

    @classmethod
    def _of(cls, done: commit_room.Committed) -> Self:
        """Take over what was done."""
        return cls(
            version_or_none(done.version),
            paths_of(done.unstable),
            paths_of(skipped.path for skipped in done.skipped if not skipped.is_evicted),
            done.new_branch,
            version_or_none(done.beside),
            version_or_none(done.amended),
            paths_of(done.folders_for_files),
            done.stored_bytes,
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """Where your files are after some of them were replaced."""

    branch: str | None
    version: Version | None
    restore_point: Version | None
    """What was unsaved in files that were replaced, if anything."""
    changed: int
    left: tuple[Path, ...]
    """Files that were left alone, because they were written meanwhile."""

    kept_unsaved: int = 0
    """Unsaved changes that are still in the folder."""

    @classmethod
    def _of(cls, repo: Repository, moved: checkout_room.CheckoutResult) -> Self:
        """Take over what was done."""
        point = version_or_none(moved.restore_point)
        at = _version_at(repo, moved.head)
        return cls(moved.head.branch, at, point, moved.changed, paths_of(moved.skipped), moved.kept_unsaved)

    @classmethod
    def _nowhere(cls, repo: Repository, head: Head) -> Self:
        """Say where the folder is that stayed as it was."""
        return cls(head.branch, _version_at(repo, head), None, 0, ())


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that was done to the project, here or on another machine.

    `type` is "commit", "checkout", "undo", "merge", "fetch" …; more may be added. `versions` are ids of those that it
    made or whose labels it changed, `refs` names of all that it changed (`branches/main/…`, `tags/premiere` …).
    """

    id: str
    type: str
    description: str
    user: str
    host: str
    time: datetime
    replica: str
    versions: tuple[str, ...]
    refs: tuple[str, ...]
    undoes: str | None
    redoes: str | None
    correlation_id: str | None

    @classmethod
    def _of(cls, operation: StoredOperation) -> Self:
        """Take over a line of the log."""
        return cls(
            id=operation.id,
            type=operation.type,
            description=operation.description,
            user=operation.user,
            host=operation.host,
            time=parse_time(operation.time),
            replica=operation.replica,
            versions=tuple(name.removeprefix(_LABELS) for name in operation.refs if name.startswith(_LABELS)),
            refs=tuple(operation.refs),
            undoes=operation.undoes,
            redoes=operation.redoes,
            correlation_id=operation.correlation_id,
        )


@dataclass(frozen=True, slots=True)
class Autosaved:
    """An autosave that was due: its version, and how many old ones were deleted; or why nothing could be saved."""

    version: Version | None
    unstable: tuple[Path, ...]
    pruned: int
    error: AuraError | None

    @classmethod
    def _of(cls, done: AutosaveRound) -> Self:
        """Take over what was done."""
        if done.saved is None:
            return cls(None, (), 0, done.error)
        return cls(version_or_none(done.saved.version), paths_of(done.saved.unstable), done.pruned, done.error)


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back, or done again, and where the folder is now."""

    description: str
    operation: Operation
    files: Moved
    passed_over: tuple[str, ...] = ()
    """Why later operations were left as they are."""
    other_restore_points: tuple[Version, ...] = ()
    """What was unsaved in further steps taken back with it, oldest first; `files` has that of the last."""

    @classmethod
    def _of(cls, repo: Repository, done: undo_room.Undone) -> Self:
        """Take over what was done."""
        files = Moved._nowhere(repo, done.head) if done.files is None else Moved._of(repo, done.files)
        points = tuple(version for point in done.other_restore_points if (version := version_or_none(point)))
        return cls(done.description, Operation._of(done.operation), files, done.passed_over, points)


@dataclass(frozen=True, slots=True)
class SessionUndone:
    """What was taken back from a session, newest first, in words; `left` is what others have built on."""

    session: str
    undone: tuple[str, ...]
    left: tuple[str, ...]

    @classmethod
    def _of(cls, done: session_room.SessionUndone) -> Self:
        """Take over what was done."""
        return cls(done.session, tuple(item.description for item in done.undone), done.left)


def _version_at(repo: Repository, head: Head) -> Version | None:
    return None if head.version is None else version_or_none(repo.queries.version(head.version))


def moved_or_none(repo: Repository, moved: checkout_room.CheckoutResult | None) -> Moved | None:
    """Take over what happened to files, if anything did."""
    return None if moved is None else Moved._of(repo, moved)


def name_of(version: VersionLike) -> str:
    """Return what the library calls a version."""
    return version.id if isinstance(version, Version) else version


def name_or_none(version: VersionLike | None) -> str | None:
    """Return what the library calls a version, if one was named."""
    return None if version is None else name_of(version)


def time_text(time: datetime | None) -> str | None:
    """Write a time as records have it; one without a zone is local time."""
    return None if time is None else format_time(time.astimezone())


def version_or_none(record: VersionRecord | None) -> Version | None:
    """Take over a version, if there is one."""
    return None if record is None else Version._of(record)


def moment(text: str | None) -> datetime | None:
    """Read a time, if there is one."""
    return None if text is None else parse_time(text)


def path_or_none(path: str | None) -> Path | None:
    """Read a path, if there is one."""
    return None if path is None else Path(path)


def paths_of(paths: Iterable[str]) -> tuple[Path, ...]:
    """Read paths."""
    return tuple(map(Path, paths))
