"""Does a push carry changes to paths that somebody else has locked?

Asked in the draft of every attempt, of the manifest that the push moves on from: a lock that is
taken while packs are under way makes the attempt stale, and the next one sees it.
"""

from collections.abc import Collection, Sequence

from aura_vcs.errors.remotes import PathLocked
from aura_vcs.ids import ObjectId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.plain_text import now, parse_time
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import quote_path
from aura_vcs.sync.state.lock_record import PathLock, holder, is_active


def locked_changes(
    repo: Repository, fresh: Sequence[VersionRecord], locks: Collection[PathLock]
) -> tuple[PathLock, ...]:
    """List the locks of others on paths that the versions `fresh`, which the remote lacks, change.

    Autosaves and restore points move no branch and count for nothing. A merge counts only where it
    has what none of its parents has.
    """
    others = [lock for lock in locks if lock.replica != repo.replica]
    counted = [record for record in fresh if record.type is VersionType.MANUAL] if others else []
    return tuple(lock for lock in others if any(_changes(repo, record, lock.path) for record in counted))


def check_locked(remote: str, author: str, locks: Collection[PathLock]) -> None:
    """Refuse to push against locks that still hold.

    Raises:
        PathLocked: names the first of them, whose it is, and what to do.
    """
    at = now()
    for lock in locks:
        if is_active(lock, at):
            way = f"Ask {lock.owner}. Your versions are safe here; `aura push --ignore-locks` sends them anyway."
            raise locked_error(remote, lock, author, way)


def locked_error(remote: str, lock: PathLock, author: str, way: str = "") -> PathLocked:
    """Return the error that names a lock of somebody else; `way` is the way out if it is not the author's own."""
    typed = quote_path(lock.path)
    if lock.owner == author:
        way = f"It is yours, from {lock.host}: unlock it there, or here with `aura unlock --force {typed}`."
    elif not way:
        way = f"Ask {lock.owner}, or take it away with `aura unlock --force {typed}`."
    since = parse_time(lock.taken_at).strftime("%Y-%m-%d %H:%M UTC")
    return PathLocked(remote, lock.path, f"{holder(lock)} since {since}", lock.reason, hint=way)


def _changes(repo: Repository, record: VersionRecord, path: str) -> bool:
    if not _is_here(repo, record.tree):
        return False
    after = _entry(repo, record.tree, path)
    before = [_entry(repo, tree, path) for tree in _trees_before(repo, record)] or [None]
    return after not in before


def _is_here(repo: Repository, tree: ObjectId) -> bool:
    return tree == EMPTY_TREE_ID or repo.store.contains(tree)


def _entry(repo: Repository, tree: ObjectId, path: str) -> tuple[str, ObjectId] | None:
    found = repo.trees.entry(tree, path)
    return None if found is None else (found.kind, found.id)


def _trees_before(repo: Repository, record: VersionRecord) -> list[ObjectId]:
    """Return the trees of the versions before, passing over those whose content was freed."""
    queries = repo.queries
    waiting, trees, seen = list(record.parents), [], set(record.parents)
    while waiting:
        before = queries.version(waiting.pop())
        if before is None:
            continue
        if _is_here(repo, before.tree):
            trees.append(before.tree)
            continue
        fresh = [parent for parent in before.parents if parent not in seen]
        seen.update(fresh)
        waiting += fresh
    return trees
