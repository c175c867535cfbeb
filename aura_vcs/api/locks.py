"""Locks on files that cannot be merged; the remote keeps them, so that of two people exactly one gets one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, Unpack

from aura_vcs.api.opened import Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import moment, paths_of
from aura_vcs.plain_text import now, parse_time
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.locks.locks import check_lockable, lock_paths, remote_locks, unlock_paths
from aura_vcs.sync.locks.staleness import NewerVersion
from aura_vcs.sync.state import lock_record
from aura_vcs.sync.state.cache import RemoteCache


@dataclass(frozen=True, slots=True)
class PathLock:
    """A lock on a file or folder. It belongs to one copy of the project; `is_mine` says whether to this one."""

    path: Path
    owner: str
    host: str
    is_mine: bool
    reason: str
    taken_at: datetime
    expires_at: datetime | None
    is_expired: bool

    @classmethod
    def _of(cls, repo: Repository, lock: lock_record.PathLock) -> Self:
        """Take over a record."""
        return cls(
            Path(lock.path),
            lock.owner,
            lock.host,
            lock.replica == repo.replica,
            lock.reason,
            parse_time(lock.taken_at),
            moment(lock.expires_at),
            not lock_record.is_active(lock, now()),
        )


@dataclass(frozen=True, slots=True)
class NewerFile:
    """A path of which the remote has a newer version than this project: pull it first."""

    path: Path
    branch: str
    version: str
    name: str
    author: str

    @classmethod
    def _of(cls, found: NewerVersion) -> Self:
        """Take over a finding."""
        return cls(Path(found.path), found.branch, found.version, found.name, found.author)


@dataclass(frozen=True, slots=True)
class LocksTaken:
    """Locks that were taken or renewed; `taken_over` are others' that had expired."""

    locks: tuple[PathLock, ...]
    taken_over: tuple[PathLock, ...]
    newer: tuple[NewerFile, ...]


@dataclass(frozen=True, slots=True)
class LocksReleased:
    """Locks that were released; `unsent` are paths of which the remote does not have this project's state yet."""

    locks: tuple[PathLock, ...]
    unsent: tuple[Path, ...]


class Locks(Part):
    """The locks at a remote: the one that is named, `origin`, or the only one."""

    def __iter__(self) -> Iterator[PathLock]:
        return iter(self.list())

    def list(self, remote: str | None = None, **call: Unpack[Call]) -> list[PathLock]:
        """List who has locked what; one request."""
        self._opened.run(NO_CALL, check_lockable, remote)
        return self._opened.run_at(call, remote, _listed)

    def take(
        self,
        paths: Iterable[StrPath],
        *,
        reason: str = "",
        expires: timedelta | None = None,
        remote: str | None = None,
        **call: Unpack[Call],
    ) -> LocksTaken:
        """Lock files, or folders with all in them: all of these or none. Others may take them after `expires`.

        Raises:
            PathLocked: somebody else has one. UnknownName. LocksUnsupported: the remote cannot do it.
        """
        self._opened.run(NO_CALL, check_lockable, remote)
        return self._opened.run_at(call, remote, _taken, paths, reason, expires)

    def release(
        self,
        paths: Iterable[StrPath] | None = None,
        *,
        force: bool = False,
        remote: str | None = None,
        **call: Unpack[Call],
    ) -> LocksReleased:
        """Release exactly these, all or none; without `paths`, all that are held from here.

        Raises:
            PathLocked: one is somebody else's, and `force` was not given. UnknownName: one is not locked.
        """
        self._opened.run(NO_CALL, check_lockable, remote)
        return self._opened.run_at(call, remote, _released, paths, force)


def _listed(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> list[PathLock]:
    return [PathLock._of(repo, lock) for lock in remote_locks(repo, remote, cache)]


def _taken(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    paths: Iterable[StrPath],
    reason: str,
    expires: timedelta | None,
) -> LocksTaken:
    seconds = None if expires is None else expires.total_seconds()
    done = lock_paths(repo, remote, cache, project_paths(repo, paths), reason=reason, seconds=seconds)
    locks, over = ([PathLock._of(repo, lock) for lock in group] for group in (done.locks, done.taken_over))
    return LocksTaken(tuple(locks), tuple(over), tuple(map(NewerFile._of, done.newer)))


def _released(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, paths: Iterable[StrPath] | None, force: bool
) -> LocksReleased:
    chosen = None if paths is None else project_paths(repo, paths)
    done = unlock_paths(repo, remote, cache, chosen, force=force)
    return LocksReleased(tuple(PathLock._of(repo, lock) for lock in done.locks), paths_of(done.unsent))
