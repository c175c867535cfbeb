"""What of versions is offloaded, as the records say; costs nothing where nothing is."""

from collections.abc import Mapping

import msgspec

from aura_vcs.ids import ObjectId
from aura_vcs.objects.availability import OffloadedContent
from aura_vcs.objects.graph import Holdings
from aura_vcs.repository.repository import Repository


class OffloadedTotal(msgspec.Struct, frozen=True):
    """How many files are offloaded, their bytes of content, and the remotes that hold them."""

    files: int
    size_bytes: int
    remotes: tuple[str, ...]


class OffloadedFiles:
    """Finds offloaded files; every tree is opened once."""

    def __init__(self, repo: Repository) -> None:
        recorded = repo.store.offloaded.all()
        self._recorded = {blob: entry for blob, entry in recorded.items() if not entry.evicted}
        self._holdings = Holdings(repo.graph, self._recorded)

    def __bool__(self) -> bool:
        return bool(self._recorded)

    def everywhere(self) -> OffloadedTotal:
        """Sum up what is offloaded in the whole project."""
        return _total(self._recorded)

    def below(self, tree: ObjectId) -> OffloadedTotal:
        """Sum up what is offloaded in one tree; what cannot be read is passed over."""
        return _total({blob: self._recorded[blob] for blob in self._holdings.in_tree(tree)})


def _total(content: Mapping[ObjectId, OffloadedContent]) -> OffloadedTotal:
    names = {name for item in content.values() for name in item.remotes}
    return OffloadedTotal(len(content), sum(item.size for item in content.values()), tuple(sorted(names)))
