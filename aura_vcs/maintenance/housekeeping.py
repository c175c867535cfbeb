"""Garbage collection by itself: what is due anyway, at most once a day, and never in anybody's way."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import RecordCorrupt, StorageError
from aura_vcs.layout import EVICTION_MARKED, HOUSEKEEPING
from aura_vcs.maintenance.gc import Collected, execute_gc, plan_gc
from aura_vcs.maintenance.unrecorded import tidy_unrecorded, unrecorded_bytes
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.plain_text import format_time, now, parse_time
from aura_vcs.repository.repository import Repository

EVERY_SECONDS = 86_400
LEAST_BYTES = 1 << 20
"""Less garbage than this is left for a person's own gc, or until there is more: it is not worth a proof."""


class Housekeeping(msgspec.Struct, frozen=True):
    """`local/housekeeping.json`: when collecting by itself was begun last."""

    begun_at: str


def is_due(repo: Repository) -> bool:
    """Tell whether something could be freed and no gc began within a day. Looks at one small file and the garbage."""
    if _begun_today(repo):
        return False
    if is_eviction_due(repo):
        return True
    return repo.queries.garbage_bytes(_ago(GRACE_SECONDS)) + unrecorded_bytes(repo) >= LEAST_BYTES


class EvictionMarked(msgspec.Struct, frozen=True):
    """`local/eviction-marked.json`: since when something waits for its grace period before it is evicted."""

    since: str


def note_eviction(repo: Repository, since: str | None) -> None:
    """Note since when something is marked to be evicted, None for nothing; where it cannot be noted, it is not."""
    with suppress(StorageError, FileNotFoundError):
        if since is None:
            repo.storage.delete(EVICTION_MARKED)
        else:
            repo.storage.put(EVICTION_MARKED, encode_record(EvictionMarked(since)))


def is_eviction_due(repo: Repository) -> bool:
    """Tell whether something was marked to be evicted longer ago than the grace period. Looks at one small file."""
    try:
        found = decode_record(repo.storage.read(EVICTION_MARKED), EvictionMarked, EVICTION_MARKED)
    except (FileNotFoundError, RecordCorrupt):
        return False
    return found.since <= _ago(GRACE_SECONDS)


def begin(repo: Repository) -> bool:
    """Note that collecting begins, so that nobody else begins within a day; False where that cannot be noted."""
    try:
        repo.storage.put(HOUSEKEEPING, encode_record(Housekeeping(now())))
    except StorageError:
        return False  # a full or read-only disk: a person's own gc says so
    return True


def keep_house(repo: Repository, *, grace_seconds: float = GRACE_SECONDS, unwrap: bool = True) -> Collected | None:
    """Collect what `gc` would with this grace period; None where nothing went.

    The same plan, grace period, proof and locks as a person's own gc. Where somebody else is at work, or
    anything is not as it should be, nothing is done and nothing raised: `aura gc` and `aura fsck` say it.
    """
    try:
        plan = plan_gc(repo, grace_seconds=grace_seconds)
        if plan.to_delete:
            return execute_gc(repo, plan, unwrap=unwrap)
        with repo.locks.exclusive("objects", wait_seconds=0):
            tidy_unrecorded(repo)
    except AuraError:
        return None
    return None


def _begun_today(repo: Repository) -> bool:
    try:
        record = decode_record(repo.storage.read(HOUSEKEEPING), Housekeeping, HOUSEKEEPING)
        begun = parse_time(record.begun_at)
    except (FileNotFoundError, RecordCorrupt):
        return False
    return timedelta(0) <= datetime.now(UTC) - begun < timedelta(seconds=EVERY_SECONDS)


def _ago(seconds: float) -> str:
    return format_time(datetime.now(UTC) - timedelta(seconds=seconds))
