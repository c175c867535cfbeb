"""Taking locks on paths, letting go of them, and looking who has which.

Each is one move of the remote's manifest from the state that was seen: all paths or none. Who is
slower looks again, and finds the other's lock.
"""

import os
from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import RefMoved, UnknownName
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.remotes import LocksUnsupported, PathLocked
from aura_vcs.history.status import status
from aura_vcs.ids import VersionId
from aura_vcs.plain_text import clean_text, format_time, now, parse_time
from aura_vcs.refs.merge import heads
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.suggestions import suggest
from aura_vcs.sync.locks.push_check import locked_error
from aura_vcs.sync.locks.staleness import NewerVersion, RemoteBranches
from aura_vcs.sync.remotes.add import READ_ONLY
from aura_vcs.sync.remotes.config import address_of, remote_config
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.lock_record import (
    LOCK_LIMIT,
    TEXT_LIMIT,
    PathLock,
    check_lock_path,
    is_active,
    overlaps,
    sorted_locks,
)
from aura_vcs.sync.state.manifest import MANIFEST
from aura_vcs.sync.state.manifest_update import update_manifest
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, state_of

ATTEMPTS = 20
"""So often the manifest may move under a lock before it gives up: it is quicker than any push."""
LONGEST_SECONDS = 366 * 86400.0
Change = Callable[[RemoteSnapshot], tuple[PathLock, ...]]
"""The locks that a remote is to have; raises what stands against it."""


class LockResult(msgspec.Struct, frozen=True):
    """Locks that were taken or renewed. `taken_over` are others' that had expired; `newer` says where
    the remote has a path otherwise than the version that is worked on here."""

    locks: tuple[PathLock, ...]
    taken_over: tuple[PathLock, ...] = ()
    newer: tuple[NewerVersion, ...] = ()


class UnlockResult(msgspec.Struct, frozen=True):
    """Locks that are gone. `of_others` were not ours; of the paths `unsent` the remote does not have
    what this project has, so whoever locks them next begins with an older state."""

    locks: tuple[PathLock, ...]
    of_others: tuple[PathLock, ...] = ()
    unsent: tuple[str, ...] = ()


def check_lockable(repo: Repository, name: str | None) -> None:
    """Refuse remotes that cannot keep two lockers apart.

    Raises:
        LocksUnsupported: says why. UnknownName, InputError: as `remote_config`.
    """
    _, config = remote_config(repo, name)
    address = address_of(repo, config)
    if config.single_writer:
        raise LocksUnsupported(address.text, "it was added with --single-writer: two locks at once would both be taken")
    if address.kind in READ_ONLY:
        raise LocksUnsupported(address.text, "it is only read, nobody can lock anything there")
    if address.kind == "folder" and os.path.isfile(address.path):
        raise LocksUnsupported(address.text, "it is a bundle, which is only read")


def lock_paths(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    paths: Sequence[str],
    *,
    reason: str = "",
    seconds: float | None = None,
) -> LockResult:
    """Lock files or folders (paths relative to the project), all of them or none.

    For `seconds`, or until they are unlocked. What is locked from here already is renewed; an
    expired lock of somebody else is taken over. Needs one request, and one to move the manifest.

    Raises:
        PathLocked: somebody else has one of them, or a folder above it, or something in it.
        UnknownName: a path that is neither here nor on the remote.
        InputError: the whole project, or a length of time that is none.
        RemoteError: it refused, or could not be reached.
    """
    if seconds is not None and not 0 < seconds <= LONGEST_SECONDS:
        raise InputError("A lock lasts for more than no time, and for a year at most")
    wanted = _checked_paths(paths)
    outcome = LockResult(())

    def change(snapshot: RemoteSnapshot) -> tuple[PathLock, ...]:
        nonlocal outcome
        outcome = _lock(repo, snapshot, wanted, reason, seconds)
        mine = {lock.path for lock in outcome.locks}
        gone = mine | {lock.path for lock in outcome.taken_over}
        return (*(lock for lock in snapshot.manifest.locks if lock.path not in gone), *outcome.locks)

    _update(repo, remote, cache, change)
    return outcome


def _checked_paths(paths: Sequence[str]) -> list[str]:
    wanted = sorted(set(paths))
    if "" in wanted:
        raise InputError("The whole project cannot be locked", hint="Name the files that cannot be merged.")
    for path in wanted:
        try:
            check_lock_path(path)
        except IntegrityError as error:
            raise InputError(f"{path!r} cannot be locked: {error.message}") from error
    inner = next((path for path in wanted if any(path.startswith(f"{other}/") for other in wanted)), None)
    if inner is not None:
        raise InputError(f"{inner} is in a folder that is to be locked too")
    return wanted


def _lock(
    repo: Repository, snapshot: RemoteSnapshot, paths: list[str], reason: str, seconds: float | None
) -> LockResult:
    branches = RemoteBranches(repo, snapshot)
    _check_exist(repo, branches, paths)
    at = now()
    expires = None if seconds is None else format_time(parse_time(at) + timedelta(seconds=seconds))
    over: dict[str, PathLock] = {}
    for path in paths:
        for lock in snapshot.manifest.locks:
            if lock.replica == repo.replica or not overlaps(lock, path):
                continue
            if is_active(lock, at):
                raise locked_error(snapshot.remote.location, lock, repo.author)
            over[lock.path] = lock
    said = clean_text(reason).strip()
    if len(said) > TEXT_LIMIT:
        raise InputError(f"A reason has at most {TEXT_LIMIT:,} characters")
    owner, host = repo.author[:TEXT_LIMIT], repo.host[:TEXT_LIMIT]
    locks = tuple(PathLock(path, owner, host, repo.replica, said, at, expires) for path in paths)
    if len(snapshot.manifest.locks) + len(locks) > LOCK_LIMIT:
        raise InputError(f"A remote keeps at most {LOCK_LIMIT:,} locks", hint="Lock a folder instead of its files.")
    return LockResult(locks, tuple(over.values()), branches.newer_versions(paths))


def _check_exist(repo: Repository, branches: RemoteBranches, paths: list[str]) -> None:
    head = repo.head().version
    for path in paths:
        here = os.path.lexists(os.path.join(repo.root, *path.split("/")))
        if here or (head is not None and branches.entry(head, path) is not None) or branches.has(path):
            continue
        tree = repo.queries.version(head) if head is not None else None
        known = [p for p, _ in repo.trees.walk(tree.tree)] if tree is not None and tree.is_live else []
        raise UnknownName("file or folder", path, suggest(path, known), hint="Paths are relative to where you are.")


def unlock_paths(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, paths: Sequence[str] | None, *, force: bool = False
) -> UnlockResult:
    """Let go of locks on exactly these paths; None: of all that are held from here.

    Others' expired locks can be removed as well; such that still hold only with `force`.

    Raises:
        PathLocked: one is somebody else's. UnknownName: one is not locked.
        RemoteError: it refused, or could not be reached.
    """
    gone: tuple[PathLock, ...] = ()
    unsent: tuple[str, ...] = ()

    def change(snapshot: RemoteSnapshot) -> tuple[PathLock, ...]:
        nonlocal gone, unsent
        locks = snapshot.manifest.locks
        gone = tuple(lock for lock in locks if (lock.replica == repo.replica if paths is None else lock.path in paths))
        if paths is not None:
            _check_release(repo, snapshot, paths, force=force)
        unsent = _unsent(repo, snapshot, [lock.path for lock in gone if lock.replica == repo.replica])
        return tuple(lock for lock in locks if lock not in gone)

    _update(repo, remote, cache, change)
    return UnlockResult(gone, tuple(lock for lock in gone if lock.replica != repo.replica), unsent)


def _check_release(repo: Repository, snapshot: RemoteSnapshot, paths: Sequence[str], *, force: bool) -> None:
    locks = {lock.path: lock for lock in snapshot.manifest.locks}
    at = now()
    for path in paths:
        lock = locks.get(path)
        if lock is None:
            above = next((held for held in locks if path.startswith(f"{held}/")), None)
            hint = f"The folder {above} is locked as a whole." if above is not None else "`aura locks` lists them."
            raise UnknownName("lock on", path, suggest(path, locks) if above is None else (), hint=hint)
        if lock.replica != repo.replica and is_active(lock, at) and not force:
            raise locked_error(snapshot.remote.location, lock, repo.author)


def _unsent(repo: Repository, snapshot: RemoteSnapshot, paths: list[str]) -> tuple[str, ...]:
    """Select the paths that the remote's branch does not have as the folder here has them."""
    if not paths:
        return ()
    head = repo.head()
    tips = {e.version for e in heads(snapshot.manifest.branches.get(head.branch or "", ()))} - {None}
    changed = [change.path for change in status(repo).changes]
    branches = RemoteBranches(repo, snapshot)
    unsent = []
    for path in paths:
        unsaved = any(p == path or p.startswith(f"{path}/") for p in changed)
        if unsaved or (head.version is not None and not _is_there(repo, branches, tips, head.version, path)):
            unsent.append(path)
    return tuple(unsent)


def _is_there(
    repo: Repository, branches: RemoteBranches, tips: set[VersionId | None], head: VersionId, path: str
) -> bool:
    queries = repo.queries
    try:
        mine = branches.entry(head, path)
        for tip in tips:
            if tip is not None and (queries.is_ancestor(head, tip) or branches.entry(tip, path) == mine):
                return True
    except IntegrityError:
        return True  # content that is gone here cannot be sent either
    return False


def remote_locks(repo: Repository, remote: RemoteStorage, cache: RemoteCache) -> tuple[PathLock, ...]:
    """Read the locks that the remote has, by path; one request.

    Raises:
        RemoteError: it could not be reached, or is not what it should be.
    """
    snapshot = load_snapshot(remote, cache, repo.format.project)
    _remember(cache, snapshot, snapshot)
    return sorted_locks(snapshot.manifest.locks)


def _update(repo: Repository, remote: RemoteStorage, cache: RemoteCache, change: Change) -> None:
    for _ in range(ATTEMPTS):
        snapshot = load_snapshot(remote, cache, repo.format.project)
        try:
            locks = sorted_locks(change(snapshot))
        except PathLocked:
            _remember(cache, snapshot, snapshot)  # `commit` and `status` will know of it
            raise
        if locks == sorted_locks(snapshot.manifest.locks):
            _remember(cache, snapshot, snapshot)
            return
        manifest = msgspec.structs.replace(snapshot.manifest, locks=locks)
        try:
            after = update_manifest(repo, remote, snapshot, manifest, has_all=False)
        except RefMoved:
            continue  # somebody else moved it: look again
        _remember(cache, snapshot, after)
        return
    raise RefMoved(f"{remote.location}/{MANIFEST}", "where it was seen", "moving all the time")


def _remember(cache: RemoteCache, before: RemoteSnapshot, after: RemoteSnapshot) -> None:
    """Keep what was seen. Where only locks moved, what was fetched and pushed still is."""
    seen = cache.state()
    if seen.generation > after.manifest.generation:
        return  # another command has looked since
    cache.remember(
        state_of(
            after,
            seen,
            fetched=seen.fetched.replace(before.digest, after.digest),
            pushed=seen.pushed.replace(before.digest[:32], after.digest[:32]),
        )
    )
