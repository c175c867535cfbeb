"""What was done to a project, with whether it was taken back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Part, has
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.values import moment, time_text
from aura_vcs.history.undo import find_action, operation_of
from aura_vcs.index.records import ActionFilter, ActionRecord
from aura_vcs.plain_text import parse_time
from aura_vcs.project.records.activity import Activity, list_activity
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done; `status` is "Applied", "Undone", "Failed" or "Expired".

    Actions with the same `correlation_id` are taken back together. After `expires_at`, it can no longer be undone.
    """

    id: str
    type: str
    description: str
    user: str
    time: datetime
    status: str
    can_be_undone: bool
    undone_at: datetime | None
    undone_by: str | None
    expires_at: datetime | None
    correlation_id: str | None
    session: str | None
    """The session of a program, such as an agent, in which it was done."""

    @classmethod
    def _of(cls, found: ActionRecord | Activity) -> Self:
        """Take over a record."""
        undone, by, expires, undoable = None, None, None, False
        if isinstance(found, ActionRecord):
            undone, by, expires = moment(found.undone_at), found.undone_by, moment(found.expires_at)
            undoable = found.undoable and found.status == "Applied"
        return cls(
            found.id,
            found.type,
            found.description,
            found.user,
            parse_time(found.time),
            found.status,
            undoable,
            undone,
            by,
            expires,
            found.correlation_id,
            found.session if isinstance(found, ActionRecord) else None,
        )


class Operations(Part):
    """What was done to the project, newest first, on every machine; name an action by the beginning of its id."""

    def __iter__(self) -> Iterator[Action]:
        return iter(self.list(limit=1_000_000))

    def __getitem__(self, action: str) -> Action:
        return self._opened.run(NO_CALL, _action, action)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        type: str | None = None,  # noqa: A002  # as the action calls it
        user: str | None = None,
        status: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        correlation_id: str | None = None,
        session: str | None = None,
        everything: bool = False,
    ) -> list[Action]:
        """List a page of actions; with `everything` also checkpoints and exports, which cannot be taken back."""
        wanted = ActionFilter(
            type=type,
            user=user,
            status=status,
            since=time_text(since),
            until=time_text(until),
            correlation_id=correlation_id,
            session=session,
        )
        return self._opened.run(NO_CALL, _listed, wanted, limit=limit, offset=offset, everything=everything)

    def record(self, action: str) -> Mapping[str, Json]:
        """Return everything that the log has about an action."""
        return self._opened.run(NO_CALL, _record, action)


def _action(repo: Repository, prefix: str) -> Action:
    return Action._of(find_action(repo, prefix))


def _listed(repo: Repository, wanted: ActionFilter, *, limit: int, offset: int, everything: bool) -> list[Action]:
    return list(map(Action._of, list_activity(repo, wanted, limit=limit, offset=offset, everything=everything)))


def _record(repo: Repository, prefix: str) -> Mapping[str, Json]:
    found: Mapping[str, Json] = msgspec.to_builtins(operation_of(repo, find_action(repo, prefix)))
    return found
