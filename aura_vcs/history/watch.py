"""What happens in a project, as the operation logs have it: also by other processes and machines."""

import time
from collections.abc import Callable, Iterator
from itertools import chain

from aura_vcs.ids import ReplicaId
from aura_vcs.model import Operation
from aura_vcs.repository.repository import Repository


class OperationFollower:
    """Gives out each operation once, those that are recorded after it was made."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._sizes: dict[ReplicaId, int] = {}
        self._ends: dict[ReplicaId, int] = {}
        """Where the last whole line ended: a sync tool brings logs in pieces."""
        self._last: dict[ReplicaId, int] = {}
        self.seen = self.fresh()
        """What had been recorded before."""

    def fresh(self) -> list[Operation]:
        """Return what was recorded since the last call, each machine's in the order of its doing."""
        sizes = self._repo.logs.sizes()
        changed = [replica for replica, size in sizes.items() if size != self._sizes.get(replica)]
        found = [operation for replica in changed for operation in self._fresh_of(replica, sizes[replica])]
        self._sizes = sizes
        return found

    def _fresh_of(self, replica: ReplicaId, size: int) -> Iterator[Operation]:
        end = self._ends.get(replica, 0)
        logs = self._repo.logs
        for line in logs.read(replica, start=end) if size >= end else logs.read_of(replica):  # a segment was closed
            self._ends[replica] = line.end
            if line.operation is not None and line.operation.sequence > self._last.get(replica, -1):
                self._last[replica] = line.operation.sequence
                yield line.operation


def watch(
    repo: Repository,
    *,
    interval: float,
    seconds: float | None = None,
    until: Callable[[], bool] = lambda: False,
    since: str | None = None,
) -> Iterator[Operation]:
    """Yield operations as they are recorded, looking every `interval` seconds, for `seconds` or for good.

    Begins with what is recorded after the call, not after the first `next`; with `since` (RFC 3339), with what
    was done since then, in the order of its times. `until` ends it.
    """
    follower = OperationFollower(repo)
    deadline = None if seconds is None else time.monotonic() + seconds
    earlier = [] if since is None else [operation for operation in follower.seen if operation.time >= since]
    follower.seen.clear()
    return chain(sorted(earlier, key=lambda operation: operation.time), _watch(follower, interval, deadline, until))


def _watch(
    follower: OperationFollower, interval: float, deadline: float | None, until: Callable[[], bool]
) -> Iterator[Operation]:
    while True:
        yield from follower.fresh()
        left = interval if deadline is None else min(interval, deadline - time.monotonic())
        if left <= 0 or until():
            return
        time.sleep(left)
