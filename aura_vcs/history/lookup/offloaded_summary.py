"""What of versions is offloaded, as the records say; costs nothing where nothing is."""

from collections.abc import Mapping

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.model import EntryKind
from aura_vcs.objects.offloaded import OffloadedContent
from aura_vcs.repository.repository import Repository


class OffloadedSum(msgspec.Struct, frozen=True):
    """How many files are offloaded, their bytes of content, and the remotes that hold them."""

    files: int
    size_bytes: int
    remotes: tuple[str, ...]


class OffloadedFiles:
    """Finds offloaded files; every tree is opened once."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self._recorded = repo.store.offloaded.all()
        self._known: dict[ObjectId, frozenset[ObjectId]] = {}

    def __bool__(self) -> bool:
        return bool(self._recorded)

    def everywhere(self) -> OffloadedSum:
        """In the whole project."""
        return _sum(self._recorded)

    def below(self, tree: ObjectId) -> OffloadedSum:
        """In one tree; what cannot be read is passed over."""
        return _sum({blob: self._recorded[blob] for blob in self._in_tree(tree)} if self._recorded else {})

    def _in_tree(self, tree: ObjectId) -> frozenset[ObjectId]:
        if tree not in self._known:
            self._known[tree] = frozenset()  # whatever a damaged store says, it ends
            found: set[ObjectId] = set()
            try:
                entries = self._repo.trees.tree(tree).entries
            except IntegrityError:
                entries = ()
            for entry in entries:
                if entry.kind is EntryKind.DIR:
                    found |= self._in_tree(entry.id)
                elif entry.id in self._recorded:
                    found.add(entry.id)
            self._known[tree] = frozenset(found)
        return self._known[tree]


def _sum(content: Mapping[ObjectId, OffloadedContent]) -> OffloadedSum:
    names = {name for item in content.values() for name in item.remotes}
    return OffloadedSum(len(content), sum(item.size for item in content.values()), tuple(sorted(names)))
