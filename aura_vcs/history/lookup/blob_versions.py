"""Which versions hold a stored content: how many, and the newest of them.

The index counts the trees that hold an object; trees that versions share are one. A person asks for
versions, so they are walked here, each distinct tree once.
"""

from collections.abc import Iterable

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.objects.graph import Holdings
from aura_vcs.repository.repository import Repository


class HoldingVersions(msgspec.Struct, frozen=True):
    """Live versions that hold a content: how many, and when the newest of them was made."""

    versions: int = 0
    last_at: str | None = None


def find_holding_versions(repo: Repository, wanted: Iterable[ObjectId]) -> dict[ObjectId, HoldingVersions]:
    """Return for each of the contents the live versions that hold it.

    Reads every distinct tree of the project once; a tree that is missing or damaged holds nothing here.
    """
    holdings = Holdings(repo.graph, wanted)
    found: dict[ObjectId, HoldingVersions] = {}
    for made_at, tree in repo.queries.live_trees():
        for object_id in holdings.in_tree(tree):
            known = found.get(object_id, HoldingVersions())
            found[object_id] = HoldingVersions(known.versions + 1, max(known.last_at or "", made_at))
    return found
