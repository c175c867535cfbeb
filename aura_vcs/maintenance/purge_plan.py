"""What giving one version's content up would free."""

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.objects.graph import find_alone
from aura_vcs.repository.repository import Repository


class PurgePlan(msgspec.Struct, frozen=True):
    """What would go: `objects` and `stored_bytes` (on disk) that only this version holds.

    `shared_bytes` count content, before compression, that other versions hold too and that stays.
    """

    objects: int
    stored_bytes: int
    shared_bytes: int


def plan_purge(repo: Repository, record: VersionRecord) -> PurgePlan:
    """Count what no other version holds; changes nothing.

    Follows the reference counts down from the version's tree: the cost grows with what would go.
    """
    if not record.is_live:
        return PurgePlan(0, 0, 0)
    counts = _Counts(repo.queries)
    alone = find_alone(repo.graph, record.tree, counts.count_of, in_chunks=True)
    stored = sum(counts.found[object_id].stored_size for object_id in alone.own)
    return PurgePlan(len(alone.own), stored, sum(alone.shared.values()))


class _Counts:
    """Reference counts, and the records that were asked for."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.found: dict[ObjectId, ObjectRecord] = {}

    def count_of(self, object_id: ObjectId) -> int | None:
        """Return how many hold an object; None if it is not known."""
        if object_id not in self.found and (item := self._queries.object(object_id)) is not None:
            self.found[object_id] = item
        return self.found[object_id].refcount if object_id in self.found else None
