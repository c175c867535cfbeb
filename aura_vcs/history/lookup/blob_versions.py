"""Which versions hold a stored content: how many, and the newest of them.

The index counts the trees that hold an object; trees that versions share are one. A person asks for
versions, so they are walked here, each distinct tree once.
"""

from collections.abc import Iterable

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import Queries
from aura_vcs.model import EntryKind
from aura_vcs.repository.repository import Repository

EMPTY: frozenset[ObjectId] = frozenset()


class Holders(msgspec.Struct, frozen=True):
    """Live versions that hold a content: how many, and when the newest of them was made."""

    versions: int = 0
    last_at: str | None = None


def find_holders(repo: Repository, wanted: Iterable[ObjectId]) -> dict[ObjectId, Holders]:
    """Return for each of the contents the live versions that hold it.

    Reads every distinct tree of the project once; a tree that is missing or damaged holds nothing here.
    """
    walk = _Walk(repo, frozenset(wanted))
    found: dict[ObjectId, Holders] = {}
    for made_at, tree in Queries(repo.index).live_trees():
        for object_id in walk.inside(tree):
            known = found.get(object_id, Holders())
            found[object_id] = Holders(known.versions + 1, max(known.last_at or "", made_at))
    return found


class _Walk:
    """What of the wanted contents lies below a tree; every tree is read once."""

    def __init__(self, repo: Repository, wanted: frozenset[ObjectId]) -> None:
        self._trees, self._wanted = repo.trees, wanted
        self._known: dict[ObjectId, frozenset[ObjectId]] = {}

    def inside(self, tree: ObjectId) -> frozenset[ObjectId]:
        """Return those of the wanted contents that lie below the tree."""
        if tree not in self._known:
            self._known[tree] = EMPTY
            try:
                entries = self._trees.tree(tree).entries
            except IntegrityError:
                return EMPTY
            found = {entry.id for entry in entries if entry.kind is not EntryKind.DIR and entry.id in self._wanted}
            for entry in entries:
                if entry.kind is EntryKind.DIR:
                    found |= self.inside(entry.id)
            self._known[tree] = frozenset(found) if found else EMPTY
        return self._known[tree]
