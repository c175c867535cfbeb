"""What taking back means, for the log of a project as for the studio's: what goes together, and for how long."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from aura_vcs.errors.input import NothingToUndo, OperationExpired
from aura_vcs.plain_text import format_time, parse_time

BATCH_SECONDS = 60.0
"""Edits of the same thing within so many seconds of each other are taken back together."""
EXPIRE_DAYS_LIMIT = 36_500

PASSED_LIMIT = 1000
"""So many that can no longer be taken back are passed over in one undo."""

Place = TypeVar("Place", bound=Hashable)
Item = TypeVar("Item")
Done = TypeVar("Done")


class UndoStack(ABC, Generic[Item, Done]):
    """What was done, one thing after the other, and which of it is taken back or done again next.

    A log of lines is behind it, in which nothing is ever changed: taking back is a line of its own, and so is
    doing again. An item is what goes back at once; a user of this class says which is next, and how it goes back.
    """

    is_studio = False

    @abstractmethod
    def next_undo(self, before: Item | None = None) -> Item | None:
        """Return the newest item that stands and can be taken back still, older than `before`."""

    @abstractmethod
    def next_redo(self) -> Item | None:
        """Return the item that was taken back last, if nothing new was done since."""

    @abstractmethod
    def over_since(self, item: Item | None) -> Sequence[str]:
        """Describe what was done after an item and stands for ever, because its time is over; newest first."""

    @abstractmethod
    def words_since(self, item: Item) -> Sequence[str]:
        """Say why what was done after an item is passed over."""

    @abstractmethod
    def is_needed(self, item: Item, later: Item) -> bool:
        """Tell whether taking the item back would remove what a later one builds on."""

    @abstractmethod
    def revert(self, item: Item, *, back: bool) -> Done:
        """Take the item back, or do it again.

        Raises:
            OperationExpired: what it would bring back has been collected.
            EditedSince, RefMoved: what it changed was changed otherwise since; nothing was touched.
        """

    def undo(self) -> tuple[Done, tuple[str, ...]]:
        """Take back the newest item that can be, and on which none of those passed over depends.

        Returns why later ones were left as they are, too.

        Raises:
            NothingToUndo: there is none. OperationExpired: that holds for all that are left.
            What `revert` raises.
        """
        expired: list[OperationExpired] = []
        passed: list[Item] = []
        found = self.next_undo()
        while found is not None and len(passed) < PASSED_LIMIT:
            if not any(self.is_needed(found, later) for later in passed):
                try:
                    words = (*self.words_since(found), *(error.message for error in expired))
                    return self.revert(found, back=True), words
                except OperationExpired as error:
                    expired.append(error)
            passed.append(found)
            found = self.next_undo(found)
        if expired:
            raise expired[0]
        if over := self.over_since(None):
            raise OperationExpired(over[0], OperationExpired.TIME)
        raise NothingToUndo("undo", studio=self.is_studio)

    def redo(self) -> Done:
        """Do again what was taken back last.

        Raises:
            NothingToUndo: nothing was, or something new was done since. What `revert` raises.
        """
        found = self.next_redo()
        if found is None:
            raise NothingToUndo("redo", studio=self.is_studio)
        return self.revert(found, back=False)


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
