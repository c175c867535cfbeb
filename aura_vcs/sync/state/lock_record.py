"""Locks on paths: somebody works on a file that cannot be merged, and says so to everybody.

They stand in the remote's manifest, which moves by compare-and-swap. So of two that lock one path
exactly one wins, and no push can pass a lock by that was taken a moment before it. A lock on a
folder holds for everything in it. An expired lock stands until somebody takes it over or lets go
of it; it keeps nobody away any more.
"""

from collections.abc import Iterable

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, is_replica_id
from aura_vcs.layout import check_entry_name
from aura_vcs.plain_text import is_text, parse_time

LOCK_LIMIT = 10_000
"""Locks that one remote holds at most: the manifest that they stand in is read again and again."""
PATH_BYTES = 4096
TEXT_LIMIT = 1000
"""Characters of a lock's reason, owner and host."""


class PathLock(msgspec.Struct, frozen=True):
    """A lock. `path` is a file's or folder's, as versions have it; `expires_at` is None for never.

    It belongs to one copy of the project, `replica`; `owner` and `host` say whose and where for people.
    """

    path: str
    owner: str
    host: str
    replica: ReplicaId
    reason: str
    taken_at: str
    expires_at: str | None = None


def is_active(lock: PathLock, at: str) -> bool:
    """Tell whether the lock still excludes others at the moment `at`."""
    return lock.expires_at is None or parse_time(at) < parse_time(lock.expires_at)


def overlaps(lock: PathLock, path: str) -> bool:
    """Tell whether the lock is on that path, on a folder above it, or on something in it."""
    return lock.path == path or path.startswith(f"{lock.path}/") or lock.path.startswith(f"{path}/")


def holder(lock: PathLock) -> str:
    """Name the holder in words: "Ben on desktop"."""
    return f"{lock.owner} on {lock.host}"


def sorted_locks(locks: Iterable[PathLock]) -> tuple[PathLock, ...]:
    """Sort locks in the order in which manifests have them."""
    return tuple(sorted(locks, key=lambda lock: lock.path))


def check_lock_path(path: str) -> None:
    """Refuse what cannot be locked.

    Raises:
        RecordCorrupt, UnsafePath: it is not a path of a file that a version may have.
    """
    if not is_text(path):
        raise RecordCorrupt("a lock", "its path has bytes in it that are not text")
    if len(path.encode()) > PATH_BYTES:
        raise RecordCorrupt("a lock", f"its path is longer than {PATH_BYTES} bytes")
    for part in path.split("/"):
        check_entry_name(part)


def check_locks(locks: tuple[PathLock, ...]) -> None:
    """Look through the locks of a manifest, which somebody else may have written.

    Raises:
        RecordCorrupt, UnsafePath: one is not valid.
    """
    if len(locks) > LOCK_LIMIT or len({lock.path for lock in locks}) != len(locks):
        raise RecordCorrupt("the locks", "there are too many, or two on one path")
    for lock in locks:
        check_lock_path(lock.path)
        if not is_replica_id(lock.replica) or max(map(len, (lock.owner, lock.host, lock.reason))) > TEXT_LIMIT:
            raise RecordCorrupt(f"the lock on {lock.path}", "its owner or reason is not valid")
        for moment in (lock.taken_at, lock.expires_at):
            if moment is not None:
                _check_time(lock, moment)


def _check_time(lock: PathLock, moment: str) -> None:
    try:
        parse_time(moment)
    except OverflowError as error:
        raise RecordCorrupt(f"the lock on {lock.path}", f"{moment!r} is not a time") from error
