"""What giving one version's content up would free."""

from collections import Counter

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.model import EntryKind
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
    return _Count(repo).below(record.tree)


class _Count:
    """Follows counts down: what is counted from the given tree only goes with it."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._queries = Queries(repo.index)
        self._seen: Counter[ObjectId] = Counter()

    def below(self, tree: ObjectId) -> PurgePlan:
        """Count from this tree."""
        going: list[ObjectRecord] = []
        staying: dict[ObjectId, int] = {}
        waiting = [(tree, 0, True)]
        while waiting:
            object_id, size, is_tree = waiting.pop()
            item = self._queries.object(object_id)
            if item is None:
                continue
            self._seen[object_id] += 1
            if self._seen[object_id] < item.refcount:
                staying[object_id] = size
                continue
            staying.pop(object_id, None)
            going.append(item)
            waiting += self._held(item, is_tree=is_tree)
        return PurgePlan(len(going), sum(item.stored_size for item in going), sum(staying.values()))

    def _held(self, item: ObjectRecord, *, is_tree: bool) -> set[tuple[ObjectId, int, bool]]:
        """What an object holds, each once, with its size."""
        try:
            if is_tree:
                entries = self._repo.trees.tree(item.id).entries
                return {(entry.id, entry.size, entry.kind is EntryKind.DIR) for entry in entries}
            return {(chunk, 0, False) for chunk in self._repo.store.chunk_ids(item.id)} if item.chunked else set()
        except (IntegrityError, FileNotFoundError):
            return set()  # absent or damaged: what it held is not known
