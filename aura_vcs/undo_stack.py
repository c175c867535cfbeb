"""What taking back means, for the log of a project as for the studio's: what goes together, and for how long."""

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from aura_vcs.plain_text import format_time, parse_time

BATCH_SECONDS = 60.0
"""Edits of the same thing within so many seconds of each other are taken back together."""
EXPIRE_DAYS_LIMIT = 36_500

Place = TypeVar("Place", bound=Hashable)


def is_rapid(earlier: str, later: str) -> bool:
    """Tell whether what was done at `later` follows `earlier` so soon that both are one to take back."""
    return 0 <= (parse_time(later) - parse_time(earlier)).total_seconds() < BATCH_SECONDS


def expiry(days: float) -> str | None:
    """Return until when what is done now can be taken back, if for so many days; None for 0, which is for ever."""
    return None if days <= 0 else format_time(datetime.now(UTC) + timedelta(days=min(days, EXPIRE_DAYS_LIMIT)))


def is_over(expires_at: str | None, at: str) -> bool:
    """Tell whether something can no longer be taken back at `at`, because its time is over."""
    return expires_at is not None and parse_time(expires_at) <= parse_time(at)


def merge_changes(changes: Iterable[tuple[Place, Any, Any]]) -> dict[Place, tuple[Any, Any]]:
    """Merge changes, oldest first, into one of each place: its first state before, and its last one after."""
    found: dict[Place, tuple[Any, Any]] = {}
    for place, before, after in changes:
        found[place] = found[place][0] if place in found else before, after
    return found
