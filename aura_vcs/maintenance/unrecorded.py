"""What interrupted commands of this machine left in the store: garbage that nobody can want back."""

from collections.abc import Iterable
from datetime import UTC, datetime

from aura_vcs.ids import ObjectId
from aura_vcs.index.records import ObjectRecord
from aura_vcs.maintenance.reachability import Marker, all_labels
from aura_vcs.objects.unrecorded import Leftover
from aura_vcs.plain_text import format_time
from aura_vcs.repository.repository import Repository

UNRECORDED_SECONDS = 86_400
"""So long it stays: whatever runs for longer holds the lock that gc waits for."""


def find_unrecorded(repo: Repository, garbage: Iterable[ObjectRecord]) -> dict[ObjectId, str]:
    """Map those of some garbage that this machine stored and never recorded to when that was.

    What was ever held is not among them, as far as the index knows, or the labels of versions that were deleted:
    an index that was made anew has forgotten when their content was given up.
    """
    left = {(item.is_pack, item.name): item.touched_ns for item in repo.store.unrecorded.leftovers()}
    if not left:
        return {}
    found: dict[ObjectId, str] = {}
    for item in garbage:
        touched = left.get((False, item.id) if item.pack is None else (True, item.pack))
        if touched is not None and item.created_at == item.last_referenced_at:
            found[item.id] = _format_ns(touched)
    held = _held_by_deleted(repo, found) if found else set()
    return {object_id: date for object_id, date in found.items() if object_id not in held}


def _held_by_deleted(repo: Repository, found: dict[ObjectId, str]) -> set[ObjectId]:
    """Find which of them versions hold that are deleted or purged; all, where that cannot be told."""
    deleted, purged = Marker(repo, found.keys()), Marker(repo, found.keys())
    for label in all_labels(repo).values():
        if label.purged_at is not None:  # some of its content may be gone
            purged.mark_version(label.version, content=True)
        elif label.deleted_at is not None:
            deleted.mark_version(label.version, content=True)
    return set(found) if deleted.damaged else deleted.found | purged.found


def unrecorded_bytes(repo: Repository, *, older_than_seconds: float = UNRECORDED_SECONDS) -> int:
    """Count the bytes of files that interrupted commands left so long ago, as far as their lists say."""
    limit = datetime.now(UTC).timestamp() - older_than_seconds
    return sum(item.size for item in repo.store.unrecorded.leftovers() if item.touched_ns / 1e9 <= limit)


def tidy_unrecorded(repo: Repository) -> None:
    """Remove the lists of what has gone or is recorded. The caller holds the `objects` lock alone."""
    left: list[Leftover] = repo.store.unrecorded.leftovers()
    garbage = repo.queries.unreferenced() if left else ()
    repo.store.unrecorded.tidy({item.id if item.pack is None else item.pack for item in garbage})


def _format_ns(stamp: int) -> str:
    return format_time(datetime.fromtimestamp(min(stamp // 10**9, 1 << 35), UTC))
